"""NIP-11 documents: what a relay says of itself, however hostile it is."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.admission import Admission, admission
from nostr_threads.core.limits import Limits as AskingLimits
from nostr_threads.errors import InvalidRelayUrl, NostrThreadsError, RelayInfoUnavailable
from nostr_threads.net.info import (
    RelayInfo,
    RelayLimits,
    admission_of,
    fetch_info,
    fetch_info_text,
    info_text,
    limits_of,
    parse_info,
)
from nostr_threads.relayd.limits import SUPPORTED_NIPS, Limits
from tests.core.strategies import json_values
from tests.net.peers import SECONDS, faulty
from tests.net.web import Body, blunt_server, web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

URL = "wss://relay.example/path"

NOSTR_WINE = {
    "contact": "wino@nostr.wine",
    "description": "A paid nostr relay for wine enthusiasts and everyone else.",
    "fees": {"admission": [{"amount": 18888000, "unit": "msats"}]},
    "limitation": {
        "auth_required": False,
        "created_at_lower_limit": 94608000,
        "created_at_upper_limit": 300,
        "max_event_tags": 4000,
        "max_limit": 1000,
        "max_message_length": 524288,
        "max_subid_length": 71,
        "max_subscriptions": 50,
        "min_pow_difficulty": 0,
        "payment_required": True,
        "restricted_writes": True,
    },
    "name": "nostr.wine",
    "software": "https://nostr.wine",
    "supported_nips": [1, 2, 4, 9, 11, 40, 42, 50, 70, 77],
    "version": "0.3.3",
}


async def asked(answer: Callable[[httpx.Request], httpx.Response], url: str = URL) -> RelayInfo:
    """Fetch from a web server that answers so."""
    async with asyncio.timeout(SECONDS):
        return await fetch_info(url, client=web(answer))


async def said(document: object) -> RelayInfo:
    """Fetch this document."""
    body = json.dumps(document)
    return await asked(lambda _: httpx.Response(200, text=body))


async def test_the_document_of_a_real_relay_is_read() -> None:
    """One of NIP-11's examples."""
    assert await said(NOSTR_WINE) == RelayInfo(
        name="nostr.wine",
        description="A paid nostr relay for wine enthusiasts and everyone else.",
        software="https://nostr.wine",
        version="0.3.3",
        supported_nips=(1, 2, 4, 9, 11, 40, 42, 50, 70, 77),
        limits=RelayLimits(
            max_message_length=524288,
            max_subscriptions=50,
            max_subid_length=71,
            max_limit=1000,
            max_event_tags=4000,
            min_pow_difficulty=0,
            created_at_lower_limit=94608000,
            created_at_upper_limit=300,
            payment_required=True,
            restricted_writes=True,
        ),
    )


async def test_our_own_relay_is_read_over_a_real_socket() -> None:
    limits = Limits(max_limit=77)
    async with asyncio.timeout(SECONDS), faulty(limits=limits) as peer:
        info = await fetch_info(peer.url)
        assert info.name == "nostr-threads"
        assert set(info.supported_nips) <= set(SUPPORTED_NIPS)
        assert info.limits.max_limit == 77
        assert info.limits.max_content_length == limits.max_content_length
        assert info.limits.auth_required is False


async def test_the_request_is_the_one_that_nip_11_asks_for() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, str(request.url), request.headers["Accept"]))
        return httpx.Response(200, text="{}")

    await asked(answer)
    await asked(answer, "WS://Relay.Example:7777")
    assert seen == [
        ("GET", "https://relay.example/path", "application/nostr+json"),
        ("GET", "http://relay.example:7777", "application/nostr+json"),
    ]


_fields = (*NOSTR_WINE, "icon", "limitation")
_limit_fields = [*RelayLimits.__dataclass_fields__, "max_filters"]


@given(
    st.dictionaries(st.sampled_from(_fields), json_values),
    st.none() | st.dictionaries(st.sampled_from(_limit_fields), json_values),
)
async def test_a_field_of_the_wrong_type_counts_as_not_said(
    document: dict[str, Any], limitation: dict[str, Any] | None
) -> None:
    if limitation is not None:
        document = document | {"limitation": limitation}
    info = await said(document)
    for name in ("name", "description", "software", "version"):
        assert isinstance(getattr(info, name), str)
    assert all(type(nip) is int for nip in info.supported_nips)
    for name, limit in RelayLimits.__dataclass_fields__.items():
        value = getattr(info.limits, name)
        wanted = (limitation or {}).get(name)
        if limit.default is False:
            assert value is (wanted is True)
        else:
            assert value is None or (type(value) is int and value >= 0 and value == wanted)


async def test_one_wrong_field_spoils_no_other() -> None:
    info = await said(
        {
            "name": 7,
            "version": "1",
            "supported_nips": [1, "2", True, None, 3, 3, -1, 2**80],
            "limitation": {"max_limit": "500", "max_subscriptions": 20, "auth_required": 1},
        }
    )
    assert (info.name, info.version, info.supported_nips) == ("", "1", (1, 3))
    assert info.limits == RelayLimits(max_subscriptions=20)


