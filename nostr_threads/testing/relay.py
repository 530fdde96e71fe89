"""`FaultyRelay`: a real relay on a real port, with its faults as knobs.

Knows where faults reach into `relayd`. What they do to messages is in `faults`.
"""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import TYPE_CHECKING

from nostr_threads.core.messages import (
    Delivered,
    Malformed,
    NegClose,
    NegMsg,
    NegOpen,
    Ok,
    Publish,
    Request,
)
from nostr_threads.core.wire import decode_client_message
from nostr_threads.relayd.conversation import HangUp, Hooks
from nostr_threads.relayd.limits import Limits
from nostr_threads.relayd.server import RelayServer
from nostr_threads.testing.faults import Faults, distort
from nostr_threads.testing.reconciling import WrongTalks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from types import TracebackType
    from typing import Self

    from nostr_threads.core.event import Verified
    from nostr_threads.core.messages import ClientMessage
    from nostr_threads.relayd.acceptance import Accept
    from nostr_threads.relayd.conversation import Frame
    from nostr_threads.relayd.protocol import ClientConnection
    from nostr_threads.store.base import Store

__all__ = ["FaultyRelay"]


class FaultyRelay:
    """A relay over `store` on a free local port, as an async context manager.

    `faults` may be replaced at any time; open connections follow. `received` holds every message
    that clients sent, in the order of arrival, and `accepted_connections` counts the handshakes
    that were let through. `wait` is asked to let `Faults.slow` seconds pass: hand it a
    `ManualClock.wait`.
    """

    def __init__(
        self,
        store: Store,
        faults: Faults = Faults(),  # noqa: B008 - frozen, so it can be shared
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen, so it can be shared
        accept: Accept | None = None,
        clock: Callable[[], float] = time.time,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.faults = faults
        self.store = store
        self.received: list[ClientMessage | Malformed] = []
        self.accepted_connections = 0
        self._published = count()
        self._asked = count()
        self._wait = wait
        self._server = RelayServer(
            store,
            limits=limits,
            accept=accept,
            auth="required" if faults.auth_required else "off",
            clock=clock,
            hooks=Hooks(admit=self._admit, converse=self._converse, pace=self._pace),
        )

    @property
    def url(self) -> str:
        """Where it listens: `ws://127.0.0.1:port`."""
        return self._server.url

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return self._server.connections

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    def broadcast(self, event: Verified) -> None:
        """Send an event to every subscription that it matches, without storing it."""
        self._server.broadcast(event)

    def drop_connections(self) -> None:
        """Cut every open connection now."""
        self._server.cut_all()

    def next_publication(self) -> int:
        """Return how many EVENT messages came before this one, over all connections."""
        return next(self._published)

    def next_question(self) -> int:
        """Return how many REQ messages came before this one, over all connections."""
        return next(self._asked)

    def _admit(self) -> str | None:
        return "refused" if self.faults.refuse_connections else None

    def _converse(self, connection: ClientConnection) -> _FaultyConversation:
        number = self.accepted_connections
        self.accepted_connections += 1
        return _FaultyConversation(self, connection, number)

    async def _pace(self) -> None:
        if self.faults.slow:
            await self._wait(self.faults.slow)


class _FaultyConversation:
    """A `Conversation` around an honest one."""

    def __init__(self, relay: FaultyRelay, honest: ClientConnection, number: int) -> None:
        self._number = number
        self._relay = relay
        self._honest = honest
        self._talks = WrongTalks(relay.store)
        # Asked from two threads; `next` is one step of the interpreter, `+= 1` is not.
        self._sent = count()

    def greet(self) -> list[Frame]:
        return self._faulty(self._honest.greet())

    def receive(self, data: str | bytes, now: float) -> list[Frame]:
        message = decode_client_message(data)
        self._relay.received.append(message)
        if isinstance(message, Publish) and (verdict := self._verdict(message)) is not None:
            return self._faulty([verdict])
        if isinstance(message, NegOpen | NegMsg | NegClose):
            wrong = self._talks.answer(message, self._relay.faults, int(now))
            if wrong is not None:
                return self._faulty(wrong)
        answers = [*self._honest.receive(data, now)]
        if isinstance(message, Request) and self._relay.faults.forgets(self._relay.next_question()):
            answers = [frame for frame in answers if not isinstance(frame, Delivered)]
        return self._faulty(answers)

    def events_accepted(self) -> list[Verified]:
        return self._honest.events_accepted()

    def broadcast(self, event: Verified) -> list[Frame]:
        return self._faulty(self._honest.broadcast(event))

    def _verdict(self, message: Publish) -> Ok | None:
        """Answer an EVENT that the honest relay must not hear of, or return None."""
        faults, number = self._relay.faults, self._relay.next_publication()
        if faults.rejects(number):
            return Ok(message.event.id, False, faults.reject_with)
        return Ok(message.event.id, True) if faults.ok_but_not_stored else None

    def _faulty(self, messages: Sequence[Frame]) -> list[Frame]:
        made = distort(messages, self._relay.faults)
        most = self._relay.faults.drops_after(self._number)
        if most is None:
            return made
        numbered = [(next(self._sent), frame) for frame in made]
        kept = [frame for number, frame in numbered if number < most]
        reached = most == 0 or any(number >= most - 1 for number, _ in numbered)
        return [*kept, HangUp()] if reached else kept
