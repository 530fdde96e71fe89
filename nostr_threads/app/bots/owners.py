"""Which process is at an ask, and whether that process is still there.

Knows this machine. That somebody elsewhere has died is found out by their silence.
"""

from __future__ import annotations

import os
import secrets
import socket

__all__ = ["is_gone", "new_owner"]


def new_owner() -> str:
    """Return a name for this process that no other has, nor had."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(8)}"


def is_gone(owner: str, us: str) -> bool:
    """Whether the process that took the name `owner` is surely gone; `us` is our own name.

    One that is taken for gone and is not loses what it was at, and says nothing twice.
    """
    host, _, rest = owner.partition("/")
    pid = rest.partition("/")[0]
    if owner == us or host != socket.gethostname() or not pid.isdecimal():
        return False
    # Ours by now: in a container every process may have the same number.
    return int(pid) == os.getpid() or not _is_alive(int(pid))


def _is_alive(pid: int) -> bool:
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
