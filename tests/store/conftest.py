"""The stores that the contract suite runs against: another implementation is one more line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.store.opening import open_store
from tests.store.postgres_server import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nostr_threads.store.sql import SqlStore

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
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    return postgres.place()


def dangling(store: SqlStore) -> list[tuple[str, str]]:
    """Return the rows that refer to something that is not there: nothing else looks for them."""
    with store._database.reading() as connection:
        return list(connection.damage())
