"""A text that a bot answers with, and what its front matter says of it.

Knows the keys and what may stand behind them. Whether an entry fits a question is known in `bank`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.key_lines import above, key_lines, keys, listed, one_line, texts
from nostr_threads.errors import InvalidText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.core.event import Event
    from nostr_threads.core.key_lines import KeyLine

__all__ = ["FORMS", "Entry", "read_entry"]

FORMS: Mapping[str, Form | None] = {
    "note": Form.NOTE,
    "thread": Form.THREAD,
    "article": Form.ARTICLE,
    "auto": None,
}
"""What a source of answers may call their form. "auto" is whichever suits the length."""

_QUESTION, _WORDS, _CONTEXT, _WARNING = "question", "words", "context", "content_warning"
_TITLE, _LANGUAGE, _DIFFICULTY, _AS, _ANSWER = "title", "language", "difficulty", "as", "answer"
_KEYS = {
    "question": _QUESTION,
    "questions": _QUESTION,
    "instruction": _QUESTION,
    "words": _WORDS,
    "context": _CONTEXT,
    "title": _TITLE,
    "language": _LANGUAGE,
    "difficulty": _DIFFICULTY,
    "as": _AS,
    "answer": _ANSWER,
    "content_warning": _WARNING,
    "content-warning": _WARNING,
}
# An article's, which are no mistake where they mean nothing.
_PASSED_OVER = frozenset(
    ("summary", "description", "image", "slug", "d", "identifier", "tags", "hashtags", "date")
)
_DIFFICULTIES = {"easy": 1, "medium": 2, "hard": 3}
_LANGUAGE_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said, and to which questions. `name` is the file's.

    `questions` are phrasings of the one question. A note that has all `words` is answered whatever
    else it says; each of them is one or more alternatives (`zap | zaps`), whole words.
    `difficulty` is a whole number, 0 where nothing is said: the easier answer goes first where two
    fit alike. `form` is a key of `FORMS`, or "" for the rule's.
    """

    name: str
    text: str
    questions: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    context: str = ""
    title: str = ""
    language: str = ""
    difficulty: int = 0
    form: str = ""
    content_warning: str | None = None

    def speaks_to(self, event: Event) -> bool:
        """Whether it is in a language of the note, where both say which: by a label (NIP-32)."""
        said = {
            tag[1].lower().partition("-")[0]
            for tag in event.tags
            if tag[:1] == ("l",) and len(tag) > 2 and tag[2] == "ISO-639-1"
        }
        return not self.language or not said or self.language.partition("-")[0] in said

    def answer(self, form: Form | None) -> Answer:
        """Return what is said, in the rule's `form` unless the entry has its own."""
        chosen = FORMS[self.form] if self.form else form
        return Answer(self.text, chosen, self.title, self.content_warning)


def read_entry(text: str, name: str, *, strict: bool = True) -> Entry:
    """Read a file of Markdown with what stands above it.

    Raises `InvalidText`, with its line where it is that of one line, for what cannot be read and
    for an answer without a text; with `strict` also for keys that mean nothing.
    """
    found = above(text)
    if found is None or (not strict and _KEYS.keys().isdisjoint(keys(found[0]))):
        return _whole(_Fields(), text, name)
    fields = _Fields()
    for pair in key_lines(found[0]):
        key = pair.key.lower()
        if key in _KEYS:
            fields.take(_KEYS[key], pair)
        elif strict and key not in _PASSED_OVER:
            known = ", ".join(_KEYS)
            raise InvalidText(f"unknown key `{pair.key}`; there is: {known}", line=pair.line)
    return _whole(fields, found[1], name)


@dataclass(slots=True)
class _Fields:
    """What was read so far."""

    many: dict[str, list[str]] = field(default_factory=lambda: {_QUESTION: [], _WORDS: []})
    one: dict[str, str] = field(default_factory=dict)

    def take(self, key: str, pair: KeyLine) -> None:
        match key:
            case "question":
                self.many[key] += texts(pair)
            case "words":
                self.many[key] += listed(pair)
            case _:
                if key in self.one:
                    raise InvalidText(f"`{pair.key}` is there twice", line=pair.line)
                self.one[key] = _checked(key, one_line(pair), pair.line)


def _whole(fields: _Fields, body: str, name: str) -> Entry:
    one = fields.one
    said = body.strip("\r\n").rstrip() or one.get(_ANSWER, "")
    if not said:
        raise InvalidText("there is no answer in it")
    return Entry(
        name=name,
        text=said,
        questions=_distinct(fields.many[_QUESTION]),
        words=_distinct(fields.many[_WORDS]),
        context=one.get(_CONTEXT, ""),
        title=one.get(_TITLE, ""),
        language=one.get(_LANGUAGE, "").lower(),
        difficulty=_difficulty(one.get(_DIFFICULTY, "0")),
        form=one.get(_AS, "").lower(),
        content_warning=one.get(_WARNING),
    )


def _checked(key: str, value: str, line: int) -> str:
    """The value of a key that has but one. Raises `InvalidText` for one that it cannot have."""
    match key:
        case "as" if value.lower() not in FORMS:
            raise InvalidText(f"`as` is one of {', '.join(FORMS)}", line=line)
        case "language" if _LANGUAGE_CODE.fullmatch(value) is None:
            raise InvalidText("`language` is a code such as en or pt-BR", line=line)
        case "difficulty" if _difficulty(value) == 0:
            words = ", ".join(_DIFFICULTIES)
            raise InvalidText(f"`difficulty` is {words}, or a number from 1 to 9", line=line)
    return value


def _difficulty(value: str) -> int:
    if len(value) == 1 and value in "123456789":
        return int(value)
    return _DIFFICULTIES.get(value.lower(), 0)


def _distinct(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
