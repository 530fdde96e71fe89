"""`core.delivery`: what became of a part at a relay, and whether anything is left to do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.delivery import GIVE_UP_AFTER, Delivery, Status, after_failure

TAKEN = {Status.STORED, Status.ACCEPTED, Status.DUPLICATE}
FINAL = {Status.STORED, Status.GIVEN_UP, Status.CANCELLED}
SINCE = 1_800_000_000
DAY = 24 * 3600

deliveries = st.builds(
    Delivery,
    part=st.integers(1, 9),
    relay=st.just("wss://a.example"),
    status=st.sampled_from(Status),
    reason=st.sampled_from(("", "blocked: banned", "rate-limited: slow down")),
    tries=st.integers(0, 50),
    retry_at=st.integers(0, SINCE),
)


@pytest.mark.parametrize("status", Status)
def test_a_relay_has_what_it_stored_accepted_or_had_before(status: Status) -> None:
    assert status.taken is (status in TAKEN)


@pytest.mark.parametrize("status", Status)
def test_what_a_relay_has_or_may_have_cannot_be_called_back(status: Status) -> None:
    assert status.arrived is (status in TAKEN | {Status.LOST, Status.NO_ANSWER})


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.REJECTED])
def test_what_was_not_read_back_given_up_or_cancelled_needs_another_attempt(
    status: Status,
) -> None:
    """An OK is not a copy: silence, absence and a mere promise are worth another look."""
    for reason in ("", "rate-limited: slow down", "blocked: banned"):
        assert Delivery(1, "wss://a.example", status, reason).final is (status in FINAL)


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
        "given-up",
        "cancelled",
    }


def failing() -> Delivery:
    return Delivery(2, "wss://a.example", Status.UNREACHABLE, "no route")


def test_what_is_left_to_do_is_due_when_its_time_has_come() -> None:
    waiting = replace(failing(), retry_at=SINCE)
    assert [waiting.due(now) for now in (SINCE - 1, SINCE, SINCE + 1)] == [False, True, True]
    assert not replace(waiting, status=Status.STORED).due(SINCE)


def test_pauses_grow_from_a_minute_to_a_day() -> None:
    delivery, pauses = failing(), []
    for _ in range(9):
        delivery = after_failure(delivery, now=SINCE, since=SINCE, jitter=0)
        pauses.append(delivery.retry_at - SINCE)
    assert pauses == [60, 300, 1800, 7200, 21_600, 43_200, DAY, DAY, DAY]
    assert delivery == replace(failing(), tries=9, retry_at=SINCE + DAY)


def test_jitter_spreads_a_pause() -> None:
    retries = {after_failure(failing(), now=0, since=0, jitter=j).retry_at for j in (0, 0.5, 1)}
    assert retries == {60, 68, 75}


def test_a_delivery_that_fails_for_a_week_is_given_up_with_its_last_reason() -> None:
    last = after_failure(failing(), now=SINCE + GIVE_UP_AFTER, since=SINCE, jitter=0)
    assert last.status is Status.UNREACHABLE
    given_up = after_failure(last, now=SINCE + GIVE_UP_AFTER + 1, since=SINCE, jitter=0)
    assert given_up == replace(failing(), status=Status.GIVEN_UP, tries=2)


def test_a_delivery_ends_after_some_ten_tries_in_a_week() -> None:
    """Whoever tries whenever it is due comes to an end."""
    delivery, now = failing(), SINCE
    while not delivery.final:
        now = max(now, delivery.retry_at)
        delivery = after_failure(delivery, now=now, since=SINCE, jitter=1)
    assert (delivery.tries, (now - SINCE) // DAY) == (12, 7)


@given(deliveries, st.integers(0, 20 * DAY), st.floats(0, 1))
def test_a_failure_never_ends_what_was_taken_and_always_says_when_to_go_on(
    delivery: Delivery, age: int, jitter: float
) -> None:
    now = SINCE + age
    after = after_failure(delivery, now=now, since=SINCE, jitter=jitter)
    assert (after.part, after.relay, after.reason) == (
        delivery.part,
        delivery.relay,
        delivery.reason,
    )
    if delivery.final:
        assert after == delivery
    elif after.final:
        assert (after.status, age > GIVE_UP_AFTER) == (Status.GIVEN_UP, True)
        assert not delivery.status.taken
    else:
        assert after.status is delivery.status
        assert now + 60 <= after.retry_at <= now + 2 * DAY
        assert after.tries == delivery.tries + 1
