"""Our own remote signer on this machine: its book, its log, and the relays where it is found.

Knows where they are kept, per user key, and that one process at a time answers for a key. How
clients are answered is `signing.remote_signer`'s.
"""

from __future__ import annotations

import json
import secrets
import time
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from nostr_threads.app.bunkers import serve_bunker
from nostr_threads.app.places import key_folder
from nostr_threads.core.bunker_links import BunkerLink
from nostr_threads.errors import InvalidInput
from nostr_threads.signing import private_file
from nostr_threads.signing.bookfile import FileKeeper
from nostr_threads.signing.remote_signer import RemoteSigner
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from nostr_threads.core.bunker_links import ClientLink
    from nostr_threads.signing.book import Book
    from nostr_threads.signing.policy import Policy
    from nostr_threads.signing.remote_signer import Ask, Deed
    from nostr_threads.signing.signer import Signer

__all__ = ["Desk", "close_desk"]

# Of a public key, in the names of files.
_DIGITS = 16
# Bytes of the log, and of the one before it.
_MOST_LOG = 10 * 2**20
_LOCK, _SERVING = ".lock", ".serving"
_NO_RELAY = "name the relay where clients find the bunker: --relay URL"


def close_desk(environ: Mapping[str, str], public_key: str) -> Path | None:
    """Forget everybody who could sign with a key elsewhere; return the log, which stays.

    None where there is none. A process that serves the key lets nobody do anything any more.
    Raises `SigningError`.
    """
    book, log = _files(environ, public_key)
    for path in (book, *map(book.with_suffix, (_LOCK, _SERVING))):
        if path.exists():
            private_file.remove(path)
    return log if log.exists() else None


def _files(environ: Mapping[str, str], public_key: str) -> tuple[Path, Path]:
    path = key_folder(environ) / f"{public_key[:_DIGITS]}.clients"
    return path, path.with_suffix(".log")


class Desk:
    """Where clients of `signer` are served; what it remembers is in the key folder of `environ`.

    Every method raises `SigningError` where that cannot be used, and what `signer` raises when it
    cannot encrypt: the book is sealed with it.
    """

    def __init__(
        self, signer: Signer, environ: Mapping[str, str], clock: Callable[[], float] = time.time
    ) -> None:
        self._signer = signer
        self._clock = clock
        self._path, self.log = _files(environ, signer.public_key)
        private_file.prepare_folder(self._path.parent)
        self._keeper = FileKeeper(self._path, signer)

    async def book(self) -> Book:
        """Return what it remembers: its relays and clients."""
        return await self._keeper.read()

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Be the one process that serves this key; False where another does."""
        with private_file.Lock(self._path.with_suffix(_SERVING)) as lock:
            yield lock.acquire()

    async def begin(self, relays: tuple[str, ...]) -> None:
        """Serve at `relays`, or where it was found before; links nobody has used are void.

        Raises `InvalidInput` where there are no relays.
        """
        if not (relays or (await self.book()).relays):
            raise InvalidInput(_NO_RELAY)
        await self._keeper.change(
            lambda book: replace(book, relays=relays or book.relays, invitations={})
        )

    async def invite(self, policy: Policy) -> BunkerLink:
        """Return a link that lets in one client, within `policy`. Links nobody used are void."""
        secret = secrets.token_urlsafe(16)
        if not (await self.book()).relays:
            raise InvalidInput(_NO_RELAY)
        book = await self._keeper.change(lambda book: book.inviting(secret, policy))
        return BunkerLink(KeySigner(book.own).public_key, book.relays, secret)

    async def forget(self, key: str) -> None:
        """Let a client, by its public key, do nothing any more."""
        await self._keeper.change(lambda book: book.forgetting(key))

    async def serve(
        self,
        *,
        ask: Callable[[Ask], Awaitable[bool]],
        told: Callable[[Deed], None] = lambda _: None,
        trouble: Callable[[str], None] = lambda _: None,
        welcome: tuple[ClientLink, Policy] | None = None,
    ) -> None:
        """Answer until cancelled; see `RemoteSigner` for `ask`. Every deed is logged, then `told`.

        `trouble` is told which relays do not do their part. `welcome` is a client that has shown
        its own link: it is let in, and told so at the relays that it names.
        """
        own = KeySigner((await self.book()).own)

        def log(deed: Deed) -> None:
            private_file.append(self.log, json.dumps(asdict(deed)), most=_MOST_LOG)
            told(deed)

        remote = RemoteSigner(self._keeper, own, self._signer, clock=self._clock, ask=ask, told=log)
        greetings = [] if welcome is None else [await remote.welcome(*welcome)]
        relays = (await self.book()).meeting
        await serve_bunker(
            remote, own, relays, greetings=greetings, trouble=trouble, clock=self._clock
        )
