"""What a fetch brings along: names, reactions, quotes, mutes, and who wanted to be gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core import kinds, nip19
from nostr_threads.relayd import RelayServer
from nostr_threads.store.policy import Policy
from nostr_threads.testing import Author, FaultyRelay
from tests.app.worlds import ALICE, BOB, CAROL, DAVE, NOW, mute_list, opened, profile
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nostr_threads.core.event import Verified

ROOT = ALICE.note("the question", NOW)
ANSWER = BOB.reply(ROOT, "an answer")
GOOD = CAROL.reply(ANSWER, "a good word below it")
CONVERSATION = (ROOT, ANSWER, GOOD)
GONE, EXPIRED, HIDDEN = nt.State.DELETED, nt.State.EXPIRED, nt.State.HIDDEN


def states(found: nt.Found) -> dict[str, tuple[nt.State, str]]:
    """The state of each node, and why."""
    return {node.id: (node.state, node.why) for node in found.thread.nodes}


def mentioning(person: Author, note: nt.Event) -> nt.Verified:
    npub, code = nt.encode(nip19.PublicKey(person.pubkey)), nt.encode(nip19.Note(note.id))
    return BOB.reply(ROOT, f"ask nostr:{npub} about nostr:{code}", NOW + 5)


async def test_names_counts_and_quotes_come_with_the_thread_and_stay(tmp_path: Path) -> None:
    elsewhere = DAVE.note("said elsewhere", NOW - 99)
    reply = mentioning(CAROL, elsewhere)
    people = [profile(person, name) for person, name in ((ALICE, "alice"), (CAROL, "carol"))]
    around = [
        *people,
        profile(DAVE, "dave"),
        BOB.reaction(ROOT),
        CAROL.reaction(ROOT, "🤙"),
        CAROL.event(kinds.REPOST, "", NOW + 9, (("e", ROOT.id, ""), ("p", ALICE.pubkey))),
    ]
    async with (
        RelayServer(stocked([ROOT, reply, elsewhere, *around])) as relay,
        opened(tmp_path / "a.db", relay.url) as nostr,
    ):
        fetched = await nostr.fetch(ROOT.id)
    async with opened(tmp_path / "a.db") as offline:
        shown = await offline.show(reply.id)
    for found in (fetched, shown):
        assert found.thread.events == (ROOT, reply)
        names = found.surroundings.shown_names
        assert names == {ALICE.pubkey: "alice", CAROL.pubkey: "carol", DAVE.pubkey: "dave"}
        tally = found.surroundings.tallies[ROOT.id]
        assert (tally.reactions, tally.reposts, tally.zaps) == ({"+": 1, "🤙": 1}, 1, 0)
        assert found.surroundings.quoted == {elsewhere.id: elsewhere}


async def test_a_quoted_note_that_is_muted_is_not_shown(tmp_path: Path) -> None:
    elsewhere = DAVE.note("said elsewhere", NOW - 99)
    events = [ROOT, mentioning(CAROL, elsewhere), elsewhere]
    events.append(mute_list(ALICE, ("p", DAVE.pubkey)))
    async with (
        RelayServer(stocked(events)) as relay,
        opened(tmp_path / "a.db", relay.url, viewer=ALICE) as nostr,
    ):
        found = await nostr.fetch(ROOT.id)
    assert found.surroundings.quoted == {}


MUTES = (
    (("p", BOB.pubkey), ANSWER, "its author is muted"),
    (("word", "Answer"), ANSWER, "it has a muted word"),
    (("e", GOOD.id), GOOD, "its thread is muted"),
)


@pytest.mark.parametrize(("entry", "hidden", "why"), MUTES)
async def test_what_the_reader_muted_is_hidden_and_the_good_below_it_stays(
    entry: tuple[str, str], hidden: nt.Event, why: str, tmp_path: Path
) -> None:
    """NIP-51, whether the list is that of the signer or of the one who was named."""
    async with RelayServer(stocked([*CONVERSATION, mute_list(ALICE, entry)])) as relay:
        async with opened(tmp_path / "a.db", relay.url, by=ALICE) as nostr:
            fetched = await nostr.fetch(ROOT.id)
        async with opened(tmp_path / "a.db", viewer=ALICE) as offline:
            shown = await offline.show(ROOT.id)
        async with opened(tmp_path / "a.db", relay.url, viewer=CAROL) as other:
            seen_by_another = await other.fetch(ROOT.id)
    for found in (fetched, shown):
        there = {event.id: (nt.State.PRESENT, "") for event in CONVERSATION}
        assert states(found) == {**there, hidden.id: (HIDDEN, why)}
    assert set(states(seen_by_another).values()) == {(nt.State.PRESENT, "")}


async def test_a_mute_counts_from_the_next_fetch_on(tmp_path: Path) -> None:
    """Whoever published has been looked up already today, and without asking for their mutes."""
    muted = mute_list(ALICE, ("p", BOB.pubkey))
    async with (
        RelayServer(stocked(CONVERSATION)) as relay,
        RelayServer(stocked([muted])) as index,
        opened(tmp_path / "a.db", relay.url, by=ALICE, index=[index.url]) as nostr,
    ):
        await nostr.publish("an answer of mine", reply_to=ANSWER)
        found = await nostr.fetch(ROOT.id)
    assert states(found)[ANSWER.id] == (HIDDEN, "its author is muted")


async def test_a_muted_root_takes_no_answers_along() -> None:
    muted = mute_list(CAROL, ("p", ALICE.pubkey))
    async with (
        RelayServer(stocked([*CONVERSATION, muted])) as relay,
        opened(":memory:", relay.url, viewer=CAROL) as nostr,
    ):
        found = await nostr.fetch(GOOD.id)
    assert states(found)[ROOT.id] == (HIDDEN, "its author is muted")
    assert found.thread.events == CONVERSATION


async def fetched_and_shown(
    folder: Path, careless: Sequence[Verified], careful: Sequence[Verified]
) -> tuple[nt.Found, nt.Found]:
    """What two relays give, of which only one knows what is gone, and what is kept of it."""
    async with (
        RelayServer(stocked(careless)) as one,
        RelayServer(stocked(careful)) as other,
        opened(folder / "a.db", one.url, other.url) as nostr,
    ):
        return await nostr.fetch(ROOT.id), await nostr.show(ROOT.id)


async def test_who_asked_to_vanish_is_not_shown_and_who_answered_is(tmp_path: Path) -> None:
    """NIP-62. The relay that has the notes does not know of it."""
    vanish = BOB.event(kinds.VANISH, "", NOW + 50, (("relay", "ALL_RELAYS"),))
    like = BOB.event(kinds.REACTION, "+", NOW + 40, (("e", ROOT.id),))
    for found in await fetched_and_shown(tmp_path, [*CONVERSATION, like], [ROOT, vanish]):
        assert states(found)[ANSWER.id] == (GONE, "its author asked to vanish")
        assert states(found)[GOOD.id] == (nt.State.PRESENT, "")
        assert ROOT.id not in found.surroundings.tallies


async def test_a_request_to_vanish_from_one_relay_hides_nothing_here(tmp_path: Path) -> None:
    vanish = BOB.event(kinds.VANISH, "", NOW + 50, (("relay", "wss://one.example"),))
    async with (
        RelayServer(stocked([*CONVERSATION, vanish])) as relay,
        opened(tmp_path / "a.db", relay.url) as nostr,
    ):
        found = await nostr.fetch(ROOT.id)
    assert found.thread.found == len(CONVERSATION)


async def test_what_its_author_deleted_is_told_as_such_with_the_reason(tmp_path: Path) -> None:
    sorry = BOB.event(kinds.DELETION, "I was wrong", NOW + 50, (("e", ANSWER.id),))
    false = DAVE.deletion(GOOD)
    for found in await fetched_and_shown(tmp_path, CONVERSATION, [ROOT, sorry, false]):
        assert states(found)[ANSWER.id] == (GONE, "I was wrong")
        assert states(found)[GOOD.id] == (nt.State.PRESENT, "")


async def test_what_has_expired_since_is_told_as_such(tmp_path: Path) -> None:
    """NIP-40, by our own clock: the relay's goes slow."""
    brief = BOB.reply(ROOT, "until tomorrow", tags=(("expiration", f"{NOW + 100}"),))
    below = CAROL.reply(brief, "noted")
    events = [ROOT, brief, below]
    async with FaultyRelay(stocked(events), clock=lambda: NOW) as relay:
        async with opened(tmp_path / "a.db", relay.url, clock=lambda: NOW) as nostr:
            before = await nostr.fetch(ROOT.id)
        async with opened(tmp_path / "a.db", relay.url, clock=lambda: NOW + 100) as nostr:
            after = await nostr.fetch(ROOT.id)
    assert states(before)[brief.id] == (nt.State.PRESENT, "")
    assert states(after)[brief.id] == (EXPIRED, "its author gave it an end")
    assert states(after)[below.id] == (nt.State.PRESENT, "")


