"""The objects behind `--json`: exactly the keys that are promised."""

from __future__ import annotations

import json

import pytest

import nostr_threads as nt
from nostr_threads.core.compose import compose
from nostr_threads.core.coverage import RelayCoverage
from nostr_threads.core.estimate import Estimate
from nostr_threads.core.routing import Choice, Reason
from nostr_threads.core.tally import Tally
from nostr_threads.render.contracts import (
    arrival_object,
    delivery_objects,
    event_object,
    part_objects,
    posted_objects,
    thread_object,
)
from tests.app.worlds import ALICE, BOB, CAROL, LIMIT, LONG, NOW
from tests.render.threads import split_answer

ROOT = ALICE.note('tricky "text" \u2028 \x00 🧵', NOW, (("t", "x"), ("p", BOB.pubkey, "")))
EMPTY = nt.Coverage()
NAMED = Choice("wss://a.example", Reason.NAMED)


def test_an_event_is_written_as_nip01_writes_it() -> None:
    written = event_object(ROOT)
    assert written == json.loads(ROOT.to_json())
    assert list(written) == ["id", "pubkey", "created_at", "kind", "tags", "content", "sig"]
    assert nt.verify(nt.Event.from_json(json.dumps(written))) == ROOT


def test_a_thread_of_nothing_has_every_key() -> None:
    assert thread_object(nt.Thread.build([]), EMPTY, None) == {
        "root_id": None,
        "root": None,
        "found": 0,
        "missing": [],
        "unsure": [],
        "nodes": [],
        "articles": [],
        "names": {},
        "coverage": {"relays": [], "estimate": None, "budget_hit": None},
        "fetched": None,
    }


def test_the_coverage_names_each_relay_and_those_that_are_unsure() -> None:
    coverage = nt.Coverage(
        (
            RelayCoverage("wss://a.example", nt.Finish.COMPLETE, 3, 1, choice=NAMED, counted=4),
            RelayCoverage("wss://b.example", nt.Finish.TIMEOUT, 2, 0, 7, "slow"),
            RelayCoverage("wss://c.example", None, 1, 0),
        ),
        estimate=Estimate(9, 5, 14),
    )
    written = thread_object(nt.Thread.build([ROOT]), coverage, "200 questions")
    assert written["unsure"] == ["wss://b.example"]
    assert written["coverage"] == {
        "relays": [
            {"url": f"wss://{name}.example", "finish": finish, "events": events, "only_here": only}
            | {"refused": refused, "reason": reason, "counted": counted, "why": why}
            for name, finish, events, only, refused, reason, counted, why in (
                ("a", "complete", 3, 1, 0, "", 4, "named by hand"),
                ("b", "timeout", 2, 0, 7, "slow", None, None),
                ("c", None, 1, 0, 0, "", None, None),
            )
        ],
        "estimate": {"total": 9, "low": 5, "high": 14},
        "budget_hit": "200 questions",
    }


def test_names_are_those_of_the_authors_and_counts_those_of_the_node() -> None:
    reply = BOB.reply(ROOT, "x")
    names = {ALICE.pubkey: "alice", BOB.pubkey: "bob \x1b[31m", CAROL.pubkey: "was mentioned"}
    tallies = {reply.id: Tally({"+": 2, "🤙": 1}, reposts=3, zaps=4)}
    thread = nt.Thread.build([ROOT, reply])
    written = thread_object(thread, EMPTY, None, names=names, tallies=tallies)
    assert written["names"] == {ALICE.pubkey: "alice", BOB.pubkey: "bob \x1b[31m"}
    nodes = written["nodes"]
    assert isinstance(nodes, list)
    counts = [(node["reactions"], node["reposts"], node["zaps"]) for node in nodes]
    assert counts == [({}, 0, 0), ({"+": 2, "🤙": 1}, 3, 4)]


def test_an_arrival_is_an_event_and_the_root_of_its_thread() -> None:
    assert arrival_object("30023:ab:x", ROOT) == {
        "root_id": "30023:ab:x",
        "event": event_object(ROOT),
        "kept": False,
    }
    assert arrival_object("x", ROOT, kept=True)["kept"] is True


