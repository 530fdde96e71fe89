"""The numbers that people put on notes by hand when one note is not enough: "2/7", "(3/5)", "🧵".

Knows one text at a time. Whether its number is one at all is for the chain to show: see `articles`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Numbering", "numbering"]

_WINDOW = 64
"""No mark is longer than this: only so much of each end of a text is looked at."""

_SIGNS = r"(?:[🧵👇⬇]\ufe0f?\s?){1,4}"
_PLACE = (
    r"(?:part\s)?(?P<open>[(\[\uff08])?(?P<index>[0-9]{1,3})"
    r"(?:(?:/|\s/\s)(?P<total>[0-9]{1,3})|\sof\s(?P<of>[0-9]{1,3})|/[nx?]?)(?(open)[)\]\uff09])"
)
_BEFORE = r"(?:(?<!\S)|(?=[(\[\uff08]))"
_AFTER = r"(?:(?=\s|$)|(?<=[)\]\uff09]))"
_HEAD = re.compile(
    rf"(?:{_SIGNS})?{_PLACE}(?:\s?{_SIGNS})?(?:\s?[:.\u2013\u2014-])?{_AFTER}", re.IGNORECASE
)
_TAIL = re.compile(rf"{_BEFORE}(?:{_SIGNS})?{_PLACE}(?:\s?{_SIGNS})?$", re.IGNORECASE)
_ITEM = re.compile(r"(?P<index>[0-9]{1,2})[.)](?=\s)")
_ITEM_BELOW = re.compile(r"\n[ \t]{0,8}[0-9]{1,2}[.)]\s")
_GOES_ON = (
    r"(?:(?:…|\.{3})?\s?[(\[]cont(?:inued|['\u2019]?d)?\.?[)\]]|(?:…|\.{3})\s?(?:continued|cont)\b"
    r"|cont(?:\.|['\u2019]d\.?)|continued(?=[:…]))[:…]?"
)
_HEAD_GOES_ON = re.compile(rf"{_GOES_ON}(?=\s|$)", re.IGNORECASE)
_TAIL_GOES_ON = re.compile(rf"(?<!\w){_GOES_ON}$", re.IGNORECASE)
_HEAD_SIGN = re.compile(_SIGNS)
_TAIL_SIGN = re.compile(rf"{_SIGNS}$")


@dataclass(frozen=True, slots=True)
class Numbering:
    """A number as a person wrote it: `index` from 1, `total` None where none is given ("2/", "2.").

    `index` is 0 for a mark without a number: "🧵", which `opens` a chain, or "(cont.)". The stretch
    from `start` to `end` of the text, in characters, is the mark with the white space beside it.
    """

    index: int
    total: int | None
    start: int
    end: int
    opens: bool = False


def numbering(text: str) -> Numbering | None:
    """Return the number or mark at the beginning or the end of a text, None without one.

    Of two, the one in brackets, else the first. A text that begins like this need not be numbered
    ("1/2 cup of sugar", "9/11"): only its neighbours can tell. A place beyond the total ("24/7"), a
    date with a year and a list of several items in one text are none.
    """
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    near_start, near_end = min(end, start + _WINDOW), max(start, end - _WINDOW)
    head = _placed(_HEAD.match(text, start, near_start), text)
    tail = _placed(_TAIL.search(text, near_end, end), text)
    if head is not None and tail is not None:
        return tail if text[tail.start : tail.end].rstrip()[-1] in ")]\uff09" else head
    return (
        head
        or tail
        or _item(text, start, near_start)
        or _mark(_HEAD_GOES_ON.match(text, start, near_start), text)
        or _mark(_TAIL_GOES_ON.search(text, near_end, end), text)
        or _sign(_HEAD_SIGN.match(text, start, near_start), text)
        or _sign(_TAIL_SIGN.search(text, near_end, end), text)
    )


def _placed(match: re.Match[str] | None, text: str) -> Numbering | None:
    if match is None:
        return None
    given = match["total"] or match["of"]
    index, total = int(match["index"]), int(given) if given else None
    if index == 0 or (total is not None and index > total):
        return None
    return Numbering(index, total, *_stretch(match, text), "🧵" in match[0])


def _item(text: str, start: int, end: int) -> Numbering | None:
    match = _ITEM.match(text, start, end)
    if match is None or int(match["index"]) == 0 or _ITEM_BELOW.search(text, match.end()):
        return None
    return Numbering(int(match["index"]), None, *_stretch(match, text))


def _mark(match: re.Match[str] | None, text: str) -> Numbering | None:
    return None if match is None else Numbering(0, None, *_stretch(match, text))


def _sign(match: re.Match[str] | None, text: str) -> Numbering | None:
    if match is None or "🧵" not in match[0]:
        return None
    return Numbering(0, None, *_stretch(match, text), opens=True)


def _stretch(match: re.Match[str], text: str) -> tuple[int, int]:
    """Return where a mark begins and ends, with the white space around it."""
    after = text[match.end() :]
    before = text[: match.start()]
    return len(before.rstrip()), match.end() + len(after) - len(after.lstrip())
