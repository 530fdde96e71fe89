"""What rust-nostr reads in our drafts: signatures, tags, relays' filters and mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nostr_threads.core import kinds
from nostr_threads.core.article import draft_article, linking_note
from nostr_threads.core.compose import Extras, Target, compose, split_for
from nostr_threads.core.front_matter import FrontMatter
from nostr_threads.core.references import references
from nostr_threads.core.split import DEFAULT_MARKER, Limit
from nostr_threads.core.verbs import deletion, quote, reaction, repost
from nostr_threads.testing import START, Author
from tests.peers.rust import sdk

if TYPE_CHECKING:
    from nostr_threads.core.event import Draft, Verified

ALICE, BOB, CAROL = Author(1), Author(2), Author(3)
RELAY = "wss://relay.example"
QUESTION = BOB.note("question")
REPLY = CAROL.reply(QUESTION, "reply")
ARTICLE = BOB.article("essay", "text")
COMMENT = CAROL.comment(ARTICLE, "comment")
FORUM = BOB.event(kinds.FORUM_THREAD, "forum")
LONG = "A sentence of some length. " * 40
EXTRAS = Extras("taste", "spoilers", START + 10_000, protected=True)


def rust(event: Verified) -> object:
    read = sdk.Event.from_json(event.to_json())
    assert read.verify()
    return read


def values(event: object, name: str, marker: str = "") -> list[str]:
    """Return what rust-nostr reads in the tags of a name, and of a NIP-10 marker if given."""
    found = [tag.to_vec() for tag in event.tags()]  # type: ignore[attr-defined]
    return [tag[1] for tag in found if tag[0] == name and (not marker or tag[3:4] == [marker])]


def parts_under(target: Verified) -> list[Verified]:
    place = Target(target, RELAY)
    parts = split_for(
        LONG,
        Limit(characters=400),
        author=ALICE.pubkey,
        marker=DEFAULT_MARKER,
        target=place,
        relay=RELAY,
        extras=EXTRAS,
    )
    drafts = compose(
        parts,
        author=ALICE.pubkey,
        created_at=START + 9,
        target=place,
        relay=RELAY,
        extras=EXTRAS,
    )
    return [ALICE.sign(draft) for draft in drafts]


@pytest.mark.parametrize("target", [QUESTION, REPLY], ids=["a root", "a reply"])
def test_rust_reads_root_and_parent_of_notes_where_we_do(target: Verified) -> None:
    """NIP-10."""
    events = parts_under(target)
    assert len(events) > 2
    for event in events:
        refs, read = references(event), rust(event)
        assert refs.root is not None
        assert refs.parent is not None
        assert values(read, "e", "root") == [refs.root.id] == [QUESTION.id]
        assert (values(read, "e", "reply") or values(read, "e", "root")) == [refs.parent.id]


@pytest.mark.parametrize(
    "target", [ARTICLE, COMMENT, FORUM], ids=["an article", "a comment", "a forum thread"]
)
def test_rust_reads_root_and_parent_of_comments_where_we_do(target: Verified) -> None:
    """NIP-22."""
    for event in parts_under(target):
        refs, read = references(event), rust(event)
        assert refs.root is not None
        assert refs.parent is not None
        assert [*values(read, "A"), *values(read, "E")] == [refs.root.key]
        assert next(iter([*values(read, "a"), *values(read, "e")])) == refs.parent.key
        assert (len(values(read, "K")), len(values(read, "k"))) == (1, 1)


def test_rust_sees_that_a_part_ends_and_is_protected() -> None:
    for event in parts_under(QUESTION):
        read = sdk.Event.from_json(event.to_json())
        assert (read.is_protected(), read.is_expired()) == (True, True)


def drafts_of_all_else() -> dict[str, Draft]:
    article = draft_article(
        "text",
        FrontMatter(identifier="d", title="Title"),
        author=ALICE.pubkey,
        created_at=START,
    )
    at = Target(QUESTION, RELAY)
    author = ALICE.pubkey
    own = ALICE.note("own")
    (deleting,) = deletion([own], author=author, created_at=START)
    return {
        "article": article,
        "link": linking_note(article, author=author, created_at=START, relays=(RELAY,)),
        "deletion": deleting,
        "reaction": reaction(at, created_at=START),
        "repost": repost(at, created_at=START),
        "article reposted": repost(Target(ARTICLE, RELAY), created_at=START),
    }


@pytest.mark.parametrize("name", drafts_of_all_else())
def test_rust_takes_every_other_draft(name: str) -> None:
    rust(ALICE.sign(drafts_of_all_else()[name]))


def test_rust_finds_in_a_repost_the_note_itself() -> None:
    draft = repost(Target(QUESTION, RELAY), created_at=START)
    assert sdk.Event.from_json(draft.content).verify()


def test_rust_reads_the_codes_of_quotes() -> None:
    code = quote("see", Target(QUESTION, RELAY)).rpartition("nostr:")[2]
    assert sdk.Nip19Event.from_bech32(code).event_id().to_hex() == QUESTION.id
    code = quote("see", Target(ARTICLE, RELAY)).rpartition("nostr:")[2]
    assert sdk.Nip19Coordinate.from_bech32(code).coordinate().identifier() == "essay"
