"""Range-based set reconciliation (NIP-77, protocol 1), byte-equal to the reference."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import negentropy
from nostr_threads.core.negentropy import NO_LIMIT, BadMessage, Items, initiate, reconcile, respond
from tests.core import strategies as make

VECTORS = make.load("negentropy/negentropy.vectors.json")
CASES = make.load("negentropy/reference_js_transcripts.small.json")["cases"]
UNITS = VECTORS["unit_cases"]
Pairs = list[tuple[int, str]]

# Few times and ids that begin alike, so that bounds have to tell them apart.
ids = st.integers(0, 300).map(lambda number: sha256(b"%d" % number).hexdigest())
alike = st.integers(0, 300).map(lambda number: f"{'ab' * 30}{number:04x}")
pairs = st.lists(st.tuples(st.integers(0, 20) | st.integers(0, 2**53), ids | alike), max_size=300)


def numbered(ranges: list[list[int]]) -> Items:
    """The items of go-nostr's cases: item i is of second i, and its id spells i."""
    return Items((i, f"{i:064d}") for first, last in ranges for i in range(first, last))


def told(client: Items, server: Items, limits: tuple[int, int]) -> tuple[set[str], set[str], int]:
    """Let two sides talk until the client knows; what it has and needs, after how many rounds."""
    have: set[str] = set()
    need: set[str] = set()
    message: bytes | None = initiate(client, frame_limit=limits[0])
    rounds = 0
    while message is not None:
        answer = respond(server, message, frame_limit=limits[1])
        assert len(message) <= limits[0]
        assert len(answer) <= limits[1]
        step = reconcile(client, answer, frame_limit=limits[0])
        have |= {each.hex() for each in step.have}
        need |= {each.hex() for each in step.need}
        message = step.reply
        rounds += 1
        assert rounds < 2_000
    return have, need, rounds


# The vectors


@pytest.mark.parametrize(("number", "code"), VECTORS["varint"])
def test_numbers_are_written_as_the_reference_writes_them(number: int, code: str) -> None:
    assert negentropy._varint(number).hex() == code


