"""Who signs: the `Signer` protocol, a key in memory, and a public key that cannot sign.

Knows how a draft becomes a verified event, and a text one for two people (NIP-44). Knows nothing of
where keys are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, Protocol

from nostr_threads.core import schnorr
from nostr_threads.core.event import Draft, Event, Verified, verify
from nostr_threads.errors import InvalidEvent, NoSigner, SigningError
from nostr_threads.signing import conversation
from nostr_threads.signing.secret import SecretKey, secret_bytes

if TYPE_CHECKING:
    from typing import SupportsIndex

    from pynostr.key import PrivateKey

__all__ = ["KeySigner", "ReadOnlySigner", "Signer", "check_signed", "draft_id"]


class Signer(Protocol):
    """Whoever can sign for one author: a key in memory, in the system's keyring, elsewhere.

    Every `SigningError` may be one of its kinds: `NoSigner` once it was closed, or where there is
    only the public half, and `BunkerError` where the key is elsewhere.
    """

    @property
    def public_key(self) -> str:
        """The author's key, 64 lowercase hex digits."""
        ...

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `SigningError`."""
        ...

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        """Encrypt `text` for `peer`, a public key in hex (NIP-44).

        Raises `InvalidCode` for what is no public key, `CannotEncrypt`, `SigningError`.
        """
        ...

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        """Read what `peer` and the author share (NIP-44).

        Raises `InvalidCode`, `CannotDecrypt`, `SigningError`.
        """
        ...

    async def close(self) -> None:
        """Let go of the key, and of what leads to it. Nothing is signed afterwards."""
        ...


class KeySigner:
    """Signs with a secret key held in this process (BIP-340, fresh randomness every time)."""

    __slots__ = ("_public_key", "_secret")

    def __init__(self, secret: SecretKey) -> None:
        self._secret: SecretKey | None = secret
        self._public_key = str(_pynostr(secret).public_key.hex())

    @property
    def public_key(self) -> str:
        """The author's key, 64 lowercase hex digits."""
        return self._public_key

    async def sign(self, draft: Draft) -> Verified:
        """Return `draft` signed and verified. Raises `SigningError` if it cannot be an event."""
        event_id = draft_id(draft, self._public_key)
        # pynostr takes new auxiliary randomness for each signature unless given some.
        signature = bytes(_pynostr(self._open()).sign(bytes.fromhex(event_id)))
        event = Event(
            id=event_id,
            pubkey=self._public_key,
            created_at=draft.created_at,
            kind=draft.kind,
            tags=draft.tags,
            content=draft.content,
            sig=signature.hex(),
        )
        return check_signed(draft, event, self._public_key)

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        """Encrypt `text` for `peer` (NIP-44). Raises `InvalidCode`, `CannotEncrypt`."""
        return conversation.encrypt(self._open(), peer, text)

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        """Read what `peer` and the author share. Raises `InvalidCode`, `CannotDecrypt`."""
        return conversation.decrypt(self._open(), peer, payload)

    async def close(self) -> None:
        """Let go of the key: it is overwritten unless somebody else holds it."""
        self._secret = None

    def _open(self) -> SecretKey:
        if self._secret is None:
            raise NoSigner("this signer was closed")
        return self._secret

    def __repr__(self) -> str:
        return f"KeySigner({self._public_key})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        """Refuse pickle, copy and deepcopy: slots would be copied with the secret in them."""
        raise TypeError("a signer is not copied or pickled")


class ReadOnlySigner:
    """Knows who the user is and cannot sign. Raises `InvalidCode` for what is no public key."""

    __slots__ = ("_public_key",)

    def __init__(self, public_key: str) -> None:
        schnorr.require_public_key(public_key)
        self._public_key = public_key

    @property
    def public_key(self) -> str:
        """The author's key, 64 lowercase hex digits."""
        return self._public_key

    async def sign(self, draft: Draft) -> Verified:  # noqa: ARG002 - the protocol's shape
        """Raise `NoSigner`, always."""
        raise self._refusal("sign")

    async def nip44_encrypt(self, peer: str, text: str) -> str:  # noqa: ARG002 - the same
        """Raise `NoSigner`, always."""
        raise self._refusal("encrypt")

    async def nip44_decrypt(self, peer: str, payload: str) -> str:  # noqa: ARG002 - the same
        """Raise `NoSigner`, always."""
        raise self._refusal("decrypt")

    async def close(self) -> None:
        """Do nothing: there is no key."""

    def _refusal(self, what: str) -> NoSigner:
        return NoSigner(
            f"there is only the public key {self._public_key}, which cannot {what}: "
            "give the secret key in NOSTR_SECRET_KEY, or add it with `nostr-threads key import`"
        )

    def __repr__(self) -> str:
        return f"ReadOnlySigner({self._public_key})"


def check_signed(draft: Draft, event: Event, public_key: str) -> Verified:
    """Return `event` verified if it is `draft` signed by `public_key`; else `SigningError`.

    Every signer ends with this, also one that runs elsewhere and may answer anything.
    """
    try:
        # Read back as a relay would: this finds values that no type checker ever saw.
        verified = verify(Event.from_json(event.to_json()))
    except InvalidEvent as error:
        raise SigningError(f"the signer gave no valid event: {error.reason}") from None
    except UnicodeEncodeError:
        raise SigningError("the signer gave an event with a lone surrogate") from None
    if verified.pubkey != public_key:
        raise SigningError(f"signed by {verified.pubkey} instead of {public_key}")
    signed = Draft(verified.created_at, verified.kind, verified.tags, verified.content)
    if signed != draft:
        raise SigningError("the signer changed the draft")
    return verified


def draft_id(draft: Draft, public_key: str) -> str:
    """Return the id that `draft` will have. Raises `SigningError` if it cannot be an event."""
    try:
        return draft.id_for(public_key)
    except InvalidEvent as error:
        raise SigningError(f"this draft cannot be signed: {error.reason}") from None
    except TypeError as error:
        raise SigningError(f"this draft cannot be signed: {error}") from None


def _pynostr(secret: SecretKey) -> PrivateKey:
    """Make pynostr's key for one use.

    It is never kept: its str(), bytes() and hash() are the secret, in memory that nobody can wipe.
    """
    # Only here: pynostr takes 0.2 s to import.
    from pynostr.key import PrivateKey

    return PrivateKey(secret_bytes(secret))
