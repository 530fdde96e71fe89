"""Whole threads out of a network that is partly down, slow, capped, lying and forging."""

from __future__ import annotations

from random import Random

import pytest

from nostr_threads.core.references import Pointer
from nostr_threads.core.thread import Thread
from tests.core.invented import hex_of
from tests.core.network import Network, conversation, reachable

ROOT = Pointer(id=hex_of("root"))


@pytest.mark.parametrize("batch", range(10))
def test_every_note_that_can_be_had_is_found_and_what_is_missing_is_told(batch: int) -> None:
    """300 networks: `missing` and `unsure` are exactly right in each of them."""
    notes = conversation(Random(batch))
    for number in range(30):
        network = Network(Random(1000 * batch + number), notes)
        crawl = network.crawl(ROOT)
        thread = Thread.build(crawl.events, root=crawl.root)
        assert thread.nodes == Thread.build(network.truth, root=ROOT.key).nodes
        if number % 5 == 0:
            # The tree is right about what can be had: said once more, in other words.
            assert {event.id for event in thread.events} == reachable(network.truth, ROOT.key)
        coverage = crawl.coverage(event.id for event in thread.events)
        assert set(coverage.unsure) == network.doubtful
        assert crawl.budget_hit is None


@pytest.mark.parametrize("seed", range(4))
def test_neither_the_order_of_answers_nor_the_note_it_starts_from_changes_the_thread(
    seed: int,
) -> None:
    notes = conversation(Random(seed), 600)
    network = Network(Random(seed), notes)
    found = sorted(reachable(network.truth, ROOT.key))
    starts = (ROOT, ROOT, ROOT, Pointer(id=found[0]), Pointer(id=found[-1]))
    threads, reports = [], []
    for order, start in enumerate(starts):
        network.random = Random(order)
        crawl = network.crawl(start)
        threads.append(Thread.build(crawl.events, root=ROOT.key).nodes)
        coverage = crawl.coverage(node.id for node in threads[-1])
        reports.append({(relay.url, relay.finish, relay.events) for relay in coverage.relays})
    assert all(nodes == threads[0] for nodes in threads)
    assert all(report == reports[0] for report in reports[:3])
