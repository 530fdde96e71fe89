"""From a text to the drafts of its events: what relays take, who is told, and which form it has."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core import kinds, nip19
from nostr_threads.core.messages import Publish
from nostr_threads.core.pow import committed
from nostr_threads.core.references import references
from nostr_threads.core.wire import encode
from nostr_threads.errors import InvalidInput, InvalidText, LimitTooSmall
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, CAROL, LIMIT, LONG, NOW, opened, relay_list
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from nostr_threads.app.writing import Plan

ONE, TWO = "wss://one.example", "wss://two.example"
QUESTION = BOB.note("why?", NOW - 100, (("p", CAROL.pubkey),))
TOPIC = BOB.event(kinds.FORUM_THREAD, "what do you think?", NOW - 100, (("title", "Topic"),))
ROOMY = nt.Limit(characters=2_000)


@asynccontextmanager
async def told(documents: dict[str, dict[str, object]]) -> AsyncIterator[nt.Nostr]:
    """Open what ALICE writes with, where these relays have said what they take (NIP-11)."""
    async with opened(":memory:", by=ALICE, clock=lambda: NOW) as nostr:
        for url, limitation in documents.items():
            nostr.store.keep_relay_document(url, json.dumps({"limitation": limitation}), now=NOW)
        yield nostr


async def plan(
    text: str | Sequence[nt.Part],
    documents: dict[str, dict[str, object]] | None = None,
    *,
    to: nt.Verified | None = None,
    limit: nt.Limit = ROOMY,
    style: nt.Style | None = None,
) -> Plan:
    """Plan an answer for relays that take this."""
    documents = documents if documents is not None else {ONE: {}}
    async with told(documents) as nostr:
        return await nostr.plan(
            text, reply_to=to, relays=tuple(documents), limit=limit, style=style
        )


def texts(made: Plan) -> list[str]:
    return [draft.content for draft in made.drafts]


# What relays take


async def test_every_part_is_as_short_as_the_strictest_relay_wants() -> None:
    made = await plan(
        LONG, {ONE: {"max_content_length": 300}, TWO: {"max_content_length": 10_000}}, to=QUESTION
    )
    assert max(map(len, texts(made))) <= 300
    assert nt.join(made.parts) == LONG
    assert (made.relays, made.warnings) == ((ONE, TWO), ())


async def test_a_whole_message_is_as_short_as_a_relay_wants() -> None:
    made = await plan(LONG, {ONE: {"max_message_length": 1_400}}, to=QUESTION)
    sizes = [len(encode(Publish(ALICE.sign(draft))).encode()) for draft in made.drafts]
    assert len(sizes) > 1
    assert max(sizes) <= 1_400
    assert made.warnings == ()


async def test_fewer_are_called_where_a_relay_takes_few_tags() -> None:
    crowd = tuple(("p", f"{number:064x}") for number in range(1, 60))
    made = await plan(
        "short", {ONE: {"max_event_tags": 20, "min_pow_difficulty": 8}}, to=BOB.note("?", 9, crowd)
    )
    # One is left for the work.
    assert len(made.drafts[0].tags) == 19
    assert made.warnings == ()


async def test_a_relay_that_takes_next_to_nothing_is_named_and_rules_nobody() -> None:
    made = await plan(LONG, {ONE: {"max_content_length": 20}, TWO: {}})
    assert len(made.parts) == len(nt.split(LONG, ROOMY))
    assert made.warnings == (f"{ONE} will refuse this: it takes only 20 characters in a note",)


async def test_a_text_that_fits_even_such_a_relay_is_sent_without_a_word() -> None:
    assert (await plan("yes", {ONE: {"max_content_length": 20}})).warnings == ()


@pytest.mark.parametrize(
    ("wanted", "asked", "work", "is_told"),
    [(12, 0, 12, False), (12, 16, 16, False), (30, 0, 0, True), (30, 8, 8, True), (0, 5, 5, False)],
)
async def test_as_much_work_is_done_as_a_relay_or_the_author_wants_within_reason(
    wanted: int, asked: int, work: int, *, is_told: bool
) -> None:
    """NIP-13."""
    made = await plan("short", {ONE: {"min_pow_difficulty": wanted}}, style=nt.Style(work=asked))
    assert made.work == work
    assert [each.startswith(f"{ONE} will refuse this: it wants 30") for each in made.warnings] == (
        [True] if is_told else []
    )


async def test_what_cannot_be_cut_for_a_relay_is_told() -> None:
    parts = nt.split(LONG, ROOMY)
    given = await plan(parts, {ONE: {"max_content_length": 300}, TWO: {}})
    article = await plan_article(LONG, {"max_content_length": 300})
    for made in (given, article):
        (warning,) = made.warnings
        assert "will refuse part 1 of" in warning
        assert "it takes 300 characters at most" in warning


async def test_no_part_is_older_or_younger_than_a_relay_takes() -> None:
    lead = nt.Limit(characters=150)
    bounds: dict[str, object] = {"created_at_lower_limit": 60, "created_at_upper_limit": 300}
    made = await plan(LONG * 14, {ONE: bounds}, limit=lead)
    dates = [draft.created_at for draft in made.drafts]
    assert len(dates) > 100
    assert dates == list(range(dates[0], dates[0] + len(dates)))
    assert dates[0] > NOW - 60
    assert dates[-1] <= NOW + 300
    assert made.warnings == ()


@pytest.mark.parametrize(
    ("asked_at", "bounds", "first"),
    [
        (NOW, {}, NOW + 2),
        (NOW + 100, {}, NOW + 102),
        (NOW + 100, {"created_at_upper_limit": 60}, NOW),
        (NOW + 5_000, {}, NOW),
        (NOW - 100, {}, NOW),
    ],
)
async def test_an_answer_is_dated_after_its_question_where_relays_take_that(
    asked_at: int, bounds: dict[str, object], first: int
) -> None:
    made = await plan("short", {ONE: bounds}, to=BOB.note("why?", asked_at))
    assert made.drafts[0].created_at == first


# Who is told


async def test_tags_say_where_quotes_and_people_are_found_and_whose_they_are() -> None:
    quoted = CAROL.note("quoted", NOW - 50)
    essay = CAROL.article("essay", "text", NOW - 50)
    code = nt.encode(nip19.Note(quoted.id))
    address = nt.encode(nip19.Address(kinds.ARTICLE, CAROL.pubkey, "essay"))
    person = nt.encode(nip19.PublicKey(BOB.pubkey))
    async with told({ONE: {}}) as nostr:
        nostr.store.add([quoted, essay], relay="wss://seen.example", now=NOW)
        nostr.store.add([relay_list(BOB, write=["wss://bobs.example"])], relay=None, now=NOW)
        made = await nostr.plan(f"see {code}, {address} by {person} #Nostr", relays=[ONE])
    (draft,) = made.drafts
    assert f"nostr:{code}" in draft.content
    assert ("q", quoted.id, "wss://seen.example", CAROL.pubkey) in draft.tags
    assert ("q", f"30023:{CAROL.pubkey}:essay", "wss://seen.example") in draft.tags
    assert ("p", BOB.pubkey, "wss://bobs.example") in draft.tags
    assert ("t", "nostr") in draft.tags
    assert ("p", CAROL.pubkey) in draft.tags


async def test_the_subject_the_warning_the_end_and_the_protection_are_said() -> None:
    """NIP-14, NIP-36, NIP-40, NIP-70."""
    extras = nt.Extras("On tails", "spoilers", NOW + 9_000, protected=True)
    made = await plan(LONG, limit=LIMIT, to=QUESTION, style=nt.Style(extras=extras))
    first, *rest = (draft.tags for draft in made.drafts)
    assert ("subject", "On tails") in first
    for tags in (first, *rest):
        assert {("content-warning", "spoilers"), ("expiration", str(NOW + 9_000)), ("-",)} <= {
            *tags
        }
    assert all(tag[0] != "subject" for tags in rest for tag in tags)


# Forms

BIG = "A sentence that is said again. " * 2_000


@pytest.mark.parametrize(
    ("text", "form", "why"),
    [
        ("Short.", nt.Form.NOTE, "it fits one note"),
        (LONG, nt.Form.NOTE, "it fits one note"),
        (LONG * 5, nt.Form.THREAD, "it takes 3 parts"),
    ],
)
async def test_the_form_is_chosen_by_length_and_the_reason_is_told(
    text: str, form: nt.Form, why: str
) -> None:
    made = await plan(text, style=nt.Style(form=None))
    assert (made.form, made.why) == (form, why)


async def plan_article(
    text: str, limitation: dict[str, object] | None = None, **how: object
) -> Plan:
    """Plan for a relay on this machine: an article is looked for there."""
    style = nt.Style(**{"form": nt.Form.ARTICLE, **how})  # type: ignore[arg-type]
    async with (
        FaultyRelay(stocked()) as relay,
        opened(":memory:", relay.url, by=ALICE, clock=lambda: NOW) as nostr,
    ):
        document = json.dumps({"limitation": limitation or {}})
        nostr.store.keep_relay_document(relay.url, document, now=NOW)
        return await nostr.plan(text, style=style)


async def test_a_text_of_many_parts_becomes_an_article() -> None:
    made = await plan_article(BIG, form=None)
    assert made.form is nt.Form.ARTICLE
    assert "articles hold any length" in made.why
    assert [draft.kind for draft in made.drafts] == [kinds.ARTICLE, kinds.NOTE]
    assert made.drafts[0].content == BIG


async def test_a_front_matter_says_what_an_article_is_called() -> None:
    """NIP-23."""
    above = "---\ntitle: The tail\nsummary: In short.\nslug: tail\ntags: [Nostr]\n---\n"
    made = await plan_article(above + "The text.", form=None)
    article, link = made.drafts
    assert "front matter" in made.why
    assert article.content.strip() == "The text."
    assert {("d", "tail"), ("title", "The tail"), ("summary", "In short."), ("t", "nostr")} <= {
        *article.tags
    }
    assert link.content.startswith("The tail\n\nIn short.\n\nnostr:naddr1")


async def test_what_the_author_says_of_an_article_comes_before_its_front_matter() -> None:
    made = await plan_article(
        "---\ntitle: One\n---\ntext", title="Two", summary="S", identifier="id"
    )
    tags = made.drafts[0].tags
    assert {("d", "id"), ("title", "Two"), ("summary", "S")} <= {*tags}


async def test_the_note_that_links_an_article_is_as_short_as_relays_want() -> None:
    made = await plan_article("Short.", {"max_content_length": 300}, summary="So it is. " * 80)
    assert len(made.drafts[1].content) <= 300
    assert "nostr:naddr1" in made.drafts[1].content
    assert made.warnings == ()


async def test_a_text_too_long_for_one_note_is_no_note() -> None:
    with pytest.raises(LimitTooSmall, match="it takes 3 parts"):
        await plan(LONG * 5, style=nt.Style(form=nt.Form.NOTE))


async def test_a_forum_thread_is_no_article_and_is_never_made_one() -> None:
    with pytest.raises(InvalidInput, match="no forum thread"):
        await plan("text", style=nt.Style(form=nt.Form.ARTICLE, forum=True))
    made = await plan(BIG, style=nt.Style(form=None, forum=True))
    assert (made.form, made.drafts[0].kind) == (nt.Form.THREAD, kinds.FORUM_THREAD)


async def test_parts_that_are_given_stay_as_they_are() -> None:
    parts = nt.split(LONG, LIMIT, marker="\n\n[{index} of {total}]")
    made = await plan(parts, limit=nt.Limit(characters=150))
    assert made.parts == tuple(parts)
    assert texts(made) == [part.text for part in parts]


async def test_parts_that_are_given_hold_no_secret_key_either() -> None:
    code = "nsec1" + "q" * 58
    with pytest.raises(InvalidText, match="secret key") as caught:
        await plan(nt.split(f"my key is {code}.", LIMIT))
    assert code not in str(caught.value)


# Published, and fetched back


@asynccontextmanager
async def writing(*events: nt.Verified) -> AsyncIterator[tuple[FaultyRelay, nt.Nostr]]:
    """Open a relay that has these events, and what ALICE writes with."""
    async with (
        FaultyRelay(stocked(events)) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        yield relay, nostr


async def seen_by_others(relay: FaultyRelay, code: str) -> nt.Thread:
    async with opened(":memory:", relay.url) as stranger:
        return (await stranger.fetch(code)).thread


async def test_an_answer_to_the_address_of_an_article_is_a_comment() -> None:
    """NIP-22."""
    essay = BOB.article("essay", "text", NOW - 50)
    code = nt.encode(nip19.Address(kinds.ARTICLE, BOB.pubkey, "essay"))
    async with writing(essay) as (relay, nostr):
        report = await nostr.publish(LONG, reply_to=code, limit=LIMIT)
        thread = await seen_by_others(relay, code)
    refs = references(report.posting.events[0])
    assert {event.kind for event in report.posting.events} == {kinds.COMMENT}
    assert [each.key for each in (refs.root, refs.parent) if each] == [kinds.address_of(essay)] * 2
    assert [article.text for article in thread.articles()] == [LONG]


@pytest.mark.parametrize("text", [LONG, f"\ufeff\n\n  {LONG}\r\n\t", "```py\nx\n\n" * 90])
async def test_what_was_published_is_fetched_back_to_the_byte(text: str) -> None:
    async with writing(QUESTION) as (relay, nostr):
        report = await nostr.publish(text, reply_to=QUESTION.id, limit=LIMIT)
        thread = await seen_by_others(relay, report.code)
    (answer,) = thread.articles()
    # A byte order mark is a control character, and is taken out with a warning.
    assert (answer.text, answer.is_exact) == (text.removeprefix("\ufeff"), True)


async def test_the_parts_of_a_forum_thread_are_one_text_when_fetched() -> None:
    """NIP-7D: they stand side by side under the first."""
    async with writing() as (relay, nostr):
        report = await nostr.publish(
            LONG, limit=LIMIT, style=nt.Style(forum=True, extras=nt.Extras(subject="Tails"))
        )
        first, *rest = report.posting.events
        relay.store.add([BOB.comment(first, "first!", first.created_at + 1)], relay=None, now=NOW)
        thread = await seen_by_others(relay, report.code)
    assert (first.kind, {event.kind for event in rest}) == (kinds.FORUM_THREAD, {kinds.COMMENT})
    assert ("title", "Tails") in first.tags
    assert {refs.parent.key for refs in map(references, rest) if refs.parent} == {first.id}
    (article,) = thread.articles()
    assert (article.text, article.is_exact) == (LONG, True)
    (chain,) = thread.answers()
    assert nt.join(node.part for node in chain if node.part) == LONG
    shown = nt.render_tree(thread)
    assert shown.index("end of 5.") < shown.index("first!")


async def test_a_long_answer_in_a_forum_thread_is_one_text_when_fetched() -> None:
    """Even where its author answers the same twice."""
    remark = CAROL.comment(TOPIC, "remark")
    other = LONG.replace("Paragraph", "Sentence")
    async with writing(TOPIC, remark) as (relay, nostr):
        report = await nostr.publish(LONG, reply_to=remark, limit=LIMIT)
        later = [
            ALICE.event(event.kind, event.content.replace("Paragraph", "Sentence"), at, event.tags)
            for at, event in enumerate(report.posting.events, report.posting.created_at + 60)
        ]
        relay.store.add(later, relay=None, now=NOW)
        thread = await seen_by_others(relay, TOPIC.id)
    assert [article.text for article in thread.articles()] == [LONG, other]
    assert {references(event).parent.key for event in later} == {remark.id}  # type: ignore[union-attr]


async def test_of_a_forum_threads_parts_one_that_is_lost_leaves_a_gap() -> None:
    async with writing() as (_, nostr):
        report = await nostr.publish(LONG, limit=LIMIT, style=nt.Style(forum=True))
    first, lost, *rest = report.posting.events
    (article,) = nt.Thread.build([first, *rest]).articles()
    assert (article.missing, article.is_exact) == ((2,), False)
    assert lost.content[:-6] not in article.text


async def test_mined_parts_show_their_work_and_still_answer_each_other() -> None:
    """NIP-13: work changes an id, and with it what names it."""
    async with writing(QUESTION) as (relay, nostr):
        report = await nostr.publish(LONG, reply_to=QUESTION, limit=LIMIT, style=nt.Style(work=8))
        thread = await seen_by_others(relay, report.code)
    events = report.posting.events
    assert report.complete
    assert all(committed(event) == 8 for event in events)
    above = [references(event) for event in events]
    assert [refs.parent.key for refs in above if refs.parent] == [
        QUESTION.id,
        *(event.id for event in events[:-1]),
    ]
    assert {refs.root.key for refs in above if refs.root} == {QUESTION.id}
    assert [article.text for article in thread.articles()] == [LONG]


async def test_an_article_is_linked_by_a_note_that_answers_in_its_place() -> None:
    """NIP-23: an article answers nothing itself."""
    async with writing(QUESTION) as (relay, nostr):
        report = await nostr.publish(
            "# Tails\n\nThe text.", reply_to=QUESTION.id, style=nt.Style(form=nt.Form.ARTICLE)
        )
        thread = await seen_by_others(relay, QUESTION.id)
    article, link = report.posting.events
    assert report.complete
    assert (article.kind, references(article).parent) == (kinds.ARTICLE, None)
    assert kinds.address_of(article) == f"30023:{ALICE.pubkey}:tails"
    refs = references(link)
    assert refs.parent is not None
    assert refs.parent.key == QUESTION.id
    assert [quote.key for quote in refs.quotes] == [kinds.address_of(article)]
    assert thread.node(link.id) is not None
    assert relay.store.event(article.id) == article


async def test_an_edited_article_replaces_the_earlier_one_and_is_linked_no_more() -> None:
    style = nt.Style(form=nt.Form.ARTICLE, title="Tails", identifier="tails")
    async with writing() as (relay, nostr):
        first = await nostr.publish("The text.", style=style)
        # Another machine, which has never seen it.
        async with opened(":memory:", relay.url, by=ALICE) as elsewhere:
            told_of: list[Plan] = []
            second = await elsewhere.publish("Better.", style=style, planned=told_of.append)
        current = relay.store.query([nt.Filter(kinds=(kinds.ARTICLE,))], now=NOW)
    (old, link), (new,) = first.posting.events, second.posting.events
    assert link.kind == kinds.NOTE
    assert current == [new]
    assert new.tag_values("published_at") == old.tag_values("published_at")
    assert new.tag_values("d") == ("tails",)
    assert new.created_at > old.created_at
    assert told_of[0].why == "it replaces the version that is published as 'tails'"


async def test_a_relay_that_does_not_say_whether_it_has_an_earlier_version_is_named() -> None:
    async with (
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as relay,
        opened(":memory:", relay.url, by=ALICE, quick=1.0) as nostr,
    ):
        made = await nostr.plan("# T\n\nText.", style=nt.Style(form=nt.Form.ARTICLE))
    assert made.warnings == (f"{relay.url} did not say whether it has an earlier version",)


async def test_an_edited_article_that_answers_something_is_linked_there() -> None:
    style = nt.Style(form=nt.Form.ARTICLE, identifier="tails")
    async with writing(QUESTION) as (_, nostr):
        await nostr.publish("# T\n\nThe text.", style=style)
        again = await nostr.publish("# T\n\nBetter.", style=style, reply_to=QUESTION.id)
    assert [event.kind for event in again.posting.events] == [kinds.ARTICLE, kinds.NOTE]
