"""What a server needs of one client's state machine, and where tests may reach in.

Knows the shapes only. Knows nothing of sockets or stores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from nostr_threads.core.messages import RelayMessage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from nostr_threads.core.event import Verified
    from nostr_threads.relayd.protocol import ClientConnection

__all__ = ["Conversation", "Frame", "HangUp", "Hooks"]


@dataclass(frozen=True, slots=True)
class HangUp:
    """Instead of a message: the connection is cut here, without a word."""


Frame: TypeAlias = RelayMessage | str | bytes | HangUp
"""What a conversation sends: a message, or raw text or bytes as no honest relay would."""


class Conversation(Protocol):
    """One client's state machine; `ClientConnection` is one."""

    def greet(self) -> Sequence[Frame]:
        """Return what is said first."""
        ...

    def receive(self, data: str | bytes, now: float) -> Iterable[Frame]:
        """Answer one message. Runs in a thread, and so does whatever takes the answer."""
        ...

    def events_accepted(self) -> Sequence[Verified]:
        """Return the events to broadcast now."""
        ...

    def broadcast(self, event: Verified) -> Sequence[Frame]:
        """Return what this client is sent of a new event."""
        ...


@dataclass(frozen=True, slots=True)
class Hooks:
    """Where tests reach in; a relay as it should be has none of them.

    `admit` says why a new connection is refused with 503, or None; `converse` wraps a connection's
    state machine; `pace` is awaited before each message that is sent.
    """

    admit: Callable[[], str | None] | None = None
    converse: Callable[[ClientConnection], Conversation] | None = None
    pace: Callable[[], Awaitable[None]] | None = None
