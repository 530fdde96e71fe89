"""A signer elsewhere, asked over relays: the client's end of NIP-46.

Knows what is asked, and what an answer has to be. How it is asked and waited for is `questions`'
to know. The secret here is the client's own: it can ask, within what the signer allows it, and
cannot sign.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from nostr_threads.core import schnorr
from nostr_threads.core.event import Event
from nostr_threads.core.nip46 import (
    Metadata,
    Permission,
    draft_json,
    permissions_text,
    read_response,
)
from nostr_threads.core.relay_url import is_local, normalize
from nostr_threads.errors import (
    BunkerError,
    CannotDecrypt,
    CannotEncrypt,
    InvalidEvent,
    InvalidRelayUrl,
    NoSigner,
    SigningError,
)
from nostr_threads.signing.envelope import open_sealed
from nostr_threads.signing.questions import Patience, Questions
from nostr_threads.signing.signer import KeySigner, check_signed, draft_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nostr_threads.core.bunker_links import BunkerLink
    from nostr_threads.core.event import Draft, Verified
    from nostr_threads.signing.envelope import Wire
    from nostr_threads.signing.secret import SecretKey

__all__ = ["BunkerSession", "BunkerSigner", "Patience", "introduced", "link_mark"]

_MOST_RELAYS = 10


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
        patience: Patience = Patience(),  # noqa: B008 - frozen, so it can be shared
    ) -> None:
        self._session = session
        self._wire = wire
        self._own = KeySigner(session.client)
        self._keep = keep
        self._patience = patience
        self._questions = Questions(
            session.signer, self._own, wire, clock=clock, show=show, patience=patience
        )
        self._starting = asyncio.Lock()
        self._is_started = False

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
        result = await self._questions.ask("connect", *params)
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
            found = await self._questions.ask(
                "get_public_key", seconds=self._patience.moving if moved else None
            )
        except BunkerError as error:
            if not (moved and error.is_silence):
                raise
            # It is not where it has sent us.
            self._wire.move(before)
            self._session = replace(self._session, relays=before)
            found = await self._questions.ask("get_public_key")
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
        await self._questions.ask("logout")

    async def close(self) -> None:
        """Let go of the client's key; whoever waits for an answer gets `NoSigner`."""
        self._questions.close()
        await self._own.close()

    # What a signer does

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `BunkerError`, `SigningError`."""
        await self.start()
        draft_id(draft, self.public_key)  # what can be no event is not even asked for
        result = await self._questions.ask("sign_event", draft_json(draft, self.public_key))
        try:
            event = Event.from_json(result)
        except InvalidEvent as error:
            raise SigningError(f"the signer gave no valid event: {error.reason}") from None
        return check_signed(draft, event, self.public_key)

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        """Encrypt for `peer` (NIP-44). Raises `InvalidCode`, `CannotEncrypt`, `BunkerError`."""
        schnorr.require_public_key(peer)
        await self.start()
        if not (payload := await self._questions.ask("nip44_encrypt", peer, text)):
            raise CannotEncrypt("the bunker gave no encrypted text")
        return payload

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        """Read what `peer` and the author share. Raises `InvalidCode`, `CannotDecrypt`,
        `BunkerError`.
        """
        schnorr.require_public_key(peer)
        await self.start()
        if not (text := await self._questions.ask("nip44_decrypt", peer, payload)):
            raise CannotDecrypt("the bunker gave no text")
        return text

    # What the wire tells

    async def heard(self, event: Verified) -> None:
        """Take an event. What is not an answer of our signer to an open question is nothing."""
        await self._questions.heard(event)

    async def listening(self) -> None:
        """Ask again what is open: an answer may have gone by while nobody listened."""
        await self._questions.again()

    async def _switch_relays(self) -> bool:
        """Go where the signer wants to be met (NIP-46, "Switching relays"); whether we went."""
        try:
            seconds = min(self._patience.moving, self._patience.answer)
            said = await self._questions.ask("switch_relays", seconds=seconds)
        except BunkerError:
            # Older signers do not know it, and some say nothing then.
            return False
        found = _relays(said, self._session.relays)
        if not found or found == self._session.relays:
            return False
        self._wire.move(found)
        self._session = replace(self._session, relays=found)
        return True


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
