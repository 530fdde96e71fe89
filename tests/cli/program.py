"""The program as a person or another program runs it: a process with its own home."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nostr_threads.core.event import Event, verify
from tests.cli.nursery import born

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

SECONDS = 60.0
PASSWORD = "correct horse"

# A process that warns fails, and so does one that dials another machine.
_PYTHON = (sys.executable, "-W", "error", str(Path(__file__).with_name("guarded.py")))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left: its exit code, the data, the talk."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The data as the JSON objects that it must be, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def object(self) -> dict[str, Any]:
        """The data as the one JSON object that it must be."""
        (only,) = self.objects
        return only

    @property
    def ids(self) -> list[str]:
        """The ids of the signed events that the data must be; each is verified."""
        return [verify(Event.from_json(line)).id for line in self.out.splitlines()]


class Home:
    """A person's machine: settings, keys and store in one folder, which is the working one too."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.environ = environ

    def settle(
        self,
        urls: Iterable[str],
        quick: float = 5.0,
        *,
        index: Iterable[str] = (),
        known: Iterable[str] = (),
    ) -> None:
        """Write the relays.toml that is found when nobody names one.

        Those of `index` tell of people alone; those of `known` may be dialled when a list names
        them, as other relays of this machine may not.
        """
        waits = "".join(f"{name} = {quick}\n" for name in ("connect", "idle", "answer", "ok"))
        unused = "read = false\nwrite = false\n"
        relays = "".join(
            f'[[relay]]\nurl = "{url}"\n{role}'
            for some, role in ((urls, ""), (index, f"{unused}index = true\n"), (known, unused))
            for url in some
        )
        (self.folder / "relays.toml").write_text(f"[defaults]\n{waits}{relays}", encoding="utf-8")

    def file(self, name: str, text: str | bytes) -> str:
        """Write a file and return its name, as it is given on the command line."""
        data = text.encode() if isinstance(text, str) else text
        (self.folder / name).write_bytes(data)
        return name

    async def run(
        self, *arguments: str, stdin: bytes = b"", password: str | None = None, **environ: str
    ) -> Ran:
        """Run to the end. `password` comes through `--password-fd`."""
        with _on_a_descriptor(password) as (inherited, more):
            async with asyncio.timeout(SECONDS):
                code, out, err = await born(
                    (*arguments, *more),
                    folder=self.folder,
                    environ=self.environ_with(environ),
                    stdin=stdin,
                    inherited=inherited,
                )
        assert b"Traceback" not in err, err.decode()
        return Ran(code, out.decode(), err.decode())

    @asynccontextmanager
    async def started(
        self, *arguments: str, password: str | None = None, **environ: str
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Give the running process; it is gone at the end, whatever happens."""
        with _on_a_descriptor(password) as (inherited, more):
            process = await asyncio.create_subprocess_exec(
                *_PYTHON,
                *arguments,
                *more,
                cwd=self.folder,
                env=self.environ_with(environ),
                pass_fds=inherited,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        try:
            async with asyncio.timeout(SECONDS):
                yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    def environ_with(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of its programs."""
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("NOSTR_")
        }
        home = {"NOSTR_THREADS_HOME": str(self.folder), "COLUMNS": "200"}
        return {**inherited, **home, **self.environ, **more}


@contextmanager
def _on_a_descriptor(password: str | None) -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
    """Put a password where a child can read it; give the descriptors and arguments for that."""
    if password is None:
        yield (), ()
        return
    descriptor, writing = os.pipe()
    try:
        os.write(writing, password.encode() + b"\n")
        os.close(writing)
        yield (descriptor,), ("--password-fd", str(descriptor))
    finally:
        os.close(descriptor)
