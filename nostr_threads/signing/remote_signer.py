"""Our own remote signer (NIP-46): answers clients elsewhere, each by its policy.

Knows who is let in, what each may do, and what was done. How messages come and go, and where its
book is kept, is its caller's to know. It signs with any `Signer`, and talks with a key of its own,
so that relays do not learn for whom it signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.nip46 import Metadata, Request, Response, read_request
from nostr_threads.signing.book import Client
from nostr_threads.signing.clerk import Ask, Clerk, Result, named, refused
from nostr_threads.signing.envelope import open_sealed, plain, seal
from nostr_threads.signing.lane import Lane

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.core.bunker_links import ClientLink
    from nostr_threads.core.event import Verified
    from nostr_threads.signing.book import Book, Keeper
    from nostr_threads.signing.policy import Policy
    from nostr_threads.signing.signer import Signer

__all__ = ["Ask", "Deed", "RemoteSigner"]

# Seconds. What is older was sent before, or again; what was sent before we began, not to us.
_OLDEST = 600
_BEFORE = 60
# Events of one client, and of all strangers, at work at once.
_MOST_OF_ONE, _MOST_OF_STRANGERS = 10, 4
_MOST_CLIENTS = 1_000
# Strangers that are told in a minute that they are not known; the others hear nothing.
_MOST_STRANGERS = 30
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was asked, and what became of it: `done`, `refused` or `failed`, and why.

    `what` says it for a person; `event_id` is of what was signed. A client's words are in it, in
    one line and cut.
    """

    at: int
    client: str
    name: str
    method: str
    what: str
    outcome: str
    why: str = ""
    event_id: str = ""


class RemoteSigner:
    """Answers requests. `ask` asks a person, one question at a time; `told` is told every deed.

    A signature is given once `told` has taken it down. `clock` gives unix seconds.
    """

    def __init__(
        self,
        keeper: Keeper,
        own: Signer,
        signer: Signer,
        *,
        clock: Callable[[], float],
        ask: Callable[[Ask], Awaitable[bool]],
        told: Callable[[Deed], None],
    ) -> None:
        self._keeper = keeper
        self._own = own
        self._clerk = Clerk(keeper, signer, clock=clock, ask=ask)
        self._clock = clock
        self._told = told
        self._lanes: dict[str, Lane] = {}
        self._strangers = Lane(_MOST_OF_STRANGERS)
        self._began = self._now()

    @property
    def public_key(self) -> str:
        """The key with which it talks, 64 hex digits: what a `bunker://` link names."""
        return self._own.public_key

    async def welcome(self, link: ClientLink, policy: Policy) -> Verified:
        """Let in the client of a `nostrconnect://` link; return the event that tells it so."""
        client = Client(link.client, policy, _called(link.metadata), self._now(), link.relays)
        await self._keeper.change(lambda book: book.letting_in(client))
        self._tell(client, "connect", Result("", "connect by its own link"))
        return await self._sealed(Response("connect", link.secret), client.key)

    async def answer(self, event: Verified) -> Verified | None:
        """Do what an event asks, and return the event that answers it; None where nothing does.

        Raises `SigningError` where the book cannot be read or kept, and what `told` raises.
        """
        now = self._now()
        if not max(now - _OLDEST, self._began - _BEFORE) <= event.created_at <= now + _OLDEST:
            return None
        client = (await self._keeper.read()).clients.get(event.pubkey)
        lane = self._strangers if client is None else self._lane(client)
        if not lane.enter(event.id):
            return None
        try:
            response = await self._respond(event, client, lane)
        finally:
            lane.leave()
        return None if response is None else await self._sealed(response, event.pubkey)

    def _lane(self, client: Client) -> Lane:
        if client.key not in self._lanes:
            if len(self._lanes) >= _MOST_CLIENTS:
                del self._lanes[next(iter(self._lanes))]
            self._lanes[client.key] = Lane(_MOST_OF_ONE)
        return self._lanes[client.key]

    async def _respond(self, event: Verified, client: Client | None, lane: Lane) -> Response | None:
        text = await open_sealed(event, self._own)
        request = read_request(text) if text is not None else None
        if request is None:
            return None
        if request.method == "connect":
            return await self._connect(event.pubkey, client, request, lane)
        if client is None:
            return self._unknown(event.pubkey, request, lane)
        if lane.has_asked(request.id):
            return lane.answer(request.id)
        if lane.is_repeated(event.id):
            # Its answer is kept no more: it is not done again.
            return None
        if why := client.policy.admits(lane.count(self._now()), self._now()):
            return self._too_much(client, request, why, lane)
        lane.mark(self._now())
        return await self._once(client, request, lane)

    async def _once(self, client: Client, request: Request, lane: Lane) -> Response | None:
        """Work on a request once, however often it comes: a person is not asked twice."""
        lane.begin(request.id)
        response: Response | None = None
        try:
            result = await self._clerk.do(client, request)
            self._tell(client, request.method, result)
            response = Response(request.id, result.value, result.error)
        finally:
            lane.keep(request.id, response)
        return response

    # Who is let in

    async def _connect(
        self, key: str, client: Client | None, request: Request, lane: Lane
    ) -> Response | None:
        """Let in whoever brings the secret of an open invitation, which is then used up."""
        if client is not None:
            if lane.count(self._now()) >= client.policy.per_minute:
                return None
            lane.mark(self._now())
        signer, secret, _, metadata = (*request.params, "", "", "", "")[:4]
        if signer != self.public_key:
            return self._unknown(key, request, lane)
        name = _called(Metadata.read(metadata))
        new: Client | None = None

        def let_in(book: Book) -> Book:
            nonlocal new
            if (policy := book.invited(secret)) is None:
                return book
            new = Client(key, policy, name, self._now())
            return book.letting_in(new, secret)

        if secret and (await self._keeper.read()).invited(secret) is not None:
            await self._keeper.change(let_in)
        if new is None and client is None:
            return self._unknown(key, request, lane)
        if new is not None:
            self._tell(new, request.method, Result("ack", "connect"))
        # Some clients introduce themselves at each start, with the secret that let them in.
        return Response(request.id, "ack")

    def _unknown(self, key: str, request: Request, lane: Lane) -> Response | None:
        """Tell a stranger, and who brings a link that was used; not each of a crowd of them."""
        if lane.count(self._now()) >= _MOST_STRANGERS:
            return None
        lane.mark(self._now())
        result = refused(named(request.method), "not known here")
        self._told(self._deed(key, "", request.method, result))
        return Response(request.id, error="you are not known here: connect with a new link")

    def _too_much(self, client: Client, request: Request, why: str, lane: Lane) -> Response | None:
        """Say now and then that it is too much: it costs a client nothing to ask for more."""
        if not lane.may_tell(self._now()):
            return None
        self._tell(client, request.method, refused(named(request.method), why))
        return Response(request.id, error=why)

    def _tell(self, client: Client, method: str, result: Result) -> None:
        if result.what:
            self._told(self._deed(client.key, client.name, method, result))

    def _deed(self, key: str, name: str, method: str, result: Result) -> Deed:
        done = (result.what, result.outcome, plain(result.why, nothing=""), result.event_id)
        return Deed(self._now(), key, name, named(method), *done)

    async def _sealed(self, response: Response, client: str) -> Verified:
        return await seal(response.to_json(), self._own, client, self._now())

    def _now(self) -> int:
        return int(self._clock())


def _called(metadata: Metadata) -> str:
    """What a client calls itself, fit to be shown."""
    return plain(metadata.name, most=_LONGEST_NAME, nothing="")
