"""One answer as it comes in: bounded, ended once, and verified before it counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.coverage import Finish
from nostr_threads.core.wire import Closed, CountResult, Delivered, Eose, Tally
from nostr_threads.net.question import Question, verified
from nostr_threads.testing import forged, thread

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

HONEST = thread(5)
FALSE = [forged(event, how) for event in HONEST for how in ("content", "signature", "id")]


@given(st.lists(st.sampled_from([*HONEST, *FALSE]), max_size=12))
async def test_only_the_true_are_let_through_once_each_in_any_order(events: list[Event]) -> None:
    """Verify before seen."""
    good, refused, lost = await verified(events)
    assert set(good) == set(events) & set(HONEST)
    assert len(good) == len(set(good))
    assert refused == sum(event in FALSE for event in events)
    assert lost is ({event.id for event in events} != {event.id for event in good})


async def test_many_are_verified_as_few_are() -> None:
    good, refused, _ = await verified([*FALSE * 10, *HONEST])
    assert (set(good), refused) == (set(HONEST), len(FALSE) * 10)


async def test_an_altered_copy_after_the_honest_event_is_refused() -> None:
    copy = replace(HONEST[0], content="other")
    assert await verified([HONEST[0], copy]) == ((HONEST[0],), 1, False)
    assert await verified([copy]) == ((), 1, True)


@pytest.mark.parametrize(
    ("message", "finish", "reason"),
    [
        (Eose("1", ("finish",)), Finish.COMPLETE, ""),
        (Closed("1", "blocked: x"), Finish.REFUSED, "blocked: x"),
        (Closed("1"), Finish.REFUSED, "closed by the relay"),
        (CountResult("1", Tally(7)), Finish.COMPLETE, ""),
    ],
)
async def test_each_ending_is_told(
    message: Eose | Closed | CountResult, finish: Finish, reason: str
) -> None:
    question = Question()
    question.note(Delivered("1", HONEST[0]), 300)
    assert not question.changed.is_set() or question.finish is None
    question.note(message, 20)
    assert [question.finish, question.reason] == [finish, reason]
    assert question.changed.is_set()
    assert question.count == (7 if isinstance(message, CountResult) else None)
    assert question.hints == (("finish",) if isinstance(message, Eose) else ())


async def test_the_first_ending_counts() -> None:
    question = Question()
    question.end(Finish.TIMEOUT, "slow")
    question.end(Finish.COMPLETE)
    assert (question.finish, question.reason) == (Finish.TIMEOUT, "slow")
