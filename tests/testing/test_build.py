"""Builders: deterministic, honest, and read by our own core as they are meant."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nostr_threads.core.event import verify
from nostr_threads.core.references import Relation, references
from nostr_threads.testing import START, Author, thread

ALICE, BOB, CAROL = Author(1), Author(2), Author(b"carol")


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert ALICE.note("x").to_json() == Author(1).note("x").to_json()
    assert Author(1).pubkey == Author(b"1").pubkey
    assert len({ALICE.pubkey, BOB.pubkey, CAROL.pubkey}) == 3


def test_an_author_does_not_print_the_key() -> None:
    assert ALICE.secret_hex() not in repr(ALICE) + str(ALICE)


def test_a_reply_names_root_parent_and_people() -> None:
    """NIP-10: marked tags; everybody who was addressed so far is addressed again."""
    root = ALICE.note("root")
    first = BOB.reply(root, "first")
    second = CAROL.reply(first, "second", relay="wss://relay.example")
    assert first.tags == (("e", root.id, "", "root", ALICE.pubkey), ("p", ALICE.pubkey))
    assert second.tags == (
        ("e", root.id, "", "root", ALICE.pubkey),
        ("e", first.id, "wss://relay.example", "reply", BOB.pubkey),
        ("p", BOB.pubkey),
        ("p", ALICE.pubkey),
    )
    assert second.created_at == START + 2


def test_a_comment_names_its_article_by_address() -> None:
    """NIP-22."""
    article = ALICE.article("essay", "text")
    read = references(BOB.comment(article, "good"))
    assert read.relation is Relation.REPLY
    assert read.parent is not None
    assert read.parent.key == f"30023:{ALICE.pubkey}:essay"


def test_reactions_and_deletions_name_what_they_are_about() -> None:
    note = ALICE.note("x")
    for made, relation in (
        (BOB.reaction(note), Relation.REACTION),
        (ALICE.deletion(note), Relation.DELETION),
    ):
        read = references(made)
        assert read.relation is relation
        assert read.parent is not None
        assert read.parent.key == note.id


@settings(deadline=None, max_examples=30)
@given(
    notes=st.integers(1, 25),
    authors=st.integers(1, 4),
    depth=st.none() | st.integers(1, 4),
    seed=st.integers(0, 5),
)
def test_a_thread_is_one_tree_of_genuine_notes(
    notes: int, authors: int, depth: int | None, seed: int
) -> None:
    made = thread(notes, authors=authors, depth=depth, seed=seed)
    levels = {made[0].id: 0}
    for event in made[1:]:
        verify(event)
        read = references(event)
        assert read.root is not None
        assert read.parent is not None
        assert read.root.key == made[0].id
        levels[event.id] = levels[read.parent.key] + 1
    assert len(levels) == notes
    assert len({event.pubkey for event in made}) <= authors
    assert depth is None or max(levels.values()) <= depth
    assert [event.created_at for event in made] == list(range(START, START + notes))
    assert made == thread(notes, authors=authors, depth=depth, seed=seed)


def test_a_thread_of_no_notes_is_empty() -> None:
    assert thread(0) == []
