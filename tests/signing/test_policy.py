"""What a client of a remote signer may do: one client's rules, and how requests are judged."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import Draft
from nostr_threads.signing.policy import PER_MINUTE, Policy, Verdict
from nostr_threads.testing import START

NOW = int(START)
AHEAD = 600

kinds = st.integers(0, 65_535)
policies = st.builds(
    Policy,
    kinds=st.none() | st.frozensets(kinds, max_size=5),
    per_minute=st.integers(1, 100),
    until=st.none() | st.integers(NOW - 10, NOW + 10),
    encryption=st.booleans(),
    ask=st.booleans(),
)
drafts = st.builds(
    Draft,
    created_at=st.integers(NOW + AHEAD - 3, NOW + AHEAD + 3) | st.integers(0, NOW),
    kind=kinds | st.just(1),
    tags=st.just(()),
    content=st.text(max_size=3),
)


def draft(kind: int = 1, created_at: int = NOW) -> Draft:
    return Draft(created_at, kind, (), "text")


@given(policies, drafts)
def test_a_draft_is_signed_where_kind_and_date_allow_it_and_nowhere_else(
    policy: Policy, given_: Draft
) -> None:
    allowed = (policy.kinds is None or given_.kind in policy.kinds) and (
        given_.created_at <= NOW + AHEAD
    )
    verdict, why = policy.judge_draft(given_, NOW)
    assert (verdict is Verdict.YES) is allowed
    assert (why == "") is allowed


@given(policies, drafts)
def test_to_ask_a_person_changes_a_no_into_a_question_and_nothing_else(
    policy: Policy, given_: Draft
) -> None:
    strict, lenient = replace(policy, ask=False), replace(policy, ask=True)
    for refusal, question in (
        (strict.judge_draft(given_, NOW), lenient.judge_draft(given_, NOW)),
        (strict.judge_encryption(), lenient.judge_encryption()),
    ):
        assert refusal[0] is not Verdict.ASK
        assert question[0] is not Verdict.NO
        assert (refusal[0] is Verdict.YES) is (question[0] is Verdict.YES)
        assert refusal[1] == question[1]


@given(policies, st.integers(0, 200), st.integers(NOW - 20, NOW + 20))
def test_nobody_is_asked_about_rate_and_end(policy: Policy, recent: int, now: int) -> None:
    has_ended = policy.until is not None and now >= policy.until
    is_too_much = recent >= policy.per_minute
    why = policy.admits(recent, now)
    assert (why == "") is not (has_ended or is_too_much)
    assert why.startswith("rate-limited: ") is (is_too_much and not has_ended)
    assert replace(policy, ask=not policy.ask).admits(recent, now) == why


def test_the_end_is_the_first_second_that_is_not_allowed() -> None:
    policy = Policy(until=NOW)
    assert policy.admits(0, NOW - 1) == ""
    assert policy.admits(0, NOW) == "what you were allowed has come to its end"
    assert Policy(until=0).admits(0, NOW) != ""


def test_the_last_request_of_a_minute_is_answered() -> None:
    assert Policy(per_minute=3).admits(2, NOW) == ""
    assert Policy(per_minute=3).admits(3, NOW) == "rate-limited: more than 3 requests a minute"


def test_the_words_name_the_kind_and_the_date() -> None:
    policy = Policy(kinds=frozenset((1,)))
    assert policy.judge_draft(draft(0), NOW) == (
        Verdict.NO,
        "events of kind 0 are not signed for you",
    )
    assert policy.judge_draft(draft(1, NOW + AHEAD), NOW) == (Verdict.YES, "")
    assert policy.judge_draft(draft(1, NOW + AHEAD + 1), NOW) == (
        Verdict.NO,
        "it is dated in the future",
    )
    # What is long past replaces nothing that came after it.
    assert policy.judge_draft(draft(1, 0), NOW) == (Verdict.YES, "")


def test_no_kinds_are_none_and_unnamed_kinds_are_all() -> None:
    assert Policy(kinds=frozenset()).judge_draft(draft(), NOW)[0] is Verdict.NO
    assert Policy().judge_draft(draft(65_535), NOW)[0] is Verdict.YES


def test_without_being_told_it_signs_everything_encrypts_nothing_and_asks_nobody() -> None:
    policy = Policy()
    assert policy == Policy(
        kinds=None, per_minute=PER_MINUTE, until=None, encryption=False, ask=False
    )
    assert policy.judge_encryption() == (Verdict.NO, "no texts are encrypted")
    assert Policy(encryption=True).judge_encryption() == (Verdict.YES, "")


@pytest.mark.parametrize(("field", "value"), [("encryption", True), ("kinds", None)])
def test_nobody_changes_a_policy_that_was_given(field: str, value: Any) -> None:
    with pytest.raises(FrozenInstanceError):
        setattr(Policy(kinds=frozenset()), field, value)
