"""A line of an archive: whose event it is, whatever the order of the fields, and what it claims."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.event import Event
from nostr_threads.core.lines import claimed_id, event_of
from nostr_threads.errors import InvalidEvent
from nostr_threads.testing import Author

if TYPE_CHECKING:
    from collections.abc import Callable

ALICE = Author(1)
NASTY = 'say "id":"' + "0" * 64 + '" \\ \\" ,"id": \n 🧵 é \u2028'


def fields(event: Event) -> dict[str, object]:
    found: dict[str, object] = json.loads(event.to_json())
    return found


def sorted_by_name(event: Event) -> str:
    """As strfry exports it."""
    return json.dumps(fields(event), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


FORMS: list[Callable[[Event], str]] = [
    Event.to_json,
    sorted_by_name,
    lambda event: json.dumps(fields(event)),
    lambda event: json.dumps(fields(event), sort_keys=True),
    lambda event: f'["EVENT",{event.to_json()}]',
    lambda event: f'["EVENT","a \\"name\\" {{",{event.to_json()}]',
    lambda event: f'["EVENT", "name", {sorted_by_name(event)}]\r',
]


@pytest.mark.parametrize("form", FORMS)
@given(text=st.text(st.characters(exclude_categories=["Cs"])) | st.just(NASTY))
def test_every_usual_form_gives_the_event_and_its_id(
    form: Callable[[Event], str], text: str
) -> None:
    event = ALICE.note(text, tags=(("t", text),))
    line = form(event).encode()
    assert event_of(line) == event
    assert claimed_id(line) == event.id


def test_another_order_of_the_fields_claims_nothing_and_is_read_all_the_same() -> None:
    event = ALICE.note(NASTY)
    line = json.dumps(dict(reversed(fields(event).items()))).encode()
    assert claimed_id(line) is None
    assert event_of(line) == event


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b"{}",
        b"\x00\xff",
        b'["EVENT"]',
        b'["EVENT",{}]',
        b'["EOSE","x"]',
        b'{"id":"xyz"}',
        b"[" * 100_000,
        b'["EVENT","' + b"\\" * 100_001,
        b'{"content":"' + b"\\x" * 100_000,
    ],
)
def test_what_is_no_event_is_refused_and_claims_nothing(line: bytes) -> None:
    assert claimed_id(line) is None
    with pytest.raises(InvalidEvent):
        event_of(line)


def test_what_follows_the_event_of_a_message_is_refused() -> None:
    event = ALICE.note("x")
    for rest in ("", ",1]", "]]", "]x"):
        with pytest.raises(InvalidEvent, match="does not end"):
            event_of(f'["EVENT",{event.to_json()}{rest}'.encode())


def test_text_in_a_content_claims_no_id() -> None:
    """Only a field of the event itself counts: a text may say anything."""
    event = ALICE.note(NASTY)
    line = sorted_by_name(event).encode()
    assert b'\\"id\\":\\"' in line
    assert claimed_id(line) == event.id
