"""What a client and a signer elsewhere say to each other (NIP-46), before it is encrypted.

Knows the two messages, what they may ask for, and how a draft travels. Knows nothing of encryption,
of relays, or of who is allowed what. Both ends are hostile to each other: reading never raises.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.event import MAX_CREATED_AT, MAX_KIND, Draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "METHODS",
    "Metadata",
    "Permission",
    "Request",
    "Response",
    "draft_json",
    "permissions_of",
    "permissions_text",
    "read_draft",
    "read_request",
    "read_response",
]

METHODS = frozenset(
    (
        *("connect", "sign_event", "ping", "get_public_key", "switch_relays", "logout"),
        *("nip44_encrypt", "nip44_decrypt", "nip04_encrypt", "nip04_decrypt"),
    )
)

_LONGEST_ID = 128
_MOST_PARAMS = 8
_MOST_PERMISSIONS = 100
_LONGEST_WORDS = 200
# JSON can spell them, and nothing can send them back.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_PERMISSION = re.compile(r"([a-z0-9_]{1,40})(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks. `params` are texts; which ones, depends on the method."""

    id: str
    method: str
    # Not in the repr: the secret of a link may be among them, or a private text.
    params: tuple[str, ...] = field(default=(), repr=False)

    def to_json(self) -> str:
        """Write the message that is then encrypted."""
        return _written({"id": self.id, "method": self.method, "params": self.params})


@dataclass(frozen=True, slots=True)
class Response:
    """What a signer answers: a `result`, or an `error` in words."""

    id: str
    result: str = ""
    error: str = ""

    @property
    def auth_url(self) -> str:
        """The address at which a person has to say yes before the real answer comes, or ""."""
        return self.error if self.result == "auth_url" else ""

    def to_json(self) -> str:
        """Write the message that is then encrypted."""
        told = {"id": self.id, "result": self.result}
        return _written(told | ({"error": self.error} if self.error else {}))


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a client says of itself: shown to a person, never believed."""

    name: str = ""
    url: str = ""
    image: str = ""

    def to_json(self) -> str:
        """Write it as the fourth parameter of `connect`; "" where there is nothing to say."""
        said = {name: text for name, text in asdict(self).items() if text}
        return _written(said) if said else ""

    @classmethod
    def read(cls, text: str) -> Metadata:
        """Read what a client says of itself; nothing of what is not text."""
        said = _object(text)
        return cls(*(_words(said.get(name)) for name in ("name", "url", "image")))


@dataclass(frozen=True, slots=True)
class Permission:
    """A method that may be used; for `sign_event` for one `kind`, or for all (None)."""

    method: str
    kind: int | None = None

    def __str__(self) -> str:
        return self.method if self.kind is None else f"{self.method}:{self.kind}"


def permissions_of(text: str) -> tuple[Permission, ...]:
    """Read a list such as `nip44_encrypt,sign_event:4`. What is no permission is passed over."""
    found: dict[Permission, None] = {}
    for item in text.split(",", _MOST_PERMISSIONS)[:_MOST_PERMISSIONS]:
        match = _PERMISSION.fullmatch(item.strip())
        if match is not None and match[1] in METHODS:
            kind = None if match[2] is None else int(match[2])
            found[Permission(match[1], kind)] = None
    return tuple(found)


def permissions_text(permissions: Iterable[Permission]) -> str:
    """Write permissions as `permissions_of` reads them."""
    return ",".join(map(str, permissions))


def read_request(text: str) -> Request | None:
    """Read a client's message, None for what is no request."""
    said = _object(text)
    name, params = _name(said), said.get("params", [])
    if name is None or not isinstance(params, list) or len(params) > _MOST_PARAMS:
        return None
    texts = _texts((said.get("method"), *params))
    return Request(name, texts[0], texts[1:]) if texts is not None and texts[0] else None


def read_response(text: str) -> Response | None:
    """Read a signer's message, None for what is no response."""
    said = _object(text)
    name, result = _name(said), said.get("result")
    # `switch_relays` answers with a list, by the letter of the NIP, or with one written as text.
    if isinstance(result, list | dict):
        result = _written(result)
    texts = _texts((result, said.get("error")))
    return None if name is None or texts is None else Response(name, *texts)


def draft_json(draft: Draft, public_key: str) -> str:
    """Write a draft as the parameter of `sign_event`.

    With the key that is to sign, which the NIP leaves out and rust-nostr wants.
    """
    told = {"pubkey": public_key, "created_at": draft.created_at, "kind": draft.kind}
    return _written(told | {"tags": draft.tags, "content": draft.content})


def read_draft(text: str) -> Draft | None:
    """Read the parameter of `sign_event`, None for what is no draft. Other fields do not count."""
    said = _object(text)
    created_at, kind = _number(said.get("created_at")), _number(said.get("kind"))
    tags, content = said.get("tags"), said.get("content")
    if created_at is None or kind is None or created_at > MAX_CREATED_AT or kind > MAX_KIND:
        return None
    if not isinstance(content, str) or not isinstance(tags, list):
        return None
    if not all(isinstance(tag, list) and all(isinstance(x, str) for x in tag) for tag in tags):
        return None
    return Draft(created_at, kind, tuple(map(tuple, tags)), content)


def _number(value: object) -> int | None:
    # A bool is an int to Python, and no JSON number.
    return value if type(value) is int and value >= 0 else None


def _texts(values: Sequence[object]) -> tuple[str, ...] | None:
    """Return what must be texts, null for an empty one as some write it; None if they are not."""
    found = ["" if value is None else value for value in values if value is None or _is_text(value)]
    return tuple(map(str, found)) if len(found) == len(values) else None


def _name(said: Mapping[str, object]) -> str | None:
    name = said.get("id")
    return (
        name if isinstance(name, str) and _is_text(name) and 0 < len(name) <= _LONGEST_ID else None
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and _LONE_SURROGATE.search(value) is None


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _words(value: object) -> str:
    return value[:_LONGEST_WORDS] if isinstance(value, str) and _is_text(value) else ""


def _written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
