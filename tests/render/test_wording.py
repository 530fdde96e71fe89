"""What is said about people, times, codes and counts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given

from nostr_threads.core.tally import Tally
from nostr_threads.core.thread import Thread
from nostr_threads.render.outline import Block, outline
from nostr_threads.render.setting import Setting
from nostr_threads.render.wording import author, field, handle, heading, short_code, short_key, when
from tests.app.worlds import ALICE, NOW
from tests.render.threads import texts

KEY = ALICE.pubkey


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (0, "just now"),
        (59, "just now"),
        (-59, "just now"),
        (60, "1 minute ago"),
        (-120, "in 2 minutes"),
        (3_599, "59 minutes ago"),
        (3 * 3_600, "3 hours ago"),
        (86_400, "1 day ago"),
        (-2 * 86_400, "in 2 days"),
        (30 * 86_400 - 1, "29 days ago"),
        (30 * 86_400, "2023-10-15"),
        (-30 * 86_400, "2023-12-14"),
    ],
)
def test_times_are_relative_for_a_month(distance: int, words: str) -> None:
    assert when(NOW - distance, NOW) == words


def test_without_a_clock_times_are_absolute() -> None:
    assert when(NOW, None) == "2023-11-14 22:13"
    assert when(2**53 - 1, NOW) == f"at {2**53 - 1}"


def test_a_name_never_comes_without_its_key() -> None:
    assert author(KEY, Setting(names={KEY: "alice"})) == f"alice {short_key(KEY)}"
    assert author(KEY, Setting()) == short_key(KEY)
    assert re.fullmatch(r"npub1\w{5}…\w{4}", short_key(KEY))


@pytest.mark.parametrize("name", ["", " \n", "\u200d\u3164", "npub1abcdef…wxyz", "the NPUB1x"])
def test_a_name_that_shows_nothing_or_poses_as_a_key_is_no_name(name: str) -> None:
    setting = Setting(names={KEY: name})
    assert author(KEY, setting) == short_key(KEY)
    assert handle(KEY, setting) == f"@{short_key(KEY)}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines", "two lines"),
        ("\u202eecila", r"\u202eecila"),
        ("a\u200bb", r"a\u200bb"),
        ("bob · 2 zaps", "bob - 2 zaps"),
        ("· · bob ·", "- - bob -"),
        ("└─ bob", "+- bob"),
        ("z" + "\u0301" * 50, "z" + "\u0301" * 6),
        ("long " * 20, ("long " * 20)[:31] + "…"),
        ("Gal·la", "Gal·la"),
    ],
)
def test_a_name_cannot_go_on_as_our_own_words(name: str, shown: str) -> None:
    assert handle(KEY, Setting(names={KEY: name})) == f"@{shown}"


@given(texts)
def test_a_field_is_one_line_without_our_separator_and_lines(text: str) -> None:
    shown = field(text, 50)
    assert len(shown.splitlines()) <= 1
    assert len(shown) <= 50
    assert " · " not in shown
    assert not [character for character in shown if "\u2500" <= character <= "\u257f"]


def test_codes_are_short() -> None:
    assert re.fullmatch(r"note1\w{5}…\w{4}", short_code("ab" * 32))
    assert short_code(f"30023:{KEY}:my\npage") == f"30023:{short_key(KEY)}:my page"
    assert short_code("https://a.example/\x1b" + "x" * 200).endswith("…")
    assert short_code("99999:x:y") == "99999:x:y"


def test_the_many_reactions_are_summed_up() -> None:
    note = ALICE.note("x", NOW)
    reactions = {chr(0x1F600 + number): 20 - number for number in range(9)} | {"": 3, "+": 30}
    (block,) = outline(Thread.build([note]))
    assert isinstance(block, Block)
    words = heading(block, Setting(tallies={note.id: Tally(reactions)}))
    assert words.endswith("♥ 33  😀 20  😁 19  😂 18  😃 17  😄 16  … 54")
