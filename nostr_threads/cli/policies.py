"""What becomes of what was deleted or has expired: the policy set, and told of.

Knows the words. How it is obeyed is the store's to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from nostr_threads.cli.console import say
from nostr_threads.cli.reports import counted
from nostr_threads.store.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nostr_threads.core.event import Event
    from nostr_threads.store.sql import SqlStore

__all__ = ["DeletedPolicy", "adopt", "kept_among", "tell_kept", "told"]

DeletedPolicy: TypeAlias = Annotated[
    Policy | None,
    typer.Option(
        "--deleted",
        help="What was deleted or has expired is, from now on: kept and shown, hidden, or removed "
        "[as before; hide at first].",
    ),
]

_WORDS = {
    Policy.KEEP: "kept, and shown as what it is",
    Policy.HIDE: "hidden",
    Policy.PURGE: "removed for good at the end of a run",
}


def told(policy: Policy) -> str:
    """Return what a policy is, in words."""
    return f"what was deleted or has expired is {_WORDS[policy]} (--deleted {policy.value})"


def adopt(store: SqlStore, wanted: Policy | None) -> None:
    """Make `wanted` the policy of the store, if any is, and say so where it was another."""
    if wanted is not None and store.adopt(wanted):
        say(f"from now on {told(wanted)}")


def kept_among(store: SqlStore, events: Iterable[Event], now: int) -> frozenset[str]:
    """Return the ids of those of `events` that are shown only because the store keeps them."""
    from nostr_threads.core.filters import Filter

    ids = frozenset(event.id for event in events)
    if not ids or store.policy() is not Policy.KEEP:
        return frozenset()
    standing = store.items([Filter(ids=tuple(ids))], now=now, strict=True)
    return ids - {event_id.hex() for _, event_id in standing}


def tell_kept(number: int) -> None:
    """Say how many of the notes that were shown their authors wanted gone."""
    if number:
        say(f"{counted(number, 'note')} deleted or expired, and kept here")
