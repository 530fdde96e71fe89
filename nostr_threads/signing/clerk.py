"""What is done for a client of our remote signer that is known (NIP-46), and what it is told of it.

Knows requests, policies, and the person who may have to be asked. Knows nothing of events, rates or
strangers.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nostr_threads.core.nip46 import METHODS, read_draft
from nostr_threads.errors import (
    BunkerError,
    CannotDecrypt,
    CannotEncrypt,
    InvalidInput,
    NostrThreadsError,
)
from nostr_threads.signing.envelope import plain
from nostr_threads.signing.policy import Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nostr_threads.core.event import Draft
    from nostr_threads.core.nip46 import Request
    from nostr_threads.signing.book import Client, Keeper
    from nostr_threads.signing.signer import Signer

__all__ = ["Ask", "Clerk", "Result", "named", "refused"]

# Of what a person is shown.
_MOST_CHARACTERS, _MOST_TAGS = 4_000, 50


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person is asked: may this `client` have it done? `text` is all that would be signed.

    `what` is the short form, `why` why nobody but a person can say yes.
    """

    client: Client
    what: str
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What is answered, and what is told about it: nothing without `what`."""

    value: str
    what: str = ""
    outcome: str = "done"
    why: str = ""
    event_id: str = ""
    error: str = ""


class Clerk:
    """Does what known clients ask, with `signer`; see `RemoteSigner` for the rest."""

    def __init__(
        self,
        keeper: Keeper,
        signer: Signer,
        *,
        clock: Callable[[], float],
        ask: Callable[[Ask], Awaitable[bool]],
    ) -> None:
        self._keeper = keeper
        self._signer = signer
        self._clock = clock
        self._ask = ask
        self._asking = asyncio.Lock()

    async def do(self, client: Client, request: Request) -> Result:
        """Do it, unless something is against it. Raises nothing that this package raises."""
        try:
            return await self._do(client, request)
        except NostrThreadsError as error:
            return Result("", named(request.method), "failed", str(error), error=_reason(error))

    async def _do(self, client: Client, request: Request) -> Result:
        match request.method:
            case "ping":
                return Result("pong")
            case "get_public_key":
                return Result(self._signer.public_key)
            case "switch_relays":
                return Result(json.dumps((await self._keeper.read()).relays))
            case "logout":
                await self._keeper.change(lambda book: book.forgetting(client.key))
                return Result("ack", "logout")
            case "sign_event":
                return await self._sign(client, request)
            case "nip44_encrypt" | "nip44_decrypt":
                return await self._encrypt(client, request)
        return refused(named(request.method), "this is not supported")

    async def _sign(self, client: Client, request: Request) -> Result:
        draft = read_draft(request.params[0]) if request.params else None
        if draft is None:
            return refused("sign_event", "this is no draft of an event")
        short = f"sign an event of kind {draft.kind}"
        what = f"{short}: {plain(draft.content)}"
        verdict, why = client.policy.judge_draft(draft, self._now())
        if why := await self._objection(verdict, Ask(client, short, why, _whole(draft))):
            return refused(what, why)
        event = await self._signer.sign(draft)
        return Result(event.to_json(), what, event_id=event.id)

    async def _encrypt(self, client: Client, request: Request) -> Result:
        peer, text = (*request.params, "", "")[:2]
        verb = request.method.removeprefix("nip44_")
        what = f"{verb} a text of {len(text)} characters shared with {plain(peer)}"
        verdict, why = client.policy.judge_encryption()
        shown = _cut(text) if verb == "encrypt" else "(what is in it is known only afterwards)"
        if why := await self._objection(verdict, Ask(client, what, why, shown)):
            return refused(what, why)
        do = self._signer.nip44_encrypt if verb == "encrypt" else self._signer.nip44_decrypt
        return Result(await do(peer, text), what)

    async def _objection(self, verdict: Verdict, asked: Ask) -> str:
        """Return why it is not done, "" where it is; a person may have to be asked."""
        if verdict is not Verdict.ASK:
            return "" if verdict is Verdict.YES else asked.why
        async with self._asking:
            if not await self._ask(asked):
                return asked.why
        # It may have left, or its time may have come to its end, while a person thought about it.
        current = (await self._keeper.read()).clients.get(asked.client.key)
        if current != asked.client:
            return "you are not known here any more"
        return asked.client.policy.admits(0, self._now())

    def _now(self) -> int:
        return int(self._clock())


def refused(what: str, why: str) -> Result:
    """Return what is answered and told when something is not done."""
    return Result("", what, "refused", why, error=why)


def _reason(error: NostrThreadsError) -> str:
    """What a client is told of a failure: nothing of this machine's files."""
    is_of_the_request = isinstance(error, (InvalidInput, CannotEncrypt, CannotDecrypt, BunkerError))
    return plain(str(error)) if is_of_the_request else "it failed here: its owner can see why"


def named(method: str) -> str:
    """A method by its name; what a client invented has none."""
    return method if method in METHODS else "unknown"


def _whole(draft: Draft) -> str:
    """All that would be signed, for a person to read: kind, date, tags and text."""
    tags = [f"tag {json.dumps(tag)}" for tag in draft.tags[:_MOST_TAGS]]
    if (more := len(draft.tags) - _MOST_TAGS) > 0:
        tags.append(f"… and {more} tags more")
    return "\n".join((f"kind {draft.kind}, dated {draft.created_at}", *tags, _cut(draft.content)))


def _cut(text: str) -> str:
    more = len(text) - _MOST_CHARACTERS
    return text if more <= 0 else f"{text[:_MOST_CHARACTERS]}\n… and {more} characters more"
