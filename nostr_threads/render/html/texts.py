"""The words of a note as HTML: every token a link or text, nothing of it markup.

Knows elements. How a text is cut into tokens is `core.content`'s, what stands for one in words
`wording`'s.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup, escape

from nostr_threads.core.content import Emoji, Hashtag, Link, Person, Plain, Quote
from nostr_threads.render.body import Seam
from nostr_threads.render.escape import printable
from nostr_threads.render.html.links import anchor
from nostr_threads.render.wording import handle, short_code

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.content import Token
    from nostr_threads.render.html.links import Links
    from nostr_threads.render.setting import Setting

__all__ = ["Speller", "excerpt", "is_picture"]

_TAB = 4
# What stands in an address as it is; everything else by its bytes, so that nothing unseen is in it.
_IN_URL = "!#$%&'()*+,-./:;=?@_~[]"
_WEB = re.compile(r"https?://", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|$)", re.IGNORECASE)
# Whoever is sent elsewhere by a stranger's link does not tell where they come from.
_OUTWARD = Markup('<a href="{}" rel="nofollow noopener noreferrer" target="_blank">{}</a>')
_PICTURED = Markup(
    '<a href="{}" rel="nofollow noopener noreferrer" target="_blank" data-picture="{}">{}</a>'
)
_INWARD = Markup('<a class="{}" href="{}">{}</a>')
_SEAM = Markup('<span class="seam" id="{}" data-part="{}"></span>')


def link(href: str, words: str, *, of: str) -> Markup:
    """Return a link of the class `of`, or its bare words where there is nothing to lead to."""
    return _INWARD.format(of, href, words) if href else escape(words)


def is_picture(url: str) -> bool:
    """Whether a web address ends as those of pictures do."""
    return _PICTURE.search(url) is not None


def outward(url: str, words: str, links: Links) -> Markup:
    """Return a link to the web as `words`; a picture's says where it can be shown."""
    if not _WEB.match(url):
        return escape(words)
    url = quote(url, safe=_IN_URL, errors="replace")
    if is_picture(url) and (place := links.picture(url)):
        return _PICTURED.format(url, place, words)
    return _OUTWARD.format(url, words)


class Speller:
    """Writes tokens as HTML; a `Spell` whose words are `Markup`."""

    def __init__(self, setting: Setting, links: Links) -> None:
        self._setting = setting
        self._links = links

    def __call__(self, token: Token | Seam) -> Markup:
        """Return one token: control and bidi characters by their names, markup as text."""
        match token:
            case Seam():
                index = token.node.part.index if token.node.part is not None else "…"
                return _SEAM.format(anchor(token.node.id), index)
            case Person():
                return self.person(token.pubkey)
            case Quote():
                return self.quote(token.pointer.key)
            case Hashtag():
                return link(self._links.hashtag(token.name), _plain(token.text), of="hashtag")
            case Link():
                return outward(token.url, _plain(token.text), self._links)
            case Emoji():
                return escape(f":{token.shortcode}:")
            case _:
                return escape(_plain(token.text))

    def person(self, pubkey: str) -> Markup:
        """Return `@name`, linked."""
        return link(self._links.person(pubkey), handle(pubkey, self._setting), of="person")

    def quote(self, key: str) -> Markup:
        """Return the short code of an event, linked."""
        return link(self._links.note(key), short_code(key), of="code")


def excerpt(found: Iterable[Token], spell: Speller, most: int) -> tuple[Markup, bool]:
    """Return about the first `most` characters of a text, and whether there is more of it.

    A link is there whole or not at all; a long plain text is cut.
    """
    written = Markup()
    left = most
    for token in found:
        if left <= 0:
            return written, True
        if isinstance(token, Plain) and len(token.text) > left:
            return written + spell(replace(token, text=token.text[:left])), True
        written += spell(token)
        left -= len(token.text)
    return written, False


def _plain(text: str) -> str:
    return printable(text.expandtabs(_TAB))
