"""`demo`: the whole way of an answer, on this machine alone.

Knows what is done and what is told of it. The texts are in `demo_data`.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, on_terminal, say, talk
from nostr_threads.cli.demo_data import ANSWER, LIMIT, QUESTION
from nostr_threads.errors import NostrThreadsError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from nostr_threads.app.publish import Report
    from nostr_threads.core.thread import Thread
    from nostr_threads.signing import Signer

__all__ = ["INVITATION", "Stage", "demo", "told"]

INVITATION = "publish your own: nostr-threads key new me; nostr-threads publish answer.md"
"""What is said when all is told."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a demo is given, by whom, and how.

    Its stores are made in `folder`. Parts have at most `limit` characters. The thread is wrapped to
    `width` columns; without it, not at all.
    """

    folder: Path
    asker: Signer
    answerer: Signer
    limit: int
    width: int | None
    clock: Callable[[], float]


def demo(
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Characters in a part.")
    ] = LIMIT,
) -> None:
    """Watch a long answer being split, published, and fetched back whole by somebody else.

    No network is needed: a relay of this package runs on this machine for as long as it takes.

    Example: nostr-threads demo
    """
    with tempfile.TemporaryDirectory(prefix="nostr-threads-demo-") as folder:
        asyncio.run(_run(Path(folder), limit))
    say(INVITATION)


async def _run(folder: Path, limit: int) -> None:
    from nostr_threads.signing import KeySigner, new_secret

    asker, answerer = KeySigner(new_secret()), KeySigner(new_secret())
    width = talk().width if on_terminal() else None
    async for piece in told(Stage(folder, asker, answerer, limit, width, time.time)):
        emit(piece)


async def told(stage: Stage) -> AsyncIterator[str]:
    """Do each step, and tell it once it is done.

    Raises `NostrThreadsError` if the answer does not come back whole.
    """
    from nostr_threads.relayd.server import RelayServer
    from nostr_threads.store.sqlite import SqliteStore

    with SqliteStore(stage.folder / "relay.db") as store:
        async with RelayServer(store, clock=stage.clock) as relay:
            yield f"1. A relay is up at {relay.url}\n"
            asked = await _publish(stage, stage.asker, relay.url, QUESTION)
            yield f"2. Somebody asks, and the relay has it: {_read_back(asked)} read back\n"
            answered = await _publish(stage, stage.answerer, relay.url, ANSWER, asked.code)
            yield (
                f"3. Somebody answers at length: {len(answered.posting.events)} parts, all signed "
                "and kept before one was sent;\n"
                f"   {_read_back(answered)} read back from the relay\n"
            )
            async for piece in _read_as_stranger(stage, relay.url, answered.code):
                yield piece


async def _publish(
    stage: Stage, signer: Signer, url: str, text: str, reply_to: str | None = None
) -> Report:
    from nostr_threads.app.config import Config
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.core.split import Limit

    store = stage.folder / f"{signer.public_key}.db"
    async with open_nostr(store, Config(), signer, clock=stage.clock) as nostr:
        return await nostr.publish(
            text, reply_to=reply_to, relays=[url], limit=Limit(characters=stage.limit)
        )


def _read_back(report: Report) -> str:
    from nostr_threads.core.delivery import Status

    stored = sum(delivery.status is Status.STORED for delivery in report.deliveries)
    return f"{stored} of {len(report.posting.events)}"


async def _read_as_stranger(stage: Stage, url: str, code: str) -> AsyncIterator[str]:
    from nostr_threads.app.config import Config
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.render.setting import Setting
    from nostr_threads.render.tree import render_tree

    store = stage.folder / "stranger.db"
    async with open_nostr(store, Config(), clock=stage.clock) as stranger:
        found = await stranger.fetch(code, relays=[url])
    async with open_nostr(store, Config(), clock=stage.clock) as offline:
        kept = await offline.show(code)
    yield (
        f"4. A stranger fetches the thread: {found.thread.found} notes, "
        f"{len(found.thread.missing)} missing, every relay answered "
        f"{'completely' if found.whole else 'incompletely'}\n"
    )
    yield "5. Offline, from the stranger's own store:\n\n"
    yield render_tree(kept.thread, Setting(width=stage.width))
    if not found.whole or not _is_the_answer(kept.thread):
        raise NostrThreadsError("the demo did not come back whole: please report this")
    yield f"6. Joined, the parts are the answer again: {len(ANSWER)} of {len(ANSWER)} characters\n"


def _is_the_answer(thread: Thread) -> bool:
    from nostr_threads.core.split import join

    chains = list(thread.answers()) or [thread.nodes[-1:]]
    return [join(node.part for node in chain if node.part) for chain in chains] == [ANSWER]
