"""`mirror`: sources named, got, followed, and what is said of them; the store kept in order."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core import nip19
from nostr_threads.core.filters import Filter
from nostr_threads.net.pool import Pool
from nostr_threads.relayd import RelayServer
from nostr_threads.store.sqlite import SqliteStore
from tests.app.worlds import ALICE, BOB, NOW
from tests.cli.terminal import at_terminal
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Callable

    import nostr_threads as nt
    from tests.cli.program import Home

TAG = ("t", "nostr")
NOTES = [ALICE.event(1, f"note {n}\x1b[2J", NOW + n, (TAG,)) for n in range(5)]
NPUB = nip19.encode(nip19.PublicKey(ALICE.pubkey))


def held(home: Home) -> set[str]:
    with SqliteStore(home.folder / "threads.db", read_only=True) as store:
        return {event_id.hex() for _, event_id in store.items([Filter()], now=None)}


def arrive(home: Home, *events: nt.Verified) -> None:
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(events, relay="wss://seen.example", now=NOW)


async def test_a_source_is_named_got_and_told_of(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        added = await home.run("mirror", "add", "hashtag", "#Nostr", "--relay", relay.url)
        assert (added.code, added.out) == (0, "")
        assert f"added: hashtag nostr from {relay.url}" in added.err
        again = await home.run("mirror", "add", "hashtag", "nostr", "--relay", relay.url)
        assert "changed:" in again.err
        listed = await home.run("mirror", "list", "--json")
        assert listed.object["source"] == "hashtag nostr"
        before = await home.run("mirror", "status")
        assert "was never got" in before.err
        ran = await home.run("mirror", "run")
        assert (ran.code, ran.out) == (0, "")
        assert f"hashtag nostr from {relay.url}: 5 new, complete" in ran.err
        assert held(home) == {note.id for note in NOTES}
        told = (await home.run("mirror", "status", "--json")).object
        assert (told["relay"], told["complete"], told["events"]) == (relay.url, True, 5)
        assert (told["from"], told["finish"], told["method"]) == (0, "complete", "negentropy")
        shown = await home.run("mirror", "status")
        assert "to 20" in shown.err
        as_data = await home.run("mirror", "run", "--json")
        assert as_data.objects[-1]["finish"] == "complete"
        removed = await home.run("mirror", "remove", "hashtag", "nostr")
        assert removed.code == 0
        assert (await home.run("mirror", "list")).out == ""
        assert held(home) == {note.id for note in NOTES}


async def test_the_threads_under_an_authors_notes_are_told_of(home: Home) -> None:
    note = ALICE.note("note", NOW)
    answer = BOB.reply(note, "answer", NOW + 1)
    async with RelayServer(stocked([note, answer])) as relay:
        added = await home.run("mirror", "add", "author", NPUB, "--replies", "--relay", relay.url)
        assert "with the threads under each note" in added.err
        ran = await home.run("mirror", "run")
        assert ran.code == 0
        assert f"author {NPUB[:12]}…{NPUB[-8:]}: 1 thread under its notes, 1 whole" in ran.err
    assert held(home) == {note.id, answer.id}
    status = await home.run("mirror", "status")
    assert "1 thread under its notes, 1 whole" in status.err
    told = (await home.run("mirror", "status", "--json")).objects[-1]
    assert told == {"source": f"author {NPUB}", "threads": 1, "whole": 1, "complete": True}


async def test_what_was_deleted_is_hidden_kept_or_removed_as_was_said_last(home: Home) -> None:
    gone = BOB.event(1, "gone", NOW, (TAG,))
    deletion = BOB.event(5, "", NOW + 9, (("e", gone.id), TAG))
    later = BOB.event(1, "gone later", NOW, (TAG,))
    later_deletion = BOB.event(5, "", NOW + 9, (("e", later.id),))
    arrive(home, gone)
    async with RelayServer(stocked([*NOTES, deletion])) as relay:
        await home.run("mirror", "add", "hashtag", "nostr", "--relay", relay.url)
        assert (await home.run("mirror", "run")).code == 0
        assert gone.id in held(home)
        assert (await home.run("search", "gone", "--json")).out == ""
        kept = await home.run("mirror", "run", "--deleted", "keep")
        assert (kept.code, kept.out) == (0, "")
        words = "what was deleted or has expired is kept, and shown as what it is (--deleted keep)"
        assert f"from now on {words}" in kept.err
        for line in (("run", "--deleted", "keep"), ("run",)):
            assert "from now on" not in (await home.run("mirror", *line)).err
        assert words in (await home.run("mirror", "stats")).err
        assert (await home.run("search", "gone", "--json")).ids == [gone.id]
        arrive(home, deletion)
        assert gone.id in held(home)
        removed = await home.run("mirror", "run", "--deleted", "purge")
        assert (removed.code, gone.id in held(home)) == (0, False)
        assert "is removed for good at the end of a run (--deleted purge)" in removed.err
        arrive(home, later, later_deletion)
        assert (await home.run("mirror", "run")).code == 0
        assert later.id not in held(home)
        wrong = await home.run("mirror", "run", "--deleted", "show")
        assert wrong.code == 2


async def test_where_nothing_is_mirrored_the_policy_can_be_set(home: Home) -> None:
    gone = BOB.note("gone", NOW)
    arrive(home, gone, BOB.deletion(gone))
    wrong = await home.run("mirror", "run", "hashtag", "x", "--deleted", "purge")
    assert (wrong.code, "nothing is mirrored" in wrong.err) == (1, True)
    assert (await home.run("mirror", "stats", "--json")).object["policy"] == "hide"
    ran = await home.run("mirror", "run", "--deleted", "keep")
    assert (ran.code, ran.out) == (0, "")
    assert (await home.run("mirror", "stats", "--json")).object["policy"] == "keep"
    assert (await home.run("mirror", "run")).code == 1
    assert (await home.run("mirror", "run", "--follow", "--deleted", "purge")).code == 0
    assert gone.id not in held(home)


async def test_what_is_not_all_there_is_told_with_an_exit_code(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        down = "ws://127.0.0.1:9"
        await home.run("mirror", "add", "author", NPUB, "--relay", relay.url, "--relay", down)
        ran = await home.run("mirror", "run")
        assert ran.code == 3
        assert f"from {down}: 0 new, unreachable (" in ran.err
        await home.run("mirror", "add", "author", NPUB, "--relay", down)
        assert (await home.run("mirror", "run")).code == 4
        status = await home.run("mirror", "status")
        assert "unreachable" in status.err


async def test_one_source_of_several_is_run_alone(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        await home.run("mirror", "add", "hashtag", "nostr", "--relay", relay.url)
        await home.run("mirror", "add", "search", "two", "words", "--relay", relay.url)
        ran = await home.run("mirror", "run", "hashtag", "nostr")
        assert ran.code == 0
        assert "search" not in ran.err
        other = await home.run("mirror", "run", "search", "two", "words")
        assert other.code == 3
        assert "it does not search (NIP-50)" in other.err
        none = await home.run("mirror", "run", "hashtag", "other")
        assert (none.code, "is not mirrored" in none.err) == (1, True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15)])
async def test_following_goes_on_until_it_is_stopped(
    home: Home, number: signal.Signals, code: int
) -> None:
    later = BOB.event(1, "later", int(time.time()), (TAG,))
    async with RelayServer(stocked(NOTES), accept=lambda _: None) as relay, Pool() as pool:
        await home.run("mirror", "add", "hashtag", "nostr", "--relay", relay.url)
        async with home.started("mirror", "run", "--follow", "--json") as process:
            await _until(process, lambda told: told.get("finish") == "complete")
            await pool.relay(relay.url).publish(later)
            await _until(process, lambda told: told["new"] == 1 and "finish" not in told)
            process.send_signal(number)
            _, talk = await process.communicate()
    assert process.returncode == code
    assert b"Traceback" not in talk
    assert later.id in held(home)


async def _until(process: asyncio.subprocess.Process, wanted: Callable[[Any], bool]) -> None:
    assert process.stdout is not None
    while not wanted(json.loads(await process.stdout.readline())):
        pass


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("add", "author", "nonsense"), 2, "is not"),
        (("add", "hashtag", "two", "words"), 2, "no hashtag"),
        (("add", "filter", '{"limit":5}'), 2, "leave out the limit"),
        (("add", "filter", "{"), 2, "a JSON object"),
        (("add", "person", "x"), 2, "person"),
        (("add", "hashtag", "x", "--replies"), 2, "only an author"),
        (("add", "hashtag", "x", "--relay", "nonsense"), 2, "relay"),
        (("remove", "hashtag", "x"), 1, "is not mirrored"),
        (("run",), 1, "nothing is mirrored"),
        (("run", "--follow", "--again"), 2, "--again"),
    ],
)
async def test_what_cannot_be_done_is_said(
    home: Home, arguments: tuple[str, ...], code: int, words: str
) -> None:
    arrive(home)
    ran = await home.run("mirror", *arguments)
    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err


async def test_a_source_is_brought_to_another_relay(home: Home) -> None:
    arrive(home, *NOTES)
    async with RelayServer(stocked(NOTES[:2]), accept=lambda _: None) as relay:
        line = ("mirror", "push", "hashtag", "nostr", "--to", relay.url)
        pushed = await home.run(*line)
        assert (pushed.code, pushed.out) == (0, "")
        assert "5 to bring, 2 were there, 3 brought and read back" in pushed.err
        told = (await home.run(*line, "--json")).object
        assert (told["there"], told["taken"], told["complete"]) == (5, 0, True)
    async with RelayServer(stocked(), accept=lambda _: "blocked: not here") as closed:
        refused = await home.run("mirror", "push", "hashtag", "nostr", "--to", closed.url)
        assert refused.code == 3
        assert "5 refused: blocked" in refused.err
    down = await home.run("mirror", "push", "hashtag", "nostr", "--to", "ws://127.0.0.1:9")
    assert (down.code, "stopped:" in down.err) == (4, True)


# The store as a whole


async def test_the_store_is_checked_counted_and_made_small(home: Home) -> None:
    gone = BOB.note("gone", NOW)
    deletion = BOB.event(5, "", NOW + 9, (("e", gone.id),))
    arrive(home, *NOTES, gone, deletion)
    stats, verified, vacuumed = await asyncio.gather(
        home.run("mirror", "stats", "--json"),
        home.run("mirror", "verify"),
        home.run("mirror", "vacuum"),
    )
    assert (stats.object["events"], stats.object["deleted"]) == (7, 1)
    assert stats.object["kinds"] == {"1": 6, "5": 1}
    assert (verified.code, "7 events, all as they should be" in verified.err) == (0, True)
    assert (vacuumed.code, "now" in vacuumed.err) == (0, True)
    told = await home.run("mirror", "stats")
    assert "7 events of 2 authors" in told.err
    assert "0 replaced by newer versions, 1 deleted, 0 expired" in told.err
    assert "what was deleted or has expired is hidden (--deleted hide)" in told.err
    refused = await home.run("mirror", "purge")
    assert (refused.code, "say --yes" in refused.err) == (2, True)
    purged = await home.run("mirror", "purge", "--yes")
    assert "1 event removed" in purged.err
    assert gone.id not in held(home)


async def test_what_can_be_read_of_a_damaged_store_is_salvaged(home: Home) -> None:
    notes = [BOB.note(f"{n} " + "word " * 200, NOW + n) for n in range(100)]
    arrive(home, *notes)
    path = home.folder / "threads.db"
    data = bytearray(path.read_bytes())
    start = data.rindex(b"50 word") // 8_192 * 8_192
    data[start : start + 8_192] = bytes(8_192)
    path.write_bytes(data)
    exported = await home.run("mirror", "export", "all.jsonl")
    assert (exported.code, "mirror salvage" in exported.err) == (6, True)
    assert not (home.folder / "all.jsonl").exists()
    ran = await home.run("mirror", "salvage", "kept.jsonl.gz")
    assert (ran.code, "could not be read" in ran.err) == (3, True)
    path.unlink()
    imported = await home.run("mirror", "import", "kept.jsonl.gz", "--json")
    assert 90 < imported.object["new"] < 100
    assert f"{100 - imported.object['new']} could not" in ran.err
    assert (await home.run("mirror", "verify")).code == 0
    again = await home.run("mirror", "salvage", "-")
    assert (again.code, len(again.out.splitlines())) == (0, imported.object["new"])


async def test_what_was_changed_in_a_store_is_found(home: Home) -> None:
    arrive(home, *NOTES)
    with closing(sqlite3.connect(home.folder / "threads.db")) as connection, connection:
        connection.execute("UPDATE events SET json = replace(json, 'note 3', 'note X')")
    ran = await home.run("mirror", "verify")
    assert ran.code == 6
    assert f"events {NOTES[3].id}: the id is not the hash" in ran.out
    fault = (await home.run("mirror", "verify", "--json")).object
    assert (fault["table"], fault["event_id"]) == ("events", NOTES[3].id)


async def test_that_nothing_is_mirrored_is_said(home: Home) -> None:
    arrive(home, *NOTES)
    for command in ("status", "list"):
        ran = await home.run("mirror", command)
        assert (ran.code, ran.out) == (0, "")
        assert "nothing is mirrored: see `nostr-threads mirror add`" in ran.err
    told = await home.run("mirror", "status", "--json")
    assert (told.code, told.out, told.err) == (0, "", "")


# Words


async def test_words_are_found_in_the_threads_where_they_stand(home: Home) -> None:
    root = ALICE.note("Which relay keeps long answers?", NOW)
    answer = BOB.reply(root, "None keeps them for ever \x1b]0;title\x07", NOW + 5)
    arrive(home, root, answer, *NOTES)
    found = await home.run("search", "keep*")
    assert found.code == 0
    assert "Which relay keeps long answers?" in found.out
    assert "None keeps them for ever" in found.out
    assert "\x1b" not in found.out
    assert "2 notes found" in found.err
    assert nip19.encode(nip19.Note(answer.id)) in found.out
    (only,) = (await home.run("search", "KEEPS", "--json", "--", "-none")).objects
    assert only["id"] == root.id
    by_bob = await home.run("search", "keeps", "--author", BOB.pubkey, "--json")
    assert [each["id"] for each in by_bob.objects] == [answer.id]
    await home.run("mirror", "run", "--deleted", "keep")
    whole = await home.run("search", "keep*")
    assert "kept here" not in whole.out + whole.err
    arrive(home, BOB.deletion(answer))
    drawn, told = await home.run("search", "keep*"), await home.run("search", "keep*", "--json")
    assert "deleted, kept here: its author asked for its deletion" in drawn.out
    for each in (drawn, told):
        assert "1 note deleted or expired, and kept here" in each.err
    assert sorted(told.ids) == sorted([root.id, answer.id])
    for each in (await home.run("search", "keep*", "--whole"), drawn):
        assert "\\x1b]0;title" in each.out
    few = await home.run("search", "note", "--limit", "2", "--json")
    assert [each["id"] for each in few.objects] == [NOTES[4].id, NOTES[3].id]
    nothing = await home.run("search", "--", "-none")
    assert (nothing.code, "at least one word" in nothing.err) == (2, True)
    assert (await home.run("search", "unheard")).out == ""


async def test_a_search_shows_a_piece_of_each_note_and_all_of_it_when_asked(home: Home) -> None:
    arrive(home, ALICE.note("filler " * 400 + "relay " + "filler " * 400, NOW))
    piece, whole = await home.run("search", "relay"), await home.run("search", "relay", "--whole")
    assert "filler relay filler" in piece.out
    assert len(piece.out) < 700
    assert len(whole.out) > 5_000


async def test_on_a_terminal_what_was_looked_for_is_bold(home: Home) -> None:
    arrive(home, ALICE.note("Which relay?", NOW))
    async with at_terminal(home, "search", "relay") as terminal:
        await terminal.until("Which \x1b[1mrelay\x1b[0m?")
