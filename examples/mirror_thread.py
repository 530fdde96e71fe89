"""Keep a thread here whole, and say what is new in it each time.

    python examples/mirror_thread.py nevent1… [wss://relay …]

Without relays, those of relays.toml are asked, and where its people write and read. What comes is
kept in threads.db, in this folder; run it again, or from cron, and it goes on from there.
"""

from __future__ import annotations

import asyncio
import sys

import nostr_threads as nt


async def main(code: str, relays: list[str]) -> int:
    """Print new notes and how each relay answered; return 0 when all gave everything, else 3."""
    thread = nt.Source.parse(nt.SourceKind.THREAD, code, relays=tuple(relays))
    async with nt.open(store="threads.db") as nostr:
        await nostr.mirror.add(thread)
        (result,) = await nostr.mirror.run([thread])
        arrived = nostr.store.arrivals()
        for note in (note for notes in arrived.threads.values() for note in notes):
            print(f"{note.pubkey[:8]}: {note.content}")
        nostr.store.looked(arrived)
    for url, sync in result.syncs.items():
        ending = "cut off" if sync.finish is None else sync.finish.value
        print(f"{url}: {ending} {sync.reason}".rstrip(), file=sys.stderr)
    return 0 if result.whole else 3


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        ended = asyncio.run(main(sys.argv[1], sys.argv[2:]))
    except nt.NostrThreadsError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(ended)
