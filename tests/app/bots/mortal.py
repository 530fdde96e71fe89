"""A world in which bots die at any step: relays without sockets, time that jumps, and one store.

Faults are what it is for. All that decides and all that is kept is the product's own: the record,
the outbox, the guards, and the bot that runs.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from nostr_threads.app import blocking
from nostr_threads.app.fetch import load_thread, pointer
from nostr_threads.app.mirror import Progress
from nostr_threads.core import kinds
from nostr_threads.core.answering import Target
from nostr_threads.core.compose import compose
from nostr_threads.core.coverage import Answer, Finish
from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.filters import Filter
from nostr_threads.core.split import Part
from nostr_threads.store.base import Posting
from nostr_threads.store.sources import Method, Sync
from tests.app.worlds import NOW, signer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from nostr_threads.core.event import Verified
    from nostr_threads.core.sources import Source
    from nostr_threads.store.sql import SqlStore
    from nostr_threads.testing import Author

__all__ = ["Crash", "JumpingLoop", "Life", "World", "at_once"]

_SYNCED = Sync(Method.PAGES, Finish.COMPLETE)


class Crash(BaseException):
    """The process is gone: nothing after this happens, no tidying up either."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to what is due next as soon as nobody has anything to do."""

    now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        queue: list[Any] = self._scheduled  # type: ignore[attr-defined]
        waiting = [handle for handle in queue if not handle.cancelled()]
        if not self._ready and waiting:  # type: ignore[attr-defined]
            self.now = max(self.now, min(handle.when() for handle in waiting))
        super()._run_once()  # type: ignore[misc]


class _Inline(Executor):
    """Does at once what is to be done in a thread."""

    def submit(self, call: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(call(*args, **options))
        except BaseException as error:  # noqa: BLE001 - what the caller is to get
            done.set_exception(error)
        return done


def at_once(patch: pytest.MonkeyPatch) -> None:
    """Let nothing be done in threads: what happens is then the same each time."""
    patch.setattr(blocking, "_threads", _Inline())


@dataclass
class FakeRelay:
    """Has events, or is down."""

    url: str
    events: dict[str, Verified] = field(default_factory=dict)
    is_up: bool = True
    loses_oks: bool = False

    def query(self, wanted: Filter) -> list[Verified]:
        return [event for event in self.events.values() if wanted.matches(event)]


class World:
    """What outlives every process: relays, a store, and the time."""

    def __init__(self, store: SqlStore, relays: int) -> None:
        self.store = store
        self.relays = [FakeRelay(f"wss://relay{number}.example") for number in range(relays)]
        self.elapsed = 0.0

    def now(self) -> int:
        return int(NOW + self.elapsed)


class Life:
    """One process: what the bot has of the world, until it dies after so many steps.

    A step is a call of the store, or a message to a relay; it dies before or after one.
    """

    def __init__(self, world: World, author: Author, steps: int | None = None) -> None:
        self._world = world
        self._left = steps
        self.is_dead = False
        self.signer = signer_of(author)
        self.viewer = author.pubkey
        bots = _mortal(world.store.bots, self)
        self.store = _mortal(world.store, self, bots=bots)
        self.config = SimpleNamespace(readers=tuple(relay.url for relay in world.relays))
        self.pool = SimpleNamespace(relay=self._relay)
        self.mirror = SimpleNamespace(follow=self._follow)
        self.whereabouts = SimpleNamespace(writers=self._writers, inboxes=self._inboxes)
        self.outbox = SimpleNamespace(resume=self._resume)

    def step(self) -> None:
        """Die, if it is time."""
        if self._left is not None:
            self._left -= 1
            self.is_dead |= self._left < 0
        if self.is_dead:
            raise Crash

    # What a `Nostr` is to a bot

    async def fetch(self, code: str, **_: object) -> Any:
        self.step()
        for relay in self._world.relays:
            if relay.is_up:
                self._world.store.add(relay.events.values(), relay=relay.url, now=self._world.now())
        # Where none is up it is what is stored, as it is with a real one.
        return load_thread(
            pointer(code), store=self._world.store, now=self._world.now(), viewer=self.viewer
        )

    async def publish(
        self, text: str, *, reply_to: Verified, enqueue: Callable[[Posting], None], **_: object
    ) -> None:
        self.step()
        drafts = compose(
            [Part(1, 1, text)],
            author=self.viewer,
            created_at=self._world.now(),
            target=Target(reply_to),
        )
        events = tuple([await self.signer.sign(draft) for draft in drafts])
        posting = Posting(events, self._writers(), 1, self._world.now())
        self.step()
        enqueue(posting)
        self.step()
        await self._deliver(posting)

    async def _resume(self, *, only: set[str], **_: object) -> None:
        for posting in self._world.store.postings(open_only=True):
            if posting.id in only:
                await self._deliver(posting)

    async def _deliver(self, posting: Posting) -> None:
        for relay in self._world.relays:
            self.step()
            known = self._world.store.posting(posting.id)
            assert known is not None
            at = next(each for each in known.deliveries if each.relay == relay.url)
            if at.final:
                continue
            status = Status.UNREACHABLE
            if relay.is_up:
                for event in posting.events:
                    relay.events[event.id] = event
                # It has it; whether we ever hear of that is another question.
                status = Status.NO_ANSWER if relay.loses_oks else Status.STORED
            self.step()
            self._world.store.record(
                posting.id, Delivery(1, relay.url, status), now=self._world.now()
            )
            await asyncio.sleep(0.01)  # of the world's time

    def _writers(self, _: Sequence[str] = ()) -> tuple[str, ...]:
        return tuple(relay.url for relay in self._world.relays)

    async def _inboxes(self, _: str) -> tuple[str, ...]:
        return ()

    def _relay(self, url: str) -> Any:
        relay = next(each for each in self._world.relays if each.url == url)

        async def fetch(wanted: Filter, **_: object) -> Answer:
            self.step()
            if not relay.is_up:
                return Answer(url, Finish.UNREACHABLE)
            return Answer(url, Finish.COMPLETE, tuple(relay.query(wanted)))

        return SimpleNamespace(fetch=fetch)

    async def _follow(
        self, sources: Sequence[Source], *, progress: Callable[[Progress], None]
    ) -> None:
        while True:
            for source in sources:
                wanted = source.within(source.first, self._world.now() + 900)
                for relay in self._world.relays:
                    if relay.is_up:
                        self.step()
                        found = relay.query(wanted)
                        self._world.store.add(found, relay=relay.url, now=self._world.now())
                    progress(Progress(source, relay.url, 1, _SYNCED))
            await asyncio.sleep(4)  # of the world's time


def _mortal(thing: Any, life: Life, **instead: object) -> Any:
    """Return a thing each of whose calls is a step of a life, and is dead after it."""

    class Mortal:
        def __getattr__(self, name: str) -> Any:
            if name in instead:
                return instead[name]
            value = getattr(thing, name)
            if not callable(value):
                return value

            @wraps(value)
            def call(*args: Any, **options: Any) -> Any:
                life.step()
                result = value(*args, **options)
                life.step()
                return result

            return call

    return Mortal()


def answers_to(world: World, note: Verified, bot: str) -> set[str]:
    """The ids of all answers of the bot's to a note: at relays, and on their way."""
    wanted = Filter(kinds=(kinds.NOTE,), authors=(bot,), tags={"e": (note.id,)})
    found = {event.id for relay in world.relays for event in relay.query(wanted)}
    postings = (event for posting in world.store.postings() for event in posting.events)
    return found | {event.id for event in postings if wanted.matches(event)}
