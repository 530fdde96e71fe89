"""Which part goes on where another ends, in chains and side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.node import next_parts
from nostr_threads.core.thread import Thread
from tests.core.invented import START, answer, hex_of, invented

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified

TOPIC = invented("topic", kind=kinds.FORUM_THREAD)


def chained(name: str, parent: str, index: int, total: int) -> Verified:
    more = (("part", str(index), str(total)),)
    return answer(name, parent, "q", at=START + index, by="alice", more=more)


def beside(
    name: str, parent: str, index: int, total: int, *, at: int, by: str = "alice"
) -> Verified:
    """A part in a forum thread (NIP-7D); `at` in seconds."""
    tags = (
        ("E", hex_of("topic")),
        ("K", "11"),
        ("e", hex_of(parent)),
        ("part", str(index), str(total)),
    )
    return invented(name, *tags, kind=kinds.COMMENT, at=START + at, by=by)


def pairs(*events: Verified) -> set[tuple[str, str]]:
    """The names of parts and of what follows each."""
    found = next_parts(Thread.build(events).nodes)
    return {
        (before.event.content, after.event.content)
        for before, after in found
        if before.event is not None and after.event is not None
    }


def test_in_a_chain_a_part_follows_what_it_answers() -> None:
    events = [
        invented("q"),
        *(chained(f"a{n}", f"a{n - 1}" if n > 1 else "q", n, 3) for n in (1, 2, 3)),
    ]
    assert pairs(*events) == {("a1", "a2"), ("a2", "a3")}


def test_in_a_forum_thread_parts_stand_side_by_side() -> None:
    events = [beside(f"a{n}", "topic", n, 3, at=n) for n in (1, 2, 3)]
    assert pairs(TOPIC, *events) == {("a1", "a2"), ("a2", "a3")}


def test_the_first_part_may_be_the_forum_thread_itself() -> None:
    first = invented("topic", ("part", "1", "3"), kind=kinds.FORUM_THREAD, by="alice")
    events = [beside(f"a{n}", "topic", n, 3, at=n) for n in (2, 3)]
    assert pairs(first, *events) == {("topic", "a2"), ("a2", "a3")}


def test_who_answers_twice_at_length_is_not_confused() -> None:
    events = [
        beside(f"{name}{n}", "topic", n, 3, at=n + later)
        for name, later in (("a", 0), ("b", 60))
        for n in (1, 2, 3)
    ]
    assert pairs(TOPIC, *events) == {("a1", "a2"), ("a2", "a3"), ("b1", "b2"), ("b2", "b3")}


def test_nothing_follows_what_was_written_later_or_by_somebody_else_or_elsewhere() -> None:
    events = [
        beside("first", "topic", 1, 2, at=10),
        beside("earlier", "topic", 2, 2, at=5),
        beside("stranger", "topic", 2, 2, at=11, by="eve"),
        beside("of more", "topic", 2, 3, at=11),
        beside("elsewhere", "first", 3, 3, at=12),
    ]
    assert pairs(TOPIC, *events) == set()


rows = st.lists(
    st.tuples(
        st.sampled_from(["topic", "p0", "p1", "p2"]),
        st.integers(1, 4),
        st.integers(1, 4),
        st.integers(0, 5),
        st.sampled_from(["alice", "bob"]),
    ),
    max_size=8,
)


@given(rows)
def test_whatever_comes_each_note_of_a_thread_is_in_one_text_at_most(
    made: list[tuple[str, int, int, int, str]],
) -> None:
    events = [
        beside(f"p{n}", parent, min(index, total), total, at=at, by=by)
        for n, (parent, index, total, at, by) in enumerate(made)
    ]
    thread = Thread.build([TOPIC, *events])
    found = [node.id for article in thread.articles() for node in article.nodes]
    assert len(found) == len(set(found))
    assert all(chain[0].part is not None for chain in thread.answers())
