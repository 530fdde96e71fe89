"""`relay`: the relays of relays.toml, what they say of themselves, and a relay of one's own."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit_json, say, table
from nostr_threads.cli.options import AsJson, ConfigFile
from nostr_threads.cli.reports import INCOMPLETE
from nostr_threads.cli.serving import serve
from nostr_threads.errors import NoRelayReachable

if TYPE_CHECKING:
    from nostr_threads.app.config import Config, RelaySettings

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Relays: listed, looked at, tried, and served.")

Url = Annotated[str, typer.Argument(metavar="URL", help="wss://… or ws://…")]


@app.command("list")
def list_relays(as_json: AsJson = False, relays: ConfigFile = None) -> None:
    """List the relays of relays.toml and what each is for.

    Example: nostr-threads relay list
    """
    config = _config(relays)
    if as_json:
        for settings in config.relays:
            emit_json(_settings(settings))
        return
    say(f"from {config.path}")
    uses = ("read", "write", "index", "search")
    rows = (
        (settings.url, ", ".join(use for use in uses if getattr(settings, use)), settings.auth)
        for settings in config.relays
    )
    table("", ("relay", "for", "auth"), rows)


@app.command("info")
def info(url: Url, as_json: AsJson = False) -> None:
    """Show what a relay says of itself (NIP-11).

    Example: nostr-threads relay info wss://nos.lol
    """
    from dataclasses import asdict

    from nostr_threads.core.relay_url import normalize
    from nostr_threads.net.info import fetch_info

    document = asdict(asyncio.run(fetch_info(normalize(url))))
    if as_json:
        emit_json({"url": normalize(url), **document})
        return
    limits = document.pop("limits")
    known = {**document, **limits}
    rows = ((name, _listed(value)) for name, value in known.items() if value or value == 0)
    say(normalize(url))
    table("", (), rows)


def _listed(value: object) -> object:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


@app.command("test")
def try_relays(
    urls: Annotated[
        list[str] | None, typer.Argument(metavar="[URL]…", help="Default: those of relays.toml.")
    ] = None,
    as_json: AsJson = False,
    relays: ConfigFile = None,
) -> None:
    """Connect, ask for one note, and say how long it took. Nothing is published.

    Example: nostr-threads relay test wss://nos.lol wss://relay.damus.io
    """
    from nostr_threads.core.relay_url import normalize

    config = _config(relays)
    chosen = [normalize(url) for url in urls or ()] or [each.url for each in config.relays]
    results = asyncio.run(_try_all(config, chosen))
    for result in results if as_json else ():
        emit_json(result)
    if not as_json:
        columns = ("url", "answer", "seconds", "reason")
        table("", columns, ([result[name] for name in columns] for result in results))
    answered = [result for result in results if result["answer"] != "unreachable"]
    if not answered:
        which = (
            "the relay could not" if len(results) == 1 else f"none of {len(results)} relays could"
        )
        raise NoRelayReachable(f"{which} be reached")
    if any(result["answer"] not in ("complete", "limited") for result in results):
        raise typer.Exit(INCOMPLETE)


app.command("serve")(serve)


async def _try_all(config: Config, urls: list[str]) -> list[dict[str, object]]:
    from nostr_threads.app.opening import open as open_nostr

    async with open_nostr(":memory:", config) as nostr:

        async def attempt(url: str) -> dict[str, object]:
            from nostr_threads.core.filters import Filter

            started = time.monotonic()
            answer = await nostr.relay(url).sample(Filter(kinds=(1,), limit=1))
            return {
                "url": url,
                "answer": answer.finish.value,
                "seconds": round(time.monotonic() - started, 3),
                "events": len(answer.events),
                "reason": answer.reason,
            }

        return list(await asyncio.gather(*map(attempt, urls)))


def _settings(settings: RelaySettings) -> dict[str, object]:
    from dataclasses import asdict

    hidden = "(set)" if "@" in settings.proxy else settings.proxy
    return {**asdict(settings), "proxy": hidden}


def _config(path: Path | None) -> Config:
    from nostr_threads.app.config import find_config
    from nostr_threads.app.places import config_folder

    return find_config(path, os.environ, config_folder(os.environ))
