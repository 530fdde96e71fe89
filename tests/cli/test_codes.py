"""`code`: every code taken apart, and one written as another."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import nostr_threads as nt
from nostr_threads.cli import codes
from nostr_threads.core import nip19
from tests.app.worlds import ALICE, BOB

if TYPE_CHECKING:
    import pytest

    from tests.cli.program import Home

ID = "ab" * 32
KEY = ALICE.pubkey
HINT = "wss://nos.lol"
NPUB = nt.encode(nip19.PublicKey(KEY))
NOTE = nt.encode(nip19.Note(ID))
NEVENT = nt.encode(nip19.EventPointer(ID, (HINT,), KEY, 1))
NADDR = nt.encode(nip19.Address(30023, KEY, "an-article", (HINT,)))
NPROFILE = nt.encode(nip19.Profile(KEY, (HINT,)))

DECODED = {
    NPUB: {"type": "npub", "public_key": KEY},
    NPROFILE: {"type": "nprofile", "public_key": KEY, "relays": [HINT]},
    "nostr:" + NOTE: {"type": "note", "id": ID},
    "https://njump.example/" + NEVENT: {
        "type": "nevent",
        "id": ID,
        "author": KEY,
        "kind": 1,
        "relays": [HINT],
    },
    NADDR: {
        "type": "naddr",
        "kind": 30023,
        "author": KEY,
        "identifier": "an-article",
        "relays": [HINT],
    },
}
REWRITTEN = {
    (ID, "--to", "note"): NOTE,
    (ID, "--to", "nevent", "--relay", "WSS://nos.lol/", "--author", NPUB, "--kind", "1"): NEVENT,
    (NEVENT, "--to", "note"): NOTE,
    (KEY, "--to", "npub"): NPUB,
    (NPUB, "--to", "nprofile", "--relay", HINT): NPROFILE,
    (NADDR, "--to", "naddr"): NADDR,
}
WRONG = {
    (NOTE, "--to", "npub"): "an npub or nprofile is wanted",
    (NPUB, "--to", "nevent"): "a note, nevent or naddr is wanted",
    (NADDR, "--to", "note"): "one is not the other",
    (NOTE, "--to", "naddr"): "one is not the other",
    (ID, "--to", "nevent", "--relay", "http://x.example"): "http://x.example",
    (ID, "--to", "nevent", "--author", NOTE): "an npub or nprofile is wanted",
    (ID, "--to", "nevent", "--kind", "70000"): "kind",
    (ID, "--to", "nsec"): "--to",
    (NOTE[:-1] + ("q" if NOTE[-1] != "q" else "p"),): "checksum",
    ("what?",): "'what?' is not a Nostr code",
}


async def test_a_code_is_said_as_json_and_for_people(home: Home) -> None:
    runs = await asyncio.gather(*(home.run("code", given, "--json") for given in DECODED))
    assert [ran.object for ran in runs] == list(DECODED.values())
    spoken = await home.run("code", NEVENT)
    assert spoken.out == f"type: nevent\nid: {ID}\nauthor: {KEY}\nkind: 1\nrelays: {HINT}\n"


async def test_a_code_can_be_written_as_another(home: Home) -> None:
    runs = await asyncio.gather(*(home.run("code", *given) for given in REWRITTEN))
    assert [(ran.code, ran.out) for ran in runs] == [
        (0, f"{code}\n") for code in REWRITTEN.values()
    ]
    as_json = await home.run("code", ID, "--to", "note", "--json")
    assert as_json.object == {"code": NOTE}


async def test_what_cannot_be_read_or_written_is_exit_2_and_says_why(home: Home) -> None:
    runs = await asyncio.gather(*(home.run("code", *given) for given in WRONG))
    for ran, sentence in zip(runs, WRONG.values(), strict=True):
        assert (ran.code, ran.out) == (2, "")
        assert sentence in ran.err


async def test_hostile_identifiers_and_hints_come_out_harmless(home: Home) -> None:
    evil = nt.encode(nip19.Address(30023, BOB.pubkey, "\x1b[2J\u202etitle\nid: fake"))
    ran, as_json = await asyncio.gather(home.run("code", evil), home.run("code", evil, "--json"))
    assert (ran.code, as_json.code) == (0, 0)
    assert as_json.object["identifier"] == "\x1b[2J\u202etitle\nid: fake"
    assert not {"\x1b", "\u202e"} & set(ran.out)
    assert "\nid: fake" not in ran.out


def test_a_name_at_a_domain_is_looked_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """NIP-05; the look-up itself is tested with its web server in tests/net."""

    async def resolve(name: str, domain: str) -> nip19.Profile:
        assert (name, domain) == ("alice", "example.com")
        return nip19.Profile(KEY, (HINT,))

    monkeypatch.setattr("nostr_threads.net.names.resolve", resolve)
    codes.code("alice@example.com", as_json=True)
    assert json.loads(capsys.readouterr().out) == DECODED[NPROFILE]


async def test_bare_hex_is_asked_what_it_is(home: Home) -> None:
    ran = await home.run("code", ID)
    assert (ran.code, ran.out) == (2, "")
    assert "say which with --to" in ran.err
