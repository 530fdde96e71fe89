"""What time relays think it is, learned from their handshakes."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import serve
from websockets.datastructures import Headers
from websockets.http11 import Response

from nostr_threads.core.clocks import skewed
from nostr_threads.core.filters import Filter
from nostr_threads.net.transport import _clock_skew
from tests.net.peers import BRIEF, faulty, pooled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request

NOW = 1_700_000_000.0
NOTES = Filter(kinds=(1,))
NOBODY = "ws://127.0.0.1:9"


@asynccontextmanager
async def dated(*dates: str) -> AsyncIterator[str]:
    """Run a websocket server whose handshake says these dates, and no other; its URL."""

    async def silence(socket: ServerConnection) -> None:
        await socket.wait_closed()

    def answer(_: ServerConnection, __: Request, response: Response) -> None:
        while "Date" in response.headers:
            del response.headers["Date"]
        for date in dates:
            response.headers["Date"] = date

    async with serve(silence, "127.0.0.1", 0, process_response=answer) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


def skew(*dates: str) -> float | None:
    headers = Headers([("Date", date) for date in dates])
    return _clock_skew(Response(101, "Switching Protocols", headers), NOW)


async def test_a_pool_knows_which_relays_are_ahead_of_us_and_by_how_much() -> None:
    ahead = formatdate(time.time() + 3600, usegmt=True)
    async with dated(ahead) as one, dated(ahead) as other, faulty() as ours, pooled(BRIEF) as pool:
        assert pool.clock_skews() == {}
        await pool.fetch([(url, NOTES) for url in (one, other, ours.url, NOBODY)])
        skews = pool.clock_skews()
        assert skews.keys() == {one, other, ours.url}
        assert [abs(skews[url] - 3600) < 20 for url in (one, other)] == [True, True]
        assert abs(skews[ours.url]) < 20
        assert (skewed(skews) or 0) > 3500


@pytest.mark.parametrize("dates", [(), ("yesterday",), (formatdate(0), formatdate(1))])
async def test_a_relay_that_tells_no_time_is_no_clock(dates: tuple[str, ...]) -> None:
    async with dated(*dates) as url, pooled(BRIEF) as pool:
        await pool.fetch([(url, NOTES)])
        assert pool.clock_skews() == {}


@pytest.mark.parametrize(
    ("date", "ahead"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", 0.5),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.5),
        ("Tue, 14 Nov 2023 22:13:20 -0000", 0.5),
        ("Tue, 14 Nov 2023 23:13:20 +0100", 0.5),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 251_702_300_799.5),
        ("", None),
        ("2023-11-14T22:13:20Z", None),
        ("Tue, 14 Nov 99999 22:13:20 GMT", None),
        ("Tue, 14 Nov 2023 22:13:20 +9999999999", None),
        ("9" * 8000, None),
    ],
)
def test_a_date_is_read_as_http_writes_it(date: str, ahead: float | None) -> None:
    assert skew(date) == ahead


def test_an_answer_without_headers_is_no_clock() -> None:
    assert _clock_skew(None, NOW) is None
    assert skew() is None


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126))
    | st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]+ [0-9:]+ [-+]?[0-9A-Z]*\Z")
)
def test_a_date_may_be_anything(date: str) -> None:
    found = skew(date)
    assert found is None or isinstance(found, float)
