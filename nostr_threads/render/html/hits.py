"""What a search has found: of each note who wrote it, when, and where in it the words stand.

Knows what is shown of a hit. Where the words stand is found in `snippets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from nostr_threads.core.thread import Thread
from nostr_threads.render.escape import printable
from nostr_threads.render.html.entries import Entries, Person, Time, time_of
from nostr_threads.render.snippets import snippet
from nostr_threads.render.wording import title_of, warning_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.core.search_terms import Term
    from nostr_threads.render.html.links import Links
    from nostr_threads.render.setting import Setting

__all__ = ["Hit", "hits"]

_MOST = 300
_MARKED = Markup("<mark>{}</mark>")


@dataclass(frozen=True, slots=True)
class Hit:
    """One note that was found."""

    href: str
    person: Person
    time: Time
    title: str
    html: Markup
    cut_before: bool
    cut_after: bool


def hits(
    events: Iterable[Verified], terms: Sequence[Term], setting: Setting, links: Links
) -> list[Hit]:
    """Return what is shown of each note, in the order given; of one with a warning only that."""
    entries = Entries(Thread(()), setting, links)
    return [_hit(event, terms, entries, setting, links) for event in events]


def _hit(
    event: Verified, terms: Sequence[Term], entries: Entries, setting: Setting, links: Links
) -> Hit:
    warning = warning_of(event)
    found = snippet(warning or event.content, terms, _MOST)
    pieces = ((printable(piece.text), piece.is_hit) for piece in found.pieces)
    html = Markup().join(_MARKED.format(text) if is_hit else text for text, is_hit in pieces)
    return Hit(
        links.note(event.id),
        entries.person(event.pubkey),
        time_of(event.created_at, setting.now),
        "" if warning else title_of(event),
        html,
        found.cut_before,
        found.cut_after,
    )
