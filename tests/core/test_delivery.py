"""`core.delivery`: what became of a part at a relay, and whether anything is left to do."""

from __future__ import annotations

import pytest

from nostr_threads.core.delivery import Delivery, Status

TAKEN = {Status.STORED, Status.ACCEPTED, Status.DUPLICATE}


@pytest.mark.parametrize("status", Status)
def test_a_relay_has_what_it_stored_accepted_or_had_before(status: Status) -> None:
    assert status.taken is (status in TAKEN)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REJECTED])
def test_only_what_was_read_back_needs_no_other_attempt(status: Status) -> None:
    """An OK is not a copy: silence, absence and a mere promise are worth another look."""
    for reason in ("", "rate-limited: slow down", "blocked: banned"):
        assert Delivery(1, "wss://a.example", status, reason).final is (status is Status.STORED)


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
