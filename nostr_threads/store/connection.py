"""What this package asks of a database: the Protocols that SQLite and PostgreSQL both fulfil.

Knows the verbs, and what is not the same SQL everywhere. Knows no table.

The statements of the other modules are what both databases take alike: `?` and `?1` for parameters,
`CROSS JOIN … WHERE` where SQLite is to keep the order, `ON CONFLICT` with its columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from nostr_threads.store.keys import Column

__all__ = ["Connection", "Database", "FullText", "Rows", "Step"]

Step = tuple[str, str]
"""One way on from a key: what is selected, and from where, in which `here.key` is the key."""


class Rows(Protocol):
    """What a statement has found, each row a tuple, or what it has changed."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement changed."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, None when there is none left."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]: ...


class FullText(Protocol):
    """The index of what people wrote, made when it is first needed."""

    @property
    def condition(self) -> str:
        """What holds for an event `e` that an `expression`, its one parameter, finds."""
        ...

    def expression(self, search: str) -> str | None:
        """Return a search as the index wants it; None for one that can find nothing."""
        ...

    def is_made(self) -> bool:
        """Whether the index is there."""
        ...

    def make(self) -> None:
        """Make it unless it is there."""
        ...

    def add(self, texts: Iterable[tuple[int, str]]) -> None:
        """Put in the texts of events, by their rows."""
        ...

    def remove(self, texts: Iterable[tuple[int, str]]) -> None:
        """Take out texts as they were put in."""
        ...


class Connection(Protocol):
    """A database inside a transaction."""

    @property
    def aside(self) -> str:
        """What stands before a column whose index is not meant."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement."""
        ...

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run one statement for each of `rows`."""
        ...

    def insert(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert any number of rows, none of which is there or twice among them."""
        ...

    def complete(self, table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert those of any number of rows that are not there."""
        ...

    def look_up(self, query: str, values: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        """Run `query` for any number of values; `IN (?*)` stands for being one of them."""
        ...

    def one_of(self, values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """Return what follows a column that is to be one of `values`, and its parameters.

        They hold until the transaction ends.
        """
        ...

    def reachable(self, first: str, steps: Sequence[Step]) -> str:
        """Return the WITH of `reached (key)`: all to which any of `steps` lead from `first`."""
        ...

    def column(self, text: str) -> Column:
        """Return a key or the value of a tag as it stands in a column; see `keys`."""
        ...

    def text(self, column: Column) -> str:
        """Return the text that `column` was given."""
        ...

    @property
    def words(self) -> FullText:
        """What finds events by what people wrote."""
        ...

    def size(self) -> tuple[int, int]:
        """Return how many bytes the database takes, and how many of them are not in use."""
        ...

    def damage(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the tables as such: in which one, and what."""
        ...


class Database(Protocol):
    """One database that threads may share. Every method raises `StoreError`."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Give one unchanging view of the database to the block."""
        ...

    def writing(self, *, durable: bool = False) -> AbstractContextManager[Connection]:
        """Commit what the block writes, or nothing of it when it raises; one at a time.

        A durable transaction is on the disk when it returns. Any other is whole or absent after a
        power cut, and survives the death of the process.
        """
        ...

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Bound what the block reads to `seconds` in all; nobody else reads here meanwhile.

        Raises `TooCostly` from the statement that is at work when they are over.
        """
        ...

    def flush(self) -> None:
        """Put on the disk what was committed so far."""
        ...

    def vacuum(self) -> None:
        """Write the database anew without what is not in use."""
        ...

    def close(self) -> None:
        """Release the database. Closing twice is allowed."""
        ...
