"""`core.schnorr`: BIP-340 signature checks."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import schnorr
from tests.core import strategies as make

if TYPE_CHECKING:
    from collections.abc import Callable

with (make.VECTORS / "bip340/test-vectors.csv").open(encoding="utf-8", newline="") as lines:
    BIP340 = list(csv.DictReader(lines))

KEY = make.pubkey_of(make.ALICE)
MESSAGE = bytes(range(32))
ROWS_OF_OFF_CURVE_KEYS = {"5", "14"}


@pytest.mark.parametrize("row", BIP340, ids=lambda row: row["index"])
def test_a_signature_gets_the_verdict_of_bip_340(row: dict[str, str]) -> None:
    key, sig = row["public key"].lower(), row["signature"].lower()
    wanted = row["verification result"] == "TRUE"
    assert schnorr.verify(key, bytes.fromhex(row["message"]), sig) is wanted


@pytest.mark.parametrize("row", BIP340, ids=lambda row: row["index"])
def test_a_public_key_is_a_point_on_the_curve(row: dict[str, str]) -> None:
    on_curve = row["index"] not in ROWS_OF_OFF_CURVE_KEYS
    assert schnorr.is_public_key(row["public key"].lower()) is on_curve


def test_the_vectors_hold_both_verdicts() -> None:
    assert {row["verification result"] for row in BIP340} == {"TRUE", "FALSE"}
    assert {row["index"] for row in BIP340} >= ROWS_OF_OFF_CURVE_KEYS


@given(st.binary(min_size=32, max_size=32))
def test_a_signature_fits_its_own_message_and_key_only(message: bytes) -> None:
    sig = make.signature_of(message)
    assert schnorr.verify(KEY, message, sig)
    assert not schnorr.verify(make.pubkey_of(make.BOB), message, sig)
    assert not schnorr.verify(KEY, bytes([message[0] ^ 1]) + message[1:], sig)


@given(st.text(), st.text(), st.binary(min_size=32, max_size=32))
def test_no_text_makes_verify_raise(key: str, sig: str, message: bytes) -> None:
    assert schnorr.verify(key, message, sig) is False
    assert schnorr.verify(KEY, message, sig) is False
    assert schnorr.is_public_key(key) is False


@given(make.hexes(32), make.hexes(64))
def test_no_well_formed_hex_makes_verify_raise(key: str, sig: str) -> None:
    assert schnorr.verify(key, MESSAGE, sig) is False


SPELLINGS = {
    "upper case": str.upper,
    "space before": lambda text: " " + text,
    "line break after": lambda text: text + "\n",
    "space inside": lambda text: text[:2] + " " + text[2:],
    "0x before": lambda text: "0x" + text,
    "short": lambda text: text[:-2],
    "long": lambda text: text + "00",
    "odd": lambda text: text[:-1],
    "wide digits": lambda text: text[:-1] + "\uff11",
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_hex_has_one_spelling(spell: Callable[[str], str]) -> None:
    """NIP-01: lower case, 64 and 128 digits; `bytes.fromhex` alone would take more."""
    assert schnorr.verify(KEY, MESSAGE, make.signature_of(MESSAGE))
    assert not schnorr.verify(spell(KEY), MESSAGE, make.signature_of(MESSAGE))
    assert not schnorr.verify(KEY, MESSAGE, spell(make.signature_of(MESSAGE)))
    assert not schnorr.is_public_key(spell(KEY))


def test_asking_again_gives_the_same_answer() -> None:
    """Parsed keys are kept, also those that are none."""
    off_curve = "e" * 63 + "f"
    answers = [schnorr.is_public_key(off_curve) for _ in range(3)]
    assert len(set(answers)) == 1
    assert [schnorr.verify(KEY, MESSAGE, make.signature_of(MESSAGE)) for _ in range(3)] == [
        True
    ] * 3
