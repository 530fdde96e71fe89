"""What strangers said in several notes, by the numbers they gave them and by how the texts meet.

Knows a best effort: no tag says what belongs together here. What people number by hand is known in
`numbering`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.core import kinds
from nostr_threads.core.joined import Article, event_of, is_ours, missing_among
from nostr_threads.core.node import Node, State
from nostr_threads.core.numbering import Numbering, numbering
from nostr_threads.core.seams import is_cut, is_dotted, stretches

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

__all__ = ["guessed"]

_PAUSE = 30 * 60
"""Seconds within which an author goes on who does not number his notes."""
_LONG = 200
"""Characters before a text may count as cut by a limit, in the middle of a sentence."""

_KINDS = {(kinds.NOTE, kinds.NOTE), (kinds.COMMENT, kinds.COMMENT)}
_KINDS |= {(kinds.FORUM_THREAD, kinds.COMMENT)}

_Place: TypeAlias = tuple[str | None, str, int, int, int]
"""What is answered, author and kind, and the total and number that a note gives itself."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A note as its author wrote it: its number, and its text without it."""

    node: Node
    number: Numbering | None
    text: str

    @property
    def place(self) -> int:
        """Its number, 0 without one."""
        return self.number.index if self.number is not None else 0

    @property
    def total(self) -> int | None:
        """How many notes there are by its number, None where that does not say."""
        return self.number.total if self.number is not None else None

    @property
    def opens(self) -> bool:
        """Whether it announces more, without a number of its own."""
        return self.number is not None and self.number.opens and not self.place

    @property
    def says_it_goes_on(self) -> bool:
        return self.number is not None and not self.number.opens and not self.place


@dataclass(slots=True)
class _Chain:
    """A stranger's notes in the making. `total` is the one that a number has named, if any has."""

    notes: list[_Written]
    total: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.total = self.notes[0].total

    @property
    def wanted(self) -> tuple[int, int] | None:
        """The total and the number by which the next note can be told, wherever it stands."""
        last = self.notes[-1].place
        return (self.total, last + 1) if self.total is not None and 0 < last < self.total else None

    def add(self, note: _Written) -> None:
        self.notes.append(note)
        if self.total is None:
            self.total = note.total

    def next_of(self, candidates: Sequence[_Written]) -> _Written | None:
        """Choose what goes on here: a number that fits, else what the texts themselves show."""
        numbered = (note for note in candidates if note.place and self._counts_on(note))
        plain = (note for note in candidates if not note.place and self._goes_on(note))
        return next(chain(numbered, plain), None)

    def _counts_on(self, note: _Written) -> bool:
        last = self.notes[-1]
        if self.total is not None and (
            note.total not in (None, self.total) or note.place > self.total
        ):
            return False
        if last.opens:
            return note.place in (1, 2)
        return last.place > 0 and note.place == last.place + 1

    def _goes_on(self, note: _Written) -> bool:
        last = self.notes[-1]
        if last.place or note.opens or not _is_soon(last, note):
            return False
        if self.notes[0].opens or last.says_it_goes_on or note.says_it_goes_on:
            return True
        is_long = len(last.text) >= _LONG
        return is_dotted(last.text, note.text) or (is_long and is_cut(last.text, note.text))

    def article(self) -> Article:
        first = self.notes[0]
        places = [note.place for note in self.notes if note.place]
        # A first note without a number, before one that says 2, is number 1.
        opening = [1] if places and not first.place and places[0] == 2 else []
        total = self.total or max(places, default=0)
        return Article(
            tuple(note.node for note in self.notes),
            tuple(stretches([note.text for note in self.notes])),
            False,
            True,
            missing_among([*opening, *places], total),
        )


def guessed(nodes: Sequence[Node], by_id: Mapping[str, Node]) -> Iterator[Article]:
    """Yield the texts of several notes that carry no `part` tags; see `articles` for the rules."""
    written, children = _own_answers(nodes, by_id)
    beside = _numbered_beside(nodes, written)
    taken: set[str] = set()
    in_order = (written[node.id] for node in nodes if node.id in written)
    # Of notes side by side the lowest number begins, whichever was dated first.
    for first in sorted(in_order, key=lambda note: note.place):
        if first.node.id in taken:
            continue
        made = _made(first, children, beside, taken)
        if len(made.notes) < 2:
            continue
        if (opening := _opening(made, written, taken)) is not None:
            made.notes.insert(0, opening)
        taken.update(note.node.id for note in made.notes)
        yield made.article()


