"""The people and events an author names by hand, made into NIP-27 mentions before a text is cut.

Knows `@name@domain` (NIP-05) and bare NIP-19 codes, and where they mean something: not in code, not
in links. Knows nothing of tags (see `content`), and looks up nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nostr_threads.core.entities import HEX_64, Profile, PublicKey, SecretKey
from nostr_threads.core.nip19 import decode, encode, nip05_parts
from nostr_threads.core.verbatim import prose_in
from nostr_threads.errors import InvalidCode, InvalidText

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["broken", "linked", "refuse_secrets", "unnamed", "unresolved"]

# A key that was copied badly is still a key; "keys begin with nsec1" is none.
_SECRET = re.compile(r"n(?:crypt)?sec1[0-9a-z]{40}", re.IGNORECASE)
_LINE_BREAK = re.compile(r"\r\n?|\n")

_PREFIX = r"(?:npub|nprofile|note|nevent|naddr)1"
_MENTION = re.compile(
    # Links come first, so that what stands in them is not looked at again.
    r"(?P<link>(?:[A-Za-z][A-Za-z0-9+.-]{0,20}+://|(?<![A-Za-z0-9])(?i:www\.|mailto:))[^\s<>\"]++)"
    rf"|(?<![A-Za-z0-9])(?P<uri>nostr:{_PREFIX}[0-9a-z]++)"
    r"|(?<![A-Za-z0-9_/=?&#%.+@-])(?<![A-Za-z0-9]:)"
    rf"(?:web\+nostr:|@)?(?P<code>(?i:{_PREFIX})[0-9A-Za-z]{{6,5000}}+)(?![\w@])"
    r"|(?<![\w@./+-])@(?P<name>[A-Za-z0-9._-]{1,64}+@[A-Za-z0-9-]{1,63}+(?:\.[A-Za-z0-9-]{1,63}+)++)"
    r"(?![\w@/]|:[0-9])"
)
# Shorter, and it is a word such as "note1234", or a code that somebody abbreviated.
_SHORTEST_CODE = 30
_MOST_RELAYS = 3
_LONGEST_RELAY = 255


def unresolved(text: str) -> tuple[str, ...]:
    """Return the `name@domain` of each `@name@domain` in `text`, lower case, once each, in order.

    These need looking up (NIP-05) before `linked` can rewrite them. Raises as `refuse_secrets`.
    """
    refuse_secrets(text)
    names = (_name(match) for match in _mentions(text))
    return tuple(dict.fromkeys(name for name in names if name))


def linked(text: str, people: Mapping[str, Profile]) -> str:
    """Rewrite what `text` mentions to `nostr:` codes (NIP-21, NIP-27).

    `people` has the profiles found for the names that `unresolved` gave; other names stay as they
    are, as do invalid codes (see `broken`), code, links and `#[n]`. Raises as `refuse_secrets`.
    """
    refuse_secrets(text)
    pieces: list[str] = []
    done = 0
    for match in _mentions(text):
        if (code := _code(match, people)) is not None:
            pieces += text[done : match.start()], "nostr:", code
            done = match.end()
    return "".join((*pieces, text[done:]))


def unnamed(text: str) -> str:
    """Take the first `@` from each `@name@domain` in `text`, so that nobody looks these names up.

    What a stranger may have put there should not say which servers we ask.
    """
    pieces: list[str] = []
    done = 0
    for match in _mentions(text):
        if match["name"]:
            pieces.append(text[done : match.start()])
            done = match.start() + 1
    return "".join((*pieces, text[done:]))


def broken(text: str) -> tuple[str, ...]:
    """Return the codes in `text` that cannot be read, most often for a wrong checksum, once each.

    Code and links are not looked at. Raises as `refuse_secrets`.
    """
    refuse_secrets(text)
    codes = (match["uri"] or match["code"] for match in _mentions(text))
    wrong = (code for code in codes if code and not _is_valid(code) and _is_meant(code))
    return tuple(dict.fromkeys(wrong))


def refuse_secrets(text: str) -> None:
    """Raise `InvalidText` if a secret key (nsec, ncryptsec) stands anywhere in `text`.

    The error names the line and repeats nothing of the key. NIP-21 forbids such mentions.
    """
    if (match := _SECRET.search(text)) is not None:
        line = len(_LINE_BREAK.findall(text, 0, match.start())) + 1
        raise InvalidText(
            f"line {line} holds a secret key; take it out, and use another key if it was shown"
        )


def _mentions(text: str) -> Iterator[re.Match[str]]:
    for start, end in prose_in(text):
        for match in _MENTION.finditer(text, start, end):
            if match["link"] is None:
                yield match


def _name(match: re.Match[str]) -> str | None:
    parts = nip05_parts(match["name"]) if match["name"] else None
    return "@".join(parts) if parts else None


def _code(match: re.Match[str], people: Mapping[str, Profile]) -> str | None:
    """What stands after `nostr:` for a mention, or None where the text stays as it is."""
    if match["code"]:
        return match["code"].lower() if _is_valid(match["code"]) else None
    name = _name(match)
    return _code_of(people[name]) if name is not None and name in people else None


def _code_of(person: Profile) -> str | None:
    if HEX_64.fullmatch(person.pubkey) is None:
        return None
    short = (relay for relay in person.relays if len(relay.encode()) <= _LONGEST_RELAY)
    relays = tuple(short)[:_MOST_RELAYS]
    return encode(Profile(person.pubkey, relays) if relays else PublicKey(person.pubkey))


def _is_meant(code: str) -> bool:
    return code.startswith("nostr:") or len(code) >= _SHORTEST_CODE


def _is_valid(code: str) -> bool:
    try:
        return not isinstance(decode(code), SecretKey)
    except InvalidCode:
        return False
