"""The documentation as a site: built without a warning, whole, and asking nobody for anything."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from playwright.async_api import async_playwright

import nostr_threads as nt
from tests.web.conftest import PLACE, QUIET

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("zensical", reason="the extra dev is not installed")

TOP = Path(__file__).parents[1]
SOURCES = sorted((TOP / "docs").glob("*.md"))
# What a Markdown reader elsewhere must see as the same: where one begins another structure, the
# text has been read differently.
STRUCTURE = frozenset(("p", "ul", "ol", "li", "table", "tr", "td", "pre", "blockquote", "h2", "h3"))
# These are filled in from elsewhere: docstrings, programs.
FILLED = ("python.md", "examples.md")
PROGRAMS = frozenset((".py", ".js", ".toml"))
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "srcset", "link": "href"}


@dataclass
class Page(HTMLParser):
    """What a page of the site has: anchors, links, what it loads, and the elements of its text."""

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    elements: Counter[str] = field(default_factory=Counter)
    inside: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids.add(has.get("id", ""))
        self.inside |= tag == "article"
        if self.inside and tag in STRUCTURE:
            self.elements[tag] += 1
        if tag == "a" and "href" in has:
            self.links.append(has["href"])
        if tag in LOADING and LOADING[tag] in has:
            self.loads.append(has[LOADING[tag]])

    def handle_endtag(self, tag: str) -> None:
        if tag == "article":
            self.inside = False


def read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it as its reader would, of a copy: what is built must lie beside what it is of."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("docs", "examples"):
        shutil.copytree(TOP / name, folder / name)
    shutil.copy(TOP / "zensical.toml", folder)
    (folder / "nostr_threads").symlink_to(TOP / "nostr_threads")
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=50,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "No issues found" in built.stdout + built.stderr
    return folder / "site"


def leaves(navigation: Any) -> Iterator[str]:
    """Yield the pages that a navigation leads to."""
    match navigation:
        case str():
            yield navigation
        case list() | dict():
            values = navigation.values() if isinstance(navigation, dict) else navigation
            for each in values:
                yield from leaves(each)


def test_every_page_is_in_the_navigation_once() -> None:
    project = tomllib.loads((TOP / "zensical.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(leaves(project["nav"])) == [page.name for page in SOURCES]


def test_every_example_is_on_its_page(site: Path) -> None:
    page = (TOP / "docs" / "examples.md").read_text(encoding="utf-8")
    taken = re.findall(r'^--8<-- "(.*)"$', page, re.MULTILINE)
    programs = (each for each in (TOP / "examples").rglob("*") if each.suffix in PROGRAMS)
    assert sorted(taken) == sorted(each.relative_to(TOP).as_posix() for each in programs)
    shown = (site / "examples.html").read_text(encoding="utf-8")
    words = unescape(re.sub(r"<[^>]*>", "", shown))
    assert "class Echo" in words
    assert "8<" not in words


def test_every_link_inside_the_site_leads_somewhere(site: Path) -> None:
    pages = {path: read(path) for path in site.glob("*.html") if path.name != "404.html"}
    assert len(pages) == len(SOURCES)
    for path, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            assert target.is_file(), f"{path.name}: {link}"
            if url.fragment and target in pages:
                assert unquote(url.fragment) in pages[target].ids, f"{path.name}: {link}"


def test_every_public_name_is_in_the_reference_and_described(site: Path) -> None:
    page = read(site / "python.html")
    assert {f"nostr_threads.{name}" for name in nt.__all__} <= page.ids
    # So are methods, and what an enumeration may be.
    assert {"nostr_threads.Nostr.publish", "nostr_threads.State.MISSING"} <= page.ids
    text = (site / "python.html").read_text(encoding="utf-8")
    assert "Fetch, show and publish. Made by <code>nostr_threads.open</code>." in text


def test_a_page_loads_nothing_from_another_host(site: Path) -> None:
    for path in site.glob("*.html"):
        for loaded in read(path).loads:
            url = urlsplit(loaded)
            assert (url.scheme, url.netloc) == ("", ""), f"{path.name}: {loaded}"
            assert path.name == "404.html" or (site / url.path).exists(), f"{path.name}: {loaded}"
    for style in site.rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert "@import" not in text
        assert not re.search(r"url\([\"']?(?!data:|[\"']?#)\s*(https?:)?//", text), style.name


async def test_a_browser_asks_no_other_host_for_anything(site: Path) -> None:
    asked: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PLACE, args=QUIET)
        page = await browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for source in SOURCES:
            await page.goto((site / f"{source.stem}.html").as_uri())
        await browser.close()
    assert len(asked) > len(SOURCES)
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data", "blob"}


@pytest.mark.parametrize("source", [each.name for each in SOURCES if each.name not in FILLED])
def test_a_page_is_read_on_the_site_as_it_is_elsewhere(site: Path, source: str) -> None:
    elsewhere = Page()
    rendered = (
        MarkdownIt("commonmark")
        .enable("table")
        .render((TOP / "docs" / source).read_text(encoding="utf-8"))
    )
    elsewhere.feed(f"<article>{rendered}</article>")
    assert read(site / source.replace(".md", ".html")).elements == elsewhere.elements
