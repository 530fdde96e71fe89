# ruff: noqa: RUF001 (the look-alike punctuation of other scripts is meant)
"""Whether a text stops in the middle: of a sentence, a list, a table, a piece of code.

Knows how finished texts end, in as many languages as their marks and words are listed here.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nostr_threads.core.splitting.punctuation import SENTENCE_MARKS
from nostr_threads.core.verbatim import code_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.verbatim import Code

__all__ = ["Ending", "Unfinished", "unfinished"]


class Ending(StrEnum):
    """What a text stops in the middle of."""

    SENTENCE = "sentence"
    LIST = "list"
    TABLE = "table"
    HEADING = "heading"
    CODE = "code"
    BRACKET = "bracket"
    QUOTATION = "quotation"
    EMPHASIS = "emphasis"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A text that seems to stop before its end: in the middle of what, and its last words."""

    kind: Ending
    last_words: str


_LINE_BREAK = re.compile(r"\r\n?|\n")
_CLOSING = "\"')\\]}»”’›“‘«‹」』）】》〉〕］｝＂＇"
_EMPHASIS = "*_~"
# A mark, and what may stand behind it: ends of quotations and brackets, emphasis, a footnote.
_END = rf"[{SENTENCE_MARKS}][{_CLOSING}{_EMPHASIS}`¹²³⁰-⁹]*+(?:\[\^?\w{{1,10}}\])*+"
_ENDED = re.compile(rf"{_END}\Z")
_ENDS_INSIDE = re.compile(rf"{_END}(?=\s)|[。！？।]")
_GREEK_QUESTION = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff];[»”\")]?\Z")
# The last word is whole by itself: a link, a name, a hashtag, a code; an emoticon, a tag of HTML.
_WHOLE_WORD = re.compile(
    r"[(\[{<“«\"'*_]*(?:(?i:https?|wss?)://[^\s/]"
    r"|(?i:nostr|web\+nostr|mailto|lightning|magnet):\S|www\.|[#@]\w"
    r"|(?:npub|note|nevent|nprofile|naddr)1\w{20}|[\w.+-]{1,64}@\w)"
)
_WHOLE_END = re.compile(r"(?::\w+:|\]\(\S*\)|[:;=8][-'^o]?[()DPpOo3/|*\\\[\]]|<3|>|\$|\\[\])])\Z")
_LONGEST_END = 100
_RULE = re.compile(r"[ \t]*(?:[-*_=~][ \t]*){3,}")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}[ \t]+\S")
_ITEM = re.compile(r"([ \t]*)(?:([-*+•‣◦–])|[0-9]{1,9}([.)]))(?:[ \t]+(.*)|)\Z")
_SIGNATURE = re.compile(r"[ \t]*(?:—|–|―|--|~)[ \t]*\S.{0,60}\Z")
_GOES_ON = re.compile(r"(?:[,;:\-–—，、；：،؛/&=(\[{（「『【《„«]|(?<!\w\+)\+)\Z")
# A sign that is the whole of a word's end: 100%, 20°C, 5€, n², C++, C#.
_SIGN_END = re.compile(r"(?:[%‰°€£¥₿²³¹⁰-⁹₀-₉]|°[CFK]|\w\+\+|\w#)\Z")
_DELIMITERS = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
# Words with which no sentence ends; those that may stand last ("log in", "what is") are not here.
_OPEN_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        the a an of and or but because my your our their its therefore which than
        der dem einen einem einer eines und oder aber weil dass sowie
        le les une des du et ou mais pour dans el los las y del para il gli e di
        и в на с что или
        """,
    )
)
# Words that stand alone when a text stops after them; a name that stands alone is a signature.
_FIRST_WORDS = _OPEN_WORDS | frozenset(
    re.findall(
        r"\w+",
        """
        this that these those there here it he she we you i they if when while as so then now also
        however finally first second third next last in on at to for from with by after before to
        what how why who not yes no once since although though because another each all some
        """,
    )
)
# With these a line closes a text in languages that also leave out the mark, or is a greeting.
_POLITE_END = re.compile(
    r"(?:ます|です|ました|でした|ません|ましょう|ください|下さい|ね|よ|다|요|[谢謝]+|感[谢謝])[!~♪]*\Z"
)
_GREETING = re.compile(
    r"(?i:thanks?|cheers|enjoy|(?:best|kind|warm) (?:regards|wishes)|regards|good luck"
    r"|have (?:fun|a)|happy|see you|viel|(?:viele|liebe|beste) gr|danke|gracias|saludos|un saludo"
    r"|merci|cordialement|bonne|grazie|obrigad|спасибо|удачи)"
)
_PAIRS = {"(": ")", "[": "]", "{": "}", "（": "）", "「": "」", "『": "』", "【": "】", "《": "》"}
_CLOSES = {close: opener for opener, close in _PAIRS.items()}
_LAST_WORDS = 6
_LAST_CHARACTERS = 60
_SHORT_LINE = 60
_SIGNED_WORDS = 4
_GREETING_CHARACTERS = 30
# Scripts that mark the end of a sentence with a space or with nothing: Thai, Lao.
_UNMARKED = re.compile(r"[\u0e00-\u0eff]\Z")


def unfinished(text: str) -> Unfinished | None:
    """Say whether `text` stops in the middle, as what a model writes does when it is cut off.

    Judged by how the rest is written: lines and items without end marks are a style, and a text of
    one such line is finished unless its last word cannot be. None when nothing is wrong, or when in
    doubt.
    """
    kept = text.rstrip()
    if not kept:
        return None
    codes = code_in(text)
    if codes and codes[-1].is_open:
        return Unfinished(Ending.CODE, _last_words(kept))
    if codes and codes[-1].end == len(kept) and codes[-1].is_block:
        return None
    kind = _ending(_LINE_BREAK.sub("\n", _without_code(kept, codes)).split("\n"))
    return Unfinished(kind, _last_words(kept)) if kind is not None else None


def _without_code(text: str, codes: Sequence[Code]) -> str:
    """The text with signs for its code, so that what stands in code is neither mark nor bracket."""
    pieces: list[str] = []
    done = 0
    for code in codes:
        before = text[done : code.start]
        if code.is_block:
            # What a colon introduces ends that sentence.
            stand_in = "." if before.rstrip().endswith((":", "：")) else "x"
            breaks = "".join(_LINE_BREAK.findall(text, code.start, code.end))
        else:
            stand_in, breaks = "x" * (code.end - code.start - 1) + "’", ""
        pieces += before, stand_in, breaks
        done = code.end
    return "".join((*pieces, text[done:]))


def _ending(lines: list[str]) -> Ending | None:
    last = lines[-1]
    before = lines[:-1]
    has_no_rows = _is_delimiters(last, before)
    if not has_no_rows and _is_whole_line(last, before):
        return None
    if has_no_rows or last.lstrip().startswith("|"):
        return Ending.TABLE
    if _HEADING.match(last):
        return Ending.HEADING if any(map(str.strip, before)) else None
    start = _item_start(lines)
    if start is not None and (_siblings(lines, start) or _begins_list(lines, start)):
        return _list_ending(lines, start)
    paragraph = _last_paragraph(lines)
    if _is_ended(paragraph):
        return None
    if (mark := _left_open(paragraph)) is not None:
        return mark
    if _goes_on(paragraph):
        return Ending.SENTENCE
    if _is_farewell(last.strip(), before) or _closes(paragraph):
        return None
    if _UNMARKED.search(paragraph) or not _has_marks(lines):
        return None
    return Ending.SENTENCE


def _is_whole_line(last: str, before: Sequence[str]) -> bool:
    """Whether the last line needs no mark: a row, a rule, a signature, a link, an emoji."""
    row = last.strip()
    if _RULE.fullmatch(last) or _SIGNATURE.match(last) or _is_whole_row(row, before):
        return True
    word = row[row.rfind(" ") + 1 :]
    if _WHOLE_WORD.match(word) or _WHOLE_END.search(word[-_LONGEST_END:]):
        return True
    if unicodedata.category(row[-1]) in {"So", "Sk"} or row[-1] in "\ufe0f\u200d\u20e3":
        return True
    greeting = before[-1].strip() if before else ""
    signed = greeting.endswith((",", "，")) and len(greeting.split()) <= _SIGNED_WORDS
    return signed and len(row.split()) <= _SIGNED_WORDS and row[0].isupper()


def _is_farewell(last: str, before: Sequence[str]) -> bool:
    """Whether a line behind a finished one is a greeting or a name, which have no mark."""
    above = next((line.strip() for line in reversed(before) if line.strip()), "")
    if not _is_ended(above) or len(last) > _GREETING_CHARACTERS:
        return False
    words = last.split()
    if _POLITE_END.search(last) or (_GREETING.match(last) and len(words) <= _SIGNED_WORDS):
        return True
    is_alone = not before[-1].strip() and len(words) == 1
    return is_alone and last[0].isupper() and last.casefold() not in _FIRST_WORDS


def _is_delimiters(row: str, before: Sequence[str]) -> bool:
    """Whether a table stops behind its head."""
    has_head = bool(before) and "|" in before[-1]
    return has_head and "|" in row and _DELIMITERS.fullmatch(row) is not None


def _is_whole_row(row: str, before: Sequence[str]) -> bool:
    """Whether a table's row is closed, with as many cells as the row above it."""
    above = before[-1].strip() if before else ""
    cells = row.replace("\\|", "").count("|")
    wanted = above.replace("\\|", "").count("|") if above.startswith("|") else 2
    return row.startswith("|") and row.endswith("|") and cells >= wanted


