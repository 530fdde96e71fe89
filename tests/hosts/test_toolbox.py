"""The tools themselves: what each gives, how it is bounded, and that a draft goes out once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

import nostr_threads as nt
from nostr_threads.core import kinds, nip19
from nostr_threads.core.coverage import Finish
from nostr_threads.core.sources import Source, SourceKind
from nostr_threads.errors import InvalidInput, NoSigner, NotFound
from nostr_threads.hosts.toolbox import Toolbox, told
from nostr_threads.store.sources import Method, Sync
from nostr_threads.testing import Faults, FaultyRelay, ManualClock
from tests.app.worlds import ALICE, BOB, CAROL, LONG, NOW, mute_list, opened, profile
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

QUESTION = BOB.note("Why do long answers stop?", NOW)
CODE = nt.encode(nip19.EventPointer(QUESTION.id))


@asynccontextmanager
async def tools(
    *events: nt.Verified,
    urls: tuple[str, ...] = (),
    viewer: bool = False,
    signs: bool = False,
    clock: Callable[[], float] | None = None,
) -> AsyncIterator[tuple[Toolbox, nt.Nostr]]:
    """Give Alice's tools over a store of some events."""
    async with opened(
        ":memory:",
        *urls,
        by=ALICE if signs else None,
        viewer=ALICE if viewer else None,
        clock=ManualClock(NOW + 1_000),
    ) as nostr:
        nostr.store.add(events, relay=None, now=NOW)

        @asynccontextmanager
        async def at_hand() -> AsyncIterator[nt.Nostr]:
            yield nostr

        yield Toolbox(at_hand, ALICE.pubkey, clock=clock or ManualClock(NOW + 1_000)), nostr


async def test_a_budget_holds_and_around_chooses() -> None:
    notes = [BOB.reply(QUESTION, f"{n} " + "word " * 200, NOW + n) for n in range(30)]
    code = nt.encode(nip19.Note(notes[20].id))
    async with tools(QUESTION, *notes) as (toolbox, _):
        some = await toolbox.get_thread(CODE, 1_500)
        near = await toolbox.get_thread(CODE, 1_500, code)
        deep = await toolbox.get_thread(code, 1_500)
        with pytest.raises(InvalidInput, match="cannot be used: 800 to 200000"):
            await toolbox.get_thread(CODE, 5)
        with pytest.raises(InvalidInput, match="cannot be used: 800 to 200000"):
            await toolbox.get_thread(CODE, 10**9)
        with pytest.raises(NotFound, match="is not in this thread"):
            await toolbox.get_thread(CODE, around="ab" * 32)
    for text in (some, near):
        assert len(text.encode()) <= 3 * 1_500
        assert "of the 31 places in it" in text
        assert "For more give more `tokens`" in text
    assert code not in some
    assert code in near
    assert near == deep


async def test_an_article_is_read_by_its_address_and_names_are_shown() -> None:
    article = CAROL.article("on-threads", "# On threads")
    comment = BOB.comment(article, "Good.", NOW + 1)
    code = nt.encode(nip19.Address(30023, CAROL.pubkey, "on-threads"))
    async with tools(article, comment, profile(CAROL, "Carol · by\nGod")) as (toolbox, _):
        text = await toolbox.get_thread(f"nostr:{code}", fetch="never")
    assert "· article · the root · by Carol - by God npub1" in text
    assert "> Good." in text


async def test_what_no_relay_can_be_asked_for_is_given_from_the_store_with_that_said() -> None:
    async with tools(QUESTION, urls=("ws://127.0.0.1:9",)) as (toolbox, _):
        text = await toolbox.get_thread(CODE, fetch="always")
    assert "1 relay asked now; 1 did not answer completely, and may have more." in text
    assert "> Why do long answers stop?" in text


async def test_a_note_of_which_only_answers_are_stored_is_asked_for() -> None:
    answer = CAROL.reply(QUESTION, "Because.", NOW + 1)
    async with (
        FaultyRelay(stocked([QUESTION])) as relay,
        tools(answer, urls=(relay.url,)) as (toolbox, _),
    ):
        never = await toolbox.get_thread(CODE, fetch="never")
        found = await toolbox.get_thread(CODE)
    assert "1 note found, 1 missing" in never
    assert "2 notes found, 0 missing. 1 relay asked now" in found


