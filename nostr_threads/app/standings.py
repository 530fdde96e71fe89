"""How far sources are got from their relays, as the plain values that programs parse.

Knows the JSON of `mirror run` and `status`. Adding a key is allowed, changing one is not.
Knows nothing of how they are shown to people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.core.coverage import Finish
from nostr_threads.core.windows import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nostr_threads.core.sources import Source
    from nostr_threads.store.sources import Branch, Sync

__all__ = ["ending", "is_complete", "rows_of", "sync_object", "threads_object"]


def rows_of(source: Source, syncs: Mapping[str, Sync]) -> list[tuple[str, Sync | None]]:
    """Return how far a source is got from each of its relays, by URL; None for not at all.

    Relays that it was got from before count no more where others were named since.
    """
    return [(url, syncs.get(url)) for url in source.relays or tuple(syncs)]


def sync_object(source: Source, url: str, sync: Sync | None) -> dict[str, Any]:
    """Return how far a source is got from a relay, for `mirror status --json`."""
    spans = [] if sync is None else [[span.first, span.last] for span in sync.spans.spans]
    return {
        "source": source.name,
        "relay": url,
        "from": spans[0][0] if spans else None,
        "until": spans[-1][1] if spans else None,
        "spans": spans,
        "complete": sync is not None and is_complete(source, sync),
        "events": 0 if sync is None else sync.events,
        "method": None if sync is None else sync.method.value,
        **({"finish": None, "reason": ""} if sync is None else ending(sync)),
        "asked_at": None if sync is None else sync.ended_at or None,
    }


def threads_object(source: Source, branches: Mapping[str, Branch]) -> dict[str, Any]:
    """Return what was fetched of the threads under an author's notes, for `--json`."""
    whole = sum(branch.whole for branch in branches.values())
    return {
        "source": source.name,
        "threads": len(branches),
        "whole": whole,
        "complete": bool(branches) and whole == len(branches),
    }


def is_complete(source: Source, sync: Sync) -> bool:
    """Whether everything up to when it was asked last was got; of a thread, how it ended."""
    if sync.finish is not Finish.COMPLETE:
        return False
    if source.filter is None:
        return True
    until = min(sync.ended_at, source.filter.until or sync.ended_at)
    return until < source.first or sync.spans.covers(Span(source.first, until))


def ending(sync: Sync) -> dict[str, Any]:
    """Return how it ended when it was asked last."""
    return {"finish": sync.finish and sync.finish.value, "reason": sync.reason}
