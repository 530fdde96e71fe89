"""`mcp`: the tools for a program that hosts a language model, over stdin and stdout.

Knows who signs, and that stdout is the protocol's. What the tools do is `hosts.toolbox`'s.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.groups import grouped
from nostr_threads.cli.options import ConfigFile, KeyName, PasswordFd, RelayUrls, StoreFile
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nostr_threads.app.client import Nostr
    from nostr_threads.hosts.toolbox import Toolbox

__all__ = ["mcp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Whose key, which store and which relays."""

    key: KeyName = None
    password_fd: PasswordFd = None
    relay: RelayUrls = None
    store: StoreFile = None
    relays: ConfigFile = None


@grouped
def mcp(
    allow_publish: Annotated[
        bool, typer.Option("--allow-publish", help="Let a draft be published, once you say yes.")
    ] = False,
    trust_host: Annotated[
        bool,
        typer.Option(
            "--trust-host", help="Do not ask through the protocol: the host asks before each tool."
        ),
    ] = False,
    seconds: Annotated[
        float,
        typer.Option("--seconds", metavar="N", min=0, help="Look for a thread N seconds at most."),
    ] = 60,
    *,
    places: Places,
) -> None:
    """Serve a program that hosts a language model (MCP), over stdin and stdout.

    It reads threads, searches the store and drafts answers; no key is opened unless publishing is
    allowed. It ends when stdin does.

    Example: nostr-threads mcp --allow-publish --key work
    """
    try:
        from nostr_threads.hosts.mcp_server import run
    except ImportError as error:
        raise InvalidInput(
            "an MCP server needs an extra: pip install 'nostr-threads[mcp]'"
        ) from error
    if trust_host and not allow_publish:
        raise InvalidInput("--trust-host is about publishing: say --allow-publish, too")
    serve = partial(
        run, version=version("nostr-threads"), allow_publish=allow_publish, trust_host=trust_host
    )
    asyncio.run(_serve(serve, places, seconds, signs=allow_publish))


async def _serve(
    serve: Callable[[Toolbox], Awaitable[None]], places: Places, seconds: float, *, signs: bool
) -> None:
    from nostr_threads.hosts.toolbox import Toolbox

    async with _opened(places, signs=signs) as nostr:

        @asynccontextmanager
        async def at_hand() -> AsyncIterator[Nostr]:
            yield nostr

        await serve(Toolbox(at_hand, nostr.viewer, relays=places.relay or (), patience=seconds))


@asynccontextmanager
async def _opened(places: Places, *, signs: bool) -> AsyncIterator[Nostr]:
    """Open everything, and a key only where something may be signed."""
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import public_key, reader, writing_signer

    if not signs:
        viewer = reader() if places.key is None else public_key(places.key)
        async with open_nostr(places.store, places.relays, viewer=viewer) as nostr:
            yield nostr
        return
    async with (
        writing_signer(places.key, places.password_fd) as signer,
        open_nostr(places.store, places.relays, signer) as nostr,
    ):
        yield nostr