# What the store keeps


async def shown(*events: nt.Verified, viewer: Author | None = None) -> nt.Found:
    """What is shown of a thread by a store that keeps what was deleted."""
    async with opened(":memory:", viewer=viewer, clock=lambda: NOW + 200) as nostr:
        nostr.store.adopt(Policy.KEEP)
        nostr.store.add(events, relay=None, now=NOW)
        return await nostr.show(ROOT.id)


async def test_what_is_kept_is_shown_with_what_became_of_it() -> None:
    sorry = BOB.event(kinds.DELETION, "I was wrong", NOW + 50, (("e", ANSWER.id),))
    leaving = CAROL.event(kinds.VANISH, "", NOW + 50, (("relay", "ALL_RELAYS"),))
    brief = DAVE.reply(ROOT, "brief", tags=(("expiration", f"{NOW + 100}"),))
    found = await shown(*CONVERSATION, sorry, leaving, brief)
    assert {node.id: (node.state, node.why, node.kept) for node in found.thread.nodes} == {
        ROOT.id: (nt.State.PRESENT, "", None),
        ANSWER.id: (nt.State.PRESENT, "I was wrong", GONE),
        GOOD.id: (nt.State.PRESENT, "its author asked to vanish", GONE),
        brief.id: (nt.State.PRESENT, "its author gave it an end", EXPIRED),
    }


