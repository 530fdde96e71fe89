"""rust-nostr, through nostr-sdk, opens what we encrypt and we what it does."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from nostr_threads.core import nip19
from nostr_threads.core.event import Draft
from nostr_threads.signing import KeySecurity, KeySigner, decrypt, encrypt, new_secret

# It ships no types, so it is Any here whatever mypy is told about it.
nostr_sdk: Any = import_module("nostr_sdk")

PASSWORD = "\u212bpple \u1e9b\u0323 pw"


@pytest.mark.parametrize("security", KeySecurity)
def test_the_peer_opens_what_we_encrypt(security: KeySecurity) -> None:
    """NIP-49."""
    secret = new_secret()
    theirs = nostr_sdk.EncryptedSecretKey.from_bech32(
        encrypt(secret, PASSWORD, log_n=2, security=security)
    )
    assert theirs.decrypt(PASSWORD).to_hex() == secret.reveal()
    assert theirs.key_security().value == security


def test_we_open_what_the_peer_encrypts() -> None:
    """NIP-49."""
    theirs = nostr_sdk.SecretKey.generate()
    opened = decrypt(theirs.encrypt(PASSWORD).to_bech32(), PASSWORD)
    assert opened.reveal() == theirs.to_hex()
    assert nip19.encode(opened) == theirs.to_bech32()


async def test_the_peer_verifies_what_we_sign() -> None:
    """NIP-01."""
    draft = Draft(1_700_000_000, 1, (("t", "nostr"),), 'a "note"\n\u2028 \x01\x7f')
    event = await KeySigner(new_secret()).sign(draft)
    assert nostr_sdk.Event.from_json(event.to_json()).verify()
