"""Whoever signs: which key is taken, how it is opened, and that it is closed at the end."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from keyring.errors import KeyringLocked

from nostr_threads.app.signers import (
    keep_in_keyring,
    link_in_env,
    open_signer,
    public_key_of_env,
)
from nostr_threads.core import nip19
from nostr_threads.core.bunker_links import BunkerLink, ClientLink, write_link
from nostr_threads.core.event import Draft
from nostr_threads.errors import BunkerError, NoSigner, SigningError, WrongPassword
from nostr_threads.relayd.server import RelayServer
from nostr_threads.signing import (
    KeyEntry,
    KeyFolder,
    Kind,
    encrypt,
    new_secret,
    os_keyring,
    secret_from_hex,
)
from nostr_threads.signing.plugins import GROUP
from tests.app.desks import environ_of, lent
from tests.app.worlds import ALICE, BOB, CAROL, signer_of
from tests.relayd.peers import stocked
from tests.signing.keyring_in_memory import Careless, Forgetful, system_keyring
from tests.signing.leaks import MARKED_HEX, leaks, whole_story

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from nostr_threads.signing import Signer

PASSWORD = "a password"
DEAD = "ws://127.0.0.1:9"

PACKAGE = """
from nostr_threads.testing import Author

class Signer:
    def __init__(self, setting):
        self._author = Author(setting.encode())
        self.public_key = self._author.pubkey

    async def sign(self, draft):
        return self._author.sign(draft)

    async def nip44_encrypt(self, peer, text):
        raise NotImplementedError

    async def nip44_decrypt(self, peer, payload):
        raise NotImplementedError

    async def close(self):
        pass
"""

SIGNING = """
import json, sys
from nostr_threads.core.event import Draft
from nostr_threads.testing import Author
told = json.loads(sys.stdin.readline())
del told["pubkey"]
told["tags"] = tuple(map(tuple, told["tags"]))
print(Author(b"alice").sign(Draft(**told)).to_json())
"""


def draft() -> Draft:
    return Draft(int(time.time()), 1, (), "text")


def never() -> str:
    raise AssertionError("nobody needs a password here")


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    """The folder that `environ_of(tmp_path)` leads to."""
    return KeyFolder(tmp_path / "keys")


@pytest.fixture
def system() -> Iterator[Forgetful]:
    backend = Forgetful()
    with system_keyring(backend):
        yield backend


@pytest.fixture
def _plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package, as pip leaves it: `some` signs for whoever its setting names."""
    info = tmp_path / "named_signer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: named-signer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nsome = named_signer:Signer\n")
    (tmp_path / "named_signer.py").write_text(PACKAGE)
    monkeypatch.syspath_prepend(tmp_path)


def opening(
    tmp_path: Path,
    name: str | None = None,
    *,
    secret: str = "",
    password: Callable[[], str] | None = never,
) -> Any:  # an async context manager
    return open_signer(name, environ=environ_of(tmp_path, secret), password=password)


async def opened(tmp_path: Path, name: str | None = None, **more: Any) -> str:
    """Open a signer, have it sign, and say for whom."""
    async with opening(tmp_path, name, **more) as signer:
        event = await signer.sign(draft())
        assert event.pubkey == signer.public_key
    return str(event.pubkey)


# Which key it is


async def test_a_name_goes_before_the_environment_and_that_before_the_key_in_use(
    tmp_path: Path, folder: KeyFolder
) -> None:
    with pytest.raises(NoSigner, match="key new NAME"):
        await opened(tmp_path)
    folder.add("alice", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=2)
    folder.add("bob", secret_from_hex(BOB.secret_hex()), PASSWORD, log_n=2)
    carol = CAROL.secret_hex()
    said: dict[str, Any] = {"password": lambda: PASSWORD}
    with pytest.raises(NoSigner, match=r"key use NAME` \(there is: alice, bob\)"):
        await opened(tmp_path)
    folder.use("bob")
    assert await opened(tmp_path, **said) == BOB.pubkey
    assert await opened(tmp_path, secret=carol) == CAROL.pubkey
    assert await opened(tmp_path, "alice", secret=carol, **said) == ALICE.pubkey
    # Nobody is dialled for it.
    assert await opened(tmp_path, "alice", secret=write_link(LINK), **said) == ALICE.pubkey
    assert await opened(tmp_path, secret=" \n", **said) == BOB.pubkey
    with pytest.raises(NoSigner, match="no key called 'carol'"):
        await opened(tmp_path, "carol", secret=carol)


