"""`relay serve`: the store as a relay, and who may do what there.

Knows the options and the connections that it takes. What a relay says is `relayd`'s.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit_json, say
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.stores import open_to_read
from nostr_threads.errors import InvalidInput, StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.relayd.indexing import Indexer
    from nostr_threads.store.sql import SqlStore

__all__ = ["serve"]

_READ_ONLY = "restricted: this relay is read-only"
_NOT_YOURS = "restricted: only events of its owner's are taken here"

_MEMORY = ":memory:"
_READERS = 4
# Of each of them: the system has the file in its memory anyway.
_CACHE_MIB = 8
_MOST_CLIENTS = 256
_MOST_BYTES = 2**19
# Seconds.
_FOLLOW = 0.5
_INDEX = 2.0


class Authentication(StrEnum):
    """Whether clients are asked who they are (NIP-42)."""

    OFF = "off"
    OFFERED = "offered"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class _Rules:
    """Who may do what; `authors` None for everybody, empty for nobody."""

    authors: frozenset[str] | None
    auth: Authentication

    @property
    def is_read_only(self) -> bool:
        return self.authors is not None and not self.authors

    @property
    def words(self) -> str:
        if self.is_read_only:
            return "read-only"
        whose = "everybody" if self.authors is None else f"{len(self.authors)} of your choice"
        only = ", and read by nobody else" if self.auth is Authentication.REQUIRED else ""
        return f"written by {whose}{only}"

    def refusal(self, event: Verified) -> str | None:
        if self.authors is None or event.pubkey in self.authors:
            return None
        return _NOT_YOURS if self.authors else _READ_ONLY


def serve(
    port: Annotated[
        int, typer.Option("--port", help="0 takes any free one.", min=0, max=65_535)
    ] = 7447,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    accept: Annotated[
        list[str] | None,
        typer.Option(
            "--accept",
            metavar="KEY",
            help="Take events of this author: an npub, or a key of yours by name; me is the one in "
            "use. Repeatable.",
        ),
    ] = None,
    accept_all: Annotated[
        bool, typer.Option("--accept-all", help="Let anybody who can connect write: for tests.")
    ] = False,
    auth: Annotated[
        Authentication,
        typer.Option(
            "--auth",
            help="Ask clients who they are (NIP-42); if required, only --accept keys read.",
        ),
    ] = Authentication.OFF,
    public_url: Annotated[
        str | None,
        typer.Option("--public-url", metavar="URL", help="What clients dial, as behind a proxy."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="Let this web page read; * for all."),
    ] = None,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """Serve the store as a relay, so that other clients can read what was mirrored.

    It listens on this machine only, lets no web page in, and takes no events, unless told to.
    Answers of yours that no relay has taken yet are not shown. Ctrl-C ends it.

    Example: nostr-threads relay serve --port 7447 --accept me
    """
    from nostr_threads.core.relay_url import normalize

    if accept and accept_all:
        raise InvalidInput("give either --accept or --accept-all")
    if auth is Authentication.REQUIRED and not (accept or accept_all):
        raise InvalidInput("with --auth required, say with --accept whose keys may read and write")
    authors = None if accept_all else frozenset(map(_author, accept or ()))
    url = None if public_url is None else normalize(public_url)
    rules = _Rules(authors, auth)
    asyncio.run(_serve(rules, host, port, url, origin or [], store, as_json=as_json))


def _author(given: str) -> str:
    """Return the public key that somebody named. Raises `InvalidInput`."""
    from nostr_threads.cli.elsewhere import public_key as read
    from nostr_threads.cli.secrets import key_folder, public_key

    if given in key_folder().names():
        return key_folder().public_key(given)
    if given != "me":
        return read(given)
    if (found := public_key()) is None:
        raise InvalidInput("--accept me: no key is in use, or it does not say whose it is")
    return found


async def _serve(
    rules: _Rules,
    host: str,
    port: int,
    public_url: str | None,
    origins: Sequence[str],
    store: str | None,
    *,
    as_json: bool,
) -> None:
    from nostr_threads.relayd import Limits, RelayServer

    async with AsyncExitStack() as stack:
        opened = _opened(stack, rules, store)
        server = RelayServer(
            opened.store,
            readers=opened.readers,
            host=host,
            port=port,
            public_url=public_url,
            limits=Limits(max_message_length=_MOST_BYTES),
            accept=None if rules.authors is None else rules.refusal,
            auth=rules.auth.value,
            members=rules.authors,
            searches=opened.searches,
            follow=_FOLLOW,
            origins=origins,
            max_connections=_MOST_CLIENTS,
        )
        try:
            await stack.enter_async_context(server)
        except OSError as error:
            reason = error.strerror or str(error)
            raise InvalidInput(f"cannot listen on {host}, port {port}: {reason}") from None
        say(f"serving {server.url}, {rules.words}; Ctrl-C ends it")
        if as_json:
            emit_json({"url": server.url})
        await opened.keep_indexed()


@dataclass(frozen=True, slots=True)
class _Opened:
    """The connections to one store: for what is written, for questions, and for the index."""

    store: SqlStore
    readers: Sequence[SqlStore]
    indexer: Indexer | None

    def searches(self) -> bool:
        return self.indexer is not None and self.indexer.is_ready

    async def keep_indexed(self) -> None:
        if self.indexer is not None:
            await self.indexer.run()
        await asyncio.Event().wait()


def _opened(stack: AsyncExitStack, rules: _Rules, named: str | None) -> _Opened:
    from nostr_threads.app.places import store_path
    from nostr_threads.relayd.indexing import Indexer
    from nostr_threads.store.opening import open_store

    place = named or store_path(os.environ)
    first = open_to_read(named) if rules.is_read_only else open_store(place)
    store = stack.enter_context(first)
    if place == _MEMORY:
        return _Opened(store, (), None)
    readers = [
        stack.enter_context(open_store(place, read_only=True, cache_mib=_CACHE_MIB))
        for _ in range(_READERS)
    ]
    try:
        writer = stack.enter_context(open_store(place, cache_mib=_CACHE_MIB))
    except StoreError as error:
        say(f"there is no search: {error}")
        return _Opened(store, readers, None)
    return _Opened(store, readers, Indexer(writer, seconds=_INDEX))
