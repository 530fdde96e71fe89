"""What clients and signers say to each other (NIP-46), and the links by which they meet."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bunker_links import (
    BunkerLink,
    ClientLink,
    Link,
    is_link,
    parse_link,
    write_link,
)
from nostr_threads.core.event import Draft
from nostr_threads.core.nip46 import (
    Metadata,
    Permission,
    Request,
    Response,
    draft_json,
    permissions_of,
    permissions_text,
    read_draft,
    read_request,
    read_response,
)
from nostr_threads.errors import InvalidCode
from tests.core import strategies as make

CASES = make.load("nip46/nip46.cases.json")
URIS: list[dict[str, Any]] = CASES["uris"]
KEY = make.pubkey_of(make.ALICE)
RELAY = "wss://relay.example"

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
relays = st.lists(
    st.sampled_from([RELAY, "ws://127.0.0.1:7", "wss://b.example/x?y=1&z=%20"]),
    min_size=1,
    unique=True,
).map(tuple)
permissions = st.lists(
    st.one_of(
        st.builds(Permission, st.just("sign_event"), st.none() | st.integers(0, 65_535)),
        st.sampled_from([Permission("nip44_encrypt"), Permission("ping")]),
    ),
    unique=True,
    max_size=9,
).map(tuple)
links: st.SearchStrategy[Link] = st.builds(BunkerLink, st.just(KEY), relays, words) | st.builds(
    ClientLink,
    st.just(KEY),
    relays,
    words.filter(bool),
    permissions,
    st.builds(Metadata, words, words, words),
)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=128)
drafts = st.builds(Draft, make.numbers, make.kind_numbers, make.tag_lists, make.texts)

# Links


@pytest.mark.parametrize("case", URIS, ids=lambda case: case["source"])
def test_a_link_is_read_as_others_read_it(case: dict[str, Any]) -> None:
    if not case["valid"]:
        with pytest.raises(InvalidCode):
            parse_link(case["uri"])
        return
    link = parse_link(case["uri"])
    assert is_link(case["uri"])
    for name, value in case.items():
        match name:
            case "client_pubkey":
                assert isinstance(link, ClientLink)
                assert link.client == value
            case "remote_signer_pubkey":
                assert isinstance(link, BunkerLink)
                assert link.signer == value
            case "relays":
                assert list(link.relays) == value
            case "secret":
                assert link.secret == value
            case "name":
                assert isinstance(link, ClientLink)
                assert link.metadata.name == value
            case "perms":
                assert isinstance(link, ClientLink)
                assert list(map(str, link.permissions)) == value


@given(links)
def test_reading_undoes_writing(link: Link) -> None:
    assert parse_link(write_link(link)) == link


@given(links)
def test_a_link_does_not_show_its_secret(link: Link) -> None:
    assert repr(link) == repr(replace(link, secret="another"))


@given(st.text(max_size=300) | st.text(max_size=100).map(f"bunker://{KEY}?relay={RELAY}".__add__))
def test_no_text_raises_anything_else(text: str) -> None:
    with suppress(InvalidCode):
        assert parse_link(text).relays


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"bunker://{KEY}", "no relay"),
        (f"bunker://{KEY}?relay=https://x.example", "no relay"),
        (f"bunker://{'0' * 64}?relay={RELAY}", "no public key"),
        (f"bunker://?relay={RELAY}", "no public key"),
        (f"nostrconnect://{KEY}?relay={RELAY}&secret=", "secret"),
        (f"bunker://{KEY}?relay={RELAY}&secret=" + "x" * 4_000, "characters at most"),
        (f"bunker://{KEY}?relay={RELAY}&secret=%ff%fe", "cannot be read"),
        (f"bunker://{KEY}?" + "a=b&" * 101, "cannot be read"),
        (f"npub://{KEY}?relay={RELAY}", "begins with"),
    ],
)
def test_a_bad_link_says_what_is_wrong_and_not_what_it_is(text: str, why: str) -> None:
    with pytest.raises(InvalidCode, match=why) as caught:
        parse_link(text)
    assert KEY not in str(caught.value)


def test_links_that_people_paste_are_read_all_the_same() -> None:
    link = parse_link(
        f"  BUNKER://{KEY.upper()}/?relay=wss%3A%2F%2FRelay.Example%2F&relay=nonsense\n"
    )
    assert link == BunkerLink(KEY, (RELAY,))


# Permissions


def test_permissions_are_those_of_the_nip_each_once() -> None:
    text = "nip44_encrypt,sign_event:4, sign_event:4,sign_event,rm -rf,sign_event:x,,unknown"
    found = permissions_of(text)
    assert permissions_text(found) == "nip44_encrypt,sign_event:4,sign_event"


@given(permissions)
def test_reading_permissions_undoes_writing(found: tuple[Permission, ...]) -> None:
    assert permissions_of(permissions_text(found)) == found


# Messages


@pytest.mark.parametrize("case", CASES["messages"], ids=lambda case: case["json"][:40])
def test_messages_of_others_are_read(case: dict[str, Any]) -> None:
    told = json.loads(case["json"])
    if case["kind"] == "request":
        request = read_request(case["json"])
        assert request is not None
        assert request == Request(told["id"], told["method"], tuple(told["params"]))
        if "event_id" in case:
            draft = read_draft(request.params[0])
            assert draft is not None
            assert draft.id_for(json.loads(request.params[0])["pubkey"]) == case["event_id"]
    else:
        response = read_response(case["json"])
        assert response is not None
        assert response == Response(told["id"], told["result"], told["error"] or "")
        assert bool(response.error) == case.get("is_error", False)


@given(names, words.filter(bool), st.lists(words, max_size=8).map(tuple))
def test_a_request_comes_back(name: str, method: str, params: tuple[str, ...]) -> None:
    request = Request(name, method, params)
    assert read_request(request.to_json()) == request


@given(names, words, words)
def test_a_response_comes_back(name: str, result: str, error: str) -> None:
    response = Response(name, result, error)
    assert read_response(response.to_json()) == response


@given(drafts)
def test_a_draft_comes_back(draft: Draft) -> None:
    assert read_draft(draft_json(draft, KEY)) == draft


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "7", "{}", "[" * 100_000, '{"id":1,"method":"ping","params":[]}'),
        *(
            '{"id":"","method":"ping"}',
            '{"id":"1","method":null}',
            '{"id":"1","method":"x","params":{}}',
        ),
        *('{"id":"1","method":"x","params":[1]}', '{"id":"1","method":"x","params":[[]]}'),
        '{"id":"1","method":"x","params":["","","","","","","","",""]}',
        '{"id":"' + "1" * 129 + '","method":"x","params":[]}',
        r'{"id":"\ud83d","method":"x","params":[]}',
        r'{"id":"1","method":"x\ud83d","params":[]}',
        r'{"id":"1","method":"x","params":["\ud83d"]}',
    ],
)
def test_what_is_no_request_is_none(text: str) -> None:
    assert read_request(text) is None


def test_a_parameter_that_is_left_out_or_null_is_empty() -> None:
    assert read_request('{"id":"1","method":"ping"}') == Request("1", "ping")
    told = read_request('{"id":"1","method":"connect","params":["a",null]}')
    assert told == Request("1", "connect", ("a", ""))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"id":7}', '{"id":"1","result":7}', '{"id":"1","error":[]}']
)
def test_what_is_no_response_is_none(text: str) -> None:
    assert read_response(text) is None


def test_a_list_of_relays_may_come_as_a_list_or_as_text() -> None:
    """NIP-46, `switch_relays`: clients in the wild answer in both ways."""
    for result in ('["wss://a.example"]', '"[\\"wss://a.example\\"]"'):
        told = read_response('{"id":"1","result":' + result + "}")
        assert told is not None
        assert json.loads(told.result) == ["wss://a.example"]
    assert read_response('{"id":"1","result":null}') == Response("1")


@pytest.mark.parametrize(
    "changed",
    [
        *({"kind": "1"}, {"kind": -1}, {"kind": 65_536}, {"kind": True}, {"kind": None}),
        *({"created_at": 1.5}, {"created_at": -1}, {"created_at": 2**53}, {"content": None}),
        *({"tags": None}, {"tags": [1]}, {"tags": [[1]]}, {"tags": {}}),
    ],
)
def test_what_is_no_draft_is_none(changed: dict[str, Any]) -> None:
    good = {"kind": 1, "created_at": 7, "tags": [["t", "x"]], "content": "hello"}
    assert read_draft(json.dumps(good)) == Draft(7, 1, (("t", "x"),), "hello")
    assert read_draft(json.dumps(good | changed)) is None


def test_an_auth_url_is_no_result() -> None:
    told = Response("1", "auth_url", "https://sign.example/yes")
    assert (told.auth_url, Response("1", "ack").auth_url) == ("https://sign.example/yes", "")


def test_what_a_client_says_of_itself_is_cut_and_never_believed_to_be_text() -> None:
    assert Metadata.read('{"name":"' + "x" * 999 + '","url":7}') == Metadata("x" * 200)
    assert Metadata.read("nonsense") == Metadata()
    assert Metadata().to_json() == ""
    assert Metadata.read(Metadata("a", "b", "c").to_json()) == Metadata("a", "b", "c")
