"""Remote text that cannot leave its place in a Markdown document.

Knows what of CommonMark and its GitHub dialect reaches beyond a line, hides, loads or runs. Knows
nothing of notes. Takes text that `escape.printable` has made harmless for a terminal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["article_lines", "inline", "plain_lines", "whole_line"]

OWN_LEVELS = 3
"""Headings of this level and above are the document's; those of an author go below."""

_ACTIVE = re.compile(r"[\\`*_\[\]|~$^]|=(?==)")
_IMAGE = re.compile(r"!+(?=\[)")
_AMPERSAND = re.compile(r"&(?=#|[A-Za-z][A-Za-z0-9]*;)")
_LINE_START = re.compile(r"[#>+\-:=]|[0-9]{1,9}(?=[.)])")
_WIDEST_INDENT = 40

_FENCE = re.compile(r"(?P<marks>`{3,}(?=[^`]*$)|~{3,}) *(?P<language>[\w+#.-]{0,30})")
# What lines of quotes, lists, footnotes and definitions begin with, one in the other.
_CONTAINERS = re.compile(r"(?: *(?:>|(?:[-+*:]|[0-9]{1,9}[.)]|\[\^[^\]]*\]:)(?= |$)))* *")
_WIDEST_CONTAINERS = 60
_UNDERLINE = re.compile(r"(?P<before>[> ]*)(?P<marks>=+|-+) *")
_HEADING = re.compile(r"(#{1,6})(?= |$)")
# Whatever begins a block of its own, so that no underline can make a heading of it.
_NO_PARAGRAPH = re.compile(r" *(?:[#>|<+*\\-]|[0-9]+[.)]|$)")
_RUNS = re.compile(
    r"(\]\(\s*|\]:\s*|^\s*)((?:javascript|vbscript|data|file|blob)\s*)\\?:", re.IGNORECASE
)


def inline(text: str) -> str:
    """Return plain text escaped for the middle of a line: it shows as it is written."""
    escaped = _ACTIVE.sub(r"\\\g<0>", text)
    return escaped.replace("&", "&amp;").replace("<", "&lt;")


def whole_line(text: str) -> str:
    """Return plain text escaped for a line of its own: it begins no heading, list or quote."""
    escaped = inline(text)
    if start := _LINE_START.match(escaped):
        at = start.end() if start[0].isdigit() else 0
        return f"{escaped[:at]}\\{escaped[at:]}"
    return escaped


def plain_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the Markdown lines that show plain `text` as it is, none of them code."""
    lines = text.strip("\n").split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        rest = line.lstrip(" ")
        indent = "&nbsp;" * min(len(line) - len(rest), _WIDEST_INDENT)
        escaped = whole_line(rest.rstrip(" "))
        # Two spaces keep the break between the lines of one paragraph.
        yield (indent + escaped + ("  " if following.strip() else "") if rest else ""), False


@dataclass(slots=True)
class _Fence:
    """A piece of code in the making."""

    marks: str
    language: str
    indent: int
    lines: list[str] = field(default_factory=list)

    def ended_by(self, line: str) -> bool:
        """Whether a line, without its indent, closes this fence (CommonMark, fenced code)."""
        marks = line.rstrip(" ")
        return len(marks) >= len(self.marks) and marks == self.marks[0] * len(marks)

    def add(self, line: str) -> None:
        """Take a line of code, without the indent of its fence."""
        spaces = len(line) - len(line.lstrip(" "))
        self.lines.append(line[min(spaces, self.indent) :])

    def written(self) -> Iterator[tuple[str, bool]]:
        """Yield the code between fences that nothing in it can close."""
        longest = max(
            (len(run) for line in self.lines for run in re.findall("`+", line)), default=0
        )
        marks = "`" * max(3, longest + 1)
        yield "", False
        yield marks + self.language, False
        for line in self.lines:
            yield line, True
        yield marks, False
        yield "", False


def article_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a Markdown text made harmless, each with whether it is code.

    Code in fences stays as it is, its fences moved to the line's start and always closed. Elsewhere
    HTML and entities show as written, headings go below `OWN_LEVELS`, images become links, and a
    link that would run a program leads nowhere.
    """
    fence: _Fence | None = None
    underline = False
    lines = text.strip("\n").split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        rest = line.lstrip(" ")
        if fence is not None:
            if fence.ended_by(rest):
                yield from fence.written()
                fence = None
            else:
                fence.add(line)
        elif opened := _FENCE.match(rest):
            fence = _Fence(opened["marks"], opened["language"], len(line) - len(rest))
        elif underline:
            underline = False
        elif underline := _is_underlined(line, following):
            yield _harmless_text(f"{'#' if following.lstrip()[0] == '=' else '##'} {rest}"), False
        else:
            yield _harmless(line), False
    if fence is not None:
        yield from fence.written()


def _is_underlined(line: str, following: str) -> bool:
    """Whether a line is a heading by the line below it, and can be written as one with `#`."""
    below = _UNDERLINE.fullmatch(following)
    return below is not None and ">" not in below["before"] and not _NO_PARAGRAPH.match(line)


def _harmless(line: str) -> str:
    """One line outside code. What would make a heading of the line above it becomes a rule."""
    if below := _UNDERLINE.fullmatch(line):
        is_rule = below["marks"].startswith("---")
        return below["before"] + ("***" if is_rule else f"\\{below['marks']}")
    containers = _CONTAINERS.match(line)
    start = containers.end() if containers is not None else 0
    if start > _WIDEST_CONTAINERS:
        return "\\" + _harmless_text(line.lstrip(" "))
    return line[:start] + _harmless_text(line[start:])


def _harmless_text(text: str) -> str:
    if text.startswith(("```", "~~~")):
        # A fence inside a quote or a list ends with that, and not where we would see it end.
        text = re.sub(r"[`~]", r"\\\g<0>", text)
    if heading := _HEADING.match(text):
        text = "#" * min(len(heading[1]) + OWN_LEVELS, 6) + text[heading.end() :]
    elif text.startswith("#"):
        text = "\\" + text
    text = _AMPERSAND.sub("&amp;", text).replace("<", "&lt;")
    text = _IMAGE.sub("", text)
    return _RUNS.sub(r"\1\2%3A", text)
