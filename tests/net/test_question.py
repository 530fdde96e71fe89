"""One answer as it comes in: bounded, and ended once."""

from __future__ import annotations

import pytest

from nostr_threads.core.coverage import Finish
from nostr_threads.core.messages import Closed, CountResult, Delivered, Eose, Tally
from nostr_threads.net.question import Question
from nostr_threads.testing import thread

HONEST = thread(5)


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
    assert not question.woken.is_set()
    question.note(message, 20)
    assert [question.finish, question.reason] == [finish, reason]
    assert question.woken.is_set()
    assert question.count == (7 if isinstance(message, CountResult) else None)
    assert question.hints == (("finish",) if isinstance(message, Eose) else ())


async def test_a_count_that_is_only_a_guess_is_none() -> None:
    """NIP-45: a relay may say that it counted approximately."""
    question = Question()
    question.note(CountResult("1", Tally(7, approximate=True)), 20)
    assert (question.finish, question.count) == (Finish.COMPLETE, None)


async def test_the_first_ending_counts() -> None:
    question = Question()
    question.end(Finish.TIMEOUT, "slow")
    question.end(Finish.COMPLETE)
    assert (question.finish, question.reason) == (Finish.TIMEOUT, "slow")
