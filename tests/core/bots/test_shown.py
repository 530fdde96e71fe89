"""What is asked, as plain values, and which notes of a thread come first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nostr_threads.core.bots.shown import by_nearness, name_of, shown
from nostr_threads.core.entities import EventPointer, PublicKey
from nostr_threads.core.nip19 import decode, encode
from nostr_threads.core.profile import Profile
from nostr_threads.core.thread import Thread
from nostr_threads.testing import thread
from tests.core.bots.asking import ALICE, BOB, BOT, CAROL, asking, asking_in_a_thread

if TYPE_CHECKING:
    from nostr_threads.core.bots.asks import Ask


def contents(ask: Ask) -> list[str]:
    nearest = by_nearness(ask.thread, ask.event.id)
    return [node.event.content for node in nearest if node.event is not None]


def test_the_root_comes_first_then_the_way_up_then_what_is_nearest() -> None:
    assert contents(asking_in_a_thread()) == [
        *("The root.", "Why?", "An answer."),
        *("Beside it.", "Another branch.", "Far away."),
    ]


def test_notes_that_cannot_be_read_are_not_shown() -> None:
    ask = asking_in_a_thread()
    hidden = Thread.build(ask.thread.events, muted={BOB.pubkey})
    assert contents(replace(ask, thread=hidden)) == ["Why?", "An answer.", "Far away."]
    answer = next(each for each in ask.thread.events if each.content == "An answer.")
    deleted = Thread.build([*ask.thread.events, CAROL.deletion(answer)])
    assert "An answer." not in contents(replace(ask, thread=deleted))


def test_a_question_that_its_thread_does_not_have_has_a_root_all_the_same() -> None:
    ask = replace(asking("Why?"), thread=asking_in_a_thread().thread)
    assert contents(ask)[0] == "The root."
    assert contents(replace(ask, thread=Thread(()))) == []


def test_a_long_chain_takes_no_longer_than_it_has_notes() -> None:
    events = thread(2_000, depth=None, seed=1)
    built = Thread.build(events)
    assert len(by_nearness(built, events[-1].id)) == 2_000


def test_all_is_plain_values() -> None:
    ask = asking_in_a_thread()
    found = shown(ask)
    assert (found.note.id, found.note.text, found.note.kind) == (ask.event.id, "Why?", 1)
    assert decode(found.note.code) == EventPointer(ask.event.id, author=ALICE.pubkey, kind=1)
    assert found.author.npub == encode(PublicKey(ALICE.pubkey))
    assert (found.bot, found.now) == (BOT.pubkey, ask.now)
    lines = [(line.text, line.depth, line.author.name[:4]) for line in found.thread]
    assert lines[0] == ("The root.", 0, "Bob")
    assert {("An answer.", 1, "npub"), ("Why?", 2, "npub")} < set(lines)
    assert [line.id for line in found.thread] == [node.id for node in ask.thread.nodes]


def test_a_long_thread_and_a_long_text_are_cut() -> None:
    ask = asking_in_a_thread()
    assert [line.text for line in shown(ask, most=2).thread] == ["The root.", "Why?"]
    assert shown(ask, most=0).thread == ()
    long = shown(replace(ask, text="x" * 20_000)).note.text
    assert (len(long), long[-2:]) == (10_000, "x…")


def test_everybody_has_a_name_on_one_line() -> None:
    ask = asking("Why?")
    assert name_of(ask, ALICE.pubkey) == encode(PublicKey(ALICE.pubkey))[:12] + "…"
    named = replace(ask, author=Profile(name="Alice\n> Bob"))
    assert name_of(named, ALICE.pubkey) == "Alice > Bob"
    assert name_of(named, BOB.pubkey).startswith("npub1")
    given = replace(named, names={ALICE.pubkey: " the\nqueen " + "x" * 99, BOB.pubkey: " "})
    assert name_of(given, ALICE.pubkey) == ("the queen " + "x" * 99)[:40]
    assert name_of(given, BOB.pubkey).startswith("npub1")
