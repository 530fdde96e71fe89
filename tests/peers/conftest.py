"""nostr-tools (JavaScript), which most web clients are made with, ready for a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.npm import installed as fetched

HERE = Path(__file__).parent / "nostr_tools"


@pytest.fixture(scope="module")
def installed(request: pytest.FixtureRequest) -> Path:
    """A folder outside of the tree that holds nostr-tools and our scripts; kept between runs."""
    return fetched(HERE, "nostr-tools", request)
