"""The contract of `last_fetch` and `note_fetch`: one report a thread, the latest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store.opening import open_store
from tests.store.events import NOW, UNKNOWN, address

if TYPE_CHECKING:
    from nostr_threads.store.sql import SqlStore

URL = "https://example.com/" + "long/" * 900


def test_what_was_noted_last_is_known_for_any_key(store: SqlStore) -> None:
    for key in (UNKNOWN, address(), URL):
        assert store.last_fetch(key) is None
        store.note_fetch(key, "{}", now=NOW)
        store.note_fetch(key, f'{{"of": "{key[:9]}"}}', now=NOW + 1)
    for key in (UNKNOWN, address(), URL):
        assert store.last_fetch(key) == (f'{{"of": "{key[:9]}"}}', NOW + 1)
    assert store.last_fetch(UNKNOWN[::-1]) is None


def test_it_is_there_when_the_store_is_opened_again(place: str) -> None:
    with open_store(place) as store:
        store.note_fetch(UNKNOWN, "text é", now=NOW)
    with open_store(place, read_only=True) as store:
        assert store.last_fetch(UNKNOWN) == ("text é", NOW)
