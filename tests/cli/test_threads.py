"""`fetch` and `show`: contracts, formats, and every way in which they end."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

import nostr_threads as nt
from nostr_threads.core import nip19
from nostr_threads.relayd import RelayServer
from nostr_threads.render.setting import Setting
from nostr_threads.store.policy import Policy
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import GARBAGE, Faults, FaultyRelay, thread
from tests.app.worlds import ALICE, BOB, NOW
from tests.cli.program import SECONDS
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.cli.program import Home

NOTES = thread(12)
ROOT = NOTES[0].id
DEAD = "ws://127.0.0.1:9"
UNKNOWN = "ab" * 32

HEX_ID = (str,)
NODE = {
    "id": str,
    "parent": (str, type(None)),
    "depth": int,
    "author": (str, type(None)),
    "created_at": (int, type(None)),
    "kind": (int, type(None)),
    "state": str,
    "why": str,
    "kept": (str, type(None)),
    "part": (dict, type(None)),
    "reactions": dict,
    "reposts": int,
    "zaps": int,
}
THREAD = {
    "root_id": (str, type(None)),
    "root": (dict, type(None)),
    "found": int,
    "missing": list,
    "unsure": list,
    "nodes": list,
    "articles": list,
    "names": dict,
    "coverage": dict,
    "fetched": (dict, type(None)),
}
RELAY = {
    "url": str,
    "finish": (str, type(None)),
    "events": int,
    "only_here": int,
    "refused": int,
    "reason": str,
    "counted": (int, type(None)),
    "why": (str, type(None)),
}
MISSING = {"id": str, "wanted_by": list, "hints": list}


def assert_contract(found: dict[str, Any], contract: dict[str, Any]) -> None:
    """Every key of the contract is there with its type, and no other."""
    assert set(found) == set(contract)
    for name, kind in contract.items():
        assert isinstance(found[name], kind), name
        assert not (isinstance(found[name], bool) and kind is int), name


def keep(home: Home, events: Sequence[nt.Verified]) -> None:
    """Put events into a home's store, as a fetch would have."""
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(events, relay="wss://seen.example", now=NOW)


async def test_fetch_json_is_the_contract(home: Home) -> None:
    lost = BOB.reply(NOTES[0], "nobody has this").id
    marked = (("e", ROOT, "", "root"), ("e", lost, "wss://x.example", "reply"))
    reply = BOB.note("who said that?", NOW + 100, marked)
    async with RelayServer(stocked([*NOTES, reply])) as relay:
        ran = await home.run("fetch", ROOT, "--relay", relay.url, "--json")
    assert ran.code == 0
    found = ran.object
    assert_contract(found, THREAD)
    assert (found["root_id"], found["root"]) == (ROOT, json.loads(NOTES[0].to_json()))
    assert found["found"] == len(NOTES) + 1
    assert len(found["nodes"]) == len(NOTES) + 2
    for node in found["nodes"]:
        assert_contract(node, NODE)
        assert node["state"] in ("present", "missing")
    assert found["nodes"][0] == {
        "id": ROOT,
        "parent": None,
        "depth": 0,
        "author": NOTES[0].pubkey,
        "created_at": NOW,
        "kind": 1,
        "state": "present",
        "why": "",
        "kept": None,
        "part": None,
        "reactions": {},
        "reposts": 0,
        "zaps": 0,
    }
    (missing,) = found["missing"]
    assert_contract(missing, MISSING)
    assert missing == {"id": lost, "wanted_by": [reply.id], "hints": ["wss://x.example"]}
    assert found["unsure"] == []
    assert set(found["coverage"]) == {"relays", "estimate", "budget_hit"}
    (covered,) = found["coverage"]["relays"]
    assert_contract(covered, RELAY)
    assert covered["finish"] == "complete"
    assert (covered["counted"], covered["why"]) == (len(NOTES), "named by hand")
    assert [covered["events"], covered["only_here"]] == [len(NOTES) + 1] * 2


