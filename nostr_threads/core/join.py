"""A part of a split text, the tag that travels with it, and the way back to the whole text.

Knows how to undo exactly what was done to each part. Knows nothing of where texts are cut.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.core.splitting.breaks import Break

__all__ = [
    "MAX_ADDED",
    "MAX_PARTS",
    "MAX_REMOVED",
    "PART_TAG_BYTES",
    "Part",
    "Seam",
    "escaped_bytes",
    "join",
    "missing_parts",
]

MAX_PARTS = 10_000
MAX_ADDED = 300
"""The most characters added at one end of a part: a marker, a fence's lines, a guard."""
MAX_REMOVED = 16
"""The most white space left out at one end of a part; what is longer counts as content."""
PART_TAG_BYTES = 250
"""No `part` tag takes more bytes of an event's JSON than this, the comma beside it included."""

_TAG_NAME = "part"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Seam:
    """What was done at one end of a part.

    `added` counts the characters of the published text there that are not the author's. `removed`
    is the author's white space beyond them, which the published text lacks.
    """

    added: int = 0
    removed: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its place (from 1), the published `text`, marker included, and both its seams.

    `ends` is the kind of break after it: None for the last part and one that was read from a tag.
    """

    index: int
    total: int
    text: str
    before: Seam = Seam()
    after: Seam = Seam()
    ends: Break | None = field(default=None, compare=False)

    @property
    def original(self) -> str:
        """The stretch of the author's text that this part stands for, byte for byte."""
        end = len(self.text) - self.after.added
        return self.before.removed + self.text[self.before.added : end] + self.after.removed

    @property
    def characters(self) -> int:
        """Length of `text` in Unicode code points, as NIP-11's `max_content_length` counts."""
        return len(self.text)

    @property
    def bytes(self) -> int:
        """Length of `text` in bytes of an event's JSON, escapes included (NIP-01)."""
        return escaped_bytes(self.text)

    @property
    def needs_tag(self) -> bool:
        """Whether `text` alone is not enough: false for a whole text that was left as it was."""
        return self.total > 1 or self.before != Seam() or self.after != Seam()

    def tag(self) -> tuple[str, ...]:
        """Return the event tag that lets `join` undo the split.

        `("part", index, total, added after, removed after, added before, removed before)`, numbers
        in decimal, without the trailing values that are "0" and "".
        """
        values = [str(self.after.added), self.after.removed]
        values += [str(self.before.added), self.before.removed]
        while values and values[-1] == ("0", "")[(len(values) - 1) % 2]:
            values.pop()
        return (_TAG_NAME, str(self.index), str(self.total), *values)

    @classmethod
    def from_tag(cls, content: str, tag: Sequence[str]) -> Part:
        """Read a fetched event's content and its `part` tag. Raises `InvalidInput` if malformed."""
        if not 3 <= len(tag) <= 7 or tag[0] != _TAG_NAME:
            _reject("it does not have 3 to 7 values")
        added_after, removed_after, added_before, removed_before = (
            *tag[3:],
            *("0", "", "0", "")[len(tag) - 3 :],
        )
        after = _seam(added_after, removed_after)
        before = _seam(added_before, removed_before)
        index, total = _number(tag[1], MAX_PARTS), _number(tag[2], MAX_PARTS)
        if not 1 <= index <= total:
            _reject(f"{index} of {total} is no place")
        if before.added + after.added > len(content):
            _reject("more was added than there is")
        return cls(index, total, content, before, after)


def join(parts: Iterable[Part]) -> str:
    """Return the text that was split, exactly. The parts may come in any order and repeatedly.

    Raises `InvalidInput` if there are none, one is missing, two differ under the same index, or
    they do not agree on their total.
    """
    by_index = _by_index(parts)
    if not by_index:
        raise InvalidInput("there are no parts to join")
    if missing := missing_parts(by_index.values()):
        named = ", ".join(map(str, missing[:10])) + (", …" if len(missing) > 10 else "")
        raise InvalidInput(f"cannot join: part {named} missing")
    return "".join(by_index[index].original for index in sorted(by_index))


def missing_parts(parts: Iterable[Part]) -> tuple[int, ...]:
    """Return the indices that are not present, rising. Raises `InvalidInput` as `join` does."""
    by_index = _by_index(parts)
    total = next(iter(by_index.values())).total if by_index else 0
    return tuple(index for index in range(1, total + 1) if index not in by_index)


def escaped_bytes(text: str) -> int:
    r"""Return the bytes `text` takes inside an event's JSON, where `"`, `\` and \n take two."""
    return len(json.dumps(text, ensure_ascii=False).encode()) - 2


def _by_index(parts: Iterable[Part]) -> dict[int, Part]:
    by_index: dict[int, Part] = {}
    total: int | None = None
    for part in parts:
        if total is not None and part.total != total:
            raise InvalidInput(f"parts of {total} and parts of {part.total} do not belong together")
        total = part.total
        if by_index.setdefault(part.index, part) != part:
            raise InvalidInput(f"there are two different parts {part.index}")
    return by_index


def _seam(added: str, removed: str) -> Seam:
    # Only white space may be put back: else a tag could smuggle in text that no part shows.
    if len(removed) > MAX_REMOVED or (removed and not removed.isspace()):
        _reject(f"a seam is not at most {MAX_REMOVED} white space characters")
    return Seam(_number(added, MAX_ADDED), removed)


def _number(value: str, most: int) -> int:
    if not _NUMBER.fullmatch(value) or int(value) > most:
        _reject(f"a number is not between 0 and {most}")
    return int(value)


def _reject(reason: str) -> NoReturn:
    raise InvalidInput(f"not a usable part tag: {reason}")
