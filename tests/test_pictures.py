"""The README's pictures: made by a script from what the program does, and shown with words."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import nostr_threads as nt
from nostr_threads.cli.demo_data import ANSWER
from pictures.recording import recorded
from pictures.screenshot import PIXELS, SCHEMES, photographed
from pictures.terminal import COLUMNS
from pictures.world import LATEST, SEEN

TOP = Path(__file__).parents[1]
PLACE = TOP / "docs" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"


def committed(scheme: str) -> bytes:
    return (PLACE / f"viewer-{scheme}.png").read_bytes()


def pixels(picture: bytes) -> tuple[int, int]:
    """Width and height, as the header of a PNG says."""
    assert picture[:16] == b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    return int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])


async def test_the_recording_is_what_the_script_makes(tmp_path: Path) -> None:
    made = await recorded(tmp_path)
    assert (PLACE / "demo.svg").read_text(encoding="utf-8") == made


def test_the_recording_stands_alone_and_its_text_is_text() -> None:
    source = (PLACE / "demo.svg").read_text(encoding="utf-8")
    root = ET.fromstring(source)  # noqa: S314 - our own file
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        *("svg", "title", "desc", "style", "rect", "circle", "path", "g", "text", "tspan")
    }
    assert not re.search(r"href|url\(|@import|@font-face", source)
    assert len(source.encode()) < 60_000
    shown = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert max(map(len, shown)) <= COLUMNS
    assert "$ nostr-threads demo" in shown
    assert "6. Joined, the parts are the answer again: 960 of 960 characters" in shown
    # Who wants nothing to move sees what is there at the end.
    assert source.index("prefers-reduced-motion: no-preference") < source.index("@keyframes")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_picture_of_the_viewer_is_of_its_size(scheme: str) -> None:
    assert pixels(committed(scheme)) == PIXELS
    assert len(committed(scheme)) < 200_000


async def test_the_script_makes_such_pictures_in_light_and_in_dark(tmp_path: Path) -> None:
    made = {scheme: picture async for scheme, picture in photographed(tmp_path)}
    assert tuple(made) == SCHEMES
    assert {pixels(picture) for picture in made.values()} == {PIXELS}
    assert made["light"] != made["dark"]


def test_what_is_photographed_has_an_answer_in_parts_and_what_is_not_there() -> None:
    events = [event for had in SEEN.values() for event in had]
    thread = nt.Thread.build([*events, LATEST], now=LATEST.created_at)
    assert {node.state for node in thread.nodes} == {
        *(nt.State.PRESENT, nt.State.MISSING, nt.State.DELETED)
    }
    assert ANSWER in [article.text for article in thread.articles()]


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/viewer.md"])
def test_every_picture_on_a_page_is_there_and_is_told_in_words(page: str) -> None:
    text = (TOP / page).read_text(encoding="utf-8")
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", text)
    pictures += [each[::-1] for each in re.findall(r'<img .*src="([^"]+)" alt="([^"]*)"', text)]
    assert 1 <= len(pictures) == text.count("<img ") + text.count("![")
    for words, source in pictures:
        assert len(words.split()) > 9
        assert ((TOP / page).parent / source).is_file()
