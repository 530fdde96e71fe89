"""Both ends of a signer elsewhere (NIP-46), each at its relays.

Knows how a signer is found, kept and left, and how ours serves others. What is said is in
`signing.bunker` and `signing.remote_signer`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from nostr_threads.app.wires import RelayWire
from nostr_threads.core import kinds
from nostr_threads.core.bunker_links import BunkerLink, ClientLink
from nostr_threads.core.event import Draft
from nostr_threads.core.filters import Filter
from nostr_threads.core.nip46 import Metadata, Permission
from nostr_threads.errors import BunkerError, SigningError
from nostr_threads.net.pool import Pool
from nostr_threads.signing.bunker import (
    BunkerSession,
    BunkerSigner,
    Patience,
    introduced,
)
from nostr_threads.signing.secret import new_secret
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.signing.remote_signer import RemoteSigner
    from nostr_threads.signing.secret import SecretKey

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
    wanted = Filter(
        kinds=(kinds.REMOTE_SIGNING,),
        authors=(session.signer,),
        tags={"p": (own.public_key,)},
        since=int(clock()) - _BEFORE,
    )
    async with _wire(own, session.relays, wanted, clock) as wire:
        signer = BunkerSigner(
            session,
            wire,
            clock=clock,
            show=show,
            keep=keep,
            patience=patience,
        )
        try:
            async with _running(wire, signer.heard, signer.listening):
                yield signer
        finally:
            await signer.close()


@asynccontextmanager
async def connect_bunker(
    link: BunkerLink,
    *,
    permissions: Sequence[Permission] = PERMISSIONS,
    metadata: Metadata = OURSELVES,
    show: Callable[[str], None] = lambda _: None,
    keep: Callable[[BunkerSession], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
    patience: Patience = Patience(),  # noqa: B008 - frozen, so it can be shared
) -> AsyncIterator[BunkerSigner]:
    """Introduce ourselves to the bunker of a `bunker://` link, whose secret is then used up.

    `keep` is given the session that `open_bunker` takes from then on. Raises `BunkerError`.
    """
    session = BunkerSession(link.signer, new_secret(), link.relays)
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
    wanted = Filter(
        kinds=(kinds.REMOTE_SIGNING,),
        tags={"p": (own.public_key,)},
        since=int(clock()) - _BEFORE,
    )
    found: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def heard(event: Verified) -> None:
        signer = await introduced(event, own, link.secret)
        if signer is not None and not found.done():
            found.set_result(signer)

    async with _wire(own, link.relays, wanted, clock) as wire, _running(wire, heard, _nothing):
        wire.listen()
        try:
            async with asyncio.timeout(seconds):
                signer = await found
        except TimeoutError:
            raise BunkerError("no signer has answered the link", is_silence=True) from None
    return BunkerSession(signer, client, link.relays)


async def serve_bunker(
    remote: RemoteSigner,
    own: KeySigner,
    relays: tuple[str, ...],
    *,
    greetings: Sequence[Verified] = (),
    clock: Callable[[], float] = time.time,
) -> None:
    """Answer what clients ask at `relays`, until cancelled. `greetings` are sent first.

    `own` is the key with which `remote` talks. Raises what `remote` raises when its book cannot be
    kept, and `BunkerError` where a greeting cannot be sent.
    """
    wanted = Filter(
        kinds=(kinds.REMOTE_SIGNING,),
        tags={"p": (own.public_key,)},
        since=int(clock()) - _BEFORE,
    )
    at_work = asyncio.Semaphore(_MOST_AT_WORK)

    async def serve(wire: RelayWire, tasks: asyncio.TaskGroup) -> None:
        async def answer(event: Verified) -> None:
            try:
                if (answered := await remote.answer(event)) is not None:
                    # Nobody there to hear it: the client asks again.
                    with suppress(BunkerError):
                        await wire.send(answered)
            finally:
                at_work.release()

        async def heard(event: Verified) -> None:
            # A flood is read no faster than it is answered.
            await at_work.acquire()
            tasks.create_task(answer(event))

        tasks.create_task(wire.run(heard, _nothing))
        wire.listen()
        for greeting in greetings:
            await wire.send(greeting)

    async with _wire(own, relays, wanted, clock) as wire:
        try:
            async with asyncio.TaskGroup() as tasks:
                await serve(wire, tasks)
        except* SigningError as several:
            raise several.exceptions[0] from None


async def _nothing() -> None:
    """Do nothing when a relay is back: the other end asks again."""


@asynccontextmanager
async def _wire(
    own: KeySigner, relays: tuple[str, ...], wanted: Filter, clock: Callable[[], float]
) -> AsyncIterator[RelayWire]:
    """Relays of one's own, which are told who is there (NIP-42) when they ask."""

    async def authenticate(url: str, challenge: str) -> Verified:
        tags = (("relay", url), ("challenge", challenge))
        return await own.sign(Draft(int(clock()), kinds.AUTH, tags, ""))

    async with Pool(authenticate=authenticate) as pool:
        yield RelayWire(pool, relays, wanted)


@asynccontextmanager
async def _running(
    wire: RelayWire,
    heard: Callable[[Verified], Awaitable[None]],
    again: Callable[[], Awaitable[None]],
) -> AsyncIterator[None]:
    task = asyncio.create_task(wire.run(heard, again))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()  # it ends by itself only when something is wrong
