"""Answers from a browser: planned here, signed there, kept, sent and read back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core.event import Draft, Event
from nostr_threads.core.join import join
from nostr_threads.core.node import part_of
from nostr_threads.render.contracts import event_object
from nostr_threads.store.base import Posting
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import FaultyRelay
from nostr_threads.web.answering import Answering
from tests.app.worlds import ALICE, BOB, NOW, opened
from tests.relayd.peers import stocked
from tests.web.viewers import viewing

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.testing import Author
    from tests.web.viewers import Viewing

ROOT = ALICE.note("the question", NOW)
TEXT = "\n\n".join(f"Paragraph {number} says something. " * 6 for number in range(9)).strip()
SECONDS = 20.0


def signed(drafts: list[dict[str, Any]], by: Author) -> list[dict[str, Any]]:
    """What a browser's extension makes of drafts."""
    return [
        event_object(
            by.sign(
                Draft(
                    each["created_at"],
                    each["kind"],
                    tuple(map(tuple, each["tags"])),
                    each["content"],
                )
            )
        )
        for each in drafts
    ]


async def planned(viewer: Viewing, text: str = TEXT, **more: object) -> dict[str, Any]:
    body = {"text": text, "author": BOB.pubkey, "reply_to": ROOT.id, "limit": 500, **more}
    answer = await viewer.post("/answer/plan", body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def arrived(viewer: Viewing, place: str) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        while True:
            found: dict[str, Any] = (await viewer.get(place)).json()
            if found["state"] != "on its way":
                return found
            await asyncio.sleep(0.01)  # the next answer of the viewer is as good as this one


async def test_the_parts_are_signed_sent_and_read_back(tmp_path: Path) -> None:
    async with (
        FaultyRelay(stocked([ROOT])) as relay,
        viewing(tmp_path, [ROOT], relay.url) as viewer,
    ):
        plan = await planned(viewer)
        events = signed(plan["drafts"], BOB)
        assert [each["id"] for each in events] == [each["id"] for each in plan["drafts"]]
        sent = await viewer.post("/answer/send", {"plan": plan["plan"], "events": events})
        assert sent.status_code == 202, sent.text
        report = await arrived(viewer, sent.json()["state"])
        again = await viewer.post("/answer/send", {"plan": plan["plan"], "events": events})
        stored = [relay.store.event(each["id"]) for each in events]
        page = await viewer.get(sent.json()["href"])
    assert again.json() == sent.json()
    assert report["state"] == "arrived"
    assert {each["relay"] for each in report["deliveries"]} == {relay.url}
    assert all(each is not None for each in stored)
    assert join(filter(None, map(part_of, filter(None, stored)))) == TEXT
    assert len(events) == len(plan["parts"]) > 2
    assert plan["relays"] == [{"url": relay.url, "why": plan["relays"][0]["why"], "own": True}]
    assert "Paragraph 8" in page.text


async def test_what_is_due_is_sent_again_as_long_as_the_viewer_runs(tmp_path: Path) -> None:
    """docs/viewer.md: what relays have not taken at first."""
    mine = BOB.reply(ROOT, "mine", NOW)
    async with FaultyRelay(stocked()) as relay, opened(tmp_path / "t.db", relay.url) as nostr:
        nostr.store.enqueue(Posting((mine,), (relay.url,), 1, NOW))
        answering = Answering(nostr, clock=lambda: NOW, pause=0.01)
        answering._sent.add(mine.id)
        running = asyncio.create_task(answering.run())
        async with asyncio.timeout(SECONDS):
            while relay.store.event(mine.id) is None:  # noqa: ASYNC110 - a relay has no bell
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_what_is_signed_is_kept_before_it_is_sent(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT], "ws://127.0.0.1:9") as viewer:
        plan = await planned(viewer, "short")
        sent = await viewer.post(
            "/answer/send", {"plan": plan["plan"], "events": signed(plan["drafts"], BOB)}
        )
        with SqliteStore(viewer.path, read_only=True) as store:
            (posting,) = store.postings()
    assert sent.status_code == 202
    assert posting.id == sent.json()["id"] == plan["drafts"][0]["id"]


def changed(events: list[dict[str, Any]], how: str) -> list[dict[str, Any]]:
    first, *others = events
    match how:
        case "another text":
            draft = Draft(first["created_at"], 1, tuple(map(tuple, first["tags"])), "other")
            return [event_object(BOB.sign(draft)), *others]
        case "another author":
            return signed(events, ALICE)
        case "a part too few":
            return others
        case "another order":
            return events[::-1]
        case "a forged signature":
            return [{**first, "sig": "0" * 128}, *others]
        case "no events":
            return [{"x": 1} for _ in events]
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how",
    [
        *("another text", "another author", "a part too few", "another order"),
        *("a forged signature", "no events"),
    ],
)
async def test_only_what_was_planned_is_taken(tmp_path: Path, how: str) -> None:
    async with viewing(tmp_path, [ROOT], "ws://127.0.0.1:9") as viewer:
        plan = await planned(viewer)
        events = changed(signed(plan["drafts"], BOB), how)
        refused = await viewer.post("/answer/send", {"plan": plan["plan"], "events": events})
        with SqliteStore(viewer.path, read_only=True) as store:
            kept = store.postings()
        right = signed(plan["drafts"], BOB)
        taken = await viewer.post("/answer/send", {"plan": plan["plan"], "events": right})
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]
    assert kept == []
    assert taken.status_code == 202


