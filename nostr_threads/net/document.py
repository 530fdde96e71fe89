"""A small JSON document over HTTP, bounded in size, time and redirects.

Knows what a hostile web server may do. Knows nothing of what the document says.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, TypeAlias

import httpx

from nostr_threads.core.relay_url import is_local
from nostr_threads.errors import InvalidRelayUrl
from nostr_threads.net.public import public_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_BYTES", "NewClient", "NoDocument", "get_json", "public_client"]

NewClient: TypeAlias = "Callable[[], httpx.AsyncClient]"
"""Makes the HTTP client for one document."""

MAX_BYTES = 256 * 2**10
"""Bytes of the largest document that is read."""


_PORTS = {"http": 80, "https": 443}
_NO_ADDRESS = "it redirects to something that is no web address"


class NoDocument(Exception):
    """There is no usable document; the text says why, and repeats nothing that the server sent."""


def public_client() -> httpx.AsyncClient:
    """Make an HTTP client that connects to public addresses alone, and uses no proxy."""
    return httpx.AsyncClient(transport=_PublicAlone(), trust_env=False)


async def get_json(
    url: str, *, accept: str, seconds: float, redirects: int, client: NewClient | None = None
) -> object:
    """GET the JSON document at an http or https `url` within `seconds`.

    Follows at most `redirects`, none from https to http and none into private networks from
    outside. Raises `NoDocument`.
    """
    try:
        async with asyncio.timeout(seconds), _client(url, client) as http:
            for _ in range(redirects + 1):
                body, location = await _get(http, url, accept)
                if location is None:
                    return json.loads(body)
                url = _redirected(url, location)
    except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ImportError) as error:
        raise NoDocument(_reason(error)) from None
    except (ValueError, RecursionError):
        raise NoDocument("what came back is not JSON") from None
    if not redirects:
        raise NoDocument("it redirects elsewhere, which is not allowed here")
    raise NoDocument(f"it redirects more than {redirects} times")


class _PublicAlone(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        try:
            address, *_ = await public_addresses(url.host, url.port or _PORTS[url.scheme])
        except OSError as error:
            raise httpx.ConnectError(str(error)) from None
        # The name stays in the Host header, and is what a certificate must be for.
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        request.url = url.copy_with(host=address)
        return await super().handle_async_request(request)


def _client(url: str, client: NewClient | None) -> httpx.AsyncClient:
    if client is not None:
        return client()
    try:
        # The environment's proxy cannot reach this machine.
        return httpx.AsyncClient(trust_env=not is_local(_as_relay(url)))
    except (ValueError, ImportError, httpx.InvalidURL):
        raise NoDocument("the proxy that the environment names cannot be used") from None


async def _get(http: httpx.AsyncClient, url: str, accept: str) -> tuple[bytes, str | None]:
    """Return the body, or the place to look instead."""
    # Not compressed: a few bytes could unfold into gigabytes.
    headers = {"Accept": accept, "Accept-Encoding": "identity"}
    async with http.stream("GET", url, headers=headers, follow_redirects=False) as response:
        if response.has_redirect_location:
            return b"", response.headers["Location"]
        if response.status_code != httpx.codes.OK:
            raise NoDocument(f"HTTP status {response.status_code}")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BYTES:
                raise NoDocument(f"the document is over {MAX_BYTES} bytes")
        return bytes(body), None


def _redirected(url: str, location: str) -> str:
    old, new = httpx.URL(url), httpx.URL(url).join(location)
    if new.scheme not in ("http", "https") or (old.scheme, new.scheme) == ("https", "http"):
        raise NoDocument("it redirects to something that is not safe")
    try:
        if is_local(_as_relay(str(new))) and not is_local(_as_relay(url)):
            raise NoDocument("it redirects into a private network")
    except InvalidRelayUrl:
        raise NoDocument(_NO_ADDRESS) from None
    return str(new)


def _as_relay(url: str) -> str:
    """The same place as a websocket URL, of which is known what is local."""
    return "ws" + url.removeprefix("http")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return _NO_ADDRESS
    return "no connection" if isinstance(error, httpx.ConnectError) else "the connection failed"
