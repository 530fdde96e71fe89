"""EVENT and its OK: NIP-01, 09, 40, 70, and the relay's own limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Auth, Ok, Publish
from nostr_threads.core.wire import encode
from nostr_threads.errors import StoreError
from nostr_threads.relayd.limits import Limits
from nostr_threads.store.policy import Policy
from nostr_threads.testing import START, Author, forged
from tests.relayd.peers import CHALLENGE, NOW, URL, asked, connected, published, say, stocked

if TYPE_CHECKING:
    from nostr_threads.store.base import Store

ALICE, BOB = Author(1), Author(2)


def test_a_good_event_is_stored_and_handed_out_for_broadcast() -> None:
    client, note = connected(), ALICE.note("hello")
    assert published(client, note) == Ok(note.id, True, "")
    assert client.events_accepted() == [note]
    assert client.events_accepted() == []
    assert asked(client, Filter(ids=(note.id,)))[0] == [note.id]


def test_a_known_event_is_a_duplicate_and_not_broadcast_again() -> None:
    note = ALICE.note("hello")
    client = connected([note])
    assert published(client, note) == Ok(note.id, True, "duplicate: already have this event")
    assert client.events_accepted() == []


@pytest.mark.parametrize("how", ["content", "signature", "id"])
def test_a_forged_event_is_invalid_and_leaves_no_trace(how: str) -> None:
    client, note = connected(), ALICE.note("hello")
    false = forged(note, how)  # type: ignore[arg-type]
    ok = published(client, false)
    assert (ok.accepted, ok.reason[:9]) == (False, "invalid: ")
    assert client.events_accepted() == []
    assert published(client, note).accepted


def test_a_forged_copy_of_a_known_event_is_invalid_not_a_duplicate() -> None:
    note = ALICE.note("hello")
    assert not published(connected([note]), forged(note, "signature")).accepted


def test_a_deleted_event_is_blocked_before_and_after_it_was_known() -> None:
    """NIP-09: relays should stop publishing what its author asked to delete."""
    note = ALICE.note("regrets")
    for client in (connected([note]), connected()):
        assert published(client, ALICE.deletion(note)).accepted
        ok = published(client, note)
        assert ok == Ok(note.id, False, "blocked: its author asked for its deletion")
        assert asked(client, Filter(kinds=(1,)))[0] == []


@pytest.mark.parametrize("kind", [1, 30023])
def test_where_it_is_kept_a_deleted_event_is_shown_and_its_author_told_the_same(kind: int) -> None:
    event = ALICE.event(kind, "regrets", START, (("d", "x"),))
    for known in ([event], []):
        store = stocked(known)
        store.adopt(Policy.KEEP)
        client = connected(store=store)
        assert published(client, ALICE.deletion(event)).accepted
        for _ in range(2):
            ok = published(client, event)
            assert ok == Ok(event.id, False, "blocked: its author asked for its deletion")
        assert asked(client, Filter(kinds=(kind,)))[0] == [event.id]


def test_a_deleted_article_stays_blocked() -> None:
    """NIP-09: an `a` tag deletes all versions up to the deletion's created_at."""
    article = ALICE.article("essay", "text")
    client = connected([article, ALICE.deletion(article)])
    assert published(client, article).reason == "blocked: its author asked for its deletion"


def test_nobody_deletes_what_others_wrote() -> None:
    note = ALICE.note("stays")
    client = connected([note])
    assert published(client, BOB.deletion(note)).accepted
    assert asked(client, Filter(kinds=(1,)))[0] == [note.id]


def test_the_deletion_itself_is_kept_and_shown() -> None:
    """NIP-09: relays should continue to publish the deletion requests."""
    note = ALICE.note("regrets")
    client, deletion = connected([note]), ALICE.deletion(note)
    published(client, deletion)
    assert asked(client, Filter(kinds=(5,)))[0] == [deletion.id]


