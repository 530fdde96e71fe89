"""`mirror worker`: one of many processes that keep the sources of a PostgreSQL store."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit_json, say
from nostr_threads.cli.moments import moment
from nostr_threads.cli.options import AsJson, ConfigFile, StoreFile
from nostr_threads.cli.policies import DeletedPolicy, adopt
from nostr_threads.cli.reports import counted
from nostr_threads.cli.standings import short, tell_progress
from nostr_threads.cli.stores import database_of
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nostr_threads.app.fleet import Manned, Pair
    from nostr_threads.store.policy import Policy

__all__ = ["tell_fleet", "worker"]

# Seconds without a word after which a worker has died.
_DEAD = 60.0


def worker(
    every: Annotated[
        str, typer.Option("--every", metavar="TIME", help="Look at each source again after this.")
    ] = "10m",
    at_once: Annotated[
        int, typer.Option("--at-once", metavar="N", min=1, help="Do N jobs at a time.")
    ] = 4,
    once: Annotated[
        bool, typer.Option("--once", help="End when nothing is left to do now.")
    ] = False,
    dead: Annotated[
        float,
        typer.Option(
            "--dead", metavar="N", min=1, help="Take over from workers silent for N seconds."
        ),
    ] = _DEAD,
    deleted: DeletedPolicy = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Work on the sources of a PostgreSQL store, together with other workers on any machine.

    Each source is got from each relay by one worker at a time. What fails is tried again later, and
    what a worker was at that has died is taken over. Ctrl-C ends it once what it is at is done.

    Example: nostr-threads mirror worker --store postgresql://db.example/nostr
    """
    seconds, url = moment(every, 0), database_of(store)
    if url is None:
        raise InvalidInput("workers share a PostgreSQL store: --store postgresql://…")
    asyncio.run(_work(url, seconds, at_once, once, dead, deleted, relays, as_json))


async def _work(
    url: str,
    every: int,
    at_once: int,
    once: bool,
    dead: float,
    deleted: Policy | None,
    relays: Path | None,
    as_json: bool,
) -> None:
    from nostr_threads.app.fleet import Fleet, queue_at
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import reading_signer

    async with (
        reading_signer() as signer,
        open_nostr(url, relays, signer) as nostr,
        queue_at(url) as queue,
    ):
        adopt(nostr.store, deleted)
        fleet = Fleet(
            queue,
            nostr.store,
            nostr.mirror.visits,
            every=every,
            dead=dead,
            clock=lambda: int(time.time()),
            progress=lambda told: tell_progress(told, as_json),
        )
        await fleet.work(at_once=at_once, for_ever=not once)


async def tell_fleet(url: str, *, as_json: bool) -> None:
    """Say how the fleet of a PostgreSQL store stands."""
    from nostr_threads.app.fleet import manned, queue_at

    async with queue_at(url) as queue:
        fleet = await manned(queue)
    if as_json:
        emit_json({"fleet": _object(fleet)})
        return
    say(
        f"{counted(fleet.workers, 'worker')}, {counted(len(fleet.working), 'job')} at work, "
        f"{len(fleet.waiting)} waiting, {len(fleet.failed)} failed"
    )
    for name, relay in fleet.working:
        say(f"at work: {short(name)}{f' from {relay}' if relay else ''}")


def _object(fleet: Manned) -> dict[str, object]:
    return {
        "workers": fleet.workers,
        "working": _pairs(fleet.working),
        "waiting": _pairs(fleet.waiting),
        "failed": _pairs(fleet.failed),
    }


def _pairs(pairs: Sequence[Pair]) -> list[dict[str, str]]:
    return [{"source": source, "relay": relay} for source, relay in pairs]
