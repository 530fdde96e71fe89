"""Relay lists (NIP-65): what the markers mean, and that a hostile list stays small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.relay_lists import MOST_RELAYS, RelayList, relay_list_of
from nostr_threads.core.relay_url import normalize
from tests.core.strategies import event, events, texts

if TYPE_CHECKING:
    from nostr_threads.core.event import Event

_MARKERS = ("read", "write", "", "READ", "both", "\x00")
_urls = st.integers(0, 40).map("wss://r{}.example".format)
_r_tags = st.one_of(
    st.tuples(st.just("r"), st.one_of(_urls, texts)),
    st.tuples(st.just("r"), _urls, st.sampled_from(_MARKERS)),
    st.tuples(st.just("r"), _urls, st.sampled_from(_MARKERS), texts),
    st.tuples(st.just("r")),
)


def listed(*tags: tuple[str, ...]) -> RelayList:
    return relay_list_of(event(kinds.RELAY_LIST, tags))


def test_the_example_of_nip_65_is_read_as_it_says() -> None:
    assert listed(
        ("r", "wss://alicerelay.example.com"),
        ("r", "wss://brando-relay.com"),
        ("r", "wss://expensive-relay.example2.com", "write"),
        ("r", "wss://nostr-relay.example.com", "read"),
    ) == RelayList(
        write=(
            "wss://alicerelay.example.com",
            "wss://brando-relay.com",
            "wss://expensive-relay.example2.com",
        ),
        read=(
            "wss://alicerelay.example.com",
            "wss://brando-relay.com",
            "wss://nostr-relay.example.com",
        ),
    )


def test_an_empty_marker_means_both_as_no_marker_does() -> None:
    assert listed(("r", "wss://a.example", "")) == listed(("r", "wss://a.example"))


def test_a_tag_with_a_marker_that_nobody_knows_counts_for_nothing() -> None:
    assert listed(("r", "wss://a.example", "archive")) == RelayList()


def test_each_relay_is_there_once_however_it_is_spelled() -> None:
    found = listed(
        ("r", "WSS://A.example:443/"), ("r", "wss://a.example", "write"), ("r", "wss://b.example")
    )
    assert found.write == ("wss://a.example", "wss://b.example")


def test_the_same_relay_may_be_listed_once_for_each_use() -> None:
    found = listed(("r", "wss://a.example", "read"), ("r", "wss://a.example", "write"))
    assert found == RelayList(("wss://a.example",), ("wss://a.example",))


def test_what_is_no_relay_is_dropped_and_a_local_one_is_kept() -> None:
    tags = (("r", "https://a.example"), ("r", ""), ("r",), (), ("e", "wss://b.example"))
    assert listed(*tags, ("r", "ws://localhost:7777")).write == ("ws://localhost:7777",)


def test_a_list_of_thousands_keeps_its_first_ones() -> None:
    found = listed(*(("r", f"wss://r{number}.example") for number in range(5000)))
    assert found.write == tuple(f"wss://r{number}.example" for number in range(MOST_RELAYS))
    assert found.read == found.write


def test_many_write_relays_leave_room_for_read_relays() -> None:
    writes = [("r", f"wss://w{number}.example", "write") for number in range(50)]
    assert listed(*writes, ("r", "wss://r.example", "read")).read == ("wss://r.example",)


@given(st.lists(_r_tags, max_size=60))
def test_what_is_kept_is_normalised_distinct_and_bounded(tags: list[tuple[str, ...]]) -> None:
    found = listed(*tags)
    for urls in (found.write, found.read):
        assert len(urls) <= MOST_RELAYS
        assert len(set(urls)) == len(urls)
        assert [normalize(url) for url in urls] == list(urls)


@given(events)
def test_no_event_makes_it_raise(anything: Event) -> None:
    assert isinstance(relay_list_of(anything), RelayList)