async def test_what_the_environment_holds_is_not_passed_over_where_it_is_wrong(
    tmp_path: Path, folder: KeyFolder
) -> None:
    """Else somebody would sign with another key than they think."""
    folder.add("bob", secret_from_hex(BOB.secret_hex()), PASSWORD, log_n=2)
    folder.use("bob")
    for wrong in ("nonsense", "bunker://x", "nostrconnect://x"):
        with pytest.raises(SigningError, match="NOSTR_SECRET_KEY"):
            await opened(tmp_path, secret=wrong, password=lambda: PASSWORD)


async def test_the_environment_of_the_process_counts_where_no_other_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOSTR_THREADS_HOME", str(tmp_path))
    monkeypatch.setenv("NOSTR_SECRET_KEY", ALICE.secret_hex())
    async with open_signer() as signer:
        assert signer.public_key == ALICE.pubkey


# Where a key can be


async def test_a_key_with_a_password_is_opened_with_it(tmp_path: Path, folder: KeyFolder) -> None:
    folder.add("alice", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=2)
    assert await opened(tmp_path, "alice", password=lambda: PASSWORD) == ALICE.pubkey
    with pytest.raises(WrongPassword):
        await opened(tmp_path, "alice", password=lambda: "another")
    with pytest.raises(NoSigner, match="'alice' has a password, and there is nobody to ask"):
        await opened(tmp_path, "alice", password=None)


@pytest.mark.usefixtures("system")
async def test_a_key_of_the_keyring_needs_nobody(tmp_path: Path, folder: KeyFolder) -> None:
    keep_in_keyring(folder, "alice", secret_from_hex(ALICE.secret_hex()))
    assert await opened(tmp_path, "alice") == ALICE.pubkey
    assert folder.entry("alice").kind is Kind.KEYRING


async def test_a_key_that_a_program_has_signs(tmp_path: Path, folder: KeyFolder) -> None:
    command = {"command": [sys.executable, "-c", SIGNING]}
    folder.put("alice", KeyEntry(Kind.COMMAND, ALICE.pubkey, command))
    assert await opened(tmp_path, "alice") == ALICE.pubkey


@pytest.mark.usefixtures("_plugin")
async def test_a_key_that_a_plugin_has_signs(tmp_path: Path, folder: KeyFolder) -> None:
    details = {"signer": "some", "setting": "alice"}
    folder.put("alice", KeyEntry(Kind.PLUGIN, ALICE.pubkey, details))
    assert await opened(tmp_path, "alice") == ALICE.pubkey


async def test_a_key_that_is_nowhere_says_who_it_is_and_signs_nothing(
    tmp_path: Path, folder: KeyFolder
) -> None:
    folder.put("alice", KeyEntry(Kind.NOWHERE, ALICE.pubkey))
    async with opening(tmp_path, "alice") as signer:
        assert signer.public_key == ALICE.pubkey
        with pytest.raises(NoSigner, match="cannot sign"):
            await signer.sign(draft())


@pytest.mark.parametrize(
    ("kind", "details"),
    [
        (Kind.COMMAND, {}),
        (Kind.PLUGIN, {}),
        (Kind.PLUGIN, {"signer": "some"}),
        (Kind.BUNKER, {}),
        (Kind.BUNKER, {"signer": "x", "client": "x", "relays": [], "link": ""}),
    ],
)
@pytest.mark.usefixtures("_plugin")
async def test_a_file_that_lacks_what_it_needs_is_damaged(
    tmp_path: Path, folder: KeyFolder, kind: Kind, details: dict[str, Any]
) -> None:
    folder.put("alice", KeyEntry(kind, ALICE.pubkey, details))
    with pytest.raises(SigningError):
        await opened(tmp_path, "alice")


# Another key than was noted


async def test_another_key_in_the_keyring_is_refused(
    tmp_path: Path, folder: KeyFolder, system: Forgetful
) -> None:
    keep_in_keyring(folder, "alice", secret_from_hex(ALICE.secret_hex()))
    system.kept["nostr-threads", "alice"] = nip19.encode(secret_from_hex(MARKED_HEX))
    with pytest.raises(SigningError, match=f"where {ALICE.pubkey} was expected") as caught:
        await opened(tmp_path, "alice")
    assert leaks(whole_story(caught.value)) == []


