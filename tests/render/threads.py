"""Threads for the tests of what is shown: wide, deep, split, and written to do harm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

import nostr_threads as nt
from nostr_threads.core.tally import Tally
from nostr_threads.render.setting import Setting
from tests.core.invented import START, answer, hex_of, invented

if TYPE_CHECKING:
    from nostr_threads.testing import Author

# What moves cursors, turns text around, draws lines, opens and closes Markdown, or looks like ours.
PIECES = (
    *(
        "\x1b[2J",
        "\x07",
        "\r",
        "\n",
        "\n\n",
        "\t",
        "\u202e",
        "\u2066",
        "\u2028",
        "\u200b",
        "\ufeff",
    ),
    *(
        "\ue0000\ue001",
        "└─ ",
        "├─ ",
        "│  ",
        "┃ ",
        "[missing] x",
        " · ",
        "npub1aaaa…bbbb",
        "… 9 more",
    ),
    *("\u0301" * 9, "\u200d", "\u3164", "\u2800", "👩\u200d👧", "漢字", "e\u0301", "ᄀ" * 30),
    *(
        "# ",
        "\n### x",
        "\n> ### y",
        "\n- # z",
        "\n===\n",
        "\n---\n",
        "\n-\n",
        "\n```\n",
        "\n~~~~ x\n",
    ),
    *(
        "\n> ```\n",
        "\n   ```\n",
        "```a`b\n",
        "<b>",
        "<!--",
        "&lt;",
        "&#35; ",
        "&nbsp;",
        "`",
        "*",
        "\\",
    ),
    *(
        "[a](javascript:x)",
        "[a]:\njavascript\\:x",
        "](",
        "![",
        "!",
        "|",
        "$$",
        "    ",
        "1. ",
        "+ ",
        ":",
    ),
    *("#[0]", "#[1]", "#[2]", ":a:", "#tag", "https://a.example/x_(y)&lt;z", "word ", "x" * 50),
)
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join)


def answered(notes: int, *, deep: bool) -> list[nt.Verified]:
    """Return a chain of `notes`, or a note with all others below it."""
    made = [invented("n0")]
    for number in range(1, notes):
        parent = f"n{number - 1}" if deep else "n0"
        by = f"person {number % 50}"
        made.append(answer(f"n{number}", parent, "n0", at=START + number, by=by))
    return made


def split_answer(by: Author, to: nt.Event, text: str, parts: int) -> list[nt.Verified]:
    """Return a text in equal parts, each the answer to the one before; white space stays."""
    size = -(-len(text) // parts)
    made: list[nt.Verified] = []
    for index in range(parts):
        piece = text[index * size : (index + 1) * size]
        tag = ("part", str(index + 1), str(parts))
        made.append(by.reply(made[-1] if made else to, piece, to.created_at + index, tags=(tag,)))
    return made


@st.composite
def hostile_threads(draw: st.DrawFn) -> tuple[nt.Thread, Setting]:
    """Threads of a few notes whose every word a stranger chose, and what goes with them."""
    people = ("alice", "bob", "carol")
    made: list[nt.Verified] = []
    for number in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from((1, 1, 1, 6, 11, 1111, 30023)))
        tags: list[tuple[str, ...]] = [
            ("p", hex_of(draw(st.sampled_from(people)))),
            ("e", hex_of(f"n{draw(st.integers(0, 9))}"), "", "mention"),
            ("emoji", "a", "https://a.example/a.png"),
        ]
        names = ("title", "subject", "content-warning", "d")
        tags += [(name, draw(texts)) for name in names if draw(st.booleans())]
        if draw(st.booleans()):
            tags.append(("part", str(draw(st.integers(1, 3))), "3"))
        if number:
            tags += _parents(draw, number)
        content, by = draw(texts), draw(st.sampled_from(people))
        made.append(
            invented(f"n{number}", *tags, kind=kind, at=START + number, by=by, content=content)
        )
    for event in draw(st.lists(st.sampled_from(made), max_size=2, unique_by=lambda each: each.id)):
        by = next(name for name in people if hex_of(name) == event.pubkey)
        why = draw(texts)
        made.append(invented(f"d {event.id}", ("e", event.id), kind=5, by=by, content=why))
    tally = Tally({draw(texts): 2, "+": 1}, 1, draw(st.integers(0, 2)))
    setting = Setting(
        names={hex_of(name): draw(texts) for name in people},
        tallies={hex_of("n0"): tally},
        quoted={hex_of("n9"): invented("n9", content=draw(texts))},
        now=draw(st.none() | st.just(START + 5_000)),
        kept=draw(st.sampled_from((frozenset(), frozenset((hex_of("n9"),))))),
    )
    muted = draw(st.sampled_from(((), (hex_of("carol"),))))
    return nt.Thread.build(made, muted=muted, keep=draw(st.booleans())), setting


def _parents(draw: st.DrawFn, number: int) -> list[tuple[str, ...]]:
    parent = hex_of(f"n{draw(st.integers(0, number))}" if draw(st.booleans()) else f"n{number - 1}")
    if draw(st.integers(0, 9)) == 0:
        return [("I", draw(texts) or "x"), ("i", draw(texts) or "x")]
    return [("e", hex_of("n0"), "", "root"), ("e", parent, "wss://r.example", "reply")]
