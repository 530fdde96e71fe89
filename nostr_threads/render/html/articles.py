"""A long text in Markdown (NIP-23) as HTML that can do nothing but be read.

The parser makes no HTML of a stranger's, and what it made is cleaned by another hand. What the
parser has read is taken apart once more for people, events and web addresses, and made printable:
it decodes what the text only names. Headings go below the page's, pictures become links.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import normalizeLink
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
    from nostr_threads.core.event import Tags
    from nostr_threads.render.html.links import Links
    from nostr_threads.render.html.texts import Speller

__all__ = ["article"]

_TAB = 4
_LONGEST_ADDRESS = 2_000
# Characters: to lay out more than a book takes long, and longest where it is meant to.
_LONGEST = 200_000
_PLAIN = Markup('<pre tabindex="0">{}</pre>')
_WEB = ("http://", "https://")
_CODE = "nostr:"
_TAGS = frozenset(
    (
        *("a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol"),
        *("p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
    )
)
_ATTRIBUTES = {"a": {"href", "target", "data-picture"}, "ol": {"start"}}
_CLASSES = {"a": {"person", "code"}}
# What is wider than the page is scrolled by itself, also from the keyboard.
_ADDED = {"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}}


def article(event: Event, spell: Speller, links: Links, *, above: int = 2) -> Markup:
    """Return the Markdown of an event's content as HTML; people and events named in it are links.

    Its headings go below `above` levels of the page's own. Nothing in it is markup of its author's:
    HTML shows as it was written. An event's tags say what `#[n]` stands for. What is longer than
    200,000 characters is shown as it was written.
    """
    if len(event.content) > _LONGEST:
        return _PLAIN.format(printable(event.content.expandtabs(_TAB)))
    around = {"settler": _Settler(event.tags, spell, links, above)}
    made = _parser().render(printable(event.content.expandtabs(_TAB)), around)
    clean = nh3.clean(
        made,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        set_tag_attribute_values=_ADDED,
        url_schemes={"http", "https", "nostr"},
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(clean)  # noqa: S704 - cleaned


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    made.validateLink = _may_lead  # type: ignore[method-assign] # the parser's way to say it
    made.core.ruler.after("text_join", "settled", _settle)
    return made


def _may_lead(url: str) -> bool:
    return len(url) <= _LONGEST_ADDRESS and url.lower().startswith((*_WEB, _CODE))


def _settle(state: StateCore) -> None:
    settler: _Settler = state.env["settler"]
    for block in state.tokens:
        settler.settle(block)


class _Settler:
    """Makes of what the parser has read what is to be shown."""

    def __init__(self, tags: Tags, spell: Speller, links: Links, above: int) -> None:
        self._tags = tags
        self._spell = spell
        self._links = links
        self._above = above

    def settle(self, block: Piece) -> None:
        """Put a heading below the page's, and look through the text of a block."""
        if block.type.startswith("heading_"):
            block.tag = f"h{min(int(block.tag[1]) + self._above, 6)}"
        elif block.children:
            block.children = list(self._settled(block.children))
        else:
            block.content = printable(block.content)

    def _settled(self, pieces: Sequence[Piece]) -> Iterator[Piece]:
        inside = 0
        for piece in pieces:
            if piece.type.startswith("link_"):
                inside += piece.nesting
                self._aim(piece)
                yield piece
            elif piece.type == "image":
                url = str(piece.attrGet("src"))
                yield from self._leading(url, piece.content or url, inside)
            elif piece.type == "text":
                yield from self._text(piece.content, inside)
            else:
                piece.content = printable(piece.content)
                yield piece

    def _text(self, text: str, inside: int) -> Iterator[Piece]:
        for token in tokens(self._said(text)):
            if isinstance(token, Person | Quote) and not inside:
                # Our own, every word of it escaped.
                yield Piece("html_inline", "", 0, content=str(self._spell(token)))
            else:
                url = token.url if isinstance(token, Link) else ""
                yield from self._leading(url, token.text, inside)

    def _leading(self, url: str, words: str, inside: int) -> Iterator[Piece]:
        """Yield words that lead somewhere, unless they stand inside a link, or there is nowhere."""
        text = Piece("text", "", 0, content=printable(words))
        if inside or not _may_lead(url):
            yield text
            return
        opening = Piece("link_open", "a", 1, attrs={"href": url})
        self._aim(opening)
        yield from (opening, text, Piece("link_close", "a", -1))

    def _aim(self, opening: Piece) -> None:
        """Say where a link leads and opens; a picture's says where it can be shown."""
        url = normalizeLink(str(opening.attrs.pop("href", "")))
        opening.attrs.clear()
        if url.lower().startswith(_WEB):
            opening.attrSet("href", url)
            opening.attrSet("target", "_blank")
            if is_picture(url) and (place := self._links.picture(url)):
                opening.attrSet("data-picture", place)
        elif url and (place := next(map(self._place, tokens(self._said(url))), "")):
            opening.attrSet("href", place)

    def _place(self, token: Token) -> str:
        match token:
            case Person():
                return self._links.person(token.pubkey)
            case Quote():
                return self._links.note(token.pointer.key)
        return ""

    def _said(self, text: str) -> Event:
        """A text as the event that would say it, which is what tokens are found in."""
        return Event("", "", 0, 0, self._tags, text, "")
