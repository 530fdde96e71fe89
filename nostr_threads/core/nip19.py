"""NIP-19 codes (npub, nsec, note, nprofile, nevent, naddr) and whatever else a person may paste.

Knows what each code holds, and that a secret key is never repeated. Knows nothing of where the
thing behind a code is found: NIP-05 names are recognised here and looked up in `net`.
"""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from nostr_threads.core import bech32, tlv
from nostr_threads.core.entities import (
    HEX_64,
    Address,
    Entity,
    EventPointer,
    Note,
    Profile,
    PublicKey,
    SecretKey,
)
from nostr_threads.errors import InvalidCode

__all__ = [
    "Address",
    "Entity",
    "EventPointer",
    "Note",
    "Profile",
    "PublicKey",
    "SecretKey",
    "decode",
    "encode",
    "nip05_parts",
    "parse_event",
    "parse_pubkey",
]

_SCHEME = "nostr:"

_SECRET = re.compile(r"n(?:crypt)?sec1", re.IGNORECASE)
# Wider: a key that was copied badly is still a key, and hex with a digit lost may be one too.
_UNSHOWN = re.compile(r"n(?:crypt)?sec|[0-9a-f]{32}", re.IGNORECASE)
_SHOWN_LENGTH = 20

_HEX = re.compile(r"[0-9a-f]+", re.IGNORECASE)
_CODE = re.compile(r"(?:npub|note|nprofile|nevent|naddr)1[a-z0-9]+|[0-9a-f]{64}", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9._-]+")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label is no number: an IP address is no domain.
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}")

_DESCRIBED: dict[type[Entity], str] = {
    PublicKey: "a public key (npub)",
    SecretKey: "a secret key (nsec)",
    Note: "a note",
    Profile: "a public key with relays (nprofile)",
    EventPointer: "an event (nevent)",
    Address: "an address (naddr)",
}


def decode(code: str) -> Entity:
    """Read a NIP-19 code, also as a NIP-21 `nostr:` link; surrounding white space is dropped.

    Relay hints come out normalised, without doubles and without those that are no relay URL; they
    are a stranger's word: see `relay_url.is_local`. Unknown TLV types are ignored and the first of
    a repeated one counts. Raises `InvalidCode`, which never repeats what may be a secret key.
    """
    text = code.strip()
    bare = text[len(_SCHEME) :] if text[: len(_SCHEME)].lower() == _SCHEME else text
    try:
        prefix, payload = bech32.split(bare)
    except InvalidCode as error:
        raise InvalidCode(f"{_shown(text)} is not a Nostr code: {error}") from None
    if prefix == "nsec" and bare != text:
        raise InvalidCode("a secret key (nsec) must not stand in a nostr: link (NIP-21)")
    return _read(prefix, payload)


def encode(entity: Entity) -> str:
    """Return the NIP-19 code of `entity`, the inverse of `decode`; relays go in as they are.

    Raises `InvalidCode` when a key or id is not 64 hex digits, a kind is out of range, a relay or
    identifier is over 255 bytes, or the whole is over 5000 characters.
    """
    match entity:
        case PublicKey(key):
            return bech32.join("npub", tlv.key_to_bytes(key))
        case SecretKey():
            return bech32.join("nsec", tlv.key_to_bytes(entity.reveal()))
        case Note(event_id):
            return bech32.join("note", tlv.key_to_bytes(event_id))
        case Profile():
            return bech32.join("nprofile", tlv.write(entity))
        case EventPointer():
            return bech32.join("nevent", tlv.write(entity))
        case Address():
            return bech32.join("naddr", tlv.write(entity))


def parse_event(text: str) -> EventPointer | Address:
    """Read what a person gives to name an event: a note, nevent or naddr code, an id, or a link.

    A code may follow `nostr:`; an id is 64 hex digits; a web link holds one of these, last in its
    path, fragment or query. Raises `InvalidCode`, which says what was given and what is wanted.
    """
    match _parse(text):
        case EventPointer() | Address() as found:
            return found
        case Note(event_id) | str(event_id):
            return EventPointer(event_id)
        case other:
            kind = _DESCRIBED[type(other)]
            raise InvalidCode(f"this is {kind}; a note, nevent or naddr is wanted")


