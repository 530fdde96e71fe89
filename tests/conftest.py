"""What holds for the whole suite."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.cli.guarded import refuse_strangers
from tests.patient_loop import PatientLoop
from tests.relayd.peers import STOCKED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.store.postgres_server import PostgresServer

# A run is hundreds of processes: where Python is told to keep no bytecode each of them compiles
# everything again, and every worker all tests.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_WATCH: list[list[str]] = []


def _refuse(host: str) -> None:
    if _WATCH:
        _WATCH[-1].append(host)
        raise ConnectionRefusedError(f"{host} is not this machine")


refuse_strangers(_refuse)


@pytest.fixture(autouse=True)
def _dials_no_other_machine() -> Iterator[None]:
    """No test talks to another machine: not even one that a hint or a list names."""
    dialled: list[str] = []
    _WATCH.append(dialled)
    yield
    _WATCH.pop()
    assert dialled == []


def pytest_xdist_auto_num_workers() -> int:
    """Three for two processors: much of the suite waits, for processes and for silence."""
    return 3 * (os.cpu_count() or 1) // 2


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], PatientLoop]]:
    return {"patient": PatientLoop}


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server of one's own, for as long as tests run."""
    from tests.store.postgres_server import PostgresServer

    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> str:
    """Where nothing is yet in the database."""
    return postgres.place()


# One slow example on a busy machine is no failure; pytest-timeout bounds every test.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _stocked_stores_are_closed() -> Iterator[None]:
    """From Python 3.13 on, SQLite warns of a connection that nobody closes."""
    shared = len(STOCKED)  # by a whole module
    yield
    while len(STOCKED) > shared:
        STOCKED.pop().close()
