"""The record of bots; see `bots`.

Knows which step is a transaction: an answer is on record in the one that puts it into the outbox.
What each step does to a row is `asks`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.errors import TakenOver
from nostr_threads.store import asks, outbox, reading
from nostr_threads.store.bots import RecordedBot, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.core.bots.cases import Wait
    from nostr_threads.core.event import Event
    from nostr_threads.store.base import Posting
    from nostr_threads.store.bots import Decision, Entry, Intake, Taken
    from nostr_threads.store.connection import Database

__all__ = ["SqlBots"]

_BOT = "SELECT bot, began_at, heard_at, marks FROM bots WHERE pubkey = ? AND name = ?"
_ENTER = """
    INSERT INTO bots (pubkey, name, began_at, heard_at, upto)
    VALUES (?, ?, ?, ?, (SELECT coalesce(max(event), 0) FROM events))
"""
_UPTO = "SELECT upto FROM bots WHERE bot = ?"
_READ = """
    SELECT event, json, kind, created_at FROM events
    WHERE event > ? AND superseded = 0 AND deleted = 0 ORDER BY event LIMIT ?
"""
_READ_ON = "UPDATE bots SET upto = ? WHERE bot = ? AND upto = ?"
_RENEW = """
    UPDATE asks SET held_until = ? WHERE ask = ? AND owner = ? AND state IN ('answering', 'queued')
"""
_LEAVE = """
    UPDATE asks SET owner = '', held_until = 0, changed_at = ?1,
        state = CASE state WHEN 'answering' THEN 'seen' ELSE state END,
        due = CASE state WHEN 'answering' THEN ?1 ELSE due END,
        answered_at = CASE state WHEN 'answering' THEN NULL ELSE answered_at END
    WHERE ask = ?2 AND owner = ?3 AND state IN ('answering', 'queued')
"""
# Each half by an index of its own.
_OWNERS = """
    SELECT owner FROM asks WHERE bot = ?1 AND state IN ('seen', 'answering') AND owner <> ''
    UNION SELECT owner FROM asks WHERE bot = ?1 AND state = 'queued' AND owner <> ''
"""
_TAKE_BACK = """
    UPDATE asks SET held_until = 0
    WHERE bot = ? AND owner = ? AND state IN ('answering', 'queued')
"""
_RELEASE = """
    UPDATE asks SET state = ?, guard = ?, why = ?, due = ?, tries = tries + ?, owner = '',
        held_until = 0, answered_at = CASE WHEN ? = 'delivered' THEN answered_at END,
        changed_at = ? WHERE ask = ? AND owner = ? AND state = 'answering'
"""
# Once more while it is queued: what was cancelled may be sent in another version. It counts for
# budgets from now on: it was reserved when it was begun, and is said now.
_QUEUE = """
    UPDATE asks SET state = 'queued', answerer = ?1, posting = ?2, answered_at = ?3, queued_at = ?3,
        changed_at = ?3 WHERE ask = ?4 AND owner = ?5 AND state IN ('answering', 'queued')
"""
_UNATTENDED = """
    bot = ? AND state = 'queued' AND (owner = '' OR held_until <= ?) ORDER BY ask
"""
_COUNTS = "SELECT state, guard, count(*) FROM asks WHERE bot = ? GROUP BY state, guard"
_LATENCIES = """
    SELECT coalesce(sum(queued_at - seen_at), 0), count(*) FROM asks
    WHERE bot = ? AND queued_at IS NOT NULL
"""
_NEXT_DUE = """
    SELECT min(CASE WHEN state = 'seen' THEN due ELSE held_until END) FROM asks
    WHERE bot = ? AND state IN ('seen', 'answering')
