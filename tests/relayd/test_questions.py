"""REQ, COUNT and CLOSE without a socket: NIP-01, 45, 67."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import (
    Close,
    Closed,
    Count,
    CountResult,
    Delivered,
    Eose,
    NegErr,
    NegOpen,
    Notice,
    Request,
    Tally,
)
from nostr_threads.core.wire import encode
from nostr_threads.errors import StoreError, TooCostly
from nostr_threads.relayd.limits import Limits
from nostr_threads.testing import START, Author
from tests.relayd.peers import NOW, asked, connected, published, say, stocked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nostr_threads.core.event import Verified

ALICE, BOB = Author(1), Author(2)
NOTES = [ALICE.note(f"note {number}", START + number) for number in range(10)]
NEWEST_FIRST = [note.id for note in reversed(NOTES)]
ALL = Filter(kinds=(1,))


def test_events_come_newest_first_and_then_eose() -> None:
    assert asked(connected(NOTES), ALL) == (NEWEST_FIRST, Eose("sub", ("finish",)))


def test_ties_are_told_apart_by_the_lower_id_over_all_filters() -> None:
    """NIP-01: in the case of ties the event with the lowest id should be first."""
    notes = [author.note(f"{number}") for number in range(5) for author in (ALICE, BOB)]
    filters = (Filter(authors=(ALICE.pubkey,)), Filter(authors=(BOB.pubkey,)))
    assert asked(connected(notes), *filters)[0] == sorted(note.id for note in notes)


def test_an_event_that_meets_two_filters_comes_once() -> None:
    assert asked(connected(NOTES), ALL, Filter(authors=(ALICE.pubkey,)))[0] == NEWEST_FIRST


def test_a_limit_brings_the_newest() -> None:
    assert asked(connected(NOTES), Filter(limit=3))[0] == NEWEST_FIRST[:3]


def test_limits_are_clamped_and_have_a_default() -> None:
    """NIP-11: max_limit, default_limit."""
    client = connected(NOTES, limits=Limits(max_limit=5, default_limit=2))
    assert asked(client, Filter(limit=1000))[0] == NEWEST_FIRST[:5]
    assert asked(client, Filter())[0] == NEWEST_FIRST[:2]


def test_one_answer_has_max_limit_events_whatever_its_filters_add_up_to() -> None:
    client = connected(NOTES, limits=Limits(max_limit=4))
    halves = (Filter(until=START + 4), Filter(since=START + 5))
    assert asked(client, *halves) == (NEWEST_FIRST[:4], Eose("sub", ("more",)))


def test_a_live_subscription_gets_what_matches_whatever_its_limit() -> None:
    """NIP-01: limit MUST be ignored after the initial query."""
    client = connected()
    say(client, Request("a", (Filter(kinds=(1,), limit=0),)))
    say(client, Request("b", (Filter(kinds=(7,)), Filter(authors=(ALICE.pubkey,)))))
    note, other = ALICE.note("x"), BOB.event(9)
    assert client.broadcast(note) == [Delivered("a", note), Delivered("b", note)]
    assert client.broadcast(other) == []


def test_close_ends_a_subscription_without_an_answer() -> None:
    client = connected()
    say(client, Request("a", (ALL,)))
    assert say(client, Close("a")) == []
    assert say(client, Close("never opened")) == []
    assert client.broadcast(NOTES[0]) == []


def test_a_req_of_the_same_name_replaces_the_old_one() -> None:
    client = connected(limits=Limits(max_subscriptions=1))
    say(client, Request("sub", (Filter(kinds=(7,)),)))
    assert asked(client, ALL)[1] == Eose("sub", ("finish",))
    assert list(client.subscriptions) == ["sub"]
    assert client.broadcast(NOTES[0]) == [Delivered("sub", NOTES[0])]


@pytest.mark.parametrize("bad", [{"kinds": "one"}, {"search": "x"}, {"#e": ["short"]}])
def test_a_refused_req_ends_the_subscription_of_that_name(bad: object) -> None:
    client = connected()
    asked(client, ALL)
    (closed,) = client.receive(json.dumps(["REQ", "sub", bad]), NOW)
    assert isinstance(closed, Closed)
    assert client.subscriptions == {}


@pytest.mark.parametrize(
    ("question", "prefix"),
    [
        ([{"kinds": "one"}], "invalid"),
        ([{"authors": ["npub1…"]}], "invalid"),
        ([{"since": -1}], "invalid"),
        ([[]], "invalid"),
        ([], "invalid"),
        ([{}] * 21, "invalid"),
        ([{"search": "x"}], "unsupported"),
        ([{"made_up": 1}], "unsupported"),
        ([{"&t": ["a"]}], "unsupported"),
    ],
)
@pytest.mark.parametrize("verb", ["REQ", "COUNT"])
def test_a_question_that_cannot_be_answered_is_closed(
    verb: str, question: list[object], prefix: str
) -> None:
    (closed,) = connected(NOTES).receive(json.dumps([verb, "sub", *question]), NOW)
    assert isinstance(closed, Closed)
    assert closed.subscription == "sub"
    assert closed.reason.startswith(f"{prefix}: ")


def test_there_are_no_more_subscriptions_than_announced() -> None:
    client = connected(limits=Limits(max_subscriptions=2))
    for name in "ab":
        say(client, Request(name, (ALL,)))
    refused = Closed("c", "rate-limited: at most 2 subscriptions at once")
    assert say(client, Request("c", (ALL,))) == [refused]
    assert isinstance(say(client, Count("c", (ALL,)))[0], CountResult)
    say(client, Close("a"))
    assert say(client, Request("c", (ALL,))) == [Eose("c", ("finish",))]


@pytest.mark.parametrize("name", ["x" * 65, "x" * 9])
def test_a_subscription_id_that_is_too_long_is_refused_under_that_id(name: str) -> None:
    client = connected(limits=Limits(max_subid_length=8))
    (closed,) = client.receive(json.dumps(["REQ", name, {}]), NOW)
    assert isinstance(closed, Closed)
    assert closed.subscription == name


def test_counting_goes_past_every_limit_and_counts_each_event_once() -> None:
    """NIP-45: multiple filters are aggregated into a single count."""
    client = connected(NOTES, limits=Limits(max_limit=2))
    both = (Filter(kinds=(1,), limit=1), Filter(authors=(ALICE.pubkey,)))
    assert say(client, Count("c", both)) == [CountResult("c", Tally(10))]
    assert client.subscriptions == {}


def test_a_failing_database_closes_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("broken")

    store = stocked()
    client = connected(store=store)
    for name in ("items", "count"):
        monkeypatch.setattr(type(store), name, fail)
    broken = [Closed("sub", "error: the relay's database failed")]
    assert say(client, Request("sub", (ALL,))) == broken
    assert say(client, Count("sub", (ALL,))) == broken
    assert client.subscriptions == {}


@pytest.mark.parametrize(
    "data",
    ["", "null", "{}", "[]", '["EVENT"]', '["REQ"]', '["REQ",1,{}]', '["HI"]', b"\xff", "[["],
)
def test_what_names_nothing_is_answered_with_a_notice(data: str | bytes) -> None:
    (notice,) = connected().receive(data, NOW)
    assert isinstance(notice, Notice)


def test_an_oversized_question_is_closed_by_its_name() -> None:
    client = connected(limits=Limits(max_message_length=100))
    raw = json.dumps(["REQ", "sub", {"#t": ["x" * 100]}])
    assert client.receive(raw, NOW) == [Closed("sub", "invalid: the message is over 100 bytes")]


def test_the_subscription_is_open_before_the_store_is_read() -> None:
    """An event that arrives between the two would otherwise never be seen."""
    open_then: list[list[str]] = []
    store = stocked()
    client = connected(store=store)
    items = store.items

    def spy(filters: object, *, now: int) -> object:
        open_then.append(list(client.subscriptions))
        return items(filters, now=now)  # type: ignore[arg-type]

    store.items = spy  # type: ignore[assignment, method-assign]
    asked(client, ALL)
    assert open_then == [["sub"]]


def test_a_published_event_reaches_a_subscription_of_its_own_author() -> None:
    client = connected()
    asked(client, ALL)
    published(client, NOTES[0])
    (event,) = client.events_accepted()
    assert client.broadcast(event) == [Delivered("sub", NOTES[0])]


def test_a_question_that_takes_too_long_is_closed_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise TooCostly("slow")

    store = stocked()
    client = connected(store=store)
    for name in ("items", "count"):
        monkeypatch.setattr(type(store), name, fail)
    reason = "error: this takes too long to answer; ask for less at once, or later"
    assert say(client, Request("sub", (ALL,))) == [Closed("sub", reason)]
    assert say(client, Count("sub", (ALL,))) == [Closed("sub", reason)]
    assert say(client, NegOpen("sub", ALL, "6100000200")) == [NegErr("sub", reason)]
    assert client.subscriptions == {}


def test_what_is_too_long_to_be_kept_is_answered_and_closed() -> None:
    """Filters that stay open take memory for as long as their client wants."""
    client = connected(NOTES, limits=Limits(max_open_length=300))
    long = Filter(ids=(NOTES[0].id, *("ab" * 32 for _ in range(9))))
    event, eose, closed = say(client, Request("long", (long,)))
    assert (event, eose) == (Delivered("long", NOTES[0]), Eose("long", ("finish",)))
    assert isinstance(closed, Closed)
    assert closed.reason.startswith("rate-limited: ")
    assert asked(client, ALL)[1] == Eose("sub", ("finish",))
    assert [*client.subscriptions] == ["sub"]


def test_the_room_of_a_subscription_is_free_again_when_it_is_closed() -> None:
    client = connected(NOTES, limits=Limits(max_open_length=100))
    for _ in range(5):
        say(client, Request("sub", (ALL,)))
        assert [*client.subscriptions] == ["sub"]
        say(client, Close("sub"))


@pytest.mark.parametrize(
    ("search", "reason"),
    [
        ("-fox", "invalid: a search has a word that is to be found"),
        ("!!!", "invalid: a search has a word that is to be found"),
        ("x" * 501, "invalid: a search has at most 500 characters"),
    ],
)
def test_a_search_that_cannot_be_answered_is_closed(search: str, reason: str) -> None:
    client = connected(NOTES, searches=True)
    assert asked(client, Filter(search=search)) == ([], Closed("sub", reason))
    assert say(client, Count("c", (ALL, Filter(search=search)))) == [Closed("c", reason)]


def test_words_are_found_and_do_not_come_live() -> None:
    """NIP-50."""
    client = connected(NOTES, searches=True)
    assert asked(client, Filter(search="note 3"))[0] == [NOTES[3].id]
    assert client.broadcast(NOTES[3]) == []


def test_an_answer_is_read_as_it_is_taken() -> None:
    """So a client that does not read makes nobody hold the answer."""
    large = [ALICE.note("x" * 20_000 + str(number), START + number) for number in range(10)]
    store = stocked(large)
    read: list[int] = []
    events = store.events

    def spy(ids: Sequence[str], *, most: int) -> list[Verified | None]:
        found = events(ids, most=most)
        read.append(len(found))
        return found

    store.events = spy  # type: ignore[assignment, method-assign]
    client = connected(store=store)
    answer = iter(client.receive(encode(Request("sub", (Filter(),))), NOW))
    for number in range(10):
        assert next(answer) == Delivered("sub", large[9 - number])
        assert sum(read) == number + 1
    assert [*answer] == [Eose("sub", ("finish",))]
