from __future__ import annotations

import json
import os
import stat
import threading
from typing import IO, TYPE_CHECKING, Any

import pytest

from nostr_threads.errors import InvalidInput, NoSigner, SigningError, WrongPassword
from nostr_threads.signing import (
    KeyEntry,
    KeyFolder,
    KeySecurity,
    KeySigner,
    Kind,
    encrypt,
    keyfile,
    new_secret,
    private_file,
)
from tests.signing.leaks import MARKED_HEX, leaks, marked, whole_story

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nostr_threads.signing import SecretKey

PUBLIC_KEY = KeySigner(marked()).public_key


@pytest.fixture(autouse=True)
def careless_umask() -> Iterator[None]:
    """What the folder makes must be private even where everything else is open."""
    old = os.umask(0)
    yield
    os.umask(old)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "config" / "keys"


@pytest.fixture
def folder(home: Path) -> KeyFolder:
    folder = KeyFolder(home)
    folder.add("alice", marked(), "pw", log_n=1)
    return folder


def files(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_comes_back_as_it_was_added(folder: KeyFolder) -> None:
    assert folder.load("alice", "pw") == marked()


def test_adding_gives_the_public_key(home: Path) -> None:
    assert KeyFolder(home).add("alice", marked(), "pw", log_n=1) == PUBLIC_KEY


def test_the_public_key_needs_no_password(folder: KeyFolder) -> None:
    assert folder.public_key("alice") == PUBLIC_KEY


def test_a_wrong_password_does_not_load(folder: KeyFolder) -> None:
    with pytest.raises(WrongPassword):
        folder.load("alice", "no")


def test_the_security_flag_reaches_the_file(home: Path) -> None:
    """NIP-49: key security byte."""
    KeyFolder(home).add("alice", marked(), "pw", log_n=1, security=KeySecurity.INSECURE)
    assert keyfile._parse(read(home)["ncryptsec"]).security == b"\x00"


def test_names_are_listed_in_order_and_nothing_else_is(folder: KeyFolder, home: Path) -> None:
    for name in ("zoe", "bob", "0-a_b", "a" * 32):
        folder.add(name, new_secret(), "pw", log_n=1)
    folder.use("bob")
    for stray in ("notes.txt", "UPPER.ncryptsec", ".x.ncryptsec.0.tmp", "a b.ncryptsec"):
        (home / stray).write_text("")
    assert folder.names() == ("0-a_b", "a" * 32, "alice", "bob", "zoe")


def test_before_the_first_key_there_is_nothing_and_nothing_is_made(home: Path) -> None:
    folder = KeyFolder(home)
    assert (folder.names(), folder.current()) == ((), None)
    assert not home.exists()


def test_a_key_is_never_overwritten(folder: KeyFolder) -> None:
    with pytest.raises(SigningError, match="'alice' already"):
        folder.add("alice", new_secret(), "pw", log_n=1)
    assert folder.load("alice", "pw") == marked()


def test_of_many_who_add_the_same_name_at_once_one_succeeds(home: Path) -> None:
    folder, start, won = KeyFolder(home), threading.Barrier(8), []

    def add(secret: SecretKey) -> None:
        start.wait(10)
        try:
            folder.add("alice", secret, "pw", log_n=1)
        except SigningError:
            return
        won.append(secret)

    workers = [threading.Thread(target=add, args=(new_secret(),)) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)
    assert len(won) == 1
    assert folder.load("alice", "pw") == won[0]
    assert files(home) == ["alice.ncryptsec"]


BAD_NAMES = ["", "A", "-a", "_a", "a" * 33, "a.b", "../a", "a/b", "a\n", "ä", "a\0", MARKED_HEX]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_be_a_path_or_a_secret_is_refused_unseen(
    folder: KeyFolder, name: str
) -> None:
    for attempt in (
        lambda: folder.add(name, marked(), "pw", log_n=1),
        lambda: folder.load(name, "pw"),
        lambda: folder.public_key(name),
        lambda: folder.use(name),
    ):
        with pytest.raises(InvalidInput) as caught:
            attempt()
        assert leaks(whole_story(caught.value)) == []


def test_an_unknown_name_is_named(folder: KeyFolder) -> None:
    for attempt in (
        lambda: folder.load("bob", "pw"),
        lambda: folder.public_key("bob"),
        lambda: folder.use("bob"),
    ):
        with pytest.raises(NoSigner, match="'bob'"):
            attempt()


def test_the_current_key_is_the_one_last_used(folder: KeyFolder, home: Path) -> None:
    folder.add("bob", new_secret(), "pw", log_n=1)
    assert folder.current() is None
    for name in ("alice", "bob"):
        folder.use(name)
        assert KeyFolder(home).current() == name
    assert files(home) == ["alice.ncryptsec", "bob.ncryptsec", "current"]


@pytest.mark.parametrize("text", ["", "../alice", "Alice", "alice bob", "\0", "x" * 5000])
def test_a_damaged_current_file_is_refused(folder: KeyFolder, home: Path, text: str) -> None:
    folder.use("alice")
    (home / "current").write_text(text)
    with pytest.raises(SigningError, match="current"):
        folder.current()


# Files and permissions


def read(home: Path) -> dict[str, str]:
    fields: dict[str, str] = json.loads((home / "alice.ncryptsec").read_text())
    return fields


def write(home: Path, **fields: object) -> None:
    (home / "alice.ncryptsec").write_text(json.dumps({**read(home), **fields}))


def test_folder_and_files_are_for_their_owner_only(folder: KeyFolder, home: Path) -> None:
    folder.use("alice")
    assert mode(home) == 0o700
    assert mode(home / "alice.ncryptsec") == mode(home / "current") == 0o600


def test_a_file_is_private_before_its_first_byte(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """Product, Trust: 0600 from the first byte."""
    modes: list[int] = []
    real: Callable[..., IO[Any]] = os.fdopen

    def spy(descriptor: int, *args: Any, **named: Any) -> IO[Any]:
        status = os.fstat(descriptor)
        modes.append(stat.S_IMODE(status.st_mode))
        assert status.st_size == 0
        return real(descriptor, *args, **named)

    monkeypatch.setattr("os.fdopen", spy)
    KeyFolder(home).add("alice", marked(), "pw", log_n=1)
    assert modes == [0o600]


@pytest.mark.usefixtures("folder")
def test_the_file_holds_nothing_that_opens_without_the_password(home: Path) -> None:
    assert sorted(read(home)) == ["ncryptsec", "public_key"]
    assert leaks((home / "alice.ncryptsec").read_text()) == []


@pytest.mark.parametrize("bits", [0o040, 0o020, 0o004, 0o002, 0o001, 0o066])
def test_a_key_file_that_others_can_read_is_refused_with_the_remedy(
    folder: KeyFolder, home: Path, bits: int
) -> None:
    path = home / "alice.ncryptsec"
    path.chmod(0o600 | bits)
    for attempt in (lambda: folder.load("alice", "pw"), lambda: folder.public_key("alice")):
        with pytest.raises(SigningError, match=f"chmod 600 {path}"):
            attempt()
    path.chmod(0o600)
    assert folder.load("alice", "pw") == marked()


@pytest.mark.parametrize("bits", [0o020, 0o002, 0o077])
def test_a_folder_that_others_can_write_to_is_refused_with_the_remedy(
    folder: KeyFolder, home: Path, bits: int
) -> None:
    folder.use("alice")
    home.chmod(0o700 | bits)
    for attempt in (
        lambda: folder.load("alice", "pw"),
        lambda: folder.add("bob", new_secret(), "pw", log_n=1),
        folder.current,
    ):
        with pytest.raises(SigningError, match=f"chmod 700 {home}"):
            attempt()


def test_a_file_whose_public_key_was_exchanged_does_not_load(folder: KeyFolder, home: Path) -> None:
    write(home, public_key=KeySigner(new_secret()).public_key)
    with pytest.raises(SigningError, match="another public key") as caught:
        folder.load("alice", "pw")
    assert leaks(whole_story(caught.value, show_locals=True)) == []


def test_a_file_whose_secret_was_exchanged_does_not_load(folder: KeyFolder, home: Path) -> None:
    write(home, ncryptsec=encrypt(new_secret(), "pw", log_n=1))
    with pytest.raises(SigningError, match="another public key"):
        folder.load("alice", "pw")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b'"' + b"x" * 9999,
        b"\xff\xfe",
        b"[" * 4000,
        b'{"public_key": "00", "ncryptsec": "ncryptsec1"}',
        b'{"public_key": 1, "ncryptsec": 2}',
        json.dumps({"public_key": PUBLIC_KEY}).encode(),
        json.dumps({"public_key": PUBLIC_KEY, "ncryptsec": None}).encode(),
    ],
)
def test_a_damaged_file_is_refused_by_its_path(
    folder: KeyFolder, home: Path, content: bytes
) -> None:
    (home / "alice.ncryptsec").write_bytes(content)
    for attempt in (lambda: folder.load("alice", "pw"), lambda: folder.public_key("alice")):
        with pytest.raises(SigningError, match=r"alice\.ncryptsec"):
            attempt()


