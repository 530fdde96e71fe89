"""The book of a remote signer in a file: sealed for its owner, whole or not at all."""

from __future__ import annotations

import asyncio
import stat
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.errors import NoSigner, SigningError
from nostr_threads.signing import (
    KeySigner,
    ReadOnlySigner,
    new_secret,
    private_file,
    secret_from_hex,
)
from nostr_threads.signing.book import Book, Client
from nostr_threads.signing.bookfile import FileKeeper, _book, _fields
from nostr_threads.signing.policy import Policy
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
    return sorted(path.name for path in folder.iterdir())


async def test_it_is_kept_in_a_file_that_tells_nobody_anything(tmp_path: Path) -> None:
    path = tmp_path / "work.clients"
    keeper = FileKeeper(path, ALICE)
    empty = await keeper.read()
    assert (empty.clients, empty.relays) == ({}, ())
    assert names_in(tmp_path) == []
    book = Book(
        marked(),
        ("wss://a.example",),
        {"a": Client("a", Policy(), "a bot")},
        {"let me in": Policy(ask=True)},
    )
    assert await keeper.change(lambda _: book) == book
    assert await FileKeeper(path, ALICE).read() == book
    await keeper.change(lambda _: Book(marked()))
    assert await FileKeeper(path, ALICE).read() == Book(marked())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert leaks(path.read_text()) == []
    assert names_in(tmp_path) == ["work.clients", "work.lock"]


async def test_the_key_of_a_new_book_stays_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "work.clients"
    first, second = FileKeeper(path, ALICE), FileKeeper(path, ALICE)
    await first.read()
    await second.read()
    kept = await first.change(lambda book: book)
    assert (await second.change(lambda book: book)).own == kept.own


async def test_what_another_process_has_changed_is_seen_at_once_and_never_lost(
    tmp_path: Path,
) -> None:
    path = tmp_path / "work.clients"
    first, second = FileKeeper(path, ALICE), FileKeeper(path, ALICE)
    await first.change(lambda book: book.letting_in(Client("a", Policy())))
    assert set((await second.read()).clients) == {"a"}

    async def let_in(keeper: FileKeeper, names: str) -> None:
        for name in names:
            client = Client(name, Policy())
            await keeper.change(partial(Book.letting_in, client=client))

    await asyncio.gather(let_in(first, "bcdefg"), let_in(second, "hijklm"))
    assert set((await first.read()).clients) == set("abcdefghijklm")
    await second.change(lambda book: book.forgetting("a"))
    assert "a" not in (await first.read()).clients


async def test_a_change_that_fails_keeps_nothing_and_lets_go(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path / "work.clients", ALICE)

    def fail(_: Book) -> Book:
        raise SigningError("no")

    for _ in range(2):
        with pytest.raises(SigningError, match="no"):
            await keeper.change(fail)
    assert names_in(tmp_path) == ["work.lock"]


async def test_one_who_holds_it_for_ever_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nostr_threads.signing.bookfile._PATIENCE", 0.1)
    keeper = FileKeeper(tmp_path / "work.clients", ALICE)
    with private_file.Lock(tmp_path / "work.lock") as lock:
        assert lock.acquire()
        with pytest.raises(SigningError, match=r"does not let go of .*work\.clients"):
            await keeper.change(lambda book: book)
    await keeper.change(lambda book: book)


async def test_a_book_that_is_gone_lets_in_nobody(tmp_path: Path) -> None:
    path = tmp_path / "work.clients"
    keeper = FileKeeper(path, ALICE)
    await keeper.change(lambda book: book.letting_in(Client("a", Policy())))
    path.unlink()
    assert (await keeper.read()).clients == {}


@pytest.mark.parametrize("text", ["", "nonsense", "A" * 132])
async def test_a_damaged_file_is_refused_by_its_path(tmp_path: Path, text: str) -> None:
    private_file.write(path := tmp_path / "work.clients", text, replace=False)
    with pytest.raises(SigningError, match=r"work\.clients is damaged"):
        await FileKeeper(path, ALICE).read()


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"own":"x"}', '{"own":1,"clients":[],"invitations":[]}']
)
async def test_what_is_no_book_is_refused_too(tmp_path: Path, text: str) -> None:
    sealed = await ALICE.nip44_encrypt(ALICE.public_key, text)
    private_file.write(path := tmp_path / "work.clients", sealed, replace=False)
    with pytest.raises(SigningError):
        await FileKeeper(path, ALICE).read()


async def test_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "work.clients"
    await FileKeeper(path, ALICE).change(lambda _: Book(marked()))
    with pytest.raises(SigningError, match="another key"):
        await FileKeeper(path, KeySigner(new_secret())).read()
    path.chmod(0o644)
    with pytest.raises(SigningError, match="chmod 600"):
        await FileKeeper(path, ALICE).read()


async def test_a_key_that_does_not_encrypt_keeps_no_book(tmp_path: Path) -> None:
    keeper = FileKeeper(tmp_path / "work.clients", ReadOnlySigner(ALICE.public_key))
    with pytest.raises(NoSigner, match="cannot encrypt"):
        await keeper.change(lambda _: Book(marked()))
    assert names_in(tmp_path) == ["work.lock"]
