"""What a source has here brought to another relay: all that may go, once, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.app import pushing
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import NegMsg, NegOpen, Publish
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.store.policy import Policy
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, NOW, opened
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    import nostr_threads as nt

TAG = ("t", "nostr")
NOSTR = Source(SourceKind.HASHTAG, "nostr")
NOTES = [ALICE.event(1, f"note {n}", NOW - 100 + n, (TAG,)) for n in range(30)]


def clock() -> float:
    return NOW


def accepting(faults: Faults = Faults(), *there: nt.Verified) -> FaultyRelay:  # noqa: B008 - frozen
    return FaultyRelay(stocked(there), faults, accept=lambda _: None, clock=clock)


def ids(relay: FaultyRelay) -> set[str]:
    return {event.id for event in relay.store.query([Filter()], now=int(NOW))}


def sent(relay: FaultyRelay) -> list[str]:
    return [each.event.id for each in relay.received if isinstance(each, Publish)]


@pytest.mark.parametrize("faults", [Faults(), Faults(no_negentropy=True)])
async def test_what_a_relay_has_not_is_brought_to_it_once(faults: Faults) -> None:
    async with (
        accepting(faults, *NOTES[:10]) as relay,
        opened(":memory:", clock=clock) as nostr,
    ):
        nostr.store.add([*NOTES, ALICE.note("another")], relay=None, now=int(NOW))
        told: list[int] = []
        pushed = await nostr.mirror.push(
            NOSTR, relay.url, told=lambda so_far: told.append(so_far.taken)
        )
        assert (pushed.offered, pushed.there, pushed.taken) == (30, 10, 20)
        assert pushed.whole
        assert told == [20]
        assert ids(relay) == {note.id for note in NOTES}
        assert sorted(sent(relay)) == sorted(note.id for note in NOTES[10:])
        again = await nostr.mirror.push(NOSTR, relay.url)
        assert (again.there, again.taken, again.whole) == (30, 0, True)
        assert len(sent(relay)) == 20


@pytest.mark.parametrize("faults", [Faults(), Faults(no_negentropy=True)])
async def test_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch, faults: Faults) -> None:
    """Answers come after what they answer, wherever a push is cut off."""
    monkeypatch.setattr(pushing, "_BATCH", 4)
    async with accepting(faults) as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.add(NOTES[15:] + NOTES[:15], relay=None, now=int(NOW))
        await nostr.mirror.push(NOSTR, relay.url)
        assert sent(relay) == [note.id for note in NOTES]


async def test_of_a_thread_too_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "_BATCH", 2)
    chain = [ALICE.note("root", NOW - 50)]
    for n in range(12):
        chain.append(BOB.reply(chain[-1], f"answer {n}", NOW - 40 + n))
    thread = Source.parse(SourceKind.THREAD, chain[0].id)
    async with accepting() as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.add(chain, relay=None, now=int(NOW))
        await nostr.mirror.push(thread, relay.url)
        assert sent(relay) == [note.id for note in chain]


@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("faults", [Faults(), Faults(no_negentropy=True)])
async def test_what_may_not_be_passed_on_stays_here(policy: Policy, faults: Faults) -> None:
    """Whatever is kept here, nobody else is sent what its author wanted gone."""
    gone = BOB.event(1, "gone", NOW - 50, (TAG,))
    request = BOB.event(5, "", NOW - 40, (("e", gone.id), TAG))
    over = BOB.event(1, "over", NOW - 50, (TAG, ("expiration", str(int(NOW) - 1))))
    protected = BOB.event(1, "from me alone", NOW - 50, (TAG, ("-",)))
    async with accepting(faults) as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.adopt(policy)
        nostr.store.add([*NOTES[:1], gone, request, over, protected], relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(NOSTR, relay.url)
        assert pushed.offered == 3
        compared = [each for each in relay.received if isinstance(each, NegOpen | NegMsg)]
        # Where the two sides compare, not even its id is told: it is in the request alone.
        assert NOTES[0].id in str(compared)
        assert gone.id not in str(compared)
        assert sorted(sent(relay)) == sorted([NOTES[0].id, request.id])
        assert pushed.withheld == {"only its author may send it (NIP-70)": 1}
        await nostr.mirror.push(NOSTR, relay.url, own=BOB.pubkey)
        assert protected.id in sent(relay)


async def test_what_a_relay_says_that_it_does_not_take_is_not_sent() -> None:
    old = ALICE.event(1, "old", NOW - 1_000_000, (TAG,))
    async with accepting() as relay, opened(":memory:", clock=clock) as nostr:
        document = '{"supported_nips":[77],"limitation":{"created_at_lower_limit":10000}}'
        nostr.store.keep_relay_document(relay.url, document, now=int(NOW))
        nostr.store.add([*NOTES[:2], old], relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(NOSTR, relay.url)
        assert pushed.withheld == {"it takes nothing that is older than 10000 seconds": 1}
        assert (pushed.taken, old.id in sent(relay)) == (2, False)


async def test_what_is_refused_is_told_with_the_relays_words() -> None:
    refusing = Faults(reject_with="blocked: not this one", accept_first=27)
    async with accepting(refusing) as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.add(NOTES, relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(NOSTR, relay.url)
        assert (pushed.taken, pushed.whole) == (27, False)
        assert pushed.refused == {"blocked: not this one": 3}


async def test_an_ok_is_no_proof() -> None:
    async with (
        accepting(Faults(ok_but_not_stored=True)) as relay,
        opened(":memory:", clock=clock) as nostr,
    ):
        nostr.store.add(NOTES[:3], relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(NOSTR, relay.url)
        assert (pushed.taken, pushed.whole) == (0, False)
        assert pushed.refused == {"it said OK, and does not have it": 3}


async def test_a_relay_that_wants_it_slower_is_waited_for() -> None:
    hurried = Faults(reject_with="rate-limited: wait 7 s", accept_first=2, reject_first=3)
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    async with accepting(hurried) as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.add(NOTES[:4], relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(NOSTR, relay.url, pause=pause)
        assert (pushed.taken, pushed.whole) == (4, True)
    assert len(waited) >= 3
    assert max(waited) > 1, "what it asked for, and not what is usual"


async def test_a_relay_that_says_it_has_everything_is_not_believed() -> None:
    lying = Faults(negentropy_answer="61")
    async with accepting(lying) as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.add(NOTES[:5], relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(NOSTR, relay.url)
        assert (pushed.there, pushed.taken, pushed.whole) == (0, 5, True)


async def test_a_relay_that_is_down_stops_it() -> None:
    async with opened(":memory:", clock=clock) as nostr:
        nostr.store.add(NOTES[:4], relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(NOSTR, "ws://127.0.0.1:9")
        assert pushed.stopped
        assert (pushed.taken, pushed.whole) == (0, False)


async def test_a_thread_is_brought_too() -> None:
    root = ALICE.note("root", NOW - 50)
    answer = BOB.reply(root, "answer", NOW - 40)
    async with accepting(Faults(), root) as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.add([root, answer, *NOTES], relay=None, now=int(NOW))
        thread = Source.parse(SourceKind.THREAD, answer.id)
        pushed = await nostr.mirror.push(thread, relay.url)
        assert (pushed.offered, pushed.there, pushed.taken) == (2, 1, 1)
        assert ids(relay) == {root.id, answer.id}


async def test_of_a_thread_too_nothing_is_brought_that_is_only_kept() -> None:
    root = ALICE.note("root", NOW - 50)
    answer = BOB.reply(root, "answer", NOW - 40)
    async with accepting() as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.adopt(Policy.KEEP)
        nostr.store.add([root, answer, BOB.deletion(answer)], relay=None, now=int(NOW))
        pushed = await nostr.mirror.push(Source.parse(SourceKind.THREAD, root.id), relay.url)
        assert (pushed.offered, sent(relay)) == (2, [root.id, BOB.deletion(answer).id])


async def test_what_is_deleted_while_it_is_brought_goes_no_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pushing, "_BATCH", 2)
    async with accepting() as relay, opened(":memory:", clock=clock) as nostr:
        nostr.store.adopt(Policy.KEEP)
        nostr.store.add(NOTES[:4], relay=None, now=int(NOW))
        regret = ALICE.deletion(NOTES[3])

        def told(_: object) -> None:
            nostr.store.add([regret], relay=None, now=int(NOW))

        await nostr.mirror.push(NOSTR, relay.url, told=told)
        assert sent(relay) == [note.id for note in NOTES[:3]]
