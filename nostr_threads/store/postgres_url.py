"""Where a PostgreSQL store is, and how it is named without its password.

Knows what libpq reads in a URL, in the environment and in ~/.pgpass. Knows nothing of what is
stored.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import IsolationLevel, RawCursor
from psycopg.conninfo import conninfo_to_dict

from nostr_threads.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Address"]

_SECONDS_TO_CONNECT = 10
# Several servers may be named, each with its own.
_PORTS = re.compile(r"[\d,]*")
_NO_URL = (
    "this is no URL of a PostgreSQL database: it looks like postgresql://user@host/database, and "
    "the signs of a password that mean something in a URL are written as %2F"
)


class Address:
    """A `postgresql://` URL, shown without what is secret in it."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self._parameters = parameters

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL. Raises `StoreError` for what is none; nothing of it is repeated."""
        try:
            parameters = conninfo_to_dict(url)
        except psycopg.Error:
            # Its complaint quotes what it took for a port or a host: often half of a password.
            raise StoreError(_NO_URL) from None
        # With a bare slash in it the rest of a password is taken for the database's name.
        if (
            "@" in str(parameters.get("dbname"))
            or _PORTS.fullmatch(_of(parameters, "port")) is None
        ):
            raise StoreError(_NO_URL)
        return cls(parameters)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Reach the server. Raises `StoreError` with what it says."""
        usual = {"connect_timeout": _SECONDS_TO_CONNECT, "application_name": "nostr-threads"}
        parameters = {**usual, **self._parameters, "client_encoding": "UTF8"}
        try:
            connection = psycopg.connect(**parameters, autocommit=True, cursor_factory=RawCursor)
        except psycopg.Error as error:
            # Without the error itself: whoever shows it may show what it was given.
            said = self.hushed(" ".join(str(error).split()))
            raise StoreError(f"{self}: cannot be reached: {said}") from None
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        return connection

    def hushed(self, words: str) -> str:
        """Return a message without the password, wherever it stands in it."""
        password = self._parameters.get("password")
        return words.replace(password, "***") if password else words

    def __str__(self) -> str:
        user, host, port, name = (
            _of(self._parameters, each) for each in ("user", "host", "port", "dbname")
        )
        # A folder with a socket would look like a part of the name.
        server = "" if host.startswith("/") else host
        at, of = f"{user}@" if user else "", f":{port}" if port else ""
        return f"postgresql://{at}{server}{of}/{name}"

    __repr__ = __str__


def _of(parameters: Mapping[str, Any], name: str) -> str:
    return str(parameters.get(name) or "")
