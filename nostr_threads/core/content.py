"""A note's text as tokens: links, hashtags, emoji, and the people and events it names.

Knows how NIP-27, NIP-21, NIP-08 and NIP-30 write them, and which tags a text asks for. Knows
nothing of how a token is shown. Every search is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.entities import HEX_64, Address, EventPointer, Note, Profile, PublicKey
from nostr_threads.core.nip19 import decode
from nostr_threads.core.references import CITATION, Pointer, pointer_of, references
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidCode, InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.core.entities import Entity
    from nostr_threads.core.event import Event, Tag

__all__ = [
    "Emoji",
    "Hashtag",
    "Link",
    "Person",
    "Plain",
    "Quote",
    "Token",
    "may_mention",
    "mention_tags",
    "quotes",
    "tokens",
]


@dataclass(frozen=True, slots=True)
class Plain:
    """Text that means nothing but itself. Two never stand side by side."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A web page or relay: http, https, ws or wss, with a host that has a dot and no user name."""

    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Hashtag:
    """`#name`. `name` is in lower case and without the `#`, as in a `t` tag (NIP-24)."""

    text: str
    name: str


@dataclass(frozen=True, slots=True)
class Emoji:
    """`:shortcode:` that an `emoji` tag of the event gives an image (NIP-30)."""

    text: str
    shortcode: str
    url: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody named by a code (NIP-27) or by `#[n]` (NIP-08). `pubkey` is hex."""

    text: str
    pubkey: str
    relays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quote:
    """An event named by a code (NIP-27) or by `#[n]` (NIP-08)."""

    text: str
    pointer: Pointer


Token: TypeAlias = Plain | Link | Hashtag | Emoji | Person | Quote

# No code is longer than NIP-19's 5,000 characters; a name has no digit "1", so the prefix is sure.
_CODE = re.compile(
    r"(?<![A-Za-z0-9])nostr:"
    r"((?:npub|nprofile|note|nevent|naddr)1[02-9ac-hj-np-z]{6,5000}+)"
)

# What ends a link wherever it stands: white space, quotation marks and brackets that no URL has,
# the punctuation of scripts without spaces, and characters that show nothing or turn the text.
_LINK_ENDS = (
    r"\s<>\"`“”«»。，、；！？「」『』（）【】《》"  # noqa: RUF001 (their look is the point)
    r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
)
_IN_LINK = rf"[^{_LINK_ENDS}()\[\]{{}}]"
# Brackets belong to a link when they are closed in it: `/Foo_(bar)`, but not `(see http://x.org)`.
_LINK = (
    r"(?<![A-Za-z0-9])(?P<link>(?i:https?|wss?)://"
    rf"(?:{_IN_LINK}++|\({_IN_LINK}*+\)|\[{_IN_LINK}*+\]|\{{{_IN_LINK}*+\}})++)"
)
_LONGEST_LINK = 4096
_HOST = re.compile(r"[^/?#@\s.]+(?:\.[^/?#@\s.]+)+\.?(?:[/?#]|$)")
_AFTER_A_LINK = ".,;:!?…'*_~|"

_HASHTAG = (
    r"(?<![A-Za-z0-9_&/#])#(?P<hashtag>"
    r"[^\s!-,./:-@\[-^`{-~\x00-\x1f\x7f-\xa0\u2010-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]"
    r"{1,100}+)"
)
_SHORTCODE = r"[A-Za-z0-9_-]{1,64}"
_EMOJI = rf":(?P<emoji>{_SHORTCODE}):"
_TOKEN = re.compile(
    rf"{_CODE.pattern.replace('((', '(?P<code>(', 1)}"
    rf"|{CITATION.pattern.replace('(0', '(?P<cited>0', 1)}"
    rf"|{_LINK}|{_HASHTAG}|{_EMOJI}"
)


def may_mention(event: Event) -> bool:
    """Whether it is worth to look for people and quotes in an event: most have none."""
    text = event.content
    return "nostr:" in text or "#[" in text or any(tag[:1] == ("q",) for tag in event.tags)


def tokens(event: Event) -> tuple[Token, ...]:
    """Take the content apart: the texts of the tokens, joined, are the content again.

    What cannot be read stays `Plain`: a code with a wrong checksum, `#[n]` for a tag that is not
    there or names nobody, an emoji without its tag, and every secret key (NIP-21 forbids it).
    """
    text = event.content
    images = _images(event.tags)
    found: list[Token] = []
    done = at = 0
    while (match := _TOKEN.search(text, at)) is not None:
        token = _token(match, event, images)
        if token is None:
            # What looks like an emoji may hide the start of another token: `:wss://`.
            at = match.start() + 1 if match.lastgroup == "emoji" else match.end()
            continue
        if match.start() > done:
            found.append(Plain(text[done : match.start()]))
        found.append(token)
        done = at = match.start() + len(token.text)
    if done < len(text):
        found.append(Plain(text[done:]))
    return tuple(found)


def quotes(event: Event) -> tuple[Pointer, ...]:
    """Return the events that `event` cites, once each: by `q` tags, then by its text alone.

    NIP-27 leaves the `q` tag to the author's wish.
    """
    cited = {pointer.key: pointer for pointer in references(event).quotes}
    for token in tokens(event):
        if isinstance(token, Quote):
            cited.setdefault(token.pointer.key, token.pointer)
    return tuple(cited.values())


def mention_tags(text: str) -> tuple[Tag, ...]:
    """Return the `p` and `q` tags (NIP-27, NIP-18) for the codes in `text`, once each, in order."""
    tags: dict[tuple[str, str], Tag] = {}
    for match in _CODE.finditer(text):
        try:
            tag = _tag(decode(match[1]))
        except InvalidCode:
            continue
        tags.setdefault((tag[0], tag[1]), tag)
    return tuple(tags.values())


def _token(match: re.Match[str], event: Event, images: Mapping[str, str]) -> Token | None:
    text = match[0]
    match match.lastgroup:
        case "code":
            return _coded(text, match["code"])
        case "cited":
            return _cited(text, event.tags, int(match["cited"]))
        case "link":
            return _link(text)
        case "hashtag":
            return _hashtag(text)
    url = images.get(match["emoji"])
    return Emoji(text, match["emoji"], url) if url is not None else None


def _coded(text: str, code: str) -> Person | Quote | None:
    try:
        entity = decode(code)
    except InvalidCode:
        return None
    match entity:
        case PublicKey():
            return Person(text, entity.hex)
        case Profile():
            return Person(text, entity.pubkey, entity.relays)
        case Note():
            return Quote(text, Pointer(id=entity.id))
        case EventPointer():
            return Quote(text, Pointer(entity.id, None, None, entity.author, entity.relays))
        case Address():
            return Quote(text, Pointer(None, entity.coordinate, None, entity.pubkey, entity.relays))
    return None


def _cited(text: str, tags: tuple[Tag, ...], number: int) -> Person | Quote | None:
    """NIP-08: the tag of that number, from 0; text of anything but a person or event stays text."""
    tag = tags[number] if number < len(tags) else ()
    if len(tag) < 2:
        return None
    if tag[0] == "p" and HEX_64.fullmatch(tag[1]):
        return Person(text, tag[1], _relays(tag))
    if tag[0] in ("e", "a") and (pointer := pointer_of(tag)) is not None:
        return Quote(text, pointer)
    return None


def _link(text: str) -> Link | None:
    url = text.rstrip(_AFTER_A_LINK)
    if len(url) > _LONGEST_LINK or _HOST.match(url, text.index("//") + 2) is None:
        return None
    return Link(url, url)


def _hashtag(text: str) -> Hashtag | None:
    kept = text.rstrip("-")
    return Hashtag(kept, kept[1:].lower()) if len(kept) > 1 else None


def _images(tags: tuple[Tag, ...]) -> Mapping[str, str]:
    """The shortcodes that have an image; of two for one the first counts."""
    images: dict[str, str] = {}
    for tag in tags:
        if len(tag) > 2 and tag[0] == "emoji" and re.fullmatch(_SHORTCODE, tag[1]):
            match = re.fullmatch(_LINK, tag[2])
            if match is not None and tag[2][:4].lower() == "http" and _link(tag[2]) is not None:
                images.setdefault(tag[1], tag[2])
    return images


def _relays(tag: Tag) -> tuple[str, ...]:
    try:
        return (normalize(tag[2]),) if len(tag) > 2 and tag[2] else ()
    except InvalidRelayUrl:
        return ()


def _tag(entity: Entity) -> Tag:
    match entity:
        case PublicKey():
            return ("p", entity.hex)
        case Profile():
            return _trimmed("p", entity.pubkey, _first(entity.relays))
        case Note():
            return ("q", entity.id)
        case EventPointer():
            return _trimmed("q", entity.id, _first(entity.relays), entity.author or "")
        case Address():
            return _trimmed("q", entity.coordinate, _first(entity.relays))
    raise InvalidCode("this code cannot be mentioned")


def _first(relays: tuple[str, ...]) -> str:
    return relays[0] if relays else ""


def _trimmed(*values: str) -> Tag:
    """Leave out empty values at the end of a tag."""
    tag = list(values)
    while not tag[-1]:
        tag.pop()
    return tuple(tag)
