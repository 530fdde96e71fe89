"""What is to be had whole: how it is typed, named, written down and asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import nip19
from nostr_threads.core.filters import Filter
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.errors import InvalidCode, InvalidFilter, InvalidInput, InvalidRelayUrl
from nostr_threads.testing import Author

ALICE = Author(b"alice").pubkey
NOTE = "ab" * 32
RELAY = "wss://relay.example"
THREAD, AUTHOR, HASHTAG, SEARCH, FILTER = SourceKind


@pytest.mark.parametrize(
    ("kind", "text", "value", "hints"),
    [
        (THREAD, NOTE, NOTE, ()),
        (THREAD, nip19.encode(nip19.EventPointer(NOTE, (RELAY,))), NOTE, (RELAY,)),
        (THREAD, nip19.encode(nip19.Address(30023, ALICE, "x")), f"30023:{ALICE}:x", ()),
        (AUTHOR, nip19.encode(nip19.PublicKey(ALICE)), ALICE, ()),
        (AUTHOR, nip19.encode(nip19.Profile(ALICE, (RELAY,))), ALICE, (RELAY,)),
        (HASHTAG, " #Nostr ", "nostr", ()),
        (SEARCH, "long   answers ", "long answers", ()),
        (FILTER, '{"kinds": [1], "#t": ["x"]}', '{"#t": ["x"], "kinds": [1]}', ()),
    ],
)
def test_what_a_person_types_is_one_value(
    kind: SourceKind, text: str, value: str, hints: tuple[str, ...]
) -> None:
    source = Source.parse(kind, text)
    assert (source.value, source.hints) == (value, hints)
    # The name can be typed again, and is then the same source.
    word, _, rest = source.name.partition(" ")
    again = Source.parse(SourceKind(word), rest)
    assert (again.name, again.value) == (source.name, source.value)


@pytest.mark.parametrize(
    ("kind", "text", "options", "error"),
    [
        (THREAD, "nonsense", {}, InvalidCode),
        (AUTHOR, NOTE[:-1], {}, InvalidCode),
        (HASHTAG, "#", {}, InvalidCode),
        (HASHTAG, "two words", {}, InvalidCode),
        (SEARCH, " ", {}, InvalidInput),
        (SEARCH, "x" * 501, {}, InvalidInput),
        (FILTER, "{", {}, InvalidFilter),
        (FILTER, "[" * 100_000, {}, InvalidFilter),
        (FILTER, "[]", {}, InvalidFilter),
        (FILTER, '{"kinds": "all"}', {}, InvalidFilter),
        (FILTER, '{"limit": 5}', {}, InvalidFilter),
        (FILTER, '{"since": 100, "until": 50}', {}, InvalidFilter),
        (HASHTAG, "nostr", {"replies": True}, InvalidInput),
        (HASHTAG, "nostr", {"depth": 2}, InvalidInput),
        (AUTHOR, ALICE, {"depth": 2}, InvalidInput),
        (THREAD, NOTE, {"depth": -1}, InvalidInput),
        (THREAD, NOTE, {"relays": ("http://relay.example",)}, InvalidRelayUrl),
    ],
)
def test_what_cannot_be_had_is_refused(
    kind: SourceKind, text: str, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        Source.parse(kind, text, **options)


def test_a_source_is_asked_for_by_seconds_but_for_a_thread() -> None:
    assert Source.parse(THREAD, NOTE).filter is None
    with pytest.raises(ValueError, match="thread"):
        Source.parse(THREAD, NOTE).within(1, 2)
    source = Source.parse(FILTER, '{"authors": ["' + ALICE + '"], "since": 50}')
    assert source.first == 50
    assert source.within(60, 70) == Filter(authors=(ALICE,), since=60, until=70)
    assert Source.parse(HASHTAG, "#a").within(0, 9) == Filter(tags={"t": ("a",)}, since=0, until=9)
    assert Source.parse(SEARCH, "a b").within(0, 9) == Filter(search="a b", since=0, until=9)


made = st.one_of(
    st.builds(Source, st.just(THREAD), st.just(NOTE), depth=st.none() | st.integers(0, 9)),
    st.builds(Source, st.just(AUTHOR), st.just(ALICE), replies=st.booleans()),
    st.builds(Source, st.just(SEARCH), st.text(min_size=1), hints=st.just((RELAY,))),
    st.builds(Source, st.just(HASHTAG), st.text(min_size=1), relays=st.just((RELAY,))),
)


@given(made)
def test_a_source_can_be_written_down(source: Source) -> None:
    assert Source.from_json(source.to_json()) == source


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"kind":"other"}', json.dumps({"kind": "thread", "value": NOTE})]
)
def test_one_that_is_damaged_is_told(text: str) -> None:
    with pytest.raises(InvalidInput, match="damaged"):
        Source.from_json(text)


def test_a_source_may_be_wanted_from_a_time_on_that_is_no_part_of_it() -> None:
    source = Source.parse(FILTER, '{"kinds": [1], "since": 50}')
    later = replace(source, since=70)
    assert (source.first, later.first, replace(source, since=20).first) == (50, 70, 50)
    assert later.name == source.name
    assert Source.from_json(later.to_json()) == source
