"""What the tools give as plain values: a plan, what became of an answer, how far sources are.

Knows their keys; adding one is allowed, changing one is not. What a relay said is escaped here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nostr_threads.app.standings import rows_of, sync_object, threads_object
from nostr_threads.render.contracts import part_objects, report_object
from nostr_threads.render.escape import one_line, printable
from nostr_threads.render.wording import code_of, npub

if TYPE_CHECKING:
    from nostr_threads.app.publish import Report
    from nostr_threads.app.writing import Plan
    from nostr_threads.store.sql import SqlStore

__all__ = ["plan_values", "report_values", "standings"]

_WORDS = 200
_END = 200
_MOST_SOURCES = 200


def plan_values(plan: Plan, author: str, *, full: bool) -> dict[str, Any]:
    """Return the parts that a plan has, where they would go, and what the author should know.

    The model has written the text: unless `full`, of a long part only the ends are returned.
    """
    parts = list(part_objects(plan.parts, plan.drafts))
    return {
        "form": plan.form.value,
        "author": npub(author),
        "parts": parts if full else [_shortened(part) for part in parts],
        "relays": [
            {"relay": choice.relay, "why": one_line(choice.words, _WORDS)}
            for choice in plan.choices
        ],
        "warnings": [printable(each) for each in plan.warnings],
        "sent": False,
    }


def _shortened(part: dict[str, Any]) -> dict[str, Any]:
    text = part["text"]
    if len(text) <= 2 * _END:
        return part
    rest = {key: value for key, value in part.items() if key != "text"}
    return rest | {"begins": text[:_END], "ends": text[-_END:]}


def report_values(report: Report) -> dict[str, Any]:
    """Return what became of an answer, its text left out: the model has it."""
    made = report_object(report)
    parts = [
        {"index": index, "total": len(report.posting.events), "code": code_of(event.id)}
        for index, event in enumerate(report.posting.events, 1)
    ]
    deliveries: Any = made["deliveries"]
    return made | {"parts": parts, "deliveries": [_bounded(each) for each in deliveries]}


def standings(store: SqlStore) -> dict[str, Any]:
    """Return how far each source is got from each of its relays, and the threads under authors."""
    every = store.sources.all()
    sources = every[:_MOST_SOURCES]
    rows = [
        sync_object(source, url, sync)
        for source in sources
        for url, sync in rows_of(source, store.sources.syncs(source.name))
    ]
    threads = [
        threads_object(source, store.sources.branches(source.name))
        for source in sources
        if source.replies
    ]
    return {
        "sources": [_bounded(row) for row in rows],
        "threads": [_bounded(row) for row in threads],
        **({"left_out": len(every) - len(sources)} if len(every) > len(sources) else {}),
    }


def _bounded(row: dict[str, Any]) -> dict[str, Any]:
    """Escape what others said in a row of values, and leave out what has no bounds."""
    return {
        key: one_line(value, _WORDS) if isinstance(value, str) else value
        for key, value in row.items()
        if key != "spans"
    }