@pytest.mark.usefixtures("_plugin")
async def test_another_key_of_a_plugin_is_refused(tmp_path: Path, folder: KeyFolder) -> None:
    details = {"signer": "some", "setting": "bob"}
    folder.put("alice", KeyEntry(Kind.PLUGIN, ALICE.pubkey, details))
    with pytest.raises(SigningError, match=f"{BOB.pubkey} where {ALICE.pubkey} was expected"):
        await opened(tmp_path, "alice")


async def test_another_key_of_a_program_is_refused(tmp_path: Path, folder: KeyFolder) -> None:
    command = {"command": [sys.executable, "-c", SIGNING]}
    folder.put("bob", KeyEntry(Kind.COMMAND, BOB.pubkey, command))
    with pytest.raises(SigningError, match="instead of"):
        await opened(tmp_path, "bob")


# The end


async def sign_with(signer: Signer) -> None:
    for doing in (
        signer.sign(draft()),
        signer.nip44_encrypt(BOB.pubkey, "text"),
        signer.nip44_decrypt(BOB.pubkey, "payload"),
    ):
        with pytest.raises(NoSigner, match="closed"):
            await doing


@pytest.mark.parametrize("fails", [False, True])
async def test_a_signer_that_was_opened_is_closed_whatever_happens(
    tmp_path: Path, folder: KeyFolder, system: Forgetful, fails: bool
) -> None:
    folder.add("file", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=2)
    keep_in_keyring(folder, "ring", secret_from_hex(ALICE.secret_hex()))
    assert system.kept

    async def use(opened: Any, kept: list[Signer]) -> None:
        async with opened as signer:
            kept.append(signer)
            if fails:
                raise ZeroDivisionError

    for name, secret in (("file", ""), ("ring", ""), (None, ALICE.secret_hex())):
        kept: list[Signer] = []
        with pytest.raises(ZeroDivisionError) if fails else nullcontext():
            await use(opening(tmp_path, name, secret=secret, password=lambda: PASSWORD), kept)
        assert kept[0].public_key == ALICE.pubkey
        await sign_with(kept[0])


# A bunker


@asynccontextmanager
async def bunker(home: Path) -> AsyncIterator[BunkerLink]:
    """ALICE's key on another machine."""
    async with asyncio.timeout(20), RelayServer(stocked()) as relay, lent(home, relay.url) as link:
        yield link


async def test_the_link_of_a_bunker_is_used_once_and_then_gone_on_with(
    tmp_path: Path, folder: KeyFolder
) -> None:
    async with bunker(tmp_path / "other") as link:
        secret = write_link(link)
        assert public_key_of_env(environ_of(tmp_path, secret)) is None
        for _ in range(2):
            assert await opened(tmp_path, secret=secret) == ALICE.pubkey
        (name,) = folder.names()
        assert name.startswith("bunker-")
        assert folder.entry(name).public_key == ALICE.pubkey
        assert public_key_of_env(environ_of(tmp_path, secret)) == ALICE.pubkey
        assert await opened(tmp_path, name) == ALICE.pubkey
        with pytest.raises(BunkerError, match="you are not known"):
            await opened(tmp_path / "elsewhere", secret=secret)


async def test_a_bunker_that_was_opened_is_closed(tmp_path: Path) -> None:
    async with bunker(tmp_path / "other") as link:
        for _ in range(2):
            async with opening(tmp_path, secret=write_link(link)) as signer:
                assert (await signer.sign(draft())).pubkey == ALICE.pubkey
            await sign_with(signer)


async def test_a_bunker_with_another_key_than_noted_is_refused(
    tmp_path: Path, folder: KeyFolder
) -> None:
    async with bunker(tmp_path / "other") as link:
        assert await opened(tmp_path, secret=write_link(link)) == ALICE.pubkey
        (name,) = folder.names()
        details = folder.entry(name).details
        folder.change(name, KeyEntry(Kind.BUNKER, BOB.pubkey, details))
        with pytest.raises(BunkerError, match=f"no more for {BOB.pubkey}"):
            await opened(tmp_path, name)
        assert folder.public_key(name) == BOB.pubkey


# What the environment says without asking anybody

