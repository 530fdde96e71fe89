"""Sets of events that answer each other in every way there is, with real ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.store.events import THEN, UNKNOWN, address, article, comment, deletion, made

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified

URL = "https://example.com/a:b"


@st.composite
def forests(draw: st.DrawFn) -> list[Verified]:
    """Notes, comments, articles, reactions and deletions that point anywhere, also at nothing."""
    events: list[Verified] = []
    keys = [UNKNOWN, address("a"), address("b"), URL, "f" * 64]
    for number in range(draw(st.integers(1, 14))):
        parent, root = draw(st.sampled_from(keys)), draw(st.sampled_from(keys))
        event = draw(st.sampled_from(SHAPES))(parent, root, number)
        events.append(event)
        keys += [event.id] * 3
    return events


def _note(parent: str, root: str, number: int) -> Verified:
    names = ["a" if ":" in key else "e" for key in (root, parent)]
    tags = ((names[0], root, "", "root"), (names[1], parent, "", "reply"))
    return made(1, *tags, content=str(number), at=THEN + number % 3)


def _article(parent: str, root: str, number: int) -> Verified:
    note = _note(parent, root, number)
    tags = note.tags[1:] if number % 3 else ()
    return article("ab"[number % 2], *tags, ("n", str(number)), at=note.created_at)


SHAPES = [
    _note,
    _note,
    lambda parent, root, number: comment(parent, root, text=str(number)),
    lambda _parent, _root, number: made(content=str(number)),
    _article,
    lambda parent, _root, number: made(7, ("e", parent), ("n", str(number))),
    lambda parent, root, number: deletion(("e", root), ("e", parent), ("n", str(number))),
]


@st.composite
def torn_forests(draw: st.DrawFn) -> list[Verified]:
    """Forests in which events are missing, so that many chains are broken."""
    events = draw(forests())
    gone = draw(st.sets(st.integers(0, len(events) - 1), max_size=len(events) // 2))
    return [event for number, event in enumerate(events) if number not in gone]
