"""Our own remote signer (NIP-46): who is let in, what each may do, and what was done."""

from __future__ import annotations

import asyncio
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.bunker_links import ClientLink
from nostr_threads.core.event import Draft
from nostr_threads.core.nip46 import Metadata, Request, Response, read_response
from nostr_threads.errors import BunkerError, SigningError
from nostr_threads.signing import KeySigner, ReadOnlySigner, new_secret, secret_from_hex
from nostr_threads.signing.book import Book
from nostr_threads.signing.bunker import Patience
from nostr_threads.signing.envelope import open_sealed, seal
from nostr_threads.signing.policy import Policy
from nostr_threads.testing import START, Author
from tests.signing.bunker_ends import ALICE, RELAYS, SECRET, House, client_of, introduce
from tests.signing.leaks import leaks, marked

if TYPE_CHECKING:
    from nostr_threads.core.event import Verified
    from nostr_threads.signing.bunker import BunkerSession

BOB = Author(b"bob")
DRAFT = Draft(int(START), 1, (("t", "nostr"),), "hello\nworld")
EVERYTHING = Policy(encryption=True)


async def letting_in(policy: Policy = EVERYTHING, **more: object) -> House:
    """A house with an open invitation."""
    house = House(**more)  # type: ignore[arg-type]
    await house.invite(policy)
    return house


async def said(house: House, request: Request, own: KeySigner, at: int = int(START)) -> Response:
    """What the house answers to a request; an error says so when it is nothing."""
    event = await seal(request.to_json(), own, house.remote.public_key, at)
    answer = await house.remote.answer(event)
    if answer is None:
        return Response("", error="nothing")
    text = await open_sealed(answer, own)
    assert text is not None
    response = read_response(text)
    assert response is not None
    return response


# Signing


async def test_a_client_that_was_let_in_signs_with_a_key_it_never_sees() -> None:
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        await client.start()
        event = await client.sign(DRAFT)
        assert client.public_key == event.pubkey == ALICE.public_key
        assert client.session.relays == RELAYS
    assert house.remote.public_key != ALICE.public_key
    assert house.outcomes() == [("connect", "done"), ("sign_event", "done")]
    deed = house.deeds[-1]
    assert (deed.event_id, deed.name, deed.at) == (event.id, "a bot", int(START))
    assert deed.what == "sign an event of kind 1: hello world"


async def test_texts_are_encrypted_and_decrypted_for_it() -> None:
    house = await letting_in()
    bob = KeySigner(new_secret())
    async with client_of(house) as client:
        await introduce(client)
        payload = await client.nip44_encrypt(bob.public_key, "for bob")
        assert await bob.nip44_decrypt(ALICE.public_key, payload) == "for bob"
        assert await client.nip44_decrypt(bob.public_key, payload) == "for bob"
        with pytest.raises(BunkerError, match="invalid payload length"):
            await client.nip44_decrypt(bob.public_key, "nonsense")
    assert "for bob" not in str(house.deeds)
    assert house.deeds[-1].outcome == "failed"


async def test_a_signer_that_fails_is_an_answer_and_not_the_end() -> None:
    house = await letting_in(signer=ReadOnlySigner(ALICE.public_key))
    async with client_of(house) as client:
        await introduce(client)
        with pytest.raises(BunkerError, match="it failed here"):
            await client.sign(DRAFT)
    assert house.outcomes()[-1] == ("sign_event", "failed")
    assert "cannot sign" in house.deeds[-1].why


# Who is let in


async def test_a_secret_lets_in_one_client_and_no_second() -> None:
    """NIP-46: good for a single connection."""
    house = await letting_in()
    async with client_of(house) as first, client_of(house) as second:
        await introduce(first)
        assert house.book.invitations == {}
        with pytest.raises(BunkerError, match="you are not known here"):
            await introduce(second)
        await introduce(first)  # again, as some clients do at each start
        assert [client.name for client in house.book.clients.values()] == ["a bot"]


@pytest.mark.parametrize("secret", ["", "let me", "let me in ", "let me in\0"])
async def test_a_wrong_secret_lets_in_nobody(secret: str) -> None:
    house = await letting_in()
    own = KeySigner(new_secret())
    request = Request("1", "connect", (house.remote.public_key, secret))
    assert (await said(house, request, own)).error.startswith("you are not known")
    assert house.book.clients == {}


