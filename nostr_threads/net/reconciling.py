"""What one relay and we do not share, found in turns without sending what we do (NIP-77).

Knows when to go on, and when a relay leads nowhere. The messages are `core.negentropy`'s; places,
deadlines and refusals are `asking`'s. Whether a relay has what it names shows when it is asked.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core import negentropy
from nostr_threads.core.coverage import Finish
from nostr_threads.core.difference import Difference
from nostr_threads.core.negentropy import FRAME_LIMIT, BadMessage
from nostr_threads.net.asking import MOST_TRIES

if TYPE_CHECKING:
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.limits import Limits
    from nostr_threads.core.negentropy import Items, Step
    from nostr_threads.net.asking import Asker
    from nostr_threads.net.question import Question

__all__ = ["MOST_IDS", "reconcile"]

MOST_IDS = 1_000_000
"""Ids that a relay may name: as many as strfry compares at most."""

# Bytes of a message around what is in it, and the shortest that the protocol allows.
_ENVELOPE = 100
_LEAST_FRAME = 4_096
# Each level of cutting leaves a sixteenth, from both sides: after fewer rounds than this the first
# range that differs is down to ids.
_MOST_IN_VAIN = 32
_MOST_ROUNDS = 10_000
# Bytes of a message that is read in less time than it takes to wake a thread.
_SHORT = 2_048


async def reconcile(
    asker: Asker, question: Filter, items: Items, *, end: float, most: int = MOST_IDS
) -> Difference:
    """Compare `items`, all that we have of what `question` matches, with what the relay has.

    Never raises for what a relay does. REFUSED is one that does not do it, or not now; TIMEOUT,
    LOST and LIMITED leave what was learned before: LIMITED is one whose answers come to no end, or
    that names more than `most` ids. The question takes one place, until `end`.
    """
    if (failed := await asker.opened(end)) is not None:
        return Difference(asker.url, failed.finish or Finish.LOST, failed.reason)
    talk = _Talk(asker, question, items, most)
    for _ in range(MOST_TRIES):
        limits = asker.limits
        got = await asker.ask(talk.open, end, reply=talk.reply)
        # Nothing but the length of its messages can be made to suit the relay.
        if got.finish is not Finish.REFUSED or _frame(limits) == _frame(asker.limits):
            break
    return talk.outcome(got)


def _frame(limits: Limits) -> int:
    """Return how many bytes a message may have: two digits each go over the wire."""
    return min(FRAME_LIMIT, max(_LEAST_FRAME, (limits.message_bytes - _ENVELOPE) // 2))


@dataclass(slots=True, eq=False)
class _Talk:
    """One reconciliation, which may have to begin again."""

    asker: Asker
    question: Filter
    items: Items
    most: int
    have: dict[bytes, None] = field(default_factory=dict)
    need: dict[bytes, None] = field(default_factory=dict)
    rounds: int = 0
    in_vain: int = 0
    sent: int = 0
    received: int = 0

    def open(self) -> str:
        """Begin, or begin again; return the subscription's name."""
        self.have, self.need, self.rounds, self.in_vain = {}, {}, 0, 0
        message = negentropy.initiate(self.items, frame_limit=_frame(self.asker.limits))
        self.sent += 2 * len(message)
        return self.asker.session.reconcile(self.question, message)

    async def reply(self, name: str, got: Question) -> None:
        """Take the relay's message, and go on or end."""
        message = bytes.fromhex(got.take())
        self.received += 2 * len(message)
        self.rounds += 1
        try:
            step = await self._step(message)
        except BadMessage as error:
            # One whose first message makes no sense does not speak this protocol.
            known = Finish.REFUSED if self.rounds == 1 else Finish.LIMITED
            got.end(known, f"the relay's message makes no sense: {error}")
            return
        self._learn(step)
        if step.reply is None:
            got.end(Finish.COMPLETE)
        elif (reason := self._why_not_go_on()) is not None:
            got.end(Finish.LIMITED, reason)
        else:
            self.sent += 2 * len(step.reply)
            self.asker.session.say(name, step.reply)

    async def _step(self, message: bytes) -> Step:
        frame = _frame(self.asker.limits)
        if len(message) <= _SHORT:
            return negentropy.reconcile(self.items, message, frame_limit=frame)
        return await asyncio.to_thread(negentropy.reconcile, self.items, message, frame_limit=frame)

    def _learn(self, step: Step) -> None:
        before = len(self.have) + len(self.need)
        self.have.update(dict.fromkeys(step.have))
        self.need.update(dict.fromkeys(step.need))
        is_in_vain = len(self.have) + len(self.need) == before
        self.in_vain = self.in_vain + 1 if is_in_vain else 0

    def _why_not_go_on(self) -> str | None:
        if len(self.need) > self.most:
            return f"the relay names more than {self.most} ids"
        if self.in_vain > _MOST_IN_VAIN or self.rounds >= _MOST_ROUNDS:
            return f"the relay's answers come to no end, after {self.rounds} rounds"
        return None

    def outcome(self, got: Question) -> Difference:
        """Return what was learned, and how it ended."""
        return Difference(
            self.asker.url,
            got.finish or Finish.LOST,
            got.reason,
            tuple(self.have),
            tuple(self.need),
            self.rounds,
            self.sent,
            self.received,
        )
