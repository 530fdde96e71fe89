"""Lines checked on all cores: blocks dealt out to processes, answered in order.

Knows processes. What is checked is known in `checking`. Threads would check as fast by themselves,
but whoever stores events meanwhile holds the interpreter's lock for half of the time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from itertools import cycle
from typing import TYPE_CHECKING

from nostr_threads.app.checking import Verdict, receive, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

__all__ = ["Checkers"]

# The path is ours: the folder that somebody stands in has no say in what is imported.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from nostr_threads.app.checking import main; main()"
)
_SECONDS_TO_END = 5.0


class Checkers:
    """So many processes, begun when they are first needed and gone at the end.

    They look for what is known in the database `store`, None for nowhere; with `relay` only what
    was seen there is known. One thread may `give` while another takes the answers.
    """

    def __init__(self, processes: int, *, store: Path | str | None, relay: str | None) -> None:
        self._most = processes
        self._told = (str(store or ""), relay or "")
        self._processes: list[_Process] = []
        self._turns: Iterator[_Process] | None = None

    def give(self, data: bytes) -> Callable[[], Verdict | None] | None:
        """Begin to check a block of lines; waits while its process is busy with earlier ones.

        Returns what waits for the verdict, to be called once and in order. None, there or here,
        says that no process could do it.
        """
        if self._turns is None:
            self._turns = self._started()
        process = next(self._turns, None)
        return process.answer if process is not None and process.give(data) else None

    def _started(self) -> Iterator[_Process]:
        for _ in range(self._most):
            try:
                self._processes.append(_Process(self._told))
            except OSError:
                break
        return cycle(self._processes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.end(at_once=error is not None)


class _Process:
    """One that checks; it ends by itself when we die."""

    def __init__(self, told: tuple[str, str]) -> None:
        command = [sys.executable, "-P", "-c", _PROGRAM, *sys.path]
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin, self._process.stdout
        # Not as an argument, which everybody on this machine can read: it may have a password.
        with suppress(OSError):
            send(self._to, json.dumps(told).encode())

    def give(self, data: bytes) -> bool:
        """Whether it takes the block."""
        try:
            send(self._to, data)
        except OSError:
            return False
        return True

    def answer(self) -> Verdict | None:
        """Return what it says next, None when it is no longer there."""
        data = receive(self._from)
        return None if data is None else Verdict(*json.loads(data))

    def end(self, *, at_once: bool) -> None:
        if at_once:
            self._process.kill()
        with suppress(OSError):  # one that has died is told nothing more
            self._to.close()
        try:
            self._process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._from.close()
