"""A thread as one saves it in a file: its signed events, and what was known when it was saved.

Knows the JSON in which they are kept inside a page. Knows nothing of how the page looks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nostr_threads.core.entities import HEX_64
from nostr_threads.core.event import MAX_CREATED_AT, Event, verify
from nostr_threads.core.fetched import Fetched
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidEvent, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nostr_threads.core.event import Verified

__all__ = ["ELEMENT", "Saved"]

ELEMENT = "nostr-threads"
"""The id of the element that holds the JSON."""

_FORM = 1
_HELD = re.compile(rf'<script type="application/json" id="{ELEMENT}">(.*?)</script>', re.DOTALL)
# Inside the strings of JSON, which is all where they occur, these mean the same.
_MARKUP = {ord(mark): f"\\u{ord(mark):04x}" for mark in "<>&"}


@dataclass(frozen=True, slots=True)
class Saved:
    """The thread of the key `root`: `events` by time, and at which relays each id was `seen`.

    `made_at` is in unix seconds, `version` that of the program, `fetched` what the last fetch could
    say. Besides the thread's own, `events` has the profiles and quoted notes that it is shown with.
    All but the events is the word of who saved it.
    """

    root: str
    made_at: int
    version: str
    events: tuple[Verified, ...]
    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fetched: Fetched | None = None

    def to_json(self) -> str:
        """Return it as JSON that can stand inside an element of HTML."""
        fetched = self.fetched
        head = json.dumps(
            {
                "form": _FORM,
                "version": self.version,
                "made_at": self.made_at,
                "root": self.root,
                "seen": {relay: list(ids) for relay, ids in self.seen.items()},
                "fetched": None if fetched is None else [fetched.to_json(), fetched.at],
            }
        )
        events = ",\n".join(event.to_json() for event in self.events)
        return f'{head[:-1]}, "events": [\n{events}\n]}}'.translate(_MARKUP)

    @classmethod
    def from_page(cls, text: str) -> Saved:
        """Read it out of a page, and verify all of its events.

        Raises `InvalidInput` for what is no such page, and `InvalidEvent` for the first event
        whose id or signature is wrong.
        """
        held = _HELD.findall(text)
        if len(held) != 1:
            raise InvalidInput("this is no thread that was saved with `--format html`")
        try:
            found = json.loads(held[0])
            if found["form"] != _FORM:
                raise InvalidInput(f"saved in a form that is not known here: {found['form']!r}")
            events = tuple(_verified(place, each) for place, each in enumerate(found["events"], 1))
            return cls(
                _text(found["root"]),
                _time(found["made_at"]),
                _text(found["version"]),
                events,
                _seen(found["seen"], {event.id for event in events}),
                _report(found["fetched"]),
            )
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            if isinstance(error, InvalidInput):
                raise
            raise InvalidInput(f"the events in this page cannot be read: {error}") from None


def _text(value: Any) -> str:
    # JSON can write half of a surrogate pair, which no page can hold.
    value.encode()
    return str(value)


def _time(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_CREATED_AT:
        raise InvalidInput("the page says that it was saved at no time that there is")
    return value


def _seen(found: Any, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Take where events were seen: relays, and nothing else that could be said in their place."""
    seen = {relay: tuple(map(_text, each)) for relay, each in found.items()}
    for relay, each in seen.items():
        if normalize(relay) != relay or not set(each) <= set(ids):
            raise InvalidInput("the page names a relay that is none, or what is not in it")
    return seen


def _report(found: list[Any] | None) -> Fetched | None:
    if found is None:
        return None
    text, at = found
    report = Fetched.from_json(_text(text), _time(at))
    if report is None or any(normalize(each.url) != each.url for each in report.coverage.relays):
        raise InvalidInput("what the page says of its last fetch is no such report")
    return report


def _verified(place: int, found: object) -> Verified:
    try:
        return verify(Event.from_json(json.dumps(found)))
    except InvalidEvent as error:
        known = f", {key}" if (key := _id_of(found)) else ""
        raise InvalidEvent(f"number {place} of the page{known}: {error.reason}") from None


def _id_of(found: object) -> str:
    """Return the id that an event claims, "" where it has none."""
    key = found.get("id") if isinstance(found, dict) else None
    return key if isinstance(key, str) and HEX_64.fullmatch(key) else ""
