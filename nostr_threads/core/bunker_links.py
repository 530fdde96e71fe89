"""The links with which a client and a signer elsewhere find each other (NIP-46).

Knows `bunker://`, which a signer gives out, and `nostrconnect://`, which a client does. Both carry
a secret that lets its holder in: it is in neither's repr. Knows nothing of what is said afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

from nostr_threads.core import schnorr
from nostr_threads.core.nip46 import Metadata, Permission, permissions_of, permissions_text
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidCode, InvalidRelayUrl

__all__ = ["BunkerLink", "ClientLink", "Link", "is_link", "parse_link", "write_link"]

_BUNKER, _CLIENT = "bunker://", "nostrconnect://"
_LONGEST = 4_000
_MOST_FIELDS = 100
_MOST_RELAYS = 10


@dataclass(frozen=True, slots=True)
class BunkerLink:
    """`bunker://`: a signer, by the key with which it talks, and the relays where it listens.

    `secret` is good for one connection, "" where none is needed.
    """

    signer: str
    relays: tuple[str, ...]
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ClientLink:
    """`nostrconnect://`: a client, by its key, the relays where it listens, and what it wants.

    A signer proves that it was given this link by returning `secret`.
    """

    client: str
    relays: tuple[str, ...]
    secret: str = field(repr=False)
    permissions: tuple[Permission, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)


Link: TypeAlias = BunkerLink | ClientLink


def is_link(text: str) -> bool:
    """Whether a text means to be one of the two."""
    return text.strip().lower().startswith((_BUNKER, _CLIENT))


def parse_link(text: str) -> Link:
    """Read a link. Raises `InvalidCode`, which says what is wrong without showing the link."""
    text = text.strip()
    scheme = next((each for each in (_BUNKER, _CLIENT) if text.lower().startswith(each)), None)
    if scheme is None:
        raise InvalidCode("a link to a signer begins with bunker:// or nostrconnect://")
    if len(text) > _LONGEST:
        raise InvalidCode(f"a {scheme} link has {_LONGEST} characters at most")
    key, _, query = text[len(scheme) :].partition("?")
    key = key.rstrip("/").lower()
    if not schnorr.is_public_key(key):
        raise InvalidCode(f"after {scheme} there is no public key of 64 hex digits")
    fields = _fields(query, scheme)
    relays = _relays(fields, scheme)
    secret = next((value for name, value in fields if name == "secret"), "")
    if scheme == _BUNKER:
        return BunkerLink(key, relays, secret)
    if not secret:
        # Without it anybody who sees the link on a relay could answer as the signer.
        raise InvalidCode("a nostrconnect:// link has a secret, and this one has none")
    said = dict(reversed(fields))  # of equals the first counts
    metadata = Metadata(*(said.get(name, "")[:200] for name in ("name", "url", "image")))
    return ClientLink(key, relays, secret, permissions_of(said.get("perms", "")), metadata)


def write_link(link: Link) -> str:
    """Write a link as `parse_link` reads it. It holds the secret: show it to nobody else."""
    fields = [("relay", relay) for relay in link.relays]
    if link.secret:
        fields.append(("secret", link.secret))
    if isinstance(link, BunkerLink):
        return f"{_BUNKER}{link.signer}?{urlencode(fields, quote_via=quote)}"
    told = {
        "perms": permissions_text(link.permissions),
        "name": link.metadata.name,
        "url": link.metadata.url,
        "image": link.metadata.image,
    }
    fields += [(name, value) for name, value in told.items() if value]
    return f"{_CLIENT}{link.client}?{urlencode(fields, quote_via=quote)}"


def _fields(query: str, scheme: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        # From None: the words of the error repeat what was given.
        raise InvalidCode(f"what follows the ? of this {scheme} link cannot be read") from None


def _relays(fields: list[tuple[str, str]], scheme: str) -> tuple[str, ...]:
    """Return the relays that can be used, each once, in order."""
    found: dict[str, None] = {}
    for name, value in fields:
        if name != "relay":
            continue
        try:
            found[normalize(value)] = None
        except InvalidRelayUrl:
            continue
    if not found:
        raise InvalidCode(f"this {scheme} link names no relay that can be used")
    return tuple(found)[:_MOST_RELAYS]
