"""A note's text as tokens: links, hashtags, emoji, and the people and events it names.

Knows how NIP-27, NIP-21, NIP-08 and NIP-30 write them, and which tags a text asks for (NIP-18,
NIP-24). Knows nothing of how a token is shown. Every search is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core.entities import HEX_64, Address, EventPointer, Note, Profile, PublicKey
from nostr_threads.core.nip19 import decode
from nostr_threads.core.references import CITATION, Pointer, pointer_of, references
from nostr_threads.core.relay_url import normalize
from nostr_threads.core.verbatim import prose_in
from nostr_threads.errors import InvalidCode, InvalidRelayUrl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nostr_threads.core.entities import Entity
    from nostr_threads.core.event import Event, Tag

__all__ = [
    "Emoji",
    "Hashtag",
    "Hint",
    "Link",
    "Person",
    "Plain",
    "Quote",
    "Token",
    "asked_tags",
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


@dataclass(frozen=True, slots=True)
class Hint:
    """Where an event or a person may be found (a relay URL), and who wrote the event (hex)."""

    relay: str = ""
    author: str = ""


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

# A link hides what it holds: `https://x.example/#part` and `[a](#part)` name no hashtag; nor do
# an escaped sign, `href="#part"` and a comment of HTML. `[Ann](nostr:npub1...)` does name Ann.
_TARGET = (
    r"\]\((?!<?nostr:)(?:<[^<>\r\n]*+>|(?:[^\s()]|\([^\s()]*+\))*+)"
    r"(?:[ \t]++\"[^\"\r\n]*+\"\))?+"
)
_MENTION = re.compile(
    rf"{_CODE.pattern.replace('((', '(?P<code>(', 1)}|{_LINK}|{_TARGET}|\\[\\#]"
    rf"|(?P<comment><!--)|(?<![=][\"']){_HASHTAG}"
)
# Words such as "#cafe" have no digit, and do not repeat one letter as "#fff" does.
_COLOUR = re.compile(
    r"(?=[a-f]*[0-9]|([a-f])\1+\Z)(?:[0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8})"
)
# People are called by a tag, and relays refuse events of thousands.
_MOST_TAGS = {"p": 100, "q": 100, "t": 30}
_NO_HINT = Hint()
_NO_HINTS: Mapping[str, Hint] = MappingProxyType({})


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


def mention_tags(text: str, *, hints: Mapping[str, Hint] = _NO_HINTS) -> tuple[Tag, ...]:
    """Return the tags that `text` asks for, once each, in its order.

    Code, links and comments ask for none, and a colour such as `#ff0000` is no hashtag.

    `p` for people and `q` for events (NIP-27, NIP-18: id or address, relay, author of an event that
    has an id), `t` for hashtags in lower case (NIP-24); at most 100 of `p` and of `q`, and 30 of
    `t`. `hints`, by event id, address or public key, says what a code leaves open.
    """
    tags: dict[tuple[str, str], Tag] = {}
    room = dict(_MOST_TAGS)
    for _, _, tag in asked_tags(text, hints):
        if (tag[0], tag[1]) not in tags and room[tag[0]]:
            tags[tag[0], tag[1]] = tag
            room[tag[0]] -= 1
    return tuple(tags.values())


def asked_tags(text: str, hints: Mapping[str, Hint] = _NO_HINTS) -> Iterator[tuple[int, int, Tag]]:
    """Yield each tag that `text` asks for as often as it does, and from where to where it stands.

    See `mention_tags`, which takes each once, and not too many.
    """
    last_close = text.rfind("-->")
    hidden = 0
    for start, end in prose_in(text):
        for match in _MENTION.finditer(text, start, end):
            if match.start() < hidden:
                continue
            if match["comment"] and match.start() < last_close:
                hidden = text.index("-->", match.start())
            elif (tag := _asked_tag(match, hints)) is not None:
                yield match.start(), match.end(), tag


def _asked_tag(match: re.Match[str], hints: Mapping[str, Hint]) -> Tag | None:
    match match.lastgroup:
        case "code":
            try:
                return _tag(decode(match["code"]), hints)
            except InvalidCode:
                return None
        case "hashtag":
            hashtag = _hashtag(match[0])
            if hashtag is not None and _is_name(hashtag.name):
                return ("t", hashtag.name)
    return None


def _is_name(name: str) -> bool:
    """Whether a hashtag is no colour, and no number: "#1" is a place in a list, or a ticket."""
    return not name.isdecimal() and _COLOUR.fullmatch(name) is None


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


def _tag(entity: Entity, hints: Mapping[str, Hint]) -> Tag:
    match entity:
        case PublicKey(pubkey):
            return _hinted("p", pubkey, (), hints)
        case Profile(pubkey, relays):
            return _hinted("p", pubkey, relays, hints)
        case Note(event_id):
            return _hinted("q", event_id, (), hints, author=hints.get(event_id, _NO_HINT).author)
        case EventPointer():
            author = entity.author or hints.get(entity.id, _NO_HINT).author
            return _hinted("q", entity.id, entity.relays, hints, author=author)
        case Address():
            # Its author is in the address: NIP-18 wants the fourth value for other events.
            return _hinted("q", entity.coordinate, entity.relays, hints)
    raise InvalidCode("this code cannot be mentioned")


def _hinted(
    name: str, key: str, relays: tuple[str, ...], hints: Mapping[str, Hint], *, author: str = ""
) -> Tag:
    """A tag without the empty values at its end; what the code itself says goes before hints."""
    tag = [name, key, relays[0] if relays else hints.get(key, _NO_HINT).relay, author]
    while not tag[-1]:
        tag.pop()
    return tuple(tag)
