"""`demo`: the whole way of an answer, on this machine alone."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, say
from nostr_threads.errors import NostrThreadsError

if TYPE_CHECKING:
    from nostr_threads.app.publish import Report

__all__ = ["demo"]

_QUESTION = "Why do long answers on Nostr so often stop in the middle?"
_ANSWER = """\
# Where the tail goes

Every relay sets a limit of its own. One takes 2,000 characters, another 64 kilobytes, a third \
counts the bytes of the whole message, and none of them says so before the last word is typed. So \
a client sends everything in one event; one relay says no, another says yes and keeps nothing, and \
the reader gets an answer without its end.

## What helps

- **Cut it where a person would**: at a heading, between paragraphs, after a sentence; never in \
a link such as https://github.com/nostr-protocol/nips/blob/master/10.md or in a piece of code.
- **Say which part it is**, and chain the parts: each one answers the one before it.
- **Sign everything before anything is sent**, so that a crash in the middle leaves no half.

```python
parts = nt.split(answer, limit=nt.Limit(characters=2_000))
assert nt.join(parts) == answer  # to the last byte
```

## And then

Ask the relay for what it said it took. An OK is not a copy: read it back. 🧵
"""
_LIMIT = 420


def demo(
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Characters in a part.")
    ] = _LIMIT,
) -> None:
    """Watch a long answer being split, published, and fetched back whole by somebody else.

    No network is needed: a relay of this package runs on this machine for as long as it takes.

    Example: nostr-threads demo
    """
    with tempfile.TemporaryDirectory(prefix="nostr-threads-demo-") as folder:
        asyncio.run(_run(Path(folder), limit))


async def _run(folder: Path, limit: int) -> None:
    from nostr_threads.relayd.server import RelayServer
    from nostr_threads.store.sqlite import SqliteStore

    with SqliteStore(folder / "relay.db") as store:
        async with RelayServer(store) as relay:
            emit(f"1. A relay is up at {relay.url}\n")
            code = await _publish(folder / "asker.db", relay.url, _QUESTION, None, limit)
            code = await _publish(folder / "answerer.db", relay.url, _ANSWER, code, limit)
            await _read_as_stranger(folder / "stranger.db", relay.url, code)


async def _publish(store: Path, url: str, text: str, reply_to: str | None, limit: int) -> str:
    from nostr_threads.app.config import Config
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.core.split import Limit
    from nostr_threads.signing import KeySigner, new_secret

    signer = KeySigner(new_secret())
    async with open_nostr(store, Config(), signer) as nostr:
        report = await nostr.publish(
            text, reply_to=reply_to, relays=[url], limit=Limit(characters=limit)
        )
    emit(_published(report, reply_to is None))
    return report.code


def _published(report: Report, is_question: bool) -> str:
    from nostr_threads.core.delivery import Status

    parts = len(report.posting.events)
    stored = sum(delivery.status is Status.STORED for delivery in report.deliveries)
    if is_question:
        return f"2. Somebody asks, and the relay has it: {stored} of {parts} read back\n"
    return (
        f"3. Somebody answers at length: {parts} parts, all signed and kept before one was sent;\n"
        f"   {stored} of {parts} read back from the relay\n"
    )


async def _read_as_stranger(store: Path, url: str, code: str) -> None:
    from nostr_threads.app.config import Config
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.core.split import join
    from nostr_threads.render.tree import render_tree

    async with open_nostr(store, Config()) as stranger:
        found = await stranger.fetch(code, relays=[url])
    async with open_nostr(store, Config()) as offline:
        kept = await offline.show(code)
    emit(
        f"4. A stranger fetches the thread: {found.thread.found} notes, "
        f"{len(found.thread.missing)} missing, every relay answered "
        f"{'completely' if found.whole else 'incompletely'}\n"
        "5. Offline, from the stranger's own store:\n\n"
    )
    emit(render_tree(kept.thread))
    chains = list(kept.thread.answers()) or [kept.thread.nodes[-1:]]
    texts = [join(node.part for node in chain if node.part) for chain in chains]
    if texts != [_ANSWER] or not found.whole:
        raise NostrThreadsError("the demo did not come back whole: please report this")
    emit(
        f"6. Joined, the parts are the answer again: {len(_ANSWER)} of {len(_ANSWER)} characters\n"
    )
    say("publish your own: nostr-threads key new me; nostr-threads publish answer.md")
