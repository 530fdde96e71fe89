"""nostr-tools, which most web clients are made with, reads our parts as we do.

Skipped where there is no node, or where npm can neither fetch it nor has it already.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from nostr_threads.core.compose import Target, compose
from nostr_threads.core.entities import PublicKey
from nostr_threads.core.event import verify
from nostr_threads.core.nip19 import encode
from nostr_threads.core.references import references
from nostr_threads.core.split import Limit, split
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Event, Verified

HERE = Path(__file__).parent / "nostr_tools"
SECONDS = 90.0

ALICE, BOB = Author(1), Author(2)
RELAY = "wss://relay.example"
TEXT = "\n\n".join(
    f"# Point {number}\n\nWhat follows from it, said at length. " * 3 + '🧵 é \\ "quoted" \u2028'
    for number in range(1, 12)
)


def read_by_nostr_tools(folder: Path, events: Sequence[Event]) -> list[dict[str, Any]]:
    done = subprocess.run(
        ["node", "read.js"],
        cwd=folder,
        input=f"[{','.join(event.to_json() for event in events)}]".encode(),
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
    return cast("list[dict[str, Any]]", json.loads(done.stdout))


def answer(target: Event | None) -> list[Verified]:
    """A text of several parts, as Alice would sign it."""
    text = f"{TEXT}\n\nas nostr:{encode(PublicKey(BOB.pubkey))} said"
    parts = split(text, Limit(characters=500))
    assert len(parts) > 3
    place = None if target is None else Target(target, RELAY)
    drafts = compose(parts, author=ALICE.pubkey, created_at=START + 100, target=place, relay=RELAY)
    return [ALICE.sign(draft) for draft in drafts]


QUESTION = BOB.note("a question")
TARGETS: dict[str, Event | None] = {
    "nothing": None,
    "a note": QUESTION,
    "an answer": BOB.reply(QUESTION, "an answer"),
    "an article": BOB.article("an-article", "at length"),
    "a thread's root": BOB.event(11, "hello", tags=(("title", "hello"),)),
    "a comment": BOB.comment(BOB.article("an-article", "at length"), "well"),
}


@pytest.mark.parametrize("name", TARGETS)
def test_nostr_tools_verifies_our_parts_and_finds_the_same_root_and_parent(
    name: str, installed: Path
) -> None:
    events = answer(TARGETS[name])
    theirs = read_by_nostr_tools(installed, events)
    ours = [references(event) for event in events]
    assert [each["valid"] for each in theirs] == [True] * len(events)
    assert [each["root"] for each in theirs] == [refs.root and refs.root.key for refs in ours]
    assert [each["parent"] for each in theirs] == [refs.parent and refs.parent.key for refs in ours]


def test_nostr_tools_refuses_a_part_that_was_changed(installed: Path) -> None:
    """Its word is worth something: it does check."""
    changed = replace(verify(QUESTION), content="another question")
    (found,) = read_by_nostr_tools(installed, [changed])
    assert found["valid"] is False