@pytest.mark.parametrize("kind", [0, 3, 10002, 30023])
def test_a_newer_version_takes_the_place_of_the_older(kind: int) -> None:
    """NIP-01: replaceable and addressable kinds."""
    old, new = (ALICE.event(kind, text, when) for text, when in (("old", START), ("new", NOW)))
    client = connected([old])
    assert published(client, new) == Ok(new.id, True, "")
    assert asked(client, Filter(kinds=(kind,)))[0] == [new.id]


def test_an_older_version_is_refused_since_nobody_could_read_it_back() -> None:
    old, new = ALICE.event(0, "old", START), ALICE.event(0, "new", NOW)
    client = connected([new])
    assert published(client, old) == Ok(old.id, False, "duplicate: a newer version is stored")
    assert client.events_accepted() == []
    assert asked(client, Filter(kinds=(0,)))[0] == [new.id]


@pytest.mark.parametrize("kind", [0, 30023])
def test_a_version_that_was_known_and_then_replaced_is_no_duplicate(kind: int) -> None:
    """`duplicate: already have this event` would promise that it can be read here."""
    old, new = ALICE.event(kind, "old", START), ALICE.event(kind, "new", NOW)
    client = connected([old, new])
    assert published(client, old) == Ok(old.id, False, "duplicate: a newer version is stored")


def test_of_two_versions_of_one_second_the_lower_id_wins_whichever_came_first() -> None:
    low, high = sorted((ALICE.event(0, text) for text in "ab"), key=lambda event: event.id)
    for first, second in ((low, high), (high, low)):
        client = connected([first])
        published(client, second)
        assert asked(client, Filter(kinds=(0,)))[0] == [low.id]


def test_an_ephemeral_event_is_broadcast_and_not_stored() -> None:
    client, event = connected(), ALICE.event(20_001, "typing…")
    assert published(client, event) == Ok(event.id, True, "")
    assert client.events_accepted() == [event]
    assert asked(client, Filter(kinds=(20_001,)))[0] == []


def test_an_authentication_sent_as_event_is_neither_stored_nor_broadcast() -> None:
    """NIP-42: relays MUST exclude kind 22242 from being broadcast."""
    client, event = connected(auth="offered"), ALICE.authentication(URL, CHALLENGE, NOW)
    assert not published(client, event).accepted
    assert client.events_accepted() == []


@pytest.mark.parametrize(("expires", "taken"), [(NOW - 1, False), (NOW, False), (NOW + 1, True)])
def test_an_expired_event_is_refused(expires: int, taken: bool) -> None:
    """NIP-40."""
    event = ALICE.note("offer", tags=(("expiration", str(expires)),))
    ok = published(connected(), event)
    assert (ok.accepted, ok.reason) == (taken, "" if taken else "invalid: the event has expired")


def test_an_expiration_does_not_concern_ephemeral_events() -> None:
    """NIP-40: it does not affect storage of ephemeral events."""
    assert published(connected(), ALICE.event(20_001, tags=(("expiration", "1"),))).accepted


def test_a_stored_event_is_no_longer_shown_once_it_expires() -> None:
    event = ALICE.note("offer", tags=(("expiration", str(NOW + 10)),))
    client = connected([event])
    assert asked(client, Filter(kinds=(1,)), now=NOW + 9)[0] == [event.id]
    assert asked(client, Filter(kinds=(1,)), now=NOW + 10)[0] == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_event_tags=1), "invalid: more than 1 tags"),
        (Limits(max_content_length=4), "invalid: content has more than 4 characters"),
        (Limits(created_at_upper_limit=0), "invalid: created_at is over 0 seconds in the future"),
    ],
)
def test_what_nip_11_announces_is_kept(limits: Limits, reason: str) -> None:
    event = ALICE.note("12345", NOW + 1, tags=(("t", "a"), ("t", "b")))
    assert published(connected(limits=limits), event) == Ok(event.id, False, reason)
    assert published(connected(), event).accepted


