"""`core.limits`: what relays say they take, and what their complaints teach."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.limits import Limits, declared, learned
from tests.core import strategies as make

USUAL = Limits()

# The relay software, its words, and the limits that they teach.
COMPLAINTS = [
    ("strfry", "ERROR: too many concurrent REQs", replace(USUAL, subscriptions=5)),
    ("strfry", "bad req: total filter items too large", replace(USUAL, values=125)),
    ("strfry", "bad req: too many kinds in filter: 70", replace(USUAL, values=125)),
    ("strfry", "ERROR: bad req: invalid subscription id length", replace(USUAL, subid_length=32)),
    (
        "nostr-rs-relay",
        "Subscription error: Maximum concurrent subscription count reached",
        replace(USUAL, subscriptions=5),
    ),
    (
        "nostr-rs-relay",
        "Subscription error: Subscription identifier max length exceeded",
        replace(USUAL, subid_length=32),
    ),
    (
        "nostr-rs-relay",
        "message too large (60000 > 16384)",
        replace(USUAL, message_bytes=16_384),
    ),
    ("rnostr", "Number of subscriptions exceeds limit", replace(USUAL, subscriptions=5)),
    ("rnostr", "invalid: limitation.max_limit 100", replace(USUAL, page=100)),
    ("rnostr", "invalid: limitation.max_subid_length 20", replace(USUAL, subid_length=20)),
    (
        "rnostr",
        "invalid: limitation.max_message_length 4096",
        replace(USUAL, message_bytes=4096),
    ),
    (
        "nostream",
        "Subscription rejected: Too many subscriptions: Number of subscriptions must be less than"
        " or equal to 4",
        replace(USUAL, subscriptions=4),
    ),
    (
        "nostream",
        "Subscription rejected: Limit too high: Filter limit must be less than or equal to 100",
        replace(USUAL, page=100),
    ),
    (
        "nostream",
        "Subscription rejected: Subscription ID too long: Subscription ID must be less or equal"
        " to 16",
        replace(USUAL, subid_length=16),
    ),
    (
        "nostr-relay",
        'invalid: must be less than or equal to 20 kinds at "[2].kinds"',
        replace(USUAL, values=20),
    ),
    (
        "nostr-relay",
        'invalid: must be less than or equal to 64 tagValues at "[2].#e"',
        replace(USUAL, values=64),
    ),
    ("nostr-sdk", "rate-limited: too many REQs", replace(USUAL, subscriptions=5)),
    (
        "nostr-sdk",
        "blocked: subscription ID exceeds max length 32",
        replace(USUAL, subid_length=32),
    ),
    ("seen", "error: too many subscriptions", replace(USUAL, subscriptions=5)),
    ("seen", "blocked: subscription limit reached (8)", replace(USUAL, subscriptions=8)),
    ("seen", "error: max subscriptions limit of 6 reached", replace(USUAL, subscriptions=6)),
    ("seen", "blocked: limit too high: 50000 (max 400)", replace(USUAL, page=400)),
    ("seen", "error: limit exceeds max_limit of 250", replace(USUAL, page=250)),
    ("ours", "rate-limited: at most 3 subscriptions at once", replace(USUAL, subscriptions=3)),
    ("ours", "invalid: a subscription id has at most 9 characters", replace(USUAL, subid_length=9)),
    ("ours", "invalid: the message is over 2048 bytes", replace(USUAL, message_bytes=2048)),
]

# Words that no smaller question would change.
OTHER_WORDS = [
    ("strfry", "bad req: too many tags in filter"),
    ("strfry", "bad req: arr too big"),
    ("strfry", "bad req: filter item too large"),
    ("strfry", "ERROR: too many concurrent NEG requests"),
    ("strfry", "invalid: event too large: 70000"),
    ("strfry", "invalid: too many tags: 2500"),
    ("nostr-rs-relay", "Event too large"),
    ("khatru", "rate-limited: slow down, please"),
    (
        "khatru",
        "rate-limited: there is a bug in the client, no one should be making so many requests",
    ),
    ("khatru", "can't handle empty filters"),
    ("khatru", "an author must be specified to get their kind:1 notes"),
    ("rnostr", "invalid: limitation.max_filters 10"),
    ("rnostr", "invalid: limitation.max_event_tags 100"),
    ("nostream", "rate limited"),
    (
        "nostream",
        "Subscription rejected: Too many filters: Number of filters per susbscription must be less"
        " then or equal to 10",
    ),
    ("nostr-relay", 'invalid: must be greater than or equal to 1 tagValues at "[2].#e"'),
    ("damus", "rate-limited: you are noting too much"),
    ("seen", "error: rate limit exceeded, slow down"),
    ("seen", "error: request limit exceeded, too many requests"),
    ("seen", "auth-required: we only serve members"),
    ("seen", "limit must be at least 1"),
    ("ours", "invalid: a question has at most 20 filters"),
    ("ours", ""),
]


@pytest.mark.parametrize(("software", "words", "then"), COMPLAINTS)
def test_a_complaint_teaches_the_limit_that_it_is_about(
    software: str, words: str, then: Limits
) -> None:
    assert learned(USUAL, words) == then, software


@pytest.mark.parametrize(("software", "words"), OTHER_WORDS)
def test_other_words_teach_nothing(software: str, words: str) -> None:
    assert learned(USUAL, words) is None, software


def test_a_bound_that_was_kept_cannot_be_the_reason_so_the_limit_is_halved() -> None:
    assert learned(USUAL, "blocked: limit too high (max 500)") == replace(USUAL, page=250)


def test_a_bound_too_small_to_ask_anything_is_not_believed() -> None:
    assert learned(USUAL, "message too large (max 64KB)") == replace(USUAL, message_bytes=32_768)


def test_words_after_the_first_few_hundred_are_not_looked_at() -> None:
    assert learned(USUAL, " " * 300 + "too many subscriptions") is None
    assert learned(USUAL, "too many subscriptions " + "(" * 10**6) is not None


@given(st.sampled_from([words for _, words, _ in COMPLAINTS]))
def test_complaints_tighten_until_nothing_is_left_to_tighten(words: str) -> None:
    """A relay that complains for ever is not listened to for ever."""
    limits, rounds = USUAL, 0
    while (tighter := learned(limits, words)) is not None:
        assert tighter != limits
        limits, rounds = tighter, rounds + 1
    assert 0 < rounds < 10
    assert min(limits.page, limits.subscriptions, limits.subid_length, limits.values) >= 1
    assert limits.message_bytes >= 512


@given(make.texts)
def test_any_words_tighten_or_teach_nothing(words: str) -> None:
    for said in (words, f"limit too high {words}"):
        tighter = learned(USUAL, said)
        assert tighter is None or tighter != USUAL


class TestDeclared:
    def test_what_is_not_said_keeps_its_usual_number(self) -> None:
        assert declared() == USUAL

    def test_what_is_said_is_kept(self) -> None:
        """NIP-11: `limitation`."""
        assert declared(
            max_limit=200,
            default_limit=50,
            max_subscriptions=4,
            max_message_length=16_384,
            max_subid_length=20,
        ) == Limits(200, 200, 4, 16_384, 20)

    def test_a_default_limit_is_the_cap_when_no_other_is_said(self) -> None:
        assert declared(default_limit=300) == replace(USUAL, cap=300)

    def test_we_take_no_more_than_we_need(self) -> None:
        wide = declared(max_limit=5000, max_subscriptions=300)
        assert (wide.page, wide.cap, wide.subscriptions) == (500, 5000, 10)

    @pytest.mark.parametrize("absurd", [0, -1])
    def test_nothing_at_all_is_not_believed(self, absurd: int) -> None:
        assert (
            declared(
                max_limit=absurd,
                default_limit=absurd,
                max_subscriptions=absurd,
                max_message_length=absurd,
                max_subid_length=absurd,
            )
            == USUAL
        )

    def test_a_question_always_fits_into_a_message(self) -> None:
        assert declared(max_message_length=1).message_bytes == 512
