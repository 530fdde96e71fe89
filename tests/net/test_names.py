"""NIP-05 names: who is meant, and what answers of a domain are not believed."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given

from nostr_threads.core.nip19 import Profile
from nostr_threads.errors import InvalidCode
from nostr_threads.net.names import resolve
from tests.core.invented import hex_of
from tests.core.strategies import json_values
from tests.net.peers import SECONDS
from tests.net.web import web

if TYPE_CHECKING:
    from collections.abc import Callable

BOB = hex_of("bob")


async def asked(
    answer: Callable[[httpx.Request], httpx.Response],
    name: str = "bob",
    domain: str = "site.example",
) -> Profile:
    """Resolve a name at a web server that answers so."""
    async with asyncio.timeout(SECONDS):
        return await resolve(name, domain, client=web(answer))


async def said(document: object, name: str = "bob") -> Profile:
    """Resolve a name in this document."""
    body = json.dumps(document)
    return await asked(lambda _: httpx.Response(200, text=body), name)


async def test_a_name_is_asked_for_where_nip_05_says() -> None:
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, str(request.url)))
        return httpx.Response(200, json={"names": {"bob": BOB, "_": BOB}})

    await asked(answer)
    await asked(answer, "_", "Site.Example")
    assert seen == [
        ("GET", "https://site.example/.well-known/nostr.json?name=bob"),
        ("GET", "https://site.example/.well-known/nostr.json?name=_"),
    ]


async def test_it_means_a_key_with_relays() -> None:
    relays = ["wss://Relay.Example/", "wss://relay.example", "no relay", 7, "wss://two.example"]
    document = {"names": {"bob": BOB}, "relays": {BOB: relays, hex_of("x"): ["wss://x.example"]}}
    assert await said(document) == Profile(BOB, ("wss://relay.example", "wss://two.example"))


async def test_the_case_of_a_name_does_not_matter() -> None:
    """NIP-05: case-insensitive; the exact spelling is preferred."""
    assert await said({"names": {"Bob": BOB}}, "BOB") == Profile(BOB)
    assert await said({"names": {"Bob": hex_of("x"), "bob": BOB}}) == Profile(BOB)


async def test_a_thousand_recommended_relays_are_not_believed() -> None:
    relays = {BOB: [f"wss://r{number}.example" for number in range(1000)]}
    assert len((await said({"names": {"bob": BOB}, "relays": relays})).relays) == 20


@pytest.mark.parametrize(
    "relays", [None, [], "wss://x.example", {BOB: "x"}, {BOB: {}}, {BOB: None}]
)
async def test_relays_of_the_wrong_type_are_none(relays: object) -> None:
    assert await said({"names": {"bob": BOB}, "relays": relays}) == Profile(BOB)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"names": {"alice": BOB}}, "nobody called 'bob'"),
        ({"names": {}}, "nobody called"),
        ({"names": {"bob": None}}, "nobody called"),
        ({"names": []}, "no list of names"),
        ({}, "no list of names"),
        ([], "no list of names"),
        (None, "no list of names"),
        ({"names": {"bob": BOB.upper()}}, "no public key in hex"),
        ({"names": {"bob": BOB[:-1]}}, "no public key in hex"),
        ({"names": {"bob": BOB + "\n"}}, "no public key in hex"),
        ({"names": {"bob": "npub1xyz"}}, "no public key in hex"),
        ({"names": {"bob": 7}}, "no public key in hex"),
        ({"names": {"bob": {}}}, "no public key in hex"),
    ],
)
async def test_an_answer_that_names_no_key_is_told(document: object, why: str) -> None:
    with pytest.raises(InvalidCode, match=why):
        await said(document)


@given(json_values)
async def test_no_answer_raises_anything_else(document: object) -> None:
    with pytest.raises(InvalidCode):
        await said({"names": document})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """NIP-05: clients must ignore any HTTP redirects."""
    asked_for = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked_for.append(request.url.path)
        return httpx.Response(status, headers={"Location": "https://site.example/elsewhere"})

    with pytest.raises(InvalidCode, match="redirects"):
        await asked(answer)
    assert len(asked_for) == 1


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (httpx.Response(404), "404"),
        (httpx.Response(200, text="<html>"), "not JSON"),
        (httpx.Response(200, content=b" " * 300_000), "over 262144 bytes"),
    ],
)
async def test_a_domain_without_names_is_told(response: httpx.Response, why: str) -> None:
    with pytest.raises(InvalidCode, match=rf"site\.example was asked for 'bob': .*{why}"):
        await asked(lambda _: response)


async def test_a_domain_that_cannot_be_reached_is_told() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no")

    with pytest.raises(InvalidCode, match="no connection"):
        await asked(answer)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("b&b", "site.example"),
        ("bob", "localhost"),
        ("bob", "127.0.0.1"),
        ("bob", "site.example/x"),
        ("bob", "site.example:8080"),
        ("", "site.example"),
        ("bob?x=y", "site.example"),
        ("nsec1abc", "site.example"),
    ],
)
async def test_what_is_no_name_is_not_looked_up(name: str, domain: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        raise AssertionError("it was looked up")

    with pytest.raises(InvalidCode, match="no name@domain"):
        await asked(answer, name, domain)
