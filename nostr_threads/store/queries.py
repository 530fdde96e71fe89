"""NIP-01 filters as SQL.

Knows which index answers which filter. Knows nothing of what the events in the answer hold.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from heapq import merge
from itertools import chain, groupby, islice
from typing import TYPE_CHECKING

from nostr_threads.core.event import MAX_CREATED_AT, MAX_KIND
from nostr_threads.store.policy import KEEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nostr_threads.core.filters import Filter
    from nostr_threads.store.connection import Connection, Rows

__all__ = ["VISIBLE", "Sight", "after", "count", "find", "items"]

# More than there is: a limit that every database takes.
_ENDLESS = 2**62
# With a limit, one indexed walk for each value beats sorting everything that has any of them.
_MAX_WALKS = 32

_EVENTS = "events e"
_EVENTS_BY_TAG = "tags t CROSS JOIN events e"

_WANTED = "(e.deleted = 0 AND (e.expires_at IS NULL OR e.expires_at > ?))"
# A part that no relay has taken yet is still its author's alone. Where there are no parts, as at a
# relay, that is found out once and not for each event.
_NOT_UNSENT = """(NOT EXISTS (SELECT 1 FROM parts WHERE event > 0) OR NOT EXISTS (
    SELECT 1 FROM parts p WHERE p.event = e.event AND NOT EXISTS (
        SELECT 1 FROM deliveries d WHERE d.posting = p.posting AND d.part = p.part
        AND d.status IN ('stored', 'accepted', 'duplicate')
    ) AND NOT EXISTS (SELECT 1 FROM sightings s WHERE s.event = e.event)
))"""

_STANDING = f"e.superseded = 0 AND ({_WANTED} OR {KEEPS})"
VISIBLE = f"{_STANDING} AND {_NOT_UNSENT}"
"""What holds for an event `e` that everybody may see; its one parameter is the time."""

_Found = tuple[int, bytes, int]
"""An event in the order of an answer: minus `created_at`, id, row."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen: events that are visible at `now` (unix seconds), or with None all there are.

    With `strict` what its author wanted gone is left out whatever the policy of the store is.
    """

    now: int | None
    strict: bool = False


# The next rows whatever they are, so that a million hidden ones are passed over in steps.
_AFTER = """
    SELECT e.event, CASE WHEN {} THEN e.json END
    FROM events e WHERE e.event > ? ORDER BY e.event LIMIT ?
