"""The small verbs at real relays: delete, react, repost, quote, each with its delivery report."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.core import kinds
from nostr_threads.core.entities import SecretKey
from nostr_threads.core.messages import Publish
from nostr_threads.core.pow import committed
from nostr_threads.core.references import Relation, references
from nostr_threads.errors import InvalidInput, InvalidText, NoSigner, NotFound
from nostr_threads.relayd.limits import Limits
from nostr_threads.store.policy import Policy
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, CAROL, LIMIT, LONG, NOW, opened, relay_list
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nostr_threads.app.publish import Report
    from nostr_threads.app.writing import Plan

QUESTION = BOB.note("why?", NOW - 100, (("p", CAROL.pubkey),))
ARTICLE = BOB.article("essay", "A text.", NOW - 100)
SECRET = nt.encode(SecretKey(BOB.secret_hex()))
PROTECTED = BOB.note("for you alone", NOW - 100, (("-",),))


@asynccontextmanager
async def writing(
    *events: nt.Verified, limits: Limits | None = None
) -> AsyncIterator[tuple[FaultyRelay, nt.Nostr]]:
    """Open a relay that has these events, and what ALICE writes with."""
    async with (
        FaultyRelay(stocked(events), limits=limits or Limits()) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        yield relay, nostr


def sole(report: Report) -> nt.Verified:
    """The one event of a report; it was read back from everywhere."""
    assert report.complete
    (event,) = report.posting.events
    return event


def held(relay: FaultyRelay, *kind: int) -> set[str]:
    """The ids of what a relay has."""
    return {event.id for event in relay.store.query([nt.Filter(kinds=kind or None)], now=NOW)}


def sent(relay: FaultyRelay) -> list[nt.Event]:
    return [message.event for message in relay.received if isinstance(message, Publish)]


# Deletions


async def test_an_answer_is_deleted_with_all_its_parts_where_it_was_sent() -> None:
    async with writing(QUESTION) as (relay, nostr), FaultyRelay(stocked()) as named:
        report = await nostr.publish(LONG, limit=LIMIT, relays=[named.url])
        assert len(held(named)) == len(report.posting.events) > 2
        told: list[Plan] = []
        request = sole(await nostr.delete(report.code, reason="wrong", planned=told.append))
        assert held(named) == {request.id}
        # It is told to the relays of today too: somebody may have copied it there.
        assert held(relay, kinds.DELETION) == {request.id}
        assert told[0].courtesy == {named.url}
    assert request.content == "wrong"
    assert references(request).relation is Relation.DELETION
    assert request.tag_values("e") == tuple(event.id for event in report.posting.events)


async def test_the_code_of_any_part_stands_for_the_whole_answer() -> None:
    async with writing() as (relay, nostr):
        report = await nostr.publish(LONG, limit=LIMIT)
        request = sole(await nostr.delete(report.posting.events[1].id))
        assert held(relay) == {request.id}


async def test_an_article_is_deleted_by_its_address_with_the_note_that_links_it() -> None:
    async with writing() as (relay, nostr):
        report = await nostr.publish("# T\n\nText.", style=nt.Style(form=nt.Form.ARTICLE))
        request = sole(await nostr.delete(report.code))
        assert held(relay) == {request.id}
    assert request.tag_values("a") == (f"30023:{ALICE.pubkey}:t",)


async def test_an_article_is_deleted_with_all_its_versions_and_what_links_them() -> None:
    style = nt.Style(form=nt.Form.ARTICLE, identifier="t")
    async with writing() as (relay, nostr):
        reports = [await nostr.publish(f"# T\n\nText {n}.", style=style) for n in range(2)]
        assert reports[0].code == reports[1].code
        request = sole(await nostr.delete(reports[1].code))
        assert held(relay) == {request.id}
    assert len(request.tag_values("e")) == 3


async def test_an_older_note_of_ones_own_is_found_at_the_relays_and_deleted() -> None:
    own = ALICE.note("from another machine", NOW - 5)
    async with writing(own, QUESTION) as (relay, nostr):
        request = sole(await nostr.delete(own.id))
        assert held(relay) == {QUESTION.id, request.id}


async def test_nobody_elses_note_can_be_deleted() -> None:
    async with writing(QUESTION) as (relay, nostr):
        with pytest.raises(InvalidInput, match="only its own author"):
            await nostr.delete(QUESTION.id)
        assert sent(relay) == []


@pytest.mark.parametrize("policy", [Policy.HIDE, Policy.KEEP])
async def test_what_is_deleted_is_neither_sent_again_nor_called_lost(policy: Policy) -> None:
    async with writing() as (relay, nostr), FaultyRelay(stocked()) as late:
        nostr.store.adopt(policy)
        late.faults = Faults(refuse_connections=True)
        report = await nostr.publish(LONG, limit=LIMIT, relays=[relay.url, late.url])
        assert report.open
        await nostr.delete(report.code)
        late.faults = Faults()
        await nostr.outbox.resume()
        parts = {event.id for event in report.posting.events}
        assert not parts & {event.id for event in sent(late)}
        assert all(each.posting.id != report.posting.id for each in await nostr.outbox.check())
        (kept,) = [each for each in nostr.store.postings() if each.id == report.posting.id]
    assert {each.status for each in kept.deliveries if each.relay == late.url} == {
        nt.Status.GIVEN_UP
    }


# Reactions


async def test_a_reaction_names_what_it_is_about_and_whose_that_is() -> None:
    async with writing(QUESTION) as (relay, nostr):
        reaction = sole(await nostr.react(QUESTION.id, "🎉"))
        assert held(relay, kinds.REACTION) == {reaction.id}
    refs = references(reaction)
    assert refs.parent is not None
    assert (refs.relation, refs.parent.key) == (Relation.REACTION, QUESTION.id)
    assert reaction.tag_values("p") == (BOB.pubkey,)
    assert reaction.tag_values("k") == ("1",)


async def test_a_reaction_is_counted_by_whoever_fetches_the_thread() -> None:
    async with writing(QUESTION) as (relay, nostr):
        await nostr.react(QUESTION)
        async with opened(":memory:", relay.url) as stranger:
            found = await stranger.fetch(QUESTION.id)
    tally = found.surroundings.tallies[QUESTION.id]
    assert tally.reactions == {"+": 1}


async def test_words_are_no_reaction_and_nothing_is_sent() -> None:
    async with writing(QUESTION) as (relay, nostr):
        with pytest.raises(InvalidInput, match="words are an answer"):
            await nostr.react(QUESTION.id, "well said")
        assert sent(relay) == []


async def test_a_relay_that_wants_work_gets_it_for_a_reaction_too() -> None:
    """NIP-13."""
    async with writing(QUESTION, limits=Limits(min_pow_difficulty=8)) as (_, nostr):
        reaction = sole(await nostr.react(QUESTION.id))
    assert committed(reaction) == 8


async def test_a_reaction_goes_to_where_its_author_reads_as_a_courtesy() -> None:
    async with (
        FaultyRelay(stocked()) as inbox,
        FaultyRelay(stocked([QUESTION])) as relay,
        opened(":memory:", relay.url, by=ALICE, known=[inbox.url]) as nostr,
    ):
        nostr.store.add([relay_list(BOB, read=[inbox.url])], relay=None, now=NOW)
        report = await nostr.react(QUESTION.id)
        assert held(inbox) == {report.posting.id}
    assert report.posting.courtesy == {inbox.url}


# Reposts


@pytest.mark.parametrize(
    ("event", "kind"), [(QUESTION, kinds.REPOST), (ARTICLE, kinds.GENERIC_REPOST)]
)
async def test_a_repost_brings_the_event_and_says_where_it_is(
    event: nt.Verified, kind: int
) -> None:
    async with writing(event) as (relay, nostr):
        repost = sole(await nostr.repost(event.id))
        assert held(relay, kind) == {repost.id}
    assert repost.kind == kind
    assert nt.Event.from_json(repost.content) == event
    refs = references(repost)
    assert refs.relation is Relation.REPOST
    assert event.id in repost.tag_values("e")
    assert all(tag[2] for tag in repost.tags if tag[0] == "e")


async def test_a_protected_event_is_only_pointed_at() -> None:
    """NIP-70: relays take it from its author alone."""
    async with writing(PROTECTED) as (relay, nostr):
        nostr.store.add([PROTECTED], relay="wss://relay.example", now=NOW)
        repost = sole(await nostr.repost(PROTECTED.id, relays=[relay.url]))
    assert repost.content == ""
    assert ("e", PROTECTED.id, "wss://relay.example", BOB.pubkey) in repost.tags


async def test_a_protected_event_of_which_nobody_knows_where_it_is_is_not_reposted() -> None:
    async with writing(PROTECTED) as (relay, nostr):
        with pytest.raises(InvalidInput, match="where the event is found"):
            await nostr.repost(PROTECTED.id)
        assert sent(relay) == []


# Quotes


@pytest.mark.parametrize("event", [QUESTION, ARTICLE], ids=["a note", "an article"])
async def test_a_quote_is_a_note_of_its_own_that_cites(event: nt.Verified) -> None:
    async with writing(event) as (_, nostr):
        quote = sole(await nostr.publish("Look at this.", quoting=event.id))
    refs = references(quote)
    assert (quote.kind, refs.parent) == (kinds.NOTE, None)
    assert [each.key for each in refs.quotes] == [kinds.address_of(event) or event.id]
    assert quote.content.startswith("Look at this.\n\nnostr:n")
    assert BOB.pubkey in quote.tag_values("p")


async def test_a_long_quote_is_split_like_any_answer() -> None:
    async with writing(QUESTION) as (_, nostr):
        report = await nostr.publish(LONG, quoting=QUESTION.id, limit=LIMIT)
    thread = nt.Thread.build(report.posting.events)
    (article,) = thread.articles()
    assert article.text.startswith(LONG)
    assert [bool(references(event).quotes) for event in report.posting.events][-1]


# What holds for all


async def test_without_a_key_nothing_is_done() -> None:
    async with (
        FaultyRelay(stocked([QUESTION])) as relay,
        opened(":memory:", relay.url) as nostr,
    ):
        for doing in (
            nostr.delete(QUESTION.id),
            nostr.react(QUESTION.id),
            nostr.repost(QUESTION.id),
            nostr.publish("text", quoting=QUESTION.id),
        ):
            with pytest.raises(NoSigner):
                await doing


async def test_what_nobody_has_can_be_neither_liked_nor_reposted() -> None:
    async with writing() as (_, nostr):
        for doing in (nostr.react("0" * 63 + "1"), nostr.repost("0" * 63 + "1")):
            with pytest.raises(NotFound):
                await doing


async def test_a_reaction_that_no_relay_took_stays_in_the_outbox() -> None:
    async with writing(QUESTION) as (relay, nostr):
        relay.faults = Faults(reject_with="error: later")
        report = await nostr.react(QUESTION.id)
        assert (report.accepted, report.open) == (False, 1)
        relay.faults = Faults()
        (again,) = await nostr.outbox.resume()
        assert sole(again) == report.posting.events[0]


# What came to light when all of it was tried together


async def test_what_arrived_in_part_is_checked_like_the_rest() -> None:
    faults = Faults(reject_with="blocked: enough", accept_first=1)
    async with (
        FaultyRelay(stocked(), faults) as relay,
        opened(":memory:", relay.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish(LONG, limit=LIMIT)
        assert not report.complete
        (checked,) = await nostr.outbox.check(report.code)
        assert checked.deliveries[0].status is nt.Status.STORED


async def test_what_is_deleted_is_given_up_before_anybody_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process may die between the two, and must not go on sending what is to be gone."""
    async with (
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as down,
        FaultyRelay(stocked()) as relay,
        opened(":memory:", relay.url, down.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("a text", limit=LIMIT)

        async def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(nostr.outbox, "send", die)
        with pytest.raises(KeyboardInterrupt):
            await nostr.delete(report.code)
        assert nostr.store.postings(open_only=True) == []


async def test_what_another_process_is_sending_is_not_deleted_under_its_hands() -> None:
    async with (
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as down,
        opened(":memory:", down.url, by=ALICE) as nostr,
    ):
        report = await nostr.publish("a text", limit=LIMIT)
        now = report.posting.created_at
        assert nostr.store.lease(report.posting.id, "another", now=now, until=now + 10_000)
        with pytest.raises(InvalidInput, match="being sent by another process"):
            await nostr.delete(report.code)


async def test_a_quotation_does_not_hide_how_a_text_ends() -> None:
    async with writing(QUESTION) as (_, nostr):
        with pytest.raises(InvalidText, match="stop in the middle of a sentence"):
            await nostr.publish(
                "It is finished. This one stops in the",
                quoting=QUESTION.id,
                style=nt.Style(strict=True),
            )


@pytest.mark.parametrize(
    "style",
    [
        nt.Style(title=SECRET, form=nt.Form.ARTICLE),
        nt.Style(summary=SECRET),
        nt.Style(extras=nt.Extras(subject=SECRET)),
        nt.Style(extras=nt.Extras(content_warning=SECRET)),
    ],
)
async def test_no_words_beside_the_text_hold_a_secret(style: nt.Style) -> None:
    async with writing() as (relay, nostr):
        with pytest.raises(InvalidText, match="secret key") as caught:
            await nostr.publish("A text.", style=style)
        assert SECRET not in str(caught.value)
        assert sent(relay) == []


async def test_control_characters_are_in_no_tag_and_no_reaction() -> None:
    async with writing(QUESTION) as (_, nostr):
        plan = await nostr.plan("A text.", style=nt.Style(extras=nt.Extras(subject="a\x1bb\x00c")))
        assert ("subject", "abc") in plan.drafts[0].tags
        with pytest.raises(InvalidInput, match="control character"):
            await nostr.react(QUESTION.id, "a\x01b")


async def test_a_version_that_was_replaced_is_sent_no_more_and_its_link_is_still_checked() -> None:
    article = nt.Style(form=nt.Form.ARTICLE, identifier="essay")
    async with (
        FaultyRelay(stocked()) as relay,
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as late,
        opened(":memory:", relay.url, late.url, by=ALICE) as nostr,
    ):
        first = await nostr.publish("# Essay\n\nOne.", style=article)
        late.faults = Faults()
        second = await nostr.publish("# Essay\n\nTwo.", style=article)
        assert second.complete
        await nostr.outbox.resume()
        assert first.posting.events[0] not in sent(late)
        checked = {report.posting.id: report for report in await nostr.outbox.check()}
        assert checked.keys() == {first.posting.id, second.posting.id}
        link = [d for d in checked[first.posting.id].deliveries if d.part == 2]
        assert [each.status for each in link] == [nt.Status.STORED, nt.Status.STORED]


async def test_an_answer_begins_no_forum_thread() -> None:
    async with writing(QUESTION) as (_, nostr):
        with pytest.raises(InvalidInput, match="begins no forum thread"):
            await nostr.plan("text", reply_to=QUESTION.id, style=nt.Style(forum=True))


@pytest.mark.parametrize(
    "limits",
    [
        Limits(max_content_length=200),
        Limits(max_message_length=1_200),
        Limits(min_pow_difficulty=4),
    ],
)
async def test_a_strangers_relay_decides_nothing_about_an_answer(limits: Limits) -> None:
    """Whoever is answered could have the answer cut to pieces, or worked for, everywhere."""
    text = "A sentence of some words that goes on. " * 40
    async with FaultyRelay(stocked(), limits=limits) as inbox, FaultyRelay(stocked()) as relay:
        known = [QUESTION, relay_list(BOB, read=[inbox.url])]
        async with opened(":memory:", relay.url, by=ALICE, known=[inbox.url]) as nostr:
            nostr.store.add(known, relay=None, now=NOW)
            plan = await nostr.plan(text, reply_to=QUESTION.id)
    assert plan.courtesy == {inbox.url}
    assert (len(plan.drafts), plan.work) == (1, 0)
    assert any(inbox.url in warning and "will refuse" in warning for warning in plan.warnings)


@pytest.mark.parametrize("was_taken_back", [True, False])
async def test_a_relay_gets_no_relay_list_that_was_taken_back(*, was_taken_back: bool) -> None:
    """NIP-65 asks to spread the list: not one that is only kept here."""
    async with writing() as (relay, nostr):
        nostr.store.adopt(Policy.KEEP)
        mine = relay_list(ALICE)
        regret = ALICE.event(kinds.DELETION, "", NOW + 1, (("e", mine.id),))
        nostr.store.add([mine, regret] if was_taken_back else [mine], relay=None, now=NOW)
        await nostr.publish("short")
        assert (mine.id in {event.id for event in sent(relay)}) is not was_taken_back
