"""The stores that the contract suite runs against: another implementation is one more line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

OPENERS: dict[str, Callable[[Path], SqliteStore]] = {
    "file": lambda folder: SqliteStore(folder / "events.db"),
    "memory": lambda _: SqliteStore(":memory:"),
}


@pytest.fixture(params=OPENERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore]:
    with OPENERS[request.param](tmp_path) as opened:
        yield opened
        assert dangling(opened) == []


def dangling(store: SqliteStore) -> list[tuple[object, ...]]:
    """Return the rows that refer to something that is not there: nothing else looks for them."""
    with store._database.reading() as connection:
        return connection.execute("PRAGMA foreign_key_check").fetchall()
