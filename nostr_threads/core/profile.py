"""What an author says of themselves (kind 0), and the name under which a thread shows them.

Knows NIP-01's and NIP-24's fields and which names look alike. Knows nothing of which profile of an
author is the newest, nor whether a claim in it (a NIP-05 name) is true.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.core.event import Event

__all__ = ["Name", "Profile", "names", "profile_of"]

_MOST_CHARACTERS = 65_536
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 320
_LONGEST_TEXT = 4096
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Profile:
    """The fields of kind 0 that a thread has a use for, as claimed; empty when not given."""

    name: str = ""
    display_name: str = ""
    nip05: str = ""
    about: str = ""
    picture: str = ""
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Name:
    """A name to show, on one line. `shared`: somebody else of the thread has one that looks so."""

    text: str
    shared: bool = False


def profile_of(event: Event) -> Profile:
    """Read the content of a kind 0. Never raises: what is no profile is an empty one.

    Fields of a wrong type are empty; names and `about` are cut to a bounded length, where a
    `nip05` or `picture` that is too long is empty, as half of one would be another.
    """
    said = _object(event.content)
    return Profile(
        name=_text(said, "name")[:_LONGEST_NAME],
        display_name=_text(said, "display_name")[:_LONGEST_NAME],
        nip05=_whole(_text(said, "nip05"), _LONGEST_ADDRESS),
        about=_text(said, "about")[:_LONGEST_TEXT],
        picture=_whole(_text(said, "picture"), _LONGEST_TEXT),
        bot=said.get("bot") is True,
    )


def names(profiles: Mapping[str, Profile]) -> Mapping[str, Name]:
    """Return the name to show for each key of `profiles`; none for who has none that can be seen.

    It is `display_name` or else `name`, of at most 40 characters. Two people whose names look the
    same are both marked as `shared`: only their keys tell them apart.
    """
    shown = {key: text for key, profile in profiles.items() if (text := _shown(profile))}
    looks = {key: _look(text) for key, text in shown.items()}
    alike = Counter(looks.values())
    return {key: Name(text, alike[looks[key]] > 1) for key, text in shown.items()}


def _object(content: str) -> Mapping[str, object]:
    if len(content) > _MOST_CHARACTERS:
        return {}
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _text(said: Mapping[str, object], field: str) -> str:
    value = said.get(field)
    # JSON can write half a surrogate pair, which no UTF-8 can carry.
    return value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""


def _whole(text: str, longest: int) -> str:
    return text if len(text) <= longest else ""


def _shown(profile: Profile) -> str:
    """The first name that can be seen and does not pass for a key."""
    for name in (profile.display_name, profile.name):
        line = _line(name)
        look = _look(line)
        if look and not look.startswith(_LOOK_OF_A_KEY):
            return line
    return ""


def _line(text: str) -> str:
    """One line without characters that turn, hide or control text; emoji keep their joiners."""
    visible = "".join(
        " " if char.isspace() else char
        for char in text
        if char == _JOINER or char.isspace() or not unicodedata.category(char).startswith("C")
    )
    line = " ".join(visible.split())
    return line if len(line) <= _LONGEST_SHOWN else line[: _LONGEST_SHOWN - 1].rstrip() + "…"


_JOINER = "\u200d"
# Letters and marks of Unicode's that show nothing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Letters that are drawn like Latin ones, after case folding: not all, those that fake names.
_DRAWN_AS = {
    "a": "\u0430\u03b1",
    "b": "\u0432\u03b2",
    "c": "\u0441\u03f2",
    "d": "\u0501",
    "e": "\u0435\u03b5",
    "h": "\u04bb\u043d",
    "j": "\u0458",
    "k": "\u043a\u03ba",
    "l": "i1|\u0131\u0456\u04cf\u03b9",
    "m": "\u043c\u03bc",
    "o": "0\u043e\u03bf\u0585",
    "p": "\u0440\u03c1",
    "s": "\u0455",
    "t": "\u0442\u03c4",
    "u": "\u03c5\u057d",
    "v": "\u03bd\u0475",
    "w": "\u051d\u03c9",
    "x": "\u0445\u03c7",
    "y": "\u0443\u03b3",
}
_LATIN = str.maketrans({like: latin for latin, likes in _DRAWN_AS.items() for like in likes})


def _look(text: str) -> str:
    """What is left of a name for somebody who does not look closely; nothing of what is unseen.

    Case, accents, spaces, punctuation and the script of a letter are lost, unless nothing else is.
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    seen = [
        char
        for char in folded.translate(_LATIN)
        if unicodedata.category(char)[0] in "LNSP" and char not in _BLANK
    ]
    return "".join(char for char in seen if unicodedata.category(char)[0] != "P") or "".join(seen)


_LOOK_OF_A_KEY = _look("npub1")
