"""A store in PostgreSQL named on the command line or in the environment, and its password."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from nostr_threads.app.checkers import Checkers
from nostr_threads.testing import thread
from tests.cli.program import Home
from tests.store.postgres_server import GUARDED, PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.store.postgres_server import PostgresServer

NOTES = thread(30, seed=9)
LINES = b"".join(event.to_json().encode() + b"\n" for event in NOTES)


async def test_every_command_takes_its_url(home: Home, postgres_url: str) -> None:
    store = ("--store", postgres_url)
    name = home.file("in.jsonl", LINES)
    ran = await home.run("mirror", "import", name, *store, "--json")
    assert (ran.code, ran.object["new"], ran.object["known"]) == (0, 30, 0)
    again = await home.run("mirror", "import", name, *store, "--json")
    assert (again.object["new"], again.object["known"], again.object["verified"]) == (0, 30, 0)
    exported = await home.run("mirror", "export", *store)
    assert {json.loads(line)["id"] for line in exported.out.splitlines()} == {e.id for e in NOTES}
    shown = await home.run("show", NOTES[0].id, "--json", *store)
    assert (shown.code, shown.object["found"]) == (0, 30)
    assert (await home.run("mirror", "verify", *store)).code == 0
    assert (await home.run("mirror", "vacuum", *store)).code == 0
    assert not (home.folder / "threads.db").exists()
    assert not [*home.folder.glob("postgres*")]


async def test_the_environment_may_name_it_and_its_password_is_shown_nowhere(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    place = postgres.place(GUARDED)
    url = place.replace(GUARDED, f"{GUARDED}:{quote(PASSWORD, safe='')}", 1)
    home = Home(tmp_path, NOSTR_THREADS_STORE=url)
    name = home.file("in.jsonl", LINES)
    assert (await home.run("mirror", "import", name, "--json")).object["new"] == 30
    wrong = url.replace("s3cret", "wr0ng")
    for told in (wrong, url.replace("/postgres", "/n0thing")):
        failed = await home.run("mirror", "export", "--store", told)
        assert failed.code == 6
        assert f"postgresql://{GUARDED}@/" in failed.err
        for secret in ("s3cret", "wr0ng", "word"):
            assert secret not in (failed.out + failed.err).replace("password", "")


def test_no_process_has_it_among_its_arguments() -> None:
    """They are there for everybody on the machine to read."""
    with Checkers(1, store="postgresql://me:s3cret@localhost:1/db", relay=None) as checkers:
        checkers.give(b"")
        (process,) = checkers._processes
        assert "s3cret" not in str(process._process.args)
