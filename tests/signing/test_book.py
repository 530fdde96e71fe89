"""What a remote signer remembers: who is in, and who may still come in."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.signing.book import Book, Client
from nostr_threads.signing.policy import Policy
from tests.signing.leaks import leaks, marked

SECRETS = st.text(min_size=1, max_size=20)

policies = st.builds(Policy, per_minute=st.integers(1, 100), encryption=st.booleans())
clients = st.builds(Client, st.text("abc", min_size=1, max_size=2), policies, st.text(max_size=3))
books = st.builds(
    Book,
    st.just(marked()),
    st.lists(st.text(max_size=3)).map(tuple),
    st.lists(clients, max_size=4).map(lambda all_: {each.key: each for each in all_}),
    st.dictionaries(SECRETS, policies, max_size=3),
)


@given(books, SECRETS, policies)
def test_a_secret_is_good_for_what_it_was_given_for(
    book: Book, secret: str, policy: Policy
) -> None:
    invited = book.inviting(secret, policy)
    assert invited.invited(secret) == policy
    assert replace(invited, invitations=book.invitations) == book


@given(books, SECRETS, policies)
def test_an_invitation_that_nobody_used_is_void_with_the_next(
    book: Book, secret: str, policy: Policy
) -> None:
    invited = book.inviting(secret, policy)
    assert all(invited.invited(each) is None for each in book.invitations if each != secret)


@given(books, clients, SECRETS, policies)
def test_whoever_comes_in_uses_up_its_own_invitation_and_no_other(
    book: Book, client: Client, secret: str, policy: Policy
) -> None:
    book = replace(book, invitations={**book.invitations, secret: policy})
    after = book.letting_in(client, secret)
    assert after.invited(secret) is None
    assert after.clients[client.key] == client
    left = {each: its for each, its in book.invitations.items() if each != secret}
    assert after.invitations == left
    assert (after.own, after.relays) == (book.own, book.relays)


@given(books, clients)
def test_whoever_is_let_in_by_hand_uses_up_nothing(book: Book, client: Client) -> None:
    assert book.letting_in(client).invitations == book.invitations


@given(books, clients)
def test_to_forget_undoes_to_let_in(book: Book, client: Client) -> None:
    without = book.forgetting(client.key)
    assert client.key not in without.clients
    assert without.letting_in(client).forgetting(client.key) == without
    assert without.forgetting(client.key) == without
    others = {key: each for key, each in book.clients.items() if key != client.key}
    assert without.clients == others


@given(books, clients, policies)
def test_one_who_comes_again_takes_the_place_of_its_old_self(
    book: Book, client: Client, policy: Policy
) -> None:
    again = replace(client, policy=policy, since=7)
    after = book.letting_in(client).letting_in(again)
    assert after == book.letting_in(again)
    assert len(after.clients) == len(book.forgetting(client.key).clients) + 1


@given(books, clients, SECRETS, policies)
def test_a_book_that_somebody_holds_does_not_change(
    book: Book, client: Client, secret: str, policy: Policy
) -> None:
    held = dict(book.clients), dict(book.invitations), book.relays
    book.inviting(secret, policy)
    book.letting_in(client, secret)
    book.forgetting(client.key)
    assert (book.clients, book.invitations, book.relays) == held


@pytest.mark.parametrize("secret", ["", "let me", "let me in ", "LET ME IN", "let me ín", "\ud800"])
def test_a_secret_that_is_almost_right_is_wrong(secret: str) -> None:
    book = Book(marked(), invitations={"let me in": Policy()})
    assert book.invited(secret) is None
    assert book.letting_in(Client("a", Policy()), secret).invitations == book.invitations


def test_nothing_secret_is_in_its_repr() -> None:
    book = Book(marked(), ("wss://a",), {"c": Client("c", Policy())}, {"let me in": Policy()})
    assert leaks(repr(book)) == []
    assert "let me in" not in repr(book)