"""
_POSTINGS = "SELECT posting FROM asks WHERE event = ? AND posting IS NOT NULL"
_FORGET = "DELETE FROM asks WHERE ask = ? AND state NOT IN ('answering', 'queued')"


class SqlBots:
    """Implements `Bots` over the database of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def enter(self, pubkey: str, name: str, *, now: int) -> RecordedBot:
        """Put a bot on record unless it is; what is stored by then it has no need to read."""
        with self._database.writing(durable=True) as connection:
            key = connection.column(pubkey)
            found = connection.execute(_BOT, (key, name)).fetchone()
            if found is None:
                connection.execute(_ENTER, (key, name, now, now))
                found = connection.execute(_BOT, (key, name)).fetchone()
        row, began_at, heard_at, marks = found
        return RecordedBot(
            row, pubkey, name, began_at, heard_at, None if marks is None else bool(marks)
        )

    def listened(self, bot: RecordedBot, *, now: int) -> None:
        """Note that the bot was listening up to `now`."""
        with self._database.writing() as connection:
            query = "UPDATE bots SET heard_at = ?1 WHERE bot = ?2 AND heard_at < ?1"
            connection.execute(query, (now, bot.row))

    def mark(self, bot: RecordedBot, *, marks: bool) -> None:
        """Remember whether the bot's profile is to say that it is one: nobody is asked twice."""
        with self._database.writing(durable=True) as connection:
            connection.execute("UPDATE bots SET marks = ? WHERE bot = ?", (int(marks), bot.row))

    def read(
        self,
        bot: RecordedBot,
        kinds: Sequence[int],
        since: int,
        intake: Intake,
        *,
        now: int,
        most: int,
    ) -> list[tuple[Event, Taken]] | None:
        """Let the bot read what was stored since it last did: `most` events of these kinds."""
        with self._database.reading() as connection:
            (upto,) = connection.execute(_UPTO, (bot.row,)).fetchone()
            rows = connection.execute(_READ, (upto, most)).fetchall()
            wanted = [row for row in rows if row[2] in kinds and row[3] >= since]
            events = [reading.decode(text) for _, text, _, _ in wanted]
            parents = [asks.parent_of(connection, event) for event in events]
        if not rows:
            return None
        # It may take its time, and anybody else may write meanwhile.
        taken = {
            event: intake(event, parent) for event, parent in zip(events, parents, strict=True)
        }
        with self._database.writing() as connection:
            said = (rows[-1][0], bot.row, upto)
            if connection.execute(_READ_ON, said).rowcount != 1:
                # Another process has read it.
                return []
            fresh = [
                event
                for event, heard in taken.items()
                if heard and asks.keep(connection, bot, event, heard, now)
            ]
        return [(event, each) for event in fresh for each in taken[event]]

    def claim(
        self,
        bot: RecordedBot,
        owner: str,
        decision: Decision,
        *,
        now: int,
        until: int,
        counts_all: bool = False,
    ) -> Entry | Wait | None:
        """Take the oldest ask that is due and that `decision` leaves room for, up to `until`."""
        with self._database.writing(durable=True) as connection:
            limits = (now, until)
            return asks.claim(connection, bot, owner, decision, *limits, counts_all=counts_all)

    def renew(self, entry: Entry, owner: str, *, until: int) -> bool:
        """Hold an ask longer; False when it is not the owner's any more."""
        with self._database.writing() as connection:
            return connection.execute(_RENEW, (until, entry.row, owner)).rowcount == 1

    def leave(self, entry: Entry, owner: str, *, now: int) -> None:
        """Hold an ask no more, if it is the owner's."""
        with self._database.writing() as connection:
            connection.execute(_LEAVE, (now, entry.row, owner))

    def owners(self, bot: RecordedBot) -> frozenset[str]:
        """Return who is at any ask of the bot."""
        with self._database.reading() as connection:
            rows = connection.execute(_OWNERS, (bot.row,)).fetchall()
            return frozenset(owner for (owner,) in rows)

    def take_back(self, bot: RecordedBot, owner: str) -> int:
        """Let anybody take at once what an owner is at, who is known to have died; how much."""
        with self._database.writing(durable=True) as connection:
            return connection.execute(_TAKE_BACK, (bot.row, owner)).rowcount

    def release(
        self,
        entry: Entry,
        owner: str,
        state: State,
        *,
        guard: str = "",
        why: str = "",
        due: int = 0,
        failed: bool = False,
        now: int,
    ) -> bool:
        """Put on record how the work on an ask ended; False when it is not the owner's any more."""
        said = (state.value, guard, why, due or now, int(failed), state.value, now)
        with self._database.writing(durable=True) as connection:
            return connection.execute(_RELEASE, (*said, entry.row, owner)).rowcount == 1

    def queue(self, entry: Entry, owner: str, posting: Posting, answerer: str, *, now: int) -> None:
        """Put the signed answer into the outbox, and the ask on record as QUEUED, at once."""
        with self._database.writing(durable=True) as connection:
            said = (answerer, connection.column(posting.id), now, entry.row, owner)
            if connection.execute(_QUEUE, said).rowcount != 1:
                raise TakenOver(f"the answer to {entry.event_id} is another process's by now")
            outbox.enqueue(connection, posting)

    def settle(self, bot: RecordedBot, *, now: int) -> list[Entry]:
        """Note what became of answers in the outbox; return the asks that are settled by it."""
        with self._database.writing() as connection:
            queued = asks.select(connection, _UNATTENDED, (bot.row, now))
            settled = [entry.row for entry in queued if asks.settle(connection, entry, now)]
            return [asks.load(connection, row) for row in settled]

    def entries(
        self,
        *,
        pubkey: str | None = None,
        name: str | None = None,
        event_id: str | None = None,
        states: Sequence[State] = (),
        most: int = 100,
    ) -> list[Entry]:
        """Return asks, those that changed last first."""
        with self._database.reading() as connection:
            terms: list[tuple[str, Sequence[Any]]] = [("TRUE", ())]
            if pubkey is not None:
                terms.append(("pubkey = ?", (connection.column(pubkey),)))
            if name is not None:
                terms.append(("name = ?", (name,)))
            if event_id is not None:
                terms.append(("a.event = ?", (connection.column(event_id),)))
            if states:
                members, parameters = connection.one_of([each.value for each in states])
                terms.append((f"state {members}", parameters))
            where = " AND ".join(term for term, _ in terms)
            values = [value for _, values in terms for value in values]
            ordered = f"{where} ORDER BY changed_at DESC, ask DESC LIMIT ?"
            return asks.select(connection, ordered, (*values, most))

    def next_due(self, bot: RecordedBot) -> int | None:
        """Return when the next ask is due, or may be taken over; None when none is open."""
        with self._database.reading() as connection:
            (due,) = connection.execute(_NEXT_DUE, (bot.row,)).fetchone()
            return None if due is None else int(due)

    def postings(self, event_id: str) -> frozenset[str]:
        """Return the ids of the answers to an event that are on record, of any bot."""
        with self._database.reading() as connection:
            rows = connection.execute(_POSTINGS, (connection.column(event_id),)).fetchall()
            return frozenset(connection.text(posting) for (posting,) in rows)

    def counts(self, bot: RecordedBot) -> Mapping[tuple[State, str], int]:
        """Count the bot's asks by state and guard."""
        with self._database.reading() as connection:
            rows = connection.execute(_COUNTS, (bot.row,)).fetchall()
            return {(State(state), guard): count for state, guard, count in rows}

    def latencies(self, bot: RecordedBot) -> tuple[int, int]:
        """Return the sum of seconds from hearing of an ask to its answer, and of how many."""
        with self._database.reading() as connection:
            seconds, count = connection.execute(_LATENCIES, (bot.row,)).fetchone()
            return int(seconds), int(count)

    def retry(self, entries: Sequence[Entry], *, now: int) -> int:
        """Ask again what was skipped, has failed or waits, however old it is; return how many."""
        with self._database.writing(durable=True) as connection:
            return sum(asks.retry(connection, entry, now) for entry in entries)

    def forget(self, entries: Sequence[Entry]) -> int:
        """Take asks off the record, unless somebody is at them; return how many."""
        with self._database.writing(durable=True) as connection:
            return sum(connection.execute(_FORGET, (entry.row,)).rowcount for entry in entries)
