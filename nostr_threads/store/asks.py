"""What was asked of bots, row by row: put on record, taken, decided, and what became of it.

Knows what each step changes. Works inside the caller's transaction, which makes a step whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nostr_threads.core.bots.budgets import Answered
from nostr_threads.core.bots.cases import Wait
from nostr_threads.core.references import references
from nostr_threads.errors import InvalidInput
from nostr_threads.store import cancelling, outbox, reading
from nostr_threads.store.bots import Entry, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.store.bots import Decision, RecordedBot, Taken
    from nostr_threads.store.connection import Connection

__all__ = ["claim", "keep", "load", "parent_of", "retry", "select", "settle"]

# Asks that are looked at in one transaction before others may write, too.
_MOST_DECIDED = 200
# Budgets reach back so far.
_DAY = 86_400

_SELECT = """
    SELECT ask, name, a.event, rule, author, root, state, guard, why, answerer, tries, due, owner,
        pardoned, posting, asked_at, seen_at, answered_at, changed_at
    FROM asks a JOIN bots USING (bot) WHERE
"""
_ROOT = """
    SELECT coalesce(
        (SELECT root FROM links WHERE child = e.event AND position = 0), e.address, e.id
    ) FROM events e WHERE e.id = ?
"""
_ASK = """
    INSERT INTO asks
        (bot, event, rule, author, root, state, guard, why, due, asked_at, seen_at, changed_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?9, ?9)
"""
_IS_ASKED = "SELECT 1 FROM asks WHERE bot = ? AND event = ?"
# What holds of all that is asked for stands by itself: without it the index is not used.
_NEXT = """
    bot = ?1 AND state IN ('seen', 'answering') AND (
        (state = 'seen' AND due <= ?2) OR (state = 'answering' AND held_until <= ?2)
    ) AND (asked_at > ?3 OR (asked_at = ?3 AND ask > ?4)) ORDER BY asked_at, ask LIMIT 1
"""
_PAST = "SELECT ask, answered_at, author, root FROM asks WHERE bot = ? AND answered_at > ?"
_TOTAL = "SELECT count(*) FROM asks WHERE bot = ? AND answered_at IS NOT NULL AND ask <> ?"
_DIED = "UPDATE asks SET tries = tries + 1, owner = '', held_until = 0 WHERE ask = ?"
_CLAIM = """
    UPDATE asks SET state = 'answering', owner = ?, held_until = ?, answered_at = ?, root = ?,
        guard = '', why = '', changed_at = ? WHERE ask = ?
"""
_DECIDE = """
    UPDATE asks SET state = ?, guard = ?, why = ?, due = ?, owner = '', held_until = 0,
        answered_at = NULL, changed_at = ? WHERE ask = ?
"""
_SETTLE = "UPDATE asks SET state = ?, why = ?, owner = '', changed_at = ? WHERE ask = ?"
_LEFT = "UPDATE asks SET owner = '', held_until = 0 WHERE ask = ? AND owner <> ''"
# What was taken back was never there: it may be answered anew.
_ANEW = """
    UPDATE asks SET state = 'seen', guard = '', why = '', due = ?, owner = '', held_until = 0,
        posting = NULL, answered_at = NULL, queued_at = NULL, changed_at = ? WHERE ask = ?
"""
_PARDON = "UPDATE asks SET pardoned = 1, tries = 0 WHERE ask = ?"
_RETRY = """
    UPDATE asks SET state = 'seen', guard = '', why = '', tries = 0, due = ?, pardoned = 1,
        changed_at = ? WHERE ask = ? AND state IN ('seen', 'skipped', 'failed')
