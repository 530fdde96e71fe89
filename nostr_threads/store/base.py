"""The store's Protocol: what the app, the relay and the tests may ask of a local database.

Knows the questions and the shape of the answers. Knows nothing of SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from nostr_threads.core.delivery import Delivery
    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.core.routing import Record
    from nostr_threads.store.policy import Policy

__all__ = ["Activity", "Added", "Arrivals", "Outbox", "Posting", "Store", "Stored"]


class Added(Enum):
    """What became of an event that was given to the store."""

    NEW = "new"
    KNOWN = "known"
    """It was there already; a new sighting of it counts all the same. Or it was purged."""
    SUPERSEDED = "superseded"
    """Kept, but a newer version of the same address is current (NIP-01)."""
    DELETED = "deleted"
    """Kept, but its author has asked for its deletion (NIP-09), or to vanish (NIP-62).

    Whether it is shown is the policy's to say.
    """


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What was stored and not looked at yet, by the key of its `Store.thread_root`.

    A thread's events stand in order of storing, and the threads in that of their first ones.
    `cursor` grows with every event that is stored: nothing stored after it is in here.
    """

    cursor: int
    threads: Mapping[str, tuple[Verified, ...]]


@dataclass(frozen=True, slots=True)
class Stored:
    """The next events in order of storing; `cursor` is where to go on after them."""

    cursor: int
    events: tuple[Verified, ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """One thread of the store, by the key of its root.

    `notes` are those that are to be seen, `unread` those of them that `arrivals` would tell of;
    `last_at` is when the newest says it was written (unix seconds).
    """

    root: str
    notes: int
    unread: int
    last_at: int


class Store(Protocol):
    """A local database of verified events. Synchronous; one writer at a time.

    Every method raises `StoreError` when the database cannot be read or written.
    """

    def add(self, events: Iterable[Verified], *, relay: str | None, now: int) -> list[Added]:
        """Keep events in one transaction, seen at `relay` (None: made here) at `now` (seconds).

        Returns what became of each, in order, as it stands after the whole batch. Deletions are
        obeyed (NIP-09), and so are requests to vanish from all relays (NIP-62), whichever came
        first: both only mark, and nothing is removed.
        """
        ...

    def flush(self) -> None:
        """Put on the disk what was added so far: then no power cut takes it back."""
        ...

    def known(self, event_ids: Iterable[str], *, relay: str | None = None) -> frozenset[str]:
        """Return those of the ids that nothing new can be learned of by adding them again.

        Their events are stored, and with `relay` (a normalised URL) they were seen there.
        """
        ...

    def event(self, event_id: str) -> Verified | None:
        """Return the event of that id, deleted and superseded ones too."""
        ...

    def events(self, event_ids: Sequence[str], *, most: int) -> list[Verified | None]:
        """Return the first of these events, in order, deleted and superseded ones too.

        As many as have `most` characters of JSON in all, and one at least; None stands for one that
        is not stored. This is how a long answer is read in pieces.
        """
        ...

    def policy(self) -> Policy:
        """Return what becomes of what was deleted or has expired: hidden, unless one was adopted.

        `query`, `count`, `items`, `export` and `arrivals` obey it.
        """
        ...

    def adopt(self, wanted: Policy) -> bool:
        """Let `wanted` be the policy from now on, for all who use this store; whether it is new.

        Nothing is changed but what is shown. What was kept is hidden again at once, and back.
        """
        ...

    def query(self, filters: Sequence[Filter], *, now: int, strict: bool = False) -> list[Verified]:
        """Answer as a relay would: newest first, ties by id, each filter's `limit` obeyed.

        Superseded events are left out, and so are deleted and expired (NIP-40) ones, unless the
        policy is to keep them, and parts in the outbox that no relay has taken: unsent, given up or
        cancelled. A `search` (NIP-50) looks for words in notes, comments, forum posts and articles;
        see `core.search_terms`.

        With `strict` it is as if nothing were kept. Whoever passes events on to others asks so,
        and whoever wants to know what somebody says of themselves: what they took back is not it.
        """
        ...

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Bound what is asked in the block to `seconds` in all: then it raises `TooCostly`.

        Other threads that ask this store wait until the block is left.
        """
        ...

    def count(self, filters: Sequence[Filter], *, now: int) -> int:
        """Count what `query` would return without limits (NIP-45)."""
        ...

    def items(
        self,
        filters: Sequence[Filter],
        *,
        now: int | None,
        most: int | None = None,
        strict: bool = False,
    ) -> list[tuple[int, bytes]]:
        """Return `created_at` and the id (32 bytes) of what `query` would return, in any order.

        Without `now` what `query` leaves out is there, too. Reading stops after `most` of them.
        This is what two sides compare (NIP-77).
        """
        ...

    def export(self, filters: Sequence[Filter], *, now: int | None) -> Iterator[str]:
        """Yield the JSON of what `query` would return, oldest first, ties by id.

        With None for `now` everything that is stored and meets a filter, whatever its state. It
        takes little memory, however much it is. What is stored meanwhile may be left out.
        """
        ...

    def stored_after(self, cursor: int | None, *, now: int, most: int, own: bool = False) -> Stored:
        """Return what was stored after `cursor`, whoever stored it, that `query` would return.

        In order of storing. At most `most` events, hidden ones among them, are looked at in one
        call: ask again until the cursor stays where it is. With None it is where the store ends
        now, without events. A cursor holds for good, also in another process, and asking is cheap
        while nothing is new. What is shown only later, as a part of an answer once a relay has
        taken it, is passed over; with `own` it is there, since `thread` has it, too.
        """
        ...

    def active(self, *, now: int, most: int, before: Activity | None = None) -> list[Activity]:
        """Return up to `most` threads, those first in which something was written last.

        Of threads with notes of one second the lowest key comes first. `before` is the last one of
        the page before. What claims to be of more than 15 minutes ahead does not count. A thread is
        what `thread_root` says: what only hangs under a missing note of it is another one.
        """
        ...

    def thread_root(self, key: str) -> str | None:
        """Return the key of the root of the chain above `key` (id or address), as far as known.

        None when `key` itself is not stored. The key of an article's version is its address.
        """
        ...

    def thread(self, root: str) -> list[Verified]:
        """Return everything whose chain leads to the key `root`: replies, reactions, deletions.

        In any order; the root's own versions are included, and so is what hangs under the missing
        notes of this thread: if one event answers a note that is not stored, then all that answer
        it are here, whatever root they claim, and everything below them. Parts on their way are
        included, those that were cancelled are not.
        """
        ...

    def sightings(self, event_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return for every id the relays its event was seen at, in order of first sighting."""
        ...

    def arrivals(self, root: str | None = None, *, upto: int | None = None) -> Arrivals:
        """Return what arrived and was not looked at yet, in all threads or in that of `root`.

        With `upto`, a cursor, what was stored after it is left out.

        That is what says something: notes, comments, forum posts, articles, and whatever else is a
        root or a reply; no reactions, reposts, zaps, deletions, profiles or lists, nothing
        superseded, nothing deleted unless the policy is to keep it, and no parts of one's own in
        the outbox. Every event waits by itself:
        when threads merge, nothing is reported twice or lost.
        """
        ...

    def looked(self, arrivals: Arrivals) -> None:
        """Count exactly the events of `arrivals` as looked at; what was stored since still waits.

        To have looked at some threads only, give an `Arrivals` of those.
        """
        ...

    def people_asked(self, pubkeys: Sequence[str]) -> Mapping[str, int]:
        """Return when (unix seconds) relays were last asked what these people say of themselves.

        That is kinds 0, 62, 10000 and 10002. Whoever was never asked about is left out. A pubkey is
        64 hex digits here: nothing else can be remembered.
        """
        ...

    def note_people_asked(self, pubkeys: Sequence[str], *, now: int) -> None:
        """Remember that relays were asked at `now` what these people say of themselves."""
        ...

    def relay_records(self) -> Mapping[str, Record]:
        """Return what every relay with a record delivered so far, by URL."""
        ...

    def record_relays(self, outcomes: Mapping[str, bool]) -> None:
        """Add one hit (True) or one miss to the record of each relay (by normalised URL).

        Before that its two figures are multiplied by 0.98, so that old behaviour fades.
        """
        ...

    def last_fetch(self, root: str) -> tuple[str, int] | None:
        """Return what was noted of how whole the thread of the key `root` was found, and when.

        None when it never was.
        """
        ...

    def note_fetch(self, root: str, text: str, *, now: int) -> None:
        """Note how whole the thread of the key `root` was found; see `core.fetched`."""
        ...

    def relay_document(self, url: str) -> tuple[str, int] | None:
        """Return a relay's document (NIP-11, JSON) and when it was fetched, None for never.

        The text is empty when the relay had none.
        """
        ...

    def keep_relay_document(self, url: str, text: str, *, now: int) -> None:
        """Keep what a relay says of itself, as JSON; an empty `text` says that it had nothing."""
        ...

    def close(self) -> None:
        """Release the database. Closing twice is allowed."""
        ...

    def __enter__(self) -> Store: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Posting:
    """A signed answer on its way: its parts in order, and the relays it is meant for.

    `relays` are all destinations in order; `courtesy` those of them to which it goes as a courtesy
    (where strangers read, where what it answers was seen): no success depends on these. `quorum` is
    how many of the others (`own`) must take every part; `deliveries` what is known of each so far.
    """

    events: tuple[Verified, ...]
    relays: tuple[str, ...]
    quorum: int
    created_at: int
    deliveries: tuple[Delivery, ...] = ()
    courtesy: frozenset[str] = frozenset()

    @property
    def own(self) -> tuple[str, ...]:
        """The relays that count for the quorum, in order."""
        return tuple(relay for relay in self.relays if relay not in self.courtesy)

    @property
    def accepted(self) -> bool:
        """Whether every part was taken by as many of the author's relays as the quorum wants."""
        return all(self.taken(part) >= self.quorum for part in range(1, len(self.events) + 1))

    def taken(self, part: int) -> int:
        """How many of the author's relays have taken a part, as far as anybody knows."""
        mine = (each for each in self.deliveries if each.relay not in self.courtesy)
        return sum(each.status.taken for each in mine if each.part == part)

    @property
    def id(self) -> str:
        """The id of the first part, which names the whole."""
        return self.events[0].id


class Outbox(Protocol):
    """Signed events on their way to relays, durable before the first byte is sent.

    Whoever sends holds the posting's lease, so that two processes never send a part at once. Every
    method raises `StoreError` when the database cannot be read or written, and those that name a
    posting, except `posting`, raise `NotFound` when there is none of that id.
    """

    def enqueue(self, posting: Posting) -> None:
        """Keep all parts, here and in the store, in one transaction, each relay `queued`.

        The same parts again only add the relays that are new; after `cancel` they begin anew, with
        the new relays, quorum and time. Raises `StoreError` for a second version: the same first
        part with other parts, or a part of another posting.
        """
        ...

    def record(self, event_id: str, delivery: Delivery, *, now: int) -> None:
        """Replace what is known of one part at one relay; a relay not asked before is added.

        It survives the death of the process at once, a power cut from the next `lease`, `release`
        or `enqueue` on. Raises `StoreError` when no posting has this event as that part.
        """
        ...

    def record_all(self, deliveries: Sequence[tuple[str, Delivery]], *, now: int) -> None:
        """Do as `record` for each (event id, delivery), in order and in one transaction."""
        ...

    def lease(self, posting_id: str, owner: str, *, now: int, until: int) -> bool:
        """Take the sole right to send a posting up to `until` (unix seconds), or renew one's own.

        False while another owner's lease has not run out, and for a posting that was cancelled. A
        process that dies holds its lease until then. Read the posting anew after taking it: the
        last owner may have changed it. `owner` is a text, not empty, that nobody else uses.
        """
        ...

    def release(self, posting_id: str, owner: str) -> None:
        """Give the lease back; nothing happens when it is not this owner's any more."""
        ...

    def cancel(self, posting_id: str, *, now: int) -> Posting:
        """Stop a posting that nobody has yet: all its deliveries `cancelled`, in one transaction.

        Its parts are then in no answer of the store, `event` excepted, unless they come from a
        relay, and what they would have replaced or deleted is back. Raises `InvalidInput` when a
        relay has taken a part or may have (`Status.arrived`, now or ever before), when it was seen
        at one, when a sender died before it gave its lease back, and while a lease is held.
        """
        ...

    def revive(self, posting_id: str, now: int) -> Posting:
        """Queue again what was given up, with its tries forgotten."""
        ...

    def posting(self, posting_id: str) -> Posting | None:
        """Return one posting with its deliveries."""
        ...

    def postings(self, *, open_only: bool = False) -> list[Posting]:
        """Return postings, oldest first; with `open_only` those with a delivery not yet final."""
        ...
