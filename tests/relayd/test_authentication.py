"""NIP-42: who is on the line, and what is kept from strangers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Auth, AuthChallenge, Closed, Count, Ok, Request
from nostr_threads.core.wire import encode
from nostr_threads.relayd.acceptance import Refused, check_authentication
from nostr_threads.testing import Author, forged
from tests.relayd.peers import CHALLENGE, NOW, URL, asked, connected, published, say

ALICE, BOB = Author(1), Author(2)
GOOD = ALICE.authentication(URL, CHALLENGE, NOW)


def test_a_relay_without_authentication_neither_asks_nor_accepts_it() -> None:
    client = connected()
    assert client.greet() == []
    (ok,) = say(client, Auth(GOOD))
    assert ok == Ok(GOOD.id, False, "error: nobody is asked to authenticate here")
    assert client.authenticated == frozenset()


def test_the_challenge_is_the_first_word() -> None:
    assert connected(auth="offered").greet() == [AuthChallenge(CHALLENGE)]
    assert connected(auth="required").greet() == [AuthChallenge(CHALLENGE)]


def test_a_required_authentication_opens_reading_writing_and_counting() -> None:
    client, note = connected(auth="required"), ALICE.note("x")
    for question in (Request("sub", (Filter(),)), Count("sub", (Filter(),))):
        (closed,) = say(client, question)
        assert isinstance(closed, Closed)
        assert closed.reason.startswith("auth-required: ")
    assert published(client, note).reason.startswith("auth-required: ")
    assert client.subscriptions == {}
    assert say(client, Auth(GOOD)) == [Ok(GOOD.id, True, "")]
    assert published(client, note).accepted
    assert asked(client, Filter())[0] == [note.id]


def test_an_offered_authentication_keeps_nothing_from_strangers() -> None:
    assert published(connected(auth="offered"), ALICE.note("x")).accepted


def test_several_keys_may_be_proved_in_a_row() -> None:
    """NIP-42: relays MUST treat all pubkeys as authenticated."""
    client = connected(auth="offered")
    for author in (ALICE, BOB):
        say(client, Auth(author.authentication(URL, CHALLENGE, NOW)))
    assert client.authenticated == {ALICE.pubkey, BOB.pubkey}


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(ALICE.authentication(URL, "other", NOW), id="wrong challenge"),
        pytest.param(ALICE.authentication("wss://other.example", CHALLENGE, NOW), id="wrong relay"),
        pytest.param(ALICE.authentication(f"{URL}:81", CHALLENGE, NOW), id="other port"),
        pytest.param(ALICE.authentication("no url", CHALLENGE, NOW), id="no url"),
        pytest.param(ALICE.event(1, "", NOW, GOOD.tags), id="other kind"),
        pytest.param(ALICE.event(22242, "", NOW), id="no tags"),
        pytest.param(ALICE.authentication(URL, CHALLENGE, NOW - 601), id="too old"),
        pytest.param(ALICE.authentication(URL, CHALLENGE, NOW + 601), id="too new"),
        pytest.param(forged(GOOD, "signature"), id="bad signature"),
        pytest.param(replace(GOOD, pubkey=BOB.pubkey), id="other author"),
    ],
)
def test_whatever_nip_42_rejects_is_rejected(event: object) -> None:
    client = connected(auth="required")
    (ok,) = say(client, Auth(event))  # type: ignore[arg-type]
    assert isinstance(ok, Ok)
    assert (ok.accepted, ok.reason[:9]) == (False, "invalid: ")
    assert client.authenticated == frozenset()


@pytest.mark.parametrize(
    ("named", "own"),
    [
        ("ws://127.0.0.1:7777/", "ws://127.0.0.1:7777"),
        ("ws://localhost:7777", "ws://127.0.0.1:7777"),
        ("ws://[::1]:7777", "ws://127.0.0.1:7777"),
        ("WSS://Relay.Example/", "wss://relay.example"),
        ("wss://relay.example:443/path?x=1", "wss://relay.example"),
        ("wss://relay.example", "ws://relay.example"),
    ],
)
def test_the_relay_is_known_by_host_and_port_in_any_spelling(named: str, own: str) -> None:
    event = ALICE.authentication(named, CHALLENGE, NOW)
    check_authentication(event, CHALLENGE, frozenset((own,)), now=NOW)


@pytest.mark.parametrize("named", ["ws://localhost.evil.example", "ws://127.0.0.1.evil.example"])
def test_a_name_that_begins_like_the_loopback_is_not_it(named: str) -> None:
    event = ALICE.authentication(named, CHALLENGE, NOW)
    for own in ("ws://localhost", "ws://127.0.0.1"):
        with pytest.raises(Refused):
            check_authentication(event, CHALLENGE, frozenset((own,)), now=NOW)


def test_the_published_challenges_are_taken_as_they_are() -> None:
    cases = Path(__file__).parents[1] / "vectors" / "nip42" / "nip42.cases.json"
    for challenge in json.loads(cases.read_text())["challenges_to_echo"]:
        assert json.loads(encode(AuthChallenge(challenge))) == ["AUTH", challenge]
        event = ALICE.authentication(URL, challenge, NOW)
        check_authentication(event, challenge, frozenset((URL,)), now=NOW)
