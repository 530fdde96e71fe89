"""One relay: the questions put to it and the events sent to it, each with its ending.

Knows who waits for which message, deadlines and NIP-42. The connection is kept by `connection`;
which messages may come when is the session's to know. Only verified events leave this module.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.delivery import Status
from nostr_threads.core.event import verify
from nostr_threads.core.pages import PAGE, Page, pages
from nostr_threads.core.session import RelaySession
from nostr_threads.core.wire import (
    Closed,
    CountResult,
    Delivered,
    Eose,
    Malformed,
    Ok,
    prefix_of,
)
from nostr_threads.errors import InvalidEvent
from nostr_threads.net.connection import STOPPED, Connection
from nostr_threads.net.question import MOST_WORDS, Question, verified
from nostr_threads.net.transport import open_websocket

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.wire import RelayMessage
    from nostr_threads.net.transport import Connect

__all__ = ["Authenticate", "Relay", "RelayOptions", "Timeouts"]

Authenticate: TypeAlias = "Callable[[str, str], Awaitable[Verified | None]]"
"""Given the relay's URL and its challenge, sign a kind 22242, or None to stay unknown."""


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """How to treat one relay: the `proxy` (a URL, "" for the environment's), and when to
    authenticate (NIP-42): when it refuses otherwise ("ask"), as soon as it asks, or never.
    """

    proxy: str = ""
    auth: Literal["ask", "always", "never"] = "ask"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines in seconds: `idle` for a silence within an answer, `answer` for all of it."""

    connect: float = 10.0
    idle: float = 10.0
    answer: float = 60.0
    ok: float = 10.0


# A live subscription that nobody reads holds the reader of its relay back at this many events.
_LIVE_QUEUE = 1000
# Relays allow some twenty subscriptions on a connection; a few are left for live ones.
_AT_ONCE = 10
# Bytes of all answers that are under way on a connection.
_MOST_WAITING = 32 * 2**20


class Relay:
    """One relay, by its normalised URL. `run` must be running for anything else to return.

    The connection is made when it is first needed, and kept until `run` is cancelled.
    """

    def __init__(
        self,
        url: str,
        *,
        options: RelayOptions | None = None,
        timeouts: Timeouts | None = None,
        authenticate: Authenticate | None = None,
        connect: Connect = open_websocket,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.url = url
        self.options = options or RelayOptions()
        self._timeouts = timeouts or Timeouts()
        self._authenticate = authenticate
        self._session = RelaySession()
        self._connection = Connection(
            self._session,
            self,
            connect=lambda: connect(url, self._timeouts.connect, self.options.proxy),
            jitter=jitter,
        )
        self._questions: dict[str, Question] = {}
        self._live: dict[str, asyncio.Queue[Event | Closed]] = {}
        self._oks: dict[str, asyncio.Future[Ok | None]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._authenticating = asyncio.Lock()
        self._answered: tuple[str, bool] | None = None
        self._largest = 0

    @property
    def malformed(self) -> int:
        """How many messages broke the rules."""
        return self._session.malformed

    async def run(self) -> None:
        """Keep the connection while it is wanted. Runs until cancelled; never raises by itself."""
        await self._connection.run()

    async def fetch(
        self, question: Filter, *, page: int = PAGE, seconds: float | None = None
    ) -> Answer:
        """Ask for everything that matches, page by page, for `seconds` or the time of one answer.

        Never raises: see `Answer.finish`. What came before the time was over is in the answer.
        """
        got: list[Page] = []
        end = self._end(seconds)
        async with self._places:
            finish, reason = await self._pages(question, page, end, got)
        events = {event.id: event for each in got for event in each.events}
        refused, size = sum(each.refused for each in got), sum(each.size for each in got)
        return Answer(self.url, finish, tuple(events.values()), reason, refused, size)

    async def _pages(
        self, question: Filter, page: int, end: float, got: list[Page]
    ) -> tuple[Finish, str]:
        """Ask page after page until `end`, adding each to `got`; return how the last one ended."""
        clock = asyncio.get_running_loop()
        plan = pages(question, page=page, largest=self._largest)
        try:
            asked = next(plan)
            while clock.time() < end:
                got.append(await self._page(asked, end))
                asked = plan.send(got[-1])
        except StopIteration as ended:
            ending: tuple[Finish, str] = ended.value
            return ending
        return Finish.TIMEOUT, "not everything came in time"

    def _end(self, seconds: float | None = None) -> float:
        most = self._timeouts.answer
        return asyncio.get_running_loop().time() + (most if seconds is None else min(most, seconds))

    async def sample(self, question: Filter) -> Answer:
        """Ask once, and be content with what comes: for a look at a relay, not for finding."""
        async with self._places:
            got = await self._page(question, self._end())
        return Answer(self.url, got.finish, got.events, got.reason, got.refused, got.size)

    async def count(self, question: Filter) -> int | None:
        """Ask how many events match (NIP-45); None when the relay would not or could not say."""
        async with self._places:
            asked = await self._ask(lambda: self._session.count((question,)), self._end())
        return asked.count

    async def publish(self, event: Verified) -> tuple[Status, str]:
        """Send one event and wait for its OK. Returns what became of it, and the relay's words."""
        reused = self._connection.is_open
        if not await self._ready():
            return Status.UNREACHABLE, self._why_not
        lost = self._connection.lost
        ok = await self._send_event(event, self._session.publish)
        if ok is None and reused and self._connection.lost != lost and await self._ready():
            ok = await self._send_event(event, self._session.publish)
        if _asks_who(ok) and await self._authenticated():
            ok = await self._send_event(event, self._session.publish)
        if ok is None:
            return Status.NO_ANSWER, "no OK came"
        if prefix_of(ok.reason) == "duplicate":
            return Status.DUPLICATE, ok.reason[:MOST_WORDS]
        return (Status.ACCEPTED if ok.accepted else Status.REJECTED), ok.reason[:MOST_WORDS]

    async def follow(self, *filters: Filter) -> AsyncGenerator[Verified]:
        """Yield what is stored, then what comes in, over any number of connections.

        After a reconnect everything is asked again, so the same event may come twice. Ends when the
        relay closes the subscription, or `run` has ended. Use it inside `contextlib.aclosing`.
        """
        queue: asyncio.Queue[Event | Closed] = asyncio.Queue(_LIVE_QUEUE)
        name = self._listen(filters, queue)
        try:
            while True:
                item = await queue.get()
                if not isinstance(item, Closed):
                    with suppress(InvalidEvent):
                        yield verify(item)
                elif prefix_of(item.reason) == "auth-required" and await self._authenticated():
                    del self._live[name]
                    name = self._listen(filters, queue)
                else:
                    return
        finally:
            del self._live[name]
            self._session.close(name)
            self._connection.flush()
            # The reader may be waiting for room in it.
            _drain(queue)

    def _listen(self, filters: tuple[Filter, ...], queue: asyncio.Queue[Event | Closed]) -> str:
        name = self._session.request(filters, live=True)
        self._live[name] = queue
        self._connection.want()
        self._connection.flush()
        if self._connection.is_stopped:
            queue.put_nowait(Closed(name, STOPPED))
        return name

    async def _ready(self) -> bool:
        """Wait until there is a connection, or it is known that there is none."""
        is_open = await self._connection.ready()
        if is_open and self.options.auth == "always":
            await self._authenticated()
        return self._connection.is_open

    @property
    def _why_not(self) -> str:
        return self._connection.failure or "no connection"

    # What the connection tells

    async def heard(self, message: RelayMessage | Malformed, size: int) -> None:
        """Hand a message to whoever waits for it."""
        match message:
            case Ok():
                waiting = self._oks.get(message.event_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case Delivered() | Closed() if queue := self._live.get(message.subscription):
                await queue.put(message if isinstance(message, Closed) else message.event)
            case Malformed() if (missed := self._questions.get(message.subject)) is not None:
                missed.miss(size)
            case Delivered() | Eose() | Closed() | CountResult():
                if (question := self._questions.get(message.subscription)) is not None:
                    question.note(message, size)
                    if sum(each.size for each in self._questions.values()) > _MOST_WAITING:
                        question.end(Finish.LIMITED, "the relay sent too much at once")

    def ended(self) -> None:
        """End everything that waits for an answer; what follows is asked again by itself."""
        self._answered = None
        for question in self._questions.values():
            question.end(Finish.LOST, "the connection was lost")
        for waiting in self._oks.values():
            if not waiting.done():
                waiting.set_result(None)

    def stopped(self) -> None:
        """End what follows, too."""
        for name, queue in self._live.items():
            _drain(queue)
            queue.put_nowait(Closed(name, STOPPED))

    def follows(self) -> bool:
        """Whether anybody follows this relay."""
        return bool(self._live)

    # One exchange

    async def _answer(self, name: str, end: float) -> Question:
        """Wait for the end of a question, until `end` and no longer in silence than is allowed."""
        question = self._questions[name] = Question()
        self._connection.flush()
        try:
            async with asyncio.timeout_at(end):
                while question.finish is None:
                    question.changed.clear()
                    async with asyncio.timeout(self._timeouts.idle):
                        await question.changed.wait()
        except TimeoutError:
            question.end(Finish.TIMEOUT, "no end of the answer in time")
        finally:
            del self._questions[name]
            self._session.close(name)
            self._connection.flush()
        return question

    async def _page(self, asked: Filter, end: float) -> Page:
        """Ask one page, and keep of it what is true."""
        got = await self._ask(lambda: self._session.request((asked,)), end)
        events, forged, lost = await verified(got.events)
        self._largest = max(self._largest, len(got.events))
        return Page(
            events,
            sent=len(got.events) + got.in_vain,
            finish=got.finish or Finish.LOST,
            hints=got.hints,
            reason=got.reason,
            refused=forged + got.in_vain,
            size=got.size,
            lacks=lost or got.in_vain > 0,
        )

    async def _ask(self, send: Callable[[], str], end: float) -> Question:
        """Ask; on a new connection once more, if this one had ended unnoticed.

        Relays close idle connections. That is no failure of the question that finds out.
        """
        reused = self._connection.is_open
        got = await self._ask_once(send, end)
        if reused and got.finish is Finish.LOST and not got.events:
            got = await self._ask_once(send, end)
        return got

    async def _ask_once(self, send: Callable[[], str], end: float) -> Question:
        """Ask; again after saying who we are, when that is what the relay wants (NIP-42)."""
        try:
            async with asyncio.timeout_at(end):
                is_ready = await self._ready()
        except TimeoutError:
            return Question(finish=Finish.TIMEOUT, reason="no connection in time")
        if not is_ready:
            return Question(finish=Finish.UNREACHABLE, reason=self._why_not)
        got = await self._answer(send(), end)
        if prefix_of(got.reason) == "auth-required" and await self._authenticated():
            got = await self._answer(send(), end)
        return got

    async def _send_event(self, event: Verified, send: Callable[[Verified], None]) -> Ok | None:
        """Send, and wait for the OK; None when none came."""
        waiting = self._oks.get(event.id)
        if waiting is None:
            waiting = self._oks[event.id] = asyncio.get_running_loop().create_future()
            send(event)
            self._connection.flush()
        try:
            async with asyncio.timeout(self._timeouts.ok):
                # Shared by all who publish this event now; one that gives up leaves it to the rest.
                return await asyncio.shield(waiting)
        except TimeoutError:
            return None
        finally:
            self._session.forget(event.id)
            self._oks.pop(event.id, None)

    async def _authenticated(self) -> bool:
        """Answer the relay's challenge, once for each challenge (NIP-42)."""
        async with self._authenticating:
            challenge = self._session.challenge
            if challenge is None or self.options.auth == "never":
                return False
            if self._answered is None or self._answered[0] != challenge:
                self._answered = challenge, await self._answer_challenge(challenge)
            return self._answered[1]

    async def _answer_challenge(self, challenge: str) -> bool:
        if self._authenticate is None:
            return False
        event = await self._authenticate(self.url, challenge)
        if event is None:
            return False
        ok = await self._send_event(event, self._session.authenticate)
        return ok is not None and ok.accepted


def _asks_who(ok: Ok | None) -> bool:
    return ok is not None and not ok.accepted and prefix_of(ok.reason) == "auth-required"


def _drain(queue: asyncio.Queue[Event | Closed]) -> None:
    while not queue.empty():
        queue.get_nowait()