"""


def select(connection: Connection, condition: str, parameters: Sequence[Any]) -> list[Entry]:
    """Return the asks that meet a condition of SQL, in its order."""
    rows = connection.execute(_SELECT + condition, parameters).fetchall()
    return [_entry(connection, row) for row in rows]


def load(connection: Connection, row: int) -> Entry:
    """Return the ask of a row."""
    return select(connection, "ask = ?", (row,))[0]


def parent_of(connection: Connection, event: Event) -> Verified | None:
    """Return the event that an event answers, if that is stored."""
    parent = references(event).parent
    return reading.event(connection, parent.id) if parent and parent.id else None


def keep(
    connection: Connection, bot: RecordedBot, event: Event, taken: Sequence[Taken], now: int
) -> bool:
    """Put on record what the bot makes of an event; False where something is there already."""
    key = connection.column(event.id)
    found = connection.execute(_ROOT, (key,)).fetchone()
    # While it was read it may have been removed, or read by another process.
    if found is None or connection.execute(_IS_ASKED, (bot.row, key)).fetchone() is not None:
        return False
    for each in taken:
        state = State.SKIPPED if each.guard else State.SEEN
        author, said = connection.column(event.pubkey), (state.value, each.guard, each.why)
        values = (each.rule, author, found[0], *said, now, event.created_at)
        connection.execute(_ASK, (bot.row, key, *values))
    return True


def claim(
    connection: Connection,
    bot: RecordedBot,
    owner: str,
    decision: Decision,
    now: int,
    until: int,
    *,
    counts_all: bool,
) -> Entry | Wait | None:
    """Take the oldest ask that is due and that the decision leaves room for, up to `until`."""
    given = _given(connection, bot, now)
    place = (-1, -1)
    for _ in range(_MOST_DECIDED):
        found = select(connection, _NEXT, (bot.row, now, *place))
        if not found:
            return None
        entry = _moved(connection, found[0])
        place = (entry.asked_at, entry.row)
        has_died = entry.state is State.ANSWERING
        if has_died:
            # Whoever was at it is gone; perhaps because of it.
            connection.execute(_DIED, (entry.row,))
            entry = replace(entry, tries=entry.tries + 1)
        # One that is taken over was counted when it was first begun.
        others = [answered for ask, answered in given if ask != entry.row]
        counted = (bot.row, entry.row)
        total = connection.execute(_TOTAL, counted).fetchone()[0] if counts_all else 0
        verdict = decision(entry, others, total)
        if verdict is None:
            root = connection.column(entry.root)
            connection.execute(_CLAIM, (owner, until, now, root, now, entry.row))
            return load(connection, entry.row)
        if isinstance(verdict, Wait) and not has_died:
            # There is room for nobody: to write that on each of them would help nobody.
            return verdict
        state, due = State.SKIPPED, now
        if isinstance(verdict, Wait):
            state, due = State.SEEN, max(verdict.until, now + 1)
        said = (state.value, verdict.guard, verdict.why, due, now, entry.row)
        connection.execute(_DECIDE, said)
    return None


def settle(connection: Connection, entry: Entry, now: int) -> bool:
    """Note what became of an answer in the outbox; False while that is open."""
    became = _became(connection, entry)
    if became is None:
        # Whoever was sending it is gone.
        connection.execute(_LEFT, (entry.row,))
        return False
    state, why = became
    if state is State.SEEN:
        connection.execute(_ANEW, (now, now, entry.row))
    else:
        connection.execute(_SETTLE, (state.value, why, now, entry.row))
    return True


def retry(connection: Connection, entry: Entry, now: int) -> bool:
    """Ask again; what is signed is sent again instead: the same bytes."""
    if entry.posting is None:
        return connection.execute(_RETRY, (now, now, entry.row)).rowcount == 1
    row = outbox.find(connection, entry.posting)
    if row is None or entry.state is not State.FAILED:
        return False
    try:
        cancelling.cancel(connection, row, now)
    except InvalidInput:
        # Somebody has some of it, or may: it is that answer or none.
        outbox.revive(connection, row, now)
        connection.execute(_SETTLE, (State.QUEUED.value, "", now, entry.row))
    else:
        connection.execute(_ANEW, (now, now, entry.row))
        connection.execute(_PARDON, (entry.row,))
    return True


def _entry(connection: Connection, row: Sequence[Any]) -> Entry:
    ask, bot, event, rule, author, root, state, *rest = row
    guard, why, answerer, tries, due, owner, pardoned, posting, *times = rest
    return Entry(
        ask,
        bot,
        connection.text(event),
        rule,
        connection.text(author),
        connection.text(root),
        State(state),
        guard,
        why,
        answerer,
        tries,
        due,
        owner,
        bool(pardoned),
        None if posting is None else connection.text(posting),
        *times,
    )


def _moved(connection: Connection, entry: Entry) -> Entry:
    """Return the ask where it stands now: a note above it may have come since."""
    found = connection.execute(_ROOT, (connection.column(entry.event_id),)).fetchone()
    return entry if found is None else replace(entry, root=connection.text(found[0]))


def _given(connection: Connection, bot: RecordedBot, now: int) -> list[tuple[int, Answered]]:
    """Return the answers of the last day, those that are being given too, by their asks."""
    rows = connection.execute(_PAST, (bot.row, now - _DAY)).fetchall()
    return [
        (ask, Answered(at, connection.text(author), connection.text(root)))
        for ask, at, author, root in rows
    ]


def _became(connection: Connection, entry: Entry) -> tuple[State, str] | None:
    row = outbox.find(connection, entry.posting or "")
    if row is None:
        return State.FAILED, "the answer is not in the outbox any more"
    posting = outbox.load(connection, row)
    if posting.accepted:
        return State.DELIVERED, ""
    if cancelling.is_cancelled(connection, row):
        # By whoever was sending it, to write it anew, and has died; or by hand.
        died = (State.SEEN, "")
        return died if entry.owner else (State.FAILED, "the answer was taken back")
    if all(delivery.final for delivery in posting.deliveries):
        reasons = (each.reason for each in posting.deliveries if each.reason)
        return State.FAILED, next(reasons, "no relay has taken the answer")
    return None
