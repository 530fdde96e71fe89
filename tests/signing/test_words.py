"""Keys from the words that wallets show (NIP-06, BIP-39, BIP-32)."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from nostr_threads.errors import SigningError
from nostr_threads.signing import KeySigner, secret_bytes, words
from nostr_threads.signing.words import secret_from_words
from tests.signing.leaks import whole_story

VECTORS = Path(__file__).parents[1] / "vectors"
NIP06: dict[str, Any] = json.loads((VECTORS / "nip06/nip06.vectors.json").read_text("utf-8"))
BIP39: dict[str, Any] = json.loads((VECTORS / "bip39/trezor-vectors.json").read_text("utf-8"))
WORDS = NIP06["vectors"][0]["mnemonic"]


@pytest.mark.parametrize(
    "row", NIP06["vectors"], ids=lambda row: f"{row['source']}-{row['account']}"
)
def test_words_give_the_key_that_others_derive(row: dict[str, Any]) -> None:
    secret = secret_from_words(
        row["mnemonic"], passphrase=row["passphrase"], account=row["account"]
    )
    assert secret_bytes(secret).hex() == row["seckey"]
    assert KeySigner(secret).public_key == row["pubkey"]


@pytest.mark.parametrize("row", NIP06["invalid_mnemonics"], ids=lambda row: row["mnemonic"][-20:])
def test_words_that_are_none_are_refused_unseen(row: dict[str, Any]) -> None:
    with pytest.raises(SigningError, match="right checksum") as caught:
        secret_from_words(row["mnemonic"])
    assert not row["mnemonic"] or row["mnemonic"] not in whole_story(caught.value)


@pytest.mark.parametrize("row", NIP06["known_wrong"], ids=lambda row: row["note"])
def test_a_wrong_derivation_of_another_program_is_not_repeated(row: dict[str, Any]) -> None:
    from nostr_threads.core.nip19 import encode

    assert encode(secret_from_words(row["mnemonic"])) != row["not_nsec"]


@pytest.mark.parametrize("language", BIP39)
def test_the_seed_is_that_of_bip_39_in_every_language(language: str) -> None:
    for _, phrase, seed, *_ in BIP39[language]:
        assert words._seed(phrase, "TREZOR").hex() == seed


def test_the_account_is_the_third_step_of_the_path() -> None:
    """BIP-32's own derivation, of the account's key that a peer lists."""
    (row,) = NIP06["extended_keys"]
    assert secret_bytes(secret_from_words(row["mnemonic"])).hex() == row["seckey"]


def test_white_space_between_words_does_not_matter() -> None:
    spread = "  " + WORDS.replace(" ", " \n\t ") + "\n"
    assert secret_from_words(spread) == secret_from_words(WORDS)


def test_another_passphrase_is_another_key() -> None:
    keys = {secret_from_words(WORDS, passphrase=each).reveal() for each in ("", "a", "b")}
    assert len(keys) == 3


@pytest.mark.parametrize("account", [-1, 2**31])
def test_an_account_that_no_path_has_is_refused(account: int) -> None:
    with pytest.raises(SigningError, match="an account is a number"):
        secret_from_words(WORDS, account=account)


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "mnemonic", None)
    with pytest.raises(SigningError, match=r"nostr-threads\[words\]"):
        secret_from_words(WORDS)


def test_entropy_of_all_lengths_is_taken() -> None:
    lengths = {len(phrase.split()) for _, phrase, *_ in BIP39["english"]}
    assert lengths == {12, 18, 24}
    digests = {
        sha256(secret_bytes(secret_from_words(phrase))).digest()
        for _, phrase, *_ in BIP39["english"]
    }
    assert len(digests) == len(BIP39["english"])
