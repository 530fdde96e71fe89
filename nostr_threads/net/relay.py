"""One relay: a connection that comes and goes, and the questions and events that go over it.

Drives a `RelaySession` with one reader and one writer task. Knows deadlines, reconnects and NIP-42;
what a message means is the session's to know. Only verified events leave this module.
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
from nostr_threads.net.question import Question, verified
from nostr_threads.net.transport import Disconnected, Unreachable, open_websocket

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.wire import RelayMessage
    from nostr_threads.net.transport import Connect, Transport

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
_BACKOFF_SECONDS = 60.0
_STOPPED = "the connection is no longer kept"


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
        self._options = options or RelayOptions()
        self._timeouts = timeouts or Timeouts()
        self._authenticate = authenticate
        self._connect = connect
        self._jitter = jitter
        self._session = RelaySession()
        self._questions: dict[str, Question] = {}
        self._live: dict[str, asyncio.Queue[Event | Closed]] = {}
        self._oks: dict[str, asyncio.Future[Ok | None]] = {}
        self._wanted = asyncio.Event()
        self._writable = asyncio.Event()
        self._settled = asyncio.Event()
        self._failure: str | None = None
        self._ended = 0
        self._stopped = False
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._authenticating = asyncio.Lock()
        self._answered: tuple[str, bool] | None = None

    @property
    def malformed(self) -> int:
        """How many messages broke the rules."""
        return self._session.malformed

    async def run(self) -> None:
        """Keep the connection while it is wanted. Runs until cancelled; never raises by itself."""
        try:
            await self._keep_connection()
        finally:
            self._stop()

    async def _keep_connection(self) -> None:
        failures = 0
        while True:
            await self._wanted.wait()
            transport = await self._open()
            if transport is not None:
                failures = 0
                await self._talk(transport)
            if self._live and not self._wanted.is_set():
                # Whoever wants the connection for something else ends the pause.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause(failures)):
                        await self._wanted.wait()
                failures += 1
                self._want()

    async def fetch(self, question: Filter, *, page: int = PAGE) -> Answer:
        """Ask for everything that matches, page by page. Never raises: see `Answer.finish`."""
        events: dict[str, Verified] = {}
        refused = 0
        plan = pages(question, page=page)
        try:
            asked = next(plan)
            while True:
                got = await self._page(asked)
                events.update((event.id, event) for event in got.events)
                refused += got.refused
                asked = plan.send(got)
        except StopIteration as ended:
            finish, reason = ended.value
        return Answer(self.url, finish, tuple(events.values()), reason, refused)

    async def sample(self, question: Filter) -> Answer:
        """Ask once, and be content with what comes: for a look at a relay, not for finding."""
        got = await self._page(question)
        return Answer(self.url, got.finish, got.events, got.reason, got.refused)

    async def count(self, question: Filter) -> int | None:
        """Ask how many events match (NIP-45); None when the relay would not or could not say."""
        return (await self._ask(lambda: self._session.count((question,)))).count

    async def publish(self, event: Verified) -> tuple[Status, str]:
        """Send one event and wait for its OK. Returns what became of it, and the relay's words."""
        reused = self._is_open
        if not await self._ready():
            return Status.UNREACHABLE, self._failure or "no connection"
        ended = self._ended
        ok = await self._send_event(event, self._session.publish)
        if ok is None and reused and self._ended != ended and await self._ready():
            ok = await self._send_event(event, self._session.publish)
        if _asks_who(ok) and await self._authenticated():
            ok = await self._send_event(event, self._session.publish)
        if ok is None:
            return Status.NO_ANSWER, "no OK came"
        if prefix_of(ok.reason) == "duplicate":
            return Status.DUPLICATE, ok.reason
        return (Status.ACCEPTED if ok.accepted else Status.REJECTED), ok.reason

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
            self._writable.set()
            # The reader may be waiting for room in it.
            _drain(queue)

    def _listen(self, filters: tuple[Filter, ...], queue: asyncio.Queue[Event | Closed]) -> str:
        name = self._session.request(filters, live=True)
        self._live[name] = queue
        self._want()
        self._writable.set()
        if self._stopped:
            queue.put_nowait(Closed(name, _STOPPED))
        return name

    # Connection

    async def _ready(self) -> bool:
        """Wait until there is a connection, or it is known that there is none."""
        if not self._stopped:
            self._want()
        await self._settled.wait()
        if self._failure is None and self._options.auth == "always":
            await self._authenticated()
        return self._is_open

    @property
    def _is_open(self) -> bool:
        return self._settled.is_set() and self._failure is None

    def _want(self) -> None:
        """Ask for a connection, if there is none; what is known of the last try counts no more."""
        if not self._wanted.is_set():
            self._settled.clear()
            self._wanted.set()

    async def _open(self) -> Transport | None:
        try:
            transport = await self._connect(self.url, self._timeouts.connect, self._options.proxy)
        except Unreachable as error:
            self._failure = str(error)
            self._wanted.clear()
            self._settled.set()
            return None
        self._failure = None
        self._session.connected()
        self._answered = None
        self._writable.set()
        self._settled.set()
        return transport

    async def _talk(self, transport: Transport) -> None:
        """Read and write until the connection ends, then end everything that waited for it."""
        writer = asyncio.create_task(self._write(transport))
        try:
            await self._read(transport)
        finally:
            # At once, before anything waits: whoever asks from here on wants a new connection.
            self._settled.clear()
            self._wanted.clear()
            self._ended += 1
            self._end_all()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            await transport.close()

    async def _read(self, transport: Transport) -> None:
        try:
            while True:
                data = await transport.receive()
                message = self._session.receive(data)
                if message is not None:
                    await self._route(message, len(data))
        except Disconnected:
            return

    async def _write(self, transport: Transport) -> None:
        try:
            while True:
                await self._writable.wait()
                self._writable.clear()
                for text in self._session.outgoing():
                    await transport.send(text)
        except Disconnected:
            return

    def _pause(self, failures: int) -> float:
        """Seconds before the next try: doubling, capped, and not in step with other clients."""
        return min(_BACKOFF_SECONDS, 2.0 ** min(failures, 10)) * (0.5 + self._jitter() / 2)

    def _stop(self) -> None:
        """Let go of everybody who waits for a connection that will not come."""
        self._failure, self._stopped = _STOPPED, True
        self._settled.set()
        for name, queue in self._live.items():
            _drain(queue)
            queue.put_nowait(Closed(name, _STOPPED))

    def _end_all(self) -> None:
        for question in self._questions.values():
            question.end(Finish.LOST, "the connection was lost")
        for waiting in self._oks.values():
            if not waiting.done():
                waiting.set_result(None)

    # Messages

    async def _route(self, message: RelayMessage | Malformed, size: int) -> None:
        match message:
            case Ok():
                waiting = self._oks.get(message.event_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case Delivered() | Closed() if queue := self._live.get(message.subscription):
                await queue.put(message if isinstance(message, Closed) else message.event)
            case Delivered() | Eose() | Closed() | CountResult():
                if (question := self._questions.get(message.subscription)) is not None:
                    question.note(message, size)

    async def _answer(self, name: str) -> Question:
        """Wait for the end of a question, no longer than the deadlines allow."""
        question = self._questions[name] = Question()
        self._writable.set()
        try:
            async with asyncio.timeout(self._timeouts.answer):
                while question.finish is None:
                    question.changed.clear()
                    async with asyncio.timeout(self._timeouts.idle):
                        await question.changed.wait()
        except TimeoutError:
            question.end(Finish.TIMEOUT, "no end of the answer in time")
        finally:
            del self._questions[name]
            self._session.close(name)
            self._writable.set()
        return question

    async def _page(self, asked: Filter) -> Page:
        """Ask one page, and keep of it what is true."""
        got = await self._ask(lambda: self._session.request((asked,)))
        events, refused = await verified(got.events)
        finish = got.finish or Finish.LOST
        return Page(events, len(got.events), finish, got.hints, got.reason, refused)

    async def _ask(self, send: Callable[[], str]) -> Question:
        """Ask in turn; on a new connection once more, if this one had ended unnoticed.

        Relays close idle connections. That is no failure of the question that finds out.
        """
        async with self._places:
            reused = self._is_open
            got = await self._ask_once(send)
            if reused and got.finish is Finish.LOST and not got.events:
                got = await self._ask_once(send)
            return got

    async def _ask_once(self, send: Callable[[], str]) -> Question:
        """Ask; again after saying who we are, when that is what the relay wants (NIP-42)."""
        if not await self._ready():
            return Question(finish=Finish.UNREACHABLE, reason=self._failure or "no connection")
        got = await self._answer(send())
        if prefix_of(got.reason) == "auth-required" and await self._authenticated():
            got = await self._answer(send())
        return got

    async def _send_event(self, event: Verified, send: Callable[[Verified], None]) -> Ok | None:
        """Send, and wait for the OK; None when none came."""
        waiting = self._oks.get(event.id)
        if waiting is None:
            waiting = self._oks[event.id] = asyncio.get_running_loop().create_future()
            send(event)
            self._writable.set()
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
            if challenge is None or self._options.auth == "never":
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
