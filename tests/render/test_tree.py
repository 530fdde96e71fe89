"""A thread as text: its shape, its states, and what no note can fake."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nostr_threads as nt
from nostr_threads.core.entities import EventPointer, Note, Profile
from nostr_threads.core.tally import Tally
from nostr_threads.render.outline import Fold, outline
from nostr_threads.render.setting import Setting
from nostr_threads.render.tree import render_tree
from nostr_threads.render.wording import short_code, short_key
from nostr_threads.render.wrap import cells
from tests.app.worlds import ALICE, BOB, CAROL, NOW
from tests.core.invented import answer, invented
from tests.render.threads import answered, hostile_threads, split_answer

ROOT = ALICE.note("root", NOW)
WHEN = "2023-11-14 22:13"
A, B, C = (short_key(author.pubkey) for author in (ALICE, BOB, CAROL))
LEAD = re.compile(r"^[ │]*[├└]─")
HEAD = re.compile(r"^(?:(?:│  |   )*[├└]─ |(?=[^\s│]))")
STEM = re.compile(r"^(?:│  |   )*(?:[├└]─ )?(?:│)?(?: *┃ )?")
SEEN_CONTROLS = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}
JOINERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}


def drawn(
    *events: nt.Verified,
    now: int | None = None,
    muted: tuple[str, ...] = (),
    keep: bool = False,
) -> str:
    return render_tree(nt.Thread.build(events, now=now, muted=muted, keep=keep))


def test_a_small_thread_looks_like_this() -> None:
    first = BOB.reply(ROOT, "first\n\nwith a paragraph", NOW + 60)
    below = ALICE.reply(first, "below", NOW + 120)
    second = CAROL.reply(ROOT, "second", NOW + 180)
    assert drawn(ROOT, first, below, second) == (
        f"{A} · {WHEN}\n"
        "  root\n"
        "\n"
        f"├─ {B} · 2023-11-14 22:14\n"
        "│    first\n"
        "│\n"
        "│    with a paragraph\n"
        "│\n"
        f"│  └─ {A} · 2023-11-14 22:15\n"
        "│       below\n"
        "│\n"
        f"└─ {C} · 2023-11-14 22:16\n"
        "     second\n"
        "\n"
    )


def test_nothing_is_drawn_as_nothing() -> None:
    assert render_tree(nt.Thread.build([])) == ""


def test_a_missing_note_says_who_wants_it_and_where_it_was_said_to_be() -> None:
    hint = "wss://somewhere.example"
    lost = BOB.reply(ROOT, "lost", NOW + 1)
    answers = [CAROL.reply(lost, f"{n}", NOW + 2 + n, relay=hint) for n in range(2)]
    text = drawn(ROOT, *answers)
    assert f"└─ [missing] {short_code(lost.id)}\n" in text
    assert f"     not found; answered by {C}; said to be at {hint}\n" in text


def test_of_many_who_want_a_missing_note_a_few_are_named() -> None:
    lost = [answer(f"a{number}", "lost", "n0", by=f"person {number}") for number in range(5)]
    text = render_tree(nt.Thread.build([invented("n0"), *lost]))
    assert re.search(r"answered by npub1\w+…\w+, npub1\w+…\w+, npub1\w+…\w+, 2 others\n", text)


def test_deleted_expired_and_muted_notes_show_their_reason_and_not_their_words() -> None:
    deleted = BOB.reply(ROOT, "secret one", NOW + 1)
    expired = CAROL.reply(ROOT, "secret two", NOW + 2, tags=(("expiration", str(NOW + 10)),))
    muted = BOB.reply(expired, "secret three", NOW + 3)
    text = drawn(
        ROOT, deleted, expired, muted, BOB.deletion(deleted), now=NOW + 100, muted=(BOB.pubkey,)
    )
    assert "secret" not in text
    assert " · deleted\n" in text
    assert " · expired\n" in text
    assert " · hidden\n" in text
    for line in text.splitlines():
        assert line == line.rstrip()


def test_what_is_kept_is_shown_with_what_its_author_wanted_and_why() -> None:
    over = CAROL.reply(ROOT, "over", NOW + 1, tags=(("expiration", str(NOW + 10)),))
    sorry = ALICE.event(5, "a · \x1b[2J mistake", NOW + 9, (("e", ROOT.id),))
    assert drawn(ROOT, over, sorry, now=NOW + 100, keep=True) == (
        f"{A} · {WHEN} · deleted, kept here: a - \\x1b[2J mistake\n"
        "  root\n"
        "\n"
        f"└─ {C} · {WHEN} · expired, kept here: its author gave it an end\n"
        "     over\n"
        "\n"
    )


def test_of_a_text_in_parts_it_is_said_how_many_are_only_kept() -> None:
    parts = split_answer(BOB, ROOT, "abcdef", 3)
    text = drawn(ROOT, *parts, BOB.deletion(parts[1]), keep=True)
    said = "1 of 3 notes deleted, kept here: its author asked for its deletion"
    assert f" · parts 1-3 of 3 · {said}\n│    abcdef\n".replace("│", " ") in text
    text = drawn(ROOT, *parts, *map(BOB.deletion, parts), keep=True)
    assert " · parts 1-3 of 3 · deleted, kept here: " in text


def test_two_fates_of_one_text_are_both_told() -> None:
    parts = split_answer(BOB, ROOT, "abcdef", 2)
    over = BOB.event(1, "def", parts[1].created_at, (*parts[1].tags, ("expiration", str(NOW + 10))))
    text = drawn(ROOT, parts[0], over, BOB.deletion(parts[0]), now=NOW + 100, keep=True)
    assert "1 of 2 notes deleted, kept here: its author asked" in text
    assert "1 of 2 notes expired, kept here: its author gave it an end" in text


def test_a_quotation_of_what_is_kept_says_so() -> None:
    inside, outside = BOB.reply(ROOT, "inside"), CAROL.note("outside")
    codes = " ".join(f"nostr:{nt.encode(Note(each.id))}" for each in (inside, outside))
    citing = ALICE.reply(ROOT, codes, NOW + 50)
    thread = nt.Thread.build([ROOT, inside, citing, BOB.deletion(inside)], keep=True)
    quoted = {outside.id: outside}
    text = render_tree(thread, Setting(quoted=quoted, kept={outside.id}))
    assert f"┃ [deleted] {B}: inside" in text
    assert f"┃ [deleted or expired] {C}: outside" in text
    plain = render_tree(thread, Setting(quoted=quoted))
    assert f"┃ {C}: outside" in plain


def test_a_deep_thread_stays_narrow_and_says_how_deep_it_is() -> None:
    chain = [ROOT]
    for number in range(40):
        chain.append((ALICE, BOB)[number % 2].reply(chain[-1], f"level {number + 1}"))
    lines = drawn(*chain).splitlines()
    assert max(line.index("npub1") for line in lines if "npub1" in line) <= 36
    for depth in range(13, 41):
        assert sum(line.endswith(f" · depth {depth}") for line in lines) == 1
    assert not [line for line in lines if line.endswith("· depth 12")]


def test_ten_thousand_generations_are_drawn() -> None:
    chain = nt.Thread.build(answered(10_000, deep=True))
    text = render_tree(chain, Setting(width=60))
    assert text.count("npub1") == 10_000
    assert max(map(cells, text.splitlines())) <= 60


def test_ten_thousand_replies_are_drawn_or_folded() -> None:
    wide = nt.Thread.build(answered(10_000, deep=False))
    assert render_tree(wide).count("npub1") == 10_000
    folded = render_tree(wide, Setting(fold=3))
    assert folded.count("npub1") == 4
    assert folded.endswith("└─ … 9996 more replies\n\n")


def test_an_authors_parts_are_one_text_with_the_replies_to_any_of_them_below() -> None:
    parts = split_answer(BOB, ROOT, "first half, \n    second half", 2)
    to_first = CAROL.reply(parts[0], "to the first", NOW + 100)
    to_last = CAROL.reply(parts[1], "to the last", NOW + 200)
    assert drawn(ROOT, *parts, to_first, to_last) == (
        f"{A} · {WHEN}\n"
        "  root\n"
        "\n"
        f"└─ {B} · {WHEN} · parts 1-2 of 2\n"
        "     first half,\n"
        "         second half\n"
        "\n"
        f"   ├─ {C} · 2023-11-14 22:16\n"
        "   │    to the last\n"
        "   │\n"
        f"   └─ {C} · 2023-11-14 22:15 · to part 1\n"
        "        to the first\n"
        "\n"
    )


def test_a_missing_part_is_named_and_what_follows_is_a_text_of_its_own() -> None:
    parts = split_answer(BOB, ROOT, "abcdefghi\nj", 5)
    text = drawn(ROOT, *parts[:2], *parts[3:])
    assert " · parts 1-2 of 5, part 3 missing\n│    abcdef\n" in text
    assert f"└─ [missing] {short_code(parts[2].id)}\n" in text
    assert " · parts 4-5 of 5\n" in text
    assert "        j\n" in text


def test_a_deleted_part_ends_the_text_and_is_named() -> None:
    parts = split_answer(BOB, ROOT, "abcdef", 3)
    text = drawn(ROOT, *parts, BOB.deletion(parts[1]))
    assert " · part 1 of 3, part 2 deleted\n" in text
    assert " · part 2 of 3 · deleted\n" in text
    assert " · part 3 of 3\n" in text
    assert "cd" not in [line.strip() for line in text.splitlines()]


def test_a_hand_numbered_chain_is_one_text_that_says_it_is_a_guess() -> None:
    first = BOB.reply(ROOT, "1/3 One.", NOW + 1)
    second = BOB.reply(first, "2/3 Two stops in the", NOW + 2)
    third = BOB.reply(second, "3/3 middle.", NOW + 3)
    between = CAROL.reply(first, "to the first", NOW + 1)
    below = CAROL.reply(third, "to the last", NOW + 4)
    assert drawn(ROOT, first, second, third, between, below) == (
        f"{A} · {WHEN}\n"
        "  root\n"
        "\n"
        f"└─ {B} · {WHEN} · joined from 3 notes, best effort\n"
        "     One.\n"
        "\n"
        "     Two stops in the middle.\n"
        "\n"
        f"   ├─ {C} · {WHEN} · to part 1\n"
        "   │    to the first\n"
        "   │\n"
        f"   └─ {C} · {WHEN}\n"
        "        to the last\n"
        "\n"
    )
    assert " · joined from 2 notes, best effort, others missing\n" in drawn(ROOT, first, second)


def test_an_author_who_answers_himself_keeps_his_notes_apart() -> None:
    text = drawn(ROOT, ALICE.reply(ROOT, "no, I was wrong", NOW + 1))
    assert text.count(A) == 2
    assert "joined" not in text


def test_names_times_counts_and_warnings_stand_in_the_heading() -> None:
    tags = (("content-warning", "spoilers"), ("subject", "Re: x"))
    reply = BOB.reply(ROOT, "text", NOW, tags=tags)
    setting = Setting(
        names={BOB.pubkey: "bob"},
        tallies={reply.id: Tally({"+": 3, "🔥": 2, "-": 1}, 1, 2)},
        now=NOW + 3 * 3_600,
    )
    assert (
        f"└─ bob {B} · 3 hours ago · ♥ 3  🔥 2  👎 1 · 1 repost · 2 zaps"
        " · content warning: spoilers · “Re: x”\n"
    ) in render_tree(nt.Thread.build([ROOT, reply]), setting)


def test_mentions_are_names_and_quotations_stand_apart() -> None:
    outside = CAROL.note("from elsewhere\nsecond line", NOW - 5)
    text = (
        f"hello nostr:{nt.encode(Profile(BOB.pubkey, ('wss://a.example',)))} and #[1],\n"
        f"look: nostr:{nt.encode(EventPointer(ROOT.id))} and\n"
        f"nostr:{nt.encode(EventPointer(outside.id))}\n"
        f"and nostr:{nt.encode(Note('ab' * 32))} #[9]"
    )
    reply = CAROL.note(text, NOW + 1, (("e", ROOT.id, "", "root"), ("p", ALICE.pubkey)))
    setting = Setting(names={ALICE.pubkey: "alice"}, quoted={outside.id: outside})
    assert (
        f"     hello @{B} and @alice,\n"
        "     look:\n"
        f"     ┃ alice {A}: root\n"
        "     and\n"
        f"     ┃ {C}: from elsewhere\n"
        f"     and {short_code('ab' * 32)} #[9]\n"
    ) in render_tree(nt.Thread.build([ROOT, reply]), setting)


def test_what_is_hidden_is_not_quoted_either() -> None:
    muted = BOB.reply(ROOT, "secret", NOW + 1)
    quoting = CAROL.reply(ROOT, f"nostr:{nt.encode(Note(muted.id))}", NOW + 2)
    text = drawn(ROOT, muted, quoting, muted=(BOB.pubkey,))
    assert f"┃ [hidden] {short_code(muted.id)}\n" in text
    assert "secret" not in text


def test_the_muted_do_not_get_a_word_into_a_heading() -> None:
    muted = BOB.reply(ROOT, "x", NOW + 1, tags=(("subject", "secret"),))
    lost = BOB.reply(BOB.note("not here"), "y", NOW + 2)
    thread_of_muted = nt.Thread.build([ROOT, muted, lost], muted=(BOB.pubkey,), root=ROOT.id)
    assert "secret" not in render_tree(thread_of_muted, Setting(names={BOB.pubkey: "secret"}))


def test_what_only_a_tag_quotes_comes_last_and_a_few_at_most() -> None:
    tags = tuple(("q", f"{number:064x}") for number in range(12))
    quoting = ALICE.note("text", NOW, (("q", ROOT.id), *tags))
    lines = drawn(quoting).splitlines()
    assert lines[1] == "  text"
    assert lines[2] == f"  ┃ {short_code(ROOT.id)}"
    assert lines[10] == "  ┃ … 5 more quoted"


def test_a_repost_is_what_it_repeats() -> None:
    repost = BOB.event(6, ROOT.to_json(), NOW, (("e", ROOT.id, ""), ("p", ALICE.pubkey)))
    answer = CAROL.reply(repost, "thanks")
    whole = nt.Thread.build([repost, answer], root=repost.id)
    text = render_tree(whole, Setting(quoted={ROOT.id: ROOT}))
    assert text.startswith(f"{B} · {WHEN} · repost\n  ┃ {A}: root\n\n└─ ")


def test_an_article_has_its_title_and_its_comments_say_what_they_are() -> None:
    article = ALICE.event(30023, "Text.", NOW, (("d", "x"), ("title", "Why\n· not")))
    text = drawn(article, BOB.comment(article, "Nice."))
    assert text.startswith(f"{A} · {WHEN} · article · “Why - not”\n  Text.\n")
    assert f"└─ {B} · {WHEN} · comment\n" in text


def test_folding_keeps_the_authors_own_words_and_the_earliest_replies() -> None:
    others = [BOB.reply(ROOT, f"reply {number}", NOW + 10 + number) for number in range(4)]
    below = CAROL.reply(others[3], "below", NOW + 99)
    own = ALICE.reply(ROOT, "my own", NOW + 50)
    whole = nt.Thread.build([ROOT, *others, below, own])
    text = render_tree(whole, Setting(fold=2))
    said = [line.strip("│└ ") for line in text.splitlines() if "reply" in line or "own" in line]
    assert said == ["reply 0", "my own"]
    assert text.endswith("└─ … 3 more replies, 4 notes\n\n")
    assert "… 1 more reply, 2 notes" in render_tree(whole, Setting(fold=4))


def test_lines_are_wrapped_right_of_their_tree_lines() -> None:
    words = "word " * 40
    reply = BOB.reply(ROOT, f"{words}\n\n    code {words}", NOW + 1)
    lines = render_tree(nt.Thread.build([ROOT, reply]), Setting(width=40)).splitlines()
    assert max(map(len, lines)) <= 40
    body = [line for line in lines if "word" in line]
    assert body[0] == "     word word word word word word word"
    assert body[-1].startswith("         word")


def test_a_page_of_blank_lines_is_a_few() -> None:
    assert "\n  a\n\n\n  b\n" in drawn(ALICE.note("\n" * 50 + "a" + "\n\u2800" * 50 + "\nb", NOW))


@given(hostile_threads(), st.none() | st.integers(24, 90), st.none() | st.integers(0, 3))
def test_no_note_name_or_tag_leaves_its_place(
    hostile: tuple[nt.Thread, Setting], width: int | None, fold: int | None
) -> None:
    """Every line of a body begins with its stem: no box character comes from a stranger there."""
    whole, setting = hostile
    setting = replace(setting, width=width, fold=fold)
    text = render_tree(whole, setting)
    assert not SEEN_CONTROLS & {
        unicodedata.category(character) for character in set(text) - {"\n"} - JOINERS
    }
    lines = text.split("\n")
    headings = sum(bool(HEAD.match(line)) for line in lines)
    blocks = list(outline(whole, fold))
    assert headings == len(blocks)
    for line in lines:
        rest = STEM.sub("", line).lstrip(BLANKS)
        assert not "\u2500" <= rest[:1] <= "\u257f"
    if width is not None and width >= 32:
        assert max(map(cells, lines)) <= width


@given(hostile_threads(), st.integers(0, 4))
def test_what_is_shown_and_what_is_folded_are_all_there_is(
    hostile: tuple[nt.Thread, Setting], fold: int
) -> None:
    shown = folded = 0
    for entry in outline(hostile[0], fold):
        if isinstance(entry, Fold):
            folded += entry.notes
            assert 0 < entry.replies <= entry.notes
        else:
            shown += len(entry.nodes)
    assert shown + folded == len(hostile[0].nodes)


@pytest.mark.parametrize("created_at", [0, 2**53 - 1])
def test_a_time_that_no_calendar_holds_is_a_number(created_at: int) -> None:
    text = drawn(ALICE.note("x", created_at))
    assert ("1970-01-01 00:00" if created_at == 0 else f"at {created_at}") in text


# What a note must not be able to begin a line with: a tree line of its own.
ENCODABLE = st.characters(exclude_categories=["Cs"])
BLANKS = " \t\u00a0\u3000\u200d\u200c\ufe0f\u034f\u3164\u2800\u115f"
BLANK = st.text(BLANKS, max_size=4)
LINES = st.sampled_from(["└─ ", "├─ ", "│  └─ ", "╰─", "┗━", "║"])


@given(BLANK, LINES)
def test_a_note_cannot_draw_tree_lines_of_its_own(blank: str, lines: str) -> None:
    fake = f"hello\n\n{blank}{lines}npub1faked…fake · 2023-11-14 22:13\n{blank}  buy this"
    text = drawn(ALICE.note(fake, NOW))
    for line in text.split("\n"):
        drawn_first = line.lstrip(BLANKS)[:1]
        assert not "\u2500" <= drawn_first <= "\u257f"


@given(st.lists(st.text(ENCODABLE), min_size=3, max_size=3))
def test_whatever_notes_say_there_is_one_heading_each(texts: list[str]) -> None:
    reply = BOB.reply(ROOT, texts[0])
    events = [ROOT, reply, CAROL.reply(reply, texts[1]), CAROL.reply(ROOT, texts[2])]
    lines = drawn(*events).split("\n")
    assert sum(bool(LEAD.match(line)) for line in lines) == 3
    assert not {"\x1b", "\r", "\x07", "\x9b", "\u202e"} & set("".join(lines))


def test_hints_and_ids_of_strangers_are_escaped_too() -> None:
    external = "https://x.example/\x1b[2J\n└─fake"
    comment = BOB.event(1111, "x", NOW, (("I", external), ("i", external), ("k", "web")))
    text = drawn(comment)
    assert "\x1b" not in text
    assert text.splitlines()[0].startswith("[elsewhere] https://x.example/")


def test_a_key_is_shown_by_the_ends_of_its_npub() -> None:
    assert re.fullmatch(r"npub1\w{5}…\w{4}", short_key(ALICE.pubkey))
