"""BIP-340's own vectors, through the door that checks and the key that signs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from pynostr.key import PrivateKey

from nostr_threads.core import schnorr
from nostr_threads.signing import KeySigner, secret_from_hex

FILE = Path(__file__).parents[1] / "vectors" / "bip340" / "test-vectors.csv"
ROWS = list(csv.DictReader(FILE.read_text(encoding="utf-8").splitlines()))
WITH_SECRET = [row for row in ROWS if row["secret key"]]
SIGNABLE = [row for row in WITH_SECRET if len(row["message"]) == 64]


def test_the_file_is_whole() -> None:
    assert [row["index"] for row in ROWS] == [str(number) for number in range(19)]
    assert (len(WITH_SECRET), len(SIGNABLE)) == (8, 4)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["index"])
def test_each_verdict_is_that_of_the_bip(row: dict[str, str]) -> None:
    message, key = bytes.fromhex(row["message"]), row["public key"].lower()
    expected = row["verification result"] == "TRUE"
    assert schnorr.verify(key, message, row["signature"].lower()) is expected


@pytest.mark.parametrize("row", WITH_SECRET, ids=lambda row: row["index"])
def test_each_secret_key_has_the_public_key_of_the_bip(row: dict[str, str]) -> None:
    signer = KeySigner(secret_from_hex(row["secret key"]))
    assert signer.public_key == row["public key"].lower()


@pytest.mark.parametrize("row", SIGNABLE, ids=lambda row: row["index"])
def test_the_library_below_signs_as_the_bip_does(row: dict[str, str]) -> None:
    """Given the BIP's auxiliary randomness; `KeySigner` always takes its own."""
    key = PrivateKey(bytes.fromhex(row["secret key"]))
    signature = key.sign(bytes.fromhex(row["message"]), bytes.fromhex(row["aux_rand"]))
    assert signature.hex() == row["signature"].lower()
