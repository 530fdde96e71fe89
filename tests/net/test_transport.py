"""The websocket behind its Protocol: every failure is one of two, and says why."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from nostr_threads.net import transport as transport_module
from nostr_threads.net.transport import Disconnected, Unreachable, open_websocket
from tests.net.peers import SECONDS, faulty, scripted
from tests.net.web import blunt_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import Any

    from websockets.asyncio.server import ServerConnection


@pytest.fixture(autouse=True)
async def _bounded() -> AsyncIterator[None]:
    async with asyncio.timeout(SECONDS):
        yield


async def echo(socket: ServerConnection, message: list[Any]) -> None:
    if message == ["leave"]:
        await socket.close(4000, "bye")
    else:
        await socket.send(f'["é",{len(message)}]')


async def test_text_goes_out_and_bytes_come_in() -> None:
    async with scripted(echo) as url:
        transport = await open_websocket(url, 5.0)
        await transport.send("[1,2,3]")
        assert await transport.receive() == '["é",3]'.encode()
        await transport.close()
        await transport.close()


async def test_the_relays_goodbye_is_told() -> None:
    async with scripted(echo) as url:
        transport = await open_websocket(url, 5.0)
        await transport.send('["leave"]')
        with pytest.raises(Disconnected, match=r"4000: bye"):
            await transport.receive()
        with pytest.raises(Disconnected):
            await transport.send("[]")
        await transport.close()


async def test_a_cut_connection_is_told() -> None:
    async def cut(socket: ServerConnection, _: list[Any]) -> None:
        socket.transport.abort()

    async with scripted(cut) as url:
        transport = await open_websocket(url, 5.0)
        await transport.send("[]")
        with pytest.raises(Disconnected, match="lost"):
            await transport.receive()
        await transport.close()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200"),
        (b"SSH-2.0-OpenSSH\r\n", "HTTP"),
        (b"\x00\xff", "HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000, "HTTP"),
    ],
)
async def test_what_is_no_relay_is_unreachable(answer: bytes, why: str) -> None:
    async with blunt_server(answer) as url:
        with pytest.raises(Unreachable, match=why):
            await open_websocket(url, 5.0)


async def test_silence_is_unreachable_in_time() -> None:
    async with blunt_server(b"") as url:
        with pytest.raises(Unreachable, match="in time"):
            await open_websocket(url, 0.1)


async def test_no_redirect_is_followed() -> None:
    """A relay must not send us into a private network."""
    async with faulty() as inside:
        answer = f"HTTP/1.1 302 Found\r\nLocation: {inside.url}/\r\n\r\n".encode()
        async with blunt_server(answer) as url:
            with pytest.raises(Unreachable, match="302"):
                await open_websocket(url, 5.0)
        assert inside.accepted_connections == 0


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9", "ws://nowhere.invalid"])
async def test_where_nobody_listens_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable):
        await open_websocket(url, 2.0)


async def test_a_proxy_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        await open_websocket("ws://relay.example", 2.0, "http://127.0.0.1:9")


@pytest.mark.parametrize("option", [None, transport_module._QUICK_ACK])
async def test_what_comes_is_acknowledged_at_once_where_that_can_be_asked_for(
    option: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay with Nagle's algorithm on sends its many small messages without a pause of 40 ms."""
    monkeypatch.setattr(transport_module, "_QUICK_ACK", option)

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        for number in range(50):
            await socket.send(json.dumps([message, number]))

    async with scripted(script) as url:
        wire = await open_websocket(url, 5.0)
        await wire.send("[1]")
        assert [json.loads(await wire.receive())[1] for _ in range(50)] == list(range(50))
        await wire.close()
        with pytest.raises(Disconnected):
            await wire.receive()


async def test_a_relay_that_pings_and_never_reads_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each ping is answered at once: what nobody reads must not pile up here."""
    monkeypatch.setattr(transport_module, "_MOST_UNSENT", 2**16)
    monkeypatch.setattr(transport_module, "_WATCH_SECONDS", 0.05)
    ping = bytes((0x89, 125)) + bytes(125)

    async def flood(socket: ServerConnection, _: list[Any]) -> None:
        socket.transport.pause_reading()
        while not socket.transport.is_closing():
            socket.transport.write(ping * 500)
            await asyncio.sleep(0)  # a turn for the sockets of both ends

    async with scripted(flood) as url:
        transport = await open_websocket(url, 5.0)
        await transport.send('["begin"]')
        with pytest.raises(Disconnected):
            await transport.receive()
        await transport.close()
