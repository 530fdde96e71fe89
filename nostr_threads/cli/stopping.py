"""SIGTERM ends a command as Ctrl-C does: with what was begun put in order.

Service managers and `kill` send it. Knows signals alone; each command knows what it has to put in
order.
"""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def orderly_end() -> Iterator[None]:
    """While inside, SIGTERM interrupts; the process then dies of it, as whoever sent it expects."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        # Ctrl-C is switched off (`nohup`, `&` in a script): there is nothing to be passed on to.
        yield
        return
    received: list[int] = []

    def interrupt(number: int, _: FrameType | None) -> None:
        received.append(number)
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        if received:
            sys.stdout.flush()
            signal.raise_signal(signal.SIGTERM)