def test_a_damaged_code_in_a_good_file_is_refused(folder: KeyFolder, home: Path) -> None:
    write(home, ncryptsec=read(home)["ncryptsec"][:-1])
    assert folder.public_key("alice") == PUBLIC_KEY
    with pytest.raises(SigningError, match="damaged"):
        folder.load("alice", "pw")


@pytest.mark.parametrize("where", ["fsync", "link"])
def test_a_full_disk_leaves_no_file_behind(
    monkeypatch: pytest.MonkeyPatch, home: Path, where: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"os.{where}", fail)
    with pytest.raises(SigningError, match="No space left") as caught:
        KeyFolder(home).add("alice", marked(), "pw", log_n=1)
    assert files(home) == []
    assert leaks(whole_story(caught.value, show_locals=True)) == []


def test_a_failed_change_keeps_the_current_key(
    monkeypatch: pytest.MonkeyPatch, folder: KeyFolder
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    folder.add("bob", new_secret(), "pw", log_n=1)
    folder.use("alice")
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", fail)
        with pytest.raises(SigningError, match="No space left"):
            folder.use("bob")
    assert folder.current() == "alice"


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    place = tmp_path / "keys"
    place.write_text("")
    folder = KeyFolder(place)
    with pytest.raises(SigningError, match="keys"):
        folder.add("alice", marked(), "pw", log_n=1)
    with pytest.raises(SigningError, match="keys"):
        folder.names()


def test_a_folder_in_the_place_of_a_key_is_said(folder: KeyFolder, home: Path) -> None:
    (home / "bob.ncryptsec").mkdir()
    with pytest.raises(SigningError, match="bob"):
        folder.public_key("bob")


def test_where_mode_bits_mean_nothing_keys_are_kept_all_the_same(
    monkeypatch: pytest.MonkeyPatch, folder: KeyFolder, home: Path
) -> None:
    monkeypatch.setattr(private_file, "_POSIX", False)
    (home / "alice.ncryptsec").chmod(0o666)
    folder.add("bob", new_secret(), "pw", log_n=1)
    folder.use("bob")
    assert folder.load("alice", "pw") == marked()
    assert folder.names() == ("alice", "bob")


def test_an_encrypted_key_is_kept_as_it_came(home: Path) -> None:
    """One that was hard to guess stays so."""
    code = encrypt(marked(), "pw", log_n=3, security=KeySecurity.SECURE)
    folder = KeyFolder(home)
    assert folder.add_encrypted("alice", code, "pw") == PUBLIC_KEY
    assert folder.ncryptsec("alice") == code
    with pytest.raises(WrongPassword):
        folder.add_encrypted("bob", code, "no")
    assert folder.names() == ("alice",)


def test_another_password_makes_nothing_easier_to_guess(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyfile, "DEFAULT_LOG_N", 2)
    folder = KeyFolder(home)
    for before, asked, after in ((1, None, 2), (3, None, 3), (3, 1, 1)):
        name = f"key{before}{after}"
        folder.add(name, marked(), "pw", log_n=before, security=KeySecurity.SECURE)
        folder.change_password(name, "pw", "other", log_n=asked)
        assert keyfile.hardness(folder.ncryptsec(name)) == (after, KeySecurity.SECURE)
        assert folder.load(name, "other") == marked()


def test_a_key_that_is_removed_is_chosen_no_more(folder: KeyFolder, home: Path) -> None:
    folder.use("alice")
    folder.remove("alice")
    assert folder.current() is None
    assert files(home) == []


def test_one_of_each_kind_cannot_have_one_name(folder: KeyFolder, home: Path) -> None:
    entry = KeyEntry(Kind.NOWHERE, PUBLIC_KEY)
    with pytest.raises(SigningError, match="not overwritten"):
        folder.put("alice", entry)
    # Also when the other came in the meantime.
    with pytest.raises(SigningError, match="not overwritten"):
        folder._write(home / "alice.signer", {"kind": "nowhere"}, replace=False)
    assert files(home) == ["alice.ncryptsec"]


@pytest.mark.parametrize(
    "public_key", ["", "nonsense", "f" * 64, PUBLIC_KEY.upper(), MARKED_HEX[1:]]
)
def test_what_has_no_public_key_is_not_kept(folder: KeyFolder, home: Path, public_key: str) -> None:
    """A plugin, or a bunker, may say anything."""
    folder.put("bob", KeyEntry(Kind.PLUGIN, PUBLIC_KEY))
    entry = KeyEntry(Kind.PLUGIN, public_key)
    for attempt, name in ((folder.put, "eve"), (folder.change, "bob")):
        with pytest.raises(SigningError, match="no valid public key") as caught:
            attempt(name, entry)
        assert leaks(str(caught.value)) == []
    assert files(home) == ["alice.ncryptsec", "bob.signer"]
    assert folder.public_key("bob") == PUBLIC_KEY


def test_a_damaged_choice_does_not_keep_a_key_from_being_removed(
    folder: KeyFolder, home: Path
) -> None:
    folder.use("alice")
    (home / "current").write_text("../alice")
    folder.remove("alice")
    assert files(home) == ["current"]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.PASSWORD])
