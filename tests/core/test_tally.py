"""Reactions, reposts and zaps are counted once a person, and only while they stand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import Verified
from nostr_threads.core.tally import Tally, tallies
from tests.core.invented import START, hex_of, invented

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

NOTE = hex_of("note")
ADDRESS = f"30023:{hex_of('alice')}:essay"


def liked(name: str, said: str = "+", *tags: tuple[str, ...], by: str = "bob") -> Verified:
    """A reaction to `NOTE`, or to what the tags say."""
    made = invented(name, *(tags or (("e", NOTE),)), kind=7, by=by, content="+")
    return Verified(replace(made, content=said))


def reactions(*events: Verified, key: str = NOTE) -> Mapping[str, int]:
    return tallies(events).get(key, Tally()).reactions


def test_nothing_has_no_tally() -> None:
    assert tallies([]) == tallies([invented("note")]) == {}


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("+", "+"),
        ("", "+"),
        (" \n", "+"),
        ("-", "-"),
        ("🔥", "🔥"),
        ("👩🏽\u200d❤\ufe0f\u200d💋\u200d👩🏽", "👩🏽\u200d❤\ufe0f\u200d💋\u200d👩🏽"),
        (":star:", ":star:"),
        ("x" * 41, None),
        ("a\x1b[31m", None),
        ("two\nlines", None),
    ],
)
def test_a_reaction_counts_as_what_it_says(said: str, counted: str | None) -> None:
    """NIP-25: plus and nothing are a like; NIP-30 names an emoji."""
    assert reactions(liked("r", said)) == ({counted: 1} if counted else {})


def test_a_reaction_is_to_the_last_event_it_names() -> None:
    """NIP-25."""
    two = liked("r", "+", ("e", hex_of("other")), ("e", NOTE))
    assert tallies([two]) == {NOTE: Tally({"+": 1})}
    assert tallies([liked("r", "+", ("p", NOTE), ("e", "broken"))]) == {}


def test_a_person_counts_once_for_each_reaction() -> None:
    events = [liked("1"), liked("2", ""), liked("3", "🔥"), liked("4", by="cat"), liked("1")]
    assert reactions(*events) == {"+": 2, "🔥": 1}


def test_reposts_count_people_and_zaps_count_invoices() -> None:
    """NIP-18; NIP-57, where the receipt is the wallet's and holds the invoice."""
    reposts = [
        invented(f"{kind} {by}", ("e", NOTE), kind=kind, by=by)
        for kind in (6, 16)
        for by in ("bob", "cat")
    ]
    zaps = [
        invented(f"zap {number}", ("e", NOTE), ("bolt11", invoice), kind=9735, by="wallet")
        for number, invoice in enumerate(("one", "two", "one"))
    ]
    bare = invented("no invoice", ("e", NOTE), kind=9735)
    to_a_person = invented("to a person", ("p", hex_of("bob")), ("bolt11", "x"), kind=9735)
    found = tallies([*reposts, *zaps, bare, to_a_person])
    assert found == {NOTE: Tally({}, reposts=2, zaps=2)}


def test_an_article_has_one_tally_for_all_its_versions() -> None:
    old = invented("old", ("d", "essay"), kind=30023)
    new = invented("new", ("d", "essay"), kind=30023, at=START + 1)
    events = [
        liked("to the old", "+", ("e", old.id), by="a"),
        liked("to both", "+", ("e", new.id), ("a", ADDRESS), by="b"),
        liked("to the address", "+", ("a", ADDRESS), by="c"),
        liked("to one not here", "+", ("e", hex_of("lost")), ("a", ADDRESS), by="d"),
    ]
    found = tallies([old, new, *events])
    assert found[ADDRESS] == found[old.id] == found[new.id] == Tally({"+": 4})
    assert set(found) == {ADDRESS, old.id, new.id}


def test_an_address_that_was_copied_from_the_note_is_not_the_target() -> None:
    """Older clients copied the tags of the note they reacted to."""
    note = invented("note")
    copied = liked("r", "+", ("a", ADDRESS), ("e", note.id))
    assert set(tallies([note, copied])) == {note.id}


def test_what_is_deleted_or_expired_does_not_count() -> None:
    """NIP-09 by the same author only; NIP-40; NIP-62."""
    kept, gone = liked("kept", by="a"), liked("gone", by="b")
    late = liked("late", "+", ("e", NOTE), ("expiration", str(START)), by="c")
    vanished = liked("vanished", by="d")
    events = [
        *(kept, gone, late, vanished),
        invented("d1", ("e", gone.id), kind=5, by="b"),
        invented("d2", ("e", kept.id), kind=5, by="b"),
        invented("v", ("relay", "ALL_RELAYS"), kind=62, by="d"),
    ]
    assert tallies(events, now=START)[NOTE] == Tally({"+": 1})
    assert tallies(events)[NOTE] == Tally({"+": 2})


def test_only_the_most_frequent_of_too_many_reactions_are_told() -> None:
    spam = [liked(f"s{number}", f"x{number}", by="spam") for number in range(100)]
    honest = [liked(by, "🔥", by=by) for by in ("a", "b")]
    found = reactions(*spam, *honest)
    assert len(found) == 50
    assert next(iter(found.items())) == ("🔥", 2)


_few = st.sampled_from("abc")


@given(
    st.lists(
        st.tuples(
            _few.map(hex_of), _few.map(hex_of), st.sampled_from("+-x"), st.sampled_from((5, 6, 7))
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_events_never_matters(
    drawn: list[tuple[str, str, str, int]], random: Random
) -> None:
    made = [
        invented(str(number), ("e", target), kind=kind, by=by, content=said)
        for number, (target, by, said, kind) in enumerate(drawn)
    ]
    shuffled = [*made, *made[:2]]
    random.shuffle(shuffled)
    first, second = tallies(made), tallies(shuffled)
    assert first == second
    assert [list(t.reactions) for t in first.values()] == [
        list(second[key].reactions) for key in first
    ]
