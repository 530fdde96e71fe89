"""What a relay says about itself: the NIP-11 document, read with distrust.

Knows the fields that matter to a client. What follows from them is for `core.limits` to say of
questions, and for `core.admission` of what is published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from nostr_threads.core.admission import Admission, admission
from nostr_threads.core.event import MAX_CREATED_AT
from nostr_threads.core.limits import Limits, declared
from nostr_threads.core.relay_url import normalize
from nostr_threads.errors import RelayInfoUnavailable
from nostr_threads.net.document import NoDocument, get_json

if TYPE_CHECKING:
    from nostr_threads.net.document import NewClient

__all__ = [
    "RelayInfo",
    "RelayLimits",
    "admission_of",
    "fetch_info",
    "fetch_info_text",
    "info_text",
    "limits_of",
    "parse_info",
]

_ACCEPT = "application/nostr+json"
_REDIRECTS = 3
_MOST_NIPS = 1000


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """NIP-11's `limitation`; None for what the relay does not say.

    `max_message_length` counts bytes, `max_content_length` characters, and the `created_at` limits
    are seconds before and after now.
    """

    max_message_length: int | None = None
    max_subscriptions: int | None = None
    max_subid_length: int | None = None
    max_limit: int | None = None
    default_limit: int | None = None
    max_event_tags: int | None = None
    max_content_length: int | None = None
    min_pow_difficulty: int | None = None
    created_at_lower_limit: int | None = None
    created_at_upper_limit: int | None = None
    auth_required: bool = False
    payment_required: bool = False
    restricted_writes: bool = False


@dataclass(frozen=True, slots=True)
class RelayInfo:
    """A relay in its own words, which are hostile text; "" for what it does not say."""

    name: str = ""
    description: str = ""
    software: str = ""
    version: str = ""
    supported_nips: tuple[int, ...] = ()
    limits: RelayLimits = RelayLimits()


async def fetch_info(
    url: str, *, seconds: float = 10.0, client: NewClient | None = None
) -> RelayInfo:
    """Fetch the NIP-11 document of the relay at `url` (ws or wss) within `seconds`.

    A field of the wrong type counts as not said. `client` makes the HTTP client. Raises
    `InvalidRelayUrl`, and `RelayInfoUnavailable` when there is no document of at most 256 KiB.
    """
    relay = normalize(url)
    try:
        document = await get_json(
            "http" + relay.removeprefix("ws"),
            accept=_ACCEPT,
            seconds=seconds,
            redirects=_REDIRECTS,
            client=client,
        )
    except NoDocument as error:
        raise RelayInfoUnavailable(relay, str(error)) from None
    if not isinstance(document, Mapping):
        raise RelayInfoUnavailable(relay, "what came back is not a JSON object")
    return parse_info(document)


async def fetch_info_text(
    url: str, *, seconds: float = 10.0, client: NewClient | None = None
) -> str:
    """Fetch a document as text to keep, for `parse_info`. Raises what `fetch_info` raises."""
    return info_text(await fetch_info(url, seconds=seconds, client=client))


def info_text(info: RelayInfo) -> str:
    """Write the fields that are known as NIP-11's JSON; `parse_info` gives them back."""
    document = asdict(info)
    said = {name: value for name, value in document.pop("limits").items() if value is not None}
    return json.dumps({**document, "limitation": said})


def parse_info(document: str | bytes | Mapping[str, object]) -> RelayInfo:
    """Read a document. Never raises: what is no JSON object says nothing."""
    if not isinstance(document, Mapping):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError):
            return RelayInfo()
    return _info(document) if isinstance(document, Mapping) else RelayInfo()


def limits_of(info: RelayInfo) -> Limits:
    """Return what a relay takes from us, by its own words."""
    said = info.limits
    return declared(
        max_limit=said.max_limit,
        default_limit=said.default_limit,
        max_subscriptions=said.max_subscriptions,
        max_message_length=said.max_message_length,
        max_subid_length=said.max_subid_length,
    )


def admission_of(info: RelayInfo) -> Admission:
    """Return what a relay takes of what we publish, by its own words."""
    return admission({"limitation": asdict(info.limits)})


def _info(document: Mapping[str, object]) -> RelayInfo:
    limits = document.get("limitation")
    return RelayInfo(
        name=_text(document.get("name")),
        description=_text(document.get("description")),
        software=_text(document.get("software")),
        version=_text(document.get("version")),
        supported_nips=_numbers(document.get("supported_nips")),
        limits=_limits(limits) if isinstance(limits, Mapping) else RelayLimits(),
    )


def _limits(said: Mapping[str, object]) -> RelayLimits:
    limits = RelayLimits()
    usable = {
        field.name: said[field.name]
        for field in fields(RelayLimits)
        if field.name in said
        if _fits(said[field.name], boolean=isinstance(getattr(limits, field.name), bool))
    }
    return RelayLimits(**usable)  # type: ignore[arg-type]  # checked one by one just above


def _fits(value: object, *, boolean: bool) -> bool:
    return isinstance(value, bool) if boolean else _is_number(value)


def _is_number(value: object) -> bool:
    # A bool is an int to Python, and not to NIP-11.
    return type(value) is int and 0 <= value <= MAX_CREATED_AT


def _numbers(value: object) -> tuple[int, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(dict.fromkeys(item for item in value[:_MOST_NIPS] if _is_number(item)))


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    # JSON can spell lone surrogates, which nothing can print.
    return value.encode("utf-8", "replace").decode()
