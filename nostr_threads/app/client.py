"""The whole package behind one object: what `nostr_threads.open` gives.

Knows which adapters a job needs, and turns codes into what the core takes. Wires, decides nothing.
"""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from urllib.request import getproxies

from nostr_threads.app.asking import Asking
from nostr_threads.app.blocking import off_loop
from nostr_threads.app.config import Config, find_config
from nostr_threads.app.destinations import destinations
from nostr_threads.app.documents import Documents
from nostr_threads.app.fetch import Found, fetch_thread, load_thread, pointer, stored_thread
from nostr_threads.app.places import config_folder, key_folder, store_path
from nostr_threads.app.publish import Report, deliver, sign_all
from nostr_threads.app.routes import Routes
from nostr_threads.core import kinds
from nostr_threads.core.compose import Target, compose, split_for
from nostr_threads.core.crawl import Budget
from nostr_threads.core.event import Draft
from nostr_threads.core.node import Node
from nostr_threads.core.relay_url import is_local
from nostr_threads.core.split import DEFAULT_MARKER, Limit, Part
from nostr_threads.errors import InvalidInput, NoSigner, NotFound, SigningError
from nostr_threads.net.pool import Pool
from nostr_threads.net.relay import Timeouts
from nostr_threads.signing.source import signer_from_env as from_environment
from nostr_threads.store.base import Posting
from nostr_threads.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from nostr_threads.app.fetch import Progress
    from nostr_threads.core.delivery import Delivery
    from nostr_threads.core.event import Verified
    from nostr_threads.core.routing import Choice
    from nostr_threads.signing.signer import Signer

__all__ = ["DEFAULT_LIMIT", "PATIENCE", "Nostr", "open", "signer_from_env", "signer_from_key"]

# How far ahead of now (seconds) an answer may be dated to come after its question.
_AHEAD = 600

# Seconds to look up where people read before an answer is sent without knowing it.
_LOOKING_UP = 10.0

PATIENCE = 600.0
"""Seconds that a fetch may take: a relay that is slow within every deadline has no end."""

DEFAULT_LIMIT = Limit(characters=2_000)
"""What most relays take and most people read at a sitting."""


@asynccontextmanager
async def open(  # noqa: A001 - `nostr_threads.open` reads as what it does
    store: str | Path | None = None,
    relays: str | Path | Config | None = None,
    signer: Signer | None = None,
    *,
    viewer: str | None = None,
    clock: Callable[[], float] = time.time,
    random: Random | None = None,
) -> AsyncIterator[Nostr]:
    """Open a store and a pool of relays; both are closed at the end.

    `store` is a path (":memory:" for one that is forgotten), by default the user's. `relays` is the
    path of a relays.toml or a `Config`; by default the one that is found (see `find_config`).
    `viewer` (a public key in hex, by default the signer's) is whose mute list hides notes. `random`
    decides between relays that are as good as each other. Raises `StoreError`, `InvalidConfig`.
    """
    config = relays if isinstance(relays, Config) else _configured(relays)
    defaults = config.defaults
    timeouts = Timeouts(defaults.connect, defaults.idle, defaults.answer, defaults.ok)
    nostr_store = await off_loop(SqliteStore, store or store_path(os.environ))

    routes = Routes(config, random or Random())  # noqa: S311 - no secret depends on it
    documents = Documents(
        nostr_store,
        lambda: int(clock()),
        # A proxy of the environment may be one for web pages alone, or for anything but them.
        lambda url: not routes.options(url).proxy and not getproxies(),
    )

    async def authenticate(url: str, challenge: str) -> Verified | None:
        if signer is None:
            return None
        tags = (("relay", url), ("challenge", challenge))
        try:
            return await signer.sign(Draft(int(clock()), kinds.AUTH, tags, ""))
        except SigningError:
            # Not to be known to one relay is that relay's answer, not the end of the job.
            return None

    try:
        async with Pool(
            options=routes.options,
            timeouts=timeouts,
            authenticate=authenticate,
            limits=documents.limits,
        ) as pool:
            yield Nostr(nostr_store, pool, config, signer, clock, routes, documents, viewer)
    finally:
        nostr_store.close()


def _configured(path: str | Path | None) -> Config:
    return find_config(
        Path(path) if path is not None else None, os.environ, config_folder(os.environ)
    )


