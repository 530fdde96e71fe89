"""A terminal for a program under test: what it shows is read, and what a person would type written.

Knows pseudo-terminals. Knows nothing of the program.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import sys
import termios
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.cli.program import Home

__all__ = ["Terminal", "at_terminal"]

SECONDS = 60.0
_PYTHON = (sys.executable, "-W", "error", str(Path(__file__).with_name("guarded.py")))


@dataclass
class Terminal:
    """A running program and its terminal. `shown` is all that it has shown so far."""

    process: asyncio.subprocess.Process
    master: int
    reader: asyncio.StreamReader
    shown: str = ""

    async def until(self, words: str) -> str:
        """Read until it has shown `words`; return what it showed, and begin anew after them."""
        while words not in self.shown:
            more = await self.reader.read(4_096)
            assert more, f"it ended without saying {words!r}: {self.shown}"
            self.shown += more.decode(errors="replace")
        before, _, self.shown = self.shown.partition(words)
        return before + words

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self.master, text.encode() + b"\n")

    async def type_unseen(self, text: str) -> None:
        """Type a line once the program shows no more what is typed: earlier it would drop it."""
        while termios.tcgetattr(self.master)[3] & termios.ECHO:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)  # when a terminal's echo is off
        self.type(text)

    async def press(self, key: bytes) -> None:
        """Press a key once the program waits for one: a signal that comes just before is told later
        (Python looks for signals, and only then waits).
        """
        quiet = 0
        while quiet < 3:
            quiet = quiet + 1 if _sleeps(self.process.pid) else 0
            await asyncio.sleep(0.01)  # nobody tells when another process waits
        os.write(self.master, key)

    async def end(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and the rest of what it showed."""
        while more := await self.reader.read(4_096):
            self.shown += more.decode(errors="replace")
        return await self.process.wait(), self.shown


@asynccontextmanager
async def at_terminal(home: Home, *arguments: str, **environ: str) -> AsyncIterator[Terminal]:
    """Run the program at a terminal of its own; it is gone at the end, whatever happens."""
    master, slave = pty.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *_PYTHON,
            *arguments,
            cwd=home.folder,
            env=home.environ_with(environ),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # Passwords are asked for at the terminal that controls the process.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
    finally:
        os.close(slave)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    file = os.fdopen(os.dup(master), "rb", buffering=0)
    transport, _ = await loop.connect_read_pipe(lambda: _Tolerant(reader), file)
    try:
        async with asyncio.timeout(SECONDS):
            yield Terminal(process, master, reader)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        transport.close()
        os.close(master)


def _sleeps(pid: int) -> bool:
    """Whether a process waits for something, as Linux tells."""
    status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return status.rpartition(")")[2].split()[0] == "S"


class _Tolerant(asyncio.StreamReaderProtocol):
    """Takes the end of the other side for an end, which Linux tells as an error (EIO)."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None if isinstance(exc, OSError) else exc)
