"""How a note came to a bot, and the filters that get all such notes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.bots.ways import KINDS, Listening, Way, hashtags_of, needs_parent, ways
from nostr_threads.core.entities import Profile, PublicKey
from nostr_threads.core.nip19 import encode
from tests.core.strategies import event

BOT, ANN, BOB = "b0" * 32, "aa" * 32, "bb" * 32
NOTE, OTHER = "11" * 32, "22" * 32
ARTICLE = f"30023:{BOT}:faq"
NPUB = encode(PublicKey(BOT))
EVERYTHING = Listening(ways=frozenset((Way.MENTION, Way.REPLY, Way.TAGGED)))
REPLY_TAGS = (("e", NOTE, "", "root"), ("p", BOT))


def heard(
    content: str = "",
    *tags: tuple[str, ...],
    kind: int = 1,
    by: str = ANN,
    parent_author: str | None = None,
    listening: Listening = EVERYTHING,
) -> set[Way]:
    made = event(kind, tags, content=content, pubkey=by)
    return set(ways(made, bot=BOT, parent_author=parent_author, listening=listening))


@pytest.mark.parametrize(
    "code", [f"nostr:{NPUB}", f"nostr:{encode(Profile(BOT, ('wss://relay.example/',)))}"]
)
def test_a_text_that_names_the_bot_is_a_mention(code: str) -> None:
    """NIP-27, whether or not a tag says so, and in a conversation of others, too."""
    assert heard(f"hi {code}, what is this?") == {Way.MENTION}
    assert heard(f"hi {code}?", *REPLY_TAGS, parent_author=BOB) == {Way.MENTION}


def test_a_numbered_mention_counts() -> None:
    """NIP-08."""
    tags = (("e", NOTE, "", "root"), ("p", BOB), ("p", BOT))
    assert heard("hi #[2]", *tags, parent_author=BOB) == {Way.MENTION}
    assert heard("hi #[1]", *tags, parent_author=BOB) == {Way.TAGGED}


@pytest.mark.parametrize(
    "text", ["`nostr:{}`", "```\nnostr:{}\n```\nis how to ask it", "so:\n\n    nostr:{}\n"]
)
def test_a_name_in_code_is_no_mention(text: str) -> None:
    assert heard(text.format(NPUB), *REPLY_TAGS, parent_author=BOB) == {Way.TAGGED}


def test_a_name_beside_code_is_a_mention() -> None:
    for text in (f"`nostr:{NPUB}` nostr:{NPUB}", f"`x`nostr:{NPUB}"):
        assert heard(text, *REPLY_TAGS, parent_author=BOB) == {Way.MENTION}


def test_a_tag_alone_is_a_mention_where_nothing_is_answered() -> None:
    assert heard("hello?", ("p", BOT)) == {Way.MENTION}


def test_an_answer_to_the_bot_is_a_reply() -> None:
    assert heard("why?", *REPLY_TAGS, parent_author=BOT) == {Way.REPLY}
    assert heard(f"nostr:{NPUB} why?", *REPLY_TAGS, parent_author=BOT) == {Way.REPLY, Way.MENTION}


def test_an_answer_to_an_article_of_the_bot_needs_no_further_proof() -> None:
    assert heard("why?", ("a", ARTICLE, "", "root")) == {Way.REPLY}
    comment = (("A", ARTICLE), ("a", ARTICLE), ("k", "30023"), ("p", BOT))
    assert heard("why?", *comment, kind=1111) == {Way.REPLY}


def test_what_a_note_claims_of_its_parent_is_not_believed() -> None:
    claimed = ("e", NOTE, "", "root", BOT)
    assert heard("why?", claimed, ("p", BOT), parent_author=BOB) == {Way.TAGGED}
    assert heard("why?", claimed, ("p", BOT)) == {Way.TAGGED}


def test_who_spoke_earlier_is_only_tagged() -> None:
    assert heard("I agree", *REPLY_TAGS, parent_author=BOB) == {Way.TAGGED}
    listening = Listening()
    assert heard("I agree", *REPLY_TAGS, parent_author=BOB, listening=listening) == set()


def test_each_way_is_heard_only_if_it_is_listened_to() -> None:
    for listened, other in ((Way.MENTION, Way.REPLY), (Way.REPLY, Way.MENTION)):
        listening = Listening(ways=frozenset((listened,)))
        found = heard(f"nostr:{NPUB}", *REPLY_TAGS, parent_author=BOT, listening=listening)
        assert found == {listened}
        assert other not in found


def test_nothing_of_other_kinds_is_heard() -> None:
    for kind in KINDS:
        assert heard("hi", ("p", BOT), kind=kind)
    for kind in (0, 6, 7, 16, 9735, 30023):
        assert heard(f"nostr:{NPUB}", ("p", BOT), kind=kind) == set()
    listening = Listening(kinds=(30023,))
    assert heard("hi", ("p", BOT), kind=30023, listening=listening) == {Way.MENTION}


def test_what_is_for_nobody_is_not_for_the_bot() -> None:
    assert heard("hello", ("p", BOB)) == set()
    assert heard(f"nostr:{encode(PublicKey(BOB))}") == set()


@pytest.mark.parametrize(
    ("content", "tags"),
    [("hi", (("t", "AskNostr"),)), ("hi #AskNostr", ()), ("hi", (("t", "x"), ("t", "asknostr")))],
)
def test_hashtags_are_heard(content: str, tags: tuple[tuple[str, ...], ...]) -> None:
    listening = Listening(hashtags=frozenset(("asknostr",)))
    assert heard(content, *tags, listening=listening) == {Way.HASHTAG}
    assert heard("hi #asknostrs", listening=listening) == set()
    assert heard(content, *tags) == set()


def test_hashtags_are_those_of_tags_and_text() -> None:
    made = event(1, (("t", "Nostr"), ("t",)), content="about #Bitcoin")
    assert hashtags_of(made) == {"nostr", "bitcoin"}


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        (1, (("e", NOTE, "", "root"), ("e", OTHER, "", "reply"))),
        (1, (("e", NOTE, "", "reply"),)),
        (1, (("e", NOTE), ("e", OTHER))),
        (1111, (("E", NOTE), ("K", "11"), ("e", OTHER), ("k", "1111"))),
        (1111, (("E", NOTE), ("K", "11"))),
    ],
)
def test_a_thread_is_heard_however_its_notes_are_tagged(
    kind: int, tags: tuple[tuple[str, ...], ...]
) -> None:
    """NIP-10 with and without markers, NIP-22, NIP-7D."""
    listening = Listening(threads=frozenset((NOTE,)))
    assert heard("hi", *tags, kind=kind, listening=listening) == {Way.THREAD}
    elsewhere = Listening(threads=frozenset(("33" * 32,)))
    assert heard("hi", *tags, kind=kind, listening=elsewhere) == set()


def test_what_only_mentions_a_thread_is_not_in_it() -> None:
    listening = Listening(threads=frozenset((NOTE,)))
    assert heard("hi", ("e", NOTE, "", "mention"), listening=listening) == set()
    assert heard("hi", ("q", NOTE), listening=listening) == set()


def test_authors_are_heard() -> None:
    listening = Listening(authors=frozenset((ANN,)))
    assert heard("hi", by=ANN, listening=listening) == {Way.AUTHOR}
    assert heard("hi", by=BOB, listening=listening) == set()


@pytest.mark.parametrize(
    ("tags", "listening", "needed"),
    [
        (REPLY_TAGS, Listening(), True),
        (REPLY_TAGS, Listening(ways=frozenset()), False),
        (REPLY_TAGS, Listening(kinds=(1111,)), False),
        (REPLY_TAGS[:1], Listening(), False),
        (REPLY_TAGS[1:], Listening(), False),
        ((("a", ARTICLE, "", "root"), ("p", BOT)), Listening(), False),
    ],
)
def test_the_parent_is_needed_where_it_decides(
    tags: tuple[tuple[str, ...], ...], listening: Listening, *, needed: bool
) -> None:
    assert needs_parent(event(1, tags), bot=BOT, listening=listening) is needed


_KEYS = st.sampled_from((BOT, ANN, BOB))
_TAGS = st.one_of(
    st.tuples(st.just("p"), _KEYS),
    st.tuples(st.just("t"), st.sampled_from(("asknostr", "other"))),
    st.tuples(
        st.sampled_from("eE"),
        st.sampled_from((NOTE, OTHER)),
        st.just(""),
        st.sampled_from(("root", "reply", "", "mention")),
    ),
    st.tuples(
        st.sampled_from("aA"),
        st.sampled_from((ARTICLE, f"30023:{ANN}:x")),
        st.just(""),
        st.sampled_from(("root", "reply", "")),
    ),
)


@given(
    st.lists(_TAGS, max_size=5),
    st.sampled_from((1, 11, 1111, 7)),
    _KEYS,
    st.sampled_from((None, BOT, BOB)),
    st.sets(st.sampled_from((Way.MENTION, Way.REPLY, Way.TAGGED))),
    st.sets(st.sampled_from((NOTE, ARTICLE))),
    st.booleans(),
)
def test_whatever_is_heard_by_its_tags_is_asked_for(
    tags: list[tuple[str, ...]],
    kind: int,
    by: str,
    parent_author: str | None,
    calls: set[Way],
    threads: set[str],
    listens: bool,
) -> None:
    """NIP-10 and NIP-22 tag whoever is answered: without that no relay could find an answer."""
    listening = Listening(
        frozenset(calls),
        frozenset(("asknostr",) if listens else ()),
        frozenset((ANN,) if listens else ()),
        frozenset(threads),
    )
    made = event(kind, tuple(tags), pubkey=by)
    if parent_author is BOT and ("p", BOT) not in tags:
        parent_author = None
    found = ways(made, bot=BOT, parent_author=parent_author, listening=listening)
    filters = listening.filters(BOT, made.created_at)
    if found - {Way.REPLY} or (Way.REPLY in found and ("p", BOT) in tags):
        assert any(each.matches(made) for each in filters)


def test_filters_ask_for_nothing_that_is_not_listened_to() -> None:
    assert Listening(ways=frozenset()).filters(BOT) == ()
    (only,) = Listening(ways=frozenset((Way.TAGGED,)), kinds=(1,)).filters(BOT, 5)
    assert only.to_wire() == {"kinds": [1], "#p": [BOT], "since": 5}


def test_filters_ask_for_each_place() -> None:
    listening = Listening(
        ways=frozenset(),
        hashtags=frozenset("ba"),
        authors=frozenset((ANN,)),
        threads=frozenset((NOTE, ARTICLE)),
        kinds=(1,),
    )
    assert [each.to_wire() for each in listening.filters(BOT)] == [
        {"kinds": [1], "#t": ["a", "b"]},
        {"kinds": [1], "#e": [NOTE]},
        {"kinds": [1], "#E": [NOTE]},
        {"kinds": [1], "#a": [ARTICLE]},
        {"kinds": [1], "#A": [ARTICLE]},
        {"authors": [ANN], "kinds": [1]},
    ]
