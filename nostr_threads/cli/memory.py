"""This process's memory and environment, kept from other programs of the same user.

Knows Linux's switch for it. Knows nothing of what is to be hidden.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["hide_memory", "is_memory_hidden"]

_PR_GET_DUMPABLE, _PR_SET_DUMPABLE = 3, 4


def hide_memory() -> None:
    """Have Linux refuse /proc/…/environ and /proc/…/mem of this process to whoever is not root.

    Elsewhere nothing happens. What this process starts is not hidden, and may be looked into.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def is_memory_hidden() -> bool:
    """Whether that is so."""
    if sys.platform != "linux":
        return False
    dumpable: int = ctypes.CDLL(None).prctl(_PR_GET_DUMPABLE, 0, 0, 0, 0)
    return dumpable == 0