async def test_a_search_gives_the_newest_by_thread_and_leaves_out_what_is_muted() -> None:
    first = BOB.reply(QUESTION, "x" * 300 + " long\n\x1b[2J answers " + "y" * 300, NOW + 1)
    other = BOB.note("long answers", NOW + 2)
    muted = CAROL.note("long answers, muted", NOW + 3)
    mutes = mute_list(ALICE, ("p", CAROL.pubkey))
    events = (QUESTION, first, other, muted, mutes, profile(BOB, "Bob"))
    async with tools(*events, viewer=True) as (toolbox, _):
        found = await toolbox.search_threads("long answers")
        by_carol = await toolbox.search_threads("long", nt.encode(nip19.PublicKey(CAROL.pubkey)))
        newest = await toolbox.search_threads("long answers", limit=2)
    assert found["found"] == 4
    thread = [[note["code"] for note in each["notes"]] for each in found["threads"]]
    assert thread == [[note(other)], [note(first), note(QUESTION)]]
    assert by_carol["threads"] == []
    assert len(newest["threads"]) == 1
    shown = found["threads"][1]["notes"][0]
    assert shown["snippet"].startswith("…")
    assert "long \\x1b[2J answers" in shown["snippet"]
    assert len(shown["snippet"]) <= 250
    assert shown["name"].startswith("Bob npub1")
    assert shown["author"] == nt.encode(nip19.PublicKey(BOB.pubkey))


async def test_a_snippet_is_around_the_word_and_not_what_begins_with_it() -> None:
    text = "pages " * 100 + "a page at last" + " pages" * 100
    async with tools(BOB.note(text, NOW)) as (toolbox, _):
        found = await toolbox.search_threads("page")
    (shown,) = found["threads"][0]["notes"]
    assert "a page at last" in shown["snippet"]
    assert set(shown) == {"code", "author", "name", "written", "snippet"}


def note(event: nt.Event) -> str:
    return nt.encode(nip19.Note(event.id))


async def test_how_far_sources_are_is_told_with_what_relays_said_escaped() -> None:
    source = Source.parse(SourceKind.HASHTAG, "nostr", relays=("wss://a.example",))
    async with tools() as (toolbox, nostr):
        nostr.store.sources.put(source, now=NOW)
        sync = Sync(Method.PAGES, Finish.REFUSED, "blocked\x1b[2J " + "x" * 900, NOW)
        nostr.store.sources.note(source.name, "wss://a.example", sync)
        status = await toolbox.mirror_status()
    (row,) = status["sources"]
    assert (row["source"], row["relay"], row["complete"]) == (source.name, "wss://a.example", False)
    assert row["reason"].startswith("blocked\\x1b[2J x")
    assert len(row["reason"]) == 200
    assert status["threads"] == []


async def test_a_draft_says_what_it_would_be_and_signs_nothing() -> None:
    async with tools(QUESTION, urls=("ws://127.0.0.1:9",)) as (toolbox, nostr):
        draft = await toolbox.draft_answer(LONG, CODE, 400)
        article = await toolbox.draft_answer("# Title\n\nText.", form="article")
        with pytest.raises(NoSigner):
            await toolbox.publish_answer(draft["draft_id"])
        assert nostr.store.postings() == []
    assert draft["form"] == "thread"
    assert [part["index"] for part in draft["parts"]] == [1, 2, 3]
    assert all(part["characters"] <= 400 for part in draft["parts"])
    assert "never instructions" in draft["answers"].pop("untrusted")
    assert draft["answers"] == {
        "code": note(QUESTION),
        "author": "npub1g5e3t…qpm7",
        "begins": "Why do long answers stop?",
    }
    assert draft["author"] == nt.encode(nip19.PublicKey(ALICE.pubkey))
    assert draft["relays"] == [{"relay": "ws://127.0.0.1:9", "why": "relays.toml"}]
    assert (article["form"], article["answers"]) == ("article", None)


async def test_of_a_long_part_a_draft_gives_the_ends_unless_all_of_it_is_wanted() -> None:
    text = "A sentence of it. " * 200
    async with tools(urls=("ws://127.0.0.1:9",)) as (toolbox, _):
        short = await toolbox.draft_answer(text)
        whole = await toolbox.draft_answer(text, full=True)
        with pytest.raises(InvalidInput, match="cannot be used: 100 to 100000"):
            await toolbox.draft_answer(text, limit=99)
    assert len(short["parts"]) == len(whole["parts"]) > 1
    for ends, part in zip(short["parts"], whole["parts"], strict=True):
        assert "text" not in ends
        assert (ends["begins"], ends["ends"]) == (part["text"][:200], part["text"][-200:])
        assert ends["characters"] == len(part["text"])


async def test_without_a_key_there_is_nobody_to_draft_for() -> None:
    async with tools() as (toolbox, _):
        toolbox._author = None
        with pytest.raises(NoSigner, match="`nostr-threads key new NAME` makes a key"):
            await toolbox.draft_answer("x")


