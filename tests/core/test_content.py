"""The `p` and `q` tags of what a text mentions (NIP-27, NIP-18)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.content import mention_tags
from nostr_threads.core.nip19 import Address, EventPointer, Note, Profile, PublicKey, encode
from tests.core.invented import hex_of
from tests.core.strategies import hexes, texts

ALICE, NOTE = hex_of("alice"), hex_of("note")
RELAY, OTHER = "wss://one.example", "wss://two.example"
NPUB = encode(PublicKey(ALICE))


@pytest.mark.parametrize(
    ("entity", "tag"),
    [
        (PublicKey(ALICE), ("p", ALICE)),
        (Profile(ALICE), ("p", ALICE)),
        (Profile(ALICE, (RELAY, OTHER)), ("p", ALICE, RELAY)),
        (Note(NOTE), ("q", NOTE)),
        (EventPointer(NOTE), ("q", NOTE)),
        (EventPointer(NOTE, (RELAY,)), ("q", NOTE, RELAY)),
        (EventPointer(NOTE, (RELAY,), ALICE), ("q", NOTE, RELAY, ALICE)),
        (EventPointer(NOTE, (), ALICE), ("q", NOTE, "", ALICE)),
        (Address(30023, ALICE, "x"), ("q", f"30023:{ALICE}:x")),
        (Address(30023, ALICE, "x", (RELAY,)), ("q", f"30023:{ALICE}:x", RELAY)),
    ],
)
def test_each_code_becomes_its_tag(
    entity: PublicKey | Profile | Note | EventPointer | Address, tag: tuple[str, ...]
) -> None:
    assert mention_tags(f"see nostr:{encode(entity)}, please") == (tag,)


@given(texts)
def test_any_text_can_be_read(text: str) -> None:
    assert all(tag[0] in "pq" for tag in mention_tags(text))


@given(st.lists(hexes(32), max_size=5), texts)
def test_tags_stand_once_each_in_the_order_of_the_text(keys: list[str], between: str) -> None:
    text = f" {between} ".join(f"nostr:{encode(PublicKey(key))} ." for key in keys)
    found = [tag[1] for tag in mention_tags(text) if tag[1] in keys]
    assert found == list(dict.fromkeys(keys))


def test_a_person_named_twice_is_tagged_as_first_named() -> None:
    profile = encode(Profile(ALICE, (RELAY,)))
    assert mention_tags(f"nostr:{profile} nostr:{NPUB}") == (("p", ALICE, RELAY),)


@pytest.mark.parametrize("around", ["({})", "{}.", "{}'s", "*{}*", "\n{}\n", "«{}»", "{}!"])
def test_punctuation_around_a_code_is_no_part_of_it(around: str) -> None:
    assert mention_tags(around.format(f"nostr:{NPUB}")) == (("p", ALICE),)


@pytest.mark.parametrize(
    "text",
    [
        NPUB,
        f"@{NPUB}",
        f"xnostr:{NPUB}",
        f"nostr:{NPUB[:-1]}",
        f"nostr:{NPUB}q",
        f"nostr:{NPUB.upper()}",
        "nostr:nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
        "nostr:",
    ],
)
def test_what_is_no_nostr_link_of_a_person_or_event_is_no_mention(text: str) -> None:
    assert mention_tags(text) == ()