async def test_a_connection_that_was_meant_for_another_signer_is_none() -> None:
    house = await letting_in()
    own = KeySigner(new_secret())
    for params in ((own.public_key, SECRET), (), ("",)):
        assert (await said(house, Request("1", "connect", params), own)).error
    assert house.book.clients == {}


@pytest.mark.parametrize("method", ["ping", "get_public_key", "sign_event", "logout", "rm"])
async def test_a_stranger_learns_nothing(method: str) -> None:
    house = await letting_in()
    response = await said(house, Request("1", method), KeySigner(new_secret()))
    assert response.error.startswith("you are not known")
    assert response.result == ""
    assert [(deed.outcome, deed.why, deed.name) for deed in house.deeds] == [
        ("refused", "not known here", "")
    ]


async def test_a_crowd_of_strangers_is_not_even_answered() -> None:
    house = await letting_in()
    own = KeySigner(new_secret())
    answers = [await said(house, Request(f"{n}", "ping"), own) for n in range(40)]
    assert [each.error for each in answers].count("nothing") == 10
    house.now += 61
    assert (await said(house, Request("x", "ping"), own, int(house.now))).error != "nothing"


async def test_who_leaves_is_known_no_more() -> None:
    """NIP-46, "Ending a session"."""
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        await client.logout()
        assert house.book.clients == {}
        with pytest.raises(BunkerError, match="you are not known"):
            await client.sign(DRAFT)


async def test_whoever_is_forgotten_may_do_nothing_any_more() -> None:
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        await client.start()
        await house.forget(KeySigner(client.session.client).public_key)
        with pytest.raises(BunkerError, match="you are not known"):
            await client.sign(DRAFT)


async def test_a_restart_changes_nothing_for_who_was_let_in() -> None:
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        await client.start()
        session: BunkerSession = client.session
    house.open()
    async with client_of(house, session) as again:
        assert (await again.sign(DRAFT)).pubkey == ALICE.public_key


async def test_what_could_not_be_kept_has_not_happened() -> None:
    house = await letting_in()

    async def full(_: object) -> Book:
        raise SigningError("no space left")

    house.drawer.change = full  # type: ignore[method-assign,assignment]
    async with client_of(house) as client:
        with pytest.raises(SigningError, match="no space left"):
            await introduce(client)
    assert house.book.clients == {}
    assert SECRET in house.book.invitations


async def test_a_client_that_hands_out_links_is_welcomed_with_its_secret() -> None:
    """NIP-46, `nostrconnect://`."""
    house = House()
    own = KeySigner(new_secret())
    link = ClientLink(own.public_key, RELAYS, "their secret", metadata=Metadata("a \x1bpage"))
    event = await house.remote.welcome(link, EVERYTHING)
    text = await open_sealed(event, own)
    assert text is not None
    response = read_response(text)
    assert response is not None
    assert response.result == "their secret"
    assert (await said(house, Request("1", "get_public_key"), own)).result == ALICE.public_key
    assert house.book.clients[own.public_key].name == "a  page"


# What each may do


async def test_only_the_kinds_of_its_policy_are_signed() -> None:
    house = await letting_in(Policy(kinds=frozenset((1, 7))))
    async with client_of(house) as client:
        await introduce(client)
        await client.sign(replace(DRAFT, kind=7))
        with pytest.raises(BunkerError, match="kind 0 are not signed"):
            await client.sign(replace(DRAFT, kind=0))
        with pytest.raises(BunkerError, match="no texts are encrypted"):
            await client.nip44_encrypt(BOB.pubkey, "text")
    assert [deed.outcome for deed in house.deeds] == ["done", "done", "refused", "refused"]
    assert house.asked == []


