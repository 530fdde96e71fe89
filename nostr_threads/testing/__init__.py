"""Public test tools: a relay with faults as knobs, builders of signed threads, a manual clock."""

from nostr_threads.testing.build import START, Author, thread
from nostr_threads.testing.clock import ManualClock
from nostr_threads.testing.faults import GARBAGE, Faults, forged
from nostr_threads.testing.reconciling import ENDLESS, invented_ids
from nostr_threads.testing.relay import FaultyRelay

__all__ = [
    "ENDLESS",
    "GARBAGE",
    "START",
    "Author",
    "Faults",
    "FaultyRelay",
    "ManualClock",
    "forged",
    "invented_ids",
    "thread",
]