"""
_LAST = "SELECT coalesce(max(event), 0) FROM events"

_TIME_AND_ID = "SELECT -time, id FROM ({}) AS found LIMIT ?"


def find(connection: Connection, filters: Sequence[Filter], sight: Sight) -> list[str]:
    """Return the JSON of every visible event that meets a filter, newest first, ties by id."""
    found = {row for condition in filters for row in _newest(connection, condition, sight)}
    rows = [row for _, _, row in sorted(found)]
    query = "SELECT event, json FROM events WHERE event IN (?*)"
    texts: dict[int, str] = dict(connection.look_up(query, rows))
    return [texts[row] for row in rows]


def count(connection: Connection, filters: Sequence[Filter], sight: Sight) -> int:
    """Count the distinct visible events that meet a filter, whatever its limit."""
    endless = [replace(condition, limit=None) for condition in filters]
    if len(endless) == 1 and endless[0].search is None:
        counted = "SELECT count(*) FROM ({}) AS found"
        return int(_run(connection, endless[0], sight, counted).fetchone()[0])
    found = (_matching(connection, condition, sight) for condition in endless)
    return len({row for _, _, row in chain.from_iterable(found)})


def items(
    connection: Connection, filters: Sequence[Filter], sight: Sight, most: int | None
) -> list[tuple[int, bytes]]:
    """Return time and id of every event that meets a filter and is seen, `most` of them."""
    if len(filters) == 1 and filters[0].limit is None and filters[0].search is None:
        # Not cut in pieces: nothing comes twice, and mostly in good order.
        bound = _ENDLESS if most is None else most
        return _run(connection, filters[0], sight, _TIME_AND_ID, bound).fetchall()
    rows = chain.from_iterable(
        (_newest if condition.limit is not None else _matching)(connection, condition, sight)
        for condition in filters
    )
    return list(islice(_once(rows), most))


def after(
    connection: Connection, row: int | None, most: int, now: int, *, own: bool
) -> tuple[int, list[str]]:
    """Return the last of the next `most` rows after `row`, and the JSON of those that are visible.

    With `own`, of parts on their way, too. With None for `row` it is the last of all, and nothing
    else.
    """
    if row is None:
        return int(connection.execute(_LAST).fetchone()[0]), []
    query = _AFTER.format(_STANDING if own else VISIBLE)
    found = connection.execute(query, (now, row, most)).fetchall()
    return found[-1][0] if found else row, [text for _, text in found if text is not None]


def _once(rows: Iterable[_Found]) -> Iterator[tuple[int, bytes]]:
    seen: set[bytes] = set()
    for time, event_id, _ in rows:
        if event_id not in seen:
            seen.add(event_id)
            yield -time, event_id


def _newest(connection: Connection, condition: Filter, sight: Sight) -> Iterable[_Found]:
    """What one filter finds; the best of what its pieces find when it has a limit."""
    if condition.limit is None:
        return _matching(connection, condition, sight)
    # Each piece is in order, and is read no further than it is needed.
    ordered = merge(*_answers(connection, condition, sight))
    return [*islice((found for found, _ in groupby(ordered)), _most(condition.limit))]


def _matching(connection: Connection, condition: Filter, sight: Sight) -> Iterator[_Found]:
    """What the pieces of one filter find, one after the other; some of it more than once."""
    return chain.from_iterable(_answers(connection, condition, sight))


def _answers(connection: Connection, condition: Filter, sight: Sight) -> Iterator[Rows]:
    if condition.search is not None and connection.words.expression(condition.search) is None:
        return
    for piece in _pieces(condition):
        yield _run(connection, piece, sight)


def _run(
    connection: Connection, piece: Filter, sight: Sight, outer: str = "{}", *more: object
) -> Rows:
    where = _Where(connection)
    text = outer.format(_statement(where, piece, sight))
    return connection.execute(text, (*where.parameters, *more))


def _pieces(condition: Filter) -> list[Filter]:
    """One filter for each value that is to be walked by itself, or the filter as it is."""
    letter, kinds = _leading(condition), condition.kinds
    if condition.limit is None or condition.ids is not None:
        return [condition]
    if letter is not None and len(condition.tags[letter]) <= _MAX_WALKS:
        tags = condition.tags
        return [replace(condition, tags={**tags, letter: (value,)}) for value in tags[letter]]
    by_kind = letter is None and condition.authors is None
    if by_kind and kinds is not None and len(kinds) <= _MAX_WALKS:
        return [replace(condition, kinds=(kind,)) for kind in kinds]
    return [condition]


def _leading(condition: Filter) -> str | None:
    """The tag to look up first: the one with the fewest values. None when something else leads."""
    if condition.ids is not None:
        return None
    tags = condition.tags
    return min(tags, key=lambda letter: (len(tags[letter]), letter), default=None)


def _statement(where: _Where, condition: Filter, sight: Sight) -> str:
    """Return a SELECT of `_Found`; what it is to be given ends up in `where`."""
    source = _lead(where, condition)
    words = where.connection.words
    if condition.search is not None:
        where.also(words.condition, (words.expression(condition.search),))
    if sight.now is not None:
        where.also("e.superseded = 0", ())
        where.also(_WANTED if sight.strict else f"({_WANTED} OR {KEEPS})", (sight.now,))
        where.also(_NOT_UNSENT, ())
    text = f"-e.created_at AS time, e.id AS id, e.event AS event FROM {source} WHERE {where.text}"
    if condition.limit is None:
        return f"SELECT {text}"
    time = "e.created_at" if source == _EVENTS else "t.created_at"
    where.parameters.append(_most(condition.limit))
    return f"SELECT {text} ORDER BY {time} DESC, e.id LIMIT ?"


def _lead(where: _Where, condition: Filter) -> str:
    """Write the conditions so that one index leads, and return the tables to read.

    What the others are about is set aside, or the wrong index would often be picked.
    """
    leading = _leading(condition)
    aside = where.connection.aside
    plus = aside if condition.ids is not None or leading is not None else ""
    if condition.ids is not None:
        where.one_of("e.id", map(where.connection.column, condition.ids))
    if condition.authors is not None:
        where.one_of(f"{plus}e.pubkey", map(where.connection.column, condition.authors))
    if condition.kinds is not None:
        kinds = (kind for kind in condition.kinds if 0 <= kind <= MAX_KIND)
        where.one_of(f"{plus}e.kind", kinds)
    where.between(f"{plus}e.created_at", condition)
    source = _EVENTS
    for letter, values in condition.tags.items():
        if letter == leading and len(values) == 1:
            source = _EVENTS_BY_TAG
            value = where.connection.column(values[0])
            where.also("t.name = ? AND t.value = ? AND e.event = t.event", (letter, value))
            where.between("t.created_at", condition)
        else:
            column = "e.event" if letter == leading else f"{aside}e.event"
            where.tagged(column, letter, values)
    return source


class _Where:
    """Conditions joined by AND, and their parameters in order."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.parameters: list[object] = []
        self._terms: list[str] = []

    @property
    def text(self) -> str:
        return " AND ".join(self._terms) or "TRUE"

    def also(self, term: str, parameters: Iterable[object]) -> None:
        self._terms.append(term)
        self.parameters.extend(parameters)

    def one_of(self, column: str, values: Iterable[object]) -> None:
        members, parameters = self.connection.one_of(list(values))
        self.also(f"{column} {members}", parameters)

    def between(self, column: str, condition: Filter) -> None:
        """Both ends included (NIP-01)."""
        if condition.since is not None:
            self.also(f"{column} >= ?", (_time(condition.since),))
        if condition.until is not None:
            self.also(f"{column} <= ?", (_time(condition.until),))

    def tagged(self, column: str, letter: str, values: Iterable[str]) -> None:
        columns = [self.connection.column(value) for value in values]
        members, parameters = self.connection.one_of(columns)
        tagged = f"SELECT event FROM tags WHERE name = ? AND value {members}"  # noqa: S608 - marks
        self.also(f"{column} IN ({tagged})", (letter, *parameters))


def _most(limit: int) -> int:
    """Keep a limit within what every database takes."""
    return min(max(limit, 0), MAX_CREATED_AT)


def _time(seconds: int) -> int:
    """Keep what a caller asks for within 64 bits; no event lies beyond."""
    return max(-1, min(seconds, MAX_CREATED_AT + 1))
