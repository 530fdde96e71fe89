"""What a note says: mentions by name, quotations apart, everything printable.

Knows how the tokens of a text are shown to a person. Knows nothing of lines and columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from nostr_threads.core import kinds
from nostr_threads.core.content import Emoji, Person, Quote, Token, tokens
from nostr_threads.core.node import State
from nostr_threads.core.references import Relation, references
from nostr_threads.render.escape import one_line, printable
from nostr_threads.render.wording import (
    author,
    handle,
    mark_of,
    reason,
    short_code,
    title_of,
    warning_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nostr_threads.core.event import Event
    from nostr_threads.core.join import Part
    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread
    from nostr_threads.render.outline import Block
    from nostr_threads.render.setting import Setting

__all__ = ["Passage", "Reading", "Seam", "Spell"]

_FIRST_LINE = 120
_BY_TAG = 8
_TAB = 4
# Which of the two it was is only known of what stands in the thread.
_GONE = "[deleted or expired] "


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a body: printable `text` of any lines, or one line about what it quotes.

    `key` names the event that is quoted, None for the author's own words.
    """

    text: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Seam:
    """Where one note of a joined text ends, and the next, which is `node`, goes on."""

    node: Node
    text: str = ""


class Spell(Protocol):
    """How one token is written in some medium."""

    def __call__(self, token: Token | Seam) -> str:
        """Return the token's text, made harmless for the medium."""


class Reading:
    """The texts of one thread, read with one setting."""

    def __init__(self, thread: Thread, setting: Setting) -> None:
        self._thread = thread
        self._setting = setting
        self._by_address: dict[str, Node] = {}
        for node in thread.nodes:
            if node.event is not None and (address := kinds.address_of(node.event)) is not None:
                self._by_address[address] = node
        self._quotations: dict[str, str | None] = {}

    def passages(self, block: Block, spell: Spell | None = None) -> list[Passage]:
        """Return what a block says, or why it says nothing, each token written by `spell`.

        A text is cut where it quotes something known. An article stays whole: it is Markdown, in
        which a code may stand inside a link. What only tags quote (NIP-18) comes last.
        """
        first = block.nodes[0]
        if first.state is not State.PRESENT or first.event is None:
            why = reason(first, self._thread, self._setting)
            return [Passage(why)] if why else []
        spell = spell or self._spell
        parts = _written(block)
        found = list(_sewn(block.nodes, parts))
        if first.event.kind == kinds.ARTICLE:
            passages = [Passage(_spelled(found, spell))]
        else:
            passages = list(self._cut(found, spell))
        named = {token.pointer.key for token in found if isinstance(token, Quote)}
        cited = dict.fromkeys(key for event in parts for key in _cited(event) if key not in named)
        passages += self._by_tag(list(cited))
        return [passage for passage in passages if passage.text]

    def quotation(self, key: str) -> str | None:
        """Return who says what under `key`, on one line; None when that is not known."""
        if key not in self._quotations:
            self._quotations[key] = self._quoted(key)
        return self._quotations[key]

    def cited(self, key: str) -> Event | None:
        """Return the event that `key` names, None for one that is not known or not to be seen."""
        node = self._thread.node(key) or self._by_address.get(key)
        if node is None:
            return self._setting.quoted.get(key)
        return node.event if node.state is State.PRESENT else None

    def first_line(self, event: Event) -> str:
        """Return the first line of a note in short."""
        text = _spelled(tokens(event), self._spell).strip()
        return one_line(text.partition("\n")[0], _FIRST_LINE)

    def _cut(self, found: Sequence[Token | Seam], spell: Spell) -> Iterator[Passage]:
        """Take out what is quoted, once each: a second time its short code will do."""
        shown: set[str] = set()
        waiting: list[Token | Seam] = []
        for token in found:
            key = token.pointer.key if isinstance(token, Quote) else ""
            if not key or key in shown or (quotation := self.quotation(key)) is None:
                waiting.append(token)
                continue
            before = _spelled(waiting, spell).rstrip()
            yield Passage(_continued(before) if shown else before)
            yield Passage(quotation, key)
            shown.add(key)
            waiting = []
        rest = _spelled(waiting, spell)
        yield Passage(_continued(rest) if shown else rest)

    def _by_tag(self, keys: list[str]) -> Iterator[Passage]:
        for key in keys[:_BY_TAG]:
            yield Passage(self.quotation(key) or short_code(key), key)
        if len(keys) > _BY_TAG:
            yield Passage(f"… {len(keys) - _BY_TAG} more quoted", "")

    def _quoted(self, key: str) -> str | None:
        node = self._thread.node(key) or self._by_address.get(key)
        event = node.event if node is not None else self._setting.quoted.get(key)
        if event is None:
            return None
        if node is not None and node.state is not State.PRESENT:
            return f"[{node.state.value}] {short_code(key)}"
        mark = mark_of(node) if node is not None else _GONE if key in self._setting.kept else ""
        said = warning_of(event) or title_of(event) or self.first_line(event) or "(no text)"
        return f"{mark}{author(event.pubkey, self._setting)}: {said}"

    def _spell(self, token: Token | Seam) -> str:
        match token:
            case Person():
                return handle(token.pubkey, self._setting)
            case Quote():
                return short_code(token.pointer.key)
            case Emoji():
                return f":{token.shortcode}:"
            case _:
                return printable(token.text.expandtabs(_TAB))


def _sewn(nodes: Sequence[Node], parts: Sequence[Event]) -> Iterator[Token | Seam]:
    """Yield the tokens of all parts, and where each but the first begins."""
    written = [node for node in nodes if node.event is not None]
    for node, event in zip(written, parts, strict=True):
        if node is not written[0]:
            yield Seam(node)
        yield from tokens(event)


def _spelled(found: Iterable[Token | Seam], spell: Spell) -> str:
    return "".join(map(spell, found))


def _written(block: Block) -> list[Event]:
    """Return the events of a block, each with its stretch of the author's text as its content."""
    events = [node.event for node in block.nodes if node.event is not None]
    if block.article is not None:
        joined = zip(events, block.article.stretches, strict=True)
        return [replace(event, content=stretch) for event, stretch in joined]
    return [_own_words(node.event, node.part) for node in block.nodes if node.event is not None]


def _own_words(event: Event, part: Part | None) -> Event:
    if part is not None:
        return replace(event, content=part.original)
    # What a repost holds is the event it repeats, as JSON (NIP-18).
    reposts = event.kind in (kinds.REPOST, kinds.GENERIC_REPOST)
    return replace(event, content="") if reposts else event


def _cited(event: Event) -> list[str]:
    """The keys of what an event quotes by its tags; a repost repeats its target (NIP-18)."""
    refs = references(event)
    answered = refs.parent.key if refs.parent is not None else ""
    quotes = [pointer.key for pointer in refs.quotes if pointer.key != answered]
    return [answered, *quotes] if refs.relation is Relation.REPOST and answered else quotes


def _continued(text: str) -> str:
    """A text that goes on after a quotation begins on a line of its own."""
    return text.lstrip(" ").lstrip("\n")
