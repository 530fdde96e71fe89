"""What a relay takes is obeyed: as it says beforehand, or as it complains afterwards."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core.coverage import Finish
from nostr_threads.core.filters import Filter
from nostr_threads.core.limits import Limits
from nostr_threads.core.messages import Malformed, Request
from nostr_threads.errors import RelayInfoUnavailable
from nostr_threads.net import asking
from nostr_threads.net.info import fetch_info, limits_of
from nostr_threads.net.pool import Pool
from nostr_threads.relayd.limits import Limits as RelayLimits
from nostr_threads.testing import thread
from tests.net.peers import ALICE, BRIEF, PATIENT, SECONDS, event_text, faulty, kept, scripted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.server import ServerConnection

    from nostr_threads.testing import FaultyRelay

NOTES = Filter(kinds=(1,))
NOTE = ALICE.note("note")
THREAD = thread(60, seed=9)
IDS = tuple(event.id for event in THREAD)
# Over 4,000 bytes.
MANY = Filter(ids=IDS)


def saying(limits: Limits) -> Callable[[str], Awaitable[Limits]]:
    async def limits_of(_: str) -> Limits:
        return limits

    return limits_of


async def by_document(url: str) -> Limits:
    return limits_of(await fetch_info(url))


def requests(peer: FaultyRelay) -> list[Request]:
    return [message for message in peer.received if isinstance(message, Request)]


# As it says


@pytest.mark.parametrize(
    "limits",
    [
        RelayLimits(max_limit=7),
        RelayLimits(max_message_length=600),
        RelayLimits(max_subid_length=1),
        RelayLimits(max_subscriptions=1),
        RelayLimits(max_limit=7, max_message_length=600, max_subid_length=1, max_subscriptions=2),
    ],
)
async def test_a_relay_whose_document_was_read_never_has_to_complain(limits: RelayLimits) -> None:
    """NIP-11."""
    questions = (NOTES, MANY, Filter(kinds=(1,), tags={"e": IDS}), NOTES)
    async with (
        faulty(events=THREAD, limits=limits) as peer,
        kept(peer.url, limits_of=by_document) as relay,
    ):
        answers = await asyncio.gather(*(relay.fetch(question) for question in questions))
        assert {answer.finish for answer in answers} == {Finish.COMPLETE}
        assert {event.id for event in answers[0].events} == set(IDS)
        assert {event.id for event in answers[1].events} == set(IDS)
        assert not [message for message in peer.received if isinstance(message, Malformed)]
        for request in requests(peer):
            assert len(request.subscription) <= limits.max_subid_length
            assert all((each.limit or 0) <= limits.max_limit for each in request.filters)


async def test_the_parts_of_a_question_make_one_answer() -> None:
    limits_of = saying(Limits(values=25))
    async with faulty(events=THREAD) as peer, kept(peer.url, limits_of=limits_of) as relay:
        answer = await relay.fetch(MANY)
        assert (answer.relay, answer.finish) == (peer.url, Finish.COMPLETE)
        assert sorted(event.id for event in answer.events) == sorted(IDS)
        assert len(requests(peer)) == 3


async def test_the_answer_of_several_parts_ends_as_the_worst_of_them() -> None:
    async def script(socket: ServerConnection, message: list[Any]) -> None:
        match message:
            case ["REQ", name, {"ids": [first]}] if first == IDS[0]:
                await socket.send(json.dumps(["CLOSED", name, "error: not this one"]))
            case ["REQ", name, {"ids": [first]}]:
                wanted = THREAD[IDS.index(first)]
                await socket.send(event_text(name, wanted))
                await socket.send(json.dumps(["EOSE", name]))

    two = Filter(ids=IDS[:2])
    async with scripted(script) as url, kept(url, limits_of=saying(Limits(values=1))) as relay:
        answer = await relay.fetch(two)
        assert (answer.finish, answer.reason) == (Finish.REFUSED, "error: not this one")
        assert answer.events == (THREAD[1],)


async def test_it_is_asked_once_what_it_takes_and_only_when_it_is_used() -> None:
    asked = []

    async def limits_of(url: str) -> Limits:
        asked.append(url)
        return Limits(page=5)

    async with faulty(events=THREAD) as peer, Pool(limits=limits_of) as pool:
        relay = pool.relay(peer.url)
        assert asked == []
        for _ in range(2):
            assert (await relay.fetch(Filter(ids=IDS[:2]))).finish is Finish.COMPLETE
        assert asked == [peer.url]
        assert {each.filters[0].limit for each in requests(peer)} == {5}


async def test_who_cannot_say_what_it_takes_is_asked_as_usual() -> None:
    async def limits_of(url: str) -> Limits:
        raise RelayInfoUnavailable(url, "HTTP status 404")

    async with faulty(events=THREAD) as peer, kept(peer.url, limits_of=limits_of) as relay:
        assert (await relay.fetch(NOTES)).finish is Finish.COMPLETE
        assert requests(peer)[0].filters[0].limit == Limits().page


async def test_what_comes_too_late_counts_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question waits for it, but not for ever."""
    monkeypatch.setattr(asking, "_LIMITS_SECONDS", 0.05)
    may_come = asyncio.Event()

    async def limits_of(_: str) -> Limits:
        await may_come.wait()
        return Limits(page=5)

    async with faulty(events=THREAD) as peer, kept(peer.url, limits_of=limits_of) as relay:
        assert (await relay.fetch(Filter(ids=IDS[:1]))).finish is Finish.COMPLETE
        may_come.set()
        await asyncio.sleep(0)  # two turns of the loop: it has come
        await asyncio.sleep(0)  # and now it is obeyed
        assert (await relay.fetch(Filter(ids=IDS[:1]))).finish is Finish.COMPLETE
        assert [each.filters[0].limit for each in requests(peer)] == [Limits().page, 5]


