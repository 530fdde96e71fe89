"""What `fetch` and `show` do beyond a thread's notes: options, names, formats, old stores."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core import kinds, nip19
from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyFolder, secret_from_hex
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import FaultyRelay, thread
from tests.app.worlds import ALICE, BOB, CAROL, DAVE, NOW, mute_list, profile, relay_list
from tests.cli.program import PASSWORD
from tests.relayd.peers import stocked
from tests.store.versions import version_1

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Home

ROOT = ALICE.note("the question", NOW)
ANSWER = BOB.reply(ROOT, "an answer with *stars* and <b>tags</b>")
THANKS = ALICE.reply(ANSWER, "thanks, at home")
GOOD = CAROL.reply(ANSWER, "a good word below it")
CHAIN = [ROOT]
for _number in range(4):
    _above = (("e", CHAIN[-1].id, "", "reply"),)
    CHAIN.append(BOB.note(f"number {_number}", NOW + 1 + _number, _above))


# Where is searched


async def test_fetch_goes_on_to_where_people_write_and_says_why_unless_told_not_to(
    home: Home,
) -> None:
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(FaultyRelay(stocked([ROOT, THANKS])))
        lists = stocked([relay_list(ALICE, write=[own.url])])
        index = await stack.enter_async_context(RelayServer(lists))
        usual = await stack.enter_async_context(RelayServer(stocked([ROOT, ANSWER])))
        home.settle([usual.url], index=[index.url], known=[own.url])
        narrow = await home.run("fetch", ROOT.id, "--no-widen", "--json")
        named = await home.run("fetch", ROOT.id, "--relay", usual.url, "--json")
        assert own.accepted_connections == 0
        told, wide, for_people = await asyncio.gather(
            home.run("fetch", ROOT.id, "--relay", usual.url, "--widen", "--json"),
            home.run("fetch", ROOT.id, "--json", "--store", "a.db"),
            home.run("fetch", ROOT.id, "--store", "b.db"),
        )
    assert [ran.object["found"] for ran in (narrow, named, told, wide)] == [2, 2, 3, 3]
    assert {ran.code for ran in (narrow, named, told, wide, for_people)} == {0}
    short = f"{nt.encode(nip19.PublicKey(ALICE.pubkey))[:10]}…"
    why = {relay["url"]: relay["why"] for relay in wide.object["coverage"]["relays"]}
    assert why[usual.url] == "relays.toml"
    assert why[own.url].startswith(f"write relay of {short}")
    assert f"write relay of {short}" in for_people.err


BUDGETS = (
    (("--depth", "2"), "depth 2", 3),
    (("--events", "3"), "3 events", 3),
    (("--max-relays", "1"), "1 relay", 5),
)


async def test_a_budget_that_ended_the_search_is_exit_3_and_named(home: Home) -> None:
    async with AsyncExitStack() as stack:
        own = await stack.enter_async_context(FaultyRelay(stocked()))
        lists = [relay_list(BOB, write=[own.url])]
        index = await stack.enter_async_context(RelayServer(stocked(lists)))
        usual = await stack.enter_async_context(RelayServer(stocked(CHAIN)))
        home.settle([usual.url], index=[index.url], known=[own.url])
        runs = await asyncio.gather(
            *(
                home.run("fetch", ROOT.id, "--store", f"{number}.db", *options, "--json")
                for number, (options, _, _) in enumerate(BUDGETS)
            )
        )
        for_people = await home.run("fetch", ROOT.id, "--depth", "1")
    for ran, (_, hit, found) in zip(runs, BUDGETS, strict=True):
        assert (ran.code, ran.object["coverage"]["budget_hit"]) == (3, hit)
        assert ran.object["found"] == found
    assert for_people.code == 3
    assert "stopped after depth 1: there may be more" in for_people.err


async def test_a_budget_of_nothing_is_exit_2(home: Home) -> None:
    options = ("--depth", "--events", "--max-relays")
    runs = await asyncio.gather(*(home.run("fetch", ROOT.id, each, "0") for each in options))
    for ran, option in zip(runs, options, strict=True):
        assert (ran.code, ran.out) == (2, "")
        assert option in ran.err


async def test_the_estimate_is_told_when_two_relays_answered_completely(home: Home) -> None:
    notes = thread(12)
    async with (
        RelayServer(stocked(notes[:10])) as first,
        RelayServer(stocked([notes[0], *notes[4:]])) as second,
    ):
        both = ("--relay", first.url, "--relay", second.url)
        ran, for_people, one = await asyncio.gather(
            home.run("fetch", notes[0].id, *both, "--json", "--store", "a.db"),
            home.run("fetch", notes[0].id, *both, "--store", "b.db"),
            home.run("fetch", notes[0].id, "--relay", first.url, "--json", "--store", "c.db"),
        )
    estimate = ran.object["coverage"]["estimate"]
    assert set(estimate) == {"total", "low", "high"}
    assert len(notes) <= estimate["low"] <= estimate["total"] <= estimate["high"]
    assert one.object["coverage"]["estimate"] is None
    assert "by how the relays overlap" in for_people.err
    counted = [relay["counted"] for relay in ran.object["coverage"]["relays"]]
    assert counted == [relay["events"] - 1 for relay in ran.object["coverage"]["relays"]]


# What is shown


def surrounded() -> tuple[nt.Verified, nt.Verified, list[nt.Verified]]:
    """A reply that mentions CAROL and quotes DAVE, the note it quotes, and all around."""
    elsewhere = DAVE.note("said elsewhere", NOW - 99)
    npub, code = nt.encode(nip19.PublicKey(CAROL.pubkey)), nt.encode(nip19.Note(elsewhere.id))
    reply = BOB.reply(ROOT, f"ask nostr:{npub} about nostr:{code}", NOW + 5)
    people = ((ALICE, "alice"), (CAROL, "carol \x1b[31m"), (DAVE, "dave"))
    around = [
        *(profile(person, name) for person, name in people),
        *(BOB.reaction(ROOT), CAROL.reaction(ROOT, "🤙")),
        CAROL.event(kinds.REPOST, "", NOW + 9, (("e", ROOT.id, ""), ("p", ALICE.pubkey))),
    ]
    return reply, elsewhere, [ROOT, reply, elsewhere, *around]


async def test_names_counts_mentions_and_quotes_are_in_the_tree_and_in_the_json(home: Home) -> None:
    reply, elsewhere, events = surrounded()
    async with RelayServer(stocked(events)) as relay:
        fetched = await home.run("fetch", ROOT.id, "--relay", relay.url)
    shown, written = await asyncio.gather(
        home.run("show", ROOT.id), home.run("show", reply.id, "--json")
    )
    assert shown.out == fetched.out
    heading, question, _, answer, said, quoted, *_ = shown.out.splitlines()
    short = nt.encode(nip19.PublicKey(ALICE.pubkey))[:10]
    assert heading.startswith(f"alice {short}")
    assert heading.endswith(" · ♥ 1  🤙 1 · 1 repost")
    assert question.strip() == ROOT.content
    assert answer.startswith("└─ npub1")
    assert said.strip() == "ask @carol [31m about"
    assert quoted.strip().startswith("┃ dave npub1")
    assert quoted.endswith(": said elsewhere")
    assert written.object["names"] == {ALICE.pubkey: "alice"}
    root, _ = written.object["nodes"]
    assert (root["reactions"], root["reposts"], root["zaps"]) == ({"+": 1, "🤙": 1}, 1, 0)
    assert elsewhere.id not in [node["id"] for node in written.object["nodes"]]


async def test_markdown_is_a_document_with_everything_that_was_said(home: Home) -> None:
    async with RelayServer(stocked([ROOT, ANSWER, GOOD])) as relay:
        fetched = await home.run("fetch", ROOT.id, "--relay", relay.url, "--format", "md")
    filed = await home.run("show", ROOT.id, "--format", "md", "-o", "thread.md")
    assert (fetched.code, filed.code, filed.out) == (0, 0, "")
    assert (home.folder / "thread.md").read_text(encoding="utf-8") == fetched.out
    lines = fetched.out.splitlines()
    assert lines[0] == "# the question"
    levels = [(line.count("> "), line) for line in lines if "### " in line]
    assert [level for level, _ in levels] == [0, 1, 2]
    assert all(line.startswith("> " * level + "### npub1") for level, line in levels)
    assert "> > a good word below it" in lines
    (answer,) = [line for line in lines if line.startswith("> an answer")]
    assert not {"*stars*", "<b>"} & set(answer.replace("\\*", "").split())
    assert "2023-11-14 22:13" in fetched.out


async def test_jsonl_has_no_names_and_nothing_that_is_not_in_the_thread(home: Home) -> None:
    reply, _, events = surrounded()
    async with RelayServer(stocked(events)) as relay:
        ran = await home.run("fetch", ROOT.id, "--relay", relay.url, "--format", "jsonl")
    assert (ran.code, ran.ids) == (0, [ROOT.id, reply.id])


async def test_wide_places_are_folded_for_people_unless_all_is_wanted(home: Home) -> None:
    replies = [BOB.reply(ROOT, f"reply {number}", NOW + number) for number in range(1, 24)]
    async with RelayServer(stocked([ROOT, *replies])) as relay:
        folded = await home.run("fetch", ROOT.id, "--relay", relay.url)
    every, written = await asyncio.gather(
        home.run("show", ROOT.id, "--all"), home.run("show", ROOT.id, "--format", "md")
    )
    assert "└─ … 3 more replies" in folded.out
    assert "reply 21" not in folded.out
    assert "… 3 more" not in every.out + written.out
    for reply in replies:
        assert reply.content in every.out
        assert reply.content in written.out


async def test_the_parts_of_an_answer_are_one_text_in_the_tree(home: Home) -> None:
    first = BOB.reply(ROOT, "one (1/2)", tags=(("part", "1", "2", "6", "\n\n"),))
    second = BOB.reply(first, "two (2/2)", tags=(("part", "2", "2", "6"),))
    async with RelayServer(stocked([ROOT, first, second])) as relay:
        ran = await home.run("fetch", ROOT.id, "--relay", relay.url)
    assert "parts 1-2 of 2" in ran.out
    assert [line.strip() for line in ran.out.splitlines()[-4:-1]] == ["one", "", "two"]


@pytest.mark.parametrize("key", ["environment", "folder"])
async def test_what_the_reader_muted_is_hidden_with_the_reason_and_what_is_below_it_stays(
    home: Home, key: str
) -> None:
    """No password is asked for: whose list it is stands in the key's file."""
    if key == "environment":
        home.environ["NOSTR_SECRET_KEY"] = ALICE.secret_hex()
    else:
        folder = KeyFolder(home.folder / "keys")
        folder.add("me", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=4)
        folder.use("me")
    events = [ROOT, ANSWER, GOOD, profile(BOB, "bob"), mute_list(ALICE, ("p", BOB.pubkey))]
    async with RelayServer(stocked(events)) as relay:
        fetched = await home.run("fetch", ROOT.id, "--relay", relay.url)
    written = await home.run("show", ROOT.id, "--json")
    assert (await home.run("show", ROOT.id)).out == fetched.out
    assert "its author is muted" in fetched.out
    assert ANSWER.content not in fetched.out
    assert "bob" not in fetched.out
    assert GOOD.content in fetched.out
    states = {node["id"]: (node["state"], node["why"]) for node in written.object["nodes"]}
    assert states == {
        ROOT.id: ("present", ""),
        ANSWER.id: ("hidden", "its author is muted"),
        GOOD.id: ("present", ""),
    }


