"""A thread as one Markdown document: a heading a note, replies in block quotes.

Knows the document. What keeps a note's own text inside its place is in `neutral`.
"""

from __future__ import annotations

import re
from itertools import chain, repeat
from typing import TYPE_CHECKING
from urllib.parse import quote

from nostr_threads.core import kinds
from nostr_threads.core.content import Link, Person, Quote
from nostr_threads.core.node import State
from nostr_threads.render.body import Passage, Reading, Seam
from nostr_threads.render.escape import one_line, printable
from nostr_threads.render.neutral import article_lines, inline, plain_lines, whole_line
from nostr_threads.render.outline import Fold, outline
from nostr_threads.render.setting import PLAIN, Setting
from nostr_threads.render.wording import (
    code_of,
    fold_line,
    handle,
    heading,
    mark_of,
    npub,
    short_code,
    title_of,
    writer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.content import Token
    from nostr_threads.core.thread import Thread
    from nostr_threads.render.outline import Block

__all__ = ["render_markdown"]

# Block quotes deeper than this are drawn as this deep: viewers run out of room.
_DEEPEST = 6
_TITLE = 80
_TAB = 4
# What a token becomes stands in the text as a number between these until the text is made harmless;
# `printable` has named every such character that was in the text itself.
_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(rf"(\]\(|\]: *|!)?{_OPEN}(\d+){_CLOSE}")
_IN_URL = "!#$%&'*+,-./:;=?@_~"


def render_markdown(thread: Thread, setting: Setting = PLAIN) -> str:
    """Return the thread as CommonMark: `#` the title, `###` each note, in display order.

    A note's text is escaped and shows as it was written; an article (NIP-23) is Markdown already
    and keeps it, with its headings below ours, HTML escaped, images as links, and no link that runs
    a program. `setting.width` is not used: viewers wrap.
    """
    document = _Document(thread, setting)
    entries = outline(thread, setting.fold)
    lines = chain.from_iterable(document.lines(entry) for entry in entries)
    body = "\n".join(lines)
    return f"# {inline(document.title())}\n{body}\n" if body else ""


class _Document:
    """Writes blocks one after the other; remembers how deep the one before was quoted."""

    def __init__(self, thread: Thread, setting: Setting) -> None:
        self._thread = thread
        self._setting = setting
        self._reading = Reading(thread, setting)
        self._level = 0

    def title(self) -> str:
        """Return what the thread is about: its title, its subject, or how it begins."""
        root = self._thread.root
        if root is None or root.event is None or root.state is not State.PRESENT:
            return f"Thread {short_code(root.id)}" if root is not None else "Thread"
        words = mark_of(root) + (title_of(root.event) or self._reading.first_line(root.event))
        return one_line(words, _TITLE) or "Thread"

    def lines(self, entry: Block | Fold) -> Iterator[str]:
        """Yield the lines of one block, and the empty one before it."""
        level = min(entry.depth, _DEEPEST)
        # Inside what both share: a reply stands in the quote of what it answers.
        yield _quoted("", min(level, self._level))
        self._level = level
        body = ["*" + fold_line(entry) + "*"] if isinstance(entry, Fold) else self._block(entry)
        yield from map(_quoted, body, repeat(level))

    def _block(self, block: Block) -> Iterator[str]:
        yield f"### {inline(self._heading(block))}"
        event = block.nodes[0].event
        is_article = event is not None and event.kind == kinds.ARTICLE
        texts = _Texts(self._reading, self._setting, is_article)
        for passage in self._reading.passages(block, texts.hold):
            yield ""
            if passage.key is not None:
                yield _quotation(passage)
                continue
            lines = article_lines if is_article else plain_lines
            for line, is_code in lines(passage.text):
                yield from texts.put_back(line, is_code)

    def _heading(self, block: Block) -> str:
        words = heading(block, self._setting)
        parent = self._thread.node(block.nodes[0].parent or "")
        if parent is not None:
            words += f" · reply to {writer(parent, self._setting)}"
        return words + (f" · depth {block.depth}" if block.depth > _DEEPEST else "")


class _Texts:
    """Takes tokens out of a text while it is made harmless, and puts them back as links.

    The web links of an article stay in it: they are Markdown already.
    """

    def __init__(self, reading: Reading, setting: Setting, is_article: bool) -> None:
        self._reading = reading
        self._setting = setting
        self._is_article = is_article
        self._types = (Person, Quote) if is_article else (Person, Quote, Link)
        self._held: list[Token] = []

    def hold(self, token: Token | Seam) -> str:
        """Return what stands for a token in the meantime."""
        if isinstance(token, Seam) or not isinstance(token, self._types):
            return printable(token.text.expandtabs(_TAB))
        self._held.append(token)
        return f"{_OPEN}{len(self._held) - 1}{_CLOSE}"

    def put_back(self, line: str, is_code: bool) -> Iterator[str]:
        """Yield a line with its tokens again; in an article one that only quotes is a quotation."""
        if is_code:
            yield _PLACE.sub(lambda match: (match[1] or "") + self._as_written(match), line)
        elif self._is_article and (passage := self._quoted_alone(line)) is not None:
            yield from ("", _quotation(passage), "")
        else:
            yield _PLACE.sub(self._in_text, line)

    def _quoted_alone(self, line: str) -> Passage | None:
        match = _PLACE.fullmatch(line.strip(" "))
        token = self._held[int(match[2])] if match is not None and not match[1] else None
        if not isinstance(token, Quote):
            return None
        words = self._reading.quotation(token.pointer.key)
        return Passage(words, token.pointer.key) if words is not None else None

    def _in_text(self, match: re.Match[str]) -> str:
        before = match[1] or ""
        if before.startswith("]"):
            return before + self._as_written(match)
        # A mark of exclamation before a link would make an image; a backslash may precede it.
        return before.replace("!", "&#33;") + self._linked(self._held[int(match[2])])

    def _as_written(self, match: re.Match[str]) -> str:
        return printable(self._held[int(match[2])].text)

    def _linked(self, token: Token) -> str:
        match token:
            case Person():
                name = inline(handle(token.pubkey, self._setting))
                return f"[{name}](nostr:{npub(token.pubkey)})"
            case Quote():
                return _code_link(token.pointer.key)
            case _:
                url = quote(token.text, safe=_IN_URL, errors="replace")
                return f"[{inline(printable(token.text))}]({url.replace('&', '&amp;')})"


def _quotation(passage: Passage) -> str:
    if not passage.key:
        return f"> {whole_line(passage.text)}"
    link = _code_link(passage.key)
    is_code = passage.text == short_code(passage.key)
    return f"> {link}" if is_code else f"> {whole_line(passage.text)} {link}"


def _code_link(key: str) -> str:
    """A `nostr:` link (NIP-21) to an event; only its words when it has no code."""
    words = inline(short_code(key))
    code = code_of(key)
    return f"[{words}](nostr:{code})" if code else words


def _quoted(line: str, level: int) -> str:
    return "> " * level + line if line else ("> " * level).rstrip()
