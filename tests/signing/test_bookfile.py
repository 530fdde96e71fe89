"""The book of a remote signer in a file: sealed for its owner, whole or not at all."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.errors import NoSigner, SigningError
from nostr_threads.signing import KeySigner, ReadOnlySigner, new_secret, secret_from_hex
from nostr_threads.signing.bookfile import _book, _fields, load_book, save_book
from nostr_threads.signing.policy import Policy
from nostr_threads.signing.remote_signer import Book, Client
from nostr_threads.testing import Author
from tests.signing.leaks import leaks, marked

if TYPE_CHECKING:
    from pathlib import Path

ALICE = KeySigner(secret_from_hex(Author(b"alice").secret_hex()))

policies = st.builds(
    Policy,
    kinds=st.none() | st.frozensets(st.integers(0, 65_535)),
    per_minute=st.integers(1, 1_000),
    until=st.none() | st.integers(0, 2**40),
    encryption=st.booleans(),
    ask=st.booleans(),
)
clients = st.builds(Client, st.text("0123456789abcdef"), policies, st.text(), st.integers(0, 2**40))
books = st.builds(
    Book,
    st.just(marked()),
    st.lists(st.text()).map(tuple),
    st.lists(clients, unique_by=lambda each: each.key).map(lambda all_: {c.key: c for c in all_}),
    st.dictionaries(st.text(), policies),
)


@settings(deadline=None)
@given(books)
def test_a_book_comes_back_as_it_was(book: Book) -> None:
    assert _book(_fields(book)) == book


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_it_is_kept_in_a_file_that_tells_nobody_anything(tmp_path: Path) -> None:
    path = tmp_path / "work.bunker"
    assert await load_book(path, ALICE) is None
    book = Book(
        marked(),
        ("wss://a.example",),
        {"a": Client("a", Policy(), "a bot")},
        {"let me in": Policy(ask=True)},
    )
    await save_book(path, book, ALICE)
    assert await load_book(path, ALICE) == book
    await save_book(path, Book(marked()), ALICE)
    assert await load_book(path, ALICE) == Book(marked())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert leaks(path.read_text()) == []
    assert names_in(tmp_path) == [path.name]


@pytest.mark.parametrize("text", ["", "nonsense", "A" * 132])
async def test_a_damaged_file_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "work.bunker"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SigningError, match=r"work\.bunker is damaged"):
        await load_book(path, ALICE)


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"own":"x"}', '{"own":1,"clients":[],"invitations":[]}']
)
async def test_what_is_no_book_is_refused_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "work.bunker"
    path.write_text(await ALICE.nip44_encrypt(ALICE.public_key, text))
    path.chmod(0o600)
    with pytest.raises(SigningError):
        await load_book(path, ALICE)


async def test_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "work.bunker"
    await save_book(path, Book(marked()), ALICE)
    with pytest.raises(SigningError, match="another key"):
        await load_book(path, KeySigner(new_secret()))
    path.chmod(0o644)
    with pytest.raises(SigningError, match="chmod 600"):
        await load_book(path, ALICE)


async def test_a_key_that_does_not_encrypt_keeps_no_book(tmp_path: Path) -> None:
    path = tmp_path / "work.bunker"
    with pytest.raises(NoSigner, match="cannot encrypt"):
        await save_book(path, Book(marked()), ReadOnlySigner(ALICE.public_key))
    assert names_in(tmp_path) == []
