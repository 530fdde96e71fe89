"""Articles (NIP-23), the notes that link them, and when a text becomes one."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.article import (
    Form,
    choose_form,
    draft_article,
    linking_note,
    linking_text,
)
from nostr_threads.core.compose import MAX_NOTIFIED, Extras, Target
from nostr_threads.core.content import Hint
from nostr_threads.core.front_matter import FrontMatter
from nostr_threads.core.nip19 import Address, EventPointer, PublicKey, decode, encode
from nostr_threads.core.references import Relation, references
from nostr_threads.errors import InvalidInput, InvalidText
from nostr_threads.testing import START, Author
from tests.core.invented import hex_of

if TYPE_CHECKING:
    from nostr_threads.core.event import Draft, Verified

ALICE, BOB = Author(1), Author(2)
RELAY = "wss://relay.example"
ABOUT = {field.name for field in fields(FrontMatter)}
TEXT = "# On taste\n\nOne  two\\\nthree."


def drafted(text: str = TEXT, **more: Any) -> Draft:
    told: dict[str, Any] = {"identifier": "on-taste", "title": "On taste"} | {
        name: more.pop(name) for name in ABOUT & more.keys()
    }
    given: dict[str, Any] = {"author": ALICE.pubkey, "created_at": START} | more
    return draft_article(text, FrontMatter(**told), **given)


def tags(event: Draft | Verified, *names: str) -> list[tuple[str, ...]]:
    return [tag for tag in event.tags if tag[0] in names]


def test_an_article_is_its_markdown_and_what_is_known_of_it() -> None:
    draft = drafted(summary="What one\nlikes", image="https://example.com/a.png")
    assert (draft.kind, draft.created_at, draft.content) == (kinds.ARTICLE, START, TEXT)
    assert draft.tags == (
        ("d", "on-taste"),
        ("title", "On taste"),
        ("summary", "What one likes"),
        ("image", "https://example.com/a.png"),
        ("published_at", str(START)),
    )


def test_what_is_not_known_has_no_tag() -> None:
    assert drafted(title="").tags == (("d", "on-taste"), ("published_at", str(START)))


def test_front_matter_is_not_published() -> None:
    assert drafted(f"---\ntitle: x\n---\n\n{TEXT}").content == TEXT


def test_topics_are_those_given_and_those_of_the_text_once_each() -> None:
    draft = drafted("about #Wine and #food", hashtags=("#Food", " ", "Red Wine"))
    assert tags(draft, "t") == [("t", "food"), ("t", "red wine"), ("t", "wine")]


def test_who_and_what_is_mentioned_is_tagged() -> None:
    """NIP-18, NIP-27."""
    event = EventPointer(hex_of("note"), (RELAY,), hex_of("carol"))
    text = f"nostr:{encode(PublicKey(BOB.pubkey))} on nostr:{encode(event)}"
    draft = drafted(text, hints={BOB.pubkey: Hint(RELAY)})
    assert tags(draft, "p") == [("p", BOB.pubkey, RELAY), ("p", hex_of("carol"))]
    assert tags(draft, "q") == [("q", hex_of("note"), RELAY, hex_of("carol"))]
    assert tags(draft, "e", "a") == []


def test_an_article_calls_no_crowd_and_not_its_author() -> None:
    people = [ALICE.pubkey, *(hex_of(str(number)) for number in range(200))]
    text = " ".join(f"nostr:{encode(PublicKey(person))}" for person in people)
    called = tags(drafted(text), "p")
    assert len(called) <= MAX_NOTIFIED
    assert ("p", ALICE.pubkey) not in called


def test_an_article_can_be_warned_of_end_and_be_protected() -> None:
    draft = drafted(extras=Extras("unused", "spoilers", START + 9, protected=True))
    assert draft.tags[-3:] == (
        ("content-warning", "spoilers"),
        ("expiration", str(START + 9)),
        ("-",),
    )
    assert tags(draft, "subject") == []


def test_an_edit_keeps_the_date_of_publication_and_comes_later() -> None:
    first = ALICE.sign(drafted(published_at=START - 50))
    edited = drafted("new", created_at=START - 10, published_at=START, previous=first)
    assert edited.created_at == START + 1
    assert tags(edited, "d", "published_at") == tags(first, "d", "published_at")
    assert tags(edited, "published_at") == [("published_at", str(START - 50))]
    assert kinds.address_of(ALICE.sign(edited)) == kinds.address_of(first)


@pytest.mark.parametrize("said", ["", "yesterday", "-5", "9" * 5000, "\u0663"])
def test_a_version_that_has_no_usable_date_was_published_when_it_was_written(said: str) -> None:
    old = ALICE.event(kinds.ARTICLE, "x", tags=(("d", "on-taste"), ("published_at", said)))
    edited = drafted(created_at=START + 500, previous=old)
    assert tags(edited, "published_at") == [("published_at", str(START))]


@pytest.mark.parametrize(
    "other", [BOB.article("on-taste", "x"), ALICE.article("other", "x"), ALICE.note("x")]
)
def test_only_a_version_of_the_same_article_is_replaced(other: Verified) -> None:
    with pytest.raises(InvalidInput):
        drafted(previous=other)


@pytest.mark.parametrize("identifier", ["", "x" * 256, "ü" * 128])
def test_an_identifier_that_no_code_carries_is_refused(identifier: str) -> None:
    with pytest.raises(InvalidInput):
        drafted(identifier=identifier)


@pytest.mark.parametrize("text", ["", " \n", "---\ntitle: x\n---\n"])
def test_an_article_has_a_text(text: str) -> None:
    with pytest.raises(InvalidText):
        drafted(text)


# The note that links it


def test_the_link_is_title_summary_and_code_with_relays() -> None:
    article = drafted(summary="What one likes")
    text = linking_text(article, author=ALICE.pubkey, relays=(f"wss://{'x' * 300}", RELAY))
    title, summary, code = text.split("\n\n")
    assert (title, summary) == ("On taste", "What one likes")
    assert decode(code) == Address(kinds.ARTICLE, ALICE.pubkey, "on-taste", (RELAY,))


def test_the_link_answers_in_the_place_of_the_article() -> None:
    question = BOB.note("question")
    note = ALICE.sign(linked(drafted(), Target(question, RELAY)))
    refs = references(note)
    assert (note.kind, refs.relation) == (kinds.NOTE, Relation.REPLY)
    assert refs.parent is not None
    assert refs.parent.id == question.id
    assert tags(note, "q") == [("q", f"30023:{ALICE.pubkey}:on-taste", RELAY)]
    assert tags(note, "p") == [("p", BOB.pubkey)]


def test_the_link_below_an_article_is_a_comment_with_one_parent() -> None:
    """NIP-22."""
    essay = BOB.article("essay", "x")
    note = linked(drafted(), Target(essay, RELAY))
    assert note.kind == kinds.COMMENT
    assert tags(note, "a") == [("a", f"30023:{BOB.pubkey}:essay", RELAY)]


def linked(article: Draft, target: Target | None = None) -> Draft:
    return linking_note(
        article, author=ALICE.pubkey, created_at=START + 1, target=target, relays=(RELAY,)
    )


@given(
    st.text(st.characters(codec="utf-8"), max_size=300),
    st.text(st.characters(codec="utf-8"), max_size=2000),
    st.integers(200, 2000),
)
def test_a_link_is_as_short_as_asked_and_its_code_whole(title: str, said: str, most: int) -> None:
    article = drafted(title=title, summary=said)
    text = linking_text(article, author=ALICE.pubkey, relays=(RELAY,), most=most)
    assert len(text) <= most
    code = text.rpartition("\n\n")[2]
    assert decode(code) == Address(kinds.ARTICLE, ALICE.pubkey, "on-taste", (RELAY,))


# Which form


@pytest.mark.parametrize(
    ("text", "parts", "form", "why"),
    [
        ("x", 1, Form.NOTE, "it fits one note"),
        ("x", 2, Form.THREAD, "it takes 2 parts"),
        ("x", 8, Form.THREAD, "it takes 8 parts"),
        ("x", 14, Form.ARTICLE, "it would take 14 parts; articles hold any length"),
        ("---\ntitle: x\n---\nx", 1, Form.ARTICLE, "it begins with a front matter"),
    ],
)
def test_a_form_is_chosen_by_length_and_says_why(
    text: str, parts: int, form: Form, why: str
) -> None:
    chosen, said = choose_form(text, parts)
    assert chosen is form
    assert said.startswith(why)
