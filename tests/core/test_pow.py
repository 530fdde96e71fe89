"""`core.pow`: what an id shows, and the search for a nonce (NIP-13)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import Draft, Event, verify
from nostr_threads.core.pow import (
    NONCE_TAG_BYTES,
    asked_bits,
    committed,
    difficulty,
    expected_tries,
    mine,
    with_nonce,
)
from nostr_threads.errors import InvalidEvent, InvalidInput
from tests.core import strategies as make

VECTORS = make.load("nip13/nip13.vectors.json")
ALICE = make.pubkey_of(make.ALICE)
DRAFT = Draft(1_700_000_000, 1, (("t", "nostr"),), "It's just me mining")


def event_bytes(draft: Draft) -> int:
    return len(make.sign(draft).to_json().encode())


drafts = st.builds(Draft, make.numbers, make.kind_numbers, make.tag_lists, make.texts)


def showing(tags: list[list[str]], event_id: str) -> Event:
    return replace(make.event(tags=tuple(tuple(tag) for tag in tags)), id=event_id)


# What an id shows


@pytest.mark.parametrize("case", VECTORS["leading_zero_bits"], ids=lambda case: case["id"][:12])
def test_the_difficulty_of_an_id_is_the_one_that_peers_count(case: dict[str, Any]) -> None:
    assert difficulty(case["id"]) == case["difficulty"]


def test_an_id_of_zeros_shows_every_bit() -> None:
    assert difficulty("0" * 64) == 256


@given(make.hexes(32))
def test_the_difficulty_is_where_the_first_one_stands(event_id: str) -> None:
    binary = f"{int(event_id, 16):0256b}"
    assert difficulty(event_id) == len(binary) - len(binary.lstrip("0"))


@pytest.mark.parametrize(
    "case", VECTORS["committed_difficulty"], ids=lambda case: str(case["tags"])
)
def test_a_commitment_is_the_one_that_peers_read(case: dict[str, Any]) -> None:
    assert committed(showing(case["tags"], case["id"])) == case["committed"]


@pytest.mark.parametrize("case", VECTORS["signed_example"], ids=["nip"])
def test_the_example_of_the_nip_committed_to_20_bits(case: dict[str, Any]) -> None:
    tags = tuple(tuple(tag) for tag in case["event"]["tags"])
    event = verify(Event(**{**case["event"], "tags": tags}))
    assert (difficulty(event.id), committed(event)) == (case["difficulty"], case["target"])


@pytest.mark.parametrize(
    "tag",
    [
        ["nonce"],
        ["nonce", "1"],
        ["nonce", "1", ""],
        ["nonce", "1", "-1"],
        ["nonce", "1", " 8"],
        ["nonce", "1", "٨"],
        ["nonce", "1", "8.0"],
        ["nonce", "1", "9" * 5000],
        ["Nonce", "1", "8"],
        [],
    ],
)
def test_what_is_no_target_commits_to_nothing(tag: list[str]) -> None:
    assert committed(showing([tag], "0" * 64)) == 0


def test_only_the_first_nonce_tag_counts() -> None:
    assert committed(showing([["nonce", "1", "8"], ["nonce", "1", "16"]], "0" * 64)) == 8


# The nonce tag


@given(drafts, st.integers(min_value=0), st.integers(0, 256))
def test_a_nonce_comes_last_and_only_once(draft: Draft, nonce: int, bits: int) -> None:
    once = with_nonce(draft, nonce, bits)
    assert once.tags[-1] == ("nonce", str(nonce), str(bits))
    assert with_nonce(once, nonce, bits) == once
    assert replace(once, tags=once.tags[:-1]) == replace(
        draft, tags=tuple(tag for tag in draft.tags if tag[:1] != ("nonce",))
    )


@given(drafts, st.integers(0, 2**64 - 1), st.integers(0, 256))
def test_a_nonce_takes_no_more_room_than_was_kept_for_it(
    draft: Draft, nonce: int, bits: int
) -> None:
    bare = replace(draft, tags=tuple(tag for tag in draft.tags if tag[:1] != ("nonce",)))
    assert event_bytes(with_nonce(draft, nonce, bits)) - event_bytes(bare) <= NONCE_TAG_BYTES
    longest = with_nonce(DRAFT, 2**64 - 1, 256)
    assert event_bytes(longest) - event_bytes(DRAFT) == NONCE_TAG_BYTES


# The search


@given(drafts, st.integers(0, 8), st.integers(0, 10**9))
def test_what_is_mined_has_the_work_when_it_is_signed(draft: Draft, bits: int, start: int) -> None:
    """The bytes that are hashed again and again are those of the id, whatever the text."""
    found = mine(draft, ALICE, bits, start=start, tries=100_000)
    assert found is not None
    assert difficulty(found.id_for(ALICE)) >= bits
    assert found.tags[-1][0] == "nonce"
    assert replace(found, tags=()) == replace(draft, tags=())


def test_a_signed_draft_that_was_mined_verifies_and_commits() -> None:
    found = mine(DRAFT, ALICE, 8, tries=10_000)
    assert found is not None
    assert committed(verify(make.sign(found))) == 8


def test_a_search_goes_on_where_the_slice_before_it_ended() -> None:
    whole = mine(DRAFT, ALICE, 10, tries=20_000)
    slices = (mine(DRAFT, ALICE, 10, start=start, tries=16) for start in range(0, 20_000, 16))
    assert next(found for found in slices if found is not None) == whole


def test_the_shares_of_several_searchers_are_the_whole_and_never_the_same() -> None:
    whole = mine(DRAFT, ALICE, 10, tries=20_000)
    assert whole is not None
    shares = [mine(DRAFT, ALICE, 10, start=start, step=3, tries=7_000) for start in range(3)]
    nonces = [int(share.tags[-1][1]) for share in shares if share is not None]
    assert [nonce % 3 for nonce in nonces] == sorted(nonce % 3 for nonce in nonces)
    assert min(nonces) == int(whole.tags[-1][1])


def test_a_slice_that_was_not_enough_gives_nothing() -> None:
    assert mine(DRAFT, ALICE, 256, tries=100) is None
    assert mine(DRAFT, ALICE, 0, tries=0) is None


@pytest.mark.parametrize("bits", [-1, 257])
def test_bits_that_no_id_has_are_refused(bits: int) -> None:
    with pytest.raises(InvalidInput, match="0 to 256"):
        mine(DRAFT, ALICE, bits, tries=1)


@pytest.mark.parametrize(
    "draft", [replace(DRAFT, content="\ud800"), replace(DRAFT, tags=(("t", "\ud800"),))]
)
def test_text_that_no_utf8_carries_is_refused_as_for_its_id(draft: Draft) -> None:
    with pytest.raises(InvalidEvent, match="surrogate"):
        mine(draft, ALICE, 8, tries=1)


def test_each_bit_doubles_the_tries() -> None:
    assert [expected_tries(bits) for bits in (0, 1, 20)] == [1, 2, 1_048_576]


# What a relay asks for


@pytest.mark.parametrize(
    ("words", "bits"),
    [
        ("pow: difficulty 8 is less than 30", 30),
        ("pow: difficulty 8<12", 12),
        ("pow: 20 bits needed. (8)", 20),
        ("pow: 24 required", 24),
        ("pow: at least 16.5 or so", 0),
        ("pow: difficulty 25>=24", 25),
        ("pow: not enough", 0),
        ("pow: difficulty 8 is less than 7", 0),
        ("pow: 999 bits", 0),
        ("pow: more than 20 notes a minute need work", 0),
        ("pow: work, or wait for 60 s", 0),
        ("pow: 20 bits, or wait for 120 seconds", 20),
        ("pow: pubkey difficulty 3<20", 0),
        ("pow: insufficient public key work, 20", 0),
    ],
)
def test_the_bits_that_a_refusal_wants_are_more_than_the_event_has(words: str, bits: int) -> None:
    """NIP-01 shows how relays word it; NIP-13's bits."""
    assert asked_bits(words, "00f" + "f" * 61) == bits


@given(st.text(max_size=200))
def test_no_words_of_a_relay_ask_for_what_no_id_has(words: str) -> None:
    bits = asked_bits(words, "0" * 8 + "f" * 56)
    assert bits == 0 or 32 < bits <= 256