async def test_a_quoted_note_that_is_kept_is_named_as_such() -> None:
    kept, standing = DAVE.note("regretted", NOW - 99), DAVE.article("essay", "text")
    gone = DAVE.article("gone", "text")
    quoting = [mentioning(CAROL, kept), mentioning(CAROL, standing), mentioning(CAROL, gone)]
    regrets = DAVE.deletion(kept), DAVE.deletion(gone)
    around = (await shown(ROOT, *quoting, kept, standing, gone, *regrets)).surroundings
    addresses = [f"30023:{DAVE.pubkey}:{name}" for name in ("essay", "gone")]
    assert around.quoted.keys() == {kept.id, standing.id, gone.id, *addresses}
    assert around.kept == {kept.id, gone.id, addresses[1]}


async def test_what_people_said_of_themselves_and_took_back_does_not_count() -> None:
    named, muted = profile(BOB, "bob"), mute_list(ALICE, ("p", BOB.pubkey))
    like = BOB.event(kinds.REACTION, "+", NOW + 40, (("e", ROOT.id),))
    events = [*CONVERSATION, named, muted, like]
    before = await shown(*events, viewer=ALICE)
    assert states(before)[ANSWER.id][0] is HIDDEN
    assert before.surroundings.shown_names == {BOB.pubkey: "bob"}
    assert before.surroundings.tallies[ROOT.id].reactions == {"+": 1}
    regrets = [
        by.event(kinds.DELETION, "", NOW + 90, (("e", each.id),))
        for by, each in ((BOB, named), (ALICE, muted), (BOB, like))
    ]
    after = await shown(*events, *regrets, viewer=ALICE)
    assert states(after)[ANSWER.id] == (nt.State.PRESENT, "")
    assert after.surroundings.shown_names == {}
    assert ROOT.id not in after.surroundings.tallies