def test_what_is_kept_is_present_and_says_what_its_author_wanted() -> None:
    gone = BOB.reply(ROOT, "gone")
    request = BOB.event(5, "sorry", ROOT.created_at + 9, (("e", gone.id),))
    for keep, said in (
        (True, ("present", "sorry", "deleted")),
        (False, ("deleted", "sorry", None)),
    ):
        thread = nt.Thread.build([ROOT, gone, request], keep=keep)
        nodes = thread_object(thread, EMPTY, None)["nodes"]
        assert isinstance(nodes, list)
        first, second = ((node["state"], node["why"], node["kept"]) for node in nodes)
        assert (first, second) == (("present", "", None), said)


def test_a_missing_root_is_null_with_its_id() -> None:
    reply = BOB.reply(ROOT, "x", relay="wss://nos.lol")
    written = thread_object(nt.Thread.build([reply]), EMPTY, None)
    assert (written["root_id"], written["root"], written["found"]) == (ROOT.id, None, 1)
    assert written["missing"] == [
        {"id": ROOT.id, "wanted_by": [reply.id], "hints": ["wss://nos.lol"]}
    ]
    nodes = written["nodes"]
    assert isinstance(nodes, list)
    assert nodes[0] == {
        "id": ROOT.id,
        "parent": None,
        "depth": 0,
        "author": None,
        "created_at": None,
        "kind": None,
        "state": "missing",
        "why": "not found",
        "kept": None,
        "part": None,
        "reactions": {},
        "reposts": 0,
        "zaps": 0,
    }


def test_every_state_has_the_name_that_is_promised() -> None:
    assert {state.value for state in nt.State} == {
        "present",
        "missing",
        "deleted",
        "expired",
        "hidden",
    }


def test_texts_of_several_notes_are_joined_and_say_how_surely() -> None:
    ours = split_answer(BOB, ROOT, "first half, second half", 2)
    theirs = [CAROL.reply(ROOT, "1/3 One.", NOW + 9)]
    theirs.append(CAROL.reply(theirs[0], "2/3 Two.", NOW + 10))
    written = thread_object(nt.Thread.build([ROOT, *ours, *theirs]), EMPTY, None)
    assert written["articles"] == [
        {
            "nodes": [event.id for event in ours],
            "text": "first half, second half",
            "exact": True,
            "missing": [],
        },
        {
            "nodes": [event.id for event in theirs],
            "text": "One.\n\nTwo.",
            "exact": False,
            "missing": [3],
        },
    ]


@pytest.mark.parametrize("status", nt.Status)
def test_every_outcome_has_a_promised_name(status: nt.Status) -> None:
    (written,) = delivery_objects([nt.Delivery(2, "wss://a.example", status, "why")])
    assert written["status"] in {
        "stored",
        "accepted",
        "duplicate",
        "rejected",
        "no-answer",
        "unreachable",
        "lost",
        "given-up",
        "cancelled",
    }
    assert written == {
        "part": 2,
        "relay": "wss://a.example",
        "status": written["status"],
        "reason": "why",
    }


def test_what_was_not_sent_says_so() -> None:
    (written,) = delivery_objects([nt.Delivery(1, "wss://a.example", nt.Status.QUEUED)])
    assert (written["status"], written["reason"]) == ("no-answer", "not sent")


def test_a_parts_bytes_are_those_of_the_event_it_becomes() -> None:
    parts = nt.split(LONG, LIMIT)
    drafts = compose(parts, author=ALICE.pubkey, created_at=NOW)
    events = [ALICE.sign(draft) for draft in drafts]
    planned, posted = list(part_objects(parts, drafts)), list(posted_objects(events))
    for part, plan, post in zip(parts, planned, posted, strict=True):
        assert plan == {
            "index": part.index,
            "total": len(parts),
            "text": part.text,
            "characters": len(part.text),
            "bytes": post["bytes"],
            "break": None if part.ends is None else part.ends.name.lower(),
        }
        assert {**post, "event": None} == {
            "index": part.index,
            "total": len(parts),
            "id": events[part.index - 1].id,
            "characters": len(part.text),
            "bytes": len(events[part.index - 1].to_json().encode()),
            "event": None,
        }
