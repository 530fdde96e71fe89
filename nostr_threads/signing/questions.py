"""Questions to a signer elsewhere, each asked again until its answer is there (NIP-46).

Knows how long to wait for a person to say yes, when to ask again, and which answers count. Knows
nothing of what is asked, and of who wants to know.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from nostr_threads.core.nip46 import Request, Response, read_response
from nostr_threads.errors import BunkerError, NoSigner, SigningError
from nostr_threads.signing.envelope import open_sealed, plain, seal

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.event import Verified
    from nostr_threads.signing.envelope import Wire
    from nostr_threads.signing.signer import KeySigner

__all__ = ["Patience", "Questions"]

# How often a question is sent again as it was.
_SAME_BYTES = 2
# Seconds before one that was too many for the signer's policy is asked again.
_PAUSE = 5.0
# Printable ASCII without spaces: a stranger's words must not read like ours.
_ADDRESS = re.compile(r"https?://[!-~]{1,500}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a signer is waited for.

    `answer`: somebody may have to find their telephone. `approval`: from when the signer names an
    address at which a person has to say yes. `silence`: until a question is sent again, and then
    twice as long each time; neither end knows when nobody listened at the other. `moving`: until it
    has to have said where it wants to be met, and to have answered there.
    """

    answer: float = 120.0
    approval: float = 300.0
    silence: float = 5.0
    moving: float = 15.0


@dataclass(slots=True)
class _Question:
    request: Request
    answer: asyncio.Future[Response]
    until: float
    event: Verified | None = None
    is_approving: bool = False

    def fail(self, error: SigningError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Questions:
    """What `own` has asked `signer` (a key in hex) over `wire`, and still waits for.

    `show` is told what a person has to know: an address to open. `clock` gives unix seconds.
    """

    def __init__(
        self,
        signer: str,
        own: KeySigner,
        wire: Wire,
        *,
        clock: Callable[[], float],
        show: Callable[[str], None],
        patience: Patience,
    ) -> None:
        self._signer = signer
        self._own = own
        self._wire = wire
        self._clock = clock
        self._show = show
        self._patience = patience
        self._open: dict[str, _Question] = {}
        self._is_closed = False
        # Whether the signer has ever answered.
        self._is_known = False
        self._pause = min(_PAUSE, patience.answer / 4)

    async def ask(self, method: str, *params: str, seconds: float | None = None) -> str:
        """Ask, and wait for `seconds` or the usual time. Raises `BunkerError`, `NoSigner`.

        What was too much at once is asked again.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._patience.answer if seconds is None else seconds)
        refusal: BunkerError | None = None
        while True:
            try:
                request = Request(secrets.token_hex(8), method, params)
                response = await self._answer_to(request, until)
            except BunkerError as error:
                # Some say only now and then that it is too much.
                raise refusal or error from None
            if not response.error:
                return response.result
            refusal = BunkerError(f"the bunker says no: {plain(response.error)}")
            is_too_much = response.error.startswith("rate-limited:")
            if not is_too_much or loop.time() + self._pause > until:
                raise refusal
            await asyncio.sleep(self._pause)  # until the signer's minute has room again

    async def heard(self, event: Verified) -> None:
        """Take an event. What is not an answer of our signer to an open question is nothing."""
        if event.pubkey != self._signer or self._is_closed:
            return
        text = await open_sealed(event, self._own)
        response = read_response(text) if text is not None else None
        question = self._open.get(response.id) if response is not None else None
        if response is None or question is None or question.answer.done():
            return
        self._is_known = True
        if response.auth_url:
            self._approve(question, response.auth_url)
        else:
            question.answer.set_result(response)

    async def again(self) -> None:
        """Ask again what is open: an answer may have gone by while nobody listened.

        Sealed anew, as most signers pass over an event that they have seen.
        """
        for question in list(self._open.values()):
            question.event = None
            with suppress(BunkerError):
                await self._send(question)

    def close(self) -> None:
        """Ask nothing any more; whoever waits for an answer gets `NoSigner`."""
        self._is_closed = True
        for question in self._open.values():
            question.fail(NoSigner("this signer was closed"))

    def _approve(self, question: _Question, url: str) -> None:
        """Show where a person has to say yes, once; the time for it begins only now."""
        if question.is_approving or _ADDRESS.fullmatch(url) is None:
            return
        question.is_approving = True
        question.until = asyncio.get_running_loop().time() + self._patience.approval
        self._show(f"the bunker wants you to say yes at {url}")

    async def _answer_to(self, request: Request, until: float) -> Response:
        if self._is_closed:
            raise NoSigner("this signer was closed")
        question = _Question(request, asyncio.get_running_loop().create_future(), until)
        self._open[request.id] = question
        # A relay may take its time to say OK, while the answer is there already.
        sending = asyncio.create_task(self._put(question))
        try:
            return await self._answer(question)
        finally:
            del self._open[request.id]
            sending.cancel()
            await asyncio.wait([sending])
            if not sending.cancelled():
                sending.result()

    async def _put(self, question: _Question) -> None:
        """Send a question, and again after each silence.

        At first the same bytes, which a signer that has them passes over: somebody may be looking
        at it. Then sealed anew: the answer may have been lost.
        """
        try:
            await self._send(question)
        except SigningError as error:
            # One that has answered before may be back in time: see `again`.
            if not (self._is_known and isinstance(error, BunkerError)):
                question.fail(error)
                return
        for silence in count():
            await asyncio.sleep(self._patience.silence * 2**silence)  # each time twice as patient
            if question.is_approving:
                # It was heard, and a person is asked: not twice.
                return
            if silence >= _SAME_BYTES:
                question.event = None
            with suppress(BunkerError):
                await self._send(question)

    async def _send(self, question: _Question) -> None:
        if question.event is None:
            text = question.request.to_json()
            now = int(self._clock())
            question.event = await seal(text, self._own, self._signer, now)
        await self._wire.send(question.event)

    async def _answer(self, question: _Question) -> Response:
        loop = asyncio.get_running_loop()
        while (left := question.until - loop.time()) > 0:
            done, _ = await asyncio.wait([question.answer], timeout=left)
            if done:
                return question.answer.result()
        said = self._wire.refusal()
        why = f": {said}" if said else ": is it running, and is its relay up?"
        raise BunkerError(f"the bunker does not answer{why}", is_silence=True)
