"""An event loop whose clock goes slowly while there is something to do.

A test of silence gives every relay a short time, and on a machine that is busy with other work that
time is over before the honest one could answer. Here a second of waiting is a second in which
nothing was left to do. What the loop and the store's threads are busy with, and what others take
the processor away for, counts a tenth.
"""

from __future__ import annotations

import asyncio
import selectors
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

__all__ = ["PatientLoop"]

_Given = TypeVarTuple("_Given")
_Result = TypeVar("_Result")

_PACE_AT_WORK = 0.1


class _WaitingTime(selectors.DefaultSelector):
    """A selector that counts how long there was nothing to do, and a little of the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.threads_at_work = 0
        self._ended = monotonic()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        began = monotonic()
        ready = super().select(timeout)
        now = monotonic()
        idle = 0.0
        if not self.threads_at_work:
            # Whoever is woken late has waited for a processor.
            idle = now - began if timeout is None else min(now - began, timeout)
        self.seconds += idle + (now - self._ended - idle) * _PACE_AT_WORK
        self._ended = now
        return ready


class PatientLoop(asyncio.SelectorEventLoop):
    """The event loop of every test."""

    def __init__(self) -> None:
        self._waiting = _WaitingTime()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Given], _Result], *args: *_Given
    ) -> asyncio.Future[_Result]:
        job = super().run_in_executor(executor, func, *args)
        if executor is not None:  # the loop's own has what may hang: names, and jobs of the tests
            self._waiting.threads_at_work += 1
            job.add_done_callback(self._rest)
        return job

    def _rest(self, _: asyncio.Future[Any]) -> None:
        self._waiting.threads_at_work -= 1
