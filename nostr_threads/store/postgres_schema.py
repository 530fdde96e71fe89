"""The schema of a PostgreSQL store: numbered SQL files, applied with their numbers.

Knows how a database becomes current and how a foreign one is told. Knows no table but the one that
marks ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from nostr_threads.errors import StoreError, StoreTooNew, StoreTooOld
from nostr_threads.store.schema import scripts

if TYPE_CHECKING:
    import psycopg

__all__ = ["LOCK", "latest", "migrate", "outgrown", "require_current", "tables"]

# Whoever writes holds it: one at a time for each schema of a database, as row numbers and chains
# of answers follow from all that is stored.
LOCK = "SELECT pg_advisory_xact_lock(1852797812, hashtext(current_schema()))"

# Extensions put their tables where everybody's are.
_TABLES = """
    SELECT c.relname, obj_description(c.oid, 'pg_class') FROM pg_class c
    WHERE c.relkind IN ('r', 'p')
    AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
# Of which there is more than twice what there was when the server last counted.
_OUTGROWN = """
    SELECT c.relname FROM pg_class c
    WHERE c.relname IN ('events', 'tags', 'links')
    AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    AND pg_relation_size(c.oid) > (50 + 2 * c.relpages) * current_setting('block_size')::bigint
"""
_NAME, _MARK = "nostr_threads", "nostr-threads"

_Session: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"


def latest() -> int:
    """Return the number of the newest migration."""
    return max(_migrations())


def migrate(connection: _Session, name: str) -> None:
    """Bring the database up to date. Raises `StoreTooNew`, `StoreError` for one that is not ours.

    Safe when several processes open the same new database: the version is read again under the
    lock that all writers take.
    """
    if _version(connection, name) == latest():
        return
    with connection.transaction():
        connection.execute(LOCK)
        version = _version(connection, name)
        for number, script in sorted(_migrations().items()):
            if version < number:
                connection.execute(script.encode())
        connection.execute("DELETE FROM nostr_threads")
        connection.execute("INSERT INTO nostr_threads (version) VALUES ($1)", (latest(),))


def require_current(connection: _Session, name: str) -> None:
    """Raise `StoreTooOld` unless the database can be read as it is, without migrating it."""
    if _version(connection, name) < latest():
        raise StoreTooOld(f"{name}: the database is empty or old; open it once for writing first")


def tables(connection: _Session) -> dict[str, str | None]:
    """Return the tables of the schema, and what is said of each."""
    return dict(connection.execute(_TABLES).fetchall())


def outgrown(connection: _Session) -> list[str]:
    """Return the tables about which the server knows too little to plan well."""
    return [name for (name,) in connection.execute(_OUTGROWN)]


def _version(connection: _Session, name: str) -> int:
    """Return the schema's version, 0 for an empty database."""
    found = tables(connection)
    if not found:
        return 0
    if found.get(_NAME) != _MARK:
        raise StoreError(f"{name}: this database belongs to another program; choose another one")
    version: int
    (version,) = connection.execute("SELECT max(version) FROM nostr_threads").fetchone() or (0,)
    if version > latest():
        raise StoreTooNew(
            f"{name}: written by a later version of this program (schema {version}, "
            f"this one knows {latest()}); update the program"
        )
    return version


def _migrations() -> dict[int, str]:
    return scripts("migrations_postgres")
