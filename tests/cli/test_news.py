"""`new`: what arrived since the last look, once, and nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import nostr_threads as nt
from nostr_threads.core import kinds, nip19
from nostr_threads.relayd import RelayServer
from nostr_threads.store.sqlite import SqliteStore
from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, CAROL, DAVE, NOW, mute_list, profile
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cli.program import Home, Ran

ROOT = ALICE.note("the question", NOW)
ANSWER = BOB.reply(ROOT, "an answer", NOW + 1)
LATER = CAROL.reply(ANSWER, "a later one", NOW + 2)
OTHER = DAVE.note("another thread", NOW)


def arrive(home: Home, *events: nt.Verified) -> None:
    """Put events into a home's store, as a fetch would have."""
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(events, relay="wss://seen.example", now=NOW)


def ids(ran: Ran) -> list[str]:
    """The ids that `new --json` gave, each event verified."""
    assert ran.code == 0
    for each in ran.objects:
        assert set(each) == {"root_id", "event", "kept"}
    return [verified(each["event"]).id for each in ran.objects]


def verified(event: dict[str, Any]) -> nt.Verified:
    return nt.verify(nt.Event(**{**event, "tags": tuple(map(tuple, event["tags"]))}))


def sorted_ids(events: Iterable[nt.Event]) -> list[str]:
    return sorted(event.id for event in events)


def assert_quiet(ran: Ran) -> None:
    assert (ran.code, ran.out, ran.err) == (0, "", "")


async def test_while_there_is_no_store_nothing_is_new_and_none_is_made(home: Home) -> None:
    ran, named = await asyncio.gather(home.run("new"), home.run("new", "--store", "typo.db"))
    assert (ran.code, ran.out) == (0, "")
    assert "fetch, mirror, import or publish something first" in ran.err
    assert (named.code, named.out) == (6, "")
    assert "there is no such store" in named.err
    assert list(home.folder.iterdir()) == []


async def test_what_a_fetch_brought_is_shown_once(home: Home) -> None:
    async with RelayServer(stocked([ROOT, ANSWER])) as relay:
        await home.run("fetch", ROOT.id, "--relay", relay.url)
        first, again = await home.run("new"), await home.run("new")
        more = stocked([ROOT, ANSWER, LATER, BOB.reaction(LATER), profile(CAROL, "carol")])
        async with RelayServer(more) as richer:
            await home.run("fetch", ROOT.id, "--relay", richer.url)
        second, third = await home.run("new"), await home.run("new", "--json")
    assert ANSWER.content in first.out
    assert_quiet(again)
    assert_quiet(third)
    title, _, heading, said, *rest = second.out.splitlines()
    assert title.startswith("the question · note1")
    assert heading.startswith("└─ carol npub1")
    assert "· to npub1" in heading
    assert said.strip() == LATER.content
    assert rest == [""]


async def test_with_keep_it_is_shown_again_and_with_a_code_only_that_thread(home: Home) -> None:
    arrive(home, ROOT, ANSWER, OTHER)
    kept = await home.run("new", "--keep", "--json")
    assert sorted(ids(kept)) == sorted_ids([ROOT, ANSWER, OTHER])
    one = await home.run("new", nt.encode(nip19.Note(ANSWER.id)), "--json")
    assert ids(one) == [ROOT.id, ANSWER.id]
    assert {each["root_id"] for each in one.objects} == {ROOT.id}
    assert_quiet(await home.run("new", ROOT.id))
    assert ids(await home.run("new", "--json")) == [OTHER.id]


async def test_a_thread_that_nobody_knows_has_no_news(home: Home) -> None:
    arrive(home, ROOT)
    assert_quiet(await home.run("new", "ab" * 32))
    bad = await home.run("new", "nonsense")
    assert (bad.code, bad.out) == (2, "")
    assert ids(await home.run("new", "--json")) == [ROOT.id]


