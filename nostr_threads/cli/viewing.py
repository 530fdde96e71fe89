"""`serve`: the store as web pages on this machine."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit_json, say
from nostr_threads.cli.options import AsJson, ConfigFile, RelayUrls, StoreFile
from nostr_threads.cli.pages import require_web
from nostr_threads.cli.secrets import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["serve"]


def serve(
    port: Annotated[
        int, typer.Option("--port", help="0 takes any free one.", min=0, max=65_535)
    ] = 7448,
    follow: Annotated[
        bool, typer.Option("--follow", help="Keep what `mirror` was told to up to date meanwhile.")
    ] = False,
    browser: Annotated[
        bool, typer.Option("--open", help="Open it in the browser that is used here.")
    ] = False,
    relay: RelayUrls = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Look at the threads of the store in a browser; what comes in is shown as it comes.

    Only this machine can reach it. It asks no other one, and has no key: an answer is signed by the
    browser's extension (NIP-07) and goes where --relay or relays.toml say. That, and what marks
    threads as read, needs the address with its token, which is shown here and nowhere else.
    Ctrl-C ends it.

    Example: nostr-threads serve --open
    """
    require_web()
    asyncio.run(_serve(port, follow, browser, relay or [], as_json, store, relays))


async def _serve(
    port: int,
    follow: bool,
    browser: bool,
    relay: list[str],
    as_json: bool,
    store: str | None,
    relays: Path | None,
) -> None:
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.stores import open_to_read
    from nostr_threads.web.opening import open_viewer

    # First for writing: a store of an earlier version is brought up to date, one that is not there
    # is made.
    async with open_nostr(store, relays, viewer=reader()) as nostr:
        with ExitStack() as stack:
            reading = stack.enter_context(open_to_read(store))
            viewing = open_viewer(
                nostr, reading, clock=lambda: int(time.time()), port=port, relays=relay
            )
            async with viewing as address, asyncio.TaskGroup() as tasks:
                if as_json:
                    emit_json({"url": address.url, "token": address.token})
                say(f"look at {address.secret}")
                say(
                    "keep it to yourself: its token lets a browser answer and ask; Ctrl-C ends this"
                )
                if browser:
                    file = stack.enter_context(_leading_to(address.secret))
                    # Some browsers end when they are closed: nobody waits for that.
                    Thread(target=_open, args=(file,), daemon=True).start()
                if follow:
                    tasks.create_task(nostr.mirror.follow(nostr.store.sources.all()))
                await asyncio.Event().wait()


@contextmanager
def _leading_to(url: str) -> Iterator[str]:
    """Give the address of a file that nobody else can read, and that leads to `url`.

    The token in that would stand on the command line of the browser.
    """
    with NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
        file.write(f'<meta http-equiv="refresh" content="0; url={url}">')
        file.flush()
        yield Path(file.name).as_uri()


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        say("no browser could be opened: open the address yourself")
