"""The contract of `thread`: it is all that the tree under its root is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings

from nostr_threads.core import kinds
from nostr_threads.core.lineage import root_above, step_of
from nostr_threads.core.references import references
from nostr_threads.core.thread import Thread
from nostr_threads.store.sqlite import SqliteStore
from tests.store.events import (
    ALICE,
    BOB,
    NOW,
    THEN,
    UNKNOWN,
    address,
    article,
    comment,
    deletion,
    made,
    reply,
)
from tests.store.forests import URL, torn_forests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nostr_threads.core.event import Verified
    from nostr_threads.store.base import Store
    from nostr_threads.store.sql import SqlStore

GONE, NOWHERE = "f" * 64, "e" * 64


def add(store: Store, *events: Verified) -> None:
    store.add(events, relay=None, now=NOW)


def ids(events: Iterable[Verified]) -> set[str]:
    return {event.id for event in events}


def tree(events: Iterable[Verified], root: str) -> list[tuple[str, str | None]]:
    return [(node.id, node.parent) for node in Thread.build(events, root=root).nodes]


@settings(max_examples=150, deadline=None)
@given(torn_forests())
def test_a_thread_makes_the_tree_that_all_stored_events_make(events: list[Verified]) -> None:
    with SqliteStore(":memory:") as store:
        check_trees(store, events)


@settings(max_examples=30, deadline=None)
@given(torn_forests())
def test_a_thread_is_the_same_in_every_database(
    emptied: Callable[[], SqlStore], events: list[Verified]
) -> None:
    check_trees(emptied(), events)


def check_trees(store: SqlStore, events: list[Verified]) -> None:
    if answers_a_deletion(events):
        return
    add(store, *events)
    for root in {store.thread_root(event.id) or "" for event in events}:
        found = store.thread(root)
        if not depends_on_foreign_articles(found, events):
            assert tree(found, root) == tree(events, root)


def answers_a_deletion(events: list[Verified]) -> bool:
    """A deletion has no place in a tree, and one in a chain: whoever answers it hangs twice."""
    deletions = ids(event for event in events if event.kind == kinds.DELETION)
    return any(not deletions.isdisjoint(step_of(event).up) for event in events)


def depends_on_foreign_articles(found: list[Verified], events: list[Verified]) -> bool:
    """Those who answer a missing note vote where it hangs. That two of them vote for one article,
    by its address and by a version, is only seen with the article at hand; a tie is decided by the
    version's id. To know that, every thread would need articles, and their threads, of others.
    """
    stored = ids(events) | {kinds.address_of(event) for event in events}
    here = ids(found)
    foreign = [e for e in events if kinds.address_of(e) is not None and e.id not in here]
    names = {event.id for event in foreign} | {kinds.address_of(event) for event in foreign}
    for event in found:
        refs = references(event)
        missing = refs.parent is not None and refs.parent.key not in stored
        if missing and refs.root is not None and refs.root.key in names:
            return True
    return False


@settings(max_examples=60, deadline=None)
@given(torn_forests())
def test_the_order_of_coming_changes_no_thread(events: list[Verified]) -> None:
    with SqliteStore(":memory:") as store, SqliteStore(":memory:") as other:
        add(store, *events)
        for event in reversed(events):
            add(other, event)
        for root in {store.thread_root(event.id) or "" for event in events}:
            assert ids(store.thread(root)) == ids(other.thread(root))


def test_who_answers_the_same_missing_note_is_here_whatever_root_it_claims(store: Store) -> None:
    root, other = made(content="root"), made(content="other")
    first = reply(GONE, root.id)
    stray, careless = reply(GONE, other.id), made(1, ("e", GONE, "", "reply"))
    below = reply(stray.id, other.id)
    like, gone = made(7, ("e", below.id)), deletion(("e", stray.id), author=BOB)
    elsewhere = reply(other.id, other.id)
    events = [root, first, stray, careless, below, like, gone]
    add(store, other, elsewhere, *events)
    assert ids(store.thread(root.id)) == ids(events)
    assert tree(store.thread(root.id), root.id) == tree([*events, other, elsewhere], root.id)


def test_when_the_missing_note_comes_its_answers_go_where_it_is(store: Store) -> None:
    root, other = made(content="root"), made(content="other")
    missing = reply(other.id, other.id, text="late")
    first, second = reply(missing.id, root.id), reply(missing.id, other.id, text="2")
    add(store, root, other, first, second)
    assert ids(store.thread(root.id)) == ids([root, first, second])
    add(store, missing)
    assert ids(store.thread(root.id)) == {root.id}
    assert ids(store.thread(other.id)) == ids([other, missing, first, second])


def test_a_missing_note_that_hangs_under_another_brings_its_answers_too(store: Store) -> None:
    root = made(content="root")
    first, second = reply(GONE, root.id), reply(NOWHERE, GONE)
    third = reply(UNKNOWN, second.id)
    careless = made(1, ("e", UNKNOWN, "", "reply"), author=ALICE)
    events = [root, first, second, third, careless]
    add(store, *events)
    assert ids(store.thread(root.id)) == ids(events)
    assert tree(store.thread(root.id), root.id) == tree(events, root.id)


def test_a_missing_root_has_all_who_answer_it(store: Store) -> None:
    liar = reply(GONE, made(content="other").id)
    honest = reply(GONE, GONE)
    add(store, liar, honest)
    assert ids(store.thread(GONE)) == ids([liar, honest])


def test_all_versions_of_an_article_under_a_missing_note_are_here(store: Store) -> None:
    root = made(content="root")
    up = ("e", GONE, "", "reply")
    old, new = article(at=THEN), article("a", up, at=THEN + 1)
    by_version, by_address = reply(old.id, old.id), comment(address(), address())
    first = reply(GONE, root.id)
    add(store, root, old, new, by_version, by_address, first)
    expected = [root, first, old, new, by_version, by_address]
    assert ids(store.thread(root.id)) == ids(expected)


def test_a_reaction_to_a_missing_note_brings_nobody_along(store: Store) -> None:
    like = made(7, ("a", address()), ("e", GONE))
    stranger = reply(GONE, made(content="elsewhere").id)
    add(store, article(), like, stranger)
    assert ids(store.thread(address())) == ids([article(), like])


def test_a_comment_on_a_page_belongs_to_the_page_whatever_root_it_claims(store: Store) -> None:
    """Or one such comment would bring all that was ever said of the page into a thread."""
    root = made(content="root")
    claiming = made(1111, ("E", root.id), ("i", URL))
    add(store, root, claiming, comment(URL, URL))
    assert ids(store.thread(root.id)) == ids([root])
    assert ids(store.thread(URL)) == ids([claiming, comment(URL, URL)])


def test_thousands_below_a_missing_note_are_found(store: Store) -> None:
    root, other = made(content="root"), made(content="other")
    chain = [reply(GONE, other.id)]
    for number in range(2_000):
        chain.append(reply(chain[-1].id, other.id, text=str(number)))
    first = reply(GONE, root.id, text="first")
    add(store, root, other, first, *chain)
    assert ids(store.thread(root.id)) == ids([root, first, *chain])


def test_only_indices_are_read() -> None:
    """Neither a whole thread nor what hangs under missing notes reads a whole table."""
    from nostr_threads.store import threads

    with SqliteStore(":memory:") as store, store._database.reading() as connection:
        reached = connection.reachable(threads._MISSING_NOTES.replace("?*", "?"), threads._STEPS)
        for query in (threads._LEADING_HERE, f"{reached} {threads._REACHED}"):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", ("x",)).fetchall()
            steps = [row[3] for row in plan]
            tables = [step for step in steps if step.startswith("SCAN")]
            assert tables, steps
            assert all(step in ("SCAN here", "SCAN reached", "SCAN below") for step in tables), (
                steps
            )


def test_a_root_is_where_the_lineage_of_all_stored_events_ends(store: Store) -> None:
    chain = [made(content="root")]
    for number in range(50):
        chain.append(reply(chain[-1].id, chain[0].id, text=str(number)))
    steps = {event.id: step_of(event) for event in chain[10:]}
    add(store, *chain[10:])
    for event in chain[10:]:
        assert store.thread_root(event.id) == root_above(event.id, steps.get) == chain[0].id
