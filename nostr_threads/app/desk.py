"""Our own remote signer on this machine: its book, its log, and the relays where it is found.

Knows where they are kept, per user key. How clients are answered is `signing.remote_signer`'s.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from nostr_threads.app.bunkers import serve_bunker
from nostr_threads.app.places import key_folder
from nostr_threads.core.bunker_links import BunkerLink
from nostr_threads.errors import InvalidInput
from nostr_threads.signing import private_file
from nostr_threads.signing.bookfile import load_book, save_book
from nostr_threads.signing.remote_signer import Book, Client, Deed, RemoteSigner
from nostr_threads.signing.secret import new_secret
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from nostr_threads.core.bunker_links import ClientLink
    from nostr_threads.core.event import Verified
    from nostr_threads.signing.policy import Policy
    from nostr_threads.signing.signer import Signer

__all__ = ["Desk", "open_desk"]

# Of a public key, in the names of files.
_DIGITS = 16


async def open_desk(
    signer: Signer,
    environ: Mapping[str, str],
    *,
    relays: tuple[str, ...] = (),
    ask: Callable[[Client, str, str], Awaitable[bool]],
    told: Callable[[Deed], None] = lambda _: None,
    clock: Callable[[], float] = time.time,
) -> Desk:
    """Open the desk at which clients of `signer` are served; see `RemoteSigner` for `ask`.

    `relays` replace those where it was found before. Every deed is logged, and then `told`. Raises
    `InvalidInput` where there are no relays, `SigningError` where the book cannot be read, and
    `NoSigner` for a signer that does not encrypt.
    """
    folder = key_folder(environ)
    path = folder / f"{signer.public_key[:_DIGITS]}.clients"
    known = await load_book(path, signer)
    book = known or Book(new_secret())
    book = replace(book, relays=relays or book.relays)
    if not book.relays:
        raise InvalidInput("name the relay where clients find the bunker: --relay URL")
    if book != known:
        private_file.prepare_folder(folder)
        await save_book(path, book, signer)
    return Desk(signer, book, path, ask, told, clock)


class Desk:
    """A remote signer that keeps its book in a file. Made by `open_desk`."""

    def __init__(
        self,
        signer: Signer,
        book: Book,
        path: Path,
        ask: Callable[[Client, str, str], Awaitable[bool]],
        told: Callable[[Deed], None],
        clock: Callable[[], float],
    ) -> None:
        self._signer = signer
        self._path = path
        self._told = told
        self._clock = clock
        self._own = KeySigner(book.own)
        self._greetings: list[Verified] = []
        self._meeting: tuple[str, ...] = ()
        self._remote = RemoteSigner(
            book, signer, clock=clock, keep=self._keep, ask=ask, told=self._log
        )

    @property
    def book(self) -> Book:
        """What it remembers: its relays and clients."""
        return self._remote.book

    @property
    def log(self) -> Path:
        """The file of what was done, a JSON object a line."""
        return self._path.with_suffix(".log")

    async def invite(self, policy: Policy) -> BunkerLink:
        """Return a link that lets in one client, within `policy`. Links nobody used are void."""
        secret = secrets.token_urlsafe(16)
        await self._remote.invite(secret, policy)
        return BunkerLink(self._remote.public_key, self.book.relays, secret)

    async def welcome(self, link: ClientLink, policy: Policy) -> None:
        """Let in the client of a `nostrconnect://` link, at the relays it names as well."""
        client = Client(link.client, policy, link.metadata.name, int(self._clock()))
        self._greetings.append(await self._remote.welcome(client, link.secret))
        self._meeting = link.relays

    async def forget(self, key: str) -> None:
        """Let a client, by its public key, do nothing any more."""
        await self._remote.forget(key)

    async def serve(self) -> None:
        """Answer until cancelled. Raises `SigningError` when the book cannot be kept."""
        relays = tuple(dict.fromkeys((*self.book.relays, *self._meeting)))
        await serve_bunker(
            self._remote, self._own, relays, greetings=self._greetings, clock=self._clock
        )

    async def _keep(self, book: Book) -> None:
        await save_book(self._path, book, self._signer)

    def _log(self, deed: Deed) -> None:
        private_file.append(self.log, json.dumps(asdict(deed), ensure_ascii=False))
        self._told(deed)
