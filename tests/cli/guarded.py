"""The program, kept on this machine: whoever makes it dial another one has found a bug.

Knows which addresses are this machine's. Knows nothing of the program.
"""

from __future__ import annotations

import os
import runpy
import sys
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["refuse_strangers"]


def refuse_strangers(refuse: Callable[[str], None]) -> None:
    """Call `refuse` with the host of every connection and look-up that leaves this machine.

    It lasts as long as the process does: Python has no way to take such a hook back.
    """

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = arguments[0]
        elif event == "socket.connect" and isinstance(arguments[1], tuple):
            host = arguments[1][0]
        else:
            return
        if not _is_here(host):
            refuse(f"{host!r}")

    sys.addaudithook(watch)


def _is_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    # Nothing is ever found under .invalid (RFC 6761).
    if name is None or name == "localhost" or str(name).endswith(".invalid"):
        return True
    try:
        return ip_address(str(name)).is_loopback
    except ValueError:
        return False


def _end(host: str) -> None:
    sys.stderr.write(f"Traceback: a test made the program dial {host}\n")
    sys.stderr.flush()
    os._exit(99)


if __name__ == "__main__":
    refuse_strangers(_end)
    runpy.run_module("nostr_threads", run_name="__main__", alter_sys=True)
