"""Questions put to one relay: within what it takes, each with its ending.

Knows who waits for which answer, deadlines, and what to do when the relay complains. Knows nothing
of pages, and not whether the events are what they say.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.coverage import Finish
from nostr_threads.core.limits import Limits, learned
from nostr_threads.core.wire import prefix_of
from nostr_threads.net.hearing import Hearing
from nostr_threads.net.places import Places
from nostr_threads.net.question import Question

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.core.messages import Malformed
    from nostr_threads.core.session import RelaySession
    from nostr_threads.net.connection import Connection
    from nostr_threads.net.hearing import Said
    from nostr_threads.net.options import LimitsOf, Timeouts
    from nostr_threads.net.publishing import Publisher

    Reply: TypeAlias = Callable[[str, Question], Awaitable[None]]

__all__ = ["MOST_TRIES", "Asker"]

MOST_TRIES = 8
"""How often a question is asked that the relay refuses for being too much: a limit that is halved
each time gets from the usual to the least."""

# How long questions wait, in all, for what the relay says that it takes.
_LIMITS_SECONDS = 3.0


class Asker:
    """Asks on a connection. `limits` are the relay's, as far as they are known.

    `run` must be running for `limits_of` to be asked. `largest` is the most events that came as the
    answer to one question.
    """

    def __init__(
        self,
        url: str,
        session: RelaySession,
        connection: Connection,
        publisher: Publisher,
        *,
        timeouts: Timeouts,
        limits_of: LimitsOf | None,
    ) -> None:
        self.url = url
        self.session = session
        self.limits = Limits()
        self.largest = 0
        self._connection = connection
        self._publisher = publisher
        self._limits_of = limits_of
        self._hearing = Hearing(idle=timeouts.idle)
        self._live = 0
        self._places = Places(self.limits.subscriptions)
        self._used = asyncio.Event()
        self._settled = asyncio.Event()
        self._patience = 0.0
        if limits_of is None:
            self._settled.set()

    # The relay's limits

    async def run(self) -> None:
        """Find out what the relay takes, once it is asked anything. Never raises by itself."""
        try:
            await self._used.wait()
            usual = self.limits
            # Whatever goes wrong there, the usual limits do.
            found = await asyncio.gather(self._find_limits(), return_exceptions=True)
            if isinstance(found[0], Limits) and self.limits is usual:
                self._obey(found[0])
        finally:
            self._settled.set()

    async def _find_limits(self) -> Limits | None:
        return None if self._limits_of is None else await self._limits_of(self.url)

    def make_room(self, live: int) -> None:
        """Leave room for so many live subscriptions beside the questions."""
        self._live = live
        self._obey(self.limits)

    def _obey(self, limits: Limits) -> None:
        self.limits = limits
        self.session.subid_length = limits.subid_length
        self._places.allow(max(1, limits.subscriptions - self._live))

    # Asking

    async def opened(self, end: float) -> Question | None:
        """Wait for the connection and what the relay takes; return the ending without either."""
        if not self._used.is_set():
            self._used.set()
            self._patience = asyncio.get_running_loop().time() + _LIMITS_SECONDS
        try:
            async with asyncio.timeout_at(end):
                is_ready = await self._publisher.ready()
        except TimeoutError:
            return Question(finish=Finish.TIMEOUT, reason="no connection in time")
        if not is_ready:
            return Question(finish=Finish.UNREACHABLE, reason=self._connection.why_not)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(end, self._patience)):
                await self._settled.wait()
        return None

    async def ask(
        self, send: Callable[[], str], end: float, *, reply: Reply | None = None
    ) -> Question:
        """Ask, in turn; again within tighter limits, when they cure what the relay complains of.

        `send` names what it sent; after each message that has to be answered (NIP-77) `reply` is
        given that name and the question: it goes on or ends it. A question that itself has to be
        made smaller is returned as REFUSED.
        """
        got = Question()
        for _ in range(MOST_TRIES):
            try:
                async with asyncio.timeout_at(end):
                    await self._places.take()
            except TimeoutError:
                return Question(finish=Finish.TIMEOUT, reason="not everything came in time")
            try:
                got = await self._ask(partial(self._answer, send, end, reply), end)
            finally:
                self._places.leave()
            if not self._heeded(got) or self.outgrew(got.limits):
                break
        return got

    def outgrew(self, limits: Limits) -> bool:
        """Whether what was asked within `limits` has to be asked differently now."""
        now = self.limits
        return (now.page, now.message_bytes, now.values) != (
            limits.page,
            limits.message_bytes,
            limits.values,
        )

    def _heeded(self, got: Question) -> bool:
        """Whether a refusal is one that tighter limits cure; they are obeyed from here on."""
        if got.finish is not Finish.REFUSED or got.has_begun:
            return False
        tighter = learned(got.limits, got.reason)
        if tighter is not None and got.limits is self.limits:
            # Those that were asked before that are refused for the same: once is enough.
            self._obey(tighter)
        return tighter is not None

    async def _ask(self, answer: Callable[[], Awaitable[Question]], end: float) -> Question:
        """Ask; on a new connection once more, if this one had ended unnoticed.

        Relays close idle connections. That is no failure of the question that finds out.
        """
        reused = self._connection.is_open and self._connection.is_used
        got = await self._ask_once(answer, end)
        if reused and got.finish is Finish.LOST and not got.has_begun:
            got = await self._ask_once(answer, end)
        return got

    async def _ask_once(self, answer: Callable[[], Awaitable[Question]], end: float) -> Question:
        """Ask; again after saying who we are, when that is what the relay wants (NIP-42)."""
        if (failed := await self.opened(end)) is not None:
            return failed
        got = await answer()
        if prefix_of(got.reason) == "auth-required" and await self._publisher.authenticated():
            got = await answer()
        return got

    async def _answer(self, send: Callable[[], str], end: float, reply: Reply | None) -> Question:
        """Wait for the end of a question; `reply` each time that it is our turn."""
        name = send()
        question = Question(limits=self.limits, in_turns=reply is not None)
        self._connection.flush()
        try:
            with self._hearing.listening(name, question):
                await self._hearing.wait(question, end)
                while question.finish is None and reply is not None:
                    await reply(name, question)
                    question.heard_at = asyncio.get_running_loop().time()
                    self._connection.flush()
                    await self._hearing.wait(question, end)
        finally:
            self.session.close(name)
            self._connection.flush()
        self.largest = max(self.largest, len(question.events))
        return question

    # What the connection tells

    def heard(self, message: Said | Malformed, size: int) -> None:
        """Add a message of `size` bytes to its answer."""
        self._hearing.heard(message, size, self.limits)

    def noticed(self, words: str) -> None:
        """Take a NOTICE for a refusal, if it complains of what was asked."""
        self._hearing.noticed(words)

    def ended(self) -> None:
        """End every question: the connection has ended."""
        self._hearing.ended()
