"""One relay: everything that can be asked of it and sent to it, over one connection.

Knows which part of it a message is for. What the parts do is in `asking`, `paging`, `publishing`
and `following`; which messages may come when is the session's to know. Only verified events leave
this module.
"""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import TYPE_CHECKING

from nostr_threads.core.messages import (
    Closed,
    CountResult,
    Delivered,
    Eose,
    Malformed,
    NegErr,
    NegMsg,
    Notice,
    Ok,
)
from nostr_threads.core.session import RelaySession
from nostr_threads.net import paging, reconciling
from nostr_threads.net.asking import Asker
from nostr_threads.net.connection import Connection
from nostr_threads.net.following import Follower
from nostr_threads.net.options import Authenticate, LimitsOf, RelayOptions, Timeouts
from nostr_threads.net.publishing import Publisher
from nostr_threads.net.transport import MAX_MESSAGE, open_websocket

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, MutableMapping, Sequence

    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.delivery import Status
    from nostr_threads.core.difference import Difference
    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.messages import RelayMessage
    from nostr_threads.core.negentropy import Items
    from nostr_threads.net.transport import Connect

__all__ = ["Authenticate", "LimitsOf", "Relay", "RelayOptions", "Timeouts"]


class Relay:
    """One relay, by its normalised URL. `run` must be running for anything else to return.

    The connection is made when it is first needed, and kept until `run` is cancelled. `limits_of`
    is asked at the same time.
    """

    def __init__(
        self,
        url: str,
        *,
        options: RelayOptions | None = None,
        timeouts: Timeouts | None = None,
        authenticate: Authenticate | None = None,
        limits_of: LimitsOf | None = None,
        connect: Connect = open_websocket,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.url = url
        self._timeouts = timeouts = timeouts or Timeouts()
        self._session = session = RelaySession()
        self._connection = connection = Connection(
            session,
            self,
            connect=lambda: connect(url, timeouts.connect, self.options.proxy),
            jitter=jitter,
        )
        self._publisher = publisher = Publisher(
            url,
            session,
            connection,
            options=options or RelayOptions(),
            timeouts=timeouts,
            authenticate=authenticate,
        )
        self._asker = Asker(
            url, session, connection, publisher, timeouts=timeouts, limits_of=limits_of
        )
        self._follower = Follower(session, connection, publisher, changed=self._asker.make_room)

    @property
    def options(self) -> RelayOptions:
        """How it is treated; may be replaced at any time."""
        return self._publisher.options

    @options.setter
    def options(self, options: RelayOptions) -> None:
        self._publisher.options = options

    @property
    def malformed(self) -> int:
        """How many messages broke the rules."""
        return self._session.malformed

    @property
    def why_not(self) -> str:
        """Why there is no connection, "" where there is one."""
        return self._connection.why_not

    async def run(self) -> None:
        """Keep the connection while it is wanted. Runs until cancelled; never raises by itself."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._asker.run())
            await self._connection.run()

    # What it can be asked and told

    async def fetch(
        self,
        question: Filter,
        *,
        page: int | None = None,
        seconds: float | None = None,
        known: MutableMapping[str, Verified] | None = None,
        trusting: bool = True,
        arrived: Callable[[Sequence[Verified]], None] = lambda _: None,
    ) -> Answer:
        """Ask for everything that matches, page by page, for `seconds` or the time of one answer.

        Never raises: see `Answer.finish`. What came before the time was over is in the answer.
        `known` holds events by id that were verified before, at whichever relay: they are not
        verified again, and what is verified here is added. Without `trusting`, NIP-67's "finish"
        proves nothing. `arrived` is told of the events of each page, before the next one is there.
        """
        return await paging.fetch(
            self._asker,
            question,
            page=page,
            end=self._end(seconds),
            known={} if known is None else known,
            trusting=trusting,
            arrived=arrived,
        )

    async def sample(self, question: Filter) -> Answer:
        """Ask once, and be content with what comes: for a look at a relay, not for finding."""
        return await paging.sample(self._asker, question, self._end())

    async def count(self, question: Filter, *, seconds: float | None = None) -> int | None:
        """Ask how many events match (NIP-45), for `seconds` or the time of one answer.

        None when the relay would not or could not say, or says that it only guesses.
        """
        send = partial(self._session.count, (question,))
        return (await self._asker.ask(send, self._end(seconds))).count

    async def reconcile(
        self,
        question: Filter,
        items: Items,
        *,
        seconds: float | None = None,
        most: int = reconciling.MOST_IDS,
    ) -> Difference:
        """Find what the relay and `items` do not share of what `question` matches (NIP-77).

        For `seconds` or the time of one answer. `items` must be all that we have of it: what is
        not among them counts as wanting. Never raises: see `Difference.finish`. A relay that names
        more than `most` ids is LIMITED.
        """
        end = self._end(seconds)
        return await reconciling.reconcile(self._asker, question, items, end=end, most=most)

    async def publish(self, event: Verified) -> tuple[Status, str]:
        """Send one event and wait for its OK. Returns what became of it, and the relay's words."""
        return await self._publisher.publish(event)

    def follow(
        self,
        *filters: Filter,
        listening: Callable[[], None] = lambda: None,
        closed: Callable[[str], None] = lambda _: None,
        largest: int = MAX_MESSAGE,
    ) -> AsyncGenerator[Verified]:
        """Yield what is stored, then what comes in, over any number of connections.

        After a reconnect everything is asked again, so the same event may come twice. `listening`
        is called on each connection, once what is stored was sent: from then on nothing is missed
        until it is lost. Messages of more than `largest` bytes are passed over. Ends when the relay
        closes the subscription, which `closed` is told in the relay's words, or `run` has ended.
        Use it inside `contextlib.aclosing`.
        """
        return self._follower.follow(filters, listening, closed, largest)

    async def reach(self) -> bool:
        """Connect if there is no connection; whether there is one then. Never raises."""
        return await self._publisher.ready()

    def _end(self, seconds: float | None = None) -> float:
        most = self._timeouts.answer
        return asyncio.get_running_loop().time() + (most if seconds is None else min(most, seconds))

    # What the connection tells

    async def heard(self, message: RelayMessage | Malformed, size: int) -> None:
        """Hand a message to whoever waits for it."""
        match message:
            case Delivered() | Eose() | Closed() if self._follower.owns(message.subscription):
                await self._follower.heard(message, size)
            case Delivered() | Eose() | Closed() | CountResult() | Malformed():
                self._asker.heard(message, size)
            case NegMsg() | NegErr():
                self._asker.heard(message, size)
            case Ok():
                self._publisher.heard(message)
            case Notice():
                self._asker.noticed(message.text)

    def ended(self) -> None:
        """End everything that waits for an answer; what follows is asked again by itself."""
        self._publisher.ended()
        self._asker.ended()

    def stopped(self) -> None:
        """End what follows, too."""
        self._follower.stopped()

    def follows(self) -> bool:
        """Whether anybody follows this relay."""
        return self._follower.is_needed
