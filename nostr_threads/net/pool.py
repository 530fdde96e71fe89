"""Many relays at once: each is opened when first needed, and every answer says whose it is.

Knows the relays that are in use. Knows nothing of which ones to choose.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from nostr_threads.net.relay import Relay, RelayOptions, Timeouts
from nostr_threads.net.transport import open_public_websocket, open_websocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, MutableMapping

    from nostr_threads.core.coverage import Answer
    from nostr_threads.core.event import Verified
    from nostr_threads.core.filters import Filter
    from nostr_threads.net.relay import Authenticate, LimitsOf
    from nostr_threads.net.transport import Connect, Transport

__all__ = ["Pool"]


class Pool:
    """An async context manager that owns the relays' tasks; leaving it closes every connection.

    `options` gives the options of a relay by its normalised URL; `limits` finds out what a relay
    takes, and is asked once for each, when it is first used.
    """

    def __init__(
        self,
        *,
        options: Callable[[str], RelayOptions] | None = None,
        timeouts: Timeouts | None = None,
        authenticate: Authenticate | None = None,
        limits: LimitsOf | None = None,
        connect: Connect = open_websocket,
        connect_public: Connect = open_public_websocket,
    ) -> None:
        self._options = options
        self._timeouts = timeouts
        self._authenticate = authenticate
        self._limits = limits
        self._connect = connect
        self._connect_public = connect_public
        self._clock_skews: dict[str, float] = {}
        self._relays: dict[str, Relay] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._group = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        # What went wrong in the body is the caller's, as it is: not one of a group.
        await self._group.__aexit__(None, None, None)

    def relay(self, url: str) -> Relay:
        """Return the relay of a normalised URL, always the same one."""
        if url not in self._relays:
            self._relays[url] = Relay(
                url,
                timeouts=self._timeouts,
                authenticate=self._authenticate,
                limits_of=self._limits,
                connect=self._dial,
            )
            self._tasks.append(self._group.create_task(self._relays[url].run()))
        relay = self._relays[url]
        if self._options is not None:
            # What is known of a relay may have changed: a stranger's hint may be named by hand.
            relay.options = self._options(url)
        return relay

    def clock_skews(self) -> Mapping[str, float]:
        """Return how many seconds each relay's clock, by URL, is ahead of ours, where it said so.

        It is learned from each handshake, to within two seconds and as hostile as all that comes:
        see `core.clocks`.
        """
        return dict(self._clock_skews)

    async def _dial(self, url: str, seconds: float, proxy: str) -> Transport:
        is_strange = self._relays[url].options.public_only
        connect = self._connect_public if is_strange else self._connect
        transport = await connect(url, seconds, proxy)
        if transport.clock_skew is not None:
            self._clock_skews[url] = transport.clock_skew
        return transport

    async def fetch(
        self,
        questions: Iterable[tuple[str, Filter]],
        *,
        seconds: float | None = None,
        known: MutableMapping[str, Verified] | None = None,
    ) -> list[Answer]:
        """Ask each relay (by URL) its question, all at once. One answer each, in the same order.

        An event that several of them have is verified once; see `Relay.fetch` for `known`.
        """
        shared = {} if known is None else known
        return await asyncio.gather(
            *(
                self.relay(url).fetch(question, seconds=seconds, known=shared)
                for url, question in questions
            )
        )