async def test_show_json_has_the_same_shape_and_nodes_offline(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        fetched = await home.run("fetch", ROOT, "--relay", relay.url, "--json")
    shown = await home.run("show", NOTES[-1].id, "--json")
    assert (fetched.code, shown.code) == (0, 0)
    assert {**fetched.object, "coverage": None} == {**shown.object, "coverage": None}
    assert shown.object["coverage"]["relays"] == [
        {**covered, "finish": None, "counted": None, "why": None}
        for covered in fetched.object["coverage"]["relays"]
    ]


async def test_show_says_how_whole_it_was_when_it_was_fetched(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        await home.run("fetch", ROOT, "--relay", relay.url, "--relay", DEAD)
    shown = await home.run("show", NOTES[-1].id)
    assert "fetched just now: 1 of 2 relays answered wholly" in shown.err
    keep(home, thread(3, seed=9))
    other = await home.run("show", thread(3, seed=9)[0].id)
    assert "fetched" not in other.err


async def test_the_nodes_say_which_part_of_an_answer_they_are(home: Home) -> None:
    first = ALICE.note("one (1/2)", NOW, (("part", "1", "2", "6", "\n\n"),))
    second = ALICE.reply(first, "two (2/2)", tags=(("part", "2", "2", "6"),))
    async with RelayServer(stocked([first, second])) as relay:
        ran = await home.run("fetch", first.id, "--relay", relay.url, "--json")
    parts = [node["part"] for node in ran.object["nodes"]]
    assert parts == [{"index": 1, "total": 2}, {"index": 2, "total": 2}]


async def test_jsonl_is_the_signed_events_in_display_order(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        fetched = await home.run("fetch", ROOT, "--relay", relay.url, "--format", "jsonl")
    shown = await home.run("show", ROOT, "--format", "jsonl")
    in_order = [node["id"] for node in (await home.run("show", ROOT, "--json")).object["nodes"]]
    assert fetched.ids == shown.ids == in_order
    assert sorted(fetched.out.splitlines()) == sorted(note.to_json() for note in NOTES)


@pytest.mark.parametrize("form", [["--json"], ["--format", "jsonl"], ["--format", "md"], []])
async def test_what_is_kept_is_shown_as_what_it_is_in_every_form(
    home: Home, form: list[str]
) -> None:
    root = ALICE.note("root", NOW)
    cited = BOB.note("cited and gone", NOW)
    gone = BOB.reply(root, f"gone, of nostr:{nt.encode(nip19.Note(cited.id))}", NOW + 1)
    with SqliteStore(home.folder / "threads.db") as store:
        store.adopt(Policy.KEEP)
        store.add([root, gone, cited], relay=None, now=NOW)
        before = await home.run("show", root.id, *form)
        store.add(map(BOB.deletion, (gone, cited)), relay=None, now=NOW)
    after = await home.run("show", root.id, *form)
    assert (before.code, after.code) == (0, 0)
    assert "kept here" not in before.err
    if form == ["--json"]:
        states = [(node["state"], node["kept"]) for node in after.object["nodes"]]
        assert states == [("present", None), ("present", "deleted")]
        return
    assert "1 note deleted or expired, and kept here" in after.err
    if form == ["--format", "jsonl"]:
        assert after.ids == [root.id, gone.id]
        return
    assert "gone, of" in after.out
    assert "deleted, kept here: its author asked for its deletion" in after.out
    # Of the quoted note both words stand in the same line, escaped as the form wants it.
    (quoted,) = (line for line in after.out.splitlines() if "cited and gone" in line)
    assert "deleted or expired" in quoted


async def test_the_tree_is_on_stdout_and_the_report_on_stderr(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        ran = await home.run("fetch", ROOT, "--relay", relay.url)
    assert ran.code == 0
    setting = Setting(now=int(time.time()), fold=20)
    assert ran.out == nt.render_tree(nt.Thread.build(NOTES), setting)
    assert f"{len(NOTES)} notes, none missing" in ran.err
    assert relay.url in ran.err
    assert relay.url not in ran.out


@pytest.mark.parametrize("form", [["--format", "jsonl"], ["--json"], []])
async def test_the_result_can_go_to_a_file(home: Home, form: list[str]) -> None:
    keep(home, NOTES)
    filed, dashed = await asyncio.gather(
        home.run("show", ROOT, *form, "-o", "thread.out"),
        home.run("show", ROOT, *form, "--output", "-"),
    )
    assert (filed.code, filed.out, dashed.code) == (0, "", 0)
    assert (home.folder / "thread.out").read_text(encoding="utf-8") == dashed.out != ""


async def test_a_file_that_cannot_be_written_is_named(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        ran = await home.run("fetch", ROOT, "--relay", relay.url, "-o", "no/such/folder.txt")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot write no/such/folder.txt: No such file or directory" in ran.err


CODES = (
    ROOT,
    ROOT.upper(),
    nip19.encode(nip19.Note(ROOT)),
    "nostr:" + nip19.encode(nip19.Note(ROOT)),
    nip19.encode(nip19.EventPointer(ROOT, ("wss://hint.example",), NOTES[0].pubkey, 1)),
    "https://njump.example/" + nip19.encode(nip19.EventPointer(ROOT)),
)


async def test_every_code_that_names_an_event_is_taken(home: Home) -> None:
    keep(home, NOTES)
    runs = await asyncio.gather(*(home.run("show", code, "--json") for code in CODES))
    assert [ran.object["root_id"] for ran in runs] == [ROOT] * len(CODES)


async def test_one_dead_relay_of_two_is_exit_3_with_the_whole_result(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        home.settle([relay.url, DEAD])
        ran = await home.run("fetch", ROOT, "--json")
    assert ran.code == 3
    assert (ran.object["found"], ran.object["unsure"]) == (len(NOTES), [f"{DEAD}"])
    finishes = [covered["finish"] for covered in ran.object["coverage"]["relays"]]
    assert finishes == ["complete", "unreachable"]


async def test_no_relay_reachable_is_exit_4(home: Home) -> None:
    ran = await home.run("fetch", ROOT, "--relay", DEAD)
    assert (ran.code, ran.out) == (4, "")
    assert "the relay could not be reached" in ran.err


async def test_a_note_that_nobody_has_is_exit_1(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        ran = await home.run("fetch", UNKNOWN, "--relay", relay.url)
    assert (ran.code, ran.out) == (1, "")
    assert f"the relay has no {UNKNOWN}" in ran.err


async def test_show_of_what_was_never_fetched_is_exit_1(home: Home) -> None:
    ran = await home.run("show", UNKNOWN)
    assert (ran.code, ran.out) == (1, "")
    assert "fetch, mirror, import or publish something first" in ran.err


async def test_a_relay_that_sends_garbage_takes_nothing_away_and_is_unsure(home: Home) -> None:
    async with FaultyRelay(stocked(NOTES), Faults(garbage=GARBAGE)) as relay:
        ran = await home.run("fetch", ROOT, "--relay", relay.url, "--json")
    assert (ran.code, ran.object["found"], ran.object["missing"]) == (3, len(NOTES), [])
    assert ran.object["unsure"] == [relay.url]
    (covered,) = ran.object["coverage"]["relays"]
    assert covered["refused"] > 0


async def test_a_relay_of_forgeries_alone_has_nothing(home: Home) -> None:
    faults = Faults(forge="content", forge_where="instead")
    async with FaultyRelay(stocked(NOTES), faults) as relay:
        ran = await home.run("fetch", ROOT, "--relay", relay.url)
    assert (ran.code, ran.out) == (1, "")


async def test_a_relay_that_never_ends_its_answer_is_unsure(home: Home) -> None:
    async with FaultyRelay(stocked(NOTES), Faults(silent_eose=True)) as relay:
        home.settle([relay.url], quick=2.0)
        ran = await home.run("fetch", ROOT, "--json")
        assert (ran.code, ran.object["unsure"]) == (3, [relay.url])
        assert ran.object["coverage"]["relays"][0]["finish"] == "timeout"


async def test_a_budget_of_seconds_ends_the_search(home: Home) -> None:
    async with FaultyRelay(stocked(NOTES), Faults(silent_eose=True)) as silent:
        async with RelayServer(stocked(NOTES)) as relay:
            home.settle([relay.url, silent.url], quick=25.0)
            ran = await home.run("fetch", ROOT, "--seconds", "0.5", "--json")
        assert (ran.code, ran.object["found"]) == (3, len(NOTES))
        assert silent.url in ran.object["unsure"]
        assert ran.object["coverage"]["budget_hit"] == "0.5 seconds"


async def test_ctrl_c_during_a_fetch_is_exit_130(home: Home) -> None:
    asked = asyncio.Event()

    async def for_ever(_: float) -> None:
        asked.set()
        await asyncio.get_running_loop().create_future()

    async with FaultyRelay(stocked(NOTES), Faults(slow=1.0), wait=for_ever) as relay:
        async with home.started("fetch", ROOT, "--relay", relay.url) as process:
            async with asyncio.timeout(SECONDS):
                await asked.wait()
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()
        relay.drop_connections()
    assert (process.returncode, out) == (130, b"")
    assert b"Traceback" not in err


BAD_CODES = (
    ("zzz", "'zzz' is not a Nostr code"),
    ("", "is not a Nostr code"),
    ("note1qqqq", "is not a Nostr code"),
    (nip19.encode(nip19.PublicKey(ALICE.pubkey)), "a note, nevent or naddr is wanted"),
    ("12ab", "64 hex digits"),
    ("https://example.com/nothing", "this web link holds no"),
    ("\x1b[31mred", r"\x1b[31mred"),
)


async def test_a_code_that_names_no_event_is_exit_2_and_says_what_is_wrong(home: Home) -> None:
    asked = [("fetch", *BAD_CODES[0]), *(("show", *bad) for bad in BAD_CODES)]
    runs = await asyncio.gather(*(home.run(command, code) for command, code, _ in asked))
    for ran, (_, _, sentence) in zip(runs, asked, strict=True):
        assert (ran.code, ran.out) == (2, "")
        assert sentence in ran.err
        assert "\x1b" not in ran.err


async def test_a_damaged_store_is_exit_6(home: Home) -> None:
    keep(home, NOTES)
    store = home.folder / "threads.db"
    store.write_bytes(b"not a database" * 1000)
    commands = (["show", ROOT], ["fetch", ROOT, "--relay", DEAD], ["outbox", "list"])
    for ran in await asyncio.gather(*(home.run(*command) for command in commands)):
        assert (ran.code, ran.out) == (6, "")
        assert f"{store}: this is not a database" in ran.err


async def test_the_store_is_where_it_is_said_to_be(home: Home, tmp_path: Path) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        await home.run("fetch", ROOT, "--relay", relay.url, "--store", "a/b/mine.db")
    assert (tmp_path / "a/b/mine.db").is_file()
    assert not (tmp_path / "threads.db").exists()
    named = await home.run("show", ROOT, NOSTR_THREADS_STORE=str(tmp_path / "a/b/mine.db"))
    assert (named.code, (await home.run("show", ROOT)).code) == (0, 1)


async def test_a_stranger_cannot_write_to_the_terminal(home: Home) -> None:
    evil = ALICE.note("\x1b[2J\x1b]0;owned\x07 \u202eabc\x9b31m\r└─npub1fake", NOW)
    async with RelayServer(stocked([evil])) as relay:
        for form in (["fetch", evil.id, "--relay", relay.url], ["show", evil.id]):
            ran = await home.run(*form)
            assert ran.code == 0
            assert not {"\x1b", "\x07", "\u202e", "\x9b", "\r"} & set(ran.out + ran.err)


async def test_with_no_relay_in_reach_what_the_store_has_is_shown_and_the_exit_is_4(
    home: Home,
) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        first = await home.run("fetch", ROOT, "--relay", relay.url, "--json")
    again = await home.run("fetch", ROOT, "--relay", "ws://127.0.0.1:9", "--json")
    assert (first.code, again.code) == (0, 4)
    assert again.object["nodes"] == first.object["nodes"]
    assert again.object["unsure"] == ["ws://127.0.0.1:9"]


async def test_to_look_makes_no_store(home: Home) -> None:
    """A mistyped --store is a mistake to tell, not a new database."""
    named, usual, outbox = await asyncio.gather(
        home.run("show", ROOT, "--store", "typo/a.db"),
        home.run("show", ROOT),
        home.run("outbox", "list"),
    )
    assert (named.code, usual.code, outbox.code) == (6, 1, 0)
    assert "there is no such store" in named.err
    assert not (home.folder / "typo").exists()
    assert not list(home.folder.glob("*.db"))
