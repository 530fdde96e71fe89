"""A thread as text: its shape, its states, and what no note can fake."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nostr_threads as nt
from nostr_threads.render.tree import render_tree, short_key
from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, CAROL, NOW

ROOT = ALICE.note("root", NOW)
WHEN = "2023-11-14 22:13"
A, B, C = (short_key(author.pubkey) for author in (ALICE, BOB, CAROL))
LEAD = re.compile(r"^[ │]*[├└]─")


def drawn(*events: nt.Verified, now: int | None = None, muted: tuple[str, ...] = ()) -> str:
    return render_tree(nt.Thread.build(events, now=now, muted=muted))


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
    assert f"└─ [missing] {lost.id}" in text
    assert f"wanted by 2 and not found; said to be at {hint}" in text


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


def test_a_deep_thread_stays_narrow_and_says_how_deep_it_is() -> None:
    chain = [ROOT]
    for number in range(40):
        chain.append((ALICE, BOB)[number % 2].reply(chain[-1], f"level {number + 1}"))
    lines = drawn(*chain).splitlines()
    assert max(line.index("npub1") for line in lines if "npub1" in line) <= 36
    for depth in range(13, 41):
        assert sum(line.endswith(f" · depth {depth}") for line in lines) == 1
    assert not [line for line in lines if line.endswith("· depth 12")]


def test_a_thread_of_thousands_of_generations_is_drawn() -> None:
    chain = thread(1, authors=1)
    for _ in range(3_000):
        chain.append(ALICE.event(1, "x", NOW, (("e", chain[-1].id, "", "reply"),)))
    assert render_tree(nt.Thread.build(chain)).count("npub1") == len(chain)


def test_the_parts_of_an_answer_are_numbered() -> None:
    first = ALICE.note("one (1/2)", NOW, (("part", "1", "2", "6"),))
    second = ALICE.reply(first, "two (2/2)", tags=(("part", "2", "2", "6"),))
    text = drawn(first, second)
    assert " · part 1 of 2\n" in text
    assert " · part 2 of 2\n" in text


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
    assert text.splitlines()[0].startswith("[present] https://x.example/")


def test_a_key_is_shown_by_the_ends_of_its_npub() -> None:
    assert re.fullmatch(r"npub1\w{5}…\w{4}", short_key(ALICE.pubkey))
