"""What only a database on a server can do: be shared, refuse, be another's, be gone."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import traceback
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING
from urllib.parse import quote

import psycopg
import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.errors import StoreError, StoreTooNew, StoreTooOld
from nostr_threads.store import postgres_schema
from nostr_threads.store.base import Added
from nostr_threads.store.opening import is_url, open_store
from nostr_threads.store.policy import Policy
from nostr_threads.store.postgres_database import PostgresDatabase
from nostr_threads.testing import START, Author
from tests.store.events import ALICE, NOW, made
from tests.store.postgres_server import GUARDED, PASSWORD, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Verified

RELAY = "wss://one.example"
WRITER = Author(b"writer")


def conversation(size: int = 60) -> list[Verified]:
    events = [WRITER.note("root")]
    for number in range(size):
        above = next(event for event in events[number // 2 :] if event.kind == 1)
        events.append(WRITER.reply(above, str(number)))
        events.append(signed(30023, ("d", "ab"[number % 2]), text=str(number), at=number))
    return events


def signed(kind: int, *tags: tuple[str, ...], text: str = "", at: int = 0) -> Verified:
    return WRITER.event(kind, text, START + at, tags)


def add_all(place: str, seed: int) -> int:
    """Add the same events as everybody else, in an order of one's own; count what was new."""
    events = conversation()
    Random(seed).shuffle(events)
    new = 0
    with open_store(place) as store:
        for start in range(0, len(events), 7):
            told = store.add(events[start : start + 7], relay=RELAY, now=NOW)
            new += sum(each is not Added.KNOWN for each in told)
    return new


@pytest.mark.parametrize("processes", [True, False], ids=["processes", "threads"])
def test_of_all_who_add_the_same_nothing_is_lost_or_doubled(
    postgres_url: str, *, processes: bool
) -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context) if processes else ThreadPoolExecutor(4) as pool:
        new = [*pool.map(add_all, [postgres_url] * 4, range(4))]
    events = conversation()
    assert sum(new) == len(events)
    with open_store(postgres_url) as store:
        assert store.known(event.id for event in events) == {event.id for event in events}
        assert store.upkeep.statistics(now=NOW).events == len(events)
        assert list(store.upkeep.audit()) == []


