"""Drafts that a model has made and that wait for a person's yes.

Knows how long they are kept, and what a person is asked. Knows nothing of how one is published.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from nostr_threads.core.untrusted import quoted
from nostr_threads.errors import InvalidInput, NotFound
from nostr_threads.render.escape import one_line, printable
from nostr_threads.render.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.app.writing import Plan, Style
    from nostr_threads.core.split import Limit
    from nostr_threads.store.base import Posting

__all__ = ["KEPT_FOR", "Answered", "Draft", "Drafts", "question"]

KEPT_FOR = 3_600
"""Seconds after which a draft is forgotten."""

_MOST = 50
_LONGEST_SHOWN = 100_000
_WORDS = 200


class Answered(TypedDict):
    """The note that a draft answers: its code, who wrote it, and how it begins, escaped.

    `untrusted` tells a model whose words these are.
    """

    untrusted: str
    code: str
    author: str
    begins: str


@dataclass(slots=True, eq=False)
class Draft:
    """A text and the plan that was shown of it. `posting` is what it became, once it is signed.

    `signer` is who would publish it, as a person knows them, on one line. `answered` is what it
    answers, None for a text that answers nothing.
    """

    id: str
    text: str
    reply_to: str | None
    limit: Limit
    style: Style
    signer: str
    plan: Plan
    made_at: float
    answered: Answered | None = None
    posting: Posting | None = None
    is_at_work: bool = False

    def is_planned_as(self, plan: Plan) -> bool:
        """Whether a plan has the very texts and relays that were shown."""
        return _shown(plan) == _shown(self.plan)


def _shown(plan: Plan) -> tuple[object, ...]:
    texts = [(draft.kind, draft.content) for draft in plan.drafts]
    # The others name the part before them, which is another one with each date.
    first = plan.drafts[0].tags
    return plan.form, texts, first, sorted(plan.relays), plan.courtesy


class Drafts:
    """The drafts of one process. `clock` gives seconds; the oldest gives way to a new one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._kept: dict[str, Draft] = {}

    def keep(self, draft: Draft) -> None:
        """Keep a draft under its id."""
        self._forget()
        while len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[draft.id] = draft

    def draft(self, draft_id: str) -> Draft:
        """Return the draft of that id. Raises `NotFound` for one that is not kept any more."""
        self._forget()
        if (found := self._kept.get(draft_id)) is None:
            raise NotFound(
                "there is no such draft: it is kept for an hour, by the process that made it; "
                "draft it again"
            )
        return found

    def drop(self, draft_id: str) -> None:
        """Keep a draft no longer, if it is kept."""
        self._kept.pop(draft_id, None)

    def _forget(self) -> None:
        oldest = self._clock() - KEPT_FOR
        for draft in [each for each in self._kept.values() if each.made_at < oldest]:
            del self._kept[draft.id]


def question(draft: Draft) -> str:
    """Return what a person is asked before a draft is signed: as whom, where to, and all of it.

    Raises `InvalidInput` for a text that nobody would read to its end before they answer.
    """
    plan = draft.plan
    characters = sum(part.characters for part in plan.parts)
    if characters > _LONGEST_SHOWN:
        raise InvalidInput(
            f"{characters} characters are too many for a person to agree to here: publish them "
            "with `nostr-threads publish`"
        )
    lines = [
        f"Publish this as {draft.signer}?",
        f"{counted(len(plan.parts), 'part')} ({plan.form}), {characters} characters in all, to: "
        f"{', '.join(plan.relays)}",
        *(f"Warning: {one_line(each, _WORDS)}" for each in plan.warnings),
    ]
    if (note := draft.answered) is not None:
        lines.append(f"It answers {note['code']} by {note['author']}, which begins:")
        lines.append(quoted(note["begins"]))
    for part in plan.parts:
        lines.append(f"\nPart {part.index} of {part.total}, {part.characters} characters:")
        lines.append(quoted(printable(part.text)))
    return "\n".join(lines)
