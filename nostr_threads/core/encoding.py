# ruff: noqa: RUF003 (signs of other scripts are what a wrong code page makes)
"""Bytes made into text, and text that was once read in a wrong code page, found and mended.

Knows UTF-8, UTF-16 and what UTF-8 looks like to an eight-bit code page. Knows nothing of Markdown
but where code stands, which it never touches. The only door to ftfy.

`garbled` has to see a text before `manuscript.cleaned` does: some code pages leave a hole at a
byte, which then stands in the text as a control character.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from nostr_threads.core.verbatim import prose_in
from nostr_threads.errors import InvalidText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Garble", "decode", "garbled", "mend"]

_LINE_BREAK = re.compile(r"\r\n?|\n")
_LINE = re.compile(r"[^\r\n]++")
# What a code page makes of one character beyond ASCII is two signs or more.
_TWO_SIGNS = re.compile(r"[^\x00-\x7f]{2}")
_SAMPLE = 4096


@dataclass(frozen=True, slots=True)
class Garble:
    """A stretch that was read in a wrong code page: `text` stands where `mended` was written.

    `position` is its first character, from 0; `line` counts from 1.
    """

    position: int
    line: int
    text: str
    mended: str


def decode(data: bytes) -> str:
    """Read UTF-8, or UTF-16 with a byte order mark; the mark is taken off.

    Raises `InvalidText` with the line and the byte in it (both from 1) of what cannot be read.
    """
    if data.startswith((BOM_UTF32_LE, BOM_UTF32_BE)):
        raise InvalidText("this is UTF-32; save the file as UTF-8")
    if data.startswith(BOM_UTF16_LE):
        return _decode(data[2:], "utf-16-le", "UTF-16", skipped=2)
    if data.startswith(BOM_UTF16_BE):
        return _decode(data[2:], "utf-16-be", "UTF-16", skipped=2)
    if data.startswith(BOM_UTF8):
        return _decode(data[3:], "utf-8", "UTF-8", skipped=3)
    try:
        text = _decode(data, "utf-8", "UTF-8", skipped=0)
    except InvalidText:
        _refuse_unmarked(data[:_SAMPLE], fewest=1)
        raise
    _refuse_unmarked(data[:_SAMPLE], fewest=len(data[:_SAMPLE]) // 4)
    return text


def garbled(text: str) -> tuple[Garble, ...]:
    """Return the stretches outside of code that were read in a wrong code page, in order.

    Silent on right text of any language: where in doubt, a stretch is taken for what it says.
    """
    found: list[Garble] = []
    line = done = 0
    for start, end in prose_in(text) if not text.isascii() else ():
        for match in _LINE.finditer(text, start, end):
            if _TWO_SIGNS.search(match[0]) is None:
                continue
            for position, wrong, right in _in_line(match[0]):
                at = match.start() + position
                line += len(_LINE_BREAK.findall(text, done, at))
                done = at
                found.append(Garble(at, line + 1, wrong, _mended_again(right)))
    return tuple(found)


def mend(text: str) -> str:
    """Return `text` with what `garbled` finds as it was written, and all else untouched."""
    pieces: list[str] = []
    done = 0
    for garble in garbled(text):
        pieces += text[done : garble.position], garble.mended
        done = garble.position + len(garble.text)
    return "".join((*pieces, text[done:]))


def _decode(data: bytes, codec: str, name: str, *, skipped: int) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(codec)
    breaks = list(_LINE_BREAK.finditer(before))
    line_start = breaks[-1].end() if breaks else 0
    byte = len(before[line_start:].encode(codec)) + 1 + (0 if breaks else skipped)
    raise InvalidText(
        f"line {len(breaks) + 1}, byte {byte} is not {name}; save the file as UTF-8"
    ) from None


def _refuse_unmarked(sample: bytes, *, fewest: int) -> None:
    """Name UTF-16 without its mark: a zero in every other byte, of some scripts only at spaces."""
    few, many = sorted((sample[0::2].count(0), sample[1::2].count(0)))
    if len(sample) % 2 == 0 and few * 8 <= many >= max(fewest, 1):
        raise InvalidText("this is UTF-16 without its byte order mark; save the file as UTF-8")


# What a lead byte and the two or three after it may mean. Only these are looked for: characters
# that people write, so that "é »" in a French text is not taken for three bytes of a Han character.
_LATIN = re.compile(r"[\u00a0-\u017f\u0218-\u021b]")
_SYMBOLS = re.compile(
    r"[\u2010-\u2027\u202f-\u205e\u20a0-\u27ff\u2900-\u2bff]|\u200b|\ufeff|\ufffd"
)
_EMOJI = re.compile(r"[\U0001f000-\U0001faff]")
_TWO_BYTES = re.compile(r"[\u0370-\u03ff\u0400-\u045f\u0490\u0491\u05d0-\u05f4\u0600-\u06ff]")
_THREE_BYTES = re.compile(
    r"[\u0900-\u0fff\u10a0-\u10ff\u1e00-\u1fff\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7af\uff00-\uffef]"
)
# What may follow a letter in right text: ends of quotations, dashes, marks, footnotes.
_CLOSING = frozenset(
    "\u2018\u2019\u201a\u201c\u201d\u2039\u203a«»\u2026\u2013\u2014\u2022\u2122·®©¹²³½¼¾ªº\xa0\xad"
)
# Never evidence, but right next to it: what Vietnamese and the phonetic alphabet have besides.
_COMPANY = re.compile(r"[\u0180-\u036f]")
_VIETNAMESE = re.compile(r"[\u1ea0-\u1ef9]")
# Ă stands before none of these in the languages that have it: Romanian and Vietnamese.
_NEVER_AFTER_BREVE = frozenset("ŚŤŽŹŠśťžźšŁĄŻłąľżĽ")
# Of "à" the no-break space, which programs make a space, fold with the next, or cut from a line.
_LOST_SPACE = ("Ã ", "Ã")
_BOX = re.compile(r"[\u2500-\u259f]")
_OPENS_WITH_SYMBOL = frozenset("([{<\u2018\u201c\u201e«\u2039\"'")


@dataclass(frozen=True, slots=True)
class _Sequence:
    """Characters of one line that a code page makes of the bytes of one character, `meant`."""

    start: int
    end: int
    meant: str


@dataclass(frozen=True, slots=True)
class _CodePage:
    name: str
    bytes_of: dict[str, int]
    sequence: re.Pattern[str]

    def sequences(self, line: str) -> Iterator[_Sequence]:
        for match in self.sequence.finditer(line):
            if match[0] in _LOST_SPACE:
                folded = match[0] == "Ã " and line[match.end() : match.end() + 1].strip()
                yield _Sequence(match.start(), match.end(), "à " if folded else "à")
                continue
            try:
                meant = bytes(self.bytes_of[char] for char in match[0]).decode()
            except UnicodeDecodeError:
                continue
            yield _Sequence(match.start(), match.end(), meant)


_WESTERN = "sloppy-windows-1252"
_WINDOWS = (_WESTERN, "sloppy-windows-1251", "sloppy-windows-1253", "sloppy-windows-1250")
_NAMES = (*_WINDOWS, "mac-roman", "cp437")


@cache
def _code_pages() -> tuple[_CodePage, ...]:
    import ftfy.bad_codecs  # noqa: F401 (it names the code pages as Windows reads them, with holes)

    return tuple(map(_code_page, _NAMES))


def _code_page(name: str) -> _CodePage:
    high = bytes(range(0x80, 0x100)).decode(name)
    bytes_of = {char: 0x80 + index for index, char in enumerate(high)}
    western = bytes(range(0x80, 0xA0)).decode("sloppy-windows-1252")
    for byte, char in zip(range(0x80, 0xA0), western, strict=True):
        # Programs fill the holes of a code page with Latin-1's controls, or as cp1252 has it.
        if high[byte - 0x80] == chr(byte) or name == _WESTERN:
            bytes_of.setdefault(char, byte)
            bytes_of.setdefault(chr(byte), byte)

    def between(low: int, top: int) -> str:
        return "".join(re.escape(char) for char, byte in bytes_of.items() if low <= byte <= top)

    rest = between(0x80, 0xBF)
    pattern = "|".join(
        f"[{between(low, top)}][{rest}]{{{count}}}"
        for low, top, count in ((0xC2, 0xDF, 1), (0xE0, 0xEF, 2), (0xF0, 0xF4, 3))
    )
    if name == _WESTERN:
        pattern += r"|(?<![A-ZÀ-Þ])Ã(?: |\Z)"
    return _CodePage(name, bytes_of, re.compile(pattern))


def _in_line(line: str) -> list[tuple[int, str, str]]:
    """The stretches of a line by the code page that explains most of it: position, wrong, right."""
    best: list[_Sequence] = []
    for page in _code_pages():
        accepted = _accepted(line, page)
        if sum(map(_size, accepted)) > sum(map(_size, best)):
            best = accepted
    return [
        (run[0].start, line[run[0].start : run[-1].end], "".join(each.meant for each in run))
        for run in _runs(best)
    ]


def _accepted(line: str, page: _CodePage) -> list[_Sequence]:
    found = [each for each in page.sequences(line) if _kind(each.meant) is not None]
    evidence = [each for each in found if _is_evidence(line, each)]
    sure = [each for run in _runs(evidence) if _is_sure(line, run, page) for each in run]
    if not sure:
        return []
    garbled = sum(not char.isascii() for each in found for char in line[each.start : each.end])
    # When all of a line can be bytes of UTF-8 and some of it surely is, then all of it is.
    whole = garbled == sum(not char.isascii() for char in line)
    accepted = found if whole else _with_company(line, found, sure)
    return accepted if _is_better(line, accepted) else []


def _is_evidence(line: str, each: _Sequence) -> bool:
    return _kind(each.meant) is not _COMPANY and line[each.start : each.end] not in _LOST_SPACE


def _with_company(
    line: str, found: Sequence[_Sequence], sure: Sequence[_Sequence]
) -> list[_Sequence]:
    """What is sure in a line, and what is like it: a line that is half mended is worse than none.

    Other signs of the line are right as they are, so that "é »" beside a garbled “ is no Han.
    """
    surely = frozenset(sure)
    kinds = {_kind(each.meant) for each in sure}
    is_vietnamese = any(_VIETNAMESE.match(each.meant) for each in sure)

    def is_like_them(each: _Sequence) -> bool:
        kind = _kind(each.meant)
        if is_vietnamese and kind in (_LATIN, _COMPANY, _THREE_BYTES):
            return True
        is_clear = not _CLOSING.issuperset(line[each.start + 1 : each.end])
        return kind in kinds and (is_clear or kind in (_TWO_BYTES, _THREE_BYTES))

    return [each for each in found if each in surely or is_like_them(each)]


def _is_better(line: str, accepted: Sequence[_Sequence]) -> bool:
    """Ask ftfy, too, whether the line gains: it knows which characters hardly ever meet."""
    from ftfy.badness import badness

    pieces: list[str] = []
    done = 0
    for each in accepted:
        pieces += line[done : each.start], each.meant
        done = each.end
    return badness("".join((*pieces, line[done:]))) <= badness(line)


def _size(sequence: _Sequence) -> int:
    return sequence.end - sequence.start


def _runs(found: Sequence[_Sequence]) -> list[list[_Sequence]]:
    runs: list[list[_Sequence]] = []
    for each in found:
        if runs and runs[-1][-1].end == each.start:
            runs[-1].append(each)
        else:
            runs.append([each])
    return runs


def _kind(char: str) -> re.Pattern[str] | None:
    """The kind of characters that `char` is of, or None for what nobody writes."""
    kinds = _LATIN, _SYMBOLS, _EMOJI, _TWO_BYTES, _THREE_BYTES, _COMPANY
    return next((kind for kind in kinds if kind.match(char)), None)


def _is_sure(line: str, run: Sequence[_Sequence], page: _CodePage) -> bool:
    """Whether a run of sequences can be nothing but garbled text."""
    is_western = page.name == _WESTERN
    if any(_is_sure_alone(line, each, page) for each in run):
        return True
    # Mac Roman and DOS have signs of mathematics and boxes where others have letters.
    fewest = 2 if page.name in _WINDOWS else 3
    return len(run) >= fewest and any(
        _is_odd_in_a_word(line, each, is_last=each is run[-1], is_western=is_western)
        for each in run
    )


def _is_sure_alone(line: str, each: _Sequence, page: _CodePage) -> bool:
    rest = line[each.start + 1 : each.end]
    if _EMOJI.match(each.meant):
        return True
    if _SYMBOLS.match(each.meant):
        # “ilâ”… is right Turkish; only the marks that follow a letter are in doubt.
        return not _CLOSING.issuperset(rest)
    if page.name == _WESTERN and _VIETNAMESE.match(each.meant):
        return not _CLOSING.issuperset(rest)
    if not _LATIN.match(each.meant):
        return False
    if line[each.start] == "Ă" and rest in _NEVER_AFTER_BREVE:
        return True
    before = line[max(each.start - 2, 0) : each.start]
    after = line[each.end : each.end + 1]
    if page.name == _WESTERN:
        return _is_western_latin(line[each.start], rest, before[-1:], after)
    # "fГјr", "cafΓ©", "f√ºr": signs of another script or of mathematics inside a Latin word.
    inside = _is_small(before[-1:]) and (
        _is_small(after) or (len(before) == 2 and _is_small(before[0]))
    )
    if page.name in _WINDOWS and _is_capital(before.strip()):
        inside = _is_small(after)
    return inside and each.meant.isalpha() and rest not in ("π", "Ω", "µ", "∞", "∑", "∫", "∏")


def _is_western_latin(lead: str, rest: str, before: str, after: str) -> bool:
    """Whether Â, Ã, Ä or Å begins a garbled letter; `“Ä”` and `«MAÇÃ»` are right."""
    if rest not in _CLOSING:
        return True
    if lead in "ÂÃ":
        return not before.isupper() and before not in _OPENS_WITH_SYMBOL
    return before.islower() and after.isalpha()


def _is_small(char: str) -> bool:
    return char.isascii() and char.islower()


def _is_capital(char: str) -> bool:
    return len(char) == 1 and char.isascii() and char.isupper()


def _is_odd_in_a_word(line: str, each: _Sequence, *, is_last: bool, is_western: bool) -> bool:
    """Whether a sequence is unlike any word: a sign or a small letter before the next capital."""
    rest = line[each.start + 1 : each.end]
    if _CLOSING.issuperset(rest) or _BOX.match(rest):
        return False
    if len(rest) > 1:
        return is_western
    return not rest.isalpha() or (not is_last and not rest.isupper()) or is_western


def _mended_again(text: str) -> str:
    """Mend what went through a wrong code page more than once; three times is the most seen."""
    for _ in range(2):
        again = text
        for position, wrong, right in reversed(_in_line(text)):
            again = again[:position] + right + again[position + len(wrong) :]
        if again == text:
            break
        text = again
    return text
