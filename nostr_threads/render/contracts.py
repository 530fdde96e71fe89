"""The JSON that other programs parse: stable keys, plain values.

Knows the contracts of `--json` and `--format jsonl`. Adding a key is allowed, changing one is not.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from nostr_threads.core.compose import event_bytes
from nostr_threads.core.delivery import Status
from nostr_threads.core.tally import Tally
from nostr_threads.render.listing import called
from nostr_threads.render.wording import code_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from enum import StrEnum

    from nostr_threads.core.articles import Article
    from nostr_threads.core.coverage import Coverage, RelayCoverage
    from nostr_threads.core.delivery import Delivery
    from nostr_threads.core.event import Draft, Event, Verified
    from nostr_threads.core.fetched import Fetched
    from nostr_threads.core.join import Part
    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread

__all__ = [
    "arrival_object",
    "delivery_objects",
    "draft_object",
    "event_object",
    "listed_object",
    "part_objects",
    "posted_objects",
    "report_object",
    "thread_object",
]

Json = dict[str, object]

_NONE: Mapping[str, Any] = MappingProxyType({})
_NO_TALLY = Tally()


def event_object(event: Event) -> Json:
    """Return an event as NIP-01 writes it."""
    return {
        "id": event.id,
        "pubkey": event.pubkey,
        "created_at": event.created_at,
        "kind": event.kind,
        "tags": [list(tag) for tag in event.tags],
        "content": event.content,
        "sig": event.sig,
    }


def thread_object(
    thread: Thread,
    coverage: Coverage,
    budget_hit: str | None,
    *,
    names: Mapping[str, str] = _NONE,
    tallies: Mapping[str, Tally] = _NONE,
    fetched: Fetched | None = None,
) -> Json:
    """Return the object of `fetch --json` and `show --json`.

    `names` are by public key, `tallies` by node id; `fetched` is what the last fetch could say.
    """
    root = thread.root
    authors = {node.event.pubkey for node in thread.nodes if node.event is not None}
    return {
        "root_id": root.id if root is not None else None,
        "root": event_object(root.event) if root is not None and root.event is not None else None,
        "found": thread.found,
        "missing": [
            {"id": node.id, "wanted_by": list(node.wanted_by), "hints": list(node.hints)}
            for node in thread.missing
        ],
        "unsure": list(coverage.unsure),
        "nodes": [_node(node, tallies.get(node.id, _NO_TALLY)) for node in thread.nodes],
        "articles": [_article(article) for article in thread.articles()],
        "names": {author: names[author] for author in sorted(authors) if author in names},
        "coverage": {
            "relays": _relays(coverage),
            "estimate": _estimate(coverage),
            "budget_hit": budget_hit,
        },
        "fetched": None if fetched is None else _fetched(fetched),
    }


def arrival_object(root: str, event: Event, *, kept: bool = False) -> Json:
    """Return the object of `new --json` for one event that arrived in the thread of `root`.

    `kept` says that its author wanted it gone, or that it has expired.
    """
    return {"root_id": root, "event": event_object(event), "kept": kept}


def listed_object(key: str, root: Event | None, *, notes: int, unread: int, last_at: int) -> Json:
    """Return the object of `list --json` for the thread of `key`, which `root` begins."""
    return {
        "root_id": key,
        "code": code_of(key) or None,
        "title": called(key, root),
        "author": root.pubkey if root is not None else None,
        "kind": root.kind if root is not None else None,
        "notes": notes,
        "unread": unread,
        "last_at": last_at,
    }


def part_objects(parts: Sequence[Part], drafts: Sequence[Draft]) -> Iterable[Json]:
    """Return the objects of `compose --json`; `bytes` are those of the signed event's JSON."""
    for part, draft in zip(parts, drafts, strict=True):
        yield {
            "index": part.index,
            "total": part.total,
            "text": part.text,
            "characters": part.characters,
            "bytes": event_bytes(draft),
            "break": None if part.ends is None else part.ends.name.lower(),
        }


