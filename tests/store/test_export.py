"""What is exported: what a query gives, oldest first, whatever the stretches; and what is known."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.event import Event
from nostr_threads.core.filters import Filter
from nostr_threads.store import exporting
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import ALICE, BOB, NOW, THEN, UNKNOWN, article, deletion, made

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.core.event import Verified
    from nostr_threads.store.sql import SqlStore

RELAY = "wss://a.example"


def many(seed: int, number: int = 200) -> list[Verified]:
    """Notes and reactions of two people, several in a second, some seconds far from the others."""
    random = Random(seed)
    return [
        made(
            random.choice((1, 7)),
            ("t", random.choice("ab")),
            author=random.choice((ALICE, BOB)),
            at=THEN + random.choice((0, 1, 2, 50, 1_000, 100_000)),
            content=str(each),
        )
        for each in range(number)
    ]


def exported(store: SqlStore, *filters: Filter, now: int | None = NOW) -> list[str]:
    events = [Event.from_json(text) for text in store.export(filters or [Filter()], now=now)]
    assert events == sorted(events, key=lambda event: (event.created_at, event.id))
    return [event.id for event in events]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_LEAST", 5)
    monkeypatch.setattr(exporting, "_FEW", 3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "filters",
    [
        (Filter(),),
        (Filter(authors=(ALICE,)),),
        (Filter(kinds=(1,), tags={"t": ("a",)}), Filter(tags={"t": ("a",)}, authors=(BOB,))),
        (Filter(since=THEN + 1, until=THEN + 50),),
        (Filter(kinds=(1,), limit=7), Filter(kinds=(7,), until=THEN + 2)),
        (Filter(limit=0),),
        (Filter(ids=(UNKNOWN,)),),
    ],
)
def test_it_gives_once_what_a_query_gives(
    store: SqlStore, seed: int, filters: tuple[Filter, ...]
) -> None:
    store.add(many(seed), relay=None, now=NOW)
    wanted = {event.id for event in store.query(filters, now=NOW)}
    found = exported(store, *filters)
    assert (set(found), len(found)) == (wanted, len(wanted))


def test_an_empty_store_gives_nothing(store: SqlStore) -> None:
    assert exported(store) == []


def test_what_is_hidden_is_left_out_unless_everything_is_asked_for(store: SqlStore) -> None:
    old, new = article(at=THEN), article(at=THEN + 1)
    gone, expired = made(content="gone"), made(1, ("expiration", str(NOW)), content="expired")
    asking = deletion(("e", gone.id))
    store.add([old, new, gone, expired, asking], relay=None, now=THEN)
    assert set(exported(store)) == {new.id, asking.id}
    assert set(exported(store, now=None)) == {each.id for each in (old, new, gone, expired, asking)}


def test_the_store_can_be_written_while_it_is_exported(store: SqlStore) -> None:
    store.add(many(1), relay=None, now=NOW)
    walking = store.export([Filter()], now=NOW)
    first = next(walking)
    later = made(at=NOW, content="later")
    store.add([later], relay=None, now=NOW)
    texts = [first, *walking]
    assert Event.from_json(texts[-1]) == later
    assert len(texts) == len(set(texts)) == len(many(1)) + 1


def test_known_is_what_is_stored_and_was_seen_there(store: SqlStore) -> None:
    here, there = made(content="here"), made(content="there")
    store.add([here], relay=None, now=NOW)
    assert store.known([here.id], relay=RELAY) == frozenset()
    store.add([there], relay=RELAY, now=NOW)
    ids = [here.id, there.id, UNKNOWN]
    assert store.known(ids) == {here.id, there.id}
    assert store.known(ids, relay=RELAY) == {there.id}
    assert store.known([]) == frozenset()


def test_what_is_flushed_is_in_the_file_itself(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "a.db") as store:
        store.add(many(1), relay=None, now=NOW)
        store.flush()
        with store._database.reading() as connection:
            frames = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    assert frames[1] == frames[2]