@pytest.mark.parametrize("says", [True, False])
async def test_what_is_beyond_its_policy_is_asked_about_where_that_says_so(says: bool) -> None:
    house = await letting_in(Policy(kinds=frozenset((1,)), ask=True), says=says)
    async with client_of(house) as client:
        await introduce(client)
        await client.sign(DRAFT)
        assert house.asked == []
        if says:
            await client.sign(replace(DRAFT, kind=0))
            await client.nip44_encrypt(BOB.pubkey, "text")
        else:
            with pytest.raises(BunkerError, match="kind 0 are not signed"):
                await client.sign(replace(DRAFT, kind=0))
    first = house.asked[0]
    assert (first.client.name, first.what) == ("a bot", "sign an event of kind 0")
    assert first.why == "events of kind 0 are not signed for you"
    assert first.text == (f'kind 0, dated {int(START)}\ntag ["t", "nostr"]\nhello\nworld')


async def test_a_person_is_asked_one_question_at_a_time_and_each_once() -> None:
    house = await letting_in(Policy(kinds=frozenset(), ask=True))
    async with client_of(house) as client:
        await introduce(client)
        await client.start()
        own = KeySigner(client.session.client)
        house.may_answer.clear()
        request = Request(
            "same", "sign_event", ('{"created_at":1,"kind":0,"tags":[],"content":""}',)
        )
        other = replace(request, id="other")
        waiting = [
            asyncio.create_task(said(house, each, own)) for each in (request, request, other)
        ]
        done, _ = await asyncio.wait(waiting, timeout=0.05)
        # What is at work is not worked on twice: whoever asks again is told once it is done.
        assert ([each.result().error for each in done], len(house.asked)) == (["nothing"], 1)
        house.may_answer.set()
        first, _, third = await asyncio.gather(*waiting)
        assert third.id == "other"
        assert await said(house, request, own) == first
    assert len(house.asked) == 2


async def test_more_than_its_rate_is_refused_until_the_minute_is_over() -> None:
    house = await letting_in(Policy(per_minute=3))
    async with client_of(house, patience=Patience(0.4, silence=0.05)) as client:
        await introduce(client)
        await client.start()
        await client.sign(DRAFT)
        with pytest.raises(BunkerError, match="more than 3 requests a minute"):
            await client.sign(DRAFT)
        house.now += 61
        await client.sign(DRAFT)


async def test_after_its_end_a_policy_allows_nothing() -> None:
    house = await letting_in(Policy(until=int(START) + 100))
    async with client_of(house) as client:
        await introduce(client)
        await client.sign(DRAFT)
        house.now += 100
        with pytest.raises(BunkerError, match="come to its end"):
            await client.sign(DRAFT)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("1", "sign_event"), "no draft"),
        (Request("1", "sign_event", ("{}",)), "no draft"),
        (Request("1", "nip04_encrypt", ("a", "b")), "not supported"),
        (Request("1", "\x1b[2J"), "not supported"),
        (Request("1", "nip44_encrypt", ("\x1b[2J", "text")), "public key"),
        (Request("1", "nip44_encrypt", ("nobody", "text")), "public key"),
        (Request("1", "nip44_encrypt"), "public key"),
    ],
)
async def test_what_cannot_be_done_says_why(request_: Request, words: str) -> None:
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)
        assert words in (await said(house, request_, own)).error
        assert (await said(house, Request("2", "ping"), own)).result == "pong"
    told = [text for deed in house.deeds for text in astuple(deed) if isinstance(text, str)]
    assert all(text.isprintable() for text in told)


# What is no request


async def test_nothing_but_fresh_sealed_requests_is_answered() -> None:
    house = await letting_in()
    own = KeySigner(new_secret())
    to, now = house.remote.public_key, int(START)
    good = Request("1", "ping").to_json()
    events: list[Verified] = [
        await seal(good, own, own.public_key, now),
        await seal("{}", own, to, now),
        await seal("[" * 50_000, own, to, now),
        await seal(good, own, to, now - 601),
        await seal(good, own, to, now + 601),
        await own.sign(Draft(now, 24_133, (("p", to),), "not encrypted")),
        await own.sign(Draft(now, 1, (("p", to),), await own.nip44_encrypt(to, good))),
    ]
    assert [await house.remote.answer(event) for event in events] == [None] * len(events)
    assert await house.remote.answer(await seal(good, own, to, now)) is not None