@pytest.mark.parametrize("row", VECTORS["fingerprint"], ids=lambda row: f"{len(row['ids'])} ids")
def test_fingerprints_are_those_of_the_reference(row: dict[str, Any]) -> None:
    items = Items(enumerate(row["ids"]))
    assert items.fingerprint(0, len(items)).hex() == row["fingerprint"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_both_ends_say_what_the_reference_says_to_the_byte(case: dict[str, Any]) -> None:
    client, server = (
        Items(map(tuple, case["client_items"])),
        Items(map(tuple, case["server_items"])),
    )
    message: bytes | None = initiate(client, frame_limit=NO_LIMIT)
    for each in case["transcript"]:
        assert message is not None
        assert message.hex() == each["client"]
        answer = respond(server, message, frame_limit=NO_LIMIT)
        assert answer.hex() == each["server"]
        step = reconcile(client, answer, frame_limit=NO_LIMIT)
        assert [found.hex() for found in step.have] == each["have"]
        assert sorted(found.hex() for found in step.need) == sorted(each["need"])
        message = step.reply
    assert message is None


@pytest.mark.parametrize("case", UNITS, ids=lambda case: case["source"].split()[-1])
def test_cases_of_another_implementation(case: dict[str, Any]) -> None:
    client = Items(map(tuple, case["client_items"]))
    assert initiate(client, frame_limit=NO_LIMIT).hex() == case["reference_js_initiate"]
    if "reference_js_have" in case:
        server = Items(map(tuple, case["server_items"]))
        have, need, _ = told(client, server, (NO_LIMIT, NO_LIMIT))
        assert have == set(case["reference_js_have"])
        assert need == set(case["reference_js_need"])


@pytest.mark.parametrize("case", VECTORS["ranges_go_nostr"], ids=lambda case: str(case["total"]))
def test_cases_of_go_nostr(case: dict[str, Any]) -> None:
    have, need, _ = told(numbered(case["n1"]), numbered(case["n2"]), (60_000, 60_000))
    wanted = [
        {f"{i:064d}" for a, b in case[name] for i in range(a, b)} for name in ("n1_have", "n1_need")
    ]
    assert [have, need] == wanted


def test_another_version_is_answered_with_ours() -> None:
    case = VECTORS["version_negotiation"]
    server = Items(map(tuple, case["server_items"]))
    for exchange in case["exchanges"]:
        assert respond(server, bytes.fromhex(exchange["send"])).hex() == exchange["reply"]
    with pytest.raises(BadMessage, match="another version"):
        reconcile(server, bytes.fromhex("62"))


# Properties


@settings(deadline=None)
@given(
    *[st.sets(ids | alike, max_size=300)] * 3,
    st.sampled_from([1, 7, 10_000]),
    st.tuples(*[st.sampled_from([4_096, 5_000, NO_LIMIT])] * 2),
)
def test_the_client_learns_exactly_the_difference(
    shared: set[str], mine: set[str], theirs: set[str], seconds: int, limits: tuple[int, int]
) -> None:
    ours, others = shared | mine, shared | theirs
    client, server = (
        Items((int(each[:8], 16) % seconds, each) for each in some) for some in (ours, others)
    )
    have, need, _ = told(client, server, limits)
    assert (have, need) == (ours - others, others - ours)


@given(pairs, st.data())
def test_a_fingerprint_is_of_the_ids_in_its_range_alone(found: Pairs, data: st.DataObject) -> None:
    items = Items(found)
    lower = data.draw(st.integers(0, len(items)))
    upper = data.draw(st.integers(lower, len(items)))
    part = Items(enumerate(items.ids(lower, upper)))
    assert items.fingerprint(lower, upper) == part.fingerprint(0, len(part))


@given(pairs)
def test_items_are_sorted_and_each_is_there_once(found: Pairs) -> None:
    items = Items([*found, *found])
    keys = [items.key(place) for place in range(len(items))]
    assert keys == sorted(set(keys))
    assert len(items) == len(set(found))


@settings(deadline=None)
@given(st.binary(max_size=300) | st.binary(max_size=300).map(b"\x61".__add__), pairs)
def test_no_message_raises_anything_else(message: bytes, found: Pairs) -> None:
    items = Items(found)
    with suppress(BadMessage):
        respond(items, message)
    with suppress(BadMessage):
        reconcile(items, message)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("", "no version"),
        ("00", "no version"),
        ("6100", "too early"),
        ("61000003", "unknown mode 3"),
        ("6100210100", "longer than an id"),
        ("6100000105", "too early"),
        ("61000002ff", "too early"),
        ("61" + "ff" * 12, "no end"),
        ("61020003", "unknown mode 3"),
        ("61" + "82" + "ff" * 8 + "7f" + "0000", "end of time"),
        ("61000000" + "010000", "not in order"),
    ],
)
def test_a_bad_message_says_why(code: str, why: str) -> None:
    with pytest.raises(BadMessage, match=why):
        respond(Items([(1, "00" * 32)]), bytes.fromhex(code))


@pytest.mark.parametrize("item", [(-1, "00" * 32), (2**64 - 1, "00" * 32), (1, "00" * 31)])
def test_what_is_no_item_is_refused(item: tuple[int, str]) -> None:
    with pytest.raises(ValueError, match="an item is"):
        Items([item])


def test_a_limit_that_holds_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="4096"):
        initiate(Items([]), frame_limit=100)


def test_few_differences_among_many_cost_few_bytes() -> None:
    """100,000 items of which one in a thousand differs: a hundredth of their ids."""
    every = [(number, sha256(b"%d" % number).digest()) for number in range(100_000)]
    mine, theirs = Items(each for each in every if each[0] % 1_000), Items(every)
    have, need, rounds = told(mine, theirs, (60_000, 60_000))
    assert (len(have), len(need)) == (0, 100)
    assert rounds < 10