def test_a_new_database_is_prepared_once_however_many_open_it(postgres_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = [*pool.map(open_store, [postgres_url] * 4)]
    for store in stores:
        store.add([made()], relay=None, now=NOW)
        store.close()
    with psycopg.connect(postgres_url) as server:
        versions = server.execute("SELECT version FROM nostr_threads").fetchall()
    assert versions == [(postgres_schema.latest(),)]


def test_one_writes_at_a_time_and_the_others_are_told(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nostr_threads.store.postgres_database._BUSY_SECONDS", 0.05)
    with open_store(postgres_url) as store, psycopg.connect(postgres_url) as other:
        other.execute(postgres_schema.LOCK.encode())
        with pytest.raises(StoreError, match="another program is using"):
            store.add([made()], relay=None, now=NOW)
        assert store.query([Filter()], now=NOW) == []
        other.rollback()
        assert store.add([made()], relay=None, now=NOW) == [Added.NEW]


def lose_connection(place: str) -> None:
    with psycopg.connect(place, autocommit=True) as server:
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'nostr-threads'"
        )


def test_a_connection_lost_in_the_middle_is_told_and_made_anew(postgres_url: str) -> None:
    kept, lost = made(content="kept"), made(content="lost")

    def events() -> Iterator[Verified]:
        yield lost
        lose_connection(postgres_url)

    with open_store(postgres_url) as store:
        store.add([kept], relay=None, now=NOW)
        with pytest.raises(StoreError, match="the connection to the server was lost"):
            store.add(events(), relay=None, now=NOW)
        assert store.query([Filter()], now=NOW) == [kept]
        assert store.add([lost], relay=None, now=NOW) == [Added.NEW]


def test_a_server_may_be_started_anew_between_two_calls() -> None:
    with PostgresServer() as server, open_store(server.url()) as store:
        store.add([made()], relay=None, now=NOW)
        server.stop()
        with pytest.raises(StoreError, match="cannot be reached"):
            store.query([Filter()], now=NOW)
        server.start()
        assert store.query([Filter()], now=NOW) == [made()]


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(StoreError, match=r"^postgresql://somebody@/notes: cannot be reached: .*"):
        open_store("postgresql://somebody@/notes?host=/nowhere")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://{GUARDED}:s3cret@/postgres",
        f"postgresql://{GUARDED}:s3cret@/nothing",
        f"postgresql://{GUARDED}@/postgres?password=s3cret",
        "postgresql://me:s3cret@localhost:1/postgres",
        "postgresql://me:a/s3cret@host/postgres",
        "postgresql://me:s3cret%zz@host/postgres",
        "postgresql://me@host:s3cret/postgres",
        "postgresql://me@host/postgres?s3cret",
        "postgresql://me:s3cret@[::1/postgres",
    ],
)
def test_no_password_is_ever_shown(postgres: PostgresServer, url: str) -> None:
    host = f"host={quote(str(postgres.folder))}"
    if url.startswith(f"postgresql://{GUARDED}"):
        url += f"{'&' if '?' in url else '?'}{host}"
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_a_password_of_the_url_or_of_the_environment_opens(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = postgres.place(GUARDED)
    with pytest.raises(StoreError, match="password"):
        open_store(place)
    with open_store(place.replace(GUARDED, f"{GUARDED}:{quote(PASSWORD, safe='')}", 1)) as store:
        store.add([made()], relay=None, now=NOW)
        assert PASSWORD not in repr(store._database._address)  # type: ignore[attr-defined]
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with open_store(place) as store:
        assert store.query([Filter()], now=NOW) == [made()]


def test_who_lacks_a_right_is_told_what_is_needed(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    place = postgres.place()
    postgres.run(f"GRANT USAGE ON SCHEMA {place.partition('%3D')[2]} TO {GUARDED}")
    place = place.replace("postgres@", f"{GUARDED}@", 1)
    with pytest.raises(StoreError, match="lacks a right"):
        open_store(place)


def test_another_programs_database_is_refused_and_left_alone(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as server:
        server.execute("CREATE TABLE events (mine text)")
    for read_only in (True, False):
        with pytest.raises(StoreError, match="another program"):
            open_store(postgres_url, read_only=read_only)
    with psycopg.connect(postgres_url) as server:
        assert server.execute("SELECT * FROM events").fetchall() == []
        server.execute("CREATE TABLE nostr_threads (version text)")
    with pytest.raises(StoreError, match="another program"):
        open_store(postgres_url)


def test_a_database_of_a_later_version_is_refused(postgres_url: str) -> None:
    open_store(postgres_url).close()
    with psycopg.connect(postgres_url) as server:
        server.execute("UPDATE nostr_threads SET version = 999")
    for read_only in (True, False):
        with pytest.raises(StoreTooNew, match="update the program"):
            open_store(postgres_url, read_only=read_only)


def test_a_database_of_the_first_version_is_brought_up_to_date(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as server:
        server.execute(postgres_schema._migrations()[1].encode())
        server.execute("INSERT INTO nostr_threads (version) VALUES (1)")
        server.execute("INSERT INTO purged VALUES (decode(repeat('ab', 32), 'hex'), 1)")
    with pytest.raises(StoreTooOld, match="for writing first"):
        open_store(postgres_url, read_only=True)
    with open_store(postgres_url) as store:
        assert store.upkeep.purged(["ab" * 32]) == {"ab" * 32}
        assert store.policy() is Policy.HIDE
        assert store.adopt(Policy.KEEP)
    with open_store(postgres_url, read_only=True) as store:
        assert store.policy() is Policy.KEEP


def test_an_empty_database_is_no_store_to_read(postgres_url: str) -> None:
    with pytest.raises(StoreTooOld, match="for writing first"):
        open_store(postgres_url, read_only=True)


def test_a_schema_that_is_not_there_and_another_encoding_are_told(postgres: PostgresServer) -> None:
    with pytest.raises(StoreError, match="no schema for tables"):
        open_store(f"{postgres.url()}&options=-csearch_path%3Dnowhere")
    postgres.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StoreError, match="encoding is not UTF8"):
        open_store(postgres.url("latin"))


def test_keys_and_values_longer_than_an_index_takes_are_kept_whole(postgres_url: str) -> None:
    random = Random(1)
    long = f"https://example.com/{random.randbytes(3_000).hex()}"
    address = f"30023:{WRITER.pubkey}:{'d' * 9_000}"
    first, other = (signed(1111, ("I", long), ("i", long), text=text) for text in "12")
    huge = signed(30023, ("d", "d" * 9_000), ("t", random.randbytes(5_000).hex()))
    below = signed(1111, ("A", address), ("a", address))
    with open_store(postgres_url) as store:
        store.add([first, other, huge, below], relay=None, now=NOW)
        assert store.thread_root(other.id) == long
        assert {event.id for event in store.thread(long)} == {first.id, other.id}
        assert store.thread_root(below.id) == address
        assert store.query([Filter(tags={"i": (long,)}, limit=5)], now=NOW) == sorted(
            (first, other), key=lambda event: event.id
        )
        assert store.query([Filter(tags={"t": (huge.tags[1][1],)})], now=NOW) == [huge]
        assert store.arrivals().threads.keys() == {long, address}
        assert list(store.upkeep.audit()) == []


@pytest.mark.parametrize("text", ["a" * 31, "a" * 32, "a" * 33, "\u00e9" * 16, "\xff" * 16, ""])
def test_a_text_as_long_as_an_id_is_no_id(postgres_url: str, text: str) -> None:
    event, other = (signed(1, ("t", each)) for each in (text, text.encode().hex()))
    with open_store(postgres_url) as store:
        store.add([event, other], relay=None, now=NOW)
        assert store.query([Filter(tags={"t": (text,)})], now=NOW) == [event]
        assert list(store.upkeep.audit()) == []


@pytest.mark.parametrize("text", ["\0", "\x10", "\x100", "a\0b\x10\x10c", "\x10\0"])
def test_texts_that_no_column_takes_come_back_as_they_were(postgres_url: str, text: str) -> None:
    with open_store(postgres_url) as store:
        store.keep_relay_document(RELAY, text, now=NOW)
        assert store.relay_document(RELAY) == (text, NOW)


def test_the_longest_texts_can_be_searched(postgres_url: str) -> None:
    random = Random(2)
    words = " ".join(random.randbytes(3).hex() for _ in range(150_000))
    book = made(content=f"beginning {'x' * 9_000} {words}")
    with open_store(postgres_url) as store:
        store.add([book], relay=None, now=NOW)
        assert store.query([Filter(search="beginning")], now=NOW) == [book]
        assert store.query([Filter(search="x" * 9_000)], now=NOW) == [book]


def test_what_is_not_in_use_is_given_back_to_who_may_write(postgres_url: str) -> None:
    with open_store(postgres_url) as store:
        store.add([made(content=f"{n}" * 500) for n in range(500)], relay=None, now=NOW)
        before = store.upkeep.statistics(now=NOW)
        with psycopg.connect(postgres_url) as server:
            server.execute("DELETE FROM events WHERE event > 10")
        store.upkeep.vacuum()
        assert store.upkeep.statistics(now=NOW).bytes < before.bytes
        store.flush()
    with open_store(postgres_url, read_only=True) as store:
        with pytest.raises(StoreError, match="cannot be written"):
            store.upkeep.vacuum()
        assert store.upkeep.statistics(now=NOW).events == 10


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (psycopg.errors.DiskFull, "no room left"),
        (psycopg.errors.OutOfMemory, "run out of something"),
        (psycopg.errors.TooManyConnections, "no connection left"),
        (psycopg.errors.ReadOnlySqlTransaction, "cannot be written"),
        (psycopg.errors.SerializationFailure, "another program is using"),
        (psycopg.errors.QueryCanceled, "has stopped it"),
        (psycopg.errors.AdminShutdown, "connection to the server was lost"),
        (psycopg.errors.IoError, "disk reports an error"),
        (psycopg.errors.DataCorrupted, "is damaged"),
        (psycopg.errors.UndefinedTable, "as it came"),
    ],
)
def test_errors_are_told_with_advice(
    postgres_url: str, error: type[psycopg.Error], words: str
) -> None:
    with open_store(postgres_url) as store:
        with pytest.raises(StoreError, match=words), store._database.reading():
            raise error("as it came")
        assert store.query([], now=NOW) == []


@pytest.mark.parametrize(
    "asked",
    [
        Filter(ids=(ALICE,), kinds=(1,)),
        Filter(authors=(ALICE,), kinds=(1, 7), limit=9),
        Filter(kinds=(1, 7), limit=9),
        Filter(tags={"e": (ALICE,)}, kinds=(1,), authors=(ALICE,), limit=9),
        Filter(tags={"e": (ALICE,), "p": (ALICE,)}, kinds=(1,), since=5),
        Filter(search="fox", limit=9),
        Filter(limit=9),
    ],
)
def test_an_index_leads_every_query(postgres_url: str, asked: Filter) -> None:
    from nostr_threads.store import queries

    with open_store(postgres_url) as store:
        store.add(conversation(20), relay=None, now=NOW)
        for piece in queries._pieces(asked):
            with store._database.reading() as connection:
                where = queries._Where(connection)
                text = queries._statement(where, piece, queries.Sight(NOW))
                rows = connection.execute(f"EXPLAIN {text}", where.parameters).fetchall()
            plan = "\n".join(row[0] for row in rows)
            assert "Seq Scan on events" not in plan, plan
            assert "Seq Scan on tags" not in plan, plan


def test_only_reading_indices_a_thread_is_found(postgres_url: str) -> None:
    from nostr_threads.store import threads

    with open_store(postgres_url) as store, store._database.reading() as connection:
        reached = connection.reachable(threads._MISSING_NOTES, threads._STEPS)
        query = f"{reached} {threads._REACHED}".replace("IN (?*)", "= ANY(?)")
        for text, values in ((query, [[b"x"]]), (threads._LEADING_HERE, [b"x"])):
            plan = str(connection.execute(f"EXPLAIN {text}", values).fetchall())
            assert "Seq Scan" not in plan, plan


def test_what_is_a_url_is_no_path() -> None:
    assert is_url("postgresql://me@host/db")
    assert is_url("postgres://host/db")
    assert not is_url("postgresql.db")
    assert not is_url(":memory:")


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "nostr_threads.store.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "nostr_threads.store.postgres_database", None)
    with pytest.raises(StoreError, match=r"pip install 'nostr-threads\[postgres\]'"):
        open_store("postgresql://me@host/db")


def test_nothing_of_it_is_imported_for_a_file() -> None:
    program = (
        "import sys, nostr_threads; from nostr_threads.store.opening import open_store; "
        "open_store(':memory:').close(); assert 'psycopg' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_a_closed_database_stays_closed(postgres_url: str) -> None:
    database = PostgresDatabase(postgres_url)
    database.close()
    database.close()
    for use in (database.flush, database.vacuum):
        with pytest.raises(StoreError, match="closed"):
            use()


def test_a_server_that_usually_keeps_to_one_view_loses_nothing_either(
    postgres: PostgresServer,
) -> None:
    """What others wrote while one waited for one's turn has to be seen, or rows are given twice."""
    place = postgres.place() + "%20-cdefault_transaction_isolation%3Dserializable"
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(add_all, [place] * 4, range(4))) == len(conversation())


def test_after_a_file_was_taken_in_the_server_plans_for_what_is_there(postgres_url: str) -> None:
    counted = "SELECT greatest(reltuples, 0)::int FROM pg_class WHERE oid = 'events'::regclass"
    with open_store(postgres_url) as store, psycopg.connect(postgres_url, autocommit=True) as other:
        store.add([made(content=f"{n}" * 500) for n in range(1_000)], relay=None, now=NOW)
        store.flush()
        assert other.execute(counted).fetchone() == (1_000,)
        store.add([made(content="one more")], relay=None, now=NOW)
        store.flush()
        assert other.execute(counted).fetchone() == (1_000,)
