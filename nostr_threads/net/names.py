"""NIP-05 names (`name@domain`) looked up at their domain.

Knows how to ask and what answer to believe. What is a name is known in `core.nip19`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nostr_threads.core.entities import HEX_64
from nostr_threads.core.nip19 import Profile, nip05_parts
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import InvalidCode, InvalidRelayUrl
from nostr_threads.net.document import NoDocument, get_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.net.document import NewClient

__all__ = ["resolve"]

_MOST_RELAYS = 20


async def resolve(
    name: str, domain: str, *, seconds: float = 10.0, client: NewClient | None = None
) -> Profile:
    """Return whom the NIP-05 name `name@domain` means, with the relays the domain recommends.

    Redirects are not followed, as NIP-05 demands. The relays are a stranger's hints, normalised.
    `client` makes the HTTP client. Raises `InvalidCode` when nobody is found within `seconds`.
    """
    parts = nip05_parts(f"{name}@{domain}")
    if parts is None:
        raise InvalidCode("this is no name@domain (NIP-05)")
    name, domain = parts
    url = f"https://{domain}/.well-known/nostr.json?name={name}"
    try:
        document = await get_json(
            url, accept="application/json", seconds=seconds, redirects=0, client=client
        )
    except NoDocument as error:
        raise InvalidCode(f"{domain} was asked for {name!r}: {error}") from None
    return _profile(document, name, domain)


def _profile(document: object, name: str, domain: str) -> Profile:
    names = _member(document, "names")
    if not isinstance(names, Mapping):
        raise InvalidCode(f"{domain} has no list of names (NIP-05)")
    pubkey = _named(names, name)
    if pubkey is None:
        raise InvalidCode(f"{domain} knows nobody called {name!r}")
    if not isinstance(pubkey, str) or HEX_64.fullmatch(pubkey) is None:
        raise InvalidCode(f"{domain} gives something for {name!r} that is no public key in hex")
    return Profile(pubkey, tuple(_relays(_member(_member(document, "relays"), pubkey))))


def _named(names: Mapping[str, object], name: str) -> object:
    """The entry of a name; its letters may be of either case (NIP-05)."""
    if name in names:
        return names[name]
    return next((value for key, value in names.items() if key.lower() == name), None)


def _relays(urls: object) -> Iterator[str]:
    given = urls[:_MOST_RELAYS] if isinstance(urls, list) else []
    seen: set[str] = set()
    for url in given:
        try:
            normal = normalize(url) if isinstance(url, str) else ""
        except InvalidRelayUrl:
            continue
        if normal and normal not in seen:
            seen.add(normal)
            yield normal


def _member(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, Mapping) else None
