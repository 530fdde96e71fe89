"""`core.kinds`: NIP-01's ranges and addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.event import MAX_KIND, Draft, Event, Tags
from nostr_threads.core.references import parse_address
from tests.core import strategies as make

if TYPE_CHECKING:
    from collections.abc import Callable

AUTHOR = "b" * 64


def regular(kind: int) -> bool:
    """NIP-01's words for what every relay is expected to store."""
    return 1000 <= kind < 10000 or 4 <= kind < 45 or kind in {1, 2}


def test_every_kind_is_in_at_most_one_range() -> None:
    """NIP-01, Kinds: regular, replaceable, ephemeral and addressable do not meet."""
    for kind in range(MAX_KIND + 1):
        ranges = (
            regular(kind),
            kinds.is_replaceable(kind),
            kinds.is_ephemeral(kind),
            kinds.is_addressable(kind),
        )
        assert sum(ranges) <= 1, kind


@pytest.mark.parametrize(
    ("question", "inside", "outside"),
    [
        (kinds.is_replaceable, [0, 3, 10_000, 19_999], [1, 2, 4, 9_999, 20_000]),
        (kinds.is_ephemeral, [20_000, 29_999], [19_999, 30_000]),
        (kinds.is_addressable, [30_000, 39_999], [29_999, 40_000]),
    ],
)
def test_the_ranges_end_where_nip_01_says(
    question: Callable[[int], bool], inside: list[int], outside: list[int]
) -> None:
    assert all(question(kind) for kind in inside)
    assert not any(question(kind) for kind in outside)


@pytest.mark.parametrize(
    ("kind", "tags", "address"),
    [
        (30023, (("d", "my-article"),), f"30023:{AUTHOR}:my-article"),
        (30023, (("d", "a:b:c"),), f"30023:{AUTHOR}:a:b:c"),
        (30023, (("d", "first"), ("d", "second")), f"30023:{AUTHOR}:first"),
        (30023, (("d",),), f"30023:{AUTHOR}:"),
        (30023, ((), ("t", "x")), f"30023:{AUTHOR}:"),
        (0, (), f"0:{AUTHOR}:"),
        (10002, (("d", "ignored"),), f"10002:{AUTHOR}:"),
        (1, (("d", "ignored"),), None),
        (20_001, (("d", "ignored"),), None),
    ],
)
def test_an_address_names_all_versions_of_an_event(
    kind: int, tags: Tags, address: str | None
) -> None:
    """NIP-01, Tags: `kind:pubkey:d`, with the last colon also where there is no d."""
    assert kinds.address_of(make.event(kind, tags, pubkey=AUTHOR)) == address


@given(make.events)
def test_an_address_exists_exactly_for_what_is_replaced(event: Event) -> None:
    replaced = kinds.is_replaceable(event.kind) or kinds.is_addressable(event.kind)
    assert (kinds.address_of(event) is not None) is replaced


@given(make.texts, st.integers(30_000, 39_999))
def test_an_address_can_be_taken_apart_again(identifier: str, kind: int) -> None:
    event = make.event(kind, (("d", identifier),), pubkey=AUTHOR)
    assert parse_address(kinds.address_of(event) or "") == (kind, AUTHOR, identifier)


def test_the_identifier_of_a_draft_is_its_first_d_tag() -> None:
    assert kinds.identifier_of(Draft(1, 30023, (("e", "x"), ("d", "y", "z")), "")) == "y"
    assert kinds.identifier_of(Draft(1, 30023, (), "")) == ""
