"""`Store` and `Outbox` over a database, whichever it is.

Knows which question needs which transaction; the answers are found in this package's other
modules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.store import (
    activity,
    adding,
    cancelling,
    chains,
    exporting,
    fetches,
    leases,
    looks,
    outbox,
    people,
    policy,
    queries,
    reading,
    relays,
    searching,
    threads,
)
from nostr_threads.store.base import Stored
from nostr_threads.store.queries import Sight
from nostr_threads.store.sql_bots import SqlBots
from nostr_threads.store.sql_sources import SqlSources
from nostr_threads.store.upkeep import Upkeep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from nostr_threads.core.delivery import Delivery
    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.routing import Record
    from nostr_threads.store.base import Activity, Added, Arrivals, Posting
    from nostr_threads.store.connection import Database
    from nostr_threads.store.policy import Policy

__all__ = ["SqlStore"]


class SqlStore:
    """Implements `Store` and `Outbox` over a `Database`, which it closes.

    `read_only` is for a database that refuses every write. Threads may share one store: calls wait
    for each other. Raises `StoreError` from every method.
    """

    def __init__(self, database: Database, *, read_only: bool) -> None:
        self._database = database
        self._is_read_only = read_only
        self.sources = SqlSources(database)
        """What is to be kept here whole; see `sources.Sources`."""
        self.bots = SqlBots(database)
        """What was asked of bots; see `bots.Bots`."""
        self.upkeep = Upkeep(database)
        """What keeps it in order."""

    def add(self, events: Iterable[Verified], *, relay: str | None, now: int) -> list[Added]:
        """Keep events in one transaction, seen at `relay` (None: made here) at `now` (seconds).

        Returns what became of each, in order, as it stands after the whole batch.
        """
        with self._database.writing() as connection:
            return adding.add(connection, events, relay=relay, now=now)

    def flush(self) -> None:
        """Put on the disk what was added so far: then no power cut takes it back."""
        self._database.flush()

    def known(self, event_ids: Iterable[str], *, relay: str | None = None) -> frozenset[str]:
        """Return those of the ids whose events are stored, and with `relay` were seen there."""
        with self._database.reading() as connection:
            return reading.known(connection, event_ids, relay)

    def event(self, event_id: str) -> Verified | None:
        """Return the event of that id, deleted and superseded ones too."""
        with self._database.reading() as connection:
            return reading.event(connection, event_id)

    def events(self, event_ids: Sequence[str], *, most: int) -> list[Verified | None]:
        """Return the first of these events, in order, up to `most` characters of JSON in all."""
        with self._database.reading() as connection:
            return reading.events(connection, event_ids, most)

    def policy(self) -> Policy:
        """Return what becomes of what was deleted or has expired."""
        with self._database.reading() as connection:
            return policy.policy(connection)

    def adopt(self, wanted: Policy) -> bool:
        """Let `wanted` be the policy from now on, for all who use this store; whether it is new."""
        with self._database.writing(durable=True) as connection:
            return policy.adopt(connection, wanted)

    def query(self, filters: Sequence[Filter], *, now: int, strict: bool = False) -> list[Verified]:
        """Answer as a relay would: newest first, ties by id, each filter's `limit` obeyed.

        Superseded events are left out, deleted and expired (NIP-40) ones unless the policy is to
        keep them, with `strict` these too, and parts in the outbox that no relay has taken yet. A
        `search` (NIP-50) looks for words in notes, comments, forum
        posts and articles. What is new is indexed before, unless the store is read-only: then it
        finds what was indexed, and raises `StoreError` where nothing ever was.
        """
        self._index(filters)
        with self._database.reading() as connection:
            found = queries.find(connection, filters, Sight(now, strict))
        return [reading.decode(text) for text in found]

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Bound what is asked in the block to `seconds` in all: then it raises `TooCostly`."""
        return self._database.within(seconds)

    def count(self, filters: Sequence[Filter], *, now: int) -> int:
        """Count what `query` would return without limits (NIP-45)."""
        self._index(filters)
        with self._database.reading() as connection:
            return queries.count(connection, filters, Sight(now))

    def items(
        self,
        filters: Sequence[Filter],
        *,
        now: int | None,
        most: int | None = None,
        strict: bool = False,
    ) -> list[tuple[int, bytes]]:
        """Return `created_at` and id of what `query` would return, in any order, up to `most`."""
        self._index(filters)
        with self._database.reading() as connection:
            return queries.items(connection, filters, Sight(now, strict), most)

    def export(self, filters: Sequence[Filter], *, now: int | None) -> Iterator[str]:
        """Yield the JSON of what meets a filter, oldest first; None for `now`: hidden or not.

        No transaction is open while the caller does something with it.
        """
        self._index(filters)
        walk = exporting.Walk(filters, Sight(now))
        while not walk.is_over:
            with self._database.reading() as connection:
                texts = walk.step(connection)
            yield from texts

    def stored_after(self, cursor: int | None, *, now: int, most: int, own: bool = False) -> Stored:
        """Return what was stored after `cursor`, whoever stored it, that `query` would return.

        Of `most` events, hidden ones among them, in order of storing; ask again until the cursor
        stays where it is. With None it is where the store ends now. With `own` parts on their way
        are there, too.
        """
        with self._database.reading() as connection:
            last, texts = queries.after(connection, cursor, most, now, own=own)
        return Stored(last, tuple(map(reading.decode, texts)))

    def active(self, *, now: int, most: int, before: Activity | None = None) -> list[Activity]:
        """Return up to `most` threads, those first in which something was written last."""
        with self._database.reading() as connection:
            return activity.active(connection, now=now, most=most, before=before)

    def thread_root(self, key: str) -> str | None:
        """Return the key of the root of the chain above `key` (id or address), as far as known.

        None when `key` itself is not stored. An article's key is its address.
        """
        with self._database.reading() as connection:
            return chains.root_of(connection, key)

    def thread(self, root: str) -> list[Verified]:
        """Return everything whose chain leads to the key `root`: replies, reactions, deletions.

        In any order; the root's own versions are included, and what hangs under missing notes.
        """
        with self._database.reading() as connection:
            found = threads.thread(connection, root)
            hidden = cancelling.withdrawn(connection)
        return [event for event in found if event.id not in hidden]

    def sightings(self, event_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the relays at which each event was seen, in order of first sighting."""
        with self._database.reading() as connection:
            return reading.sightings(connection, event_ids)

    def arrivals(self, root: str | None = None, *, upto: int | None = None) -> Arrivals:
        """Return what arrived and was not looked at yet, in all threads or in that of `root`.

        With `upto`, a cursor, what was stored after it is left out.
        """
        with self._database.reading() as connection:
            return looks.arrivals(connection, root, upto)

    def looked(self, arrivals: Arrivals) -> None:
        """Count exactly the events of `arrivals` as looked at; what came since still waits."""
        with self._database.writing() as connection:
            looks.looked(connection, arrivals)

    def people_asked(self, pubkeys: Sequence[str]) -> Mapping[str, int]:
        """Return when relays were last asked what these people say of themselves."""
        with self._database.reading() as connection:
            return people.asked(connection, pubkeys)

    def note_people_asked(self, pubkeys: Sequence[str], *, now: int) -> None:
        """Remember that relays were asked at `now` what these people say of themselves."""
        with self._database.writing() as connection:
            people.note_asked(connection, pubkeys, now)

    def relay_records(self) -> Mapping[str, Record]:
        """Return what every relay with a record delivered so far, by URL."""
        with self._database.reading() as connection:
            return relays.records(connection)

    def record_relays(self, outcomes: Mapping[str, bool]) -> None:
        """Add one hit (True) or one miss to the record of each relay; its old figures fade."""
        with self._database.writing() as connection:
            relays.record(connection, outcomes)

    def last_fetch(self, root: str) -> tuple[str, int] | None:
        """Return what was noted of how whole a thread was found, and when; None for never."""
        with self._database.reading() as connection:
            return fetches.last(connection, root)

    def note_fetch(self, root: str, text: str, *, now: int) -> None:
        """Note how whole the thread of the key `root` was found."""
        with self._database.writing() as connection:
            fetches.keep(connection, root, text, now)

    def relay_document(self, url: str) -> tuple[str, int] | None:
        """Return a relay's document (NIP-11) and when it was fetched, None for never."""
        with self._database.reading() as connection:
            return relays.document(connection, url)

    def keep_relay_document(self, url: str, text: str, *, now: int) -> None:
        """Keep what a relay says of itself, as JSON; an empty `text` says that it had nothing."""
        with self._database.writing() as connection:
            relays.keep_document(connection, url, text, now)

    def enqueue(self, posting: Posting) -> None:
        """Keep all parts, here and in the store, in one transaction, each relay `queued`.

        On the disk when it returns. Again with the same parts it adds the relays that are new.
        """
        with self._database.writing(durable=True) as connection:
            outbox.enqueue(connection, posting)

    def record(self, event_id: str, delivery: Delivery, *, now: int) -> None:
        """Replace what is known of one part at one relay; a relay not asked before is added."""
        self.record_all([(event_id, delivery)], now=now)

    def record_all(self, deliveries: Sequence[tuple[str, Delivery]], *, now: int) -> None:
        """Do as `record` for each (event id, delivery), in order and in one transaction."""
        # Waiting for the disk here would cost more than the sending. What a power cut takes back is
        # sent again, and meanwhile the lease, which is on the disk, tells that it may be out.
        with self._database.writing() as connection:
            for event_id, delivery in deliveries:
                outbox.record(connection, event_id, delivery, now)

    def lease(self, posting_id: str, owner: str, *, now: int, until: int) -> bool:
        """Take the sole right to send a posting up to `until` (unix seconds), or renew one's own.

        On the disk when it returns. False while another's has not run out, and when cancelled.
        """
        with self._database.writing(durable=True) as connection:
            return leases.take(connection, outbox.row_of(connection, posting_id), owner, now, until)

    def release(self, posting_id: str, owner: str) -> None:
        """Give the lease back, and with it everything recorded is on the disk."""
        with self._database.writing(durable=True) as connection:
            leases.release(connection, outbox.row_of(connection, posting_id), owner)

    def cancel(self, posting_id: str, *, now: int) -> Posting:
        """Stop a posting that nobody has yet, and take its parts out of sight."""
        with self._database.writing(durable=True) as connection:
            row = outbox.row_of(connection, posting_id)
            cancelling.cancel(connection, row, now)
            return outbox.load(connection, row)

    def revive(self, posting_id: str, now: int) -> Posting:
        """Queue again what was given up, with its tries forgotten."""
        with self._database.writing(durable=True) as connection:
            row = outbox.row_of(connection, posting_id)
            outbox.revive(connection, row, now)
            return outbox.load(connection, row)

    def posting(self, posting_id: str) -> Posting | None:
        """Return one posting with its deliveries."""
        with self._database.reading() as connection:
            row = outbox.find(connection, posting_id)
            return None if row is None else outbox.load(connection, row)

    def postings(self, *, open_only: bool = False) -> list[Posting]:
        """Return postings, oldest first; with `open_only` those with a delivery not yet final."""
        with self._database.reading() as connection:
            return outbox.load_all(connection, open_only=open_only)

    def index_words(self) -> bool:
        """Index some thousand events more, so that they are found by words; whether others wait.

        Whoever asks for words has this done before. It is for a writer beside read-only stores.
        """
        with self._database.reading() as connection:
            if not searching.is_behind(connection):
                return False
        with self._database.writing() as connection:
            return searching.index(connection)

    def _index(self, filters: Sequence[Filter]) -> None:
        """Index what is new, if anybody looks for words."""
        if all(condition.search is None for condition in filters):
            return
        with self._database.reading() as connection:
            if self._is_read_only:
                searching.require_index(connection)
                return
            is_behind = searching.is_behind(connection)
        while is_behind:
            is_behind = self.index_words()

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