async def test_a_lone_surrogate_does_not_get_through() -> None:
    info = await asked(lambda _: httpx.Response(200, text='{"name":"\\ud800"}'))
    assert info.name.encode() == b"?"


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (httpx.Response(404), "404"),
        (httpx.Response(500, text="{}"), "500"),
        (httpx.Response(200, text="<html>"), "not JSON"),
        (httpx.Response(200, text=""), "not JSON"),
        (httpx.Response(200, content=b"\xff\xfe\x00"), "not JSON"),
        (httpx.Response(200, text="[" * 200_000), "not JSON"),
        (httpx.Response(200, text="1" * 10_000), "not JSON"),
        (httpx.Response(200, text="[1]"), "not a JSON object"),
        (httpx.Response(200, text="null"), "not a JSON object"),
        (httpx.Response(302), "302"),
        (httpx.Response(302, headers={"Location": "file:///etc/passwd"}), "not safe"),
        (httpx.Response(302, headers={"Location": "http://relay.example/"}), "not safe"),
        (httpx.Response(302, headers={"Location": "https://127.0.0.1/"}), "private"),
        (httpx.Response(302, headers={"Location": "https://router.lan/"}), "private"),
        (httpx.Response(302, headers={"Location": "https://u:p@other.example/"}), "no web address"),
        (httpx.Response(302, headers={"Location": "https://[/"}), "no web address"),
        (httpx.Response(302, headers={"Location": "https://other.example/"}), "more than 3"),
    ],
)
async def test_what_is_no_document_is_told(response: httpx.Response, why: str) -> None:
    with pytest.raises(RelayInfoUnavailable, match=why) as error:
        await asked(lambda _: response)
    assert isinstance(error.value, NostrThreadsError)
    assert (error.value.url, error.value.exit_code) == (URL, 1)


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.DecodingError])
async def test_a_connection_that_fails_is_told(failure: type[httpx.RequestError]) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise failure("words of a stranger \x1b[31m")

    with pytest.raises(RelayInfoUnavailable) as error:
        await asked(answer)
    assert "stranger" not in str(error.value)


async def test_three_redirects_are_followed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        place = int(request.url.path[1:] or 0) if request.url.path != "/path" else 0
        if place == 3:
            return httpx.Response(200, text='{"name":"found"}')
        return httpx.Response(307, headers={"Location": f"/{place + 1}"})

    assert (await asked(answer)).name == "found"


async def test_a_document_that_never_ends_is_not_read_to_its_end() -> None:
    sent = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            sent.append(1)
            yield b" " * 1024

    with pytest.raises(RelayInfoUnavailable, match="over 262144 bytes"):
        await asked(lambda _: httpx.Response(200, content=endless()))
    assert len(sent) == 257


async def test_a_compressed_bomb_is_not_unfolded() -> None:
    """Nothing compressed was asked for."""
    bomb = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Body(b"\x1f\x8b..."))
    with pytest.raises(RelayInfoUnavailable, match="not JSON"):
        await asked(lambda _: bomb)


async def test_silence_is_told_in_time() -> None:
    async with asyncio.timeout(SECONDS), blunt_server(b"") as url:
        with pytest.raises(RelayInfoUnavailable, match="in time"):
            await fetch_info(url, seconds=0.1)


async def test_nobody_there_is_told() -> None:
    with pytest.raises(RelayInfoUnavailable, match="no connection"):
        await fetch_info("ws://127.0.0.1:9", seconds=5.0)


async def test_what_is_no_relay_url_is_refused() -> None:
    with pytest.raises(InvalidRelayUrl):
        await fetch_info("https://relay.example")


# Kept as text, and what follows from it


@given(st.text() | st.binary() | json_values.map(json.dumps))
def test_a_document_that_was_kept_is_read_whatever_it_is(text: str | bytes) -> None:
    assert isinstance(parse_info(text), RelayInfo)


@given(st.dictionaries(st.sampled_from(("name", "supported_nips", "limitation")), json_values))
def test_what_was_read_is_read_again_from_what_is_kept(document: dict[str, object]) -> None:
    info = parse_info(document)
    assert parse_info(info_text(info)) == info


async def test_a_document_is_fetched_as_text_to_keep() -> None:
    body = json.dumps(NOSTR_WINE)
    async with asyncio.timeout(SECONDS):
        text = await fetch_info_text(URL, client=web(lambda _: httpx.Response(200, text=body)))
    assert parse_info(text) == parse_info(NOSTR_WINE)


def test_nothing_kept_says_nothing() -> None:
    assert parse_info("") == RelayInfo()
    assert limits_of(RelayInfo()) == AskingLimits()


def test_what_a_relay_says_is_what_it_is_asked_within() -> None:
    limits = limits_of(parse_info(NOSTR_WINE))
    assert (limits.cap, limits.message_bytes, limits.subid_length) == (1000, 524288, 71)


def test_what_a_relay_says_is_what_is_published_there() -> None:
    said = admission_of(parse_info(NOSTR_WINE))
    limits = parse_info(NOSTR_WINE).limits
    assert said == admission(NOSTR_WINE)
    assert (said.message_bytes, said.tags) == (limits.max_message_length, limits.max_event_tags)
    assert (said.past, said.future) == (94_608_000, 300)
    assert admission_of(RelayInfo()) == Admission()
