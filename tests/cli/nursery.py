"""Processes of the program, forked from one that has imported everything already.

Starting an interpreter and importing is most of what a short command costs; there are hundreds of
them in the tests. Each still is a process of its own, with its own memory, folder, environment and
descriptors, and ends as any other does. Run as a program this is the mother; `born` asks it.
"""

from __future__ import annotations

import asyncio
import atexit
import fcntl
import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["born"]

_MESSAGE = 1 << 20
_MOST_DESCRIPTORS = 16
# Above every descriptor that a child is given by number.
_OUT_OF_THE_WAY = 200
# What commands import when they run.
_WANTED_LATER = (
    "nostr_threads.cli.commands",
    "nostr_threads.cli.stopping",
    "nostr_threads.app.bots.botfile",
    "nostr_threads.app.bots.running",
    "nostr_threads.app.listing",
    "nostr_threads.app.opening",
    "nostr_threads.app.signers",
    "nostr_threads.app.desk",
    "nostr_threads.app.drafting",
    "nostr_threads.cli.watching",
    "nostr_threads.relayd",
    "nostr_threads.render.contracts",
    "nostr_threads.render.markdown",
    "nostr_threads.render.tree",
    "nostr_threads.store.sqlite",
    "anyio._backends._asyncio",
    "httpcore",
    "httpx",
    "pynostr.key",
    "regex",
    "rich._emoji_codes",
    "rich.progress",
    "rich.table",
    "typer._adapters",
    "typer._click._textwrap",
    "typer._coercion",
    "typer.rich_utils",
)


async def born(
    arguments: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    stdin: bytes,
    inherited: Sequence[int],
) -> tuple[int, bytes, bytes]:
    """Run the program to its end; return its exit code, what it printed, and its talk.

    It is killed when whoever waits for it is cancelled.
    """
    files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
    reading, writing = os.pipe()
    try:
        os.write(files[0], stdin)
        os.lseek(files[0], 0, os.SEEK_SET)
        numbers = [0, 1, 2, *inherited]
        order = {
            "arguments": list(arguments),
            "folder": str(folder),
            "environ": dict(environ),
            "numbers": numbers,
        }
        data = json.dumps(order).encode()
        assert len(data) < _MESSAGE
        socket.send_fds(_mother(), [data], [writing, *files, *inherited])
        os.close(writing)
        writing = -1
        code = await _end(reading)
        return code, _contents(files[1]), _contents(files[2])
    finally:
        for each in (*files, reading, writing):
            if each >= 0:
                os.close(each)


@cache
def _mother() -> socket.socket:
    """Start the mother of all; she ends when this process does."""
    ours, hers = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-W", "error", str(Path(__file__)), str(hers.fileno())]
    # The environment of each child is its own; hers must name no key.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NOSTR_")}
    mother = subprocess.Popen(command, pass_fds=[hers.fileno()], env=environ)
    hers.close()

    def end() -> None:
        ours.close()
        mother.wait(10)

    atexit.register(end)
    return ours


async def _end(reading: int) -> int:
    """Wait for the exit code of a child; first comes its process id."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    file = os.fdopen(os.dup(reading), "rb", buffering=0)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    pid = 0
    first = asyncio.ensure_future(reader.readline())
    try:
        try:
            pid = int(await asyncio.shield(first))
        except asyncio.CancelledError:
            pid = int(await first)  # it is about to be born, and must not be forgotten
            raise
        code = int(await reader.readline())
        pid = 0
    finally:
        transport.close()
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return code


def _contents(file: int) -> bytes:
    os.lseek(file, 0, os.SEEK_SET)
    with os.fdopen(os.dup(file), "rb") as stream:
        return stream.read()


# The mother


def _listen(own: socket.socket) -> None:
    """Fork for each order. Returns in a child, which then is the program."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        data, descriptors, _, _ = socket.recv_fds(own, _MESSAGE, _MOST_DESCRIPTORS)
        if not data:
            own.close()
            sys.exit()
        if os.fork() == 0:
            own.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _stand_by(json.loads(data), descriptors)
            return
        for each in descriptors:
            os.close(each)


def _stand_by(order: dict[str, object], descriptors: list[int]) -> None:
    """Fork once more, and tell how that ended. Returns in the one that becomes the program."""
    told, *given = descriptors
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _become(order, given)
        return
    for each in (0, 1, 2, *given):
        os.close(each)
    os.write(told, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(told, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(order: dict[str, object], given: list[int]) -> None:
    numbers: list[int] = order["numbers"]  # type: ignore[assignment]
    away = [fcntl.fcntl(each, fcntl.F_DUPFD, _OUT_OF_THE_WAY) for each in given]
    for each in given:
        os.close(each)
    for each, number in zip(away, numbers, strict=True):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(order["environ"])  # type: ignore[call-overload]
    os.chdir(str(order["folder"]))
    sys.argv = ["nostr-threads", *order["arguments"]]  # type: ignore[misc]
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _main() -> NoReturn:
    sys.path.insert(0, str(Path(__file__).parents[2]))
    guarded = import_module("tests.cli.guarded")
    guarded.refuse_strangers(guarded._end)
    for name in _WANTED_LATER:
        import_module(name)
    # What is there now belongs to all: no child looks at it, and none gets a copy of it.
    gc.freeze()
    _listen(socket.socket(fileno=int(sys.argv[1])))
    _leave(_run())


def _run() -> int:
    """Be the program; return its exit code."""
    try:
        runpy.run_module("nostr_threads", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 - what Python itself does with what nobody catches
        traceback.print_exc()
        return 1
    return 0


def _leave(code: int) -> NoReturn:
    """End as a process does, but for taking apart an interpreter that is a copy."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _main()
