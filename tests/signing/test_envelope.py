"""Messages between a client and a signer elsewhere, sealed into events and opened again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core import kinds
from nostr_threads.core.event import Draft, verify
from nostr_threads.errors import CannotEncrypt, InvalidCode, NoSigner
from nostr_threads.signing import KeySigner, ReadOnlySigner, secret_from_hex
from nostr_threads.signing.envelope import open_sealed, plain, seal
from nostr_threads.testing import START, Author
from tests.core.strategies import AWKWARD

if TYPE_CHECKING:
    from nostr_threads.core.event import Tags, Verified

NOW = int(START)
ALICE, BOB, EVE = (
    KeySigner(secret_from_hex(Author(name).secret_hex())) for name in (b"alice", b"bob", b"eve")
)

words = st.text(st.characters() | st.sampled_from(AWKWARD + "\x1b\ud800…"), max_size=400)


@settings(max_examples=30)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=300), st.integers(0, 2**40))
def test_whoever_it_is_for_reads_what_was_sealed(text: str, now: int) -> None:
    async def there_and_back() -> None:
        event = await seal(text, ALICE, BOB.public_key, now)
        assert await open_sealed(event, BOB) == text
        assert await open_sealed(event, ALICE) is None
        assert await open_sealed(event, EVE) is None
        assert (event.pubkey, event.created_at) == (ALICE.public_key, now)

    asyncio.run(there_and_back())


async def test_the_event_tells_relays_who_it_is_for_and_nothing_more() -> None:
    """NIP-46, "Request events" and "Response events"."""
    event = await seal('{"id":"1"}', ALICE, BOB.public_key, NOW)
    assert verify(event) == event
    assert event.kind == kinds.REMOTE_SIGNING == 24_133
    assert event.tags == (("p", BOB.public_key),)
    assert '"id"' not in event.content
    assert event.content != (await seal('{"id":"1"}', ALICE, BOB.public_key, NOW)).content


async def sealed(kind: int, tags: Tags, peer: str = BOB.public_key) -> Verified:
    payload = await ALICE.nip44_encrypt(peer, "text")
    return await ALICE.sign(Draft(NOW, kind, tags, payload))


async def test_it_may_name_others_too() -> None:
    tags = (("client", "x"), ("p", EVE.public_key), ("p", BOB.public_key, "wss://relay.example"))
    assert await open_sealed(await sealed(kinds.REMOTE_SIGNING, tags), BOB) == "text"


@pytest.mark.parametrize("kind", [1, 4, 24_132, 24_134])
async def test_another_kind_is_no_message(kind: int) -> None:
    assert await open_sealed(await sealed(kind, (("p", BOB.public_key),)), BOB) is None


@pytest.mark.parametrize(
    "tags", [(), (("p",),), (("P", BOB.public_key),), (("p", EVE.public_key),), (("e", "x"),)]
)
async def test_what_does_not_name_us_is_not_for_us(tags: Tags) -> None:
    assert await open_sealed(await sealed(kinds.REMOTE_SIGNING, tags), BOB) is None


@pytest.mark.parametrize("content", ["", "not encrypted", "A" * 132, "?iv=", "\x00"])
async def test_what_cannot_be_read_is_nothing(content: str) -> None:
    """Also what was encrypted the old way (NIP-04)."""
    draft = Draft(NOW, kinds.REMOTE_SIGNING, (("p", BOB.public_key),), content)
    assert await open_sealed(await ALICE.sign(draft), BOB) is None


async def test_what_somebody_else_sends_on_as_theirs_is_nothing() -> None:
    event = await seal("text", ALICE, BOB.public_key, NOW)
    draft = Draft(event.created_at, event.kind, event.tags, event.content)
    assert await open_sealed(await EVE.sign(draft), BOB) is None


async def test_what_cannot_be_sealed_is_an_error() -> None:
    with pytest.raises(InvalidCode):
        await seal("text", ALICE, "bob", NOW)
    with pytest.raises(CannotEncrypt):
        await seal("", ALICE, BOB.public_key, NOW)
    with pytest.raises(NoSigner):
        await seal("text", ReadOnlySigner(ALICE.public_key), BOB.public_key, NOW)


async def test_one_who_cannot_read_at_all_is_told_so() -> None:
    """To have no key is no fault of the message."""
    event = await seal("text", ALICE, BOB.public_key, NOW)
    with pytest.raises(NoSigner):
        await open_sealed(event, ReadOnlySigner(BOB.public_key))
    assert await open_sealed(replace_kind(event), ReadOnlySigner(BOB.public_key)) is None


def replace_kind(event: Verified) -> Verified:
    return Author(b"alice").sign(
        replace(Draft(event.created_at, event.kind, event.tags, event.content), kind=1)
    )


# A stranger's words


@given(words, st.integers(10, 310))
def test_a_strangers_words_are_one_short_line_that_moves_no_cursor(text: str, most: int) -> None:
    said = plain(text, most=most)
    assert said.isprintable()
    assert said == said.strip() != ""
    assert len(said) <= most + 1
    assert plain(said, most=most) == said


@given(st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=300))
def test_what_is_harmless_is_said_as_it_is(text: str) -> None:
    assert plain(text) == text


def test_each_thing_that_does_not_show_is_a_blank() -> None:
    assert plain("a\x1b[2J\n\u202eb\u2028c\td") == "a [2J  b c d"
    assert plain(" \n ") == plain("") == "nothing"
    assert plain("\x00", nothing="") == ""
    assert plain("x" * 301) == "x" * 300 + "…"
    assert plain("x" * 300) == "x" * 300
    assert plain("abcdef", most=3) == "abc…"