def _made(
    first: _Written,
    children: Mapping[str, Sequence[_Written]],
    beside: Mapping[_Place, deque[_Written]],
    taken: Collection[str],
) -> _Chain:
    """Follow a chain to its end: down, else to a number beside one of its notes."""
    made = _Chain([first])
    left: dict[tuple[int | None, int], _Written] = {}
    after: _Written | None = first
    while after is not None:
        answers = children.get(after.node.id, ())
        free = [note for note in answers if note.node.id not in taken]
        for note in free:
            left.setdefault((note.total, note.place), note)
        after = made.next_of(free)
        if after is None and (wanted := made.wanted) is not None:
            after = left.get(wanted) or _free(beside.get((*_beside(first.node), *wanted)), taken)
        if after is not None:
            made.add(after)
    return made


def _free(notes: deque[_Written] | None, taken: Collection[str]) -> _Written | None:
    """Take the first that is in no article; those before it are not looked at again."""
    while notes:
        if (note := notes.popleft()).node.id not in taken:
            return note
    return None


def _opening(
    made: _Chain, written: Mapping[str, _Written], taken: Collection[str]
) -> _Written | None:
    """Return the note without a number before a chain that says 2: the 3 after it is the proof."""
    first = made.notes[0]
    before = written.get(first.node.parent or "")
    if first.place != 2 or before is None or before.node.id in taken or before.number is not None:
        return None
    return before if _follows(first.node, before.node) and _is_soon(before, first) else None


def _own_answers(
    nodes: Sequence[Node], by_id: Mapping[str, Node]
) -> tuple[dict[str, _Written], dict[str, list[_Written]]]:
    """Return the notes that stand beside another of their author's, and what may follow each."""
    written: dict[str, _Written] = {}
    children: dict[str, list[_Written]] = {}
    for node in nodes:
        parent = by_id[node.parent] if node.parent is not None else None
        if parent is None or not _follows(node, parent):
            continue
        for each in (parent, node):
            if each.id not in written:
                written[each.id] = _written(each)
        children.setdefault(parent.id, []).append(written[node.id])
    return written, children


def _numbered_beside(
    nodes: Sequence[Node], written: dict[str, _Written]
) -> dict[_Place, deque[_Written]]:
    """Return the notes that stand beside others of their author's and say "2/3", by all of that.

    They are added to `written`.
    """
    groups: dict[tuple[str | None, str, int], list[Node]] = {}
    for node in nodes:
        if node.parent is not None and _may_be_joined(node):
            groups.setdefault(_beside(node), []).append(node)
    found: dict[_Place, deque[_Written]] = {}
    for group, alike in groups.items():
        kind = group[-1]
        for node in alike if len(alike) > 1 and (kind, kind) in _KINDS else ():
            note = written.get(node.id) or _written(node)
            if note.total is not None and note.place:
                written[node.id] = note
                found.setdefault((*group, note.total, note.place), deque()).append(note)
    return found


def _beside(node: Node) -> tuple[str | None, str, int]:
    """What an author's notes have in common that stand side by side."""
    event = event_of(node)
    return node.parent, event.pubkey, event.kind


def _follows(node: Node, parent: Node) -> bool:
    """Whether a note answers one of the same author, both to be seen, neither a part of ours."""
    if not (_may_be_joined(node) and _may_be_joined(parent)):
        return False
    above, below = event_of(parent), event_of(node)
    return above.pubkey == below.pubkey and (above.kind, below.kind) in _KINDS


def _may_be_joined(node: Node) -> bool:
    return node.event is not None and node.state is State.PRESENT and not is_ours(node)


def _written(node: Node) -> _Written:
    text = node.part.original if node.part is not None else event_of(node).content
    number = numbering(text)
    if number is not None:
        text = text[: number.start] + text[number.end :]
    return _Written(node, number, text.strip())


def _is_soon(before: _Written, after: _Written) -> bool:
    waited = event_of(after.node).created_at - event_of(before.node).created_at
    return 0 <= waited <= _PAUSE