async def test_live_subscriptions_take_places_too() -> None:
    limits = RelayLimits(max_subscriptions=2)
    async with (
        faulty(events=THREAD, limits=limits) as peer,
        kept(peer.url, limits_of=by_document) as relay,
    ):
        await relay.fetch(Filter(ids=IDS[:1]))
        following = relay.follow(NOTES)
        assert (await anext(following)).id in IDS
        answers = await asyncio.gather(*(relay.fetch(NOTES) for _ in range(6)))
        assert {answer.finish for answer in answers} == {Finish.COMPLETE}
        assert not [message for message in peer.received if isinstance(message, Malformed)]
        await following.aclose()


# As it complains


class Strict:
    """A relay with limits that it tells nobody before they are passed.

    It holds its answers back until so many were refused, so that they overlap.
    """

    def __init__(self, *, complain: Callable[[str, str], list[str]], refusals: int = 0) -> None:
        self.most = 3
        self.longest = 2**20
        self.open: dict[str, bool] = {}
        self.wants: dict[str, bool] = {}
        self.refused = 0
        self._complain = complain
        self._refusals = refusals

    async def __call__(self, socket: ServerConnection, message: list[Any]) -> None:
        match message:
            case ["CLOSE", name]:
                self.open.pop(name, None)
            case ["REQ", name, _] if fault := self._fault(message):
                self.refused += 1
                await socket.send(json.dumps(self._complain(name, fault)))
            case ["REQ", name, question]:
                self.open[name] = False
                self.wants[name] = NOTE.pubkey in question.get("authors", [NOTE.pubkey])
        if self.refused >= self._refusals:
            for name in [name for name, answered in self.open.items() if not answered]:
                self.open[name] = True
                if self.wants[name]:
                    await socket.send(event_text(name, NOTE))
                await socket.send(json.dumps(["EOSE", name]))

    def _fault(self, message: list[Any]) -> str:
        if len(json.dumps(message)) > self.longest:
            return "message too large"
        return "too many concurrent REQs" if len(self.open) >= self.most else ""


def by_notice(_: str, fault: str) -> list[str]:
    """As strfry does: nothing names the subscription, which never gets an answer."""
    return ["NOTICE", f"ERROR: {fault}"]


def by_closed(name: str, fault: str) -> list[str]:
    return ["CLOSED", name, f"error: {fault}"]


@pytest.mark.parametrize("complain", [by_notice, by_closed])
async def test_too_many_questions_at_once_are_asked_again_fewer_at_a_time(
    complain: Callable[[str, str], list[str]],
) -> None:
    strict = Strict(complain=complain, refusals=5)
    async with scripted(strict) as url, kept(url) as relay:
        answers = await asyncio.gather(*(relay.fetch(NOTES) for _ in range(12)))
        assert {(answer.finish, answer.events) for answer in answers} == {
            (Finish.COMPLETE, (NOTE,))
        }
        refused = strict.refused
        await asyncio.gather(*(relay.fetch(NOTES) for _ in range(12)))
        assert strict.refused == refused


@pytest.mark.parametrize("complain", [by_notice, by_closed])
async def test_a_question_too_long_is_asked_again_in_parts(
    complain: Callable[[str, str], list[str]],
) -> None:
    strict = Strict(complain=complain)
    strict.longest = 5000
    question = Filter(kinds=(1,), authors=(NOTE.pubkey, *IDS))
    async with scripted(strict) as url, kept(url) as relay:
        answer = await relay.fetch(Filter(authors=(NOTE.pubkey, *IDS, *IDS[:30])))
        assert (answer.finish, answer.events) == (Finish.COMPLETE, (NOTE,))
        refused = strict.refused
        assert refused
        await relay.fetch(question)
        assert strict.refused == refused


@pytest.mark.parametrize("words", ["rate-limited: slow down", "hello", "", "x" * 10_000])
async def test_other_words_change_nothing(words: str) -> None:
    asked = []

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            asked.append(message)
            await socket.send(json.dumps(["NOTICE", words]))
            await socket.send(event_text(message[1], NOTE))
            await socket.send(json.dumps(["EOSE", message[1]]))

    async with scripted(script) as url, kept(url) as relay:
        assert (await relay.fetch(NOTES)).events == (NOTE,)
        assert len(asked) == 2  # the second shows that nothing is left


@pytest.mark.parametrize("complain", [by_notice, by_closed])
async def test_a_relay_that_is_never_content_is_not_asked_for_ever(
    complain: Callable[[str, str], list[str]],
) -> None:
    asked = []

    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            asked.append(message)
            await socket.send(json.dumps(complain(message[1], "too many concurrent REQs")))

    async with asyncio.timeout(SECONDS), scripted(script) as url, kept(url, timeouts=BRIEF) as it:
        answer = await it.fetch(NOTES)
        assert answer.finish in (Finish.REFUSED, Finish.TIMEOUT)
        assert len(asked) <= 2 * asking.MOST_TRIES


async def test_a_flood_of_complaints_ends_nothing_that_is_being_answered() -> None:
    async def script(socket: ServerConnection, message: list[Any]) -> None:
        if message[0] == "REQ":
            await socket.send(event_text(message[1], NOTE))
            for _ in range(100):
                await socket.send('["NOTICE","ERROR: too many concurrent REQs"]')
            await socket.send(json.dumps(["EOSE", message[1]]))

    async with scripted(script) as url, kept(url, timeouts=PATIENT) as relay:
        answer = await relay.fetch(NOTES)
        assert (answer.finish, answer.events) == (Finish.COMPLETE, (NOTE,))