def parse_pubkey(text: str) -> Profile:
    """Read what a person gives to name an author: an npub or nprofile code, a hex key, or a link.

    The forms are those of `parse_event`. Raises `InvalidCode`. NIP-05 names: see `nip05_parts`.
    """
    match _parse(text):
        case Profile() as found:
            return found
        case PublicKey(key) | str(key):
            return Profile(key)
        case other:
            raise InvalidCode(f"this is {_DESCRIBED[type(other)]}; an npub or nprofile is wanted")


def nip05_parts(text: str) -> tuple[str, str] | None:
    """Return name and domain if `text` is a NIP-05 name, `name@domain`; a bare domain means `_`.

    Both in lower case; the name has only `a-z0-9-_.` (NIP-05), the domain two labels or more and no
    port. None for everything else, also for what may hold a secret key, as it would be looked up.
    """
    given = text.strip()
    if not given.isascii() or _SECRET.search(given):
        return None
    name, _, domain = given.lower().rpartition("@") if "@" in given else ("_", "", given.lower())
    if _NAME.fullmatch(name) is None or _DOMAIN.fullmatch(domain) is None:
        return None
    return name, domain


def _read(prefix: str, payload: bytes) -> Entity:
    try:
        match prefix:
            case "npub":
                return PublicKey(tlv.key_from_bytes(payload))
            case "nsec":
                return SecretKey(tlv.key_from_bytes(payload))
            case "note":
                return Note(tlv.key_from_bytes(payload))
            case "nprofile":
                return tlv.read_profile(payload)
            case "nevent":
                return tlv.read_pointer(payload)
            case "naddr":
                return tlv.read_address(payload)
    except InvalidCode as error:
        raise InvalidCode(f"this {prefix} cannot be used: {error}") from None
    raise InvalidCode(_unsupported(prefix))


def _unsupported(prefix: str) -> str:
    match prefix:
        case "ncryptsec":
            return "an encrypted secret key (ncryptsec) needs its password; it is not read here"
        case "nrelay":
            return "an nrelay names only a relay, and NIP-19 has given it up; use the relay's URL"
        case _:
            return f"no Nostr code has the prefix {_shown(prefix)}"


def _parse(text: str) -> Entity | str:
    """Return what a code or a link holds, or the digits of a bare id or key in lower case."""
    given = text.strip()
    # Before all else, so that no later error can repeat a part of it.
    if _SECRET.search(given):
        raise InvalidCode("this is a secret key; it was not used and should not be pasted here")
    if given[:8].lower().startswith(("http://", "https://")):
        given = _code_in_link(given)
    return _hex_id(given) if _HEX.fullmatch(given) else decode(given)


def _hex_id(digits: str) -> str:
    lower = digits.lower()
    if HEX_64.fullmatch(lower) is None or digits not in (lower, digits.upper()):
        raise InvalidCode(f"an id or key is 64 hex digits in one case; this has {len(digits)}")
    return lower


def _code_in_link(link: str) -> str:
    """Return the last code or 64 hex digits of the path, or else of the fragment or query."""
    try:
        parts = urlsplit(link)
    except ValueError:
        raise InvalidCode("this web link is malformed") from None
    for part in (parts.path, parts.fragment, parts.query):
        for piece in reversed(re.split(r"[/?&=:]", unquote(part))):
            if _CODE.fullmatch(piece):
                return piece
    raise InvalidCode("this web link holds no npub, nprofile, note, nevent or naddr")


def _shown(text: str) -> str:
    """Return what an error may repeat of `text`: its start, or nothing of what may be a secret."""
    return "this text" if _UNSHOWN.search(text) else repr(text[:_SHOWN_LENGTH])
