"""The main job against rust-nostr's relay and client: whole threads in, whole answers out."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import nostr_threads as nt
from nostr_threads.relayd import RelayServer
from nostr_threads.store.sqlite import SqliteStore
from tests.app.worlds import ALICE, LIMIT, LONG, NOW, opened, shape
from tests.peers.rust import local_relay, read_all, sdk, send_all, written
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Sequence

VECTORS = Path(__file__).parent.parent / "vectors"
NOTES = 300
Shape = dict[str, tuple[str | None, int]]


def grown_by_rust(notes: int) -> tuple[list[Any], Shape]:
    """Grow a thread with nostr-sdk's keys and builder; return its events and its true shape.

    Every third reply names its parent the old way, by position, as many clients still do.
    """
    random = Random(300)
    people = [sdk.Keys.generate() for _ in range(7)]
    events = [written(people[0], "the question", created_at=NOW)]
    root = events[0].id().to_hex()
    truth: Shape = {root: (None, 0)}
    for number in range(1, notes):
        above = random.choice(events[-12:])
        parent = above.id().to_hex()
        tags: list[tuple[str, ...]]
        if parent == root:
            tags = [("e", root, "", "root")]
        elif number % 3 == 0:
            tags = [("e", root), ("e", parent)]
        else:
            tags = [("e", root, "", "root"), ("e", parent, "", "reply")]
        tags.append(("p", above.author().to_hex()))
        made = written(
            random.choice(people), f"note {number} 🧵", tags=tags, created_at=NOW + number
        )
        events.append(made)
        truth[made.id().to_hex()] = (parent, truth[parent][1] + 1)
    return events, truth


def leaf_and_middle(truth: Shape) -> tuple[str, str]:
    deepest = max(truth, key=lambda note: truth[note][1])
    middle = next(note for note, (_, depth) in truth.items() if depth == truth[deepest][1] // 2)
    return deepest, middle


async def test_a_thread_of_300_notes_made_by_nostr_sdk_is_fetched_whole_from_anywhere_in_it(
    tmp_path: Path,
) -> None:
    events, truth = grown_by_rust(NOTES)
    root = events[0].id().to_hex()
    leaf, middle = leaf_and_middle(truth)
    assert truth[leaf][1] > 20
    async with local_relay() as (_, url):
        await send_all(url, events)
        for start in (root, middle, leaf):
            async with opened(tmp_path / f"{start}.db", url) as nostr:
                found = await nostr.fetch(start)
            assert shape(found.thread) == truth
            assert (found.whole, found.thread.missing) == (True, ())
            (relay,) = found.coverage.relays
            assert (relay.url, relay.finish) == (url, nt.Finish.COMPLETE)
            assert (relay.events, relay.only_here) == (NOTES, NOTES)
            async with opened(tmp_path / f"{start}.db") as offline:
                assert (await offline.show(leaf)).thread.events == found.thread.events


async def test_a_relay_that_gives_at_most_50_events_an_answer_gives_the_whole_thread_too() -> None:
    events, truth = grown_by_rust(120)
    async with local_relay(most_in_an_answer=50) as (_, url):
        await send_all(url, events)
        async with opened(":memory:", url) as nostr:
            found = await nostr.fetch(events[0].id().to_hex())
    assert shape(found.thread) == truth


async def test_what_we_publish_to_both_relays_is_read_and_verified_by_nostr_sdk(
    tmp_path: Path,
) -> None:
    question = written(sdk.Keys.generate(), "why?", created_at=NOW)
    async with local_relay() as (_, rust), RelayServer(stocked()) as ours:
        await send_all(rust, [question])
        store = tmp_path / "alice.db"
        async with opened(store, rust, ours.url, by=ALICE, quorum=2) as alice:
            report = await alice.publish(LONG, reply_to=question.id().to_hex(), limit=LIMIT)
        assert (report.accepted, report.complete) == (True, True)
        assert {delivery.status for delivery in report.deliveries} == {nt.Status.STORED}
        parts = [event.id for event in report.posting.events]
        assert len(parts) > 2
        mine = sdk.Filter().author(sdk.PublicKey.parse(ALICE.pubkey))
        for url in (rust, ours.url):
            assert_chain(await read_all(url, mine), parts, question)
        # What `relay serve` does: the store itself, read-only, to anybody.
        with SqliteStore(store) as opened_store:
            async with RelayServer(opened_store, accept=lambda _: "read only") as served:
                assert_chain(await read_all(served.url, mine), parts, question)
                asked = await read_all(served.url, sdk.Filter().id(question.id()))
                assert [event.as_json() for event in asked] == [question.as_json()]


def assert_chain(found: Sequence[Any], parts: Sequence[str], question: Any) -> None:
    """Every part is there and good, and each answers the one before it, under the question."""
    by_id = {event.id().to_hex(): event for event in found}
    assert set(by_id) == set(parts)
    before = question.id().to_hex()
    for index, part in enumerate(parts, 1):
        event = by_id[part]
        assert event.verify()
        tags = [tag.to_vec() for tag in event.tags()]
        marked = {tag[3]: tag[1] for tag in tags if tag[0] == "e"}
        assert marked["root"] == question.id().to_hex()
        assert marked.get("reply", marked["root"]) == before
        assert [tag[1:3] for tag in tags if tag[0] == "part"] == [[str(index), str(len(parts))]]
        assert event.content().endswith(f" ({index}/{len(parts)})")
        before = part
    texts = [nt.Event.from_json(by_id[part].as_json()) for part in parts]
    assert nt.join(nt.Part.from_tag(text.content, text.tags[-1]) for text in texts) == LONG


SAMPLES = (VECTORS / "events/sample.jsonl").read_text(encoding="utf-8").splitlines()
THREADS = json.loads((VECTORS / "threads/sample_threads.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("place", ["first", "last"])
async def test_the_real_threads_are_built_exactly_and_can_be_shown_offline(
    tmp_path: Path, place: str
) -> None:
    """Three threads as at least three of four other clients see them."""
    notes = [sdk.Event.from_json(line) for line in SAMPLES]
    store = tmp_path / "real.db"
    drawn = {}
    async with local_relay() as (_, url):
        await send_all(url, notes)
        for thread in THREADS["threads"]:
            start = thread["nodes"][0 if place == "first" else -1]["id"]
            async with opened(store, url) as nostr:
                found = await nostr.fetch(start, widen=False)
            assert found.thread.root is not None
            assert found.thread.root.id == thread["root"]
            assert found.whole
            assert shape(found.thread) == {
                node["id"]: (node["parent"], node["depth"]) for node in thread["nodes"]
            }
            drawn[thread["root"]] = nt.render_tree(found.thread)
    async with opened(store, url) as offline:
        for root, tree in drawn.items():
            shown = await offline.show(root)
            assert nt.render_tree(shown.thread) == tree
            assert [relay.url for relay in shown.coverage.relays] == [url]
