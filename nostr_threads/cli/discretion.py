"""What must not stand on the command line, and what an error may repeat of it.

Knows how a secret looks. A key in hex looks like a public key or the id of an event, and words like
any others: they cannot be refused, and are not repeated.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.core import TyperGroup

from nostr_threads.errors import InvalidCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Discreet", "hidden", "refuse_secrets"]

_HIDDEN = "[hidden]"
_INTERRUPTED = 130

# Long enough to be one, even when its end was lost in copying.
_SECRET = re.compile(r"n(?:crypt)?sec1[02-9ac-hj-np-z]{16}", re.IGNORECASE)
_LINK = re.compile(r"(?:bunker|nostrconnect):/*\S*[?&]secret=.", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{32,}", re.IGNORECASE)
# BIP-39: 12 words or more, one of which may be lost; no list has one that is longer.
_FEWEST_WORDS, _LONGEST_WORD = 11, 12
# How an error writes what stands between words.
_BETWEEN = r"(?:\\[nrt]|\W)+"
# How it shows the beginning of what is long: its last word may be cut, too.
_CUT = rf"{_BETWEEN}\w+(?=…)"

# Whatever the parser says is wrong; typer has the name of that only among its own.
_ParserError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])


def refuse_secrets(arguments: Iterable[str]) -> None:
    """Raise `InvalidCode` for a secret on the command line, wherever it stands.

    To be called before anything parses it: a parser's errors repeat what it was given.
    """
    for argument in arguments:
        if _SECRET.search(argument):
            raise InvalidCode(
                "this is a secret key; it was not used and should not stand on a command line"
            )
        if _LINK.search(argument):
            raise InvalidCode(
                "this link holds a secret; it was not used and should not stand on a command line: "
                "`nostr-threads key import NAME` asks for it"
            )


def hidden(text: str, arguments: Sequence[str]) -> str:
    """Return an error without what was given in `arguments` and may be a secret."""
    given = [found.lower() for each in arguments for found in _HEX.findall(each)]

    def unless_given(found: re.Match[str]) -> str:
        return _HIDDEN if any(found[0].lower() in each for each in given) else found[0]

    text = _HEX.sub(unless_given, text)
    for phrase in _phrases(arguments):
        text = _without_words(text, phrase)
    return text


class Discreet(TyperGroup):
    """All commands: the parser does not repeat a secret, and Ctrl-C at a question is Ctrl-C."""

    def make_context(self, *given: Any, **more: Any) -> Any:
        """Parse what stands before a command."""
        try:
            return super().make_context(*given, **more)
        except _ParserError as error:
            raise _discreet(error) from None

    def invoke(self, ctx: Any) -> Any:
        """Parse the rest, and run the command."""
        try:
            return super().invoke(ctx)
        except _ParserError as error:
            raise _discreet(error) from None
        except typer.Abort as error:
            # Both Ctrl-C and Ctrl-D at a question come as this, and as "no".
            if isinstance(error.__context__, KeyboardInterrupt):
                raise typer.Exit(_INTERRUPTED) from None
            raise


def _discreet(error: typer.BadParameter) -> typer.BadParameter:
    error.message = hidden(error.message, sys.argv[1:])
    return error


def _phrases(arguments: Sequence[str]) -> list[list[str]]:
    """Return what may be the words of a key: in one argument, or one argument each."""
    found = [words for each in arguments if _may_be_words(words := each.split())]
    run: list[str] = []
    for each in (*arguments, ""):
        if _may_be_word(each):
            run.append(each)
        else:
            found += [run] if len(run) >= _FEWEST_WORDS else []
            run = []
    return found


def _may_be_words(words: list[str]) -> bool:
    return len(words) >= _FEWEST_WORDS and all(map(_may_be_word, words))


def _may_be_word(text: str) -> bool:
    # Accents may be letters of their own, which are no letters.
    return 0 < len(text) <= _LONGEST_WORD and not re.search(r"[\s\d!-/:-@\[-`{-~]", text)


def _without_words(text: str, words: Iterable[str]) -> str:
    """Hide several words in a row, or one that is quoted; alone they are words of any sentence."""
    one = "|".join(sorted(map(re.escape, set(words)), key=len, reverse=True))
    next_one = rf"{_BETWEEN}(?:{one})\b"
    row = rf"\b(?:{one})(?:(?:{next_one})+(?:{_CUT})?|{_CUT})"
    text = re.sub(row, _HIDDEN, text, flags=re.IGNORECASE)
    return re.sub(rf"(['\"(])(?:{one})(['\")])", rf"\1{_HIDDEN}\2", text, flags=re.IGNORECASE)
