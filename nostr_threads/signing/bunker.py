"""A signer elsewhere, asked over relays: the client's end of NIP-46.

Knows what is asked, how long to wait for a person to say yes, and which answers count. How messages
reach the other end is the `Wire`'s to know. The secret here is the client's own: it can ask, within
what the signer allows it, and cannot sign.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING

from nostr_threads.core import schnorr
from nostr_threads.core.event import Event
from nostr_threads.core.nip46 import (
    Metadata,
    Permission,
    Request,
    Response,
    draft_json,
    permissions_text,
    read_response,
)
from nostr_threads.core.relay_url import is_local, normalize
from nostr_threads.errors import (
    BunkerError,
    CannotDecrypt,
    CannotEncrypt,
    InvalidCode,
    InvalidEvent,
    InvalidRelayUrl,
    NoSigner,
    SigningError,
)
from nostr_threads.signing.envelope import open_sealed, plain, seal
from nostr_threads.signing.signer import KeySigner, check_signed, draft_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nostr_threads.core.bunker_links import BunkerLink
    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.signing.envelope import Wire
    from nostr_threads.signing.secret import SecretKey

__all__ = ["BunkerSession", "BunkerSigner", "Patience", "introduced", "link_mark"]

_MOST_RELAYS = 10
# How often a question is sent again as it was.
_SAME_BYTES = 2
# Seconds before one that was too many for the signer's policy is asked again.
_PAUSE = 5.0
# Printable ASCII without spaces: a stranger's words must not read like ours.
_ADDRESS = re.compile(r"https?://[!-~]{1,500}")


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds a signer is waited for.

    `answer`: somebody may have to find their telephone. `approval`: from when the signer names an
    address at which a person has to say yes. `silence`: until a question is sent again, and then
    twice as long each time; neither end knows when nobody listened at the other. `moving`: until it
    has to have answered at the relays to which it has sent us.
    """

    answer: float = 120.0
    approval: float = 300.0
    silence: float = 5.0
    moving: float = 15.0


@dataclass(frozen=True, slots=True)
class BunkerSession:
    """What is kept of a connection to a signer, so that it survives a restart.

    `signer` is the key (hex) with which it talks, `client` our own, `relays` where they meet, and
    `public_key` whose key it signs with, "" until it was asked. `link` tells from which link it
    came (see `link_mark`), "" where it came from none.
    """

    signer: str
    client: SecretKey
    relays: tuple[str, ...]
    public_key: str = ""
    link: str = ""


def link_mark(link: BunkerLink) -> str:
    """Return what tells a link from others of the same signer, without its secret."""
    return sha256(f"{link.signer} {link.secret}".encode()).hexdigest()[:32]


