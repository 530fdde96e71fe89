"""A long text in Markdown (NIP-23) as HTML that can do nothing but be read.

The parser makes no HTML of a stranger's, and what it made is cleaned by another hand. Headings go
below the page's, pictures become links, and a link leads to the web or to an event.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token as Piece
from markupsafe import Markup

from nostr_threads.core.content import Link, Person, Quote, tokens
from nostr_threads.core.event import Event
from nostr_threads.render.escape import printable
from nostr_threads.render.html.texts import is_picture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.rules_core import StateCore

    from nostr_threads.core.content import Token
    from nostr_threads.render.html.links import Links
    from nostr_threads.render.html.texts import Speller

__all__ = ["article"]

_TAB = 4
_LONGEST_ADDRESS = 2_000
# What a code becomes stands in the text as a number between these until all is clean; `printable`
# has named every such character that was in the text itself.
_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(rf"{_OPEN}(\d+){_CLOSE}")
# The same as the target of a link, where the parser writes it as bytes.
_TARGET = re.compile(r'href="(?:%EE%80%80|\ue000)(\d+)(?:%EE%80%81|\ue001)"', re.IGNORECASE)
_LEADS = re.compile(rf"https?://|(?:nostr:)?(?:{_OPEN}|%EE%80%80)", re.IGNORECASE)
_TAGS = frozenset(
    (
        *(
            "a",
            "blockquote",
            "br",
            "code",
            "em",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "hr",
            "li",
            "ol",
            "p",
        ),
        *("pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    )
)
_ATTRIBUTES = {"a": {"href", "target", "data-picture"}, "ol": {"start"}}


def article(event: Event, spell: Speller, links: Links, *, above: int = 2) -> Markup:
    """Return the Markdown of an event's content as HTML; people and events named in it are links.

    Its headings go below `above` levels of the page's own.

    Nothing in it is markup of its author's: HTML shows as it was written. An event's tags say what
    `#[n]` stands for.
    """
    held: list[Person | Quote] = []
    text = "".join(_held(token, held) for token in tokens(event))
    made = _parser().render(text, {"links": links, "above": above})
    clean = nh3.clean(
        made,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        link_rel="nofollow noopener noreferrer",
        # What is wider than the page is scrolled by itself, also from the keyboard.
        set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
    )
    clean = _TARGET.sub(lambda match: _href(held[int(match[1])], links), clean)
    return Markup(_PLACE.sub(lambda match: str(_linked(held[int(match[1])], spell)), clean))  # noqa: S704 - cleaned above, and our own links


def _held(token: Token, held: list[Person | Quote]) -> str:
    if not isinstance(token, Person | Quote):
        return printable(token.text.expandtabs(_TAB))
    held.append(token)
    return f"{_OPEN}{len(held) - 1}{_CLOSE}"


def _linked(token: Person | Quote, spell: Speller) -> Markup:
    return spell.person(token.pubkey) if isinstance(token, Person) else spell(token)


def _href(token: Person | Quote, links: Links) -> str:
    place = (
        links.person(token.pubkey) if isinstance(token, Person) else links.note(token.pointer.key)
    )
    return Markup('href="{}"').format(place)


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.validateLink = _may_lead  # type: ignore[method-assign] # the parser's way to say it
    made.core.ruler.after("inline", "settled", _settle)
    return made


def _may_lead(url: str) -> bool:
    return len(url) <= _LONGEST_ADDRESS and _LEADS.match(url) is not None


def _settle(state: StateCore) -> None:
    """Put headings below the page's, and make links of pictures and of bare web addresses."""
    for block in state.tokens:
        if block.type.startswith("heading_"):
            block.tag = f"h{min(int(block.tag[1]) + state.env['above'], 6)}"
        elif block.children:
            block.children = list(_settled(block.children, state.env["links"]))


def _settled(pieces: Sequence[Piece], links: Links) -> Iterator[Piece]:
    inside = 0
    for piece in pieces:
        if piece.type.startswith("link_"):
            inside += piece.nesting
            _aim(piece, links)
            yield piece
        elif piece.type == "image":
            url = str(piece.attrGet("src"))
            yield from _leading(url, piece.content or url, links, inside)
        elif piece.type == "text" and "://" in piece.content:
            for token in tokens(_unsigned(piece.content)):
                url = token.url if isinstance(token, Link) else ""
                yield from _leading(url, token.text, links, inside)
        else:
            yield piece


def _leading(url: str, words: str, links: Links, inside: int) -> Iterator[Piece]:
    """Yield words that lead somewhere, unless they stand inside a link, or there is nowhere."""
    text = Piece("text", "", 0, content=words)
    if inside or not _may_lead(url):
        yield text
        return
    opening = Piece("link_open", "a", 1, attrs={"href": url})
    _aim(opening, links)
    yield from (opening, text, Piece("link_close", "a", -1))


def _aim(opening: Piece, links: Links) -> None:
    """Say where a link opens; a picture's says where it can be shown."""
    url = str(opening.attrGet("href") or "")
    if not url.startswith("http"):
        return
    opening.attrSet("target", "_blank")
    if is_picture(url) and (place := links.picture(url)):
        opening.attrSet("data-picture", place)


def _unsigned(text: str) -> Event:
    """A text as the event that would say it, which is what tokens are found in."""
    return Event("", "", 0, 0, (), text, "")
