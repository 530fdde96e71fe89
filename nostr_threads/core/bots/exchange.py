"""What a bot's program is told in one line of JSON, and what it may say back.

Knows both shapes. How the program is run is known in `app.bots.programs`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.entry import FORMS
from nostr_threads.core.bots.shown import shown
from nostr_threads.errors import AnswerFailed

if TYPE_CHECKING:
    from nostr_threads.core.article import Form
    from nostr_threads.core.bots.asks import Ask

__all__ = ["said", "told"]

_KEYS = ("text", "title", "as", "content_warning")
_LONGEST_NAMED = 30


def told(ask: Ask) -> str:
    """Return what is asked as one line of JSON, in ASCII, without the line's end.

    `{"id", "code", "text", "kind", "created_at", "author": {"pubkey", "npub", "name"}, "thread":
    [{"id", "author", "text", "depth", "created_at"}], "bot", "now"}`: ids and keys are hex, `code`
    is the note's nevent, times are unix seconds. See `shown` for how much of a thread it is.
    """
    whole = asdict(shown(ask))
    return json.dumps({**whole.pop("note"), **whole})


def said(output: str, form: Form | None) -> Answer | None:
    """Read what a program answers: an object, a text in quotes, or nothing.

    The object has `text`, and may have `title`, `as` (note, thread, article, auto) and
    `content_warning`; `form` is what it is where `as` is not given. Nothing is no output, `null` or
    an empty text. Raises `AnswerFailed` for anything else.
    """
    if not output.strip():
        return None
    match _parsed(output):
        case None:
            return None
        case str(text):
            return _answer({"text": text}, form)
        case dict(fields):
            return _answer(fields, form)
    raise AnswerFailed("it gave JSON that is neither an object, nor a text, nor null")


def _parsed(output: str) -> object:
    try:
        return json.loads(output)
    except (ValueError, RecursionError):
        raise AnswerFailed("it gave what is not JSON") from None


def _answer(fields: dict[str, object], form: Form | None) -> Answer | None:
    for key in fields:
        if key not in _KEYS:
            named = key if len(key) <= _LONGEST_NAMED else f"{key[:_LONGEST_NAMED]}…"
            raise AnswerFailed(f"it gave the key {named!r}; there is: {', '.join(_KEYS)}")
    text = _text(fields, "text")
    if text is None:
        raise AnswerFailed("it gave no `text`")
    if not text.strip():
        return None
    chosen = _text(fields, "as")
    if chosen is not None and chosen not in FORMS:
        raise AnswerFailed(f"its `as` is none of {', '.join(FORMS)}")
    return Answer(
        text,
        FORMS[chosen] if chosen is not None else form,
        _text(fields, "title") or "",
        _text(fields, "content_warning"),
    )


def _text(fields: dict[str, object], key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise AnswerFailed(f"its `{key}` is not a text")
    if value is not None and any("\ud800" <= char <= "\udfff" for char in value):
        raise AnswerFailed(f"its `{key}` has half a character, which no UTF-8 can carry")
    return value