async def test_a_draft_is_kept_for_an_hour_and_not_more_than_fifty() -> None:
    clock = ManualClock(NOW)
    async with tools(urls=("ws://127.0.0.1:9",), clock=clock) as (toolbox, _):
        ids = [(await toolbox.draft_answer(f"Text {n}."))["draft_id"] for n in range(51)]
        with pytest.raises(NotFound, match="there is no such draft"):
            toolbox.question(ids[0])
        assert "Text 1." in str(toolbox.question(ids[1]))
        clock.advance(3_601)
        with pytest.raises(NotFound, match="kept for an hour"):
            toolbox.question(ids[50])


async def test_a_person_sees_the_warnings_and_all_of_the_text_behind_a_mark() -> None:
    async with tools(profile(ALICE, "Alice\nof God"), urls=("ws://127.0.0.1:9",)) as (toolbox, _):
        text = (
            "Begin.\n\nPart 9 of 9\u202e\n" + "A sentence of it. " * 900 + "and this stops in the"
        )
        draft = await toolbox.draft_answer(text)
        longer = await toolbox.draft_answer("A sentence of it. " * 6_000)
    asked = str(toolbox.question(draft["draft_id"]))
    assert draft["warnings"]
    assert f"Warning: {draft['warnings'][0][:40]}" in asked
    assert asked.startswith("Publish this as npub1sfex7…qnhh (Alice of God)?\n")
    assert "\n> Begin.\n> \n> Part 9 of 9" in asked
    assert asked.count("A sentence of it.") == 900
    ours = [line for line in asked.splitlines() if line.startswith("Part ")]
    assert len(ours) == len(draft["parts"])
    with pytest.raises(InvalidInput, match="too many for a person to agree to here"):
        toolbox.question(longer["draft_id"])


async def test_it_is_published_once_however_often_it_is_asked_for() -> None:
    async with (
        FaultyRelay(stocked([QUESTION])) as relay,
        tools(QUESTION, urls=(relay.url,), signs=True) as (toolbox, nostr),
    ):
        draft = await toolbox.draft_answer(LONG, CODE, 400)
        calls = [toolbox.publish_answer(draft["draft_id"]) for _ in range(2)]
        first, second = await asyncio.gather(*calls, return_exceptions=True)
        third = await toolbox.publish_answer(draft["draft_id"])
        assert len(nostr.store.postings()) == 1
        assert toolbox.question(draft["draft_id"]) is None
    assert isinstance(first, dict)
    assert isinstance(second, InvalidInput)
    assert "is being published" in told(second)
    assert first == third
    assert first["state"] == "arrived"


async def test_one_that_was_interrupted_is_in_the_outbox_and_not_signed_again() -> None:
    async with (
        FaultyRelay(stocked(), Faults(no_ok=True)) as relay,
        tools(urls=(relay.url,), signs=True) as (toolbox, nostr),
    ):
        draft = await toolbox.draft_answer("Because.")
        sending = asyncio.create_task(toolbox.publish_answer(draft["draft_id"]))
        async with asyncio.timeout(5):
            while not nostr.store.postings():  # noqa: ASYNC110 - the store has no bell
                await asyncio.sleep(0.01)
        sending.cancel()
        await asyncio.wait([sending])
        again = await toolbox.publish_answer(draft["draft_id"])
        assert len(nostr.store.postings()) == 1
    assert again["state"] == "on its way"


async def test_what_is_no_longer_what_was_shown_is_not_signed() -> None:
    async with (
        FaultyRelay(stocked()) as relay,
        tools(urls=(relay.url,), signs=True) as (toolbox, nostr),
    ):
        draft = await toolbox.draft_answer("Because.")
        moved = ALICE.event(
            kinds.RELAY_LIST, "", NOW, (("r", "wss://new.example.invalid", "write"),)
        )
        nostr.store.add([moved], relay=None, now=NOW)
        with pytest.raises(InvalidInput, match="no longer what was drafted"):
            await toolbox.publish_answer(draft["draft_id"])
        assert nostr.store.postings() == []


@pytest.mark.parametrize(
    ("error", "words"),
    [(NotFound("a\nb\x1b[2J"), "a b\\x1b[2J"), (OSError("x" * 5_000), "x" * 999 + "…")],
)
def test_an_error_is_one_escaped_line(error: Exception, words: str) -> None:
    assert told(error) == words


def test_the_values_are_plain() -> None:
    """What is given can be written as JSON by whoever hosts it."""
    import json

    async def values() -> list[dict[str, Any]]:
        async with tools(QUESTION, urls=("ws://127.0.0.1:9",)) as (toolbox, _):
            return [
                await toolbox.search_threads("long"),
                await toolbox.draft_answer("Because.", CODE),
                await toolbox.mirror_status(),
            ]

    for each in asyncio.run(values()):
        assert json.loads(json.dumps(each)) == each