class Nostr:
    """Fetch, show and publish. Made by `open`; every relay URL given here is normalised first."""

    def __init__(
        self,
        store: SqliteStore,
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
        except NotFound as error:
            asked = {choice.relay for choice in router.choices}
            unasked = ", ".join(url for url in start.relays if url not in asked)
            if not unasked:
                raise
            raise NotFound(
                f"{error}; the code names {unasked}, on this machine or its network, which is "
                "asked only when named as a relay"
            ) from None

    async def show(self, code: str) -> Found:
        """Return what the store holds of the thread around `code`. Raises `NotFound`."""
        start = pointer(code)
        return await off_loop(
            load_thread, start, store=self.store, now=self._now(), viewer=self.viewer
        )

    async def draft(
        self,
        answer: str | Sequence[Part],
        *,
        author: str,
        reply_to: Node | Verified | str | None = None,
        relays: Sequence[str] = (),
        limit: Limit = DEFAULT_LIMIT,
        marker: str = DEFAULT_MARKER,
    ) -> tuple[list[Part], list[Draft]]:
        """Return the parts and drafts that publishing `answer` would sign, and sign nothing."""
        target = await self._target(reply_to, relays)
        hint = next((url for url in self._routes.writers(relays) if not is_local(url)), "")
        if isinstance(answer, str):
            parts = split_for(
                answer, limit, author=author, marker=marker, target=target, relay=hint
            )
        else:
            parts = list(answer)
        created_at = self._first_date(target, len(parts))
        drafts = compose(parts, author=author, created_at=created_at, target=target, relay=hint)
        return parts, drafts

    def _first_date(self, target: Target | None, parts: int) -> int:
        """The last part is dated now, the first after what it answers if that is not in the future.

        Relays refuse what is too far ahead, whoever began it.
        """
        now = self._now()
        earliest = target.event.created_at + 2 if target is not None else 0
        return max(now - parts + 1, earliest if earliest <= now + _AHEAD else 0)

    async def publish(
        self,
        answer: str | Sequence[Part],
        *,
        reply_to: Node | Verified | str | None = None,
        relays: Sequence[str] = (),
        quorum: int | None = None,
        limit: Limit = DEFAULT_LIMIT,
        marker: str = DEFAULT_MARKER,
        routed: Callable[[Sequence[Choice]], None] = lambda _: None,
        progress: Callable[[Delivery], None] = lambda _: None,
    ) -> Report:
        """Split, sign, keep, deliver and read back an answer.

        `answer` is a text or the parts that `split` gave. It is written to `relays`, else to those
        of relays.toml and the author's own, to where everybody tagged reads (NIP-65), and to where
        what it answers was seen; `routed` is told these and why. A relay that fails is in the
        report. Raises `NoSigner`, `SigningError`, `InvalidText`, `LimitTooSmall`, `StoreError`.
        """
        if self.signer is None:
            raise NoSigner("there is no key to sign with: set NOSTR_SECRET_KEY or pass a signer")
        author = self.signer.public_key
        _, drafts = await self.draft(
            answer, author=author, reply_to=reply_to, relays=relays, limit=limit, marker=marker
        )
        choices = await destinations(
            drafts, author, relays, self._routes, self._asking(_LOOKING_UP), self.store, self._now()
        )
        wanted = self.config.defaults.quorum if quorum is None else quorum
        if not 1 <= wanted <= len(choices):
            raise InvalidInput(
                f"a quorum of {wanted} is not possible: there are {len(choices)} relays to write to"
            )
        routed(choices)
        writers = tuple(choice.relay for choice in choices)
        events = await sign_all(drafts, self.signer)
        posting = Posting(events, writers, wanted, self._now())
        await off_loop(self.store.enqueue, posting)
        return await self._deliver(posting, progress)

    async def resume(
        self, *, progress: Callable[[Delivery], None] = lambda _: None
    ) -> list[Report]:
        """Deliver everything in the outbox that is still on its way: the same bytes again."""
        postings = await off_loop(self.store.postings, open_only=True)
        return [await self._deliver(posting, progress) for posting in postings]

    async def _deliver(self, posting: Posting, progress: Callable[[Delivery], None]) -> Report:
        self._routes.name(posting.relays)
        return await deliver(
            posting, pool=self.pool, outbox=self.store, clock=self._now, progress=progress
        )

    async def _target(
        self, reply_to: Node | Verified | str | None, relays: Sequence[str]
    ) -> Target | None:
        """Find the event that is answered, in the store or at the relays, and where others can."""
        if reply_to is None:
            return None
        event = reply_to.event if isinstance(reply_to, Node) else reply_to
        if isinstance(event, str):
            event = await self._event(event, relays)
        if event is None:
            raise NotFound("a missing note cannot be answered: nobody who was asked has it")
        seen = await off_loop(self.store.sightings, [event.id])
        hints = seen.get(event.id, ())
        return Target(event, next((url for url in hints if not is_local(url)), ""))

    async def _event(self, code: str, relays: Sequence[str]) -> Verified:
        start = pointer(code)
        known = await off_loop(self.store.event, start.key) if start.id else None
        if known is not None:
            return known
        why = "nobody who was asked has it"
        for look in (self.show, partial(self.fetch, relays=relays)):
            try:
                found = await look(code)
            except NotFound as error:
                why = str(error)
                continue
            for event in found.thread.events:
                if start.key in (event.id, kinds.address_of(event)):
                    return event
        raise NotFound(f"{start.key} cannot be answered: {why}")

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


def signer_from_key(password: str, name: str | None = None) -> Signer:
    """Return who signs with a key that `nostr-threads key new` made, by default the one in use.

    Raises `NoSigner` when there is none, `WrongPassword`, `SigningError`.
    """
    from nostr_threads.signing import KeyFolder, KeySigner

    folder = KeyFolder(key_folder(os.environ))
    chosen = name or folder.current()
    if chosen is None:
        raise NoSigner("there is no key: make one with `nostr-threads key new NAME`")
    return KeySigner(folder.load(chosen, password))


def signer_from_env() -> Signer | None:
    """Return who `$NOSTR_SECRET_KEY` (hex or nsec) signs for; None when it is not set.

    Raises `SigningError`, without the value, when it is no key, and `NoSigner` when it is an
    ncryptsec: for its password see `nostr_threads.signing.signer_from_env`.
    """
    return from_environment(os.environ)
