"""A home for every test: somebody who only reads, and somebody with a key."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.app.worlds import ALICE
from tests.cli.program import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A shell that runs the tests in the background has them ignore Ctrl-C, and all they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def alice(tmp_path: Path) -> Home:
    return Home(tmp_path, NOSTR_SECRET_KEY=ALICE.secret_hex())
