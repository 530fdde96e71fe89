"""Whatever a client sends: nothing raises, and every EVENT, REQ and COUNT gets its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.messages import Closed, CountResult, Delivered, Eose, Notice, Ok
from nostr_threads.core.wire import decode_relay_message, encode
from nostr_threads.relayd.limits import Limits
from nostr_threads.relayd.protocol import ClientConnection, RelayProtocol
from nostr_threads.relayd.readers import Readers
from nostr_threads.relayd.salvage import refusal
from nostr_threads.testing import Author
from tests.relayd.peers import CHALLENGE, NOW, URL, stocked

NOTES = [Author(1).note(f"{number}") for number in range(3)]
STORE = stocked(NOTES)
SMALL = Limits(max_message_length=2000, max_subscriptions=2, max_filters=2)

if TYPE_CHECKING:
    from collections.abc import Iterable

_text = st.text(st.characters(codec="utf-8"), max_size=70)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=10,
)
_event = st.fixed_dictionaries(
    {"id": _text | st.just(NOTES[0].id)},
    optional={
        "pubkey": _json | st.just(NOTES[0].pubkey),
        "created_at": _json | st.integers(),
        "kind": _json | st.integers(-1, 70_000),
        "tags": _json | st.lists(st.lists(_text, max_size=3), max_size=3),
        "content": _json | _text,
        "sig": _json | st.just(NOTES[0].sig),
    },
)
_filter = _json | st.dictionaries(
    st.sampled_from(["ids", "authors", "kinds", "#e", "#t", "since", "limit", "search", "x"]),
    _json | st.lists(st.integers(0, 70_000)) | st.just([NOTES[0].id]),
    max_size=3,
)


def _client() -> ClientConnection:
    urls = frozenset((URL,))
    relay = RelayProtocol(STORE, Readers([STORE]), SMALL, auth="offered", urls=urls)
    return relay.connect(CHALLENGE)


def _check_legal(messages: Iterable[Any]) -> None:
    for message in messages:
        assert decode_relay_message(encode(message)) == message
        if isinstance(message, Ok) and not message.accepted:
            assert ": " in message.reason


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.binary(max_size=100) | st.text(max_size=100) | _json.map(json.dumps), max_size=5)
)
def test_no_bytes_raise(messages: list[bytes | str]) -> None:
    client = _client()
    for message in messages:
        _check_legal(client.receive(message, NOW))


@settings(deadline=None, max_examples=300)
@given(_event, st.sampled_from(["EVENT", "AUTH"]), st.booleans())
def test_every_event_with_an_id_gets_one_ok(
    event: dict[str, object], verb: str, escape: bool
) -> None:
    data = json.dumps([verb, event], ensure_ascii=escape)
    (ok,) = _client().receive(data, NOW)
    _check_legal([ok])
    if len(data.encode()) <= SMALL.max_message_length:
        assert isinstance(ok, Ok)
        assert ok.event_id == event["id"]


@settings(deadline=None, max_examples=300)
@given(_text, st.lists(_filter, max_size=3), st.sampled_from(["REQ", "COUNT"]))
def test_every_question_gets_one_ending(name: str, filters: list[object], verb: str) -> None:
    client = _client()
    *events, ending = client.receive(json.dumps([verb, name, *filters]), NOW)
    _check_legal([*events, ending])
    assert all(isinstance(each, Delivered) for each in events)
    assert isinstance(ending, Eose | Closed | CountResult)
    assert ending.subscription == name
    assert (name in client.subscriptions) == isinstance(ending, Eose)


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=50))
def test_what_stands_in_the_content_is_never_taken_for_the_id(content: str) -> None:
    note = Author(1).note(content + ',"id":"' + "0" * 64 + '"')
    data = f'["EVENT",{note.to_json()}'.encode()  # cut off, so that it is scanned, not decoded
    assert refusal(data, "invalid: x") == Ok(note.id, False, "invalid: x")


def test_the_name_of_a_message_too_large_to_decode_is_still_found() -> None:
    filler = b"x" * 2**20
    event_id = "ab" * 32
    event = b'["EVENT", {"content": "%s", "id": "%s"}]' % (filler, event_id.encode())
    assert refusal(event, "r") == Ok(event_id, False, "r")
    assert refusal(b' ["REQ","sub",{"#t":["%s"]}]' % filler, "r") == Closed("sub", "r")
    assert refusal(b'["EVENT",{"content":"%s"}]' % filler, "r") == Notice("r")


def test_a_name_that_no_utf_8_can_carry_is_not_sent_back() -> None:
    for data in (b'["EVENT",{"id":"\\ud800"}]', b'["REQ","\\udfff",{}]'):
        assert isinstance(refusal(data, "r"), Notice)


def test_a_thousand_brackets_are_only_a_notice() -> None:
    (notice,) = _client().receive("[" * 1500, NOW)
    assert isinstance(notice, Notice)
