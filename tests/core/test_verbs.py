"""Deletions, reactions, reposts and quotes, tag by tag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.answering import Target
from nostr_threads.core.compose import compose
from nostr_threads.core.event import Event, Verified
from nostr_threads.core.join import Part
from nostr_threads.core.nip19 import Address, EventPointer, decode
from nostr_threads.core.node import State
from nostr_threads.core.references import Relation, references
from nostr_threads.core.standing import Standing
from nostr_threads.core.verbs import MAX_DELETED, deletion, quote, reaction, repost
from nostr_threads.errors import InvalidInput
from nostr_threads.testing import START, Author

ALICE, BOB = Author(1), Author(2)
RELAY = "wss://relay.example"
NOTE = BOB.note("note")
ARTICLE = BOB.article("essay", "text")
ADDRESS = f"30023:{BOB.pubkey}:essay"


# NIP-09: deletions


def test_a_deletion_names_ids_addresses_and_kinds() -> None:
    other = BOB.note("other")
    (draft,) = deletion(
        [NOTE, other, ARTICLE, NOTE], author=BOB.pubkey, created_at=START + 9, reason="a mistake"
    )
    assert (draft.kind, draft.created_at, draft.content) == (5, START + 9, "a mistake")
    assert draft.tags == (
        ("e", NOTE.id),
        ("e", other.id),
        ("e", ARTICLE.id),
        ("a", ADDRESS),
        ("k", "1"),
        ("k", "30023"),
    )


@pytest.mark.parametrize("created_at", [START - 100, START + 100])
def test_what_was_asked_to_be_deleted_is(created_at: int) -> None:
    """An address is deleted up to the time of the request: a slow clock must not spare it."""
    events = [NOTE, ARTICLE, BOB.event(kinds.PROFILE, "{}")]
    drafts = deletion(events, author=BOB.pubkey, created_at=created_at)
    standing = Standing([BOB.sign(draft) for draft in drafts])
    assert [standing.verdict(event).state for event in events] == [State.DELETED] * 3


def test_many_events_take_several_requests() -> None:
    events = [BOB.note(str(number)) for number in range(2 * MAX_DELETED + 1)]
    drafts = deletion(events, author=BOB.pubkey, created_at=START)
    named = [tag[1] for draft in drafts for tag in draft.tags if tag[0] == "e"]
    assert (len(drafts), named) == (3, [event.id for event in events])
    assert max(len(draft.tags) for draft in drafts) <= 100


@pytest.mark.parametrize(
    "events", [[], [ALICE.note("hers")], [NOTE, ALICE.note("hers")], [BOB.deletion(NOTE)]]
)
def test_nothing_else_can_be_deleted(events: list[Verified]) -> None:
    with pytest.raises(InvalidInput):
        deletion(events, author=BOB.pubkey, created_at=START)


# NIP-25: reactions


def test_a_reaction_names_event_author_and_kind_with_hints() -> None:
    draft = reaction(Target(NOTE, RELAY), created_at=START)
    assert (draft.kind, draft.content) == (kinds.REACTION, "+")
    assert draft.tags == (
        ("e", NOTE.id, RELAY, BOB.pubkey),
        ("p", BOB.pubkey, RELAY),
        ("k", "1"),
    )


def test_a_reaction_to_an_article_names_its_address_too_and_the_id_last() -> None:
    draft = reaction(Target(ARTICLE), created_at=START, content="🤙🏽")
    assert draft.tags == (
        ("a", ADDRESS, "", BOB.pubkey),
        ("e", ARTICLE.id, "", BOB.pubkey),
        ("p", BOB.pubkey),
        ("k", "30023"),
    )
    refs = references(ALICE.sign(draft))
    assert refs.relation is Relation.REACTION
    assert refs.parent is not None
    assert refs.parent.id == ARTICLE.id


def test_a_custom_emoji_has_its_image() -> None:
    """NIP-30."""
    draft = reaction(
        Target(NOTE), created_at=START, content=" :soap_box: ", image="https://x.example/s.png"
    )
    assert draft.content == ":soap_box:"
    assert draft.tags[-1] == ("emoji", "soap_box", "https://x.example/s.png")


@pytest.mark.parametrize(
    ("content", "image"),
    [
        ("", ""),
        ("  ", ""),
        ("I agree", ""),
        ("x" * 21, ""),
        (":soapbox:", ""),
        (":soapbox:", "javascript:alert(1)"),
        (":soapbox:", "https://x.example/" + "x" * 3000),
        (":soap box:", "https://x.example/s.png"),
        ("+", "https://x.example/s.png"),
    ],
)
def test_what_is_no_reaction_is_refused(content: str, image: str) -> None:
    with pytest.raises(InvalidInput):
        reaction(Target(NOTE), created_at=START, content=content, image=image)


@given(st.sampled_from(["+", "-", "🤙", "👩‍👩‍👧‍👦", "1️⃣", "🇩🇪"]), st.integers(0, 65_535))
def test_any_event_can_be_reacted_to(content: str, kind: int) -> None:
    event = Event("a" * 64, BOB.pubkey, START, kind, (), "", "0" * 128)
    draft = reaction(Target(event, RELAY), created_at=START, content=content)
    found = references(Event("b" * 64, ALICE.pubkey, START, 7, draft.tags, content, "0" * 128))
    assert found.parent is not None
    assert found.parent.id == event.id


# NIP-18: reposts


def test_a_repost_of_a_note_carries_it_and_says_where_it_is() -> None:
    draft = repost(Target(NOTE, RELAY), created_at=START)
    assert draft.kind == kinds.REPOST
    assert draft.tags == (("e", NOTE.id, RELAY, BOB.pubkey), ("p", BOB.pubkey))
    assert Event.from_json(draft.content) == NOTE


def test_a_repost_of_anything_else_names_its_kind_and_address() -> None:
    draft = repost(Target(ARTICLE, RELAY), created_at=START)
    assert draft.kind == kinds.GENERIC_REPOST
    assert draft.tags[2:] == (("k", "30023"), ("a", ADDRESS, RELAY))
    assert Event.from_json(draft.content) == ARTICLE
    file = BOB.event(1063, "file")
    assert repost(Target(file, RELAY), created_at=START).tags[2:] == (("k", "1063"),)


def test_a_protected_event_is_not_carried_along() -> None:
    """NIP-70: reposts of protected events must not embed them."""
    secret = BOB.note("for members", tags=(("-",),))
    assert repost(Target(secret, RELAY), created_at=START).content == ""


def test_a_repost_without_a_relay_is_refused() -> None:
    with pytest.raises(InvalidInput):
        repost(Target(NOTE), created_at=START)


# NIP-18, NIP-27: quotes


def test_a_quote_has_the_code_below_it_and_becomes_a_tag() -> None:
    text = quote("so true\n", Target(NOTE, RELAY))
    words, code = text.split("\n\n")
    assert (words, decode(code)) == ("so true", EventPointer(NOTE.id, (RELAY,), BOB.pubkey, 1))
    (draft,) = compose([Part(1, 1, text)], author=ALICE.pubkey, created_at=START)
    assert draft.tags == (("p", BOB.pubkey), ("q", NOTE.id, RELAY, BOB.pubkey))


def test_an_article_is_quoted_by_its_address() -> None:
    text = quote("", Target(ARTICLE))
    assert decode(text) == Address(30023, BOB.pubkey, "essay")


@pytest.mark.parametrize("event", [NOTE, ARTICLE])
def test_what_is_quoted_already_is_not_quoted_twice(event: Verified) -> None:
    text = quote("see", Target(event, RELAY)) + "\n\nmore words"
    assert quote(text, Target(event)) == text
