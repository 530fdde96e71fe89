"""Whole threads out of a network that is partly down, slow, capped, lying and forging."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from random import Random

import pytest

from nostr_threads.core.references import Pointer
from nostr_threads.core.thread import Thread
from tests.core.invented import hex_of
from tests.core.network import Network, conversation, reachable

ROOT = Pointer(id=hex_of("root"))
BATCHES, OF = 10, 30


@pytest.mark.timeout(300)
def test_every_note_that_can_be_had_is_found_and_what_is_missing_is_told() -> None:
    """300 networks: `missing` and `unsure` are exactly right in each of them."""
    # Not forked: other tests have left threads behind.
    start = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=start) as pool:
        wrong = [fault for faults in pool.map(faults_of, range(BATCHES)) for fault in faults]
    assert wrong == []


def faults_of(batch: int) -> list[str]:
    """Crawl some networks; return what was wrong."""
    notes = conversation(Random(batch))
    return [
        f"network {number} of batch {batch}: {fault}"
        for number in range(OF)
        for fault in faults_in(Network(Random(1000 * batch + number), notes), number % 5 == 0)
    ]


def faults_in(network: Network, also_by_hand: bool) -> list[str]:
    crawl = network.crawl(ROOT)
    truth = network.truth
    thread = Thread.build(crawl.events, root=crawl.root)
    found = {event.id for event in thread.events}
    coverage = crawl.coverage(found)
    checks = {
        "the tree": thread.nodes == Thread.build(truth, root=ROOT.key).nodes,
        # The tree is right about what can be had: said once more, in other words.
        "the notes": not also_by_hand or found == reachable(truth, ROOT.key),
        "unsure": set(coverage.unsure) == network.doubtful,
        "the budget": crawl.budget_hit is None,
    }
    return [name for name, is_right in checks.items() if not is_right]


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
