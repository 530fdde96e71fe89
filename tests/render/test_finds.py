"""What was found, for a person: a piece of each note, the words marked, nothing harmful."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

import nostr_threads as nt
from nostr_threads.core import nip19
from nostr_threads.core.search_terms import parse_terms
from nostr_threads.render.finds import cutting, render_finds
from tests.app.worlds import ALICE, BOB, NOW
from tests.render.threads import PIECES

ROOT = ALICE.note("Which relay keeps long answers?", NOW)
ANSWER = BOB.reply(ROOT, "word " * 200 + "None keeps them\nfor ever. " + "word " * 200, NOW + 1)


def marked(words: str) -> str:
    return f"<{words}>"


def test_each_note_is_a_piece_with_what_was_looked_for_marked_and_its_code() -> None:
    built = nt.Thread.build([ROOT, ANSWER])
    text = render_finds(built, [ANSWER.id], parse_terms("keep* ever"), mark=marked)
    title, _, heading, piece, code = text.splitlines()[:5]
    assert title.startswith("Which relay keeps long answers? · note1")
    assert "· to npub1" in heading
    assert "None <keeps> them for <ever>. word" in piece
    assert piece.startswith("  …word")
    assert piece.endswith("word…")
    assert code.strip() == nt.encode(nip19.Note(ANSWER.id))
    assert len(text) < 700


def test_what_is_muted_gives_no_text() -> None:
    built = nt.Thread.build([ROOT, ANSWER], muted={BOB.pubkey})
    text = render_finds(built, [ANSWER.id], parse_terms("keeps"))
    assert "None keeps" not in text
    assert "its author is muted" in text


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_a_piece_is_one_line_that_draws_what_it_says(text: str) -> None:
    line = cutting(f"{text} page {text}", parse_terms("page"), 60)
    assert not {*line} & {*"\n\r\x07\x1b\u2028\u202e\u2066\u200b\ufeff"}
