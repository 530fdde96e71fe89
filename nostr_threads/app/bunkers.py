"""Both ends of a signer elsewhere (NIP-46), each at its relays.

Knows how a signer is found, kept and left, and how ours serves others. What is said is in
`signing.bunker` and `signing.remote_signer`.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from nostr_threads.app.config import find_config
from nostr_threads.app.grouping import ungrouped
from nostr_threads.app.places import config_folder
from nostr_threads.app.wires import RelayWire
from nostr_threads.core import kinds
from nostr_threads.core.bunker_links import BunkerLink, ClientLink
from nostr_threads.core.event import Draft
from nostr_threads.core.filters import Filter
from nostr_threads.core.nip46 import Metadata, Permission
from nostr_threads.errors import BunkerError, SigningError
from nostr_threads.net.options import RelayOptions, Timeouts
from nostr_threads.net.pool import Pool
from nostr_threads.signing.bunker import (
    BunkerSession,
    BunkerSigner,
    Patience,
    introduced,
    link_mark,
)
from nostr_threads.signing.secret import new_secret
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.signing.remote_signer import RemoteSigner
    from nostr_threads.signing.secret import SecretKey
    from nostr_threads.signing.signer import Signer

__all__ = [
    "OURSELVES",
    "PERMISSIONS",
    "await_bunker",
    "connect_bunker",
    "invitation",
    "open_bunker",
    "serve_bunker",
]

OURSELVES = Metadata("nostr-threads")

PERMISSIONS = tuple(
    Permission("sign_event", kind)
    for kind in (
        *(kinds.NOTE, kinds.DELETION, kinds.REPOST, kinds.REACTION, kinds.FORUM_THREAD),
        *(kinds.GENERIC_REPOST, kinds.COMMENT, kinds.AUTH, kinds.ARTICLE),
    )
)
"""What this program asks a signer for: the kinds of events that it publishes."""

# Seconds: clocks differ, and relays hold events against `since` by theirs.
_BEFORE = 600
_MOST_AT_WORK = 100
_ONCE_MORE = 5.0


@asynccontextmanager
async def open_bunker(
    session: BunkerSession,
    *,
    show: Callable[[str], None] = lambda _: None,
    keep: Callable[[BunkerSession], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
    patience: Patience = Patience(),  # noqa: B008 - frozen, so it can be shared
) -> AsyncIterator[BunkerSigner]:
    """Sign through a bunker that knows us; see `BunkerSigner`. Dials when something is signed."""
    own = KeySigner(session.client)
    wanted = _to(own.public_key, clock, authors=(session.signer,))
    async with _pool(own, clock) as pool:
        # Each needs the other: what the wire brings is the signer's, and what it asks the wire's.
        signer: BunkerSigner

        async def heard(event: Verified) -> None:
            await signer.heard(event)

        async def again() -> None:
            await signer.listening()

        async with RelayWire(pool, session.relays, wanted, heard, again) as wire:
            signer = BunkerSigner(
                session, wire, clock=clock, show=show, keep=keep, patience=patience
            )
            try:
                yield signer
            finally:
                await signer.close()


@asynccontextmanager
async def connect_bunker(
    link: BunkerLink,
    *,
    begun: BunkerSession | None = None,
    permissions: Sequence[Permission] = PERMISSIONS,
    metadata: Metadata = OURSELVES,
    show: Callable[[str], None] = lambda _: None,
    keep: Callable[[BunkerSession], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
    patience: Patience = Patience(),  # noqa: B008 - frozen, so it can be shared
) -> AsyncIterator[BunkerSigner]:
    """Introduce ourselves to the bunker of a `bunker://` link, whose secret is then used up.

    `keep` is given the session that `open_bunker` takes from then on: first before the link is
    used, without a public key. With `begun`, which it was given then, a connection whose answer was
    lost is begun again by the same client, which the bunker knows by now. Raises `BunkerError`.
    """
    session = begun or BunkerSession(link.signer, new_secret(), link.relays, link=link_mark(link))
    keep(session)
    async with open_bunker(session, show=show, keep=keep, clock=clock, patience=patience) as signer:
        await signer.connect(link.secret, permissions, metadata)
        await signer.start()
        yield signer


def invitation(
    relays: tuple[str, ...],
    *,
    permissions: Sequence[Permission] = PERMISSIONS,
    metadata: Metadata = OURSELVES,
) -> tuple[ClientLink, SecretKey]:
    """Return a `nostrconnect://` link for a signer, and the key with which to wait for it."""
    client = new_secret()
    public_key = KeySigner(client).public_key
    secret = secrets.token_urlsafe(16)
    return ClientLink(public_key, relays, secret, tuple(permissions), metadata), client


async def await_bunker(
    link: ClientLink,
    client: SecretKey,
    *,
    clock: Callable[[], float] = time.time,
    seconds: float = 300.0,
) -> BunkerSession:
    """Wait until a signer answers the link that `invitation` made. Raises `BunkerError`.

    It has proved that it was given the link. Whose key it has, is asked by `BunkerSigner.start`.
    """
    own = KeySigner(client)
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def heard(event: Verified) -> None:
        signer = await introduced(event, own, link.secret)
        if signer is not None and not found.done():
            found.set_result(signer)

    wanted = _to(own.public_key, clock)
    async with (
        _pool(own, clock) as pool,
        RelayWire(pool, link.relays, wanted, heard, _nothing) as wire,
    ):
        wire.listen()
        try:
            async with asyncio.timeout(seconds):
                signer = await found
        except TimeoutError:
            raise BunkerError("no signer has answered the link", is_silence=True) from None
    return BunkerSession(signer, client, link.relays)


async def serve_bunker(
    remote: RemoteSigner,
    own: Signer,
    relays: tuple[str, ...],
    *,
    greetings: Sequence[Verified] = (),
    trouble: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> None:
    """Answer what clients ask at `relays`, until cancelled. `greetings` are sent first.

    `own` is the key with which `remote` talks. `trouble` is told which relay cannot be reached, or
    refuses what we say. Raises what `remote` raises when its book cannot be read or kept, and
    `BunkerError` where a greeting cannot be sent.
    """
    at_work: set[asyncio.Task[None]] = set()
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def answer(event: Verified) -> None:
        try:
            if (answered := await remote.answer(event)) is not None:
                # Nobody there to hear it: the client asks again.
                with suppress(BunkerError):
                    await wire.send(answered)
        except SigningError as error:
            if not failed.done():
                failed.set_exception(error)

    async def heard(event: Verified) -> None:
        # In a flood some are not heard: whoever is in earnest asks again.
        if len(at_work) < _MOST_AT_WORK:
            task = tasks.create_task(answer(event))
            at_work.add(task)
            task.add_done_callback(at_work.discard)

    wanted = _to(own.public_key, clock)
    with ungrouped():
        async with (
            _pool(own, clock) as pool,
            asyncio.TaskGroup() as tasks,
            RelayWire(pool, relays, wanted, heard, _nothing, trouble) as wire,
        ):
            try:
                wire.listen()
                await _greet(wire, greetings)
                await failed
            finally:
                for task in tuple(at_work):
                    task.cancel()


async def _greet(wire: RelayWire, greetings: Sequence[Verified]) -> None:
    """Send greetings, and once more: who shows a link may not listen at once."""
    for greeting in greetings:
        await wire.send(greeting)
    if greetings:
        await asyncio.sleep(_ONCE_MORE)  # until they do, mostly
    for greeting in greetings:
        with suppress(BunkerError):
            await wire.send(greeting)


async def _nothing() -> None:
    """Do nothing when a relay is back: the other end asks again."""


def _to(key: str, clock: Callable[[], float], *, authors: tuple[str, ...] | None = None) -> Filter:
    """What is said to `key` from now on. Clocks differ, and relays go by theirs."""
    return Filter(
        kinds=(kinds.REMOTE_SIGNING,),
        authors=authors,
        tags={"p": (key,)},
        since=int(clock()) - _BEFORE,
    )


def _pool(own: Signer, clock: Callable[[], float]) -> Pool:
    """Relays of one's own, dialled as relays.toml says, and told who is there (NIP-42) if they ask.

    Raises `InvalidConfig`.
    """
    config = find_config(None, os.environ, config_folder(os.environ))
    defaults = config.defaults

    async def authenticate(url: str, challenge: str) -> Verified:
        tags = (("relay", url), ("challenge", challenge))
        return await own.sign(Draft(int(clock()), kinds.AUTH, tags, ""))

    return Pool(
        options=lambda url: RelayOptions(config.settings(url).proxy),
        timeouts=Timeouts(defaults.connect, defaults.idle, defaults.answer, defaults.ok),
        authenticate=authenticate,
    )