def draft_object(draft: Draft) -> Json:
    """Return the object of the `--dry-run` of what is no text, such as a reaction."""
    return {
        "kind": draft.kind,
        "created_at": draft.created_at,
        "tags": [list(tag) for tag in draft.tags],
        "content": draft.content,
        "bytes": event_bytes(draft),
    }


class _Sent(Protocol):
    @property
    def events(self) -> Sequence[Verified]: ...
    @property
    def courtesy(self) -> Collection[str]: ...


class Reported(Protocol):
    """What `app.publish.Report` says of an answer; `retry_at` is in unix seconds."""

    @property
    def posting(self) -> _Sent: ...
    @property
    def code(self) -> str: ...
    @property
    def deliveries(self) -> Iterable[Delivery]: ...
    @property
    def accepted(self) -> bool: ...
    @property
    def state(self) -> StrEnum: ...
    @property
    def retry_at(self) -> int | None: ...


def report_object(report: Reported) -> Json:
    """Return the object of `publish --json` and of the outbox's commands."""
    return {
        "code": report.code,
        "parts": list(posted_objects(report.posting.events)),
        "deliveries": list(delivery_objects(report.deliveries)),
        "accepted": report.accepted,
        "courtesy": sorted(report.posting.courtesy),
        "state": report.state.value,
        "next_try": report.retry_at,
    }


def posted_objects(events: Sequence[Verified]) -> Iterable[Json]:
    """Return the `parts` of `publish --json`."""
    for index, event in enumerate(events, 1):
        yield {
            "index": index,
            "total": len(events),
            "id": event.id,
            "characters": len(event.content),
            "bytes": len(event.to_json().encode()),
            "event": event_object(event),
        }


def delivery_objects(deliveries: Iterable[Delivery]) -> Iterable[Json]:
    """Return the `deliveries` of `publish --json`. What was not sent got no answer either."""
    for delivery in deliveries:
        queued = delivery.status is Status.QUEUED
        yield {
            "part": delivery.part,
            "relay": delivery.relay,
            "status": (Status.NO_ANSWER if queued else delivery.status).value,
            "reason": delivery.reason or ("not sent" if queued else ""),
        }


def _node(node: Node, tally: Tally) -> Json:
    event = node.event
    part = node.part
    return {
        "id": node.id,
        "parent": node.parent,
        "depth": node.depth,
        "author": event.pubkey if event is not None else None,
        "created_at": event.created_at if event is not None else None,
        "kind": event.kind if event is not None else None,
        "state": node.state.value,
        "why": node.why,
        "kept": node.kept.value if node.kept is not None else None,
        "part": {"index": part.index, "total": part.total} if part is not None else None,
        "reactions": dict(tally.reactions),
        "reposts": tally.reposts,
        "zaps": tally.zaps,
    }


def _article(article: Article) -> Json:
    return {
        "nodes": [node.id for node in article.nodes],
        "text": article.text,
        "exact": article.is_exact,
        "missing": list(article.missing),
    }


def _fetched(fetched: Fetched) -> Json:
    return {
        "at": fetched.at,
        "relays": [_held(relay) for relay in fetched.coverage.relays],
        "estimate": _estimate(fetched.coverage),
        "budget_hit": fetched.budget_hit,
    }


def _estimate(coverage: Coverage) -> Json | None:
    made = coverage.estimate
    return None if made is None else {"total": made.total, "low": made.low, "high": made.high}


def _relays(coverage: Coverage) -> list[Json]:
    return [
        {
            **_held(relay),
            "counted": relay.counted,
            "why": relay.choice.words if relay.choice is not None else None,
        }
        for relay in coverage.relays
    ]


def _held(relay: RelayCoverage) -> Json:
    return {
        "url": relay.url,
        "finish": relay.finish.value if relay.finish is not None else None,
        "events": relay.events,
        "only_here": relay.only_here,
        "refused": relay.refused,
        "reason": relay.reason,
    }
