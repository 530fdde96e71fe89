"""A home for every test: somebody who only reads, and somebody with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.app.worlds import ALICE
from tests.cli.program import Home

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def alice(tmp_path: Path) -> Home:
    return Home(tmp_path, NOSTR_SECRET_KEY=ALICE.secret_hex())
