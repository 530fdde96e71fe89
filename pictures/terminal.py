"""A terminal session as an SVG that moves by CSS alone, with its text as text.

Knows lines, and when each appears. Knows nothing of the program that wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["COLUMNS", "Line", "drawn"]

COLUMNS = 88
ROWS = 24
TIMES = 3
"""How often it is played. Then the last frame stays: what moves for ever cannot be read beside."""

_SIZE = 14
# The widest of the usual fonts (Menlo, DejaVu) takes 0.602 of their size for a character.
_ADVANCE = 8.43
_HEIGHT = 20
_MARGIN = 20
_BAR = 36

_STYLE = """\
svg { --page: #fbfaf8; --ink: #1d1b19; --soft: #6b655e; --line: #d9d4cc; --mark: #14568c; }
@media (prefers-color-scheme: dark) {
svg { --page: #171615; --ink: #e9e5df; --soft: #aaa39a; --line: #3b3834; --mark: #8cc1ee; }
}
.page { fill: var(--page); stroke: var(--line); }
.rule { stroke: var(--line); }
.dot { fill: var(--line); }
text { fill: var(--ink); white-space: pre;
font: 14px/20px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
.title { fill: var(--soft); }
.mark { fill: var(--mark); font-weight: bold; }
.soft { fill: var(--soft); }"""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a terminal, and the seconds after the beginning at which it is there.

    With `typed`, a prompt stands before it from the beginning on, and its characters come one by
    one, the last at `at`. What is `talk` is not the result and is drawn softer.
    """

    text: str
    at: float
    typed: bool = False
    talk: bool = False


def drawn(lines: Sequence[Line], *, title: str, description: str, seconds: float) -> str:
    """Return the SVG in which `lines` appear within `seconds`, and scroll up where they must."""
    # A line without text is a height alone.
    shown = [_text(number, line) for number, line in enumerate(lines) if line.text]
    width = round(COLUMNS * _ADVANCE) + 2 * _MARGIN
    height = _BAR + ROWS * _HEIGHT + _MARGIN
    moving = "\n".join(_moving(lines, seconds))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img" aria-labelledby="title description">
<title id="title">{escape(title)}</title>
<desc id="description">{escape(description)}</desc>
<style>
{_STYLE}
.lines {{ transform: translateY(-{_scrolled(len(lines))}px); }}
@media (prefers-reduced-motion: no-preference) {{
{moving}
}}
</style>
<rect class="page" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="10"/>
<circle class="dot" cx="20" cy="18" r="6"/><circle class="dot" cx="40" cy="18" r="6"/>\
<circle class="dot" cx="60" cy="18" r="6"/>
<text class="title" x="{width // 2}" y="23" text-anchor="middle">{escape(title)}</text>
<path class="rule" d="M0 {_BAR - 0.5}H{width}"/>
<svg x="{_MARGIN}" y="{_BAR + 6}" width="{width - 2 * _MARGIN}" height="{ROWS * _HEIGHT}">
<g class="lines">
{chr(10).join(shown)}
</g>
</svg>
</svg>
"""


def _text(number: int, line: Line) -> str:
    base = number * _HEIGHT + _SIZE
    if line.typed:
        keys = "".join(
            f'<tspan class="k{place}">{escape(key)}</tspan>' for place, key in enumerate(line.text)
        )
        return f'<text y="{base}"><tspan class="mark">$ </tspan>{keys}</text>'
    kind = "soft " if line.talk else ""
    return f'<text class="{kind}l{number}" y="{base}">{escape(line.text)}</text>'


def _moving(lines: Sequence[Line], seconds: float) -> Iterator[str]:
    """Yield the rules by which each line appears, and all of them go up."""
    scrolling = ["0% { transform: translateY(0); }"]
    for number, line in enumerate(lines):
        if line.typed:
            for place in range(len(line.text)):
                yield _appearing(f"k{place}", line.at * (place + 1) / len(line.text), seconds)
        elif line.text:
            yield _appearing(f"l{number}", line.at, seconds)
        if number >= ROWS:
            scrolled = _scrolled(number + 1)
            scrolling.append(
                f"{_percent(line.at, seconds)} {{ transform: translateY(-{scrolled}px); }}"
            )
    yield "@keyframes up { " + " ".join(scrolling) + " }"
    yield f".lines {{ animation: {seconds:g}s step-end {TIMES} both up; }}"


def _appearing(name: str, at: float, seconds: float) -> str:
    when = _percent(at, seconds)
    return (
        f"@keyframes {name} {{ 0% {{ opacity: 0; }} {when} {{ opacity: 1; }} }} "
        f".{name} {{ animation: {seconds:g}s step-end {TIMES} both {name}; }}"
    )


def _percent(at: float, seconds: float) -> str:
    return f"{100 * at / seconds:.2f}%"


def _scrolled(lines: int) -> int:
    """Return how far up `lines` lines have gone, in pixels, so that the last one is seen."""
    return max(0, lines - ROWS) * _HEIGHT
