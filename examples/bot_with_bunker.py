"""A bot that answers whoever mentions it, and whose key is on another machine.

    NOSTR_SECRET_KEY='bunker://…' python examples/bot_with_bunker.py nevent1… [wss://relay …]

On the machine that has the key, `nostr-threads key bunker --relay wss://…` prints the link. Its
secret is good once; the session it begins is kept in the key folder, so the same command works
again tomorrow. The bot says hello under every note of a thread that asks for it, once.
"""

from __future__ import annotations

import asyncio
import sys

import nostr_threads as nt

WORD = "#hello"
ANSWER = "Hello! I am a bot, and the key that has signed this is not here."


def is_asking(node: nt.Node, myself: str) -> bool:
    """Whether a note asks, and is not our own."""
    event = node.event
    return event is not None and event.pubkey != myself and WORD in event.content


def answered(thread: nt.Thread, myself: str) -> set[str | None]:
    """What we have answered before, as far as this thread shows."""
    return {node.parent for node in thread.nodes if node.event and node.event.pubkey == myself}


async def main(code: str, relays: list[str]) -> int:
    """Answer, print what was signed; return 0 when all of it has arrived."""
    async with (
        # Waits for you where the bunker asks before it signs.
        nt.open_signer(show=lambda text: print(text, file=sys.stderr)) as signer,
        nt.open(store="threads.db", signer=signer) as nostr,
    ):
        found = await nostr.fetch(code, relays=relays)
        done = answered(found.thread, signer.public_key)
        asking = [node for node in found.thread.nodes if is_asking(node, signer.public_key)]
        reports = [
            await nostr.publish(ANSWER, reply_to=node, relays=relays)
            for node in asking
            if node.id not in done
        ]
    for report in reports:
        print(report.code)
    return 0 if all(report.accepted for report in reports) else 5


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        status = asyncio.run(main(sys.argv[1], sys.argv[2:]))
    except nt.NostrThreadsError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status)
