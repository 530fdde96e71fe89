"""`list`: the threads that the store holds, offline."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nostr_threads as nt
from nostr_threads.core import kinds, nip19
from nostr_threads.render.wording import short_key
from nostr_threads.store.sqlite import SqliteStore
from tests.app.worlds import ALICE, BOB, CAROL, NOW, mute_list

if TYPE_CHECKING:
    from tests.cli.program import Home

ROOT = ALICE.note("the question\nand more", NOW)
ANSWER = BOB.reply(ROOT, "an answer", NOW + 9)
ESSAY = CAROL.event(kinds.ARTICLE, "long", NOW + 5, (("d", "x"), ("title", "An \u202eessay")))
NAME = ALICE.event(kinds.PROFILE, json.dumps({"name": "alice"}), NOW)


def keep(home: Home, *events: nt.Verified) -> None:
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(events, relay="wss://seen.example", now=NOW)


async def test_threads_are_listed_with_what_is_new(home: Home) -> None:
    keep(home, ROOT, ANSWER, ESSAY, NAME)
    ran = await home.run("list")
    question, essay = ran.out.strip().split("\n\n")
    assert question.split("\n") == [
        "the question",
        f"  alice {short_key(ALICE.pubkey)} · 2 notes · 2 new · 2023-11-14",
        f"  {nt.encode(nip19.Note(ROOT.id))}",
    ]
    assert essay.startswith("An \\u202eessay\n")
    assert "naddr1" in essay
    with SqliteStore(home.folder / "threads.db") as store:
        store.looked(store.arrivals())
    assert " new" not in (await home.run("list")).out


async def test_json_is_the_contract(home: Home) -> None:
    lost = BOB.note("x", NOW, (("e", "ab" * 32, "", "root"),))
    keep(home, ROOT, ANSWER, lost)
    first, second = (await home.run("list", "--json")).objects
    assert first == {
        "root_id": ROOT.id,
        "code": first["code"],
        "title": "the question",
        "author": ALICE.pubkey,
        "kind": 1,
        "notes": 2,
        "unread": 2,
        "last_at": NOW + 9,
    }
    assert first["code"].startswith("note1")
    assert (second["root_id"], second["author"], second["kind"]) == ("ab" * 32, None, None)


async def test_a_limit_says_that_there_are_more(home: Home) -> None:
    keep(home, ROOT, ESSAY)
    one, two = await home.run("list", "--limit", "1"), await home.run("list", "--limit", "2")
    assert (one.out.count("note1"), one.out.count("naddr1")) == (0, 1)
    assert "there are more than 1" in one.err
    assert two.err == ""


async def test_whom_you_have_muted_says_nothing(alice: Home) -> None:
    keep(alice, CAROL.note("buy", NOW), mute_list(ALICE, ("p", CAROL.pubkey)))
    ran = await alice.run("list")
    assert "buy" not in ran.out
    assert short_key(CAROL.pubkey) not in ran.out


async def test_without_a_store_it_says_how_to_begin(home: Home) -> None:
    ran = await home.run("list")
    assert ran.code == 1
    assert "fetch, mirror, import or publish" in ran.err
