"""Threads as HTML: what is shown of a note, and that no text gets out of it."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nostr_threads as nt
from nostr_threads.core import nip19
from nostr_threads.core.tally import Tally
from nostr_threads.render.html.articles import article
from nostr_threads.render.html.entries import Entries, Entry
from nostr_threads.render.html.links import InFile, anchor
from nostr_threads.render.html.plot import plot
from nostr_threads.render.html.templates import fill
from nostr_threads.render.html.texts import Speller
from nostr_threads.render.outline import outline
from nostr_threads.render.setting import Setting
from nostr_threads.render.wording import short_code, short_key
from tests.app.worlds import ALICE, BOB, CAROL, NOW
from tests.render.html.elements import Element, parsed
from tests.render.threads import hostile_threads, split_answer, texts

ROOT = ALICE.note("root", NOW)
# What a stranger's text may become in a note, and what an article's may.
IN_A_NOTE = {"a", "bdi", "span"}
IN_AN_ARTICLE = IN_A_NOTE | {
    *(
        "blockquote",
        "br",
        "code",
        "em",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "s",
    ),
    *("strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
LEADS = re.compile(r"#n-[0-9a-f]{64}|nostr:[a-z0-9]+|https?://.+")


def page_of(thread: nt.Thread, setting: Setting) -> Element:
    """The page of a thread, without what is embedded in it."""
    links = InFile({node.id for node in thread.nodes})
    entries = Entries(thread, setting, links)
    return parsed(
        fill(
            "export.html",
            title=entries.title(),
            summary="",
            made_at=_time(),
            entries=[entries.entry(block) for block in outline(thread, setting.fold)],
            plot=plot([event.created_at for event in thread.events]),
            fetched=None,
            coverage=(),
            data="{}",
        )
    )


def _time() -> object:
    from nostr_threads.render.html.entries import time_of

    return time_of(NOW, None)


def notes_of(*events: nt.Verified, setting: Setting | None = None) -> list[Element]:
    page = page_of(nt.Thread.build(events), setting or Setting())
    return page.named("article", "note")


def said(note: Element) -> str:
    return "".join(each.text for each in note.named("div", "text"))


def is_shown(text: str) -> bool:
    """Nothing in it moves or turns what is around it."""
    return all(
        character in "\n\u200c\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Co")
        for character in text
        if not 0xE0020 <= ord(character) < 0xE0080
    )


@given(world=hostile_threads())
def test_no_text_gets_out_of_its_note(world: tuple[nt.Thread, Setting]) -> None:
    thread, setting = world
    page = page_of(thread, setting)
    notes = page.named("article", "note")
    assert len(notes) == sum(1 for _ in outline(thread))
    ids = [each.attributes["id"] for each in page.all() if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    for element in page.all():
        assert not any(name.startswith("on") or name == "style" for name in element.attributes)
        assert element.name not in ("iframe", "object", "embed", "form", "input", "img", "base")
        if "href" in element.attributes:
            assert LEADS.fullmatch(element.attributes["href"] or ""), element.attributes
        assert is_shown("".join(each for each in element.inside if isinstance(each, str)))
    for note in notes:
        for text in note.named("div", "text"):
            allowed = IN_AN_ARTICLE if "markdown" in text.classes else IN_A_NOTE
            assert {each.name for each in text.all()} <= allowed


@given(text=texts)
def test_a_text_reads_as_it_was_written(text: str) -> None:
    """Nothing is lost, whatever looks like markup; control characters show by their names."""
    from nostr_threads.render.escape import printable

    (note,) = notes_of(ALICE.note(f"({text})", NOW))
    expected = printable(f"({text})".expandtabs(4))
    assert squeezed(said(note)) == squeezed(expected)


def squeezed(text: str) -> str:
    """What is a code or a number of a tag stands there as a name: compare the rest."""
    return re.sub(r"\s+", " ", re.sub(r"#\[\d\]", "", text)).strip()


@given(text=texts)
def test_an_article_can_do_nothing_but_be_read(text: str) -> None:
    event = ALICE.article("d", text, NOW)
    links = InFile(())
    made = parsed(str(article(event, Speller(Setting(), links), links)))
    assert {each.name for each in made.all()} <= IN_AN_ARTICLE
    for element in made.all():
        assert set(element.attributes) <= {"href", "rel", "target", "class", "start", "tabindex"}
        if "href" in element.attributes:
            assert LEADS.fullmatch(element.attributes["href"] or "")
    assert is_shown(made.text)
    assert "\ue000" not in made.text


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# One\n\ntext", "<h3>One</h3><p>text</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("[a](javascript:x)", "<p>[a](javascript:x)</p>"),
        ("[a](/outbox)", "<p>[a](/outbox)</p>"),
        ("[a](//x.example)", "<p>[a](//x.example)</p>"),
        (
            "see https://a.example/x.",
            '<p>see <a OUT href="https://a.example/x">https://a.example/x</a>.</p>',
        ),
        ("`https://a.example`", "<p><code>https://a.example</code></p>"),
        ("![alt](https://a.example/p.png)", '<p><a OUT href="https://a.example/p.png">alt</a></p>'),
        ("![](data:image/png;base64,AA)", "<p>![](data:image/png;base64,AA)</p>"),
        ("```js\n<x>\n```", '<pre tabindex="0"><code>&lt;x&gt;\n</code></pre>'),
    ],
)
def test_markdown_is_laid_out_and_leads_only_to_the_web(markdown: str, html: str) -> None:
    links = InFile(())
    made = str(article(ALICE.article("d", markdown, NOW), Speller(Setting(), links), links))
    made = re.sub(
        r'<a (href="[^"]*") target="_blank" rel="nofollow noopener noreferrer">',
        r"<a OUT \1>",
        made,
    )
    assert made.replace("\n<p>", "<p>").strip() == html


@pytest.mark.parametrize(
    "text",
    [
        "x &#xE000;99&#xE001;",
        "[x](%EE%80%8099%EE%80%81)",
        "[x](<&#xE000;99&#xE001;>)",
        "[a][r]\n\n[r]: %EE%80%8077%EE%80%81",
        "&#x202E;moc.live&#x202C; &rlm;&#x2028;&InvisibleTimes; `&#x202e;`",
        "[https://good.example/&#x202e;cod.exe](https://evil.example/&#x202e;)",
        "![&#x202e;](https://evil.example/p.png) &lt;b&gt; &#60;script&#62;",
        "    &#x202e;\n\n```&#x202e;\n&#x202e;\n```\n\n|&#x202e;|\n|-|\n|&#x200b;|",
        '[a](http://x.example "t&#x202e;gnp.exe") [b](http://x.example/&shy;&#x61c;&#xE0001;)',
        "http://x.example/\u061c\u00ad\U000e0001 http://x.example/&#x61c;",
        "<&#x202e;> nostr:npub1x [a](nostr:npub1x) [b](nostr:javascript:x) [c](NOSTR:x)",
    ],
)
def test_what_a_text_only_names_is_named_too(text: str) -> None:
    """The parser decodes entities: nothing of that moves what is around it."""
    links = InFile(())
    made = parsed(str(article(ALICE.article("d", text, NOW), Speller(Setting(), links), links)))
    assert is_shown(made.text)
    for element in made.all():
        assert element.name in IN_AN_ARTICLE
        assert is_shown("".join(value or "" for value in element.attributes.values()))
        if "href" in element.attributes:
            assert (
                LEADS.fullmatch(element.attributes["href"] or "") or not element.attributes["href"]
            )


def test_what_is_longer_than_a_book_is_shown_as_it_was_written() -> None:
    text = "# no heading <b>\n" + "![" * 100_001
    links = InFile(())
    made = parsed(str(article(ALICE.article("d", text, NOW), Speller(Setting(), links), links)))
    assert [each.name for each in made.all()] == ["pre"]
    assert made.text == text


def test_a_page_lays_out_so_much_and_then_beginnings() -> None:
    class Linked(InFile):
        def article(self, key: str) -> str:
            return f"/a/{key}"

    notes = [BOB.reply(ROOT, "word " * 6_000, NOW + number) for number in range(20)]
    thread = nt.Thread.build([ROOT, *notes])
    entries = Entries(thread, Setting(), Linked(()))
    made = [entries.entry(block) for block in outline(thread)]
    cut = [isinstance(each, Entry) and each.is_cut for each in made]
    assert cut == [False] * 10 + [True] * 11


def test_people_and_events_in_an_article_are_linked_by_name_and_as_targets() -> None:
    code = nip19.encode(nip19.PublicKey(BOB.pubkey))
    links = InFile({ROOT.id})
    setting = Setting(names={BOB.pubkey: "Bob <b>"})
    text = f"nostr:{code} and [him](nostr:{code}), nostr:{nip19.encode(nip19.Note(ROOT.id))}"
    made = parsed(str(article(ALICE.article("d", text, NOW), Speller(setting, links), links)))
    shown = [(each.text, each.attributes["href"]) for each in made.named("a")]
    assert shown == [
        ("@Bob <b>", f"nostr:{code}"),
        ("him", f"nostr:{code}"),
        (short_code(ROOT.id), f"#{anchor(ROOT.id)}"),
    ]


def test_a_note_says_who_wrote_it_when_and_what_it_answers() -> None:
    reply = BOB.reply(ROOT, "yes", NOW)
    setting = Setting(names={BOB.pubkey: "bob"}, tallies={reply.id: Tally({"+": 2}, 1, 0)})
    root, answer = notes_of(ROOT, reply, setting=setting)
    assert (root.attributes["id"], root.attributes["data-depth"]) == (anchor(ROOT.id), "0")
    (by,) = answer.named("h2", "by")
    assert by.text.split() == ["bob", short_key(BOB.pubkey)]
    (about,) = answer.named("p", "about")
    assert " ".join(about.text.split()) == (
        f"2023-11-14 22:13 UTC ♥ 2 · 1 repost reply to {short_key(ALICE.pubkey)}"
    )
    (time,) = answer.named("time")
    assert time.attributes["datetime"] == "2023-11-14T22:13:20Z"
    assert [each.attributes["href"] for each in answer.named("a", "parent")] == [
        f"#{anchor(ROOT.id)}"
    ]


def test_the_parts_of_an_answer_are_one_text_with_seams_at_which_each_note_begins() -> None:
    parts = split_answer(BOB, ROOT, "one two three four", 3)
    root, answer = notes_of(ROOT, *parts)
    assert said(answer) == "one two three four"
    assert [each.attributes["id"] for each in answer.named("span", "seam")] == [
        anchor(part.id) for part in parts[1:]
    ]
    (seams,) = answer.named("details", "seams")
    assert seams.named("summary")[0].text == "3 notes, one text"
    assert [each.attributes["href"] for each in seams.named("a")] == [
        f"#{anchor(part.id)}" for part in parts
    ]
    assert not root.named("details")


def test_what_is_not_there_says_so_and_why() -> None:
    gone = BOB.reply(ROOT, "gone", NOW)
    lost = CAROL.reply(gone, "lost", NOW)
    below = ALICE.reply(lost, "below", NOW)
    thread = nt.Thread.build([ROOT, gone, below, BOB.deletion(gone)], root=ROOT.id)
    shown = {
        each.attributes["id"]: " ".join(each.text.split())
        for each in page_of(thread, Setting()).named("article", "note")
    }
    assert "its author asked for its deletion" in shown[anchor(gone.id)]
    assert "gone" not in shown[anchor(gone.id)]
    assert f"not found; answered by {short_key(ALICE.pubkey)}" in shown[anchor(lost.id)]


def test_the_muted_have_no_name_and_no_text() -> None:
    reply = BOB.reply(ROOT, "buy this", NOW)
    thread = nt.Thread.build([ROOT, reply], muted=[BOB.pubkey])
    _, hidden = page_of(thread, Setting(names={BOB.pubkey: "bob"})).named("article", "note")
    assert "state-hidden" in hidden.classes
    assert "bob" not in hidden.text
    assert "buy this" not in hidden.text


def test_what_has_a_warning_is_shown_when_it_is_opened() -> None:
    (note,) = notes_of(ALICE.note("secret end", NOW, (("content-warning", "spoiler"),)))
    (warning,) = note.named("details", "warning")
    assert warning.named("summary")[0].text == "content warning: spoiler"
    assert [each.text for each in note.named("div", "text")] == ["secret end"]
    assert [each.text for each in warning.named("div", "text")] == ["secret end"]


def test_a_quoted_note_is_shown_in_place_and_a_long_one_is_cut() -> None:
    cited = BOB.note("word " * 200, NOW)
    quoting = ALICE.note(f"see nostr:{nip19.encode(nip19.Note(cited.id))} there", NOW)
    (note,) = notes_of(quoting, setting=Setting(quoted={cited.id: cited}))
    (quote,) = note.named("blockquote")
    shown = quote.named("div", "text")[0].text
    assert shown.endswith("…")
    assert 400 < len(shown) < 600
    assert [each.text for each in note.named("div", "text")][0::2] == ["see", "there"]


@pytest.mark.parametrize("depth", [600, 20])
def test_depth_neither_nests_elements_nor_recurses(depth: int) -> None:
    from tests.render.threads import answered

    page = page_of(nt.Thread.build(answered(depth, deep=True)), Setting())
    assert len(page.named("li")) == depth
    assert "d8" in page.named("li")[-1].classes


def test_a_picture_is_a_link_and_nothing_is_loaded() -> None:
    (note,) = notes_of(ALICE.note("https://a.example/x.png", NOW))
    (link,) = [each for each in note.named("a") if "https" in (each.attributes["href"] or "")]
    assert link.attributes["rel"] == "nofollow noopener noreferrer"
    assert not note.named("img")


class TestThePlot:
    def test_has_a_bar_for_each_stretch_and_leaves_nothing_out(self) -> None:
        made = plot([NOW, NOW + 1, NOW + 480, NOW + 480, NOW + 480])
        assert made is not None
        assert [(bar.place, bar.height) for bar in made.bars] == [(0, 27), (43, 40)]
        assert made.words.startswith("5 notes from 2023-11-14 22:13 UTC to")

    def test_of_some_covers_the_time_of_all(self) -> None:
        made = plot([NOW + 480], [NOW, NOW + 480])
        assert made is not None
        assert [bar.place for bar in made.bars] == [43]
        none = plot([], [NOW, NOW + 480])
        assert none is not None
        assert none.bars == ()

    @pytest.mark.parametrize("times", [[], [NOW], [NOW, NOW]])
    def test_of_one_moment_is_none(self, times: list[int]) -> None:
        assert plot(times) is None

    @given(times=st.lists(st.integers(0, 2**33), min_size=2))
    def test_fits_its_width_and_height(self, times: list[int]) -> None:
        made = plot(times)
        for bar in made.bars if made is not None else ():
            assert made is not None
            assert 0 <= bar.place < made.width
            assert 1 <= bar.height <= made.height


def test_a_date_that_no_calendar_has_is_a_number() -> None:
    (note,) = notes_of(ALICE.note("x", 2**53 - 1))
    assert not note.named("time")
    assert f"at {2**53 - 1}" in note.text


def test_entries_of_notes_nobody_has_looked_at_are_new() -> None:
    thread = nt.Thread.build([ROOT, reply := BOB.reply(ROOT, "yes", NOW)])
    entries = Entries(thread, Setting(), InFile(()), fresh={reply.id})
    made = [entries.entry(block) for block in outline(thread)]
    assert [isinstance(each, Entry) and each.is_new for each in made] == [False, True]
