"""Keys in the keyring of the system."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from keyring.backends import fail

from nostr_threads.app.signers import keep_in_keyring
from nostr_threads.core import nip19
from nostr_threads.core.event import Draft, verify
from nostr_threads.errors import NoSigner, SigningError
from nostr_threads.signing import KeyFolder, KeySigner, new_secret
from nostr_threads.signing.os_keyring import KeyringSigner, forget, is_there, keep, load
from nostr_threads.testing import START
from tests.signing.keyring_in_memory import Careless, Forgetful, Locked, system_keyring
from tests.signing.leaks import leaks, marked, whole_story

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBLIC_KEY = KeySigner(marked()).public_key
NO_KEYRING = fail.Keyring()  # type: ignore[no-untyped-call]


@pytest.fixture
def system() -> Iterator[Forgetful]:
    backend = Forgetful()
    with system_keyring(backend):
        yield backend


@pytest.mark.usefixtures("system")
async def test_a_key_that_was_kept_signs_and_encrypts() -> None:
    keep("alice", marked())
    signer = KeyringSigner("alice")
    assert signer.public_key == PUBLIC_KEY
    event = await signer.sign(Draft(int(START), 1, (), "hello"))
    assert verify(event).pubkey == PUBLIC_KEY
    payload = await signer.nip44_encrypt(PUBLIC_KEY, "text")
    assert await signer.nip44_decrypt(PUBLIC_KEY, payload) == "text"
    await signer.close()
    with pytest.raises(NoSigner, match="closed"):
        await signer.sign(Draft(int(START), 1, (), "hello"))


@pytest.mark.usefixtures("system")
def test_a_key_is_never_overwritten_and_can_be_forgotten() -> None:
    keep("alice", marked())
    with pytest.raises(SigningError, match="already"):
        keep("alice", new_secret())
    assert KeyringSigner("alice").public_key == PUBLIC_KEY
    forget("alice")
    forget("alice")
    with pytest.raises(NoSigner, match="no key called 'alice'"):
        KeyringSigner("alice")


def test_what_is_no_key_is_refused_unseen(system: Forgetful) -> None:
    system.kept["nostr-threads", "alice"] = "hunter2"
    with pytest.raises(SigningError, match="is no key") as caught:
        KeyringSigner("alice")
    assert "hunter2" not in whole_story(caught.value)


def test_a_keyring_that_says_no_is_an_error_without_its_words() -> None:
    locked = Locked()
    locked.kept["nostr-threads", "alice"] = marked().reveal()
    with system_keyring(locked):
        for attempt in (lambda: keep("alice", marked()), lambda: KeyringSigner("alice")):
            with pytest.raises(SigningError, match="KeyringLocked") as caught:
                attempt()
            assert leaks(str(caught.value)) == []
            assert caught.value.__suppress_context__


def test_what_a_keyring_has_mangled_is_taken_out_again(tmp_path: Path) -> None:
    class Short(Forgetful):
        def set_password(self, service: str, username: str, password: str) -> None:
            super().set_password(service, username, password[:20])

    folder, short = KeyFolder(tmp_path / "keys"), Short()
    with system_keyring(short):
        for _ in range(2):
            with pytest.raises(SigningError, match="did not keep the key"):
                keep_in_keyring(folder, "alice", marked())
    assert (short.kept, folder.names()) == ({}, ())


def test_a_keyring_that_keeps_nothing_has_no_key_of_ours(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    with system_keyring(Careless()), pytest.raises(SigningError, match="did not keep the key"):
        keep_in_keyring(folder, "alice", marked())
    assert folder.names() == ()


def test_whoever_had_the_name_in_the_keyring_keeps_it(system: Forgetful, tmp_path: Path) -> None:
    other = nip19.encode(new_secret())
    system.kept["nostr-threads", "alice"] = other
    folder = KeyFolder(tmp_path / "keys")
    with pytest.raises(SigningError, match="already"):
        keep_in_keyring(folder, "alice", marked())
    assert folder.names() == ()
    assert list(system.kept.values()) == [other]
    keep_in_keyring(folder, "bob", marked())
    with pytest.raises(SigningError, match="not overwritten"):
        keep_in_keyring(folder, "bob", new_secret())
    assert KeyringSigner("bob").public_key == PUBLIC_KEY


def test_a_system_without_a_keyring_says_so() -> None:
    with system_keyring(NO_KEYRING), pytest.raises(SigningError, match="has no keyring"):
        KeyringSigner("alice")


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keyring", "keyring.errors"):
        monkeypatch.setitem(sys.modules, name, None)
    for attempt in (lambda: keep("a", marked()), lambda: KeyringSigner("a"), lambda: forget("a")):
        with pytest.raises(SigningError, match=r"nostr-threads\[keyring\]"):
            attempt()


@pytest.mark.usefixtures("system")
def test_it_does_not_show_the_key() -> None:
    keep("alice", marked())
    assert repr(KeyringSigner("alice")) == f"KeyringSigner({PUBLIC_KEY})"


@pytest.mark.usefixtures("system")
def test_a_key_is_taken_out_as_it_was_put_in() -> None:
    keep("alice", marked())
    assert load("alice") == marked()
    with pytest.raises(NoSigner, match="no key called 'bob'"):
        load("bob")


def test_a_keyring_is_there_also_when_it_is_locked(monkeypatch: pytest.MonkeyPatch) -> None:
    for backend, expected in ((Forgetful(), True), (Locked(), True), (NO_KEYRING, False)):
        with system_keyring(backend):
            assert is_there() is expected
    for name in ("keyring", "keyring.backends"):
        monkeypatch.setitem(sys.modules, name, None)
    assert not is_there()
