"""A program that is run once: a line on its input, what it writes within bounds, and then no more.

Knows how it is started without a shell, and ended with all that it has started. Knows nothing of
what is said.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from nostr_threads.core.bots.reported import reported
from nostr_threads.errors import AnswerFailed
from nostr_threads.signing.pipe import own_pipe

if TYPE_CHECKING:
    from asyncio import StreamReader
    from asyncio.subprocess import Process
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["run"]

_COMPLAINTS = 8_192
# Seconds for what is in the pipes when the program has ended, and for a killed one to go.
_LAST_WORDS = 1.0
_DYING = 5.0


async def run(
    words: Sequence[str],
    line: str,
    *,
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    most: int,
) -> bytes:
    """Run a program in `folder` with `line` on its input; return what it writes.

    When it has ended, has taken more than `seconds` or written more than `most` bytes, or is not
    waited for any more, it and all that it has started are killed. Raises `AnswerFailed`, with the
    end of what it complained about, where it fails.
    """
    name = shlex.quote(words[0])
    async with own_pipe() as (reader, end), own_pipe() as (complaints, other_end):
        try:
            with _line_as_file(line) as file:
                process = await asyncio.create_subprocess_exec(
                    *words,
                    stdin=file,
                    stdout=end,
                    stderr=other_end,
                    cwd=folder,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise AnswerFailed(f"{name} cannot be started: {error.strerror}") from None
        finally:
            os.close(end)
            os.close(other_end)
        heard = _Heard(most)
        try:
            async with asyncio.timeout(seconds):
                await heard.all_of(process, reader, complaints)
        except TimeoutError:
            raise _failed(name, f"took more than {seconds:g} seconds", heard) from None
        finally:
            await _end(process)
    return _result(name, process, heard)


class _Heard:
    """What a program has written so far."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.output = bytearray()
        self.complaints = bytearray()

    @property
    def is_too_much(self) -> bool:
        return len(self.output) > self.most

    async def all_of(
        self, process: Process, reader: StreamReader, complaints: StreamReader
    ) -> None:
        """Take what a program writes until it ends, up to a byte more than is allowed."""
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(reader))
            listening = tasks.create_task(self._listen(complaints))
            ending = tasks.create_task(process.wait())
            await asyncio.wait((reading, ending), return_when=asyncio.FIRST_COMPLETED)
            if not self.is_too_much:
                await ending
                # What it has started may keep its output open for ever.
                await asyncio.wait((reading, listening), timeout=_LAST_WORDS)
            for task in (reading, listening, ending):
                task.cancel()

    async def _read(self, reader: StreamReader) -> None:
        while not self.is_too_much and (more := await reader.read(65_536)):
            self.output += more

    async def _listen(self, complaints: StreamReader) -> None:
        while more := await complaints.read(65_536):
            self.complaints += more
            del self.complaints[:-_COMPLAINTS]


async def _end(process: Process) -> None:
    """Kill a program and all that it has started, and wait until it is gone."""
    # It leads a group of its own, whose number nobody has as long as one of them lives.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_DYING):
            await process.wait()


def _result(name: str, process: Process, heard: _Heard) -> bytes:
    if heard.is_too_much:
        raise _failed(name, f"wrote more than {heard.most:,} bytes", heard)
    if process.returncode:
        raise _failed(name, f"ended with exit code {process.returncode}", heard)
    return bytes(heard.output)


def _failed(name: str, what: str, heard: _Heard) -> AnswerFailed:
    complaint = reported(heard.complaints.decode(errors="replace"))
    return AnswerFailed(f"{name} {what}" + (f": {complaint}" if complaint else ""))


@contextmanager
def _line_as_file(line: str) -> Iterator[int]:
    """A file without a name that has the line.

    A pipe would fill up where a program does not read it, and break where it ends early.
    """
    with TemporaryFile() as file:
        file.write(line.encode() + b"\n")
        file.seek(0)
        yield file.fileno()
