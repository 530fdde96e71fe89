"""Our own remote signer (NIP-46): answers clients elsewhere, each by its policy.

Knows who is let in, what each may do, and what was done. How messages come and go is its caller's
to know, and where its book is kept. It signs with any `Signer`, and talks with a key of its own, so
that relays do not learn for whom it signs.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nostr_threads.core.nip46 import Metadata, Request, Response, read_draft, read_request
from nostr_threads.errors import NostrThreadsError
from nostr_threads.signing.envelope import open_sealed, plain, seal
from nostr_threads.signing.policy import Policy, Verdict
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.signing.secret import SecretKey
    from nostr_threads.signing.signer import Signer

__all__ = ["Book", "Client", "Deed", "RemoteSigner"]

# Answers that are kept for whoever asks again, and requests at work at once.
_MOST_ANSWERS = 500
_MOST_AT_WORK = 50
# Seconds: what is older was sent before, or again.
_OLDEST = 600
_MINUTE = 60
# Strangers that are told in a minute that they are not known; the others hear nothing.
_MOST_STRANGERS = 30


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody who was let in: its key, what it may do, what it calls itself, since when."""

    key: str
    policy: Policy
    name: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """What a remote signer has to remember: its own key, its clients, and who may still come in.

    `relays` are where clients find it. `invitations` are policies by the secret of a `bunker://`
    link, each good for one client.
    """

    own: SecretKey
    relays: tuple[str, ...] = ()
    clients: Mapping[str, Client] = field(default_factory=dict)
    invitations: Mapping[str, Policy] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was asked, and what became of it: `done`, `refused` or `failed`, and why.

    `what` says it for a person; `event_id` is of what was signed.
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
    """Answers requests. `ask` asks a person about a deed, and is asked one question at a time.

    `keep` is called with the book whenever it has changed, before anybody is told; `told` with
    every deed. `clock` gives unix seconds.
    """

    def __init__(
        self,
        book: Book,
        signer: Signer,
        *,
        clock: Callable[[], float],
        keep: Callable[[Book], Awaitable[None]],
        ask: Callable[[Client, str, str], Awaitable[bool]],
        told: Callable[[Deed], None],
    ) -> None:
        self._book = book
        self._own = KeySigner(book.own)
        self._signer = signer
        self._clock = clock
        self._keep = keep
        self._ask = ask
        self._told = told
        self._asking = asyncio.Lock()
        self._answers: dict[tuple[str, str], asyncio.Future[Response | None]] = {}
        self._recent: dict[str, deque[int]] = {}
        self._strangers: deque[int] = deque()

    @property
    def public_key(self) -> str:
        """The key with which it talks, 64 hex digits: what a `bunker://` link names."""
        return self._own.public_key

    @property
    def book(self) -> Book:
        """What it remembers."""
        return self._book

    async def invite(self, secret: str, policy: Policy) -> None:
        """Let in whoever comes first with `secret`. What nobody used before is void."""
        await self._write(replace(self._book, invitations={secret: policy}))

    async def welcome(self, client: Client, secret: str) -> Verified:
        """Let in the client of a `nostrconnect://` link; return the event that tells it so."""
        await self._write(replace(self._book, clients={**self._book.clients, client.key: client}))
        return await self._sealed(Response("connect", secret), client.key)

    async def answer(self, event: Verified) -> Verified | None:
        """Do what an event asks, and return the event that answers it; None where nothing does."""
        if abs(event.created_at - self._now()) > _OLDEST:
            return None
        text = await open_sealed(event, self._own)
        request = read_request(text) if text is not None else None
        if request is None:
            return None
        response = await self._once(event.pubkey, request)
        return None if response is None else await self._sealed(response, event.pubkey)

    # Each request once

    async def _once(self, key: str, request: Request) -> Response | None:
        """Work on a request once, however often it comes: a person is not asked twice."""
        client = self._book.clients.get(key)
        if client is None:
            # Nothing is remembered of strangers: there may be any number of them.
            return await self._admit(key, request)
        name = (key, request.id)
        if name in self._answers:
            return await asyncio.shield(self._answers[name])
        if len(self._answers) - self._done >= _MOST_AT_WORK:
            return Response(request.id, error="too much at once")
        self._answers[name] = answer = asyncio.get_running_loop().create_future()
        try:
            answer.set_result(await self._work(client, request))
        except BaseException:
            del self._answers[name]
            answer.cancel()
            raise
        self._trim()
        response: Response | None = answer.result()
        return response

    async def _work(self, client: Client, request: Request) -> Response | None:
        if why := client.policy.admits(self._count(client.key), self._now()):
            return self._refused(client, request, request.method, why)
        self._recent[client.key].append(self._now())
        try:
            return await self._do(client, request)
        except NostrThreadsError as error:
            self._tell(client, request, request.method, "failed", str(error))
            return Response(request.id, error=plain(str(error)))

    async def _do(self, client: Client, request: Request) -> Response | None:
        match request.method:
            case "connect":
                # Some clients introduce themselves at each start, with the secret that let them in.
                return Response(request.id, "ack")
            case "ping":
                return Response(request.id, "pong")
            case "get_public_key":
                return Response(request.id, self._signer.public_key)
            case "switch_relays":
                return Response(request.id, json.dumps(self._book.relays))
            case "logout":
                return await self._logout(client, request)
            case "sign_event":
                return await self._sign(client, request)
            case "nip44_encrypt" | "nip44_decrypt":
                return await self._encrypt(client, request)
        return self._refused(client, request, plain(request.method), "this is not supported")

    # Who is let in

    async def _admit(self, key: str, request: Request) -> Response | None:
        """Let in whoever brings the secret of an open invitation, which is then used up."""
        signer, secret, _, metadata = (*request.params, "", "", "", "")[:4]
        if request.method != "connect" or signer != self.public_key:
            return self._unknown(request)
        known = next((each for each in self._book.invitations if _same(each, secret)), None)
        if known is None:
            return self._unknown(request)
        policy = self._book.invitations[known]
        client = Client(key, policy, Metadata.read(metadata).name, self._now())
        left = {each: its for each, its in self._book.invitations.items() if each != known}
        clients = {**self._book.clients, key: client}
        await self._write(replace(self._book, clients=clients, invitations=left))
        self._tell(client, request, "connect", "done")
        return Response(request.id, "ack")

    async def _logout(self, client: Client, request: Request) -> Response:
        await self.forget(client.key)
        self._tell(client, request, "logout", "done")
        return Response(request.id, "ack")

    async def forget(self, key: str) -> None:
        """Let a client do nothing any more, whatever it was allowed."""
        left = {each: client for each, client in self._book.clients.items() if each != key}
        await self._write(replace(self._book, clients=left))

    def _unknown(self, request: Request) -> Response | None:
        """Answer a stranger, and a link that was used: only so many, they cost nothing to make."""
        now = self._now()
        _forget_before(self._strangers, now - _MINUTE)
        if len(self._strangers) >= _MOST_STRANGERS:
            return None
        self._strangers.append(now)
        return Response(request.id, error="you are not known here: connect with a new link")

    # What is done

    async def _sign(self, client: Client, request: Request) -> Response:
        draft = read_draft(request.params[0]) if request.params else None
        if draft is None:
            return self._refused(client, request, "sign_event", "this is no draft of an event")
        what = _described(draft)
        verdict, why = client.policy.judge_draft(draft)
        if not await self._agreed(verdict, client, what, why):
            return self._refused(client, request, what, why)
        event = await self._signer.sign(draft)
        self._tell(client, request, what, "done", event_id=event.id)
        return Response(request.id, event.to_json())

    async def _encrypt(self, client: Client, request: Request) -> Response:
        peer, text = (*request.params, "", "")[:2]
        verb = request.method.removeprefix("nip44_")
        what = f"{verb} a text of {len(text)} characters shared with {plain(peer)}"
        verdict, why = client.policy.judge_encryption()
        if not await self._agreed(verdict, client, what, why):
            return self._refused(client, request, what, why)
        do = self._signer.nip44_encrypt if verb == "encrypt" else self._signer.nip44_decrypt
        result = await do(peer, text)
        self._tell(client, request, what, "done")
        return Response(request.id, result)

    async def _agreed(self, verdict: Verdict, client: Client, what: str, why: str) -> bool:
        if verdict is not Verdict.ASK:
            return verdict is Verdict.YES
        async with self._asking:
            return await self._ask(client, what, why)

    def _refused(self, client: Client, request: Request, what: str, why: str) -> Response:
        self._tell(client, request, what, "refused", why)
        return Response(request.id, error=why or "no")

    # What is remembered

    async def _write(self, book: Book) -> None:
        await self._keep(book)
        self._book = book

    @property
    def _done(self) -> int:
        return sum(answer.done() for answer in self._answers.values())

    def _trim(self) -> None:
        """Forget the oldest answers."""
        done = [name for name, answer in self._answers.items() if answer.done()]
        for name in done[: max(0, len(done) - _MOST_ANSWERS)]:
            del self._answers[name]

    def _count(self, key: str) -> int:
        recent = self._recent.setdefault(key, deque())
        _forget_before(recent, self._now() - _MINUTE)
        return len(recent)

    def _tell(
        self,
        client: Client,
        request: Request,
        what: str,
        outcome: str,
        why: str = "",
        *,
        event_id: str = "",
    ) -> None:
        deed = Deed(
            self._now(), client.key, client.name, request.method, what, outcome, why, event_id
        )
        self._told(deed)

    async def _sealed(self, response: Response, client: str) -> Verified:
        return await seal(response.to_json(), self._own, client, self._now())

    def _now(self) -> int:
        return int(self._clock())


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def _forget_before(times: deque[int], moment: int) -> None:
    while times and times[0] <= moment:
        times.popleft()


def _described(draft: Draft) -> str:
    """Say what is to be signed, for a person: a client's words, in one line."""
    return f"sign an event of kind {draft.kind}: {plain(draft.content)}"
