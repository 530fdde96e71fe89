"""A thread as Markdown: what is shown, and that no text gets out of its note."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import nostr_threads as nt
from nostr_threads.core.entities import Address, Note, PublicKey
from nostr_threads.render.markdown import render_markdown
from nostr_threads.render.neutral import article_lines, inline, plain_lines
from nostr_threads.render.outline import Block, outline
from nostr_threads.render.setting import Setting
from nostr_threads.render.wording import short_code, short_key
from tests.app.worlds import ALICE, BOB, CAROL, NOW
from tests.render.threads import answered, hostile_threads, split_answer, texts

ROOT = ALICE.note("root", NOW)
WHEN = "2023-11-14 22:13"
A, B, C = (short_key(author.pubkey) for author in (ALICE, BOB, CAROL))


def written(*events: nt.Verified, setting: Setting | None = None) -> str:
    return render_markdown(nt.Thread.build(events), setting or Setting())


def article(text: str) -> str:
    return "\n".join(line for line, _ in article_lines(text)).strip("\n")


def plain(text: str) -> str:
    return "\n".join(line for line, _ in plain_lines(text))


def test_what_is_kept_is_written_with_what_its_author_wanted() -> None:
    thread = nt.Thread.build([ROOT, ALICE.deletion(ROOT)], keep=True)
    assert render_markdown(thread) == (
        "# \\[deleted\\] root\n"
        "\n"
        f"### {A} · {WHEN} · deleted, kept here: its author asked for its deletion\n"
        "\n"
        "root\n"
    )


def test_a_thread_is_one_document() -> None:
    reply = BOB.reply(ROOT, "first line\nsecond *line*", NOW)
    below = CAROL.reply(reply, "below", NOW)
    gone = ALICE.reply(ROOT, "gone", NOW + 1)
    whole = [ROOT, reply, below, gone, ALICE.deletion(gone)]
    assert written(*whole, setting=Setting(names={BOB.pubkey: "*bob*"})) == (
        "# root\n"
        "\n"
        f"### {A} · {WHEN}\n"
        "\n"
        "root\n"
        "\n"
        f"> ### \\*bob\\* {B} · {WHEN} · reply to {A}\n"
        ">\n"
        "> first line  \n"
        "> second \\*line\\*\n"
        ">\n"
        f"> > ### {C} · {WHEN} · reply to \\*bob\\* {B}\n"
        "> >\n"
        "> > below\n"
        ">\n"
        f"> ### {A} · {WHEN} · deleted · reply to {A}\n"
        ">\n"
        "> its author asked for its deletion\n"
    )


def test_nothing_is_written_as_nothing() -> None:
    assert render_markdown(nt.Thread.build([])) == ""


def test_an_article_keeps_its_markdown_below_our_headings() -> None:
    tags = (("d", "x"), ("title", "A <title>"))
    text = "# One\n\nSee nostr:{}.\n\nTwo\n===\n\n```py\nif a < b: pass\n```"
    event = ALICE.event(30023, text.format(nt.encode(PublicKey(BOB.pubkey))), NOW, tags)
    assert written(event) == (
        "# A &lt;title>\n"
        "\n"
        f"### {A} · {WHEN} · article · “A &lt;title>”\n"
        "\n"
        "#### One\n"
        "\n"
        f"See [@{B}](nostr:{nt.encode(PublicKey(BOB.pubkey))}).\n"
        "\n"
        "#### Two\n"
        "\n"
        "\n"
        "```py\n"
        "if a < b: pass\n"
        "```\n"
        "\n"
    )


def test_a_quotation_is_a_quote_with_a_link() -> None:
    code = nt.encode(Note(ROOT.id))
    unknown = nt.encode(Note("ab" * 32))
    text = f"see nostr:{code} and\n\nnostr:{code}\n\nnostr:{unknown}"
    link = f"[{short_code(ROOT.id)}](nostr:{code})"
    quoted = f"> {A}: root {link}\n"
    other = f"[{short_code('ab' * 32)}](nostr:{unknown})\n"
    note = written(ROOT, BOB.reply(ROOT, text))
    assert f"> see\n>\n> {quoted}>\n> and\n>\n> {link}\n>\n> {other}" in note
    long = written(ROOT, BOB.event(30023, text, NOW, (("d", "x"), ("e", ROOT.id, "", "root"))))
    assert f"> see {link} and\n>\n>\n> {quoted}>\n>\n> {other}" in long


def test_a_code_inside_an_authors_link_stays_a_code() -> None:
    code = f"nostr:{nt.encode(PublicKey(BOB.pubkey))}"
    event = ALICE.event(30023, f"[Bob]({code}), hi!{code}\n```\n{code}\n```", NOW, (("d", "x"),))
    text = written(event)
    assert f"\n[Bob]({code}), hi&#33;[@{B}]({code})\n" in text
    assert f"```\n{code}\n```\n" in text


def test_web_links_in_notes_are_links() -> None:
    url = "https://a.example/a_b_(c)?x=1&lt;y"
    text = written(ALICE.note(f"at {url}, ok", NOW))
    words, target = url.replace("_", r"\_"), url.replace("(", "%28").replace(")", "%29")
    assert f"\nat [{words}]({target}), ok\n".replace("&", "&amp;") in text


def test_addresses_are_linked_where_there_is_a_code_for_them() -> None:
    address = f"30023:{ALICE.pubkey}:page"
    code = nt.encode(Address(30023, ALICE.pubkey, "page"))
    too_long = f"30023:{ALICE.pubkey}:{'x' * 300}"
    text = written(BOB.note("x", NOW, (("q", address), ("q", too_long))))
    assert f"> [{short_code(address)}](nostr:{code})\n" in text
    assert f"\n> {short_code(too_long)}\n" in text


def test_of_many_quotes_by_tag_a_few_are_shown() -> None:
    tags = tuple(("q", f"{number:064x}") for number in range(10))
    assert written(BOB.note("x", NOW, tags)).endswith(")\n\n> … 2 more quoted\n")


def test_parts_are_one_text_and_missing_and_hidden_notes_are_named() -> None:
    answer = split_answer(BOB, ROOT, "first half, second half", 2)
    lost = CAROL.reply(ROOT, "lost")
    found = BOB.reply(lost, "found", relay="wss://a.example")
    hidden = CAROL.reply(ROOT, "hidden", NOW + 9)
    whole = nt.Thread.build([ROOT, *answer, found, hidden], muted=(CAROL.pubkey,))
    text = render_markdown(whole)
    assert f"> ### {B} · {WHEN} · parts 1-2 of 2 · reply to {A}\n>\n> first half, second" in text
    assert f"> ### \\[missing\\] {short_code(lost.id)} · reply to {A}\n>\n> not found; " in text
    assert f"> ### {C} · {WHEN} · hidden · reply to {A}\n>\n> its author is muted\n" in text


def test_a_hand_numbered_chain_is_one_text_and_its_tokens_stay() -> None:
    first = BOB.reply(ROOT, "(1/2) One https://a.example/x.", NOW + 1)
    second = BOB.reply(first, "(2/2) *Two*.", NOW + 2)
    text = written(ROOT, first, second)
    assert f"> ### {B} · {WHEN} · joined from 2 notes, best effort · reply to {A}\n" in text
    assert "> One [https://a.example/x](https://a.example/x).\n>\n> \\*Two\\*.\n" in text


def test_wide_threads_are_folded_and_deep_ones_stay_readable() -> None:
    wide = nt.Thread.build(answered(2_000, deep=False))
    assert render_markdown(wide, Setting(fold=1)).endswith("> *… 1998 more replies*\n")
    text = render_markdown(nt.Thread.build(answered(2_000, deep=True)))
    assert max(line.count("> ") for line in text.splitlines()) == 6
    assert text.count(" · depth 1999\n") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# not a heading", "\\# not a heading"),
        ("#tag", "\\#tag"),
        ("1. one\n2) two", "1\\. one  \n2\\) two"),
        ("a\n===\nb\n---", "a  \n\\=\\==  \nb  \n\\---"),
        ("> q\n- l\n+ m\n* n", "\\> q  \n\\- l  \n\\+ m  \n\\* n"),
        ("    code", "&nbsp;&nbsp;&nbsp;&nbsp;code"),
        ("<b>&amp;[x](y)`c`", "&lt;b>&amp;amp;\\[x\\](y)\\`c\\`"),
        ("```\nx\n```", "\\`\\`\\`  \nx  \n\\`\\`\\`"),
        ("a | b\n\n\nc ~~d~~ $e$", "a \\| b\n\n\nc \\~\\~d\\~\\~ \\$e\\$"),
    ],
)
def test_a_plain_text_shows_as_it_was_written(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# a\n### b\n###### c", "#### a\n###### b\n###### c"),
        ("#hashtag", "\\#hashtag"),
        ("a\n===\nb\n---\nc", "#### a\n##### b\nc"),
        ("> a\n> ===\n> b\n> -", "> a\n> \\===\n> b\n> \\-"),
        ("\n---\ntitle: x\n---\n", "***\n##### title: x"),
        ("> # a\n- # b\n1. # c\n[^1]: # d", "> #### a\n- #### b\n1. #### c\n[^1]: #### d"),
        ("a <script> b & c &lt; &#60;", "a &lt;script> b & c &amp;lt; &amp;#60;"),
        ("![a](https://a.example/x.png)", "[a](https://a.example/x.png)"),
        ("!![a](x) !", "[a](x) !"),
        ("[a](javascript:x)", "[a](javascript%3Ax)"),
        ("[a]( JavaScript\\:x)", "[a]( JavaScript%3Ax)"),
        ("[a](\njavascript:x)", "[a](\njavascript%3Ax)"),
        ("[a]: data:text/html,x", "[a]: data%3Atext/html,x"),
        ("the data: all of it", "the data: all of it"),
        ("```\n<b>", "```\n<b>\n```"),
        ("~~~ py\n```\n~~~\nz", "````py\n```\n````\n\nz"),
        ("- x\n  ```sh\n  a\n   b\n  ```", "- x\n\n```sh\na\n b\n```"),
        ("> ```\n> a", "> \\`\\`\\`\n> a"),
        ("```a`b\nc", "\\`\\`\\`a\\`b\nc"),
        (">" * 100 + " a", "\\" + ">" * 100 + " a"),
    ],
)
def test_an_article_is_markdown_that_stays_in_its_place(text: str, shown: str) -> None:
    assert article(text) == shown


CONTAINERS = re.compile(r"^(?:[ >]|[-+*:](?= |$)|\d+[.)](?= |$)|\[\^[^\]]*\]:)*")
FENCE = re.compile(r"(?:> )*(`{3,})[\w+#.-]*$")


def outside_code(text: str) -> list[str]:
    """The lines that no fence holds; a fence must be closed, at the depth where it was opened."""
    lines: list[str] = []
    fence, depth = "", ""
    for line in text.split("\n"):
        if fence:
            assert line.startswith(depth.rstrip())
            if line == depth + fence:
                fence = ""
        elif match := FENCE.fullmatch(line):
            fence, depth = match[1], line[: match.start(1)]
        else:
            lines.append(line)
    assert not fence
    return lines


@given(hostile_threads(), st.none() | st.integers(0, 3))
def test_the_headings_of_the_document_are_ours(
    hostile: tuple[nt.Thread, Setting], fold: int | None
) -> None:
    whole, setting = hostile
    assume(whole.nodes)
    text = render_markdown(
        whole, Setting(setting.names, setting.tallies, setting.quoted, fold=fold)
    )
    joiners = {"\u200c", "\u200d", "\n", *map(chr, range(0xE0020, 0xE0080))}
    kinds = {unicodedata.category(character) for character in set(text) - joiners}
    assert not kinds & {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}
    lines = outside_code(text)
    found = [line for line in lines if re.match(r"#{1,3}(?!#)", CONTAINERS.sub("", line))]
    blocks = [entry for entry in outline(whole, fold) if isinstance(entry, Block)]
    assert len(found) == 1 + len(blocks)
    assert found[0].startswith("# ")
    for line, block in zip(found[1:], blocks, strict=True):
        assert line.startswith("> " * min(block.depth, 6) + "### ")
    for above, line in pairwise(lines):
        underline = re.fullmatch(r"[> ]*(=+|-+) *", line)
        assert underline is None or not above.strip("> ")
    assert [line for line in lines if re.search(r"<|!\[|(?<!\\)\]\(\s*javascript\\?:", line)] == []


@given(texts)
def test_every_line_of_a_note_stays_in_its_quote(text: str) -> None:
    reply = BOB.reply(ROOT, text)
    lines = written(ROOT, reply).split("\n")
    start = next(index for index, line in enumerate(lines) if line.startswith("> ### "))
    assert all(line.startswith(">") for line in lines[start:-1])
    assert lines[-1] == ""


@given(texts)
def test_escaped_text_has_no_tag_and_no_line_break_of_its_own(text: str) -> None:
    line = inline(text)
    assert "<" not in line
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]|~$]", line)