def _item_start(lines: Sequence[str]) -> int | None:
    """The line at which the list item begins that the text ends in, if it ends in one."""
    for index in range(len(lines) - 1, -1, -1):
        if _ITEM.match(lines[index]):
            return index
        if not lines[index].strip() or (lines[index][0] not in " \t" and index < len(lines) - 1):
            return None
    return None


def _siblings(lines: Sequence[str], start: int) -> list[str]:
    """The last lines of the items before, of the same indent and the same kind of mark."""
    own = _ITEM.match(lines[start])
    ends: list[str] = []
    last = ""
    for line in reversed(lines[:start]):
        item = _ITEM.match(line)
        if line.strip() and item is None and line[0] not in " \t":
            break
        last = last or line.strip()
        if item is not None and own is not None and item.group(1, 2, 3) == own.group(1, 2, 3):
            ends.append((item[4] or "").strip() if last == line.strip() else last)
            last = ""
    return ends


def _begins_list(lines: Sequence[str], start: int) -> bool:
    """Whether the text ends with the mark of a list's first item; "42." alone is an answer."""
    return start > 0 and lines[start].strip() in {"-", "*", "+", "1.", "1)"}


def _list_ending(lines: Sequence[str], start: int) -> Ending | None:
    item = _ITEM.match(lines[start])
    text = " ".join(
        ((item[4] if item else None) or "", *map(str.strip, lines[start + 1 :]))
    ).strip()
    if not text:
        return Ending.LIST
    if _is_ended(text):
        return None
    if (mark := _left_open(text)) is not None:
        return mark
    siblings = _siblings(lines, start)
    marked = sum(_is_ended(sibling) for sibling in siblings)
    if _goes_on(text) and not any(map(_goes_on, siblings)):
        return Ending.LIST
    return Ending.LIST if marked * 2 > len(siblings) and not _closes(text) else None