async def test_the_preview_says_what_a_text_becomes(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        found = (await viewer.post("/answer/parts", {"text": TEXT, "limit": 500})).json()
        stopped = (await viewer.post("/answer/parts", {"text": "It ends in the"})).json()
    assert all(len(part["text"]) <= 500 for part in found["parts"])
    assert len(found["parts"]) == found["parts"][0]["total"] > 2
    assert stopped["warnings"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/answer/parts", {"text": ""}, 400),
        ("/answer/parts", {"text": 5}, 400),
        ("/answer/parts", [], 400),
        ("/answer/parts", {"text": "xxx xxx", "limit": 2}, 400),
        ("/answer/parts", {"text": "x", "limit": "2"}, 400),
        ("/answer/plan", {"text": "x", "author": "npub"}, 400),
        ("/answer/plan", {"text": "x", "author": BOB.pubkey, "reply_to": "nonsense"}, 400),
        ("/answer/send", {"plan": "unknown", "events": []}, 404),
        ("/answer/send", {}, 400),
    ],
)
async def test_what_cannot_be_used_is_told_in_words(
    tmp_path: Path, path: str, body: object, status: int
) -> None:
    async with viewing(tmp_path, [ROOT], "ws://127.0.0.1:9") as viewer:
        answer = await viewer.post(path, body)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]


async def test_an_answer_that_is_sent_twice_at_once_is_one(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT], "ws://127.0.0.1:9") as viewer:
        plan = await planned(viewer)
        body = {"plan": plan["plan"], "events": signed(plan["drafts"], BOB)}
        sent = await asyncio.gather(*(viewer.post("/answer/send", body) for _ in range(4)))
        with SqliteStore(viewer.path, read_only=True) as store:
            postings = store.postings()
    assert {each.json()["id"] for each in sent} == {posting.id for posting in postings}
    assert len(postings) == 1


async def test_bytes_that_are_no_json_are_refused(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        headers = {"Authorization": f"Bearer {viewer.address.token}"}
        for data in (b"", b"\xff", b"[" * 100_000, b"{"):
            answer = await viewer.client.post("/answer/parts", content=data, headers=headers)
            assert answer.status_code == 400


async def test_where_relays_want_work_it_is_done_before_anybody_signs(tmp_path: Path) -> None:
    from nostr_threads.core.pow import difficulty
    from nostr_threads.relayd.limits import Limits

    async with (
        FaultyRelay(stocked([ROOT]), limits=replace(Limits(), min_pow_difficulty=8)) as relay,
        viewing(tmp_path, [ROOT], relay.url) as viewer,
    ):
        plan = await planned(viewer, "worked for")
        events = signed(plan["drafts"], BOB)
        sent = await viewer.post("/answer/send", {"plan": plan["plan"], "events": events})
        report = await arrived(viewer, sent.json()["state"])
    assert report["state"] == "arrived"
    assert all(difficulty(each["id"]) >= 8 for each in events)


async def test_an_answer_that_nobody_knows_is_not_found(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        answer = await viewer.get(f"/answer/{'ab' * 32}", headers={"Accept": "application/json"})
    assert answer.status_code == 404


async def test_a_thread_that_is_not_here_is_looked_for_when_somebody_asks(tmp_path: Path) -> None:
    reply = BOB.reply(ROOT, "an answer", NOW + 1)
    async with (
        FaultyRelay(stocked([ROOT, reply])) as relay,
        viewing(tmp_path, [], relay.url) as viewer,
    ):
        place = f"/n/{reply.id}"
        before = await viewer.get(place)
        unknown = await viewer.client.post("/fetch", json={"code": reply.id})
        found = (await viewer.post("/fetch", {"code": reply.id})).json()
        after = await viewer.get(found["href"])
        nobody = await viewer.post("/fetch", {"code": "ab" * 32})
        nonsense = await viewer.post("/fetch", {"code": "x"})
    assert (before.status_code, unknown.status_code) == (404, 401)
    assert "Look for it at the relays" in before.text
    assert (found["found"], found["missing"], found["whole"]) == (2, 0, True)
    assert "an answer" in after.text
    assert (nobody.status_code, nonsense.status_code) == (404, 400)


async def test_relays_that_cannot_be_reached_are_told(tmp_path: Path) -> None:
    async with viewing(tmp_path, [], "ws://127.0.0.1:9") as viewer:
        answer = await viewer.post("/fetch", {"code": ROOT.id})
    assert answer.status_code == 503
    assert "the relay could not be reached" in answer.json()["error"]


def test_the_events_of_a_browser_are_events() -> None:
    assert Event.from_json(json.dumps(event_object(ROOT))) == ROOT
