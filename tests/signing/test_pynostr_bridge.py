from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from pynostr.event import Event as PynostrEvent
from pynostr.event import EventKind

from nostr_threads.core.event import Draft, Event, verify
from nostr_threads.errors import InvalidEvent
from nostr_threads.signing import KeySigner, from_pynostr, to_pynostr
from tests.core.strategies import AWKWARD, drafts, events
from tests.signing.leaks import MARKED_HEX, marked

DRAFT = Draft(created_at=1_700_000_000, kind=1, tags=(("t", "nostr"),), content="hello")


@settings(deadline=None)
@given(events)
def test_there_and_back_again_nothing_is_lost(event: Event) -> None:
    assert from_pynostr(to_pynostr(event)) == event


@settings(deadline=None)
@given(drafts)
async def test_what_we_sign_pynostr_verifies(draft: Draft) -> None:
    """NIP-01: both hash the same bytes, control characters included."""
    event = await KeySigner(marked()).sign(draft)
    theirs = to_pynostr(event)
    assert theirs.verify()
    assert theirs.id == event.id


@settings(deadline=None)
@given(drafts)
def test_what_pynostr_signs_we_verify(draft: Draft) -> None:
    tags = [list(tag) for tag in draft.tags]
    theirs = PynostrEvent(draft.content, None, draft.created_at, draft.kind, tags)
    theirs.sign(MARKED_HEX)
    ours = verify(from_pynostr(theirs))
    assert Draft(ours.created_at, ours.kind, ours.tags, ours.content) == draft


def test_ids_agree_on_every_control_character() -> None:
    text = "".join(map(chr, range(0xA0))) + AWKWARD
    draft = Draft(1, 1, ((text, text),), text)
    theirs = PynostrEvent(text, MARKED_HEX, 1, 1, [[text, text]])
    assert theirs.id == draft.id_for(MARKED_HEX)


async def test_a_kind_given_as_their_enum_is_a_plain_number_here() -> None:
    theirs = to_pynostr(await KeySigner(marked()).sign(DRAFT))
    theirs.kind = EventKind.TEXT_NOTE
    assert type(from_pynostr(theirs).kind) is int


def test_an_unsigned_event_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(InvalidEvent, match="has no pubkey, sig"):
        from_pynostr(PynostrEvent("hello"))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "short"},
        {"pubkey": "A" * 64},
        {"sig": 7},
        {"kind": "1"},
        {"kind": 65_536},
        {"created_at": 1.5},
        {"tags": [["t", 1]]},
        {"tags": [{"t"}]},
        {"content": "\ud800"},
    ],
)
async def test_a_malformed_event_is_refused(changes: dict[str, Any]) -> None:
    theirs = to_pynostr(await KeySigner(marked()).sign(DRAFT))
    for name, value in changes.items():
        setattr(theirs, name, value)
    with pytest.raises(InvalidEvent):
        from_pynostr(theirs)


async def test_the_bridge_does_not_hide_a_stale_id() -> None:
    """pynostr leaves the old id when the content is changed; `verify` must see that."""
    theirs = to_pynostr(await KeySigner(marked()).sign(DRAFT))
    theirs.content = "changed"
    with pytest.raises(InvalidEvent, match="not the hash"):
        verify(from_pynostr(theirs))
