"""Split a long text into parts that each fit a limit; `join` gives the exact text back.

Knows limits, markers and how a part is written. Knows nothing of relays or of the events that will
carry the parts; where to cut is found by `layout`.
"""

from __future__ import annotations

from dataclasses import dataclass

from nostr_threads.core.join import MAX_PARTS, Part, Seam, join, missing_parts
from nostr_threads.core.splitting.breaks import Break
from nostr_threads.core.splitting.cuts import Cuts, NoRoom
from nostr_threads.core.splitting.layout import least_cost
from nostr_threads.core.splitting.marker import GUARD, Marker, is_unicode
from nostr_threads.core.splitting.source import Ruler, Source
from nostr_threads.errors import InvalidInput, InvalidText, LimitTooSmall

__all__ = [
    "DEFAULT_MARKER",
    "Break",
    "Limit",
    "Part",
    "Seam",
    "Source",
    "join",
    "missing_parts",
    "split",
]

DEFAULT_MARKER = " ({index}/{total})"


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that one part may take, marker included. All limits that are given hold.

    `characters` counts Unicode code points of the event's content (NIP-11 `max_content_length`).
    `bytes` counts the event's JSON, of which `overhead` is not content: with the default of 0,
    `bytes` bounds the content's JSON-escaped text alone. An overhead that is to cover the `part`
    tag too has to count `PART_TAG_BYTES` for it. Raises `InvalidInput` for a limit of nothing.
    """

    characters: int | None = None
    bytes: int | None = None
    overhead: int = 0

    def __post_init__(self) -> None:
        given = [value for value in (self.characters, self.bytes) if value is not None]
        if not given:
            raise InvalidInput("a limit needs characters, bytes or both")
        if min(given) < 1:
            raise InvalidInput(f"a limit of {min(given)} holds nothing")
        if self.overhead < 0:
            raise InvalidInput(f"an overhead of {self.overhead} bytes is not possible")

    @property
    def content_bytes(self) -> int | None:
        """The most bytes of JSON-escaped content. Raises `LimitTooSmall` if there are none."""
        if self.bytes is None:
            return None
        if self.bytes <= self.overhead:
            raise LimitTooSmall(
                f"a limit of {self.bytes} bytes leaves no room for text: the event takes "
                f"{self.overhead} bytes without it"
            )
        return self.bytes - self.overhead


def split(
    text: str, limit: Limit, *, marker: str = DEFAULT_MARKER, source: Source | None = None
) -> list[Part]:
    """Split `text` into parts within `limit` such that `join` returns it byte for byte.

    The cuts are those of least total cost over the whole text (`penalties` has the prices): few
    parts, good breaks, no heading, lead-in line or stub left alone. Links, codes, hashtags, names
    and fenced code stay whole wherever they fit a part; a longer fence is closed and reopened, a
    longer link is cut between graphemes. Where a part would begin or end in white space longer
    than a seam holds, an invisible word joiner (U+2060) keeps it.

    Of several parts each gets `marker`: a template with `{index}` and `{total}` that follows the
    text, or says with `{text}` where the text is; empty for none. Whoever splits one text
    repeatedly may hand over its `source`. The time is linear in the text.

    Raises `InvalidText` for no text or lone surrogates, `InvalidInput` for an unusable marker, and
    `LimitTooSmall` if one grapheme and the marker do not fit or more than 10,000 parts are needed.
    """
    _check_text(text)
    template = Marker.parse(marker)
    source = source if source is not None and source.text == text else Source(text)
    ruler = Ruler(source, limit.characters, limit.content_bytes)
    if (whole := _whole(source, ruler)) is not None:
        return [whole]
    for most in (9, 99, 999, 9_999, MAX_PARTS):
        # Cut for a total of one digit, then two and so on, until the total has room in its marker.
        if ruler.least_parts() <= most:
            cuts = _cuts(source, ruler, template.numbered(most, most))
            layout = least_cost(cuts)
            if len(layout) <= most:
                return _parts(text, cuts, layout, template)
    raise LimitTooSmall(f"under this limit the text takes more than {MAX_PARTS} parts")


def _whole(source: Source, ruler: Ruler) -> Part | None:
    """Return the text as a single part, if it fits; then not even an open fence is closed."""
    text = source.text
    begin = source.skip_space(0)
    end = max(source.end, source.marks.find(1, begin + 1))
    head = GUARD if text[begin].isspace() else ""
    foot = GUARD if text[end - 1].isspace() else ""
    if not ruler.fits(begin, end, head + foot):
        return None
    before, after = Seam(len(head), text[:begin]), Seam(len(foot), text[end:])
    return Part(1, 1, head + text[begin:end] + foot, before, after)


def _cuts(source: Source, ruler: Ruler, marker: Marker) -> Cuts:
    try:
        return Cuts(source, ruler, marker, reopen=True)
    except NoRoom:
        # A fence whose own lines leave no room for even one grapheme is cut as if it were prose.
        return Cuts(source, ruler, marker, reopen=False)


def _parts(text: str, cuts: Cuts, layout: list[int], template: Marker) -> list[Part]:
    total, edges = len(layout), cuts.edges
    parts, start = [], 0
    for index, number in enumerate(layout, 1):
        marker = template.numbered(index, total)
        begin = cuts.begins[number]
        if index == total:
            end, stop, kind = edges.end_after(begin), len(text), None
        else:
            end, kind = cuts.ends[layout[index]], cuts.kinds[layout[index]]
            stop = edges.stop(end)
        head = marker.head(edges.head(cuts.ends[number], begin))
        foot = marker.foot(edges.foot(end))
        before, after = Seam(len(head), text[start:begin]), Seam(len(foot), text[end:stop])
        parts.append(Part(index, total, head + text[begin:end] + foot, before, after, kind))
        start = stop
    return parts


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidText("there is no text")
    if not is_unicode(text):
        raise InvalidText("the text holds a lone surrogate, which no UTF-8 can carry")
