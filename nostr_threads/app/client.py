"""What can be done with Nostr, behind one object: fetch, show, publish and the small verbs.

Turns codes into what the core takes, and hands each job to who does it. Wires, decides nothing.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from nostr_threads.app.answered import event_of, target_of
from nostr_threads.app.asking import Asking
from nostr_threads.app.blocking import off_loop
from nostr_threads.app.destinations import destinations
from nostr_threads.app.fetch import Found, fetch_thread, load_thread, pointer, stored_thread
from nostr_threads.app.mirror import Mirror
from nostr_threads.app.reading import plain
from nostr_threads.app.sending import Sender
from nostr_threads.app.whereabouts import Whereabouts
from nostr_threads.app.writing import DEFAULT_LIMIT, Style, Writer
from nostr_threads.core import verbs
from nostr_threads.core.clocks import skewed
from nostr_threads.core.crawl import Budget
from nostr_threads.core.pow import MOST_ASKED
from nostr_threads.core.split import DEFAULT_MARKER, Limit, Part
from nostr_threads.errors import NoRelayReachable, NoSigner, NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nostr_threads.app.config import Config
    from nostr_threads.app.documents import Documents
    from nostr_threads.app.fetch import Progress
    from nostr_threads.app.mining import Mining
    from nostr_threads.app.publish import Report
    from nostr_threads.app.routes import Routes
    from nostr_threads.app.writing import Plan
    from nostr_threads.core.answering import Target
    from nostr_threads.core.delivery import Delivery
    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.core.node import Node
    from nostr_threads.net.pool import Pool
    from nostr_threads.net.relay import Relay
    from nostr_threads.signing.signer import Signer
    from nostr_threads.store.base import Posting
    from nostr_threads.store.sql import SqlStore

__all__ = ["PATIENCE", "Nostr"]

# Seconds to look up where people read before an answer is sent without knowing it.
_LOOKING_UP = 10.0

PATIENCE = 600.0
"""Seconds that a fetch may take: a relay that is slow within every deadline has no end."""


class Nostr:
    """Fetch, show and publish. Made by `nostr_threads.open`.

    Every relay URL given here is normalised first.
    """

    def __init__(
        self,
        store: SqlStore,
        pool: Pool,
        config: Config,
        signer: Signer | None,
        clock: Callable[[], float],
        routes: Routes,
        documents: Documents,
        viewer: str | None,
    ) -> None:
        self.store = store
        self.pool = pool
        self.config = config
        self.signer = signer
        self.viewer = viewer or (signer.public_key if signer is not None else None)
        self._clock = clock
        self._routes = routes
        self._documents = documents
        self.outbox = Sender(store, pool, routes, documents, self._now, config.defaults.patience)
        """What is signed and on its way: `resume`, `check`, `cancel`."""
        looking_up = partial(self._asking, _LOOKING_UP)
        self.mirror = Mirror(
            store,
            pool,
            routes,
            documents,
            asking=looking_up,
            fetch=self.fetch,
            clock=self._now,
        )
        """What is to be had whole: `run` brings it up to date."""
        self.whereabouts = Whereabouts(store, routes, asking=looking_up, clock=self._now)
        """Where people read and write: `inboxes`, `homes`, and `writers` for ourselves."""

    async def fetch(
        self,
        code: str,
        *,
        relays: Sequence[str] = (),
        widen: bool | None = None,
        budget: Budget | None = None,
        seconds: float | None = PATIENCE,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> Found:
        """Find the whole thread around `code` and keep it.

        `relays` are asked instead of those of relays.toml; hints in the code are asked as well,
        unless they lead to this machine or its network. `widen` goes on to the relays where the
        people of the thread write and read (NIP-65) and to those that its notes name: by default
        only when no `relays` are given. After `seconds`, ten minutes unless you say otherwise, the
        search ends with what there is: a relay may be slow for ever. Raises
        `InvalidCode`, `NotFound`, `NoRelayReachable`.
        """
        start, budget = pointer(code), budget or Budget()
        widen = not relays if widen is None else widen
        known = await off_loop(stored_thread, self.store, start)
        router = self._routes.reading(
            relays,
            start.relays,
            await off_loop(self.store.sightings, [event.id for event in known]),
            records=await off_loop(self.store.relay_records),
            most=budget.relays,
            widen=widen,
        )
        try:
            return await fetch_thread(
                start,
                router,
                self._asking(seconds),
                store=self.store,
                now=self._now(),
                known=known,
                index=self._routes.index if widen else (),
                budget=budget,
                viewer=self.viewer,
                progress=progress,
            )
        except (NotFound, NoRelayReachable) as error:
            asked = {choice.relay for choice in router.choices}
            unasked = ", ".join(url for url in start.relays if url not in asked)
            if not unasked:
                raise
            raise type(error)(
                f"{error}; the code also names {unasked}, on this machine or its network, which is "
                "asked only when named as a relay"
            ) from None

    async def show(self, code: str) -> Found:
        """Return what the store holds of the thread around `code`. Raises `NotFound`."""
        start = pointer(code)
        return await off_loop(
            load_thread, start, store=self.store, now=self._now(), viewer=self.viewer
        )

    async def plan(
        self,
        answer: str | Sequence[Part],
        *,
        author: str | None = None,
        reply_to: Node | Verified | str | None = None,
        relays: Sequence[str] = (),
        limit: Limit = DEFAULT_LIMIT,
        marker: str = DEFAULT_MARKER,
        style: Style | None = None,
        quoting: Node | Verified | str | None = None,
    ) -> Plan:
        """Return what publishing `answer` would sign and where it would go. Signs nothing.

        `author` is a public key in hex, by default the signer's; everything else is as in
        `publish`. Relays are asked what they take, and where people read.
        """
        return await self._writer(author or self._signer().public_key).plan(
            answer,
            target=await self._target_if_any(reply_to, relays),
            quoting=await self._target_if_any(quoting, relays),
            relays=relays,
            limit=limit,
            marker=marker,
            style=style or Style(),
        )

    async def publish(
        self,
        answer: str | Sequence[Part],
        *,
        reply_to: Node | Verified | str | None = None,
        relays: Sequence[str] = (),
        quorum: int | None = None,
        limit: Limit = DEFAULT_LIMIT,
        marker: str = DEFAULT_MARKER,
        style: Style | None = None,
        quoting: Node | Verified | str | None = None,
        planned: Callable[[Plan], None] = lambda _: None,
        mining: Callable[[Mining], None] = lambda _: None,
        progress: Callable[[Delivery], None] = lambda _: None,
        enqueue: Callable[[Posting], None] | None = None,
    ) -> Report:
        """Split, sign, keep, deliver and read back an answer.

        `answer` is a text or the parts that `split` gave. It is written to `relays`, else to those
        of relays.toml and the author's own; and then, as a courtesy that no quorum counts, to where
        everybody tagged reads (NIP-65) and to where what it answers was seen. `style` says how it
        is written, as an article for instance; `quoting` is cited below it (NIP-18). `planned` is
        told before anything is signed, and may raise to stop it. `enqueue` puts what is signed into
        the outbox, if something else is to be written in the same transaction, and may be called
        again once that was cancelled. A relay that fails is in the report. Raises `NoSigner`,
        `SigningError`, `InvalidText`, `LimitTooSmall`, `StoreError`.
        """
        planning = partial(
            self.plan,
            answer,
            reply_to=reply_to,
            relays=relays,
            limit=limit,
            marker=marker,
            style=style,
            quoting=quoting,
        )
        most_work = (style or Style()).most_work
        return await self._carry_out(
            planning,
            planned,
            progress,
            quorum=quorum,
            mining=mining,
            most_work=most_work,
            enqueue=enqueue,
        )

    async def delete(
        self,
        *codes: str,
        reason: str = "",
        relays: Sequence[str] = (),
        planned: Callable[[Plan], None] = lambda _: None,
        progress: Callable[[Delivery], None] = lambda _: None,
    ) -> Report:
        """Ask for the deletion of one's own events (NIP-09), wherever they were seen or sent.

        The code of an answer in the outbox stands for all of its parts. What relays do about it is
        theirs: a copy may stay somewhere.
        """
        author = self._signer().public_key
        events: list[Verified] = []
        postings: list[Posting] = []
        places: dict[str, None] = {}
        for code in codes:
            if not (found := await self.outbox.find(code)):
                events.append(await event_of(code, self.store, self._looks(relays)))
            postings += found
        for posting in postings:
            events += posting.events
            places.update(dict.fromkeys(posting.relays))
            self._routes.name(posting.own)
        for seen in (await off_loop(self.store.sightings, [each.id for each in events])).values():
            places.update(dict.fromkeys(seen))
        drafts = verbs.deletion(events, author=author, created_at=self._now(), reason=plain(reason))
        planning = partial(self._plan_of, drafts, relays, places=tuple(places))
        return await self._carry_out(planning, planned, progress, instead_of=postings)

    async def react(
        self,
        code: Node | Verified | str,
        content: str = "+",
        *,
        image: str = "",
        relays: Sequence[str] = (),
        planned: Callable[[Plan], None] = lambda _: None,
        progress: Callable[[Delivery], None] = lambda _: None,
    ) -> Report:
        """React to an event (NIP-25): `+`, `-`, one emoji, or `:shortcode:` with its `image`."""
        target = await self._target(code, relays)
        draft = verbs.reaction(target, created_at=self._now(), content=content, image=image)
        return await self.post([draft], relays, planned, progress)

    async def repost(
        self,
        code: Node | Verified | str,
        *,
        relays: Sequence[str] = (),
        planned: Callable[[Plan], None] = lambda _: None,
        progress: Callable[[Delivery], None] = lambda _: None,
    ) -> Report:
        """Repost an event (NIP-18). Raises `InvalidInput` where no relay is known to have it."""
        target = await self._target(code, relays)
        if not target.relay and not verbs.is_protected(target.event):
            # Whoever reads it there finds what it points at: it is brought along.
            target = replace(target, relay=self._routes.writers(relays)[0])
        draft = verbs.repost(target, created_at=self._now())
        return await self.post([draft], relays, planned, progress)

    def relay(self, url: str) -> Relay:
        """Return a relay that is named by hand, connected once it is needed. `InvalidRelayUrl`."""
        (url,) = self._routes.name([url])
        return self.pool.relay(url)

    def signing_as(self, signer: Signer) -> Nostr:
        """Return the same for another key: one store, and one connection to each relay.

        At relays that want to know who is there it is whoever `open` was given.
        """
        parts = (self._clock, self._routes, self._documents)
        return Nostr(self.store, self.pool, self.config, signer, *parts, viewer=None)

    def clock_off(self) -> float | None:
        """How many seconds our clock is behind what the relays say, None where it seems right."""
        return skewed(self.pool.clock_skews())

    def _signer(self) -> Signer:
        if self.signer is None:
            raise NoSigner("there is no key to sign with: set NOSTR_SECRET_KEY or pass a signer")
        return self.signer

    def _writer(self, author: str) -> Writer:
        return Writer(
            author,
            store=self.store,
            pool=self.pool,
            routes=self._routes,
            documents=self._documents,
            asking=partial(self._asking, _LOOKING_UP),
            clock=self._now,
        )

    async def _carry_out(
        self,
        planning: Callable[[], Awaitable[Plan]],
        planned: Callable[[Plan], None],
        progress: Callable[[Delivery], None],
        *,
        quorum: int | None = None,
        mining: Callable[[Mining], None] = lambda _: None,
        most_work: int = MOST_ASKED,
        enqueue: Callable[[Posting], None] | None = None,
        instead_of: Sequence[Posting] = (),
    ) -> Report:
        """Plan and send, and do it anew where a relay said only by refusing that it wants work."""
        wanted = self.config.defaults.quorum if quorum is None else quorum
        while True:
            plan = await planning()
            planned(plan)
            # First: whatever happens then, what is to be deleted is not sent any more.
            for posting in instead_of:
                await self.outbox.abandon(posting)
            report = await self.outbox.send(
                plan, self._signer(), wanted, mining=mining, progress=progress, enqueue=enqueue
            )
            # Each time for more bits than before, up to `most_work`: it comes to an end.
            if not await self.outbox.learn_work(report, most_work):
                return report

    async def post(
        self,
        drafts: Sequence[Draft],
        relays: Sequence[str] = (),
        planned: Callable[[Plan], None] = lambda _: None,
        progress: Callable[[Delivery], None] = lambda _: None,
    ) -> Report:
        """Sign, keep, deliver and read back what is no text; see `publish`."""
        planning = partial(self._plan_of, drafts, relays)
        return await self._carry_out(planning, planned, progress)

    async def _plan_of(
        self, drafts: Sequence[Draft], relays: Sequence[str], *, places: Sequence[str] = ()
    ) -> Plan:
        """Plan what is no text. `places` are where it is wanted besides."""
        author = self._signer().public_key
        choices = await destinations(
            drafts,
            author,
            relays,
            self._routes,
            self._asking(_LOOKING_UP),
            self.store,
            self._now(),
            places=places,
        )
        return await self._writer(author).plan_drafts(drafts, choices)

    async def _target(self, answered: Node | Verified | str, relays: Sequence[str]) -> Target:
        return await target_of(answered, self.store, self._looks(relays))

    async def _target_if_any(
        self, answered: Node | Verified | str | None, relays: Sequence[str]
    ) -> Target | None:
        return None if answered is None else await self._target(answered, relays)

    def _looks(self, relays: Sequence[str]) -> Sequence[Callable[[str], Awaitable[Found]]]:
        return (self.show, partial(self.fetch, relays=relays))

    def _asking(self, seconds: float | None) -> Asking:
        return Asking(
            self.pool,
            self._documents,
            self.store,
            knows_people=self._routes.knows_people,
            now=self._now(),
            seconds=seconds,
        )

    def _now(self) -> int:
        return int(self._clock())