def test_a_key_that_is_elsewhere_is_told_to_be_there(folder: KeyFolder, kind: Kind) -> None:
    folder.put("bob", KeyEntry(kind, PUBLIC_KEY))
    with pytest.raises(NoSigner, match="there is no file with the key 'bob': it is "):
        folder.ncryptsec("bob")


def test_an_error_names_the_file_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, folder: KeyFolder, home: Path
) -> None:
    real = os.open

    def fail(path: Any, flags: int, *more: Any) -> int:
        if str(path).endswith(".tmp"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, flags, *more)

    monkeypatch.setattr("os.open", fail)
    for attempt, name in (
        (lambda: folder.add("bob", marked(), "pw", log_n=1), "bob.ncryptsec"),
        (lambda: folder.put("bob", KeyEntry(Kind.NOWHERE, PUBLIC_KEY)), "bob.signer"),
        (lambda: folder.use("alice"), "current"),
    ):
        with pytest.raises(SigningError) as caught:
            attempt()
        assert str(caught.value) == f"cannot use {home / name}: Permission denied"


@pytest.mark.parametrize("kind", ["elsewhere", "password", None, 7, [], {}, ["bunker"]])
def test_a_place_that_nobody_knows_is_damage(folder: KeyFolder, home: Path, kind: object) -> None:
    folder.put("bob", KeyEntry(Kind.NOWHERE, PUBLIC_KEY))
    (home / "bob.signer").write_text(json.dumps({"kind": kind, "public_key": PUBLIC_KEY}))
    with pytest.raises(SigningError, match=r"bob\.signer is not a key file"):
        folder.entry("bob")
