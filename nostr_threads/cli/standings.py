"""Sources and how far each is got, as people read it.

Knows words and cells. What a relay said is escaped here. What programs parse is `app.standings`'.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nostr_threads.cli.console import emit_json, say
from nostr_threads.cli.reports import counted
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.app.mirror import Progress
    from nostr_threads.app.pushing import Pushed
    from nostr_threads.core.sources import Source
    from nostr_threads.store.sources import Sync

__all__ = [
    "cells",
    "described",
    "short",
    "show_pushed",
    "source_object",
    "tell_progress",
    "tell_reasons",
    "tell_threads",
    "was_reached",
]

_LONGEST, _LONGEST_CODE = 60, 40
_REASON = 200


def tell_progress(told: Progress, as_json: bool) -> None:
    """Say what came, or how it ended."""
    if as_json:
        from nostr_threads.app.standings import ending

        ended = {} if told.sync is None else ending(told.sync)
        emit_json({"source": told.source.name, "relay": told.relay, "new": told.fresh} | ended)
    elif told.sync is not None or told.fresh:
        how = "" if told.sync is None else f", {_words(told.sync)}"
        place = f"from {told.relay}" if told.relay else "with the threads under its notes"
        say(f"{short(told.source.name)} {place}: {told.fresh} new{how}")


def _words(sync: Sync) -> str:
    finish = "begun" if sync.finish is None else sync.finish.value
    return f"{finish} ({one_line(sync.reason, _REASON)})" if sync.reason else finish


def described(source: Source) -> str:
    """Say what is kept, how deep, and where from."""
    more = [
        " with the threads under each note" if source.replies else "",
        f" down to {counted(source.depth, 'generation')}" if source.depth is not None else "",
        f" from {', '.join(source.relays)}" if source.relays else "",
    ]
    return one_line(source.name, 1_000) + "".join(more)


def short(name: str) -> str:
    """Return a name that fits into a sentence: of a code its two ends."""
    kind, _, value = one_line(name, 10_000).partition(" ")
    if len(value) > _LONGEST_CODE and " " not in value:
        value = f"{value[:12]}…{value[-8:]}"
    return one_line(f"{kind} {value}", _LONGEST)


def tell_threads(threads: Mapping[str, Any], *, as_json: bool) -> None:
    """Say what `threads_object` says."""
    if as_json:
        emit_json(threads)
        return
    name, count = short(threads["source"]), counted(threads["threads"], "thread")
    say(f"{name}: {count} under its notes, {threads['whole']} whole")


def source_object(source: Source) -> dict[str, Any]:
    """Return a source for `mirror list --json`."""
    return {
        "source": source.name,
        "kind": source.kind.value,
        "value": source.value,
        "relays": source.relays,
        "replies": source.replies,
        "depth": source.depth,
    }


def cells(source: Source, sync: Sync | None) -> tuple[object, ...]:
    """Return what stands in the table of `mirror status`: what was got, how many, state, asked."""
    from nostr_threads.app.standings import is_complete

    if sync is None:
        return ("", "", "never asked", "")
    asked = _date(sync.ended_at) if sync.ended_at else ""
    state = "complete" if is_complete(source, sync) else _state(sync)
    return (_got(source, sync), sync.events, state, asked)


def _got(source: Source, sync: Sync) -> str:
    spans = sync.spans.spans
    if not spans:
        return ""
    first = "" if spans[0].first <= source.first else f"from {_date(spans[0].first)} "
    gaps = f", but for {counted(len(spans) - 1, 'gap')}" if len(spans) > 1 else ""
    return f"{first}to {_date(spans[-1].last)}{gaps}"


def _state(sync: Sync) -> str:
    if sync.finish is None:
        return "running, or cut off"
    return "not all" if sync.finish.value == "complete" else sync.finish.value


def tell_reasons(source: Source, syncs: Mapping[str, Sync]) -> None:
    """Say why relays did not give everything."""
    for url, sync in syncs.items():
        if sync.reason:
            say(f"{short(source.name)} from {url}: {one_line(sync.reason, _REASON)}")


def show_pushed(pushed: Pushed, *, as_json: bool) -> None:
    """Say what became of a push."""
    if as_json:
        emit_json(asdict(pushed) | {"complete": pushed.whole})
        return
    there = f", {pushed.there} were there" if pushed.there else ""
    say(f"{pushed.offered} to bring{there}, {pushed.taken} brought and read back")
    for reasons, what in ((pushed.withheld, "not sent"), (pushed.refused, "refused")):
        for why, count in reasons.most_common():
            say(f"{count} {what}: {one_line(why, _REASON)}")
    if pushed.stopped:
        say(f"stopped: {one_line(pushed.stopped, _REASON)}")


def was_reached(sync: Sync) -> bool:
    """Whether the relay was reached at all."""
    from nostr_threads.core.coverage import Finish

    return sync.finish is not Finish.UNREACHABLE


def _date(moment: int) -> str:
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")
    return str(moment)