def _last_paragraph(lines: Sequence[str]) -> str:
    """The lines after the last empty one, heading or item, as one."""
    taken: list[str] = []
    for line in reversed(lines):
        if not line.strip() or (taken and (_HEADING.match(line) or _RULE.fullmatch(line))):
            break
        taken.append(line.strip())
        if _ITEM.match(line):
            break
    return " ".join(reversed(taken))


def _is_ended(text: str) -> bool:
    return _ENDED.search(text) is not None or _GREEK_QUESTION.search(text) is not None


def _goes_on(text: str) -> bool:
    words = text.split()
    return _GOES_ON.search(text) is not None or (
        len(words) > 1 and words[-1].strip(_EMPHASIS).casefold() in _OPEN_WORDS
    )


def _closes(text: str) -> bool:
    """Whether the text ends with a bracket, a quotation, a sign or a whole line of emphasis."""
    if _SIGN_END.search(text) or (text[-1] in _EMPHASIS and text[0] in _EMPHASIS):
        return True
    return re.search(rf"[{_CLOSING}][{_EMPHASIS}]*\Z", text) is not None


def _left_open(text: str) -> Ending | None:
    """What was opened in an unended paragraph and not closed again."""
    opened: list[str] = []
    for char in text:
        if char in _PAIRS:
            opened.append(char)
        elif opened and _CLOSES.get(char) == opened[-1]:
            opened.pop()
    if opened:
        return Ending.BRACKET
    if "`" in text:
        return Ending.CODE
    if text.count('"') % 2 or _has_open_quotation(text):
        return Ending.QUOTATION
    return Ending.EMPHASIS if text.count("**") % 2 else None


def _has_open_quotation(text: str) -> bool:
    """“English” and „German“: the last opening sign is followed by no closing one."""
    low = text.rfind("„")
    if low >= 0:
        return "“" not in text[low:] and "”" not in text[low:]
    return text.rfind("“") > text.rfind("”")


def _has_marks(lines: Sequence[str]) -> bool:
    """Whether this author ends sentences with marks: most lines of a poem have none."""
    written = [
        line.strip()
        for line in lines
        if line.strip() and not _HEADING.match(line) and not line.lstrip().startswith("|")
    ]
    inside = sum(len(_ENDS_INSIDE.findall(line)) for line in written)
    at_end = sum(map(_is_ended, written))
    if len(written) > 3 and sum(map(len, written)) < _SHORT_LINE * len(written):
        return (inside + at_end) * 2 >= len(written)
    return inside + at_end > 0


def _last_words(text: str) -> str:
    tail = text[-_LAST_CHARACTERS * 4 :].split()[-_LAST_WORDS:]
    return " ".join(tail)[-_LAST_CHARACTERS:]
