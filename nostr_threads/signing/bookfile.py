"""The book of a remote signer in a file, sealed for the user's own key (NIP-44).

Knows the file's form, and that several processes may change it: one at a time, each from what is
there. What a book is for is `book`'s to know. Whoever steals the file without the key learns how
large it is.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from nostr_threads.errors import CannotDecrypt, SigningError
from nostr_threads.signing import private_file
from nostr_threads.signing.book import Book, Client
from nostr_threads.signing.policy import Policy
from nostr_threads.signing.secret import new_secret, secret_from_hex

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nostr_threads.signing.signer import Signer

__all__ = ["FileKeeper"]

_MAX_FILE = 4 * 2**20
# Seconds that another process may take to change it; a try every so often.
_PATIENCE = 30.0
_PAUSE = 0.05


class FileKeeper:
    """A `Keeper` whose book is the file at `path`, sealed for `signer`; see `book.Keeper`.

    Without a file the book is empty, with a new key, and is kept once it is changed. Raises
    `SigningError` for a file that is damaged or of another key, and what `signer` raises.
    """

    def __init__(self, path: Path, signer: Signer) -> None:
        self._path = path
        self._signer = signer
        self._changing = asyncio.Lock()
        self._book: Book | None = None
        self._stamp: tuple[int, ...] | None = None

    async def read(self) -> Book:
        """Return the book as it is now. Raises `SigningError`."""
        stamp = private_file.stamp(self._path)
        if self._book is None or stamp != self._stamp:
            self._book = Book(new_secret()) if stamp is None else await self._load()
            self._stamp = stamp
        return self._book

    async def change(self, change: Callable[[Book], Book]) -> Book:
        """Apply `change` to the book as it is, keep it, and return it. Raises `SigningError`."""
        async with self._changing:
            with await self._locked():
                before = await self.read()
                after = change(before)
                if after != before or self._stamp is None:
                    await self._save(after)
                    self._book, self._stamp = after, private_file.stamp(self._path)
        return after

    async def _locked(self) -> private_file.Lock:
        lock = private_file.Lock(self._path.with_suffix(".lock"))
        try:
            async with asyncio.timeout(_PATIENCE):
                while not lock.acquire():  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(_PAUSE)  # a change takes far less
        except TimeoutError:
            raise SigningError(f"another process does not let go of {self._path}") from None
        return lock

    async def _load(self) -> Book:
        sealed = private_file.read(self._path, _MAX_FILE).strip()
        try:
            return _book(
                json.loads(await self._signer.nip44_decrypt(self._signer.public_key, sealed))
            )
        except (CannotDecrypt, ValueError, TypeError, KeyError, AttributeError):
            # From None: what was read is secret.
            raise SigningError(f"{self._path} is damaged, or was written for another key") from None

    async def _save(self, book: Book) -> None:
        text = json.dumps(_fields(book))
        sealed = await self._signer.nip44_encrypt(self._signer.public_key, text)
        private_file.write(self._path, sealed + "\n", replace=True)


def _fields(book: Book) -> dict[str, Any]:
    clients = [
        {
            "key": each.key,
            "name": each.name,
            "since": each.since,
            "policy": _rules(each.policy),
            "relays": each.relays,
        }
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
        Client(
            str(each["key"]),
            _policy(each["policy"]),
            str(each["name"]),
            int(each["since"]),
            tuple(map(str, each["relays"])),
        )
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
        per_minute=int(rules["per_minute"]),
        until=None if until is None else int(until),
        encryption=bool(rules["encryption"]),
        ask=bool(rules["ask"]),
    )