async def test_answers_are_kept_for_whoever_asks_again_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nostr_threads.signing.lane._MOST_ANSWERS", 5)
    house = await letting_in(Policy(per_minute=1_000))
    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)
        for number in range(20):
            assert (await said(house, Request(f"{number}", "ping"), own)).result == "pong"
    (lane,) = house.remote._lanes.values()
    assert len(lane._answers) == 5


async def test_what_was_answered_and_forgotten_is_not_done_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A relay may play back what it has heard."""
    monkeypatch.setattr("nostr_threads.signing.lane._MOST_ANSWERS", 1)
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)
        draft = '{"created_at":1,"kind":1,"tags":[],"content":""}'
        request = Request("1", "sign_event", (draft,))
        event = await seal(request.to_json(), own, house.remote.public_key, int(START))
        assert await house.remote.answer(event) is not None
        await said(house, Request("2", "ping"), own)
        assert await house.remote.answer(event) is None
    assert house.outcomes().count(("sign_event", "done")) == 1


async def test_what_was_said_before_a_restart_is_not_done_after_it() -> None:
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)
        event = await seal(Request("1", "ping").to_json(), own, house.remote.public_key, int(START))
        house.now += 61
        house.open()
        assert await house.remote.answer(event) is None


async def test_no_client_takes_the_turn_of_another() -> None:
    house = await letting_in(Policy(kinds=frozenset(), ask=True))
    draft = '{"created_at":1,"kind":0,"tags":[],"content":""}'
    async with client_of(house) as greedy, client_of(house) as modest:
        await introduce(greedy)
        await house.invite(EVERYTHING)
        await introduce(modest)
        await modest.start()
        own = KeySigner(greedy.session.client)
        house.may_answer.clear()
        requests = [Request(f"{n}", "sign_event", (draft,)) for n in range(15)]
        waiting = [asyncio.create_task(said(house, each, own)) for each in requests]
        done, _ = await asyncio.wait(waiting, timeout=0.05)
        # Of one client so many are at work; the others are not heard.
        assert {each.result().error for each in done} == {"nothing"}
        assert len(done) == 5
        assert (await modest.sign(DRAFT)).pubkey == ALICE.public_key
        house.may_answer.set()
        await asyncio.gather(*waiting)


async def test_a_person_who_says_yes_too_late_has_said_nothing() -> None:
    house = await letting_in(Policy(kinds=frozenset(), ask=True, until=int(START) + 100))
    draft = '{"created_at":1,"kind":0,"tags":[],"content":""}'
    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)

        async def asking(number: str) -> asyncio.Task[Response]:
            house.may_answer.clear()
            request = Request(number, "sign_event", (draft,))
            task = asyncio.create_task(said(house, request, own))
            await asyncio.wait([task], timeout=0.05)
            return task

        first = await asking("1")
        house.now += 100
        house.may_answer.set()
        assert "come to its end" in (await first).error
        house.now -= 100
        second = await asking("2")
        await house.forget(own.public_key)
        house.may_answer.set()
        assert "not known here any more" in (await second).error
    assert ("sign_event", "done") not in house.outcomes()


async def test_whoever_is_known_uses_up_a_link_that_it_opens() -> None:
    house = await letting_in(Policy(kinds=frozenset((1,))))
    async with client_of(house) as client:
        await introduce(client)
        await house.invite(Policy(kinds=frozenset((7,))), "another secret")
        await introduce(client, "another secret")
        assert house.book.invitations == {}
        (known,) = house.book.clients.values()
        assert known.policy == Policy(kinds=frozenset((7,)))


async def test_whose_time_is_over_comes_in_again_with_a_new_link() -> None:
    house = await letting_in(Policy(until=int(START) + 100))
    async with client_of(house) as client:
        await introduce(client)
        await client.start()
        house.now += 100
        with pytest.raises(BunkerError, match="come to its end"):
            await client.sign(DRAFT)
        renewed = Policy(kinds=frozenset((1,)), until=int(house.now) + 100)
        await house.invite(renewed, "another secret")
        await introduce(client, "another secret", "the same bot")
        assert (await client.sign(DRAFT)).pubkey == ALICE.public_key
    assert house.book.invitations == {}
    (known,) = house.book.clients.values()
    assert (known.policy, known.name, known.since) == (renewed, "the same bot", int(house.now))


@pytest.mark.parametrize("secret", ["", SECRET, "of nobody"])
async def test_whose_time_is_over_gets_no_more_with_a_link_that_was_used(secret: str) -> None:
    house = await letting_in(Policy(until=int(START) + 100))
    async with client_of(house) as client:
        await introduce(client)
        await client.start()
        before = house.book
        house.now += 100
        await introduce(client, secret)  # as some clients do at each start
        with pytest.raises(BunkerError, match="come to its end"):
            await client.sign(DRAFT)
    assert house.book == before


async def test_what_cannot_be_logged_is_not_given() -> None:
    house = await letting_in()

    def full(_: object) -> None:
        raise SigningError("no space left")

    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)
        house.remote._told = full
        draft = '{"created_at":1,"kind":1,"tags":[],"content":""}'
        with pytest.raises(SigningError, match="no space left"):
            await said(house, Request("1", "sign_event", (draft,)), own)


async def test_a_client_learns_nothing_of_this_machine() -> None:
    class Broken(KeySigner):
        async def sign(self, draft: Draft) -> Verified:  # noqa: ARG002
            raise SigningError("cannot use /home/alice/keys: no space left")

    house = await letting_in(signer=Broken(secret_from_hex(Author(b"alice").secret_hex())))
    async with client_of(house) as client:
        await introduce(client)
        with pytest.raises(BunkerError, match="it failed here") as caught:
            await client.sign(DRAFT)
    assert "/home" not in str(caught.value)
    assert "/home/alice/keys" in house.deeds[-1].why


async def test_what_is_dated_far_ahead_is_not_signed() -> None:
    """What replaces an event could not be replaced itself until then."""
    house = await letting_in()
    async with client_of(house) as client:
        await introduce(client)
        await client.sign(replace(DRAFT, created_at=int(START) + 600))
        with pytest.raises(BunkerError, match="dated in the future"):
            await client.sign(replace(DRAFT, created_at=int(START) + 601))


async def test_a_client_that_asks_too_much_is_told_so_now_and_then() -> None:
    house = await letting_in(Policy(per_minute=1))
    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)
        house.now += 61
        now = int(house.now)
        errors = [(await said(house, Request(f"{n}", "ping"), own, now)).error for n in range(20)]
    assert errors[0] == ""
    assert set(errors[1:11]) == {"rate-limited: more than 1 requests a minute"}
    assert set(errors[11:]) == {"nothing"}
    assert len([deed for deed in house.deeds if deed.outcome == "refused"]) == 10


async def test_whose_time_is_over_hears_why_at_once_when_it_starts_anew() -> None:
    house = await letting_in(Policy(until=int(START) + 100))
    async with client_of(house) as client:
        await introduce(client)
        await client.start()
        session = client.session
    house.now += 100
    async with client_of(house, session, patience=Patience(3.0, silence=3600)) as client:
        with pytest.raises(BunkerError, match="come to its end"):
            await client.sign(DRAFT)


async def test_one_who_is_cancelled_leaves_the_question_to_be_asked_again() -> None:
    house = await letting_in(Policy(kinds=frozenset(), ask=True))
    async with client_of(house) as client:
        await introduce(client)
        own = KeySigner(client.session.client)
        house.may_answer.clear()
        draft = '{"created_at":1,"kind":0,"tags":[],"content":""}'
        asking = asyncio.create_task(said(house, Request("1", "sign_event", (draft,)), own))
        await asyncio.wait([asking], timeout=0.05)
        asking.cancel()
        await asyncio.wait([asking])
        house.may_answer.set()
        assert (await said(house, Request("1", "sign_event", (draft,)), own)).result
    assert len(house.asked) == 2


def test_the_book_shows_no_secret() -> None:
    book = Book(marked(), (), {}, {SECRET: Policy()})
    assert leaks(repr(book)) == []
    assert SECRET not in repr(book)


async def test_metadata_is_a_hint_and_cut() -> None:
    house = await letting_in()
    async with client_of(house) as client:
        await client.connect(SECRET, (), Metadata("x" * 999))
    (known,) = house.book.clients.values()
    assert known.name == "x" * 60 + "…"
