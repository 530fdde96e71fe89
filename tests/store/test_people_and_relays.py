"""The contract of what the store remembers of people and relays: questions, records, documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.routing import Record
from tests.store.events import ALICE, BOB, CAROL, NOW

if TYPE_CHECKING:
    from nostr_threads.store.base import Store

ONE, TWO = "wss://one.example", "wss://two.example"


def test_nobody_was_asked_about_yet(store: Store) -> None:
    assert store.people_asked([ALICE, BOB]) == {}
    assert store.people_asked([]) == {}


def test_the_last_question_counts(store: Store) -> None:
    store.note_people_asked([ALICE, BOB], now=NOW)
    store.note_people_asked([BOB, BOB], now=NOW + 5)
    store.note_people_asked([], now=NOW + 9)
    assert store.people_asked([BOB, CAROL, ALICE]) == {ALICE: NOW, BOB: NOW + 5}


def test_more_people_than_a_statement_has_variables(store: Store) -> None:
    people = [f"{number:064x}" for number in range(1201)]
    store.note_people_asked(people, now=NOW)
    assert store.people_asked(people) == dict.fromkeys(people, NOW)


def test_a_relay_has_no_record_until_it_did_something(store: Store) -> None:
    store.add([], relay=ONE, now=NOW)
    store.keep_relay_document(TWO, "{}", now=NOW)
    assert store.relay_records() == {}


def test_each_outcome_is_a_hit_or_a_miss(store: Store) -> None:
    store.record_relays({ONE: True, TWO: False})
    assert store.relay_records() == {ONE: Record(1.0, 0.0), TWO: Record(0.0, 1.0)}


def test_old_outcomes_fade_with_each_new_one(store: Store) -> None:
    for hit in (True, False, True):
        store.record_relays({ONE: hit})
    store.record_relays({TWO: True})
    records = store.relay_records()
    assert records[ONE].hits == pytest.approx(0.98**2 + 1)
    assert records[ONE].misses == pytest.approx(0.98)
    assert records[TWO] == Record(1.0, 0.0)


def test_a_document_is_kept_with_its_time_until_the_next(store: Store) -> None:
    assert store.relay_document(ONE) is None
    store.keep_relay_document(ONE, '{"name":"one \\u0000 😀"}', now=NOW)
    assert store.relay_document(ONE) == ('{"name":"one \\u0000 😀"}', NOW)
    assert store.relay_document(TWO) is None
    store.keep_relay_document(ONE, "", now=NOW + 1)
    assert store.relay_document(ONE) == ("", NOW + 1)
