"""The book of a remote signer in a file, sealed for the user's own key (NIP-44).

Knows the file's form. What a book is for is `remote_signer`'s to know. Whoever steals the file
without the key learns how large it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nostr_threads.errors import CannotDecrypt, SigningError
from nostr_threads.signing import private_file
from nostr_threads.signing.policy import PER_MINUTE, Policy
from nostr_threads.signing.remote_signer import Book, Client
from nostr_threads.signing.secret import secret_from_hex

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.signing.signer import Signer

__all__ = ["load_book", "save_book"]

_MAX_FILE = 4 * 2**20


async def load_book(path: Path, signer: Signer) -> Book | None:
    """Return the book in a file, None where there is no file.

    Raises `SigningError` for a file that is damaged or of another key, and what `signer` raises.
    """
    sealed = _read(path)
    if sealed is None:
        return None
    try:
        return _book(json.loads(await signer.nip44_decrypt(signer.public_key, sealed)))
    except (CannotDecrypt, ValueError, TypeError, KeyError, AttributeError):
        # From None: what was read is secret.
        raise SigningError(f"{path} is damaged, or was written for another key") from None


async def save_book(path: Path, book: Book, signer: Signer) -> None:
    """Write a book, in place of the one that is there. Raises `SigningError`."""
    text = json.dumps(_fields(book), ensure_ascii=False)
    sealed = await signer.nip44_encrypt(signer.public_key, text)
    private_file.write(path, sealed + "\n", replace=True)


def _read(path: Path) -> str | None:
    with private_file.translated(path):
        if not path.exists():
            return None
    return private_file.read(path, _MAX_FILE).strip()


def _fields(book: Book) -> dict[str, Any]:
    clients = [
        {"key": each.key, "name": each.name, "since": each.since, "policy": _rules(each.policy)}
        for each in book.clients.values()
    ]
    invitations = {secret: _rules(policy) for secret, policy in book.invitations.items()}
    return {
        "own": book.own.reveal(),
        "relays": book.relays,
        "clients": clients,
        "invitations": invitations,
    }


def _book(fields: dict[str, Any]) -> Book:
    clients = [
        Client(str(each["key"]), _policy(each["policy"]), str(each["name"]), int(each["since"]))
        for each in fields["clients"]
    ]
    invitations = {str(key): _policy(each) for key, each in fields["invitations"].items()}
    relays = tuple(map(str, fields["relays"]))
    by_key = {client.key: client for client in clients}
    return Book(secret_from_hex(fields["own"]), relays, by_key, invitations)


def _rules(policy: Policy) -> dict[str, Any]:
    return {
        "kinds": None if policy.kinds is None else sorted(policy.kinds),
        "per_minute": policy.per_minute,
        "until": policy.until,
        "encryption": policy.encryption,
        "ask": policy.ask,
    }


def _policy(rules: dict[str, Any]) -> Policy:
    kinds, until = rules["kinds"], rules["until"]
    return Policy(
        kinds=None if kinds is None else frozenset(map(int, kinds)),
        per_minute=int(rules.get("per_minute", PER_MINUTE)),
        until=None if until is None else int(until),
        encryption=bool(rules["encryption"]),
        ask=bool(rules["ask"]),
    )