async def test_each_thread_has_its_title_and_answers_say_to_whom(home: Home) -> None:
    arrive(home, ROOT, ANSWER, OTHER, profile(ALICE, "alice"), profile(DAVE, "dave"))
    lines = [line for line in (await home.run("new")).out.splitlines() if line.strip("│")]
    assert [line.partition(" · ")[0] for line in lines if "npub1" not in line] == [
        "the question",
        "│    the question",
        "     an answer",
        "another thread",
        "     another thread",
    ]
    question, answer, other = [line for line in lines if "npub1" in line]
    assert question.startswith("├─ alice npub1")
    assert " · to " not in question
    assert answer.startswith("└─ npub1")
    assert " · to alice npub1" in answer
    assert other.startswith("└─ dave npub1")


async def test_of_a_long_list_the_rest_is_shown_the_next_time_or_with_all(home: Home) -> None:
    """What was not shown was not seen."""
    notes = thread(60, authors=9, depth=1)
    arrive(home, *notes)
    every = await home.run("new", "--all", "--keep")
    first, second = await home.run("new"), await home.run("new")
    assert "10 more notes" in first.err
    assert "more" not in every.err + second.err
    for note in notes:
        assert note.content in every.out
        assert note.content in first.out + second.out
    assert_quiet(await home.run("new"))


async def test_ones_own_answers_are_no_news_and_what_others_say_to_them_is(alice: Home) -> None:
    question = BOB.note("why?", NOW)
    async with RelayServer(stocked([question])) as relay:
        alice.settle([relay.url])
        await alice.run("fetch", question.id)
        assert ids(await alice.run("new", "--json")) == [question.id]
        sent = await alice.run("publish", "-", "--reply-to", question.id, "--json", stdin=b"so.")
        answer = verified(sent.object["parts"][0]["event"])
        await alice.run("fetch", question.id)
        assert_quiet(await alice.run("new"))
        reply = BOB.reply(answer, "I see", NOW + 9)
        async with RelayServer(stocked([question, answer, reply])) as later:
            await alice.run("fetch", question.id, "--relay", later.url)
    ran = await alice.run("new")
    assert "I see" in ran.out
    assert "so." not in ran.out


async def test_a_note_that_was_fetched_to_be_quoted_is_news_of_its_own_thread(home: Home) -> None:
    """Were it counted as seen, to quote a note would take it out of the news."""
    code = nt.encode(nip19.Note(OTHER.id))
    quoting = BOB.reply(ROOT, f"see nostr:{code}")
    async with RelayServer(stocked([ROOT, quoting, OTHER])) as relay:
        await home.run("fetch", ROOT.id, "--relay", relay.url)
    shown = await home.run("show", ROOT.id)
    assert OTHER.content in shown.out
    assert ids(await home.run("new", OTHER.id, "--json", "--keep")) == [OTHER.id]
    assert sorted(ids(await home.run("new", "--json"))) == sorted_ids([ROOT, quoting, OTHER])


async def test_to_be_quoted_elsewhere_takes_no_note_out_of_the_news(home: Home) -> None:
    quoting = BOB.reply(ROOT, f"see nostr:{nt.encode(nip19.Note(OTHER.id))}")
    async with RelayServer(stocked([ROOT, quoting, OTHER])) as relay:
        await home.run("fetch", OTHER.id, "--relay", relay.url)
        await home.run("fetch", ROOT.id, "--relay", relay.url)
    assert sorted(ids(await home.run("new", "--json"))) == sorted_ids([ROOT, quoting, OTHER])


async def test_two_terminals_at_once_lose_nothing(home: Home) -> None:
    notes = thread(20)
    arrive(home, *notes)
    one, two = await asyncio.gather(home.run("new", "--json"), home.run("new", "--json"))
    assert {*ids(one), *ids(two)} == {note.id for note in notes}
    assert_quiet(await home.run("new"))


async def test_what_arrives_between_two_looks_is_in_the_second_alone(home: Home) -> None:
    arrive(home, ROOT)
    assert ids(await home.run("new", "--json")) == [ROOT.id]
    arrive(home, ANSWER)
    arrive(home, ROOT, ANSWER)
    assert ids(await home.run("new", "--json")) == [ANSWER.id]


