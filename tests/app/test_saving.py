"""What of a thread goes into a file for others, and that the file alone gives it back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.fetch import load_thread
from nostr_threads.app.saving import reopened, saved
from nostr_threads.core import kinds, nip19
from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.references import pointer_to
from nostr_threads.core.saved import Saved
from nostr_threads.errors import InvalidInput, NotFound
from nostr_threads.store.base import Posting
from nostr_threads.store.policy import Policy
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, CAROL, NOW

if TYPE_CHECKING:
    import nostr_threads as nt

ROOT = ALICE.note("root", NOW)
HERE, THERE = "wss://a.example", "wss://b.example"


def holding(*events: nt.Verified) -> SqliteStore:
    store = SqliteStore(":memory:")
    store.add(events, relay=HERE, now=NOW)
    return store


def test_the_file_alone_gives_the_thread_as_the_store_has_it() -> None:
    notes = thread(60)
    profile = notes[5]
    with holding(*notes) as store:
        store.add(notes[::3], relay=THERE, now=NOW)
        whole = saved(notes[0].id, store=store, now=NOW + 1_000, version="1")
        before = load_thread(pointer_to(notes[0].id), store=store, now=NOW + 1_000)
    after = reopened(whole)
    assert profile in whole.events
    assert after.thread.nodes == before.thread.nodes
    assert {each.url: (each.events, each.only_here) for each in after.coverage.relays} == {
        HERE: (60, 40),
        THERE: (20, 0),
    }
    assert reopened(whole).thread.nodes == after.thread.nodes


def test_names_counts_and_quoted_notes_come_along() -> None:
    profile = BOB.event(kinds.PROFILE, json.dumps({"name": "bob"}), NOW)
    cited = BOB.note("cited", NOW)
    reply = BOB.reply(ROOT, f"nostr:{nip19.encode(nip19.Note(cited.id))}", NOW + 1)
    with holding(ROOT, reply, cited, profile, CAROL.reaction(reply)) as store:
        found = reopened(saved(ROOT.id, store=store, now=NOW + 9, version="1"))
    around = found.surroundings
    assert around.shown_names == {BOB.pubkey: "bob"}
    assert around.quoted[cited.id] == cited
    assert around.tallies[reply.id].reactions == {"+": 1}


@pytest.mark.parametrize("policy", [Policy.HIDE, Policy.KEEP])
def test_what_its_author_wanted_gone_is_not_passed_on(policy: Policy) -> None:
    gone = BOB.reply(ROOT, "gone", NOW + 1)
    ended = BOB.reply(ROOT, "ended", NOW + 1, tags=(("expiration", str(NOW + 2)),))
    cited = CAROL.note("cited", NOW)
    below = ALICE.reply(gone, f"nostr:{nip19.encode(nip19.Note(cited.id))}", NOW + 2)
    asked = (BOB.deletion(gone), CAROL.deletion(cited))
    with holding(ROOT, gone, ended, cited, below, *asked) as store:
        store.adopt(policy)
        whole = saved(ROOT.id, store=store, now=NOW + 9, version="1")
    assert {event.id for event in whole.events} == {ROOT.id, below.id}
    (missing,) = reopened(whole).thread.missing
    assert missing.id == gone.id


def test_an_older_version_that_somebody_answers_comes_along() -> None:
    old, new = ALICE.article("d", "old", NOW), ALICE.article("d", "new", NOW + 5)
    reply = BOB.comment(new, "yes", NOW + 6)
    by_id = CAROL.note("to the old one", NOW + 7, (("e", old.id, "", "root"),))
    with holding(old, new, reply, by_id) as store:
        before = load_thread(pointer_to(new.id), store=store, now=NOW + 9)
        whole = saved(new.id, store=store, now=NOW + 9, version="1")
    assert reopened(whole).thread.nodes == before.thread.nodes
    assert before.thread.found == 3


def test_ones_own_parts_that_no_relay_has_are_nobody_elses() -> None:
    mine, sent = ALICE.reply(ROOT, "not sent", NOW + 1), ALICE.reply(ROOT, "sent", NOW + 1)
    with holding(ROOT) as store:
        for event in (mine, sent):
            store.enqueue(Posting((event,), (HERE,), 1, NOW))
        store.record(sent.id, Delivery(1, HERE, Status.STORED), now=NOW)
        assert {
            event.id for event in saved(ROOT.id, store=store, now=NOW + 9, version="1").events
        } == {
            ROOT.id,
            sent.id,
        }


def test_a_page_without_a_note_of_its_thread_is_none() -> None:
    with pytest.raises(InvalidInput, match="no note of its thread"):
        reopened(Saved("zzz", NOW, "1", (ROOT,)))


def test_nothing_to_pass_on_is_said() -> None:
    with holding(ROOT, ALICE.deletion(ROOT)) as store, pytest.raises(NotFound):
        saved(ROOT.id, store=store, now=NOW + 9, version="1")
