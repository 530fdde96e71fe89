"""What a search has found, as HTML: marked, cut, and nothing but text."""

from __future__ import annotations

from hypothesis import given

from nostr_threads.core.search_terms import parse_terms
from nostr_threads.render.html.hits import Hit, hits
from nostr_threads.render.html.links import InFile
from nostr_threads.render.html.templates import fill
from nostr_threads.render.setting import Setting
from tests.app.worlds import ALICE, NOW
from tests.render.html.elements import Element, parsed
from tests.render.threads import texts


def found(content: str, search: str, *tags: tuple[str, ...]) -> Hit:
    (hit,) = hits([ALICE.note(content, NOW, tags)], parse_terms(search), Setting(), InFile(()))
    return hit


def page(hit: Hit) -> Element:
    made = fill("search.html", query="x", entries=[hit], count=1, following="", here="")
    return parsed(made.replace("<!doctype html>", ""))


def test_what_was_looked_for_is_marked_where_it_stands() -> None:
    hit = found("one <b>page</b> & another", "page")
    assert str(hit.html) == "one &lt;b&gt;<mark>page</mark>&lt;/b&gt; &amp; another"
    assert not hit.cut_before
    assert not hit.cut_after


def test_a_long_note_is_cut_around_it() -> None:
    hit = found(f"{'nothing ' * 100}page {'nothing ' * 100}", "page")
    assert (hit.cut_before, hit.cut_after) == (True, True)
    assert "<mark>page</mark>" in hit.html
    assert len(hit.html) < 400


def test_of_a_note_with_a_warning_only_that_is_shown() -> None:
    tags = (("content-warning", "ends badly"), ("subject", "the end"))
    hit = found("everybody dies", "dies", *tags)
    assert str(hit.html) == "content warning: ends badly"
    assert hit.title == ""


@given(content=texts, search=texts)
def test_no_text_gets_out_of_it(content: str, search: str) -> None:
    (shown,) = page(found(content, search)).named("ol", "hits")
    assert {each.name for each in shown.all()} <= {"li", "p", "a", "span", "bdi", "time", "mark"}
