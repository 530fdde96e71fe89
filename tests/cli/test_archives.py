"""`mirror import` and `mirror export`: what they say, how they end, and what a kill leaves."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shlex
import signal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

import nostr_threads as nt
from nostr_threads.cli.commands import app
from nostr_threads.core import nip19
from nostr_threads.core.filters import Filter
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import START, Author, thread
from tests.cli.terminal import at_terminal

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from tests.cli.program import Home

NOTES = thread(30, seed=9)
# More than one transaction holds.
MANY, BATCH = 22_000, 20_000


def lines(events: list[Verified]) -> bytes:
    return b"".join(event.to_json().encode() + b"\n" for event in events)


@cache
def many() -> bytes:
    author = Author(b"many")
    return lines([author.note(str(number), START + number) for number in range(MANY)])


def ids(home: Home) -> set[str]:
    with SqliteStore(home.folder / "threads.db", read_only=True) as store:
        return {json.loads(text)["id"] for text in store.export([Filter()], now=None)}


async def test_an_export_is_imported_into_another_store(home: Home) -> None:
    name = home.file("in.jsonl", lines([*NOTES, NOTES[0]]))
    ran = await home.run("mirror", "import", name)
    assert (ran.code, ran.out) == (0, "")
    assert "31 events: 30 new, 1 known, 31 verified" in ran.err
    written = await home.run("mirror", "export", "out.jsonl.gz")
    assert (written.code, written.out) == (0, "")
    assert "30 events written to out.jsonl.gz" in written.err
    again = await home.run("mirror", "import", "out.jsonl.gz", "--store", "b.db", "--json")
    assert (again.code, again.object["new"], again.object["refused"]) == (0, 30, 0)
    there = await home.run("mirror", "export", "--store", "b.db")
    assert there.ids == sorted((event.id for event in NOTES), key=order)
    assert there.out.encode() == gzip.decompress((home.folder / "out.jsonl.gz").read_bytes())


def order(event_id: str) -> tuple[int, str]:
    return next((each.created_at, each.id) for each in NOTES if each.id == event_id)


async def test_what_cannot_be_taken_is_named_and_the_rest_is_taken(home: Home) -> None:
    forged = NOTES[0].to_json().replace("note 0", "note X").encode()
    bad = [forged, b"\x00\xff", b"{", b"x" * (5 * 2**20)]
    data = lines(NOTES) + b"\n" + b"\n".join(bad) + b"\n" + lines([Author(3).note("last")])
    ran = await home.run("mirror", "import", "-", "--json", stdin=data)
    assert (ran.code, ran.object["new"], ran.object["refused"]) == (3, 31, 4)
    assert [each["line"] for each in ran.object["refusals"]] == [32, 33, 34, 35]
    assert "stdin:32: the id is not the hash of the event" in ran.err
    assert "stdin:35: longer than 4 MiB" in ran.err


async def test_nothing_to_take_is_an_error_and_an_empty_file_is_none(home: Home) -> None:
    home.file("bad", b"no event\n" * 150)
    ran = await home.run("mirror", "import", "bad")
    assert ran.code == 1
    assert "bad:100: " in ran.err
    assert "bad:101: " not in ran.err
    assert "and 50 more lines refused" in ran.err
    home.file("empty", b"")
    assert (await home.run("mirror", "import", "empty")).code == 0
    missing = await home.run("mirror", "import", "empty", "nowhere")
    assert (missing.code, "cannot read nowhere" in missing.err) == (2, True)


async def test_a_gzip_file_that_is_cut_gives_what_it_has(home: Home) -> None:
    packed = gzip.compress(lines(NOTES))
    name = home.file("cut.gz", packed[:-20])
    ran = await home.run("mirror", "import", name)
    assert ran.code == 3
    assert "cut.gz: the gzip data ends in the middle; what came before was taken" in ran.err
    assert ids(home) >= {event.id for event in NOTES[:25]}


async def test_a_dry_run_verifies_everything_and_stores_nothing(home: Home) -> None:
    name = home.file("in.jsonl", lines(NOTES))
    ran = await home.run("mirror", "import", name, name, "--dry-run", "--json")
    assert (ran.code, ran.object["verified"], ran.object["new"]) == (0, 60, 0)
    assert not (home.folder / "threads.db").exists()


async def test_where_they_were_seen_is_kept(home: Home) -> None:
    name = home.file("in.jsonl", lines(NOTES))
    ran = await home.run("mirror", "import", name, "--relay", "WSS://A.example/")
    assert ran.code == 0
    with SqliteStore(home.folder / "threads.db", read_only=True) as store:
        seen = store.sightings([event.id for event in NOTES])
    assert {*seen.values()} == {("wss://a.example",)}


async def test_an_import_that_was_killed_goes_on_from_there(home: Home) -> None:
    """What was stored stays, nothing is there twice, and what is known is not verified again."""
    path = home.folder / "threads.db"
    async with home.started("mirror", "import", "-") as process:
        assert process.stdin is not None
        process.stdin.write(many())
        await process.stdin.drain()
        await _filled(path, BATCH)
        process.kill()
        await process.wait()
    assert process.returncode == -signal.SIGKILL
    ran = await home.run("mirror", "import", home.file("many.jsonl", many()), "--json")
    assert ran.code == 0
    assert (ran.object["known"], ran.object["new"]) == (BATCH, MANY - BATCH)
    assert len(ids(home)) == MANY


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
async def test_an_interruption_keeps_what_was_stored_and_says_how_to_go_on(
    home: Home, number: signal.Signals, code: int
) -> None:
    async with home.started("mirror", "import", "-") as process:
        assert process.stdin is not None
        process.stdin.write(many())
        await process.stdin.drain()
        await _filled(home.folder / "threads.db", BATCH)
        process.send_signal(number)
        _, err = await process.communicate()
    assert process.returncode == code
    assert b"what was stored stays" in err
    assert b"Traceback" not in err
    assert len(ids(home)) >= BATCH


async def _filled(path: Path, events: int) -> None:
    """Wait until so many are stored."""
    while _count(path) < events:  # noqa: ASYNC110 - there is nothing else to wait for
        await asyncio.sleep(0.01)


def _count(path: Path) -> int:
    with SqliteStore(path) as store, store._database.reading() as connection:
        return int(connection.execute("SELECT count(*) FROM events").fetchone()[0])


async def test_on_a_terminal_a_bar_shows_how_far_it_is_and_json_is_ascii(home: Home) -> None:
    note = Author(4).note("\u202e 🧵 \x1b[2J")
    name = home.file("many.jsonl", many() + lines([note]))
    async with at_terminal(home, "mirror", "import", name) as terminal:
        await terminal.until("a second")
        code, shown = await terminal.end()
    assert (code, f"{MANY + 1} events: {MANY + 1} new" in shown) == (0, True)
    async with at_terminal(home, "mirror", "export", "--author", note.pubkey) as terminal:
        code, shown = await terminal.end()
    assert (code, shown.isascii()) == (0, True)
    assert "\\u202e \\ud83e\\uddf5 \\u001b[2J" in shown


async def test_a_store_that_cannot_be_written_is_told(home: Home) -> None:
    name = home.file("in.jsonl", lines(NOTES))
    home.file("foreign.db", b"this is a text, and a long one at that " * 100)
    ran = await home.run("mirror", "import", name, "--store", "foreign.db")
    assert (ran.code, "not a database" in ran.err) == (6, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--filter", "{"), "no JSON"),
        (("--filter", "[]"), "a filter is a JSON object"),
        (("--filter", '{"x":1}'), "unsupported filter key"),
        (("--author", "nobody"), "npub"),
        (("--filter", '{"kinds":[1]}', "--kind", "1"), "leave --kind out"),
        (("in.jsonl",), "--force"),
    ],
)
async def test_an_export_that_cannot_be_is_told(
    home: Home, arguments: tuple[str, ...], words: str
) -> None:
    await home.run("mirror", "import", home.file("in.jsonl", lines(NOTES)))
    ran = await home.run("mirror", "export", *arguments)
    assert (ran.code, ran.out, words in ran.err) == (2, "", True), ran.err


async def test_an_export_is_narrowed(home: Home) -> None:
    await home.run("mirror", "import", home.file("in.jsonl", lines(NOTES)))
    author = NOTES[0].pubkey
    ran = await home.run("mirror", "export", "--author", author, "--filter", '{"kinds":[1]}')
    assert ran.ids == [event.id for event in NOTES if event.pubkey == author]
    one = await home.run("mirror", "export", "--thread", NOTES[4].id, "--filter", '{"kinds":[7]}')
    assert (one.code, one.out) == (0, "")
    lost = await home.run("mirror", "export", "--thread", "0" * 64)
    assert lost.code == 1


PAGE = (Path(__file__).parents[2] / "docs" / "mirror.md").read_text(encoding="utf-8")


async def test_the_command_lines_of_the_page_run_in_their_order(home: Home) -> None:
    section = PAGE.split("## Import and export", 1)[1]
    found = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found is not None
    home.file("events.jsonl", lines(NOTES))
    home.file("a.jsonl.gz", gzip.compress(lines(NOTES[:9])))
    home.file("b.jsonl", lines(NOTES[9:]))
    standing_for = {
        "nevent1…": nt.encode(nip19.EventPointer(NOTES[3].id)),
        "npub1…": nt.encode(nip19.PublicKey(NOTES[0].pubkey)),
    }
    for text in found[1].splitlines():
        program, *words = shlex.split(text, comments=True)
        ran = await home.run(*(standing_for.get(word, word) for word in words))
        assert (program, ran.code) == ("nostr-threads", 0), f"{text}: {ran.err}"
        assert bool(ran.out) is (words[-1] == "-"), text


@pytest.mark.parametrize("name", ["import", "export"])
def test_every_option_and_key_is_described(name: str) -> None:
    group: Any = typer.main.get_command(app)
    for parameter in group.commands["mirror"].commands[name].params:
        for option in parameter.opts:
            known = option == "--store" or not option.startswith("-")
            assert known or option in PAGE, option


async def test_an_export_has_what_the_store_keeps(home: Home) -> None:
    author = Author(b"regrets")
    root, gone = author.note("root", START), author.note("gone", START + 1)
    reply = author.reply(root, "gone, too")
    with SqliteStore(home.folder / "threads.db") as store:
        regrets = map(author.deletion, (gone, reply))
        store.add([root, gone, reply, *regrets], relay=None, now=int(START))
    every, of_thread = ("export", "-", "--kind", "1"), ("export", "-", "--thread", root.id)
    assert (await home.run("mirror", *every)).ids == [root.id]
    assert reply.id not in (await home.run("mirror", *of_thread)).ids
    await home.run("mirror", "run", "--deleted", "keep")
    assert set((await home.run("mirror", *every)).ids) == {root.id, gone.id, reply.id}
    assert reply.id in (await home.run("mirror", *of_thread)).ids