LINK = BunkerLink(BOB.pubkey, ("wss://relay.example",), MARKED_HEX)
CLIENT = ClientLink(BOB.pubkey, ("wss://relay.example",), MARKED_HEX)
SECRET = secret_from_hex(ALICE.secret_hex())


@pytest.mark.parametrize(
    ("value", "public_key"),
    [
        ("", None),
        (" \n", None),
        (ALICE.secret_hex(), ALICE.pubkey),
        (ALICE.secret_hex().upper(), ALICE.pubkey),
        (nip19.encode(SECRET), ALICE.pubkey),
        (f" {nip19.encode(SECRET)}\n", ALICE.pubkey),
        # It is not opened: that takes a password, and a second.
        (encrypt(SECRET, PASSWORD, log_n=1), None),
        (write_link(LINK), None),
        (f" {write_link(LINK).replace('bunker', 'BUNKER', 1)}", None),
    ],
    ids=("unset", "blank", "hex", "HEX", "nsec", "padded", "ncryptsec", "link", "LINK"),
)
def test_whose_key_the_variable_holds(tmp_path: Path, value: str, public_key: str | None) -> None:
    assert public_key_of_env(environ_of(tmp_path, value)) == public_key
    assert public_key_of_env({"NOSTR_THREADS_HOME": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("nonsense", "is not a secret key"),
        (MARKED_HEX[:-1], "is not a secret key"),
        (f"bunker://{MARKED_HEX[:-1]}?relay=wss://a.example", "no public key"),
        (f"bunker://{BOB.pubkey}?secret={MARKED_HEX}", "no relay"),
        (write_link(CLIENT), "is for a signer, not for a client"),
    ],
    ids=("nonsense", "short", "no key", "no relay", "a client's"),
)
def test_what_the_variable_holds_and_cannot_be_used_is_said_and_not_shown(
    tmp_path: Path, value: str, words: str
) -> None:
    with pytest.raises(SigningError, match=f"NOSTR_SECRET_KEY.*{words}") as caught:
        public_key_of_env(environ_of(tmp_path, value))
    assert leaks(whole_story(caught.value)) == []


def test_a_link_in_the_variable_is_found_and_nothing_else_is_taken_for_one() -> None:
    for value, link in (
        (write_link(LINK), LINK),
        (f"\n{write_link(LINK)} ", LINK),
        (ALICE.secret_hex(), None),
        ("nonsense", None),
        ("", None),
    ):
        assert link_in_env({"NOSTR_SECRET_KEY": value}) == link
    assert link_in_env({}) is None


# Into the keyring


class Refusing(Forgetful):
    """Says no when something is put into it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(f"{service} {username} {password}")


@pytest.mark.parametrize("backend", [Refusing, Careless])
async def test_a_key_that_the_keyring_does_not_keep_is_not_noted(
    tmp_path: Path, folder: KeyFolder, backend: type[Forgetful]
) -> None:
    with system_keyring(backend()):
        with pytest.raises(SigningError) as caught:
            keep_in_keyring(folder, "alice", secret_from_hex(MARKED_HEX))
        assert leaks(str(caught.value)) == []
        assert folder.names() == ()
        with pytest.raises(NoSigner, match="no key called 'alice'"):
            await opened(tmp_path, "alice")
    # The name is free.
    with system_keyring(Forgetful()):
        keep_in_keyring(folder, "alice", secret_from_hex(ALICE.secret_hex()))
        assert await opened(tmp_path, "alice") == ALICE.pubkey


def test_a_name_that_is_taken_leaves_the_keyring_as_it_is(
    folder: KeyFolder, system: Forgetful
) -> None:
    folder.add("alice", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=2)
    with pytest.raises(SigningError, match="not overwritten"):
        keep_in_keyring(folder, "alice", new_secret())
    assert system.kept == {}
    assert folder.entry("alice").kind is Kind.PASSWORD


def test_what_the_keyring_had_before_stays(folder: KeyFolder, system: Forgetful) -> None:
    os_keyring.keep("alice", secret_from_hex(ALICE.secret_hex()))
    before = dict(system.kept)
    with pytest.raises(SigningError, match="already"):
        keep_in_keyring(folder, "alice", new_secret())
    assert system.kept == before
    assert folder.names() == ()
    assert signer_of(ALICE).public_key == os_keyring.KeyringSigner("alice").public_key
