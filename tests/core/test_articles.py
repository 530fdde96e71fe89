"""Texts that came in several notes: ours exactly, strangers' by what the notes themselves say."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.articles import MAX_MISSING, Article
from nostr_threads.core.event import Event, Verified, verify
from nostr_threads.core.split import Limit, split
from nostr_threads.core.thread import Thread
from tests.core.invented import START, answer, hex_of, invented
from tests.core.strategies import load, sample_lines, texts

MINUTE = 60
SENTENCE = "This sentence is as long as a note can be before a limit cuts it. " * 4


def note(
    content: str,
    parent: str = "q",
    *,
    at: int = 0,
    by: str = "alice",
    kind: int = 1,
    name: str = "",
    tags: tuple[tuple[str, ...], ...] = (),
) -> Verified:
    """A note named like its text, which answers the one of that name; `at` in seconds."""
    above = (("e", hex_of(parent), "", "reply"), *tags)
    return invented(name or content, *above, kind=kind, at=START + at, by=by, content=content)


def chained(*contents: str, step: int = MINUTE, by: str = "alice") -> list[Verified]:
    """Notes of which each answers the one before."""
    parents = ("q", *contents)
    return [
        note(content, parent, at=step * (place + 1), by=by)
        for place, (content, parent) in enumerate(zip(contents, parents, strict=False))
    ]


def parts(*indices: int, total: int, name: str = "part", at: int = 0) -> list[Verified]:
    """Parts of ours; those between that are not asked for never came."""
    return [
        note(
            f"{name} {index}. ",
            f"{name} {index - 1}. " if index > 1 else "q",
            at=at + index,
            tags=(("e", hex_of("q"), "", "root"), ("part", str(index), str(total))),
        )
        for index in indices
    ]


def joined(*events: Verified, muted: tuple[str, ...] = ()) -> tuple[Article, ...]:
    asked = invented("q", by="bob")
    return Thread.build([asked, *events], muted=muted).articles()


def said(*events: Verified) -> list[str]:
    return [article.text for article in joined(*events)]


# Ours


@given(texts.map(lambda text: f"{text} {SENTENCE}{text}"), st.integers(60, 90))
def test_a_split_text_comes_back_byte_for_byte(text: str, characters: int) -> None:
    made = split(text, limit=Limit(characters=characters))
    events = [
        note(part.text, f"p{part.index - 1}", name=f"p{part.index}", tags=(part.tag(),))
        for part in made
    ]
    thread = Thread.build([invented("p0", by="bob"), *reversed(events)])
    found = [article for article in thread.articles() if not article.is_guess]
    assert [article.text for article in found] == ([text] if len(made) > 1 else [])
    assert all(article.is_exact and not article.missing for article in found)


def test_an_article_knows_its_notes_and_its_author() -> None:
    (article,) = joined(*parts(1, 2, 3, total=3))
    assert article.text == "part 1. part 2. part 3. "
    assert [node.id for node in article.nodes] == [hex_of(f"part {n}. ") for n in (1, 2, 3)]
    assert (article.root, article.author) == (article.nodes[0], hex_of("alice"))
    assert (article.is_exact, article.is_guess, article.missing) == (True, False, ())


@pytest.mark.parametrize(
    ("came", "missing"),
    [((1, 2), (3, 4, 5)), ((3, 4, 5), (1, 2)), ((1, 2, 4, 5), (3,)), ((1, 5), (2, 3, 4))],
)
def test_parts_that_never_came_are_told(came: tuple[int, ...], missing: tuple[int, ...]) -> None:
    (article,) = joined(*parts(*came, total=5))
    assert [node.part.index for node in article.nodes if node.part] == list(came)
    assert (article.is_exact, article.is_guess, article.missing) == (False, False, missing)


def test_a_paragraph_ends_where_a_part_is_missing() -> None:
    assert said(*parts(1, 2, 4, total=4)) == ["part 1. part 2. \n\npart 4. "]


def test_pieces_that_may_belong_to_two_answers_are_left_apart() -> None:
    made = [*parts(1, 2, total=5), *parts(1, 2, 4, 5, total=5, name="other")]
    found = joined(*made)
    assert [len(article.nodes) for article in found] == [2, 2, 2]
    late = parts(4, 5, total=5, at=3_600)
    assert [a.missing for a in joined(*parts(1, 2, total=5), *late)] == [(3, 4, 5), (1, 2, 3)]


def test_a_part_that_follows_another_version_is_not_joined_to_this_one() -> None:
    """Part 3 answers a part 2 that nobody has: the part 2 that is here may say something else."""
    part_2 = note("other", "part 1. ", at=2, tags=(("part", "2", "4"),))
    found = joined(*parts(1, 3, 4, total=4), part_2)
    assert [article.is_exact for article in found] == [False, False]
    assert [article.text for article in found] == ["part 1. other", "part 3. part 4. "]


def test_a_deleted_part_leaves_a_gap_and_not_its_words() -> None:
    made = parts(1, 2, 3, total=3)
    (article,) = joined(*made, invented("gone", ("e", made[1].id), kind=5))
    assert article.missing == (2,)
    assert article.text == "part 1. \n\npart 3. "


def test_a_part_sent_again_replaces_the_deleted_one() -> None:
    made = parts(1, 2, total=2)
    again = note("again", "part 1. ", at=9, tags=(("part", "2", "2"),))
    (article,) = joined(*made, again, invented("gone", ("e", made[1].id), kind=5))
    assert article.text == "part 1. again"
    assert article.is_exact


def test_the_hidden_are_not_joined() -> None:
    made = [*parts(1, 2, total=2), *chained("1/2 a", "2/2 b")]
    assert joined(*made, muted=(hex_of("alice"),)) == ()


def test_a_stranger_cannot_put_a_part_into_an_answer() -> None:
    forged = note("forged", "part 1. ", by="eve", tags=(("part", "2", "2"),))
    assert said(forged, *parts(1, 2, total=2)) == ["part 1. part 2. "]
    assert said(forged, *parts(1, total=2)) == []


def test_a_claim_of_many_parts_fills_no_report() -> None:
    (article,) = joined(*parts(1, 2, total=10_000))
    assert article.missing == tuple(range(3, 3 + MAX_MISSING))


# Strangers'


@pytest.mark.parametrize(
    "numbers",
    [
        ("1/3 {}", "2/3 {}", "3/3 {}"),
        ("{} (1/3)", "{} (2/3)", "{} (3/3)"),
        ("🧵 1/3\n\n{}", "2/3\n\n{}", "3/3\n\n{}"),
        ("1/ {}", "2/ {}", "3/ {}"),
        ("{} 🧵", "1/ {}", "2/ {}"),
        ("{} 🧵", "2/3 {}", "3/3 {}"),
        ("{}", "2/3 {}", "3/3 {}"),
        ("1. {}", "2. {}", "3. {}"),
        ("1/n {}", "2/n {}", "3/3 {}"),
        ("🧵 {}", "{}", "{}"),
        ("{} (cont.)", "{}", "(cont.) {}"),
        ("1 of 3\n{}", "2 of 3\n{}", "3 of 3\n{}"),
    ],
)
def test_numbered_notes_are_one_text_without_their_numbers(numbers: tuple[str, ...]) -> None:
    words = ("One.", "Two.", "Three.")
    made = chained(*(form.format(word) for form, word in zip(numbers, words, strict=True)))
    (article,) = joined(*made)
    assert article.text == "One.\n\nTwo.\n\nThree."
    assert (article.is_exact, article.is_guess, article.missing) == (False, True, ())


@pytest.mark.parametrize(
    "contents",
    [
        ("I mean it.", "No, I was wrong."),
        ("see https://a.example/b.png\n", "some are not using the code\n"),
        ("--x\n", "that was a bug\n"),
        ("1/2 cup of sugar.", "And some milk."),
        ("They are open 24/7", "And closed on Sunday"),
        ("9/11 was a day.", "9/12 was another."),
        ("1/3 One.", "3/3 Three."),
        ("1/3 One.", "2/4 Two."),
        ("1/2 One.", "1/2 One again."),
        ("2/2 Two.", "3/2 Three."),
        ("Two thirds.", "2/3 to be exact."),
        ("1. milk\n2. eggs", "3. flour"),
        (SENTENCE, "also this."),
        (SENTENCE + "see https://a.example", "also this."),
        (SENTENCE + "and #nostr", "also this."),
        (SENTENCE + "and so on", "Also this."),
        ("short, without a stop", "also this"),
        ("One.", "🧵 Another matter."),
    ],
)
def test_an_author_who_only_answers_himself_is_not_joined(contents: tuple[str, ...]) -> None:
    assert said(*chained(*contents)) == []


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (SENTENCE + "It stops in the", "middle.", SENTENCE + "It stops in the middle."),
        (SENTENCE + "First,", "second.", SENTENCE + "First, second."),
        ("and so…", "…it went on", "and so it went on"),
        ("1/2 it stops in the", "2/2 middle.", "it stops in the middle."),
        ("1/2 it stops...", "2/2 ...here.", "it stops here."),
        ("1/2 \u6f22\uff0c", "2/2 \u5b57", "\u6f22\uff0c\u5b57"),
        ("1/2 # heading", "2/2 text", "# heading\n\ntext"),
    ],
)
def test_a_sentence_that_was_cut_is_whole_again(first: str, second: str, text: str) -> None:
    assert said(*chained(first, second)) == [text]


def test_numbers_may_take_their_time_and_words_may_not() -> None:
    assert said(*chained("1/2 One.", "2/2 Two.", step=86_400)) == ["One.\n\nTwo."]
    assert said(*chained("🧵 One.", "Two.", step=30 * MINUTE)) == ["One.\n\nTwo."]
    assert said(*chained("🧵 One.", "Two.", step=30 * MINUTE + 1)) == []
    assert said(*chained("🧵 One.", "Two.", step=-1)) == []


def test_a_chain_ends_with_its_last_number() -> None:
    assert said(*chained("1/2 a.", "2/2 b.", "3/3 c.", "Thanks.")) == ["a.\n\nb."]


def test_what_is_missing_of_a_numbered_chain_is_told() -> None:
    (article,) = joined(*chained("2/5 Two.", "3/5 Three."))
    assert article.missing == (1, 4, 5)
    (article,) = joined(*chained("3/ Three.", "4/ Four."))
    assert article.missing == (1, 2)


def test_a_deleted_note_ends_a_strangers_chain() -> None:
    made = chained("1/4 a.", "2/4 b.", "3/4 c.", "4/4 d.")
    (article,) = joined(*made, invented("gone", ("e", made[2].id), kind=5))
    assert (article.text, article.missing) == ("a.\n\nb.", (3, 4))


def test_a_stranger_cannot_put_a_note_into_a_chain() -> None:
    forged = note("2/3 forged", "1/3 a.", by="eve")
    below = note("3/3 below", "2/3 forged", at=9)
    assert said(*chained("1/3 a.", "2/3 b."), forged, below) == ["a.\n\nb."]


def test_of_two_that_may_come_next_the_number_that_fits_is_taken_else_the_oldest() -> None:
    made = chained("🧵 a.", "1/ b.", "2/ c.")
    assert said(*made, note("an aside", "🧵 a.", at=1)) == ["a.\n\nb.\n\nc."]
    again = note("2/2 again.", "1/2 a.", at=999)
    assert said(again, *chained("1/2 a.", "2/2 b.")) == ["a.\n\nb."]


@pytest.mark.parametrize(
    "parents",
    [
        {"1/4 a.": "q", "2/4 b.": "1/4 a.", "3/4 c.": "1/4 a.", "4/4 d.": "1/4 a."},
        {"1/4 a.": "q", "2/4 b.": "1/4 a.", "3/4 c.": "2/4 b.", "4/4 d.": "1/4 a."},
        {"1/4 a.": "q", "2/4 b.": "q", "3/4 c.": "q", "4/4 d.": "q"},
        {"1/4 a.": "q", "2/4 b.": "q", "3/4 c.": "2/4 b.", "4/4 d.": "q"},
        {"1/4 a.": "q", "2/4 b.": "1/4 a.", "3/4 c.": "q", "4/4 d.": "1/4 a."},
        {"1/4 a.": "gone", "2/4 b.": "gone", "3/4 c.": "gone", "4/4 d.": "gone"},
    ],
)
@pytest.mark.parametrize("step", [MINUTE, 0, -MINUTE])
def test_numbers_are_followed_side_by_side(parents: dict[str, str], step: int) -> None:
    made = [
        note(text, parent, at=place * step) for place, (text, parent) in enumerate(parents.items())
    ]
    (article,) = joined(*made)
    assert (article.text, article.missing) == ("a.\n\nb.\n\nc.\n\nd.", ())


@pytest.mark.parametrize(
    "contents",
    [
        ("1/3 a.", "3/3 c."),
        ("1/3 a.", "2/4 b."),
        ("1/ a.", "2/ b."),
        ("1. a.", "2. b."),
        ("1/3 a.", "b."),
        ("1/3 a.", "2/ b."),
        ("3/3 a.", "4/3 b."),
        ("a. (cont.)", "(cont.) b."),
    ],
)
def test_side_by_side_only_the_next_number_of_the_same_total_will_do(
    contents: tuple[str, ...],
) -> None:
    assert said(*(note(text, at=place) for place, text in enumerate(contents))) == []


def test_side_by_side_no_note_is_another_authors_or_kinds_or_used_twice() -> None:
    assert said(note("1/2 a."), note("2/2 b.", by="eve")) == []
    assert said(note("1/2 a."), note("2/2 b.", kind=1111)) == []
    assert said(note("1/2 a."), note("2/2 b.", kind=30023)) == []
    twice = [note(text, name=text + str(at), at=at) for at in (1, 2) for text in ("1/2 a", "2/2 b")]
    assert said(*twice) == ["a b", "a b"]
    assert said(*twice, note("1/2 alone", at=3)) == ["a b", "a b"]
    assert said(*chained("1/2 a.", "2/2 b."), note("2/2 again.", at=1)) == ["a.\n\nb."]


def test_only_notes_that_talk_are_joined() -> None:
    assert said(note("1/2 a.", kind=30023), note("2/2 b.", "1/2 a.")) == []
    assert said(note("1/2 a."), note("2/2 b.", "1/2 a.", kind=6)) == []
    assert said(note("1/2 a.", kind=1111), note("2/2 b.", "1/2 a.", kind=1111)) == ["a.\n\nb."]


def test_a_chain_may_begin_at_the_root() -> None:
    root = invented("1/2 a.")
    assert [a.text for a in Thread.build([root, note("2/2 b.", root.content)]).articles()] == [
        "a.\n\nb."
    ]


def test_a_note_of_nothing_but_a_sign_adds_nothing() -> None:
    assert said(*chained("🧵", "1/ One.", "2/ Two.")) == ["One.\n\nTwo."]


def test_articles_come_in_display_order() -> None:
    made = [*parts(1, 2, total=2, at=9_000), *chained("1/2 a.", "2/2 b.")]
    assert said(*made) == ["a.\n\nb.", "part 1. part 2. "]


def test_no_real_conversation_is_taken_for_an_article() -> None:
    """Three threads of eleven people, some of whom answer themselves within a minute."""
    events = [verify(Event.from_json(line)) for line in sample_lines()]
    roots = [real["root"] for real in load("threads/sample_threads.json")["threads"]]
    assert [Thread.build(events, root=root).articles() for root in roots] == [(), (), ()]


pieces = st.sampled_from(
    ("1/3 a", "2/3 b", "3/3 c", "🧵", "d (cont.)", "1/ e", "2/ f", "…", "… g", SENTENCE + "h", "i")
)


@given(st.data())
def test_any_thread_is_joined_by_one_author_and_no_note_twice(data: st.DataObject) -> None:
    made = [invented("n0", content=data.draw(pieces))]
    for place in range(1, data.draw(st.integers(1, 9))):
        tags: tuple[tuple[str, ...], ...] = ()
        if data.draw(st.booleans()):
            tags = (("part", str(data.draw(st.integers(1, 3))), "3"),)
        above = f"n{data.draw(st.integers(0, place + 1))}"
        by = data.draw(st.sampled_from(("alice", "alice", "eve")))
        made.append(note(data.draw(pieces), above, name=f"n{place}", by=by, at=place, tags=tags))
    thread = Thread.build(made)
    found = thread.articles()
    nodes = [node for article in found for node in article.nodes]
    assert len({node.id for node in nodes}) == len(nodes)
    for article in found:
        assert len(article.nodes) == len(article.stretches) > 1
        assert {node.event.pubkey for node in article.nodes if node.event} == {article.author}
        assert not (article.is_exact and (article.is_guess or article.missing))
    assert Thread.build(list(reversed(made))).articles() == found


@pytest.mark.parametrize("shape", ["numbered", "unnumbered", "ours", "wide", "beside", "comb"])
def test_ten_thousand_notes_take_little_time(shape: str) -> None:
    count = 10_000 if shape == "ours" else 999
    made = [answer("n0", "q", by="alice")]
    for place in range(1, 10_000):
        parent = "n0" if shape in ("wide", "beside") else f"n{place - 1}"
        if shape == "comb":
            parent = f"n{place - 1 - (place > 1 and place % 2)}"
        more = (("part", str(place + 1), str(count)),) if shape == "ours" else ()
        text = f"{place % 999 + 1}/ x" if shape in ("numbered", "wide") else "x (cont.)"
        if shape in ("beside", "comb"):
            text = f"{place * 2 // 10_000 + 1 if shape == 'beside' else place % 999 + 1}/999 x"
        made.append(note(text, parent, name=f"n{place}", at=place, tags=more))
    thread = Thread.build([invented("q"), *made])
    begun = process_time()
    found = thread.articles()
    assert process_time() - begun < 3
    assert (len(found) > 0) == (shape != "wide")
