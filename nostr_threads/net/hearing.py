"""Who waits for which answer on one connection, and what comes in for it.

Knows the questions that are under way, and how much may wait. Knows nothing of how they are asked
or of what follows from their endings.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.coverage import Finish
from nostr_threads.core.limits import learned
from nostr_threads.core.messages import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.limits import Limits
    from nostr_threads.core.messages import Closed, CountResult, Delivered, Eose, NegErr, NegMsg
    from nostr_threads.net.question import Question

    Said: TypeAlias = Delivered | Eose | Closed | CountResult | NegMsg | NegErr

__all__ = ["Hearing", "Said"]

# Bytes of all answers that are under way on a connection.
_MOST_WAITING = 32 * 2**20

# What relays say to a verb that they do not know, or that is switched off (strfry, nostr-rs-relay,
# khatru and others): a NOTICE, which names no subscription.
_NOT_KNOWN = re.compile(
    r"unknown|unrecogni[sz]ed|unsupported|not (?:supported|implemented|enabled)|disabled"
    r"|bad (?:msg|message|command)|invalid|malformed|unexpected|unhandled|pars(?:e|ing)"
)
_ABOUT_IT = re.compile(r"\bneg(?:entropy|-|\b)")
_MOST_WORDS = 300


class Hearing:
    """The questions under way. `idle` is how many seconds of silence an answer may have."""

    def __init__(self, *, idle: float) -> None:
        self._idle = idle
        self._questions: dict[str, Question] = {}
        self._size = 0
        self._echoes = 0

    @contextmanager
    def listening(self, name: str, question: Question) -> Iterator[None]:
        """Hand what comes for `name` to the question."""
        question.heard_at = asyncio.get_running_loop().time()
        self._questions[name] = question
        try:
            yield
        finally:
            del self._questions[name]
            self._size -= question.size

    async def wait(self, question: Question, end: float) -> None:
        """Wait while it is the relay's turn, until `end` and no longer in silence than allowed."""
        while question.is_waiting:
            deadline = min(end, question.heard_at + self._idle)
            try:
                async with asyncio.timeout_at(deadline):
                    await question.woken.wait()
            except TimeoutError:
                # What came meanwhile has moved it.
                if deadline >= min(end, question.heard_at + self._idle):
                    question.end(Finish.TIMEOUT, "no end of the answer in time")

    def heard(self, message: Said | Malformed, size: int, limits: Limits) -> None:
        """Add a message of `size` bytes to its answer; `limits` are those of now."""
        about = message.subject if isinstance(message, Malformed) else message.subscription
        question = self._questions.get(about)
        if question is None:
            return
        question.heard_at = asyncio.get_running_loop().time()
        if question.limits is limits:
            # Relays answer in order: what was refused before has been complained of by now.
            self._echoes = 0
        self._size -= question.size
        if isinstance(message, Malformed):
            question.miss(size)
        else:
            question.note(message, size)
        self._size += question.size
        if self._size > _MOST_WAITING:
            question.end(Finish.LIMITED, "the relay sent too much at once")

    def noticed(self, words: str) -> None:
        """Take a NOTICE for a refusal, if it complains of something that smaller questions cure.

        It names no question, and strfry sends nothing else to a subscription too many. Whichever it
        refused is among those that have no answer yet. One asked again in vain costs little, one
        that is refused and waits costs all the time there is: so all of these are asked again. The
        same complaint about the others of them is then to be expected.
        """
        silent = [question for question in self._questions.values() if question.is_silent]
        tighter = learned(silent[-1].limits, words) if silent else None
        if tighter is None:
            self._doubt(words)
            return
        if self._echoes:
            self._echoes -= 1
            return
        if tighter.subscriptions == silent[-1].limits.subscriptions:
            # About the size of one question: most likely the last.
            silent = silent[-1:]
        self._echoes = len(silent) - 1
        for question in silent:
            question.end(Finish.REFUSED, words)

    def _doubt(self, words: str) -> None:
        """End reconciliations that a NOTICE says the relay does not know (NIP-77 is optional)."""
        said = words[:_MOST_WORDS].lower()
        is_about_it = _ABOUT_IT.search(said) is not None
        if not is_about_it and _NOT_KNOWN.search(said) is None:
            return
        for question in self._questions.values():
            if question.in_turns and (is_about_it or question.is_silent):
                question.end(Finish.REFUSED, words)

    def ended(self) -> None:
        """End every question: the connection has ended."""
        for question in self._questions.values():
            question.end(Finish.LOST, "the connection was lost")