def test_content_is_counted_in_characters_not_bytes() -> None:
    """NIP-11: a count of unicode characters."""
    assert published(
        connected(limits=Limits(max_content_length=4)), ALICE.note("😀😀😀😀")
    ).accepted


def test_too_little_work_is_refused_with_the_numbers() -> None:
    """NIP-01's `pow:` prefix, NIP-13's count."""
    event = ALICE.note("lazy")
    found = 256 - int(event.id, 16).bit_length()
    ok = published(connected(limits=Limits(min_pow_difficulty=40)), event)
    assert ok.reason == f"pow: difficulty {found} is less than 40"
    assert published(connected(limits=Limits(min_pow_difficulty=found)), event).accepted


def test_the_relays_policy_gives_the_reason_with_a_prefix() -> None:
    def accept(event: object) -> str | None:
        return {ALICE.pubkey: None, BOB.pubkey: "not you"}.get(
            getattr(event, "pubkey", ""), "restricted: read only"
        )

    client = connected(accept=accept)
    assert published(client, ALICE.note("a")).accepted
    assert published(client, BOB.note("b")).reason == "blocked: not you"
    assert published(client, Author(3).note("c")).reason == "restricted: read only"


def test_the_policy_is_only_asked_about_genuine_events() -> None:
    seen: list[object] = []
    published(
        connected(accept=lambda event: seen.append(event)), forged(ALICE.note("x"), "content")
    )
    assert seen == []


def test_a_protected_event_needs_its_author_on_the_line() -> None:
    """NIP-70: the default MUST be to reject; taken only from its authenticated author."""
    event = ALICE.note("members only", tags=(("-",),))
    assert published(connected(), event).reason.startswith("restricted: ")
    client = connected(auth="offered")
    assert published(client, event).reason.startswith("auth-required: ")
    say(client, Auth(BOB.authentication(URL, CHALLENGE, NOW)))
    assert published(client, event).reason.startswith("restricted: ")
    say(client, Auth(ALICE.authentication(URL, CHALLENGE, NOW)))
    assert published(client, event).accepted


def test_a_failing_database_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    store, note = stocked(), ALICE.note("x")
    client = connected(store=store)
    _break(monkeypatch, store)
    assert published(client, note) == Ok(note.id, False, "error: the relay's database failed")
    assert client.events_accepted() == []


@pytest.mark.parametrize("event_id", ["", "x", "Z" * 64, "é"])
def test_an_event_with_a_strange_id_gets_its_ok_under_that_id(event_id: str) -> None:
    event = replace(ALICE.note("x"), id=event_id)
    assert published(connected(), event).reason.startswith("invalid: ")


def test_a_malformed_event_gets_its_ok_under_the_id_that_can_be_read() -> None:
    note = ALICE.note("x")
    broken = encode(Publish(note)).replace('"kind":1', '"kind":"one"')
    (ok,) = connected().receive(broken, NOW)
    assert isinstance(ok, Ok)
    assert (ok.event_id, ok.accepted, ok.reason[:9]) == (note.id, False, "invalid: ")


def test_a_message_over_the_limit_is_refused_under_its_id() -> None:
    """NIP-11: max_message_length, in bytes of UTF-8."""
    note = ALICE.note('"id":"é' * 10)
    raw = encode(Publish(note)).encode()
    assert connected(limits=Limits(max_message_length=len(raw))).receive(raw, NOW) == [
        Ok(note.id, True, "")
    ]
    (ok,) = connected(limits=Limits(max_message_length=len(raw) - 1)).receive(raw, NOW)
    assert ok == Ok(note.id, False, f"invalid: the message is over {len(raw) - 1} bytes")


def _break(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("/home/somebody/private.db: broken")

    for name in ("add", "query", "count"):
        monkeypatch.setattr(type(store), name, fail)
