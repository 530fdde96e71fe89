"""What a page shows of each note, as values that a template only has to lay out.

Knows which words and links a note is shown with. Knows nothing of elements.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from markupsafe import Markup

from nostr_threads.core import kinds
from nostr_threads.core.content import tokens
from nostr_threads.core.node import State
from nostr_threads.render.body import Reading
from nostr_threads.render.html.articles import article
from nostr_threads.render.html.links import anchor
from nostr_threads.render.html.texts import Speller, excerpt
from nostr_threads.render.outline import Block, Fold
from nostr_threads.render.wording import (
    counts,
    fold_line,
    kept,
    kind_of,
    mark_of,
    name_of,
    npub,
    parts_of,
    reason,
    short_code,
    short_key,
    title_of,
    warning_of,
    when,
    writer,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from nostr_threads.core.event import Event
    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread
    from nostr_threads.render.body import Passage
    from nostr_threads.render.html.links import Links
    from nostr_threads.render.setting import Setting

__all__ = ["Entries", "Entry", "Person", "Place", "Quotation", "Stretch", "Time", "time_of"]

_NOTHING = Markup()
_EXCERPT = 500
# Characters that are shown of a note in its thread, and of one that has more.
_MOST = 40_000
_BEGINNING = 4_000
# And of all notes of a page together, before it shows beginnings alone.
_ROOM = 300_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as a page names them: `name` may be "", `key` is the short key, `npub` the whole."""

    name: str
    key: str
    npub: str
    href: str


@dataclass(frozen=True, slots=True)
class Time:
    """A time in words, and as `<time>` wants it: "" where no calendar has it."""

    words: str
    iso: str


