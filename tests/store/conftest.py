"""The stores that the contract suite runs against: another implementation is one more line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from nostr_threads.store.opening import is_url, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nostr_threads.store.sql import SqlStore
    from tests.store.postgres_server import PostgresServer

CLEARED = str.split(
    "asks bots texts arrivals sightings links tags purged vanished people deliveries"
    " destinations fetches parts postings branches spans syncs sources settings relay_records"
    " relay_documents relays long_keys events"
)
PLACES: dict[str, Callable[[pytest.FixtureRequest, Path], str]] = {
    "file": lambda _, folder: str(folder / "events.db"),
    "memory": lambda _, __: ":memory:",
    "postgres": lambda request, _: str(request.getfixturevalue("postgres_url")),
}


@pytest.fixture(params=PLACES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    with open_store(PLACES[request.param](request, tmp_path)) as opened:
        yield opened
        assert dangling(opened) == []


@pytest.fixture(params=["file", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be opened that stays when it is closed, by several at once."""
    return PLACES[request.param](request, tmp_path)


@pytest.fixture(scope="session")
def emptied(postgres: PostgresServer) -> Iterator[Callable[[], SqlStore]]:
    """Gives one store in PostgreSQL time and again, empty each time: for properties."""
    with open_store(postgres.place()) as store:

        def empty() -> SqlStore:
            with store._database.writing() as connection:
                for table in CLEARED:
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
                connection.execute("UPDATE indexed SET upto = 0")
            return store

        yield empty


def run(place: str, statement: str) -> None:
    """Change a store behind its back."""
    if is_url(place):
        with psycopg.connect(place) as server:
            zeros = "decode(repeat('00', 32), 'hex')"
            server.execute(statement.replace("zeroblob(32)", zeros).encode())
    else:
        with closing(sqlite3.connect(place)) as file, file:
            file.execute(statement)


def dangling(store: SqlStore) -> list[tuple[str, str]]:
    """Return the rows that refer to something that is not there: nothing else looks for them."""
    with store._database.reading() as connection:
        return list(connection.damage())