@dataclass(slots=True)
class _Question:
    request: Request
    answer: asyncio.Future[Response]
    until: float
    event: Verified | None = None
    is_approving: bool = False

    def fail(self, error: SigningError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class BunkerSigner:
    """Signs through a signer elsewhere. `heard` and `listening` are what its wire has to call.

    `show` is told what a person has to know: an address to open. `keep` is given the session when
    it has changed, before that matters. `clock` gives unix seconds.
    """

    def __init__(
        self,
        session: BunkerSession,
        wire: Wire,
        *,
        clock: Callable[[], float],
        show: Callable[[str], None] = lambda _: None,
        keep: Callable[[BunkerSession], None] = lambda _: None,
        patience: Patience = Patience(),
    ) -> None:
        self._session = session
        self._wire = wire
        self._own = KeySigner(session.client)
        self._clock = clock
        self._show = show
        self._keep = keep
        self._patience = patience
        self._questions: dict[str, _Question] = {}
        self._is_closed = False
        self._is_known = False
        self._starting = asyncio.Lock()
        self._is_started = False
        self._pause = min(_PAUSE, patience.answer / 4)

    @property
    def session(self) -> BunkerSession:
        """What to keep, with whatever has changed."""
        return self._session

    @property
    def public_key(self) -> str:
        """Whose key signs, 64 lowercase hex digits. Raises `NoSigner` before `start`."""
        if not self._session.public_key:
            raise NoSigner("this bunker was not asked yet whose key it has")
        return self._session.public_key

    # Beginning and end

    async def connect(
        self, secret: str, permissions: Sequence[Permission], metadata: Metadata
    ) -> None:
        """Introduce this client with the secret of a `bunker://` link, "" for none.

        Raises `BunkerError`. `start` comes next.
        """
        params = (
            self._session.signer,
            secret,
            permissions_text(permissions),
            metadata.to_json(),
        )
        result = await self._ask("connect", *params)
        if result not in ("ack", secret) or not result:
            raise BunkerError("the bunker did not confirm the connection")

    async def start(self) -> None:
        """Ask where to meet from now on, and whose key it is, once. Raises `BunkerError`.

        A signer that signs for somebody else than before is an error. Done by itself before the
        first thing is asked.
        """
        async with self._starting:
            if not self._is_started:
                await self._start()
                self._is_started = True

    async def _start(self) -> None:
        known, before = self._session, self._session.relays
        moved = await self._switch_relays()
        try:
            found = await self._ask(
                "get_public_key", seconds=self._patience.moving if moved else None
            )
        except BunkerError as error:
            if not (moved and error.is_silence):
                raise
            # It is not where it has sent us.
            self._wire.move(before)
            self._session = replace(self._session, relays=before)
            found = await self._ask("get_public_key")
        if not schnorr.is_public_key(found):
            raise BunkerError("the bunker gave no public key")
        if known.public_key and known.public_key != found:
            raise BunkerError(
                f"the bunker signs for {found} now, and no more for {known.public_key}"
            )
        self._session = replace(self._session, public_key=found)
        if self._session != known:
            self._keep(self._session)

    async def logout(self) -> None:
        """Tell the signer that this client will not come back. Raises `BunkerError`."""
        await self._ask("logout")

    async def close(self) -> None:
        """Let go of the client's key; whoever waits for an answer gets `NoSigner`."""
        self._is_closed = True
        for question in self._questions.values():
            question.fail(NoSigner("this signer was closed"))
        await self._own.close()

    # What a signer does

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `BunkerError`, `SigningError`."""
        await self.start()
        draft_id(draft, self.public_key)  # what can be no event is not even asked for
        result = await self._ask("sign_event", draft_json(draft, self.public_key))
        try:
            event = Event.from_json(result)
        except InvalidEvent as error:
            raise SigningError(f"the signer gave no valid event: {error.reason}") from None
        return check_signed(draft, event, self.public_key)

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        """Encrypt for `peer` (NIP-44). Raises `InvalidCode`, `CannotEncrypt`, `BunkerError`."""
        _require_key(peer)
        await self.start()
        if not (payload := await self._ask("nip44_encrypt", peer, text)):
            raise CannotEncrypt("the bunker gave no encrypted text")
        return payload

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        """Read what `peer` and the author share. Raises `InvalidCode`, `CannotDecrypt`,
        `BunkerError`.
        """
        _require_key(peer)
        await self.start()
        if not (text := await self._ask("nip44_decrypt", peer, payload)):
            raise CannotDecrypt("the bunker gave no text")
        return text

    # What the wire tells

    async def heard(self, event: Verified) -> None:
        """Take an event. What is not an answer of our signer to an open question is nothing."""
        if event.pubkey != self._session.signer or self._is_closed:
            return
        text = await open_sealed(event, self._own)
        response = read_response(text) if text is not None else None
        question = self._questions.get(response.id) if response is not None else None
        if response is None or question is None or question.answer.done():
            return
        self._is_known = True
        if response.auth_url:
            self._approve(question, response.auth_url)
        else:
            question.answer.set_result(response)

    async def listening(self) -> None:
        """Ask again what is open: an answer may have gone by while nobody listened.

        Sealed anew, as most signers pass over an event that they have seen.
        """
        for question in list(self._questions.values()):
            question.event = None
            with suppress(BunkerError):
                await self._send(question)

    def _approve(self, question: _Question, url: str) -> None:
        """Show where a person has to say yes, once; the time for it begins only now."""
        if question.is_approving or _ADDRESS.fullmatch(url) is None:
            return
        question.is_approving = True
        question.until = asyncio.get_running_loop().time() + self._patience.approval
        self._show(f"the bunker wants you to say yes at {url}")

    # Questions

    async def _switch_relays(self) -> bool:
        """Go where the signer wants to be met (NIP-46, "Switching relays"); whether we went."""
        try:
            found = _relays(await self._ask("switch_relays"), self._session.relays)
        except BunkerError as error:
            # Older signers do not know it. One that does not answer says so at the next question.
            if error.is_silence:
                raise
            return False
        if not found or found == self._session.relays:
            return False
        self._wire.move(found)
        self._session = replace(self._session, relays=found)
        return True

    async def _ask(self, method: str, *params: str, seconds: float | None = None) -> str:
        """Ask, and wait for `seconds` or the usual time; what was too much at once comes again."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._patience.answer if seconds is None else seconds)
        refusal: BunkerError | None = None
        while True:
            try:
                response = await self._answer_to(
                    Request(secrets.token_hex(8), method, params), until
                )
            except BunkerError as error:
                # Some say only now and then that it is too much.
                raise refusal or error from None
            if not response.error:
                return response.result
            refusal = BunkerError(f"the bunker says no: {plain(response.error)}")
            is_too_much = response.error.startswith("rate-limited:")
            if not is_too_much or loop.time() + self._pause > until:
                raise refusal
            await asyncio.sleep(self._pause)

    async def _answer_to(self, request: Request, until: float) -> Response:
        if self._is_closed:
            raise NoSigner("this signer was closed")
        question = _Question(request, asyncio.get_running_loop().create_future(), until)
        self._questions[request.id] = question
        # A relay may take its time to say OK, while the answer is there already.
        sending = asyncio.create_task(self._put(question))
        try:
            return await self._answer(question)
        finally:
            del self._questions[request.id]
            sending.cancel()
            await asyncio.wait([sending])
            if not sending.cancelled():
                sending.result()

    async def _put(self, question: _Question) -> None:
        """Send a question, and again after each silence.

        At first the same bytes, which a signer that has them passes over: somebody may be looking
        at it. Then sealed anew: the answer may have been lost.
        """
        try:
            await self._send(question)
        except SigningError as error:
            # One that has answered before may be back in time: see `listening`.
            if not (self._is_known and isinstance(error, BunkerError)):
                question.fail(error)
                return
        for silence in count():
            await asyncio.sleep(self._patience.silence * 2**silence)
            if silence >= _SAME_BYTES:
                question.event = None
            with suppress(BunkerError):
                await self._send(question)

    async def _send(self, question: _Question) -> None:
        if question.event is None:
            text = question.request.to_json()
            now = int(self._clock())
            question.event = await seal(text, self._own, self._session.signer, now)
        await self._wire.send(question.event)

    async def _answer(self, question: _Question) -> Response:
        loop = asyncio.get_running_loop()
        while (left := question.until - loop.time()) > 0:
            done, _ = await asyncio.wait([question.answer], timeout=left)
            if done:
                return question.answer.result()
        raise BunkerError(
            "the bunker does not answer: is it running, and is its relay up?", is_silence=True
        )


async def introduced(event: Verified, own: KeySigner, secret: str) -> str | None:
    """Return the key of the signer that an event of it introduces (`nostrconnect://`), or None.

    Only who was given the link knows its `secret`: without that anybody could be our signer.
    """
    text = await open_sealed(event, own)
    response = read_response(text) if text is not None else None
    if response is None or not hmac.compare_digest(
        response.result.encode(errors="replace"), secret.encode()
    ):
        return None
    return event.pubkey


def _relays(result: str, now: tuple[str, ...]) -> tuple[str, ...]:
    """Read the answer to `switch_relays`: a list, or null for no change.

    Addresses of this machine and its network are for those who are there already.
    """
    try:
        found = json.loads(result or "null")
    except (ValueError, RecursionError):
        return ()
    relays: dict[str, None] = {}
    for url in found if isinstance(found, list) else ():
        with suppress(InvalidRelayUrl):
            relay = normalize(str(url))
            if not is_local(relay) or any(map(is_local, now)):
                relays[relay] = None
    return tuple(relays)[:_MOST_RELAYS]


def _require_key(peer: str) -> None:
    # Not echoed: what stands in the place of a public key may be a secret one.
    if not schnorr.is_public_key(peer):
        raise InvalidCode("a public key is 64 lowercase hex digits that name a curve point")
