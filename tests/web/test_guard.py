"""Who may ask the viewer what: pages of other sites, other names, and who has no token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.testing import thread
from nostr_threads.web.guard import MOST_BYTES, POLICY
from tests.web.viewers import viewing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOTES = thread(3)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Host": "evil.example:PORT"}, 421),
        ({"Host": "127.0.0.1"}, 421),
        ({"Host": "localhost:PORT"}, 200),
        ({"Origin": "http://127.0.0.1:PORT"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "iframe",
            },
            403,
        ),
        (
            {
                "Sec-Fetch-Site": "cross-site",
                "Sec-Fetch-Mode": "navigate",
                "Sec-Fetch-Dest": "document",
            },
            200,
        ),
    ],
)
async def test_pages_of_other_sites_and_other_names_are_refused(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with viewing(tmp_path, NOTES) as viewer:
        port = viewer.address.url.rstrip("/").rpartition(":")[2]
        sent = {name: value.replace("PORT", port) for name, value in headers.items()}
        answer = await viewer.get("/", headers=sent)
    assert answer.status_code == status
    assert ("note 0" in answer.text) is (status == 200)


async def test_what_writes_needs_the_token_and_a_right_origin(tmp_path: Path) -> None:
    async with viewing(tmp_path, NOTES) as viewer:
        refused = [
            await viewer.client.post("/looked", json={}),
            await viewer.post("/looked", {}, token="x"),
            await viewer.post("/looked", {}, token=f"{viewer.address.token}x"),
            await viewer.client.post("/looked", json={}, headers={"Cookie": viewer.address.token}),
        ]
        unread = [each["unread"] for each in (await viewer.json("/"))["threads"]]
        done = await viewer.post("/looked", {})
        read = [each["unread"] for each in (await viewer.json("/"))["threads"]]
    assert [each.status_code for each in refused] == [401] * 4
    assert (done.status_code, unread, read) == (200, [3], [0])


async def test_the_token_is_in_no_page(tmp_path: Path) -> None:
    async with viewing(tmp_path, NOTES) as viewer:
        pages = [await viewer.get(path) for path in ("/", f"/n/{NOTES[0].id}", "/outbox", "/bots")]
    assert all(viewer.address.token not in each.text for each in pages)
    assert viewer.address.secret.startswith(f"{viewer.address.url}#token=")


async def test_every_answer_says_what_a_browser_may_do(tmp_path: Path) -> None:
    async with viewing(tmp_path, NOTES) as viewer:
        for path in ("/", "/style.css", "/static/viewer.js", "/nothing", f"/n/{NOTES[0].id}"):
            headers = (await viewer.get(path)).headers
            assert headers["content-security-policy"] == POLICY
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert not [name for name in headers if name.startswith("access-control")]
            assert "set-cookie" not in headers
    assert "unsafe" not in POLICY


async def test_too_much_is_refused(tmp_path: Path) -> None:
    async with viewing(tmp_path, NOTES) as viewer:
        answer = await viewer.post("/answer/parts", {"text": "x" * MOST_BYTES})
    assert answer.status_code == 413
    assert answer.json()["error"] == "more than 2 MiB"


async def test_a_body_that_does_not_say_its_length_is_bounded_too(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MOST_BYTES // 2**16 + 2):
            yield bytes(2**16)

    async with viewing(tmp_path, NOTES) as viewer:
        headers = {"Authorization": f"Bearer {viewer.address.token}"}
        answer = await viewer.client.post("/answer/parts", content=endless(), headers=headers)
        assert answer.status_code == 413
        assert (await viewer.get("/")).status_code == 200


@pytest.mark.parametrize("path", ["/static/../guard.py", "/static/%2e%2e/guard.py", "/static/"])
async def test_only_its_own_files_are_given(tmp_path: Path, path: str) -> None:
    async with viewing(tmp_path, NOTES) as viewer:
        assert (await viewer.get(path)).status_code == 404
