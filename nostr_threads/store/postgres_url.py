"""Where a PostgreSQL store is, and how it is named without its password.

Knows what libpq reads in a URL, in the environment and in ~/.pgpass. Knows nothing of what is
stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import RawCursor
from psycopg.conninfo import conninfo_to_dict

from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Address"]

_SECONDS_TO_CONNECT = 10


class Address:
    """A `postgresql://` URL, shown without what is secret in it."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL. Raises `StoreError` for what is none; nothing of it is repeated."""
        try:
            return cls(conninfo_to_dict(url))
        except psycopg.Error:
            # Its complaint quotes what it took for a port or a host: often half of a password.
            raise StoreError(
                "this is no URL of a PostgreSQL database; it looks like "
                "postgresql://user@host/database, and signs in a password are written as %2F"
            ) from None

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Reach the server. Raises `StoreError` with what it says."""
        usual = {
            "connect_timeout": _SECONDS_TO_CONNECT,
            "application_name": "nostr-threads",
            "client_encoding": "UTF8",
        }
        try:
            return psycopg.connect(
                **{**usual, **self._parameters}, autocommit=True, cursor_factory=RawCursor
            )
        except psycopg.Error as error:
            # Without the error itself: whoever shows it may show what it was given.
            said = self.hushed(" ".join(str(error).split()))
            raise StoreError(f"{self}: cannot be reached: {said}") from None

    def hushed(self, words: str) -> str:
        """Return a message without the password, wherever it stands in it."""
        password = self._parameters.get("password")
        return words.replace(password, "***") if password else words

    def __str__(self) -> str:
        user, host, port, name = (
            str(self._parameters.get(each) or "") for each in ("user", "host", "port", "dbname")
        )
        at = f"{user}@" if user else ""
        return f"postgresql://{at}{host}{f':{port}' if port else ''}/{name}"

    __repr__ = __str__
