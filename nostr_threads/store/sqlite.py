"""The embedded store: `Store` and `Outbox` over one SQLite file.

Knows which question needs which transaction; the answers are found in this package's other
modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store import adding, chains, outbox, queries, reading
from nostr_threads.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from nostr_threads.core.delivery import Delivery
    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.store.base import Added, Posting

__all__ = ["SqliteStore"]


class SqliteStore:
    """Implements `Store` and `Outbox` over the SQLite file at `path`, made when it is not there.

    ":memory:" is a store of its own that ends with `close`. `read_only` opens an existing file and
    refuses every write. Threads may share one store: calls wait for each other. Processes may share
    a file: readers never wait, writers wait for at most ten seconds. Raises `StoreError` here and
    from every method; `StoreTooNew` for a file that a later version of this program has written.
    """

    def __init__(self, path: Path | str, *, read_only: bool = False) -> None:
        self._database = Database(path, read_only=read_only)

    def add(self, events: Iterable[Verified], *, relay: str | None, now: int) -> list[Added]:
        """Keep events in one transaction, seen at `relay` (None: made here) at `now` (seconds).

        Returns what became of each, in order, as it stands after the whole batch.
        """
        with self._database.writing() as connection:
            return adding.add(connection, events, relay=relay, now=now)

    def event(self, event_id: str) -> Verified | None:
        """Return the event of that id, deleted and superseded ones too."""
        with self._database.reading() as connection:
            return reading.event(connection, event_id)

    def query(self, filters: Sequence[Filter], *, now: int) -> list[Verified]:
        """Answer as a relay would: newest first, ties by id, each filter's `limit` obeyed.

        Superseded, deleted and expired (NIP-40) events are left out, and so are parts in the outbox
        that no relay has taken yet. `search` matches nothing.
        """
        with self._database.reading() as connection:
            found = queries.find(connection, filters, now)
        return [reading.decode(text) for text in found]

    def count(self, filters: Sequence[Filter], *, now: int) -> int:
        """Count what `query` would return without limits (NIP-45)."""
        with self._database.reading() as connection:
            return queries.count(connection, filters, now)

    def thread_root(self, key: str) -> str | None:
        """Return the key of the root of the chain above `key` (id or address), as far as known.

        None when `key` itself is not stored. An article's key is its address.
        """
        with self._database.reading() as connection:
            return chains.root_of(connection, key)

    def thread(self, root: str) -> list[Verified]:
        """Return everything whose chain leads to the key `root`: replies, reactions, deletions.

        One query, any order; the root's own versions are included.
        """
        with self._database.reading() as connection:
            return reading.thread(connection, root)

    def sightings(self, event_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the relays at which each event was seen, in order of first sighting."""
        with self._database.reading() as connection:
            return reading.sightings(connection, event_ids)

    def enqueue(self, posting: Posting) -> None:
        """Keep all parts, here and in the store, in one transaction, each relay `queued`.

        On the disk when it returns. Again with the same parts it adds the relays that are new.
        """
        with self._database.writing(durable=True) as connection:
            outbox.enqueue(connection, posting)

    def record(self, event_id: str, delivery: Delivery, *, now: int) -> None:
        """Replace what is known of one part at one relay."""
        with self._database.writing(durable=True) as connection:
            outbox.record(connection, event_id, delivery, now)

    def posting(self, posting_id: str) -> Posting | None:
        """Return one posting with its deliveries."""
        with self._database.reading() as connection:
            return outbox.load(connection, posting_id)

    def postings(self, *, open_only: bool = False) -> list[Posting]:
        """Return postings, oldest first; with `open_only` those with a delivery not yet final."""
        with self._database.reading() as connection:
            return outbox.load_all(connection, open_only=open_only)

    def close(self) -> None:
        """Release the database. Closing twice is allowed."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
