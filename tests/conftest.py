"""What holds for the whole suite."""

from __future__ import annotations

from hypothesis import settings

# One slow example on a busy machine is no failure; pytest-timeout bounds every test.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
