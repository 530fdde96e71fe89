"""The client's end of a signer elsewhere (NIP-46): what counts as an answer, and what does not."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core import kinds
from nostr_threads.core.event import Draft
from nostr_threads.core.nip46 import Metadata, Permission, Request, Response, read_draft
from nostr_threads.errors import (
    BunkerError,
    CannotDecrypt,
    CannotEncrypt,
    InvalidCode,
    NoSigner,
    SigningError,
)
from nostr_threads.signing import KeySigner, new_secret
from nostr_threads.signing.bunker import BunkerSession, Patience, introduced
from nostr_threads.signing.envelope import open_sealed, seal
from nostr_threads.testing import START, Author
from tests.signing.bunker_ends import ALICE, RELAYS, asking
from tests.signing.leaks import leaks, marked, whole_story

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.event import Verified

    Reply = Callable[[Request], list[Response | Verified]]

BOB = Author(b"bob")
DRAFT = Draft(int(START), 1, (("t", "nostr"),), "hello")
SIGNED = Author(b"alice").sign(DRAFT)
PATIENT = Patience(10.0, silence=3_600.0)
"""Nothing is sent again because of a silence."""


def honest(request: Request) -> list[Response | Verified]:
    """A signer that signs everything."""
    match request.method:
        case "connect":
            return [Response(request.id, "ack")]
        case "get_public_key":
            return [Response(request.id, ALICE.public_key)]
        case "switch_relays":
            return [Response(request.id, "null")]
        case "sign_event":
            draft = read_draft(request.params[0])
            assert draft is not None
            return [Response(request.id, Author(b"alice").sign(draft).to_json())]
        case "logout":
            return [Response(request.id, "ack")]
    return [Response(request.id, error="unknown method")]


def answering(**answers: str) -> Reply:
    """A signer that is honest but for these methods."""

    def reply(request: Request) -> list[Response | Verified]:
        if request.method in answers:
            return [Response(request.id, answers[request.method])]
        return honest(request)

    return reply


# Connecting


async def test_a_connection_is_introduced_moved_and_asked_whose_key_it_is() -> None:
    """NIP-46, "Overview" and "Switching relays"."""
    kept: list[BunkerSession] = []
    new = ["wss://one.example", "wss://two.example"]
    reply = answering(switch_relays=json.dumps(new))
    async with asking(reply, keep=kept.append) as (client, signer):
        with pytest.raises(NoSigner, match="not asked yet"):
            _ = client.public_key
        await client.connect("s3cret", [Permission("sign_event", 1)], Metadata("me"))
        await client.start()
        await client.start()
    assert signer.methods == ["connect", "switch_relays", "get_public_key"]
    assert signer.asked[0].params == (
        signer.own.public_key,
        "s3cret",
        "sign_event:1",
        '{"name":"me"}',
    )
    assert client.public_key == ALICE.public_key
    assert signer.moved == [tuple(new)]
    assert client.session == kept[-1]
    assert (kept[-1].relays, kept[-1].public_key) == (tuple(new), ALICE.public_key)


@pytest.mark.parametrize("result", ["ack", "s3cret"])
async def test_a_connection_is_confirmed_with_ack_or_the_secret(result: str) -> None:
    async with asking(answering(connect=result)) as (client, _):
        await client.connect("s3cret", (), Metadata())


@pytest.mark.parametrize("result", ["", "no", "ACK", "another secret"])
async def test_anything_else_confirms_nothing(result: str) -> None:
    async with asking(answering(connect=result)) as (client, _):
        with pytest.raises(BunkerError, match="did not confirm"):
            await client.connect("s3cret" if result else "", (), Metadata())


async def test_a_signer_that_does_not_know_how_to_move_is_met_where_it_is() -> None:
    def reply(request: Request) -> list[Response | Verified]:
        if request.method == "switch_relays":
            return [Response(request.id, error="unsupported")]
        return honest(request)

    async with asking(reply) as (client, signer):
        await client.start()
        assert (client.session.relays, signer.moved) == (RELAYS, [])


@pytest.mark.parametrize(
    ("result", "relays"),
    [
        ("null", RELAYS),
        ("", RELAYS),
        ("[]", RELAYS),
        ("{}", RELAYS),
        ("nonsense", RELAYS),
        ('["https://x", 7, null]', RELAYS),
        ('["ws://127.0.0.1:1", "ws://router.local"]', RELAYS),
        ('["wss://B.example/", "wss://b.example"]', ("wss://b.example",)),
        (json.dumps([f"wss://{n}.example" for n in range(99)]), None),
    ],
)
async def test_a_signer_moves_us_to_relays_and_to_nowhere_else(
    result: str, relays: tuple[str, ...] | None
) -> None:
    """Nobody who is met outside leads us to addresses of our own network."""
    async with asking(answering(switch_relays=result)) as (client, _):
        await client.start()
        assert len(client.session.relays) <= 10
        assert relays is None or client.session.relays == relays


@pytest.mark.parametrize("found", ["", "npub1", "0" * 64, "f" * 64])
async def test_a_key_that_is_none_is_refused(found: str) -> None:
    async with asking(answering(get_public_key=found)) as (client, _):
        with pytest.raises(BunkerError, match="gave no public key"):
            await client.start()


async def test_a_signer_that_has_another_key_than_before_is_refused() -> None:
    kept: list[BunkerSession] = []
    async with asking(honest, public_key=BOB.pubkey, keep=kept.append) as (client, _):
        for _ in range(2):
            with pytest.raises(BunkerError, match=f"signs for {ALICE.public_key} now"):
                await client.sign(DRAFT)
    assert kept == []


# Signing


async def test_a_draft_comes_back_signed_and_verified() -> None:
    async with asking(honest) as (client, signer):
        await client.start()
        assert await client.sign(DRAFT) == SIGNED
    told = json.loads(signer.asked[-1].params[0])
    assert told["pubkey"] == ALICE.public_key
    assert read_draft(signer.asked[-1].params[0]) == DRAFT


async def test_the_first_thing_that_is_asked_begins_the_session() -> None:
    async with asking(honest, public_key=ALICE.public_key) as (client, signer):
        assert client.public_key == ALICE.public_key
        assert signer.asked == []
        await asyncio.gather(client.sign(DRAFT), client.sign(replace(DRAFT, content="again")))
    assert signer.methods[:2] == ["switch_relays", "get_public_key"]
    assert signer.methods[2:] == ["sign_event", "sign_event"]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("", "no valid event"),
        ("null", "no valid event"),
        ("{}", "no valid event"),
        (replace(SIGNED, content="changed").to_json(), "no valid event"),
        (replace(SIGNED, sig="0" * 128).to_json(), "no valid event"),
        (Author(b"alice").sign(replace(DRAFT, content="changed")).to_json(), "changed the draft"),
        (Author(b"alice").sign(replace(DRAFT, created_at=1)).to_json(), "changed the draft"),
        (BOB.sign(DRAFT).to_json(), "instead of"),
    ],
)
async def test_what_is_not_the_draft_signed_by_its_author_is_refused(
    result: str, words: str
) -> None:
    async with asking(answering(sign_event=result), public_key=ALICE.public_key) as (client, _):
        with pytest.raises(SigningError, match=words):
            await client.sign(DRAFT)


async def test_what_can_be_no_event_is_not_even_asked_for() -> None:
    async with asking(honest, public_key=ALICE.public_key) as (client, signer):
        with pytest.raises(SigningError, match="cannot be signed"):
            await client.sign(replace(DRAFT, content="\ud800"))
    assert "sign_event" not in signer.methods


async def test_a_refusal_is_told_in_one_line_of_the_signers_words() -> None:
    def reply(request: Request) -> list[Response | Verified]:
        if request.method == "sign_event":
            return [Response(request.id, error="not\x1b[2J\ntoday " + "x" * 999)]
        return honest(request)

    async with asking(reply, public_key=ALICE.public_key) as (client, _):
        with pytest.raises(BunkerError, match=r"says no: not \[2J today x{280,300}…$"):
            await client.sign(DRAFT)


# Texts


async def test_texts_are_encrypted_and_decrypted_elsewhere() -> None:
    reply = answering(nip44_encrypt="payload", nip44_decrypt="text")
    async with asking(reply, public_key=ALICE.public_key) as (client, signer):
        assert await client.nip44_encrypt(BOB.pubkey, "text") == "payload"
        assert await client.nip44_decrypt(BOB.pubkey, "payload") == "text"
        assert [each.params for each in signer.asked[2:]] == [
            (BOB.pubkey, "text"),
            (BOB.pubkey, "payload"),
        ]
        with pytest.raises(InvalidCode):
            await client.nip44_encrypt("nobody", "text")
        with pytest.raises(InvalidCode):
            await client.nip44_decrypt("nobody", "text")


async def test_a_signer_that_gives_no_text_is_an_error() -> None:
    reply = answering(nip44_encrypt="", nip44_decrypt="")
    async with asking(reply, public_key=ALICE.public_key) as (client, _):
        with pytest.raises(CannotEncrypt):
            await client.nip44_encrypt(BOB.pubkey, "text")
        with pytest.raises(CannotDecrypt):
            await client.nip44_decrypt(BOB.pubkey, "payload")


# What is no answer


@pytest.mark.parametrize(
    "said",
    [{"error": "no"}, {"result": "no"}, {"result": "auth_url", "error": "https://x.example"}],
)
async def test_only_the_signer_that_was_asked_can_answer(said: dict[str, str]) -> None:
    """Whoever sees who talks with whom at a relay may guess the rest."""
    shown: list[str] = []
    stranger = KeySigner(new_secret())
    async with asking(lambda _: [], show=shown.append) as (client, signer):
        connecting = asyncio.create_task(client.connect("s3cret", (), Metadata()))
        await signer.was_asked.wait()
        me = KeySigner(client.session.client).public_key
        forged = Response(signer.asked[0].id, **said).to_json()
        await client.heard(await seal(forged, stranger, me, int(START)))
        await signer.say(Response(signer.asked[0].id, "ack"), me)
        await connecting
    assert shown == []


async def test_what_is_no_answer_to_an_open_question_does_not_count() -> None:
    stranger = KeySigner(new_secret())
    kept: list[Verified] = []

    def reply(request: Request) -> list[Response | Verified]:
        return [*kept, Response("another id", "ack"), Response(request.id, "ack")]

    async with asking(reply) as (client, signer):
        me = KeySigner(client.session.client).public_key
        forged = Response("?", ALICE.public_key).to_json()
        kept += [
            await seal(forged, signer.own, me, int(START)),
            await seal(forged, signer.own, stranger.public_key, int(START)),
            await signer.own.sign(
                Draft(int(START), kinds.REMOTE_SIGNING, (("p", me),), "not encrypted")
            ),
            await signer.own.sign(
                Draft(
                    int(START), kinds.NOTE, (("p", me),), await signer.own.nip44_encrypt(me, "{}")
                )
            ),
            await seal("not json", signer.own, me, int(START)),
        ]
        await client.connect("", (), Metadata())


async def test_an_answer_that_is_sent_again_answers_no_later_question() -> None:
    """A relay may replay whatever it has seen."""
    replayed: list[Verified] = []

    def reply(request: Request) -> list[Response | Verified]:
        return [*replayed, *honest(request)]

    async with asking(reply, public_key=ALICE.public_key) as (client, signer):
        me = KeySigner(client.session.client).public_key
        await client.sign(DRAFT)
        last = signer.asked[-1]
        told = Response(last.id, BOB.sign(DRAFT).to_json())
        replayed.append(await seal(told.to_json(), signer.own, me, int(START)))
        assert await client.sign(DRAFT) == SIGNED


async def test_of_two_answers_the_first_counts() -> None:
    def reply(request: Request) -> list[Response | Verified]:
        return [Response(request.id, "ack"), Response(request.id, error="no")]

    async with asking(reply) as (client, _):
        await client.connect("", (), Metadata())


# Waiting


async def test_a_signer_that_never_answers_is_an_error_after_the_patience() -> None:
    async with asking(lambda _: [], patience=Patience(0.05)) as (client, _):
        with pytest.raises(BunkerError, match="does not answer") as caught:
            await client.connect("", (), Metadata())
        assert caught.value.is_silence
        with pytest.raises(BunkerError, match="does not answer"):
            await client.start()


async def test_one_that_is_silent_about_where_to_meet_is_met_where_it_is() -> None:
    """Some signers say nothing to a method that they do not know."""

    def reply(request: Request) -> list[Response | Verified]:
        return [] if request.method == "switch_relays" else honest(request)

    async with asking(reply, patience=Patience(10, moving=0.02)) as (client, signer):
        assert await client.sign(DRAFT) == SIGNED
        assert signer.moved == []


async def test_what_a_relay_said_against_it_is_told_with_the_silence() -> None:
    async with asking(lambda _: [], patience=Patience(0.05)) as (client, signer):
        signer.refused = "wss://relay.example says no: blocked: kind 24133"
        with pytest.raises(BunkerError, match=r"not answer: wss://relay\.example says no"):
            await client.connect("", (), Metadata())


async def test_while_a_person_is_asked_the_question_is_not_sent_again() -> None:
    def reply(request: Request) -> list[Response | Verified]:
        return [Response(request.id, "auth_url", "https://sign.example/yes")]

    patience = Patience(5, approval=0.3, silence=0.01)
    async with asking(reply, patience=patience) as (client, signer):
        with pytest.raises(BunkerError, match="does not answer"):
            await client.connect("", (), Metadata())
        assert len(signer.events) == 1


async def test_a_signer_that_wants_a_yes_elsewhere_is_waited_for_anew() -> None:
    """NIP-46, "Auth Challenges": the time begins once somebody was told where."""
    shown: list[str] = []
    asked = asyncio.Event()

    def reply(request: Request) -> list[Response | Verified]:
        asked.set()
        return [
            Response(request.id, "auth_url", "javascript:alert(1)"),
            Response(request.id, "auth_url", "https://sign.example/\x1byes"),
            Response(request.id, "auth_url", "https://sign.example/ it is done"),
            *(Response(request.id, "auth_url", f"https://sign.example/yes?{n}") for n in range(9)),
        ]

    async with asking(reply, show=shown.append, patience=Patience(0.05, 10)) as (client, signer):
        me = KeySigner(client.session.client).public_key
        connecting = asyncio.create_task(client.connect("", (), Metadata()))
        await asked.wait()
        done, _ = await asyncio.wait([connecting], timeout=0.1)
        assert not done
        await signer.say(Response(signer.asked[0].id, "ack"), me)
        await connecting
    assert shown == ["the bunker wants you to say yes at https://sign.example/yes?0"]


async def test_where_nobody_can_be_reached_nothing_is_waited_for() -> None:
    async with asking(honest, patience=Patience(60)) as (client, signer):
        signer.is_reachable = False
        with pytest.raises(BunkerError, match="nobody there"):
            await client.connect("", (), Metadata())


async def test_who_has_answered_before_is_asked_again_once_it_is_back() -> None:
    async with asking(honest, public_key=ALICE.public_key, patience=PATIENT) as (client, signer):
        await client.start()
        signer.is_reachable = False
        signer.was_asked.clear()
        signing = asyncio.create_task(client.sign(DRAFT))
        await signer.was_asked.wait()
        await client.listening()
        assert (signing.done(), signer.in_vain) == (False, 2)
        signer.is_reachable = True
        await client.listening()
        assert await signing == SIGNED
        assert signer.methods.count("sign_event") == 1


async def test_what_is_open_is_asked_again_when_somebody_listens_again() -> None:
    """The answer went by meanwhile: sealed anew, or the signer would pass over it."""

    def reply(request: Request) -> list[Response | Verified]:
        is_first = signer.methods.count(request.method) == 1
        return [] if request.method == "sign_event" and is_first else honest(request)

    async with asking(reply, public_key=ALICE.public_key, patience=PATIENT) as (client, signer):
        await client.start()
        signer.was_asked.clear()
        signing = asyncio.create_task(client.sign(DRAFT))
        await signer.was_asked.wait()
        assert not signing.done()
        await client.listening()
        assert await signing == SIGNED
        first, again = signer.asked[-2:]
        assert (first, signer.methods[-2:]) == (again, ["sign_event", "sign_event"])
        assert signer.events[-1].id != signer.events[-2].id
        # What was answered is not asked any more.
        asked = len(signer.asked)
        await client.listening()
        assert len(signer.asked) == asked


async def test_after_a_silence_the_same_question_is_sent_again() -> None:
    def reply(request: Request) -> list[Response | Verified]:
        heard.append(request.id)
        return honest(request) if len(heard) == 5 else []

    heard: list[str] = []
    async with asking(reply, patience=Patience(5, silence=0.01)) as (client, signer):
        await client.connect("", (), Metadata())
    ids = [event.id for event in signer.events]
    assert len(heard) == len(ids) == 5
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids)) == 3  # then sealed anew, in case the answer was lost
    assert len(set(heard)) == 1


# The end


async def test_whoever_waits_when_it_is_closed_is_told() -> None:
    async with asking(lambda _: [], patience=PATIENT) as (client, signer):
        connecting = asyncio.create_task(client.connect("", (), Metadata()))
        await signer.was_asked.wait()
        await client.close()
        with pytest.raises(NoSigner, match="closed"):
            await connecting


@pytest.mark.parametrize("is_started", [True, False])
async def test_one_that_is_closed_asks_nothing_any_more(is_started: bool) -> None:
    async with asking(honest, public_key=ALICE.public_key) as (client, signer):
        if is_started:
            await client.start()
        asked = len(signer.asked)
        await client.close()
        for doing in (
            client.sign(DRAFT),
            client.nip44_encrypt(BOB.pubkey, "text"),
            client.nip44_decrypt(BOB.pubkey, "payload"),
            client.connect("s3cret", (), Metadata()),
            client.logout(),
        ):
            with pytest.raises(NoSigner, match="closed"):
                await doing
        assert len(signer.asked) == asked
        assert client.public_key == ALICE.public_key
        # It holds no key any more with which anybody could ask.
        with pytest.raises(NoSigner, match="closed"):
            await client._own.sign(DRAFT)


async def test_leaving_is_told_to_the_signer() -> None:
    async with asking(honest) as (client, signer):
        await client.logout()
    assert signer.methods == ["logout"]


async def test_neither_session_nor_errors_show_the_clients_key() -> None:
    session = BunkerSession("a" * 64, marked(), RELAYS)
    assert leaks(repr(session)) == []
    async with asking(lambda _: [], patience=Patience(0.01)) as (client, _):
        with pytest.raises(BunkerError) as caught:
            await client.connect("s3cret", (), Metadata())
    assert leaks(whole_story(caught.value)) == []


# nostrconnect://


async def test_who_answers_a_link_has_to_know_its_secret() -> None:
    """NIP-46: the client MUST validate the secret."""
    own, signer = KeySigner(new_secret()), KeySigner(new_secret())
    for said, expected in (
        ("s3cret", signer.public_key),
        ("ack", None),
        ("", None),
        ("s3cret ", None),
        ("\ud83d", None),
    ):
        text = json.dumps({"id": "1", "result": said})
        event = await seal(text, signer, own.public_key, int(START))
        assert await introduced(event, own, "s3cret") == expected
        assert await open_sealed(event, signer) is None
