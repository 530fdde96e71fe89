"""Fetch a whole thread and say how whole it is.

    python examples/fetch_thread.py nevent1… [wss://relay …]

Without relays, those of relays.toml are asked. The thread is kept in threads.db, in this folder.
"""

from __future__ import annotations

import asyncio
import sys

import nostr_threads as nt


async def main(code: str, relays: list[str]) -> int:
    """Print the tree and the coverage; return 0 when every relay answered completely, else 3."""
    async with nt.open(store="threads.db") as nostr:
        found = await nostr.fetch(code, relays=relays)
    print(nt.render_tree(found.thread))
    for relay in found.coverage.relays:
        ending = relay.finish.value if relay.finish is not None else "not asked"
        print(f"{relay.url}: {relay.events} notes, {relay.only_here} only here, {ending}")
    for node in found.thread.missing:
        print(f"missing: {node.id}, wanted by {len(node.wanted_by)} notes")
    return 0 if found.whole else 3


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        code = asyncio.run(main(sys.argv[1], sys.argv[2:]))
    except nt.NostrThreadsError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code)
