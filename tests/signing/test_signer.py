from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings

from nostr_threads.core.event import Draft, Event, verify
from nostr_threads.errors import CannotDecrypt, InvalidCode, NoSigner, SigningError
from nostr_threads.signing import (
    KeySigner,
    ReadOnlySigner,
    Signer,
    check_signed,
    new_secret,
    secret_from_bytes,
)
from tests.core.strategies import drafts, texts
from tests.signing.leaks import leaks, marked, whole_story

DRAFT = Draft(created_at=1_700_000_000, kind=1, tags=(("t", "nostr"),), content="hello")
ALICE = KeySigner(secret_from_bytes(bytes(31) + b"\x01"))
BOB = KeySigner(secret_from_bytes(bytes(31) + b"\x02"))
# The x coordinate of the curve's generator (SEC 2, 2.4.1).
ALICE_KEY = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"


def test_the_public_key_is_the_x_coordinate() -> None:
    """BIP-340: key 1 is the generator."""
    assert ALICE.public_key == ALICE_KEY


@settings(deadline=None)
@given(drafts)
async def test_every_draft_comes_back_signed_verified_and_unchanged(draft: Draft) -> None:
    event = await ALICE.sign(draft)
    assert verify(event) == event
    assert event.id == draft.id_for(ALICE_KEY)
    assert event.pubkey == ALICE_KEY
    assert Draft(event.created_at, event.kind, event.tags, event.content) == draft


async def test_each_signature_takes_fresh_randomness() -> None:
    """BIP-340, default signing: auxiliary randomness guards against side channels."""
    first, second = await ALICE.sign(DRAFT), await ALICE.sign(DRAFT)
    assert first.id == second.id
    assert first.sig != second.sig


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": -1},
        {"kind": 65_536},
        {"created_at": -1},
        {"created_at": 2**53},
        {"created_at": 1.5},
        {"content": "\ud800"},
        {"content": None},
        {"content": b"hello"},
        {"tags": (("t", "\udfff"),)},
        {"tags": (("t", 1),)},
        {"tags": (("t", None),)},
        {"tags": (object(),)},
        {"content": object()},
    ],
)
async def test_a_draft_that_cannot_be_an_event_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SigningError):
        await ALICE.sign(dataclasses.replace(DRAFT, **changes))


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, bytes(63), b""])
async def test_a_wrong_signature_never_leaves_the_signer(
    monkeypatch: pytest.MonkeyPatch, signature: bytes
) -> None:
    signer = KeySigner(marked())
    monkeypatch.setattr("pynostr.key.PrivateKey.sign", lambda *_: signature)
    with pytest.raises(SigningError, match="no valid event") as caught:
        await signer.sign(DRAFT)
    assert leaks(whole_story(caught.value, show_locals=True)) == []


async def test_a_failure_while_signing_shows_no_secret_among_the_locals() -> None:
    signer = KeySigner(marked())
    with pytest.raises(SigningError) as caught:
        await signer.sign(dataclasses.replace(DRAFT, content="\ud800"))
    assert leaks(whole_story(caught.value, show_locals=True)) == []


@pytest.mark.parametrize(
    "changes",
    [{"created_at": 1}, {"kind": 2}, {"tags": ()}, {"content": "hello!"}],
)
async def test_an_event_that_is_not_the_draft_is_refused(changes: dict[str, Any]) -> None:
    other = await ALICE.sign(dataclasses.replace(DRAFT, **changes))
    with pytest.raises(SigningError, match="changed the draft"):
        check_signed(DRAFT, other, ALICE_KEY)


async def test_an_event_by_another_author_is_refused() -> None:
    stranger = KeySigner(new_secret())
    with pytest.raises(SigningError, match=f"instead of {ALICE_KEY}"):
        check_signed(DRAFT, await stranger.sign(DRAFT), ALICE_KEY)


async def test_an_event_whose_text_has_a_lone_surrogate_is_refused_from_any_signer() -> None:
    event = dataclasses.replace(await ALICE.sign(DRAFT), content="\ud800")
    with pytest.raises(SigningError):
        check_signed(DRAFT, event, ALICE_KEY)


async def test_an_event_with_a_wrong_id_is_refused() -> None:
    event: Event = dataclasses.replace(await ALICE.sign(DRAFT), id="0" * 64)
    with pytest.raises(SigningError, match="not the hash"):
        check_signed(DRAFT, event, ALICE_KEY)


async def test_a_read_only_signer_knows_its_key_and_says_what_is_missing() -> None:
    signer: Signer = ReadOnlySigner(ALICE_KEY)
    assert signer.public_key == ALICE_KEY
    with pytest.raises(NoSigner, match="NOSTR_SECRET_KEY"):
        await signer.sign(DRAFT)


@pytest.mark.parametrize("key", ["", "npub1xyz", ALICE_KEY.upper(), ALICE_KEY[:-2], "f" * 64])
def test_a_read_only_signer_wants_a_public_key_and_echoes_nothing(key: str) -> None:
    with pytest.raises(InvalidCode) as caught:
        ReadOnlySigner(key)
    assert not key or key not in str(caught.value)


def test_signers_name_their_public_key_in_a_debugger() -> None:
    assert repr(ALICE) == f"KeySigner({ALICE_KEY})"
    assert repr(ReadOnlySigner(ALICE_KEY)) == f"ReadOnlySigner({ALICE_KEY})"


# Texts for two (NIP-44)


@settings(deadline=None)
@given(texts.filter(bool))
async def test_what_one_encrypts_the_other_reads_and_so_does_whoever_wrote_it(text: str) -> None:
    payload = await ALICE.nip44_encrypt(BOB.public_key, text)
    assert await BOB.nip44_decrypt(ALICE_KEY, payload) == text
    assert await ALICE.nip44_decrypt(BOB.public_key, payload) == text


async def test_nobody_else_reads_it() -> None:
    payload = await ALICE.nip44_encrypt(BOB.public_key, "for you")
    carol = KeySigner(new_secret())
    for peer in (ALICE_KEY, BOB.public_key):
        with pytest.raises(CannotDecrypt, match="somebody else"):
            await carol.nip44_decrypt(peer, payload)


@pytest.mark.parametrize("peer", ["", "npub1", "0" * 64, "f" * 64, ALICE_KEY.upper()])
async def test_a_text_is_for_a_public_key_and_for_nothing_else(peer: str) -> None:
    with pytest.raises(InvalidCode, match="curve point"):
        await ALICE.nip44_encrypt(peer, "text")
    with pytest.raises(InvalidCode, match="curve point"):
        await ALICE.nip44_decrypt(peer, "A" * 132)


async def test_who_only_reads_encrypts_nothing() -> None:
    reader = ReadOnlySigner(ALICE_KEY)
    with pytest.raises(NoSigner, match="cannot encrypt"):
        await reader.nip44_encrypt(BOB.public_key, "text")
    with pytest.raises(NoSigner, match="cannot decrypt"):
        await reader.nip44_decrypt(BOB.public_key, "text")
    await reader.close()


# The end


async def test_a_closed_signer_knows_who_it_was_and_signs_nothing() -> None:
    signer = KeySigner(marked())
    public_key = signer.public_key
    await signer.close()
    await signer.close()
    assert signer.public_key == public_key
    for doing in (
        signer.sign(DRAFT),
        signer.nip44_encrypt(ALICE_KEY, "text"),
        signer.nip44_decrypt(ALICE_KEY, "text"),
    ):
        with pytest.raises(NoSigner, match="closed"):
            await doing
