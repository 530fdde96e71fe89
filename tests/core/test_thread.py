"""The thread as a value, and three real threads built exactly."""

from __future__ import annotations

from typing import Any

import pytest

from nostr_threads.core.event import Event, Verified, verify
from nostr_threads.core.thread import State, Thread
from tests.core.invented import START, answer, hex_of, invented
from tests.core.strategies import load, sample_lines


def sample() -> list[Verified]:
    return [verify(Event.from_json(line)) for line in sample_lines()]


REAL = load("threads/sample_threads.json")["threads"]


@pytest.mark.parametrize("real", REAL, ids=[real["root"][:8] for real in REAL])
@pytest.mark.parametrize("by_wish", [True, False])
def test_a_real_thread_has_the_tree_that_other_programs_see(
    real: dict[str, Any], by_wish: bool
) -> None:
    """At least three of four other programs agree on every parent."""
    events = sample()
    if not by_wish:
        ids = {node["id"] for node in real["nodes"]}
        events = [event for event in events if event.id in ids]
    thread = Thread.build(events, root=real["root"] if by_wish else None)
    expected = {(node["id"], node["parent"], node["depth"]) for node in real["nodes"]}
    assert {(node.id, node.parent, node.depth) for node in thread.nodes} == expected
    assert thread.missing == ()
    assert thread.found == real["size"]


def test_what_can_be_asked_of_a_thread() -> None:
    root, lost = invented("root"), answer("leaf", "lost", "root", at=START + 1)
    thread = Thread.build([lost, root, invented("other")], root=root.id)
    assert thread.root == thread.node(root.id) == thread.nodes[0]
    assert thread.found == 2
    assert thread.events == (root, lost)
    assert [node.id for node in thread.missing] == [hex_of("lost")]
    assert thread.node("nobody") is None
    assert [event.content for event in thread.elsewhere] == ["other"]


def test_an_empty_thread_has_no_root() -> None:
    thread = Thread.build([])
    assert (thread.root, thread.found, thread.missing, thread.events) == (None, 0, (), ())
    assert list(thread.answers()) == []


def part(name: str, parent: str, index: int, total: int, by: str = "alice") -> Verified:
    more = (("part", str(index), str(total)),)
    return answer(name, parent, "q", at=START + index, by=by, more=more)


def told(thread: Thread) -> list[list[str]]:
    return [
        [node.event.content for node in chain if node.event is not None]
        for chain in thread.answers()
    ]


def test_the_parts_of_each_answer_come_in_order_as_far_as_they_go() -> None:
    events = [
        invented("q"),
        part("a3", "a2", 3, 3),
        part("a2", "a1", 2, 3),
        part("a1", "q", 1, 3),
        part("b1", "q", 1, 2, by="bob"),
        part("b2 of a stranger", "b1", 2, 2),
        part("c2 without its first", "q", 2, 2),
        part("whole", "q", 1, 1),
    ]
    assert sorted(told(Thread.build(events))) == [["a1", "a2", "a3"], ["b1"]]


def test_of_two_next_parts_the_first_in_order_is_taken() -> None:
    """A part that was sent twice, edited between: one answer, not two."""
    events = [part("a1", "q", 1, 2), part("x", "a1", 2, 2), part("y", "a1", 2, 2)]
    first = min(events[1:], key=lambda event: event.id)
    thread = Thread.build([invented("q"), *events])
    assert told(thread) == [["a1", first.content]]


def test_a_deleted_part_keeps_its_place() -> None:
    gone = part("a2", "a1", 2, 3)
    events = [invented("q"), part("a1", "q", 1, 3), gone, part("a3", "a2", 3, 3)]
    thread = Thread.build([*events, invented("deletion", ("e", gone.id), kind=5)])
    assert told(thread) == [["a1", "a2", "a3"]]
    node = thread.node(gone.id)
    assert node is not None
    assert node.state is State.DELETED
