"""Connections to signers elsewhere, kept from before the first word is said."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.app.sessions import bunker_entry, bunker_session, connect_as, session_of_link
from nostr_threads.core.bunker_links import BunkerLink
from nostr_threads.core.event import Draft
from nostr_threads.errors import BunkerError, NoSigner, SigningError
from nostr_threads.relayd.server import RelayServer
from nostr_threads.signing import KeyFolder, KeySigner, Kind, secret_from_hex
from nostr_threads.signing.book import Client
from nostr_threads.signing.bunker import BunkerSession, link_mark
from nostr_threads.signing.policy import Policy
from tests.app.desks import desk_in, lent, serving
from tests.app.worlds import ALICE, BOB, CAROL
from tests.relayd.peers import stocked
from tests.signing.leaks import MARKED_HEX, leaks, marked, whole_story

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nostr_threads.signing.bunker import BunkerSigner

DEAD = "ws://127.0.0.1:9"
LINK = BunkerLink(BOB.pubkey, ("wss://relay.example",), "s3cret")
SESSION = BunkerSession(BOB.pubkey, marked(), LINK.relays, ALICE.pubkey, link_mark(LINK))

sessions = st.builds(
    BunkerSession,
    st.sampled_from((BOB.pubkey, CAROL.pubkey)),
    st.integers(1, 2**200).map(lambda number: secret_from_hex(f"{number:064x}")),
    st.lists(st.text(max_size=20), max_size=3).map(tuple),
    st.sampled_from(("", ALICE.pubkey)),
    st.text("0123456789abcdef", max_size=32),
)


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    """Where a client keeps its sessions: not on the machine that has the key."""
    return KeyFolder(tmp_path / "client" / "keys")


def connecting(
    folder: KeyFolder, link: BunkerLink, name: str = "lent"
) -> Any:  # an async context manager
    return connect_as(folder, name, link, show=lambda _: None, clock=time.time)


@asynccontextmanager
async def met() -> AsyncIterator[str]:
    async with asyncio.timeout(20), RelayServer(stocked()) as relay:
        yield relay.url


async def signs(signer: BunkerSigner) -> bool:
    event = await signer.sign(Draft(int(time.time()), 1, (), "text"))
    return event.pubkey == ALICE.pubkey


def pending(folder: KeyFolder) -> list[Path]:
    return sorted(folder.path.glob("*.pending")) if folder.path.exists() else []


# How it is written down


@given(sessions)
def test_a_session_comes_back_as_it_was(session: BunkerSession) -> None:
    entry = bunker_entry(session)
    assert bunker_session(entry) == session
    assert bunker_session(replace(entry, details=json.loads(json.dumps(entry.details)))) == session
    assert (entry.kind, entry.public_key) == (Kind.BUNKER, session.public_key)


def test_it_comes_back_out_of_a_file(folder: KeyFolder) -> None:
    folder.put("lent", bunker_entry(SESSION))
    assert bunker_session(folder.entry("lent")) == SESSION
    assert leaks(repr(folder.entry("lent"))) == []


@pytest.mark.parametrize("name", ["signer", "client", "relays", "link"])
def test_what_lacks_a_part_is_damaged(name: str) -> None:
    entry = bunker_entry(SESSION)
    left = {each: its for each, its in entry.details.items() if each != name}
    with pytest.raises(SigningError, match="damaged: connect to it again") as caught:
        bunker_session(replace(entry, details=left))
    assert leaks(whole_story(caught.value)) == []


@pytest.mark.parametrize(
    ("name", "value"), [("client", None), ("client", 7), ("client", "x"), ("relays", None)]
)
def test_what_has_another_form_is_damaged(name: str, value: Any) -> None:
    entry = bunker_entry(SESSION)
    with pytest.raises(SigningError):
        bunker_session(replace(entry, details={**entry.details, name: value}))


def test_nobody_learns_the_clients_key_from_what_is_damaged() -> None:
    entry = bunker_entry(SESSION)
    with pytest.raises(SigningError) as caught:
        bunker_session(replace(entry, details={**entry.details, "client": MARKED_HEX + "0"}))
    assert leaks(whole_story(caught.value)) == []


# Which link a session came from


def test_a_session_is_found_by_its_link(folder: KeyFolder) -> None:
    assert session_of_link(folder, LINK) is None
    other = replace(LINK, secret="another")
    folder.add("a", marked(), "pw", log_n=2)
    folder.put("b", bunker_entry(replace(SESSION, link=link_mark(other))))
    folder.put("c", replace(bunker_entry(SESSION), kind=Kind.NOWHERE))
    assert session_of_link(folder, LINK) is None
    folder.put("d", bunker_entry(SESSION))
    assert session_of_link(folder, LINK) == ("d", SESSION)
    assert session_of_link(folder, other) == ("b", replace(SESSION, link=link_mark(other)))
    # The relays may have changed since; signer and secret may not.
    assert session_of_link(folder, replace(LINK, relays=("wss://new.example",))) is not None
    assert session_of_link(folder, replace(LINK, signer=CAROL.pubkey)) is None


def test_what_is_damaged_is_not_in_the_way(folder: KeyFolder) -> None:
    folder.put("d", bunker_entry(SESSION))
    for name in ("a", "b", "c"):
        folder.put(name, bunker_entry(SESSION))
    (folder.path / "a.signer").write_text("nonsense")
    (folder.path / "b.signer").chmod(0o644)
    entry = bunker_entry(SESSION)
    folder.change("c", replace(entry, details={"link": link_mark(LINK)}))
    assert session_of_link(folder, LINK) == ("d", SESSION)


def test_the_mark_of_a_link_is_not_its_secret() -> None:
    assert LINK.secret not in link_mark(LINK)
    assert link_mark(LINK) != link_mark(replace(LINK, secret=""))


# Connecting


async def test_a_session_is_kept_under_its_name_and_gone_on_with(
    folder: KeyFolder, tmp_path: Path
) -> None:
    async with met() as url, lent(tmp_path, url) as link:
        async with connecting(folder, link) as signer:
            assert await signs(signer)
            session = signer.session
        assert folder.names() == ("lent",)
        assert bunker_session(folder.entry("lent")) == session
        assert session_of_link(folder, link) == ("lent", session)
        assert (session.public_key, session.relays) == (ALICE.pubkey, (url,))
    assert pending(folder) == []


async def test_a_name_that_is_taken_costs_no_link(folder: KeyFolder, tmp_path: Path) -> None:
    folder.add("lent", marked(), "pw", log_n=2)
    async with met() as url, lent(tmp_path, url) as link:
        with pytest.raises(SigningError, match="already"):
            async with connecting(folder, link):
                raise AssertionError("it was opened")
        assert (await desk_in(tmp_path).book()).invited(link.secret) is not None
        async with connecting(folder, link, "other") as signer:
            assert await signs(signer)
    assert pending(folder) == []


async def test_what_was_begun_is_kept_before_anything_is_said(folder: KeyFolder) -> None:
    link = BunkerLink(BOB.pubkey, (DEAD,), MARKED_HEX)
    with pytest.raises(BunkerError, match="can be reached"):
        async with connecting(folder, link):
            raise AssertionError("it was reached")
    (file,) = pending(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # The secret of the link lets in whoever reads it first.
    assert leaks(file.read_text()) == []
    assert folder.names() == ()
    # Whoever comes again is the same client.
    before = file.read_text()
    with pytest.raises(BunkerError, match="can be reached"):
        async with connecting(folder, link):
            raise AssertionError("it was reached")
    assert file.read_text() == before


async def test_a_link_whose_answer_was_lost_is_gone_on_with(
    folder: KeyFolder, tmp_path: Path
) -> None:
    async with met() as url:
        desk = desk_in(tmp_path)
        await desk.begin((DEAD,))
        link = await desk.invite(Policy())
        with pytest.raises(BunkerError, match="can be reached"):
            async with connecting(folder, link):
                raise AssertionError("it was reached")
        (file,) = pending(folder)
        own = secret_from_hex(json.loads(file.read_text())["client"])
        client = Client(KeySigner(own).public_key, Policy())
        # The question came through, and the answer did not.
        await desk._keeper.change(
            lambda book: replace(book, relays=(url,)).letting_in(client, link.secret)
        )
        file.write_text(file.read_text().replace(DEAD, url))
        async with serving(desk):
            with pytest.raises(BunkerError, match="you are not known"):
                async with connecting(KeyFolder(tmp_path / "thief"), replace(link, relays=(url,))):
                    raise AssertionError("somebody else was let in")
            async with connecting(folder, link) as signer:
                assert await signs(signer)
                assert signer.session.client == own
    assert pending(folder) == []
    assert folder.names() == ("lent",)


async def test_a_refusal_ends_what_was_begun(folder: KeyFolder, tmp_path: Path) -> None:
    """A new link may be of the same signer, and must not be tried as the old client."""
    async with met() as url, lent(tmp_path, url) as link:
        with pytest.raises(BunkerError, match="you are not known"):
            async with connecting(folder, replace(link, secret="wrong")):
                raise AssertionError("it was let in")
        assert (pending(folder), folder.names()) == ([], ())
        async with connecting(folder, link) as signer:
            assert await signs(signer)


@pytest.mark.parametrize(
    "text", ["", "nonsense", '{"signer": ', "[]", "{}", '"x"', '{"signer": 7, "client": "x"}']
)
async def test_what_was_begun_and_cannot_be_read_is_begun_anew(
    folder: KeyFolder, tmp_path: Path, text: str
) -> None:
    async with met() as url, lent(tmp_path, url) as link:
        folder.require_vacant("lent")
        file = folder.path / f"{link_mark(link)}.pending"
        file.touch(mode=0o600)
        file.write_text(text)
        async with connecting(folder, link) as signer:
            assert await signs(signer)
    assert (pending(folder), folder.names()) == ([], ("lent",))


async def test_what_goes_wrong_later_changes_nothing_of_what_is_kept(
    folder: KeyFolder, tmp_path: Path
) -> None:
    async with met() as url, lent(tmp_path, url) as link:
        with pytest.raises(BunkerError, match="dated in the future"):
            async with connecting(folder, link) as signer:
                await signer.sign(Draft(int(time.time()) + 9_999, 1, (), "text"))
        assert session_of_link(folder, link) is not None
        with pytest.raises(NoSigner, match="closed"):
            await signs(signer)


async def test_where_the_signer_moves_to_is_kept(folder: KeyFolder, tmp_path: Path) -> None:
    """NIP-46, "Switching relays"."""
    async with met() as old, met() as new, lent(tmp_path, old, new) as link:
        async with connecting(folder, replace(link, relays=(old,))) as signer:
            assert await signs(signer)
        assert bunker_session(folder.entry("lent")).relays == (old, new)
