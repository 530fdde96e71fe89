"""Names of strangers: the address that was judged is the one that is dialled."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from nostr_threads.errors import RelayInfoUnavailable
from nostr_threads.net import document, transport
from nostr_threads.net.document import public_client
from nostr_threads.net.info import fetch_info
from nostr_threads.net.public import public_addresses
from nostr_threads.net.transport import Unreachable, open_public_websocket
from nostr_threads.relayd import RelayServer
from nostr_threads.testing import FaultyRelay
from tests.net.resolvers import leading_to
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from types import ModuleType

    import httpx

PUBLIC, PUBLIC_V6 = "203.0.114.7", "2606:4700::1111"
PRIVATE = (
    *("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.1.1", "0.0.0.0"),  # noqa: S104 - no bind
    *("::1", "fe80::1%lo", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1"),
)


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_to_a_private_address_leads_nowhere(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    leading_to(monkeypatch, address)
    with pytest.raises(OSError, match="its name leads into a private network"):
        await public_addresses("relay.example", 443)


async def test_of_several_addresses_the_public_ones_are_left_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leading_to(monkeypatch, "10.0.0.1", PUBLIC_V6, "::1", PUBLIC, PUBLIC)
    assert await public_addresses("relay.example", 443) == [PUBLIC_V6, PUBLIC]


async def test_nothing_is_dialled_in_a_private_network(monkeypatch: pytest.MonkeyPatch) -> None:
    leading_to(monkeypatch, "127.0.0.1")
    async with FaultyRelay(stocked()) as relay:
        url = relay.url.replace("127.0.0.1", "relay.example")
        with pytest.raises(Unreachable, match="its name leads into a private network"):
            await open_public_websocket(url, 5.0)
        with pytest.raises(RelayInfoUnavailable):
            await fetch_info(url, client=public_client)
        assert relay.accepted_connections == 0


async def test_a_name_that_leads_nowhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable, match="no such host"):
        await open_public_websocket("wss://relay.example", 5.0)


def count_as_public(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, *addresses: str
) -> list[str]:
    """Let addresses of this machine count as public ones."""
    asked: list[str] = []

    async def found(host: str, _: int) -> list[str]:
        asked.append(host)
        return list(addresses)

    monkeypatch.setattr(module, "public_addresses", found)
    return asked


async def test_the_next_address_is_tried_and_the_name_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Nobody listens at the first: the relay is at one address of this machine alone.
    asked = count_as_public(monkeypatch, transport, "127.0.0.2", "127.0.0.1")
    names = leading_to(monkeypatch, PUBLIC)
    async with RelayServer(stocked()) as relay:
        wire = await open_public_websocket(relay.url.replace("127.0.0.1", "relay.example"), 5.0)
        await wire.send('["CLOSE","x"]')
        await wire.close()
    assert (asked, names) == (["relay.example"], [])


async def test_all_addresses_together_get_the_time_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    count_as_public(monkeypatch, transport, "127.0.0.2", "127.0.0.3")
    with pytest.raises(Unreachable, match="connection refused"):
        await open_public_websocket("ws://relay.example:9", 5.0)
    with pytest.raises(Unreachable, match="no connection in time"):
        await open_public_websocket("ws://relay.example:9", 0.0)


async def test_a_document_is_asked_for_by_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = count_as_public(monkeypatch, document, "127.0.0.1")
    names = leading_to(monkeypatch, PUBLIC)
    hosts: list[str] = []

    async def note(request: httpx.Request) -> None:
        hosts.append(request.headers["Host"])

    def client() -> httpx.AsyncClient:
        made = public_client()
        made.event_hooks = {"request": [note]}
        return made

    async with RelayServer(stocked()) as relay:
        url = relay.url.replace("127.0.0.1", "relay.example")
        assert (await fetch_info(url, client=client)).supported_nips
    assert (asked, names) == (["relay.example"], [])
    assert hosts == [url.removeprefix("ws://")]


async def test_where_a_proxy_resolves_names_it_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = leading_to(monkeypatch, "127.0.0.1")
    with pytest.raises(Unreachable, match="refused"):
        await open_public_websocket("ws://relay.example", 5.0, "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="refused"):
        await open_public_websocket("wss://relay.example", 5.0)
    assert names == []
