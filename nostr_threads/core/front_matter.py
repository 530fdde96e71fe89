"""What a text is called: the front matter above it, its title, and the identifier made of that.

Knows which keys say something of an article, and Markdown's headings. How the keys are written is
known in `key_lines`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from nostr_threads.core.key_lines import LOOKED_AT, above, key_lines, keys, listed, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.core.key_lines import KeyLine

__all__ = ["FrontMatter", "described", "front_matter", "identifier_of_title", "title_of"]

_LONGEST_TITLE = 100
_LONGEST_IDENTIFIER = 60
_LONGEST_LINE = 1000

_FIELDS = {
    "title": "title",
    "summary": "summary",
    "description": "summary",
    "image": "image",
    "slug": "identifier",
    "d": "identifier",
    "identifier": "identifier",
    "tags": "hashtags",
    "hashtags": "hashtags",
}
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(\S.*)")
_CLOSING = re.compile(r"(?:^|[ \t]+)#+$")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*")
_NO_PARAGRAPH = re.compile(r" {0,3}(?:[-*+>#|]|\d{1,9}[.)][ \t])|\t| {4}")
_IN_FRONT = re.compile(r"(?:[ \t]*(?:>|[-*+][ \t]|#{1,6}[ \t]|\d{1,9}[.)][ \t]))*[ \t]*")
_LINKED = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,2000}\)")
_MARKUP = re.compile(r"\*\*|__|`|(?<!\w)[*_](?=\w)|(?<=[\w.!?])[*_](?!\w)")

# Letters that have no plain one within them, as Unicode sees it.
_FOLDED = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands above a text; empty where nothing is said. Hashtags are in lower case.

    `unknown` are the keys that mean nothing here, in order.
    """

    title: str = ""
    summary: str = ""
    image: str = ""
    identifier: str = ""
    hashtags: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def front_matter(text: str) -> tuple[FrontMatter | None, str]:
    """Return the front matter of `text`, None without one, and the text below it.

    It is one when it starts the text, is closed, begins with a key and has one that is known: a
    text may well begin with a line across. Raises `InvalidText` for a line that cannot be read.
    """
    found = above(text)
    if found is None or _FIELDS.keys().isdisjoint(keys(found[0])):
        return None, text
    return _read(key_lines(found[0])), found[1]


def described(
    text: str, *, title: str = "", summary: str = "", image: str = "", identifier: str = ""
) -> FrontMatter:
    """Say what the article `text` is called: as given, else as its front matter, else by itself.

    The identifier is then made of the title. Raises `InvalidText` as `front_matter` does.
    """
    found = front_matter(text)[0] or FrontMatter()
    called = title or found.title or title_of(text)
    return replace(
        found,
        title=called,
        summary=summary or found.summary,
        image=image or found.image,
        identifier=identifier or found.identifier or identifier_of_title(called),
    )


def title_of(text: str) -> str:
    """Return what a text is called: by its front matter, its first heading, or its first words.

    One line without Markdown, 100 characters at most; "" when there are no words.
    """
    found, text = front_matter(text)
    if found is not None and found.title:
        return _short(found.title)
    lines = text[:LOOKED_AT].splitlines()
    plain = (_plain(line) for line in (*_headings(lines), *lines))
    return _short(next((line for line in plain if any(map(str.isalnum, line))), ""))


def identifier_of_title(title: str) -> str:
    """Return a `d` tag for a title: lower case ASCII, digits and hyphens, 1 to 60 characters.

    The same for the same title, always. Where letters or signs are lost a hash of the title
    follows: two articles with one identifier would replace each other.
    """
    folded = unicodedata.normalize("NFKD", title.casefold().translate(_FOLDED))
    kept = "".join(char for char in folded if not unicodedata.combining(char))
    slug = re.sub("[^a-z0-9]+", "-", kept).strip("-")
    if slug and not any(map(_is_lost, kept)) and len(slug) <= _LONGEST_IDENTIFIER:
        return slug
    digest = sha256(title.encode(errors="replace")).hexdigest()[:8]
    short = slug[: _LONGEST_IDENTIFIER - len(digest) - 1].rstrip("-")
    return f"{short or 'article'}-{digest}"


def _is_lost(char: str) -> bool:
    """Whether an identifier without this character may be that of another title: C, C++ and C#."""
    if char in "#%*@":
        return True
    return unicodedata.category(char)[0] in "LNS" and not (char.isascii() and char.isalnum())


def _read(pairs: Sequence[KeyLine]) -> FrontMatter:
    found = FrontMatter()
    for pair in pairs:
        found = _with(found, pair)
    return replace(found, hashtags=tuple(dict.fromkeys(found.hashtags)))


def _with(found: FrontMatter, pair: KeyLine) -> FrontMatter:
    match _FIELDS.get(pair.key.lower()):
        case None:
            return replace(found, unknown=(*found.unknown, pair.key))
        case "hashtags":
            return replace(found, hashtags=(*found.hashtags, *_hashtags(pair)))
        case "title":
            return replace(found, title=one_line(pair))
        case "summary":
            return replace(found, summary=one_line(pair))
        case "image":
            return replace(found, image=one_line(pair))
    return replace(found, identifier=one_line(pair))


def _hashtags(pair: KeyLine) -> Iterator[str]:
    names = (name.lstrip("#").strip().lower() for name in listed(pair))
    return (name for name in names if name)


def _headings(lines: list[str]) -> Iterator[str]:
    """Headings of both kinds, outside of fenced code."""
    fence = before = ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            if mark is not None and mark[1].startswith(fence) and line.strip() == mark[1]:
                fence = ""
            continue
        if mark is not None:
            fence = mark[1]
        elif (heading := _HEADING.fullmatch(line)) is not None:
            yield _CLOSING.sub("", heading[1][:_LONGEST_LINE].rstrip())
        elif before.strip() and _UNDERLINE.fullmatch(line) and not _NO_PARAGRAPH.match(before):
            yield before
        before = line if mark is None else ""


def _plain(line: str) -> str:
    """A line without what is there to be seen otherwise: marks in front, emphasis, addresses."""
    start = _IN_FRONT.match(line)
    bare = line[start.end() :] if start is not None else line
    return " ".join(_MARKUP.sub("", _LINKED.sub(r"\1", bare[:_LONGEST_LINE])).split())


def _short(title: str) -> str:
    line = " ".join(title.split())
    if len(line) <= _LONGEST_TITLE:
        return line
    cut = line[: _LONGEST_TITLE - 1]
    words, _, _ = cut.rpartition(" ")
    return f"{words or cut}…"
