"""What a bot may say: an answer made fit to be published, or refused.

Knows what must not be in it, whoever made it say so. Knows nothing of how it is split and sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nostr_threads.core.bots.never import first_said
from nostr_threads.core.bots.patterns import plain, unmarked
from nostr_threads.core.content import asked_tags
from nostr_threads.core.manuscript import cleaned
from nostr_threads.core.mentions import linked, refuse_secrets, unnamed
from nostr_threads.errors import InvalidText

if TYPE_CHECKING:
    from nostr_threads.core.bots.asks import Answer
    from nostr_threads.core.bots.never import Never

__all__ = ["Says", "fit"]

_LONGEST_LINE = 200
# Overrides and isolates turn what stands around them; marks (U+200E, U+200F) do not, and scripts
# need them. Tag letters show nothing, but for those that make a flag.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
_UNSEEN = re.compile(
    "(?P<flag>\U0001f3f4[\U000e0020-\U000e007e]{1,32}+\U000e007f)|[\U000e0000-\U000e007f]"
)
_MOST_ROUNDS = 8
_SHOWN_FIRST, _SHOWN_LAST = 5, 4


@dataclass(frozen=True, slots=True)
class Says:
    """What a bot says at most: characters, and people, events and hashtags that are tagged for it.

    `never` is what no answer may hold.
    """

    most_characters: int = 20_000
    most_mentions: int = 5
    most_quotes: int = 5
    most_hashtags: int = 10
    never: tuple[Never, ...] = ()


def fit(answer: Answer, says: Says) -> Answer:
    """Return `answer` as it may be published. Raises `InvalidText` for one that may not.

    Control characters and such as turn the text are taken out. Of people, events and hashtags the
    first few stay as they are (each counts once); the others become text that tags nobody, and so
    does every `@name@domain`. Refused is what is empty, too long, holds a secret key or something
    of `never`: the reason does not repeat it.
    """
    made = replace(
        answer,
        text=_visible(answer.text),
        title=_line(answer.title),
        content_warning=None if answer.content_warning is None else _line(answer.content_warning),
    )
    whole = "\n".join((made.text, made.title, made.content_warning or ""))
    _refuse(whole, says)
    if not plain(made.text).strip():
        raise InvalidText("the answer has no text")
    if len(made.text) > says.most_characters:
        raise InvalidText(
            f"the answer has {len(made.text)} characters; says.most_characters is "
            f"{says.most_characters}"
        )
    return replace(made, text=_defused(made.text, says))


def _visible(text: str) -> str:
    bare, _ = cleaned(text)
    return _UNSEEN.sub(lambda match: match["flag"] or "", _TURNING.sub("", bare))


def _line(text: str) -> str:
    return " ".join(_visible(text).split())[:_LONGEST_LINE]


def _refuse(text: str, says: Says) -> None:
    """Refuse secrets, spelt as they are or with unseen characters or marks in them, and `never`."""
    for spelt in (text, plain(text), unmarked(text)):
        refuse_secrets(spelt)
    if (place := first_said(says.never, text)) is not None:
        raise InvalidText(f"the answer holds what says.never forbids, number {place} of it")


def _defused(text: str, says: Says) -> str:
    """Defuse until nothing changes: what is left of one thing may make another with what is next.

    For example "nostr:#npub1…" without its hashtag. Each round takes something away.
    """
    for _ in range(_MOST_ROUNDS):
        done = _less(linked(unnamed(text), {}), says)
        if done == text:
            return done
        text = done
    raise InvalidText("the answer hides mentions within mentions")


def _less(text: str, says: Says) -> str:
    room = {"p": says.most_mentions, "q": says.most_quotes, "t": says.most_hashtags}
    kept = set[tuple[str, str]]()
    pieces: list[str] = []
    done = 0
    for start, end, tag in asked_tags(text):
        if (tag[0], tag[1]) in kept:
            continue
        if room[tag[0]]:
            kept.add((tag[0], tag[1]))
            room[tag[0]] -= 1
        else:
            pieces += text[done:start], _short(text[start:end])
            done = end
    return "".join((*pieces, text[done:]))


def _short(written: str) -> str:
    """`#name` without its sign; a code as nobody can read it any more, though people know it."""
    if written.startswith("#"):
        return written[1:]
    prefix, _, rest = written.removeprefix("nostr:").partition("1")
    return f"{prefix}1{rest[:_SHOWN_FIRST]}…{rest[-_SHOWN_LAST:]}"
