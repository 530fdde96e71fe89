"""Where a bot's record can be kept: another database is one more line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.bots import cases

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bots answer sooner than they may: there are many tests."""
    monkeypatch.setattr(cases, "_SHORTEST_PAUSE", 0.0)


@pytest.fixture(params=["file", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be opened by several at once."""
    if request.param == "file":
        return str(tmp_path / "events.db")
    return str(request.getfixturevalue("postgres_url"))
