"""The viewer's pages as a browser without scripts, a program and a feed reader get them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import httpx
import pytest

from nostr_threads.core import kinds, nip19
from nostr_threads.core.coverage import Coverage, Finish, RelayCoverage
from nostr_threads.core.estimate import Estimate
from nostr_threads.core.event import Event, verify
from nostr_threads.core.fetched import Fetched
from nostr_threads.render.html.links import anchor
from nostr_threads.render.wording import npub
from nostr_threads.store.base import Posting
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, CAROL, NOW, mute_list
from tests.render.threads import split_answer
from tests.web.viewers import RELAY, viewing

if TYPE_CHECKING:
    from pathlib import Path

ROOT = ALICE.note("the question", NOW)
ANSWER = BOB.reply(ROOT, "an answer", NOW + 9)
LATER = CAROL.reply(ANSWER, "a later one", NOW + 20)
ESSAY = CAROL.event(
    kinds.ARTICLE, "# One\n\nwords *strong*", NOW + 5, (("d", "x"), ("title", "Essay"))
)
ATOM = "{http://www.w3.org/2005/Atom}"


def code(event: Event) -> str:
    return nip19.encode(nip19.Note(event.id))


class TestTheList:
    async def test_has_the_threads_and_what_is_new(self, tmp_path: Path) -> None:
        async with viewing(tmp_path, [ROOT, ANSWER, ESSAY]) as viewer:
            page = await viewer.page("/")
            found = await viewer.json("/")
        (rows,) = page.named("ol", "threads")
        assert [" ".join(each.text.split()) for each in rows.named("h2")] == [
            "the question",
            "Essay",
        ]
        assert [each.text for each in rows.named("span", "fresh")] == ["2 new", "1 new"]
        assert [each["title"] for each in found["threads"]] == ["the question", "Essay"]
        assert found["next"] == ""

    async def test_goes_on_page_by_page(self, tmp_path: Path) -> None:
        notes = [ALICE.note(str(number), NOW + number // 3) for number in range(120)]
        seen: list[str] = []
        path = "/"
        async with viewing(tmp_path, notes) as viewer:
            while path:
                found = await viewer.json(path)
                seen += [each["root_id"] for each in found["threads"]]
                path = found["next"]
            page = await viewer.page("/")
        assert sorted(seen) == sorted(note.id for note in notes)
        assert len(page.named("p", "following")) == 1

    async def test_of_nothing_says_how_to_begin(self, tmp_path: Path) -> None:
        async with viewing(tmp_path) as viewer:
            assert "nostr-threads fetch" in (await viewer.page("/")).text


class TestAThread:
    @pytest.mark.parametrize("named", [LATER.id, f"nostr:{code(LATER)}", code(ANSWER), ROOT.id])
    async def test_is_found_by_any_of_its_notes(self, tmp_path: Path, named: str) -> None:
        async with viewing(tmp_path, [ROOT, ANSWER, LATER]) as viewer:
            answer = await viewer.get(f"/n/{named}")
        key = nip19.parse_event(named)
        assert isinstance(key, nip19.EventPointer)
        assert answer.url.path == f"/t/{code(ROOT)}"
        assert answer.history[0].headers["location"].endswith(f"#{anchor(key.id)}")

    async def test_shows_its_notes_in_order_with_what_is_new(self, tmp_path: Path) -> None:
        async with viewing(tmp_path, [ROOT, ANSWER]) as viewer:
            await viewer.post("/looked", {"root": ROOT.id})
            viewer.store(LATER)
            page = await viewer.page(f"/t/{code(ROOT)}")
        notes = page.named("article", "note")
        assert [each.attributes["data-id"] for each in notes] == [ROOT.id, ANSWER.id, LATER.id]
        assert ["new" in each.classes for each in notes] == [False, False, True]

    async def test_of_many_notes_comes_in_pages_and_each_note_is_found(
        self, tmp_path: Path
    ) -> None:
        notes = thread(250)
        async with viewing(tmp_path, notes) as viewer:
            seen: list[str | None] = []
            path: str | None = f"/t/{code(notes[0])}"
            while path:
                page = await viewer.page(path)
                seen += [each.attributes["data-id"] for each in page.named("article", "note")]
                following = [link for p in page.named("p", "following") for link in p.named("a")]
                path = following[0].attributes["href"] if following else None
            last = await viewer.get(f"/n/{seen[-1]}")
            beyond = await viewer.get(f"/t/{code(notes[0])}?page=9")
        assert len(seen) == len(set(seen)) == 250
        assert last.url.query == b"page=3"
        assert f'data-id="{seen[-1]}"' in last.text
        assert beyond.status_code == 404

    async def test_is_json_with_the_signed_events(self, tmp_path: Path) -> None:
        async with viewing(tmp_path, [ROOT, ANSWER]) as viewer:
            found = await viewer.json(f"/t/{code(ROOT)}")
        assert found["root_id"] == ROOT.id
        assert [node["id"] for node in found["nodes"]] == [ROOT.id, ANSWER.id]
        events = [Event.from_json(json.dumps(each)) for each in found["events"]]
        assert [verify(event).id for event in events] == [ROOT.id, ANSWER.id]
        (relay,) = found["coverage"]["relays"]
        assert (relay["url"], relay["events"]) == (RELAY, 2)

    async def test_says_how_whole_it_was_when_it_was_fetched(self, tmp_path: Path) -> None:
        asked = (
            RelayCoverage(RELAY, Finish.COMPLETE, 2, 2),
            RelayCoverage("wss://slow.example", Finish.TIMEOUT, 0, 0, 0, "no\x1b answer"),
        )
        report = Fetched(NOW, Coverage(asked, estimate=Estimate(5, 4, 9)))
        async with viewing(tmp_path, [ROOT, ANSWER]) as viewer:
            never = await viewer.page(f"/t/{code(ROOT)}")
            with SqliteStore(viewer.path) as store:
                store.note_fetch(ROOT.id, report.to_json(), now=NOW)
            page = await viewer.page(f"/t/{code(ROOT)}")
        assert "never fetched as a whole" in never.text
        (whole,) = page.named("section", "whole")
        words = " ".join(whole.text.split())
        assert "1 of 2 relays answered wholly" in words
        assert "5 notes in all (4 to 9)" in words
        (drawn, *_) = page.named("tbody")[0].named("svg")
        assert drawn.attributes["aria-label"].startswith("2 notes from")  # type: ignore[union-attr]
        rows = [[each.text for each in row.all()] for row in page.named("tbody")[0].named("tr")]
        assert [row[:2] for row in rows] == [
            [RELAY, "complete"],
            ["wss://slow.example", "timeout: no\\x1b answer"],
        ]

    async def test_has_a_feed(self, tmp_path: Path) -> None:
        evil = BOB.reply(ROOT, "<b>\x00\ufffe & more\nlines", NOW + 30)
        async with viewing(tmp_path, [ROOT, ANSWER, evil]) as viewer:
            by_accept = await viewer.get(
                f"/t/{code(ROOT)}", headers={"Accept": "application/atom+xml"}
            )
            by_name = await viewer.get(f"/t/{code(ROOT)}?format=atom")
        assert by_accept.headers["content-type"].startswith("application/atom+xml")
        assert by_accept.text == by_name.text
        feed = ET.fromstring(by_accept.text)  # noqa: S314 - our own
        entries = feed.findall(f"{ATOM}entry")
        assert [each.findtext(f"{ATOM}id") for each in entries] == [
            f"nostr:{code(event)}" for event in (evil, ANSWER, ROOT)
        ]
        content = entries[0].findtext(f"{ATOM}content") or ""
        assert content == "&lt;b&gt;\\x00\ufffd &amp; more<br>\nlines"

    async def test_can_be_saved_as_a_file_that_verifies(self, tmp_path: Path) -> None:
        from nostr_threads.core.saved import Saved
        from nostr_threads.web.files import file_of

        async with viewing(tmp_path, [ROOT, ANSWER]) as viewer:
            answer = await viewer.get(f"/t/{code(ROOT)}?format=file")
        assert "attachment" in answer.headers["content-disposition"]
        assert file_of(Saved.from_page(answer.text)) == answer.text

    async def test_that_is_muted_or_missing_says_so(self, tmp_path: Path) -> None:
        lost = CAROL.reply(BOB.note("lost", NOW), "x", NOW + 1)
        muted = mute_list(ALICE, ("p", BOB.pubkey))
        async with viewing(tmp_path, [ROOT, ANSWER, lost, muted], viewer=ALICE) as viewer:
            page = await viewer.page(f"/t/{code(ROOT)}")
            other = await viewer.page(f"/n/{lost.id}")
        assert "state-hidden" in page.named("article", "note")[1].classes
        assert "an answer" not in page.text
        assert "state-missing" in other.named("article", "note")[0].classes

    async def test_of_an_external_thing_has_an_address(self, tmp_path: Path) -> None:
        url = "https://example.com/a?b=c#d"
        comment = BOB.event(kinds.COMMENT, "on a page", NOW, (("I", url), ("i", url), ("k", "web")))
        async with viewing(tmp_path, [comment]) as viewer:
            answer = await viewer.get(f"/n/{comment.id}")
            again = await viewer.get(answer.url.raw_path.decode())
        assert (answer.status_code, again.status_code) == (200, 200)
        assert "on a page" in again.text

    @pytest.mark.parametrize(
        "url", ["https://njump.me/note1" + "q" * 58, "https://a.example/" + ROOT.id, ".", "..", ""]
    )
    async def test_of_what_only_looks_like_a_code_is_its_own(
        self, tmp_path: Path, url: str
    ) -> None:
        tags = (("I", url), ("i", url), ("k", "web"))
        comment = BOB.event(kinds.COMMENT, "about a page", NOW, tags)
        async with viewing(tmp_path, [ROOT, comment]) as viewer:
            answer = await viewer.get(f"/n/{comment.id}")
        assert answer.status_code == 200
        assert "about a page" in answer.text

    async def test_is_read_again_after_a_moment(self, tmp_path: Path) -> None:
        """Something may have expired, or been purged, without anything being stored."""
        ended = BOB.reply(ROOT, "ended", NOW + 1, tags=(("expiration", str(NOW + 100)),))
        times = [NOW + 50]
        async with viewing(tmp_path, [ROOT, ended], clock=lambda: times[-1]) as viewer:
            before = await viewer.get(f"/t/{code(ROOT)}")
            times.append(NOW + 101)
            after = await viewer.get(f"/t/{code(ROOT)}")
        assert "ended" in before.text
        assert "state-expired" in after.text

    async def test_shows_the_beginning_of_what_has_no_room(self, tmp_path: Path) -> None:
        huge = BOB.reply(ROOT, "#a " * 20_000, NOW + 1)
        async with viewing(tmp_path, [ROOT, huge]) as viewer:
            page = await viewer.page(f"/t/{code(ROOT)}")
            whole = await viewer.page(f"/a/{huge.id}")
        (left,) = page.named("p", "left")
        assert left.named("a")[0].attributes["href"] == f"/a/{code(huge)}"
        assert len(page.text) < 20_000
        assert whole.named("div", "markdown")[0].text.count("#a") == 20_000

    async def test_a_note_of_far_ahead_does_not_stop_the_feed(self, tmp_path: Path) -> None:
        ahead = BOB.reply(ROOT, "ahead", 2**53 - 1)
        async with viewing(tmp_path, [ROOT, ANSWER, ahead]) as viewer:
            feed = await viewer.get(f"/t/{code(ROOT)}?format=atom")
        top = ET.fromstring(feed.text)  # noqa: S314 - our own
        assert top.findtext(f"{ATOM}updated") == "2023-11-14T22:13:29Z"
        assert len(top.findall(f"{ATOM}entry")) == 2

    @pytest.mark.parametrize(
        "path",
        ["/t/nonsense", f"/n/{'ab' * 32}", "/t/", "/a/x", "/p/nobody", "/t/npub1x", "/t/x-!"],
    )
    async def test_that_is_not_here_is_told_in_words(self, tmp_path: Path, path: str) -> None:
        async with viewing(tmp_path, [ROOT]) as viewer:
            page, data = [
                await viewer.get(path, headers={"Accept": kind})
                for kind in ("text/html", "application/json")
            ]
        assert page.status_code == data.status_code
        assert page.status_code in (400, 404)
        assert "Traceback" not in page.text
        assert data.json()["error"]


class TestALongText:
    async def test_is_laid_out_as_markdown(self, tmp_path: Path) -> None:
        async with viewing(tmp_path, [ESSAY]) as viewer:
            listed = await viewer.json("/")
            page = await viewer.page(f"/a/{listed['threads'][0]['code']}")
            found = await viewer.json(f"/a/{ESSAY.id}")
        assert [each.text for each in page.named("h1")] == ["Essay"]
        (text,) = page.named("div", "markdown")
        assert [each.text for each in text.named("em")] == ["strong"]
        assert (found["title"], found["parts"]) == ("Essay", 1)

    async def test_is_not_called_by_its_name_twice(self, tmp_path: Path) -> None:
        titled = CAROL.event(
            kinds.ARTICLE, "# Essay\n\nwords", NOW, (("d", "y"), ("title", "Essay"))
        )
        async with viewing(tmp_path, [titled]) as viewer:
            page = await viewer.page(f"/a/{titled.id}")
        assert [each.text for each in page.named("h1")] == ["Essay"]
        assert not page.named("h2")

    async def test_with_a_warning_is_shown_when_it_is_opened(self, tmp_path: Path) -> None:
        tags = (("d", "z"), ("title", "T"), ("content-warning", "sad"))
        async with viewing(
            tmp_path, [sad := CAROL.event(kinds.ARTICLE, "words", NOW, tags)]
        ) as viewer:
            page = await viewer.page(f"/a/{sad.id}")
        (warning,) = page.named("details", "warning")
        assert warning.named("div", "markdown")

    async def test_of_several_notes_is_one(self, tmp_path: Path) -> None:
        text = "# Heading\n\n" + "words " * 40 + "\n\n- a\n- b"
        parts = split_answer(BOB, ROOT, text, 3)
        async with viewing(tmp_path, [ROOT, *parts]) as viewer:
            thread_page = await viewer.page(f"/t/{code(ROOT)}")
            (link,) = thread_page.named("a", "read")
            page = await viewer.page(link.attributes["href"] or "")
            found = await viewer.json(link.attributes["href"] or "")
        assert [each.text for each in page.named("li")] == ["a", "b"]
        assert (found["text"], found["parts"]) == (text, 3)


class TestAPerson:
    async def test_has_what_they_say_of_themselves_and_their_notes(self, tmp_path: Path) -> None:
        about = {
            "name": "bob \u202e",
            "about": "<i>me</i>",
            "nip05": "bob@b.example",
            "bot": True,
            "picture": "https://b.example/p.png",
        }
        profile = BOB.event(kinds.PROFILE, json.dumps(about), NOW)
        async with viewing(tmp_path, [ROOT, ANSWER, profile]) as viewer:
            page = await viewer.page(f"/p/{npub(BOB.pubkey)}")
            found = await viewer.json(f"/p/{BOB.pubkey}")
            feed = await viewer.get(f"/p/{BOB.pubkey}?format=atom")
        assert "bob" in page.named("h1")[0].text
        assert "<i>me</i>" in page.text
        assert "says to be bob@b.example" in page.text
        assert "says to be a bot" in page.text
        assert not page.named("img")
        assert [each.attributes["data-id"] for each in page.named("article", "note")] == [ANSWER.id]
        assert found["npub"] == npub(BOB.pubkey)
        assert [each["id"] for each in found["notes"]] == [ANSWER.id]
        assert len(ET.fromstring(feed.text).findall(f"{ATOM}entry")) == 1  # noqa: S314

    async def test_of_many_notes_loses_none_between_pages(self, tmp_path: Path) -> None:
        notes = [BOB.note(str(number), NOW + number // 60) for number in range(130)]
        path, seen = f"/p/{BOB.pubkey}", []
        async with viewing(tmp_path, notes) as viewer:
            while path:
                found = await viewer.json(path)
                seen += [each["id"] for each in found["notes"]]
                path = found["next"]
        assert len(seen) == 130
        assert set(seen) == {note.id for note in notes}


class TestASearch:
    async def test_finds_words_also_in_what_came_after_it_was_opened(self, tmp_path: Path) -> None:
        async with viewing(tmp_path, [ROOT, ANSWER]) as viewer:
            first = await viewer.json("/search?q=answer")
            viewer.store(BOB.note("another answer", NOW + 50))
            page = await viewer.page("/search?q=answer")
            none = await viewer.page("/search?q=zebra")
        assert (first["count"], [each["id"] for each in first["notes"]]) == (1, [ANSWER.id])
        (found,) = page.named("ol", "hits")
        assert [each.text for each in found.named("mark")] == ["answer", "answer"]
        assert not none.named("mark")

    async def test_finds_hashtags_and_follows_codes(self, tmp_path: Path) -> None:
        tagged = BOB.note("about #Nostr", NOW, (("t", "nostr"),))
        no_note = BOB.event(30_000, "{}", NOW, (("d", ""), ("t", "nostr")))
        async with viewing(tmp_path, [ROOT, tagged, no_note]) as viewer:
            found = await viewer.json("/search?q=%23Nostr")
            note = await viewer.get(f"/search?q={code(ROOT)}")
            person = await viewer.get(f"/search?q={npub(BOB.pubkey)}")
        assert [each["id"] for each in found["notes"]] == [tagged.id]
        assert note.url.path == f"/t/{code(ROOT)}"
        assert person.url.path == f"/p/{npub(BOB.pubkey)}"

    @pytest.mark.parametrize("query", ["", "-only", '"', "<script>alert(1)</script>", "\x00"])
    async def test_of_nothing_asks_for_words(self, tmp_path: Path, query: str) -> None:
        async with viewing(tmp_path, [ROOT]) as viewer:
            answer = await viewer.get("/search", params={"q": query})
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text


async def test_the_outbox_says_what_is_where(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        with SqliteStore(viewer.path) as store:
            store.enqueue(Posting((ANSWER,), (RELAY,), 1, NOW))
        page = await viewer.page("/outbox")
        found = await viewer.json("/outbox")
    (row,) = page.named("tbody")[0].named("tr")
    assert [each.text for each in row.all()][:3] == [RELAY, "1", "queued"]
    assert [each["state"] for each in found["postings"]] == ["on its way"]


async def test_the_record_of_bots_is_shown(tmp_path: Path) -> None:
    from nostr_threads.store.bots import Taken

    async with viewing(tmp_path) as viewer:
        with SqliteStore(viewer.path) as store:
            bot = store.bots.enter(CAROL.pubkey, "faq", now=NOW)
            store.add([ROOT], relay=RELAY, now=NOW)
            store.bots.read(
                bot, (1,), 0, lambda *_: [Taken(guard="age", why="too old")], now=NOW, most=9
            )
        page = await viewer.page("/bots")
        found = await viewer.json("/bots")
    (row,) = page.named("tbody")[0].named("tr")
    assert "age: too old" in row.text
    assert [(each["bot"], each["state"]) for each in found["asks"]] == [("faq", "skipped")]


@pytest.mark.parametrize(
    ("url", "policy"),
    [
        ("https://a.example/p.png", "img-src https://a.example;"),
        ("https://a.example:8443/p.png", "img-src https://a.example:8443;"),
        ("http://127.0.0.1/p.png", None),
        ("http://192.168.1.1/p.png", None),
        ("http://router/p.png", None),
        ("https://a.example;script-src x/p.png", None),
        ("javascript:alert(1)", None),
        ("https://[::1]/p.png", None),
        ("https://a.example:x/", None),
        ("", None),
    ],
)
async def test_a_picture_is_shown_in_a_frame_that_may_load_it_alone(
    tmp_path: Path, url: str, policy: str | None
) -> None:
    async with viewing(tmp_path) as viewer:
        answer = await viewer.get("/picture", params={"url": url})
    if policy is None:
        assert answer.status_code == 400
        return
    assert answer.status_code == 200
    said = answer.headers["content-security-policy"]
    assert policy in said
    assert "script-src" not in said


async def test_a_head_and_an_unknown_form_are_answered(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        head = await viewer.client.head("/")
        other = await viewer.get("/?format=xml", headers={"Accept": "image/png;q=x, */*"})
    assert head.status_code == 200
    assert other.headers["content-type"].startswith("text/html")


async def test_its_port_is_free_again_and_one_that_is_taken_is_told(tmp_path: Path) -> None:
    from nostr_threads.errors import InvalidInput
    from nostr_threads.web.serving import bound

    async with viewing(tmp_path, [ROOT]) as viewer:
        port = int(viewer.address.url.rstrip("/").rpartition(":")[2])
        with pytest.raises(InvalidInput, match=f"port {port}"), bound(port):
            raise AssertionError("not reached")
    with bound(port):
        pass
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(viewer.address.url)
