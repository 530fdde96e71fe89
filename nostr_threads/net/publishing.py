"""Events sent to one relay, each with its OK; among them the one that says who we are (NIP-42).

Knows who waits for which OK, and when to answer the relay's challenge. Knows nothing of questions.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nostr_threads.core.delivery import Status
from nostr_threads.core.wire import prefix_of
from nostr_threads.net.question import MOST_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.event import Verified
    from nostr_threads.core.messages import Ok
    from nostr_threads.core.session import RelaySession
    from nostr_threads.net.connection import Connection
    from nostr_threads.net.options import Authenticate, RelayOptions, Timeouts

__all__ = ["Publisher"]

# Times that we say who we are on one connection: a relay that asks for ever wants our signatures.
_MOST_SIGN_INS = 5


class Publisher:
    """Sends events on a connection. `options` may be replaced at any time."""

    def __init__(
        self,
        url: str,
        session: RelaySession,
        connection: Connection,
        *,
        options: RelayOptions,
        timeouts: Timeouts,
        authenticate: Authenticate | None,
    ) -> None:
        self.options = options
        self._url = url
        self._session = session
        self._connection = connection
        self._timeouts = timeouts
        self._authenticate = authenticate
        self._oks: dict[str, asyncio.Future[Ok | None]] = {}
        self._authenticating = asyncio.Lock()
        self._answered: tuple[str, bool] | None = None
        self._sign_ins = 0

    async def ready(self) -> bool:
        """Wait until there is a connection, or it is known that there is none."""
        is_open = await self._connection.ready()
        if is_open and self.options.auth == "always":
            await self.authenticated()
        return self._connection.is_open

    async def publish(self, event: Verified) -> tuple[Status, str]:
        """Send one event and wait for its OK. Returns what became of it, and the relay's words."""
        reused = self._connection.is_open
        if not await self.ready():
            return Status.UNREACHABLE, self._connection.why_not
        lost = self._connection.lost
        ok = await self._send(event, self._session.publish)
        if ok is None and reused and self._connection.lost != lost and await self.ready():
            ok = await self._send(event, self._session.publish)
        if _asks_who(ok) and await self.authenticated():
            ok = await self._send(event, self._session.publish)
        if ok is None:
            return Status.NO_ANSWER, "no OK came"
        if prefix_of(ok.reason) == "duplicate":
            return Status.DUPLICATE, ok.reason[:MOST_WORDS]
        return (Status.ACCEPTED if ok.accepted else Status.REJECTED), ok.reason[:MOST_WORDS]

    async def authenticated(self) -> bool:
        """Answer the relay's challenge, once for each challenge (NIP-42)."""
        async with self._authenticating:
            challenge = self._session.challenge
            if challenge is None or self.options.auth == "never":
                return False
            if self._answered is None or self._answered[0] != challenge:
                if self._sign_ins >= _MOST_SIGN_INS:
                    return False
                self._sign_ins += 1
                self._answered = challenge, await self._answer_challenge(challenge)
            return self._answered[1]

    def heard(self, ok: Ok) -> None:
        """Hand an OK to whoever waits for it."""
        waiting = self._oks.get(ok.event_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(ok)

    def ended(self) -> None:
        """End the waiting for every OK: the connection has ended."""
        self._answered, self._sign_ins = None, 0
        for waiting in self._oks.values():
            if not waiting.done():
                waiting.set_result(None)

    async def _answer_challenge(self, challenge: str) -> bool:
        if self._authenticate is None:
            return False
        event = await self._authenticate(self._url, challenge)
        if event is None:
            return False
        ok = await self._send(event, self._session.authenticate)
        return ok is not None and ok.accepted

    async def _send(self, event: Verified, send: Callable[[Verified], None]) -> Ok | None:
        """Send, and wait for the OK; None when none came."""
        waiting = self._oks.get(event.id)
        if waiting is None:
            waiting = self._oks[event.id] = asyncio.get_running_loop().create_future()
            send(event)
            self._connection.flush()
        try:
            async with asyncio.timeout(self._timeouts.ok):
                # Shared by all who publish this event now; one that gives up leaves it to the rest.
                return await asyncio.shield(waiting)
        except TimeoutError:
            return None
        finally:
            self._session.forget(event.id)
            self._oks.pop(event.id, None)


def _asks_who(ok: Ok | None) -> bool:
    return ok is not None and not ok.accepted and prefix_of(ok.reason) == "auth-required"
