"""Split a long text into parts that each fit a limit; `join` gives the exact text back.

Knows limits, markers and how a part is written. Knows nothing of relays or of the events that will
carry the parts; where to cut is found by `cuts`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from nostr_threads.core.cuts import GUARD, Cutter, Piece, place_marker
from nostr_threads.core.join import MAX_PARTS, Part, Seam, join, missing_parts
from nostr_threads.core.source import Ruler, Source
from nostr_threads.errors import InvalidInput, InvalidText, LimitTooSmall

__all__ = ["DEFAULT_MARKER", "Limit", "Part", "Seam", "join", "missing_parts", "split"]

DEFAULT_MARKER = " ({index}/{total})"
_MAX_MARKER = 64


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


def split(text: str, limit: Limit, *, marker: str = DEFAULT_MARKER) -> list[Part]:
    """Split `text` into parts within `limit` such that `join` returns it byte for byte.

    `marker` ends each part of several; it holds `{index}` and `{total}`, or is empty. Each part
    reaches as far as the best break in its second half: before a heading, then paragraph, line,
    sentence, clause, word, grapheme. Links, codes, hashtags, names and fenced code stay whole
    wherever they fit a part; a longer fence is closed and reopened, a longer link is cut between
    graphemes. Where a part would begin or end in white space longer than a seam holds, an
    invisible word joiner (U+2060) keeps it.

    Raises `InvalidText` for no text or lone surrogates, `InvalidInput` for an unusable marker, and
    `LimitTooSmall` if one grapheme and the marker do not fit or more than 10,000 parts are needed.
    """
    _check_text(text)
    _check_marker(marker)
    source, ruler = Source(text), Ruler(text, limit.characters, limit.content_bytes)
    if (whole := Cutter(source, ruler, "").whole()) is not None:
        return [_part(text, whole, 1, 1, "")]
    pieces = _pieces(source, ruler, marker)
    total = len(pieces)
    return [_part(text, piece, index, total, marker) for index, piece in enumerate(pieces, 1)]


def _pieces(source: Source, ruler: Ruler, marker: str) -> list[Piece]:
    """Cut for a total of one digit, then two and so on, until the total has room in its marker."""
    for most in (9, 99, 999, 9_999, MAX_PARTS):
        cutter = Cutter(source, ruler, _render(marker, most, most))
        pieces = list(islice(cutter.pieces(), most + 1))
        if len(pieces) <= most:
            return pieces
    raise LimitTooSmall(f"under this limit the text takes more than {MAX_PARTS} parts")


def _part(text: str, piece: Piece, index: int, total: int, marker: str) -> Part:
    body = text[piece.begin : piece.end]
    rendered = _render(marker, index, total)
    foot = piece.close + place_marker(rendered, own_line=piece.own_line)
    if not foot and body[-1].isspace():
        foot = GUARD
    before = Seam(len(piece.head), text[piece.start : piece.begin])
    after = Seam(len(foot), text[piece.end : piece.stop])
    return Part(index, total, piece.head + body + foot, before, after)


def _render(marker: str, index: int, total: int) -> str:
    # Not str.format: a template must not reach attributes, and other braces are plain text.
    return marker.replace("{index}", str(index)).replace("{total}", str(total))


def _check_text(text: str) -> None:
    if not text.strip():
        raise InvalidText("there is no text")
    if not _is_unicode(text):
        raise InvalidText("the text holds a lone surrogate, which no UTF-8 can carry")


def _check_marker(marker: str) -> None:
    if not marker:
        return
    if "{index}" not in marker or "{total}" not in marker:
        raise InvalidInput(f"the marker {marker!r} needs both {{index}} and {{total}}, or be empty")
    if len(marker) > _MAX_MARKER:
        raise InvalidInput(f"the marker is longer than {_MAX_MARKER} characters")
    if marker[-1].isspace():
        raise InvalidInput(f"the marker {marker!r} ends in white space")
    if not _is_unicode(marker):
        raise InvalidInput("the marker holds a lone surrogate")


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
