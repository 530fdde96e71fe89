"""A thread as one file of HTML that needs nothing else: what it shows, and what was signed.

Knows what goes into it. The page is made of the events in it alone, so that whoever has both can
compare them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from nostr_threads.render.escape import one_line
from nostr_threads.render.html.entries import Entries, time_of
from nostr_threads.render.html.links import InFile
from nostr_threads.render.html.plot import Plot, plot
from nostr_threads.render.html.templates import fill
from nostr_threads.render.outline import outline
from nostr_threads.render.setting import Setting
from nostr_threads.render.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.core.coverage import Coverage, RelayCoverage
    from nostr_threads.core.estimate import Estimate
    from nostr_threads.core.event import Event
    from nostr_threads.core.fetched import Fetched
    from nostr_threads.core.saved import Saved
    from nostr_threads.core.thread import Thread
    from nostr_threads.render.html.entries import Time

__all__ = ["Fetch", "Share", "last_fetch", "render_file", "shares", "summary_of"]

_REASON = 200


@dataclass(frozen=True, slots=True)
class Share:
    """What one relay had of a thread, and of which time; `plot` is None where all is of one."""

    url: str
    answer: str
    events: int
    only_here: int
    plot: Plot | None


def render_file(saved: Saved, thread: Thread, setting: Setting, coverage: Coverage) -> str:
    """Return the page of `thread`, which was made of `saved` alone, with all of `saved` in it.

    `setting` says the names, counts and quotes that came of it; times are absolute, nothing is
    folded.
    """
    whole = Setting(setting.names, setting.tallies, setting.quoted)
    entries = Entries(thread, whole, InFile({node.id for node in thread.nodes}))
    return fill(
        "export.html",
        title=entries.title(),
        summary=summary_of(thread),
        made_at=time_of(saved.made_at, None),
        entries=[entries.entry(block) for block in outline(thread)],
        plot=plot([event.created_at for event in thread.events]),
        fetched=last_fetch(saved.fetched, None),
        coverage=shares(coverage, saved.fetched, _dates(saved), thread.events),
        # It has no "<" in it.
        data=Markup(saved.to_json()),  # noqa: S704
    )


def summary_of(thread: Thread) -> str:
    """Return how many notes there are, by how many people, and how many are missing."""
    people = {event.pubkey for event in thread.events}
    words = f"{counted(thread.found, 'note')} by {counted(len(people), 'person', 'people')}"
    missing = len(thread.missing)
    return f"{words}, {missing} missing" if missing else f"{words}, none known to be missing"


@dataclass(frozen=True, slots=True)
class Fetch:
    """The last fetch of a thread: when it was, and how many of its relays answered wholly."""

    at: Time
    whole: int
    relays: int
    budget_hit: str | None
    estimate: Estimate | None


def last_fetch(fetched: Fetched | None, now: int | None) -> Fetch | None:
    """Return what is said of the last fetch, None where there was none."""
    if fetched is None:
        return None
    relays = len(fetched.coverage.relays)
    whole = relays - len(fetched.coverage.unsure)
    at = time_of(fetched.at, now)
    hit = one_line(fetched.budget_hit, _REASON) if fetched.budget_hit else None
    return Fetch(at, whole, relays, hit, fetched.coverage.estimate)


def shares(
    coverage: Coverage,
    fetched: Fetched | None,
    dates: Mapping[str, Sequence[int]],
    events: Sequence[Event],
) -> Sequence[Share]:
    """Return the rows of a table of relays, those with most of it first.

    How each answered comes from `coverage`, or else from what was `fetched` last, which may have
    asked relays that have nothing. `dates` are when what a relay had of the thread's `events` was
    written, by its URL.
    """
    whole = [event.created_at for event in events]
    then = fetched.coverage.relays if fetched is not None else ()
    asked = {relay.url: relay for relay in then}
    silent = (relay for url, relay in asked.items() if url not in {r.url for r in coverage.relays})
    rows = [
        _share(relay, asked.get(relay.url), plot(dates.get(relay.url, ()), whole))
        for relay in coverage.relays
    ]
    rows += [_share(replace(relay, events=0, only_here=0), relay, None) for relay in silent]
    return sorted(rows, key=lambda row: (-row.events, row.url))


def _dates(saved: Saved) -> dict[str, list[int]]:
    written = {event.id: event.created_at for event in saved.events}
    return {
        relay: [written[event_id] for event_id in ids if event_id in written]
        for relay, ids in saved.seen.items()
    }


def _share(relay: RelayCoverage, asked: RelayCoverage | None, shown: Plot | None) -> Share:
    finish = relay.finish or (asked.finish if asked is not None else None)
    reason = one_line(asked.reason, _REASON) if asked is not None else ""
    answer = finish.value if finish is not None else "seen before"
    return Share(
        one_line(relay.url, _REASON),
        f"{answer}: {reason}" if reason else answer,
        relay.events,
        relay.only_here,
        shown,
    )