@dataclass(frozen=True, slots=True)
class Place:
    """A link to a note, what it is called, and the element that it is where it is on the page."""

    href: str
    words: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Quotation:
    """What is quoted: by whom and when, as far as known, and how it begins."""

    href: str
    words: str
    person: Person | None = None
    time: Time | None = None
    html: Markup = _NOTHING
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a body: the author's words, or what they quote."""

    html: Markup
    quotation: Quotation | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One block of a thread: a note, parts that are one text, or what stands for a missing one.

    `anchor` names it in the page, `anchors` are those of all its notes; `href` leads to it from
    anywhere. `words` say what it is, `state` is the value of its `State`. `parent` is what it
    answers, `parts` its notes where they are several, `article` where it can be read by itself.
    `is_cut` says that its body goes on there.
    """

    anchor: str
    id: str
    depth: int
    href: str
    state: str
    person: Person | None
    time: Time | None
    words: tuple[str, ...]
    title: str = ""
    warning: str = ""
    why: str = ""
    body: tuple[Stretch, ...] = ()
    is_markdown: bool = False
    parent: Place | None = None
    parts: tuple[Place, ...] = ()
    article: str = ""
    is_cut: bool = False
    is_new: bool = False
    answerable: str = ""

    @property
    def version(self) -> str:
        """Return a text that is another one when anything but times and places has changed."""
        said = [(str(each.html), *_said(each.quotation)) for each in self.body]
        shown = (self.state, self.person, self.words, self.title, self.warning, self.why, said)
        around = (self.parent, self.parts, self.article, self.answerable, self.is_cut)
        return sha256(repr((shown, around)).encode(errors="replace")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Left:
    """What is left out below a note."""

    depth: int
    words: str


class Entries:
    """Makes the entries of one thread. `fresh` are the ids of notes nobody has looked at yet."""

    def __init__(
        self, thread: Thread, setting: Setting, links: Links, *, fresh: Collection[str] = ()
    ) -> None:
        self._thread = thread
        self._setting = setting
        self._links = links
        self._fresh = fresh
        self._reading = Reading(thread, setting)
        self._spell = Speller(setting, links)
        self._room = _ROOM

    def title(self) -> str:
        """Return what the thread is called: its title, its subject, or how it begins."""
        root = self._thread.root
        if root is None or root.event is None or root.state is not State.PRESENT:
            return f"Thread {short_code(root.id)}" if root is not None else "Thread"
        words = mark_of(root) + (title_of(root.event) or self._reading.first_line(root.event))
        return words or f"Thread {short_code(root.id)}"

    def entry(self, block: Block | Fold) -> Entry | Left:
        """Return what is shown of a block, or of what is left out."""
        if isinstance(block, Fold):
            return Left(block.depth, fold_line(block))
        node = block.nodes[0]
        made = Entry(
            anchor=anchor(node.id),
            id=node.id,
            depth=block.depth,
            href=self._links.note(node.id),
            state=_state(node),
            person=None,
            time=None,
            words=(),
            parent=self._parent(node),
            is_new=any(each.id in self._fresh for each in block.nodes),
        )
        if node.event is None:
            return replace(made, why=reason(node, self._thread, self._setting) or "elsewhere")
        made = replace(made, time=time_of(node.event.created_at, self._setting.now))
        if node.state is not State.PRESENT:
            return self._unseen(made, node, node.event)
        return self._seen(made, block, node.event)

    def person(self, pubkey: str) -> Person:
        """Return somebody, named and linked."""
        name = name_of(pubkey, self._setting.names)
        return Person(name, short_key(pubkey), npub(pubkey), self._links.person(pubkey))

    def _unseen(self, made: Entry, node: Node, event: Event) -> Entry:
        # Whoever is muted is not named.
        person = self.person(event.pubkey)
        if node.state is State.HIDDEN:
            person = replace(person, name="")
        return replace(made, person=person, why=reason(node, self._thread, self._setting))

    def _seen(self, made: Entry, block: Block, event: Event) -> Entry:
        words = [kind_of(event), parts_of(block)]
        if block.to_part is not None:
            words.append(f"to part {block.to_part}")
        words += [counts(block.nodes, self._setting), *kept(block.nodes)]
        part = block.nodes[0].part
        is_split = part is not None and part.index == 1 < part.total
        is_long = event.kind == kinds.ARTICLE or is_split or len(block.nodes) > 1
        is_whole = self._take_room(block)
        return replace(
            made,
            person=self.person(event.pubkey),
            words=tuple(filter(None, words)),
            title=title_of(event),
            warning=_warning(block),
            body=self._body(block, event) if is_whole else self._begin(event),
            is_markdown=event.kind == kinds.ARTICLE and is_whole,
            is_cut=not is_whole,
            parts=self._parts(block),
            article=self._links.article(made.id) if is_long or not is_whole else "",
            answerable=block.nodes[-1].id,
        )

    def _take_room(self, block: Block) -> bool:
        """Take what a block needs of the page's room; False when only its beginning gets any.

        All of it is on a page of its own then: a block without one is always given its room.
        """
        written = sum(len(node.event.content) for node in block.nodes if node.event is not None)
        if not self._links.article(block.nodes[0].id):
            return True
        is_whole = written <= _MOST and written <= max(self._room, _BEGINNING)
        self._room -= written if is_whole else _BEGINNING
        return is_whole

    def _begin(self, event: Event) -> tuple[Stretch, ...]:
        html, _ = excerpt(tokens(event), self._spell, _BEGINNING)
        return (Stretch(html),)

    def _body(self, block: Block, event: Event) -> tuple[Stretch, ...]:
        passages = self._reading.passages(block, self._spell)
        if event.kind == kinds.ARTICLE:
            said = [Stretch(article(event, self._spell, self._links))] if event.content else []
            passages = [passage for passage in passages if passage.key is not None]
        else:
            said = []
        return (*said, *map(self._stretch, passages))

    def _stretch(self, passage: Passage) -> Stretch:
        if passage.key is None:
            # Every token of it was written by the speller.
            return Stretch(Markup(passage.text))  # noqa: S704 - as said above
        return Stretch(_NOTHING, self._quotation(passage.key, passage.text))

    def _quotation(self, key: str, words: str) -> Quotation:
        href = self._links.note(key) if key else ""
        event = self._reading.cited(key) if key else None
        if event is None or warning_of(event):
            return Quotation(href, words)
        html, is_cut = excerpt(tokens(event), self._spell, _EXCERPT)
        return Quotation(
            href,
            title_of(event) or short_code(key),
            self.person(event.pubkey),
            time_of(event.created_at, self._setting.now),
            html,
            is_cut,
        )

    def _parent(self, node: Node) -> Place | None:
        parent = self._thread.node(node.parent or "")
        if parent is None:
            return None
        return Place(self._links.note(parent.id), writer(parent, self._setting), anchor(parent.id))

    def _parts(self, block: Block) -> tuple[Place, ...]:
        if len(block.nodes) < 2:
            return ()
        return tuple(
            Place(
                self._links.note(node.id),
                f"part {place} · {len(node.event.content):,} characters",
                anchor(node.id),
            )
            for place, node in enumerate(block.nodes, _first(block))
            if node.event is not None
        )


def _said(quotation: Quotation | None) -> tuple[object, ...]:
    if quotation is None:
        return ()
    return quotation.words, quotation.person, str(quotation.html)


def time_of(created_at: int, now: int | None) -> Time:
    """Return a time (unix seconds) as a page says it."""
    try:
        iso = datetime.fromtimestamp(created_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        iso = ""
    zone = " UTC" if now is None and iso else ""
    return Time(when(created_at, now) + zone, iso)


def _state(node: Node) -> str:
    if node.event is None and node.state is State.PRESENT:
        return "elsewhere"
    return node.state.value


def _first(block: Block) -> int:
    part = block.nodes[0].part
    return part.index if part is not None and block.article is None else 1


def _warning(block: Block) -> str:
    found = (warning_of(node.event) for node in block.nodes if node.event is not None)
    return next(filter(None, found), "")
