"""`core.delivery`: what became of each part, and how many relays have it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.delivery import Delivery, Status, acceptances

TAKEN = {Status.STORED, Status.ACCEPTED, Status.DUPLICATE}

deliveries = st.lists(
    st.builds(
        Delivery,
        part=st.integers(1, 4),
        relay=st.sampled_from(("wss://a.example", "wss://b.example")),
        status=st.sampled_from(Status),
    )
)


@given(deliveries)
def test_acceptances_counts_what_was_taken_and_keeps_parts_nobody_took(
    given_deliveries: list[Delivery],
) -> None:
    """A part that no relay took is there with 0: a quorum must be able to miss it."""
    taken = Counter(item.part for item in given_deliveries if item.status in TAKEN)
    assert acceptances(given_deliveries) == {
        item.part: taken[item.part] for item in given_deliveries
    }


@given(deliveries)
def test_acceptances_takes_any_iterable(given_deliveries: list[Delivery]) -> None:
    assert acceptances(iter(given_deliveries)) == acceptances(given_deliveries)


def test_nothing_delivered_is_no_parts() -> None:
    assert acceptances([]) == {}


@pytest.mark.parametrize("status", Status)
def test_a_relay_has_what_it_stored_accepted_or_had_before(status: Status) -> None:
    assert status.taken is (status in TAKEN)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REJECTED])
def test_an_acceptance_is_final_and_silence_is_not(status: Status) -> None:
    """Silence, absence and a broken promise are worth another attempt, whatever was said."""
    for reason in ("", "rate-limited: slow down", "blocked: banned"):
        assert Delivery(1, "wss://a.example", status, reason).final is (status in TAKEN)


@pytest.mark.parametrize(
    ("reason", "final"),
    [
        ("blocked: you are banned", True),
        ("invalid: bad signature", True),
        ("pow: difficulty 26 is less than 30", True),
        ("restricted: not allowed to write", True),
        ("error reading the event", True),
        ("no prefix", True),
        ("", True),
        ("rate-limited: slow down there chief", False),
        ("auth-required: who are you", False),
        ("error: could not connect to the database", False),
    ],
)
def test_a_refusal_is_final_unless_its_prefix_says_it_will_pass(
    reason: str, *, final: bool
) -> None:
    """The prefixes of NIP-01 and NIP-42."""
    assert Delivery(1, "wss://a.example", Status.REJECTED, reason).final is final


def test_a_status_is_written_as_one_word() -> None:
    """The words are a contract of the JSON output."""
    assert {status.value for status in Status} == {
        "queued",
        "stored",
        "accepted",
        "duplicate",
        "rejected",
        "no-answer",
        "unreachable",
        "lost",
    }
