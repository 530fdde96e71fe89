"""A program killed in the middle of what it says to relays, and what is needed to go on.

Knows relays that count the steps of a conversation. Knows nothing of what is said.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from nostr_threads.core.messages import Ok
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import Faults, FaultyRelay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.relayd.conversation import Conversation, Frame
    from nostr_threads.relayd.protocol import ClientConnection
    from nostr_threads.store.base import Posting, Store
    from tests.cli.program import Home

__all__ = ["KillingRelay", "Steps", "lapse", "postings"]


class Steps:
    """Counts what relays hear and what they have done about it; at step `last` (from 1) it kills.

    `victim` is the process id, None for nobody.
    """

    def __init__(self, last: int | None = None) -> None:
        self.count = 0
        self.victim: int | None = None
        self._last = last
        # Relays ask from several threads.
        self._lock = Lock()

    def take(self) -> None:
        """Count one more step."""
        with self._lock:
            self.count += 1
            if self.count == self._last and self.victim is not None:
                with suppress(ProcessLookupError):
                    os.kill(self.victim, signal.SIGKILL)


class KillingRelay(FaultyRelay):
    """A relay that counts each message as it comes and again once it is dealt with.

    `accepted` are the ids that it said OK to, in that order; with `cuts_first` its first connection
    ends with its first answer.
    """

    def __init__(
        self, store: Store, steps: Steps, faults: Faults, *, cuts_first: bool = False
    ) -> None:
        super().__init__(store, Faults(drop_connection_after=1) if cuts_first else faults)
        self.steps = steps
        self.accepted: list[str] = []
        self._later = faults

    def _converse(self, connection: ClientConnection) -> Conversation:  # type: ignore[override]
        if self.accepted_connections:
            self.faults = self._later
        return _Counted(super()._converse(connection), self)


class _Counted:
    """A `Conversation` with its steps counted."""

    def __init__(self, inner: Conversation, relay: KillingRelay) -> None:
        self._inner = inner
        self._relay = relay

    def greet(self) -> Sequence[Frame]:
        return self._inner.greet()

    def receive(self, data: str | bytes, now: float) -> Sequence[Frame]:
        self._relay.steps.take()
        answers = [*self._inner.receive(data, now)]
        self._relay.accepted += [
            each.event_id for each in answers if isinstance(each, Ok) and each.accepted
        ]
        self._relay.steps.take()
        return answers

    def events_accepted(self) -> Sequence[Verified]:
        return self._inner.events_accepted()

    def broadcast(self, event: Verified) -> Sequence[Frame]:
        return self._inner.broadcast(event)


def postings(home: Home) -> list[Posting]:
    """What is in somebody's outbox."""
    path = home.folder / "threads.db"
    if not path.exists():
        return []
    with SqliteStore(path) as store:
        return store.postings()


def lapse(home: Home) -> None:
    """Let the time pass for which a sender that died keeps others from sending."""
    later = int(time.time()) + 3_600
    with SqliteStore(home.folder / "threads.db") as store:
        for posting in store.postings():
            assert store.lease(posting.id, "a later one", now=later, until=later)
            store.release(posting.id, "a later one")