async def test_when_threads_merge_nothing_is_shown_twice_or_lost(home: Home) -> None:
    """A lost parent comes at last, and what hung below it moves to another thread."""
    lost = BOB.reply(ROOT, "lost for a while", NOW + 1)
    above = (("e", lost.id, "", "reply"),)
    orphan = CAROL.note("below the lost one", NOW + 2, above)
    sibling = DAVE.note("below it too", NOW + 3, above)
    arrive(home, ROOT, orphan)
    assert sorted(ids(await home.run("new", "--json"))) == sorted_ids([ROOT, orphan])
    arrive(home, sibling)
    arrive(home, lost)
    merged = await home.run("new", "--json")
    assert sorted(ids(merged)) == sorted_ids([lost, sibling])
    assert {each["root_id"] for each in merged.objects} == {ROOT.id}
    assert_quiet(await home.run("new", lost.id))


async def test_what_was_deleted_before_anybody_looked_is_no_news(home: Home) -> None:
    arrive(home, ROOT, ANSWER, BOB.deletion(ANSWER))
    assert ids(await home.run("new", "--json")) == [ROOT.id]


async def test_what_has_expired_is_not_said_to_be_kept_where_it_is_not(home: Home) -> None:
    over = CAROL.note("over", NOW, (("expiration", f"{NOW + 1}"),))
    arrive(home, over)
    assert (await home.run("new", "--json")).object["kept"] is False


async def test_what_is_kept_is_news_that_says_what_it_is(home: Home) -> None:
    arrive(home, ROOT, ANSWER, BOB.deletion(ANSWER))
    assert (await home.run("mirror", "run", "--deleted", "keep")).code == 0
    told = await home.run("new", "--keep", "--json")
    assert ids(told) == [ROOT.id, ANSWER.id]
    assert [each["kept"] for each in told.objects] == [False, True]
    drawn = await home.run("new")
    assert "deleted, kept here: its author asked for its deletion" in drawn.out
    assert ANSWER.content in drawn.out
    arrive(home, LATER, ALICE.deletion(ROOT))
    assert (await home.run("new")).out.startswith(f"[deleted] {ROOT.content} · ")


async def test_news_cannot_write_to_the_terminal(home: Home) -> None:
    arrive(home, ALICE.note("\x1b[2J\x1b]0;owned\x07 \u202eabc\x9b31m\r└─npub1fake", NOW))
    ran = await home.run("new")
    assert ran.code == 0
    assert not {"\x1b", "\x07", "\u202e", "\x9b", "\r"} & set(ran.out + ran.err)


async def test_what_the_reader_muted_or_has_expired_takes_no_other_news_away(home: Home) -> None:
    over = CAROL.note("over", NOW, (("expiration", f"{NOW + 1}"),))
    arrive(home, OTHER, over, mute_list(ALICE, ("p", DAVE.pubkey)), ROOT)
    ran = await home.run("new", NOSTR_SECRET_KEY=ALICE.secret_hex())
    assert ran.code == 0
    assert ROOT.content in ran.out
    assert not {OTHER.content, over.content} & set(map(str.strip, ran.out.splitlines()))
    assert_quiet(await home.run("new"))


async def test_news_of_an_article_of_a_web_page_and_under_a_lost_root_are_told(home: Home) -> None:
    article = ALICE.article("long", "the text")
    newer = ALICE.article("long", "the text, corrected", NOW + 5)
    url = "https://example.com/"
    page = (("I", url), ("K", "web"), ("i", url), ("k", "web"))
    about_a_page = BOB.event(kinds.COMMENT, "what a page", NOW, page)
    orphan = CAROL.reply(BOB.note("never to be seen", NOW), "an orphan")
    arrive(home, article, newer, BOB.comment(article, "well said"), about_a_page, orphan)
    ran, written = await home.run("new", "--keep"), await home.run("new", "--json")
    assert ran.code == 0
    for words in ("the text, corrected", "well said", "what a page", "an orphan"):
        assert words in ran.out
    address = f"30023:{ALICE.pubkey}:long"
    roots = [each["root_id"] for each in written.objects]
    assert set(roots) >= {address, url}
    assert len(ids(written)) == 4
