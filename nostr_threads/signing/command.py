"""Signing by another program: a draft on its input, the signed event on its output.

Knows how it is run and bounded. Knows nothing of what it does: whatever comes back is verified.
"""

from __future__ import annotations

import asyncio
import os
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from nostr_threads.core import schnorr
from nostr_threads.core.event import Event
from nostr_threads.core.nip46 import draft_json
from nostr_threads.errors import InvalidEvent, InvalidInput, NoSigner, SigningError
from nostr_threads.signing.pipe import own_pipe
from nostr_threads.signing.signer import check_signed, draft_id

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Sequence

    from nostr_threads.core.event import Draft, Verified

__all__ = ["SECONDS", "CommandSigner"]

SECONDS = 60.0
"""How long a program may take: somebody may have to press a button."""

_MOST_OUTPUT = 4 * 2**20
# Seconds for what is in the pipe when the program has ended.
_LAST_WORDS = 1.0
# What may hold a secret is not handed on.
_HIDDEN = "NOSTR_"


class CommandSigner:
    """Runs `command` for every signature, as the author whose `public_key` (hex) that is.

    The program gets one line of JSON on its input, the draft with the author's key: `pubkey`,
    `created_at`, `kind`, `tags`, `content`. It prints the signed event as JSON, and exits with 0.
    Its talk goes where ours goes. It does not see our variables that begin with `NOSTR_`. It cannot
    encrypt. Raises `InvalidCode` for what is no public key, `InvalidInput` for no command.
    """

    __slots__ = ("_command", "_is_closed", "_public_key", "_seconds")

    def __init__(
        self, command: Sequence[str], public_key: str, *, seconds: float = SECONDS
    ) -> None:
        schnorr.require_public_key(public_key)
        if not command:
            raise InvalidInput("a signer that is a program needs its name")
        self._command = tuple(command)
        self._public_key = public_key
        self._seconds = seconds
        self._is_closed = False

    @property
    def public_key(self) -> str:
        """The author's key, 64 lowercase hex digits."""
        return self._public_key

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `SigningError`."""
        if self._is_closed:
            raise NoSigner("this signer was closed")
        draft_id(draft, self._public_key)  # what can be no event is not even asked for
        output = await self._run(draft_json(draft, self._public_key).encode() + b"\n")
        try:
            event = Event.from_json(output.strip())
        except InvalidEvent as error:
            raise self._error(f"gave no valid event: {error.reason}") from None
        return check_signed(draft, event, self._public_key)

    async def nip44_encrypt(self, peer: str, text: str) -> str:  # noqa: ARG002 - the protocol's shape
        """Raise `NoSigner`, always."""
        raise self._error("only signs, and does not encrypt", NoSigner)

    async def nip44_decrypt(self, peer: str, payload: str) -> str:  # noqa: ARG002 - the same
        """Raise `NoSigner`, always."""
        raise self._error("only signs, and does not decrypt", NoSigner)

    async def close(self) -> None:
        """Run the program no more."""
        self._is_closed = True

    def __repr__(self) -> str:
        return f"CommandSigner({self._public_key})"

    async def _run(self, data: bytes) -> bytes:
        environ = {name: value for name, value in os.environ.items() if not _is_hidden(name)}
        async with own_pipe() as (reader, end):
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=asyncio.subprocess.PIPE, stdout=end, env=environ
                )
            except OSError as error:
                raise self._error(f"cannot be started: {error.strerror}") from None
            finally:
                os.close(end)
            try:
                async with asyncio.timeout(self._seconds):
                    output = await _conversation(process, reader, data)
            except TimeoutError:
                raise self._error(f"took more than {self._seconds:.0f} seconds") from None
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if len(output) > _MOST_OUTPUT:
            raise self._error("gave more than any event may have")
        if process.returncode:
            raise self._error(f"ended with exit code {process.returncode}")
        return output

    def _error(self, what: str, kind: type[SigningError] = SigningError) -> SigningError:
        # Not its arguments: somebody may have put a secret there.
        return kind(f"the signing program {shlex.quote(self._command[0])} {what}")


def _is_hidden(name: str) -> bool:
    return name.upper().startswith(_HIDDEN)


async def _conversation(
    process: asyncio.subprocess.Process, reader: StreamReader, data: bytes
) -> bytes:
    """Hand a program its input and take its output, up to a byte more than is allowed."""
    writer = cast("StreamWriter", process.stdin)
    # One that wants no input may end without having read it.
    with suppress(BrokenPipeError, ConnectionResetError):
        writer.write(data)
        await writer.drain()
        writer.close()
    output = bytearray()
    async with asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(_read(reader, output))
        ending = tasks.create_task(process.wait())
        await asyncio.wait((reading, ending), return_when=asyncio.FIRST_COMPLETED)
        if len(output) > _MOST_OUTPUT:
            ending.cancel()
        elif ending.done():
            # What it has started may keep its output open for ever.
            await asyncio.wait((reading,), timeout=_LAST_WORDS)
            reading.cancel()
    return bytes(output)


async def _read(reader: StreamReader, output: bytearray) -> None:
    while len(output) <= _MOST_OUTPUT and (more := await reader.read(65_536)):
        output += more
