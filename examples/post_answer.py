"""Publish a long answer under a note, and say what became of every part at every relay.

    NOSTR_SECRET_KEY=… python examples/post_answer.py answer.md nevent1… [wss://relay …]

Without relays, those of relays.toml are written to, and those where its readers are.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import nostr_threads as nt


def explain(plan: nt.Plan) -> None:
    """Say what is about to be signed. Raising here would stop it."""
    for warning in plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{len(plan.drafts)} events to {len(plan.relays)} relays", file=sys.stderr)


async def main(text: str, reply_to: str, relays: list[str]) -> int:
    """Publish, print the deliveries and the code; return 0 when enough relays have every part."""
    # Form.ARTICLE publishes it in one piece; None leaves the choice to its length.
    style = nt.Style(form=nt.Form.THREAD)
    async with nt.open(store="threads.db", signer=nt.signer_from_env()) as nostr:
        report = await nostr.publish(
            text, reply_to=reply_to, relays=relays, style=style, planned=explain
        )
    for delivery in report.deliveries:
        print(f"part {delivery.part} at {delivery.relay}: {delivery.status.value}")
    print(report.code)
    return 0 if report.accepted else 5


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    # As bytes: reading as text would turn Windows line ends into others.
    answer = Path(sys.argv[1]).read_bytes().decode("utf-8-sig")
    try:
        code = asyncio.run(main(answer, sys.argv[2], sys.argv[3:]))
    except nt.NostrThreadsError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code)
