"""Threads saved as pages (`--format html`), and `verify`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from nostr_threads.relayd import RelayServer
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, NOW
from tests.cli.terminal import at_terminal
from tests.relayd.peers import stocked
from tests.render.html.elements import parsed

if TYPE_CHECKING:
    from tests.cli.program import Home

NOTES = thread(12)
ROOT = NOTES[0].id


def keep(home: Home, *notes: object) -> None:
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(notes, relay="wss://a.example", now=NOW)  # type: ignore[arg-type] # of any test


async def test_a_page_from_the_store_is_one_file_that_verifies(home: Home) -> None:
    keep(home, *NOTES)
    shown = await home.run("show", NOTES[5].id, "--format", "html", "-o", "thread.html")
    assert (shown.code, shown.out) == (0, "")
    text = (home.folder / "thread.html").read_text(encoding="utf-8")
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text)
    assert len(parsed(text).named("article", "note")) == len(NOTES)
    checked = await home.run("verify", "thread.html", "--json")
    assert checked.code == 0, checked.err
    assert checked.object["root_id"] == ROOT
    assert (checked.object["events"], checked.object["same"]) == (len(NOTES), True)
    assert "the page shows what they say; when it was saved" in checked.err


async def test_a_fetched_thread_goes_into_a_page_and_through_a_pipe(home: Home) -> None:
    async with RelayServer(stocked(NOTES)) as relay:
        fetched = await home.run("fetch", ROOT, "--relay", relay.url, "--format", "html")
    assert fetched.code == 0, fetched.err
    assert f"{len(NOTES)} notes, none missing" in fetched.err
    checked = await home.run("verify", "-", stdin=fetched.out.encode())
    assert (checked.code, checked.err) == (0, "")
    assert "and the page shows what they say; when it was saved" in checked.out


async def test_a_page_is_no_more_than_text_to_a_terminal(home: Home) -> None:
    """A browser shows what a terminal would obey."""
    note = ALICE.note("a \x9b31m b \u202e c", NOW)
    keep(home, note)
    async with at_terminal(home, "show", note.id, "--format", "html") as terminal:
        code, shown = await terminal.end()
    assert (code, "\\x9b31m" in shown, "\\u202e" in shown) == (0, True, True)
    assert "\x9b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (r">note 7<", ">note 9<", " note 9 "),
        (r">note 7<", ">note\u202e9<", "note\\u202e9 "),
        (r'"content":"note 7"', '"content":"note 9"', "the id is not the hash of the event"),
        (r'"content":"note 7"', '"content":"note 9"', f"number 8 of the page, {NOTES[7].id}: the"),
        (r'<h1 dir="auto">', '<h1 dir="auto">Not ', "shows something else than the events"),
        (r"</style>", "p{display:none}</style>", "its words are theirs, but not its markup"),
    ],
)
async def test_what_was_changed_in_it_is_found(home: Home, old: str, new: str, why: str) -> None:
    keep(home, *NOTES)
    made = (await home.run("show", ROOT, "--format", "html")).out
    assert old in made
    home.file("changed.html", made.replace(old, new))
    checked = await home.run("verify", "changed.html")
    assert (checked.code, checked.out) == (1, "")
    assert why in checked.err
    assert len(checked.err.splitlines()) == 1
    told = await home.run("verify", "changed.html", "--json")
    assert (told.code, told.object["same"]) == (1, False)
    assert why in told.object["fault"]


async def test_of_another_versions_page_only_the_signatures_are_checked(home: Home) -> None:
    keep(home, *NOTES)
    made = (await home.run("show", ROOT, "--format", "html")).out
    other = re.sub(r'"version": "[^"]*"', '"version": "9.9"', made)
    home.file("other.html", other.replace("<h1", "<h1 class='other'"))
    checked = await home.run("verify", "other.html", "--json")
    assert checked.code == 3
    assert checked.object["same"] is None
    assert "version 9.9 made the page" in checked.err


@pytest.mark.parametrize("data", [b"<p>no page</p>", b"\xff\xfe", b""])
async def test_what_is_no_page_is_bad_input(home: Home, data: bytes) -> None:
    home.file("x.html", data)
    assert (await home.run("verify", "x.html")).code == 2


async def test_what_its_author_deleted_is_left_out_and_told(home: Home) -> None:
    root = ALICE.note("root", NOW)
    gone = BOB.reply(root, "secret", NOW)
    keep(home, root, gone, BOB.deletion(gone))
    shown = await home.run("show", root.id, "--format", "html")
    assert "1 note deleted or expired: left out of the page" in shown.err
    assert "secret" not in shown.out
