"""`core.admission`: what relays take of what is published, by NIP-11, and what nobody obeys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.admission import Admission, admission, refusal, strictest, too_strict
from nostr_threads.core.event import MAX_CREATED_AT
from nostr_threads.core.messages import Publish
from nostr_threads.core.split import Limit
from nostr_threads.core.wire import encode
from tests.core import strategies as make

NOW = 1_700_000_000
NOTE = make.event(content="é" * 200, created_at=NOW)

counts = st.none() | st.integers(1, 100_000)
admissions = st.builds(
    Admission,
    characters=counts,
    message_bytes=counts,
    tags=counts,
    pow_bits=st.integers(0, 30),
    past=counts,
    future=counts,
    auth_required=st.booleans(),
)
FIELDS = (
    *("max_content_length", "max_message_length", "max_event_tags", "min_pow_difficulty"),
    *("created_at_lower_limit", "created_at_upper_limit", "auth_required", "payment_required"),
)


def saying(**limitation: Any) -> Admission:
    return admission({"limitation": limitation})


# What a document says


def test_what_a_relay_says_of_publishing_is_read() -> None:
    """NIP-11's own example."""
    said = saying(
        max_message_length=16_384,
        max_event_tags=100,
        max_content_length=8_196,
        min_pow_difficulty=30,
        auth_required=True,
        payment_required=True,
        restricted_writes=True,
        created_at_lower_limit=31_536_000,
        created_at_upper_limit=3,
    )
    assert said == Admission(8_196, 16_384, 100, 30, 31_536_000, 3, True, True, True)


@pytest.mark.parametrize("value", [0, -1, 2**53, 1.5, "300", True, None, [], {}, 10**400])
@pytest.mark.parametrize("name", FIELDS[:6])
def test_an_absurd_number_is_as_good_as_not_said(name: str, value: object) -> None:
    assert saying(**{name: value}) == Admission()


@pytest.mark.parametrize(
    ("name", "value"), [("min_pow_difficulty", 257), ("created_at_lower_limit", 59)]
)
def test_what_no_event_can_meet_is_as_good_as_not_said(name: str, value: int) -> None:
    assert saying(**{name: value}) == Admission()


@pytest.mark.parametrize("value", [1, "true", None, [True]])
def test_only_true_is_a_yes(value: object) -> None:
    assert saying(auth_required=value, payment_required=value) == Admission()


@given(st.dictionaries(st.just("limitation") | st.text(), make.json_values))
def test_a_document_is_read_whatever_it_is(document: dict[str, object]) -> None:
    assert isinstance(admission(document), Admission)


@given(st.dictionaries(st.sampled_from(FIELDS), make.json_values))
def test_a_limitation_is_read_whatever_it_is(limitation: dict[str, Any]) -> None:
    said = saying(**limitation)
    said.limit()
    said.window(NOW)
    assert refusal(said, NOTE, now=NOW) is not None


# Several relays


@given(st.lists(admissions, max_size=4), st.integers(0, 120_000), st.integers(0, 40))
def test_what_the_strictest_would_take_is_taken_by_each(
    each: list[Admission], length: int, tags: int
) -> None:
    event = make.event(tags=(("t", "x"),) * tags, content="x" * length, created_at=NOW)
    event = replace(event, id="0" * 64)
    together = refusal(strictest(each), event, now=NOW)
    assert bool(together) is any(refusal(one, event, now=NOW) for one in each)


def test_nobody_is_strict_where_nobody_says_anything() -> None:
    assert strictest([]) == strictest([Admission()]) == Admission()


def test_one_relay_that_wants_to_know_who_writes_is_enough() -> None:
    said = strictest([Admission(), Admission(auth_required=True, restricted_writes=True)])
    assert (said.auth_required, said.payment_required, said.restricted_writes) == (
        True,
        False,
        True,
    )


# The limit of a part


def test_a_limit_is_what_both_the_relays_and_the_user_allow() -> None:
    said = Admission(characters=300, message_bytes=5_010)
    assert said.limit() == Limit(300, 5_000)
    assert said.limit(Limit(2_000)) == Limit(300, 5_000)
    assert said.limit(Limit(200, 6_000, overhead=7)) == Limit(200, 5_000, 7)


