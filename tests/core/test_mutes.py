"""Mute lists (NIP-51, kind 10000) and what they say of an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from nostr_threads.core.kinds import MUTE_LIST
from nostr_threads.core.mutes import Mutes, mutes_of
from tests.core.invented import answer, hex_of, invented
from tests.core.strategies import event, events

if TYPE_CHECKING:
    from nostr_threads.core.event import Event


def listed(*tags: tuple[str, ...]) -> Mutes:
    return mutes_of(event(MUTE_LIST, tags))


def reason(text: str, mutes: Mutes, *tags: tuple[str, ...]) -> str | None:
    return mutes.reason(event(1, tags, content=text))


def test_the_public_part_of_a_list_is_read() -> None:
    found = listed(
        ("p", hex_of("rude")), ("e", hex_of("note")), ("t", "Spam"), ("word", "Airdrop ")
    )
    assert found == Mutes(
        frozenset({hex_of("rude")}),
        frozenset({hex_of("note")}),
        frozenset({"spam"}),
        frozenset({"airdrop"}),
    )


def test_what_is_no_entry_is_passed_over() -> None:
    assert listed(("p", "x"), ("e",), ("t", ""), ("word", " "), ("word", "x" * 101), ()) == Mutes()


def test_of_too_many_words_the_newest_count() -> None:
    """NIP-51: new items are appended."""
    found = listed(*(("word", f"word{number}") for number in range(1500)))
    assert len(found.words) == 1000
    assert "word1499" in found.words


@given(events, events)
def test_no_list_and_no_event_raise(made: Event, other: Event) -> None:
    assert Mutes().reason(other) is None
    mutes_of(made).reason(other)


def test_each_reason_is_told() -> None:
    root, leaf = invented("root"), answer("leaf", "root", by="bob")
    assert Mutes(authors=frozenset({hex_of("bob")})).reason(leaf) == "its author is muted"
    threads = Mutes(threads=frozenset({root.id}))
    assert threads.reason(root) == threads.reason(leaf) == "its thread is muted"
    assert threads.reason(invented("other")) is None


@pytest.mark.parametrize(
    ("text", "tag", "muted"),
    [
        ("x", ("t", "SPAM"), True),
        ("all #Spam!", ("t", "x"), True),
        ("spam", ("t", "x"), False),
        ("#spammer", ("t",), False),
    ],
)
def test_a_hashtag_is_muted_in_tags_and_text(text: str, tag: tuple[str, ...], muted: bool) -> None:
    mutes = Mutes(hashtags=frozenset({"spam"}))
    assert reason(text, mutes, tag) == ("it has the muted hashtag #spam" if muted else None)


@pytest.mark.parametrize(
    ("word", "text", "muted"),
    [
        ("ass", "An ASS, he said", True),
        ("ass", "a class", False),
        ("buy now", "Buy now!", True),
        ("c++", "use C++ today", True),
        ("空投", "免费空投活动", True),
    ],
)
def test_a_word_is_muted_where_it_stands_as_a_word(word: str, text: str, muted: bool) -> None:
    found = reason(text, Mutes(words=frozenset({word})))
    assert found == ("it has a muted word" if muted else None)
