"""How to treat a relay: what its user decides, and how long to wait for it.

Knows the choices. Knows nothing of what follows from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.core.event import Verified
    from nostr_threads.core.limits import Limits

__all__ = ["Authenticate", "LimitsOf", "RelayOptions", "Timeouts"]

Authenticate: TypeAlias = "Callable[[str, str], Awaitable[Verified | None]]"
"""Given the relay's URL and its challenge, sign a kind 22242, or None to stay unknown."""

LimitsOf: TypeAlias = "Callable[[str], Awaitable[Limits]]"
"""Given the relay's URL, find out what it takes; one that fails is one that does not say."""


@dataclass(frozen=True, slots=True)
class RelayOptions:
    """How to treat one relay: the `proxy` (a URL, "" for the environment's), and when to
    authenticate (NIP-42): when it refuses otherwise ("ask"), as soon as it asks, or never. A name
    that only strangers know is `public_only`: it must not lead into this machine's own network.
    """

    proxy: str = ""
    auth: Literal["ask", "always", "never"] = "ask"
    public_only: bool = False


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines in seconds: `idle` for a silence within an answer, `answer` for all of it."""

    connect: float = 10.0
    idle: float = 10.0
    answer: float = 60.0
    ok: float = 10.0