def test_there_is_no_limit_where_nobody_has_one() -> None:
    assert Admission().limit() is None
    assert Admission().limit(Limit(280)) == Limit(280)


def test_a_message_is_ten_bytes_longer_than_its_event() -> None:
    event_bytes = len(NOTE.to_json().encode())
    message_bytes = len(encode(Publish(NOTE)).encode())
    assert Admission(message_bytes=message_bytes).event_bytes == event_bytes
    assert refusal(Admission(message_bytes=message_bytes), NOTE, now=NOW) == ""
    assert "bytes" in refusal(Admission(message_bytes=message_bytes - 1), NOTE, now=NOW)


def test_a_message_that_holds_no_event_leaves_a_limit_that_holds_nothing() -> None:
    assert Admission(message_bytes=3).limit() == Limit(bytes=1)


# The time


def test_a_window_is_around_now() -> None:
    assert Admission().window(NOW) == (0, MAX_CREATED_AT)
    assert Admission(past=100, future=3).window(NOW) == (NOW - 100, NOW + 3)
    assert Admission(past=MAX_CREATED_AT, future=MAX_CREATED_AT).window(NOW) == (0, MAX_CREATED_AT)


# Relays that nobody obeys


def test_a_relay_of_ten_characters_is_named_and_one_of_300_is_obeyed() -> None:
    found = too_strict(
        {"wss://ten.example": Admission(10), "wss://short.example": Admission(300)},
    )
    assert found == {"wss://ten.example": "it takes only 10 characters in a note"}


def test_a_short_text_may_go_to_a_relay_of_short_notes() -> None:
    relays = {"wss://ten.example": Admission(10)}
    assert too_strict(relays, characters=10) == {}
    assert too_strict(relays, characters=11).keys() == relays.keys()


@pytest.mark.parametrize(
    ("said", "word"),
    [
        (Admission(message_bytes=1_023), "1023 bytes"),
        (Admission(tags=8), "8 tags"),
        (Admission(pow_bits=25), "25 bits of work"),
    ],
)
def test_a_relay_that_asks_too_much_is_named_with_what_it_asks(said: Admission, word: str) -> None:
    assert word in too_strict({"wss://relay.example": said})["wss://relay.example"]


def test_who_allows_more_work_reaches_more_relays() -> None:
    assert too_strict({"wss://relay.example": Admission(pow_bits=28)}, most_pow_bits=28) == {}


@given(st.dictionaries(st.text(), admissions, max_size=4))
def test_the_relays_that_are_left_leave_room_for_a_part(each: dict[str, Admission]) -> None:
    named = too_strict(each)
    said = strictest(one for url, one in each.items() if url not in named)
    assert said.characters is None or said.characters >= 140
    assert said.event_bytes is None or said.event_bytes >= 1_000
    assert said.pow_bits <= 24


# Why a relay would refuse


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Admission(characters=199), "199 characters at most, and this part has 200"),
        (Admission(tags=1), "1 tags at most, and this part has 2"),
        (Admission(pow_bits=5), "5 bits of work, and this part has 0"),
        (Admission(past=60), ""),
        (Admission(future=1), ""),
        (Admission(auth_required=True, payment_required=True), ""),
        (Admission(characters=200, tags=2), ""),
    ],
)
def test_a_refusal_says_what_is_too_much(said: Admission, why: str) -> None:
    note = replace(NOTE, tags=(("t", "a"), ("t", "b")))
    found = refusal(said, note, now=NOW)
    assert (why in found) if why else (found == "")


def test_a_note_is_refused_when_it_is_too_old_or_too_new() -> None:
    said = Admission(past=100, future=3)
    ages = {-4: "future", -3: "", 0: "", 100: "", 101: "older"}
    for age, why in ages.items():
        found = refusal(said, replace(NOTE, created_at=NOW - age), now=NOW)
        assert (why in found) if why else (found == "")