async def test_a_key_that_is_gone_keeps_nobody_from_reading(home: Home) -> None:
    folder = KeyFolder(home.folder / "keys")
    folder.add("me", secret_from_hex(ALICE.secret_hex()), PASSWORD, log_n=4)
    folder.use("me")
    (home.folder / "keys" / "me.ncryptsec").unlink()
    async with RelayServer(stocked([ROOT])) as relay:
        fetched = await home.run("fetch", ROOT.id, "--relay", relay.url)
    shown, news = await asyncio.gather(home.run("show", ROOT.id), home.run("new"))
    for ran in (fetched, shown, news):
        assert ran.code == 0
        assert ROOT.content in ran.out
        assert "your mutes are not known: there is no key called 'me'" in ran.err


# Stores of earlier versions


def write_version_1(path: Path) -> None:
    """Make the file that the first version would have made of a question and its answer."""
    with version_1(path) as connection:
        for row, event in enumerate((ROOT, ANSWER), 1):
            connection.execute(
                "INSERT INTO events (event, id, pubkey, created_at, kind, json)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    *(row, bytes.fromhex(event.id), bytes.fromhex(event.pubkey)),
                    *(event.created_at, event.kind, event.to_json()),
                ),
            )
        link = "INSERT INTO links VALUES (2, 0, 'reply', ?1, NULL, ?1, 0)"
        connection.execute(link, (bytes.fromhex(ROOT.id),))


@pytest.mark.parametrize("command", [("show", ANSWER.id), ("new", "--keep"), ("outbox", "list")])
async def test_a_store_of_the_first_version_is_brought_up_to_date_by_whoever_reads_it(
    home: Home, command: tuple[str, ...]
) -> None:
    write_version_1(home.folder / "threads.db")
    ran = await home.run(*command)
    assert ran.code == 0
    if command[0] == "show":
        assert ROOT.content in ran.out
    with SqliteStore(home.folder / "threads.db", read_only=True) as store:
        assert {event.id for event in store.thread(ROOT.id)} == {ROOT.id, ANSWER.id}


async def test_what_was_in_an_old_store_is_no_news(home: Home) -> None:
    write_version_1(home.folder / "threads.db")
    ran = await home.run("new")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
