"""What is stored while a page is open is told to it, whoever stores it."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import httpx

from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, CAROL, NOW
from tests.web.viewers import viewing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.web.viewers import Viewing

ROOT = ALICE.note("the question", NOW)
SECONDS = 30.0


async def told(lines: AsyncIterator[str]) -> tuple[str, list[dict[str, Any]]]:
    """Return the next event: its id and what it says."""
    async with asyncio.timeout(SECONDS):
        found: dict[str, str] = {}
        async for line in lines:
            name, _, value = line.partition(": ")
            if line:
                found[name] = value
            elif "event" in found:
                assert found["event"] == "stored"
                return found["id"], json.loads(found["data"])
            else:
                found.clear()
    raise AssertionError("the stream ended")


def stream(viewer: Viewing, after: object = "", **headers: str) -> Any:
    return viewer.client.stream("GET", f"/live?after={after}", headers=headers)


async def cursor_of(viewer: Viewing) -> str:
    page = await viewer.page(f"/n/{ROOT.id}")
    (thread_of_page,) = [each for each in page.named("div") if "data-cursor" in each.attributes]
    return thread_of_page.attributes["data-cursor"] or ""


async def test_a_reply_is_told_with_its_thread(tmp_path: Path) -> None:
    reply = BOB.reply(ROOT, "yes", NOW)
    async with (
        viewing(tmp_path, [ROOT]) as viewer,
        stream(viewer, await cursor_of(viewer)) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        viewer.store(reply, CAROL.reaction(reply))
        _, (told_of,) = await told(answer.aiter_lines())
    assert told_of["root"] == ROOT.id
    assert told_of["notes"] == [reply.id]
    assert told_of["path"].startswith("/t/note1")


async def test_what_came_before_the_stream_and_after_the_page_is_told_too(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        cursor = await cursor_of(viewer)
        viewer.store(reply := BOB.reply(ROOT, "yes", NOW))
        async with stream(viewer, cursor) as answer:
            last, (first,) = await told(answer.aiter_lines())
        viewer.store(later := BOB.reply(ROOT, "and", NOW))
        async with stream(viewer, cursor, **{"Last-Event-ID": last}) as answer:
            _, (second,) = await told(answer.aiter_lines())
    assert (first["notes"], second["notes"]) == ([reply.id], [later.id])


async def test_only_what_the_page_has_shown_is_marked_as_read(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        cursor = int(await cursor_of(viewer))
        viewer.store(BOB.reply(ROOT, "yes", NOW))
        await viewer.post("/looked", {"root": ROOT.id, "cursor": cursor})
        (listed,) = (await viewer.json("/"))["threads"]
    assert (listed["notes"], listed["unread"]) == (2, 1)


async def test_a_great_import_is_told_in_short(tmp_path: Path) -> None:
    notes = thread(1_500)
    async with (
        viewing(tmp_path, [ROOT]) as viewer,
        stream(viewer, await cursor_of(viewer)) as answer,
    ):
        viewer.store(*notes)
        lines = answer.aiter_lines()
        _, (first,) = await told(lines)
        _, (second,) = await told(lines)
    assert first["root"] == second["root"] == notes[0].id
    assert len(first["notes"]) == 100
    assert first["count"] + second["count"] == 1_500


async def test_too_many_pages_are_refused_and_gone_ones_make_room(tmp_path: Path) -> None:
    async with viewing(tmp_path, [ROOT]) as viewer:
        async with AsyncExitStack() as open_ones:
            read = []  # an answer is over when nobody reads it any more
            for _ in range(64):
                answer = await open_ones.enter_async_context(stream(viewer))
                read.append(answer.aiter_lines())
                assert await anext(read[-1]) == "retry: 2000"
            refused = await viewer.get("/live")
        async with asyncio.timeout(SECONDS):
            while await is_refused(viewer):
                pass
    assert refused.status_code == 503


async def is_refused(viewer: Viewing) -> bool:
    async with stream(viewer) as answer:
        return bool(answer.status_code == 503)


async def test_open_streams_do_not_keep_the_viewer_from_ending(tmp_path: Path) -> None:
    # The client ends last.
    async with AsyncExitStack() as open_ones, asyncio.timeout(SECONDS):  # noqa: SIM117
        async with viewing(tmp_path, [ROOT]) as viewer:
            client = await open_ones.enter_async_context(
                httpx.AsyncClient(base_url=viewer.address.url, timeout=SECONDS)
            )
            answer = await open_ones.enter_async_context(client.stream("GET", "/live"))
            lines = answer.aiter_lines()
            assert await anext(lines) == "retry: 2000"
