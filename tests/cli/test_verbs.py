"""`delete`, `react`, `repost`, `quote`, the forms of `publish`, and what a dry run says of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.core import kinds
from nostr_threads.core.messages import Publish
from nostr_threads.relayd import RelayServer
from nostr_threads.relayd.limits import Limits
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import BOB, LONG, NOW
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from tests.cli.program import Home, Ran

QUESTION = BOB.note("why?", NOW)
DRAFT = {"kind", "created_at", "tags", "content", "bytes"}


def only(ran: Ran) -> dict[str, Any]:
    """The one event that was published."""
    (part,) = ran.object["parts"]
    event: dict[str, Any] = part["event"]
    return event


def tag(event: dict[str, Any], name: str) -> list[str]:
    return next((each[1:] for each in event["tags"] if each[0] == name), ["nothing"])


async def test_a_reaction_a_repost_and_a_quote_are_proved_as_an_answer_is(alice: Home) -> None:
    async with RelayServer(stocked([QUESTION])) as relay:
        alice.settle([relay.url])
        code = QUESTION.id
        await alice.run("fetch", code)
        reacted, reposted, quoted = await asyncio.gather(
            alice.run("react", code, "🧡", "--json"),
            alice.run("repost", code, "--json"),
            alice.run("quote", code, "-", "--json", stdin=b"Look at this."),
        )
    assert [ran.code for ran in (reacted, reposted, quoted)] == [0, 0, 0]
    assert {ran.object["state"] for ran in (reacted, reposted, quoted)} == {"arrived"}
    assert (only(reacted)["kind"], only(reacted)["content"]) == (kinds.REACTION, "🧡")
    assert (only(reposted)["kind"], tag(only(reposted), "e")[0]) == (kinds.REPOST, code)
    assert only(quoted)["content"].startswith("Look at this.\n\nnostr:nevent1")
    assert tag(only(quoted), "q")[0] == code


async def test_what_one_may_not_do_is_refused_before_anything_is_sent(alice: Home) -> None:
    async with FaultyRelay(stocked([QUESTION])) as relay:
        alice.settle([relay.url])
        runs = await asyncio.gather(
            alice.run("delete", QUESTION.id),
            alice.run("react", QUESTION.id, "two words"),
            alice.run("react", QUESTION.id, ":soapbox:"),
            alice.run("repost", "nonsense"),
        )
    assert [(ran.code, ran.out) for ran in runs] == [(2, "")] * 4
    assert "only its own author" in runs[0].err
    assert not [each for each in relay.received if isinstance(each, Publish)]


async def test_one_code_deletes_all_parts_of_an_answer(alice: Home) -> None:
    async with RelayServer(stocked()) as relay:
        alice.settle([relay.url])
        file = alice.file("a.md", LONG)
        sent = await alice.run("publish", file, "--limit", "400", "--json")
        code = sent.object["code"]
        planned = await alice.run("outbox", "delete", code, "--dry-run", "--json")
        deleted = await alice.run("delete", code, "--reason", "wrong numbers", "--json")
    assert (sent.code, planned.code, deleted.code) == (0, 0, 0)
    ids = [part["id"] for part in sent.object["parts"]]
    event = only(deleted)
    assert (event["kind"], event["content"]) == (kinds.DELETION, "wrong numbers")
    assert [each[1] for each in event["tags"] if each[0] == "e"] == ids
    assert set(planned.object) == DRAFT
    assert [each[1] for each in planned.object["tags"] if each[0] == "e"] == ids


async def test_a_dry_run_of_a_verb_signs_nothing_and_says_where_it_would_go(home: Home) -> None:
    async with FaultyRelay(stocked([QUESTION])) as relay:
        home.settle([relay.url])
        ran = await home.run("react", QUESTION.id, "--dry-run")
    assert ran.code == 0
    assert ran.out.startswith("── kind 7 · +\ne " + QUESTION.id)
    assert f"\nto {relay.url}: " in f"\n{ran.err}"
    assert "nothing was signed or sent" in ran.err
    assert not [each for each in relay.received if isinstance(each, Publish)]


# The forms of `publish`


async def test_an_article_is_published_with_its_note_and_replaced_under_its_name(
    alice: Home,
) -> None:
    article = ("publish", "-", "--as", "article", "--d", "on-threads", "--json")
    async with RelayServer(stocked()) as relay:
        alice.settle([relay.url])
        first = await alice.run(
            *article, "--title", "On threads", "--summary", "Short.", stdin=LONG.encode()
        )
        second = await alice.run(*article, stdin=b"# On threads\n\nMended.")
    assert (first.code, second.code) == (0, 0)
    written, note = (part["event"] for part in first.object["parts"])
    assert (written["kind"], note["kind"]) == (kinds.ARTICLE, kinds.NOTE)
    assert [tag(written, name) for name in ("d", "title", "summary")] == [
        ["on-threads"],
        ["On threads"],
        ["Short."],
    ]
    assert tag(only(second), "published_at") == tag(written, "published_at")
    assert "replaces the version that is published as 'on-threads'" in second.err


async def test_what_may_be_said_of_an_answer_is_in_its_tags(alice: Home) -> None:
    async with RelayServer(stocked()) as relay:
        alice.settle([relay.url])
        said, forum, mined = await asyncio.gather(
            *(
                alice.run("publish", "-", *options, "--json", stdin=b"because")
                for options in (
                    ("--subject", "Why", "--content-warning", "a spider", "--protected"),
                    ("--forum", "--subject", "Why"),
                    ("--pow", "4"),
                )
            )
        )
    # Without NIP-42 a relay must not take what is protected (NIP-70).
    assert (said.code, forum.code, mined.code) == (1, 0, 0)
    assert only(said)["tags"] == [["subject", "Why"], ["content-warning", "a spider"], ["-"]]
    assert (only(forum)["kind"], tag(only(forum), "title")) == (kinds.FORUM_THREAD, ["Why"])
    assert tag(only(mined), "nonce")[1] == "4"
    assert int(only(mined)["id"][0], 16) == 0


async def test_a_warning_needs_no_reason_and_an_end_has_to_come(alice: Home) -> None:
    async with RelayServer(stocked()) as relay:
        alice.settle([relay.url])
        warned, over = await asyncio.gather(
            *(
                alice.run("publish", "-", "--content-warning", "--expires", *when, stdin=b"boo")
                for when in (("12h", "--json"), ("2020-01-01",))
            )
        )
    event = only(warned)
    assert (warned.code, ["content-warning"] in event["tags"]) == (0, True)
    assert int(tag(event, "expiration")[0]) == pytest.approx(
        event["created_at"] + 12 * 3_600, abs=60
    )
    assert (over.code, "over already" in over.err) == (2, True)


async def test_auto_says_what_it_chose_and_why(alice: Home) -> None:
    short, long = await asyncio.gather(
        alice.run("compose", "-", "--as", "auto", stdin=b"Short."),
        alice.run("compose", "-", "--as", "auto", "--limit", "90", stdin=LONG.encode()),
    )
    assert (short.code, "note: it fits one note" in short.err) == (0, True)
    assert (long.code, "articles hold any length" in long.err) == (0, True)


async def test_markers_stand_where_their_template_says(home: Home) -> None:
    file = home.file("a.md", LONG)
    prefix, line, none = await asyncio.gather(
        *(
            home.run("compose", file, "--limit", "400", "--json", "--marker", marker)
            for marker in ("({index}/{total}) {text}", "\\n\\n{index}/{total}", "")
        )
    )
    total = len(prefix.objects)
    assert prefix.objects[0]["text"].startswith(f"(1/{total}) Paragraph")
    assert line.objects[0]["text"].endswith(f"\n\n1/{len(line.objects)}")
    assert none.objects[0]["text"].endswith(".")


async def test_garbled_text_is_pointed_out_and_mended_when_asked_to(home: Home) -> None:
    text = home.file("a.md", "He said â€œnoâ€\x9d, and went.")
    told, strict, mended = await asyncio.gather(
        *(
            home.run("compose", text, "--json", *more)
            for more in ((), ("--strict",), ("--fix-encoding",))
        )
    )
    assert (told.code, "--fix-encoding mends it" in told.err) == (0, True)
    assert (strict.code, strict.out) == (2, "")
    assert (mended.code, mended.object["text"]) == (0, "He said “no”, and went.")


async def test_a_dry_run_tells_relays_limits_and_warnings(alice: Home) -> None:
    async with RelayServer(stocked(), limits=Limits(max_content_length=300)) as relay:
        alice.settle([relay.url])
        ran = await alice.run("publish", "-", "--dry-run", "--json", stdin=LONG.encode() + b" an")
    assert ran.code == 0
    assert max(part["characters"] for part in ran.objects) <= 300
    assert f"{relay.url} takes 300 characters at most" in ran.err
    assert "warning: the text seems to stop in the middle of a sentence" in ran.err


# The outbox


async def test_what_nobody_took_can_be_cancelled_and_is_listed_as_such(alice: Home) -> None:
    async with FaultyRelay(stocked(), Faults(refuse_connections=True)) as relay:
        alice.settle([relay.url], quick=2.0)
        sent = await alice.run("publish", "-", "--json", stdin=b"too early")
        listed = await alice.run("outbox", "list")
        nothing_due = await alice.run("outbox", "resume", "--due", "--json")
        cancelled = await alice.run("outbox", "cancel", sent.object["code"], "--json")
        every = await alice.run("outbox", "list", "--all")
        relay.faults = Faults()
        resumed = await alice.run("outbox", "resume")
    assert (sent.code, nothing_due.code, cancelled.code, resumed.code) == (4, 4, 0, 0)
    assert " · on its way, next try 2" in listed.out
    assert nothing_due.object["next_try"] == sent.object["next_try"]
    assert (cancelled.object["state"], " · cancelled · " in every.out) == ("cancelled", True)
    assert "nothing is on its way" in resumed.err
    assert not [each for each in relay.received if isinstance(each, Publish)]


async def test_what_arrived_can_only_be_deleted(alice: Home) -> None:
    async with RelayServer(stocked()) as relay:
        alice.settle([relay.url])
        sent = await alice.run("publish", "-", "--json", stdin=b"for ever")
    cancelled, unknown = await asyncio.gather(
        *(alice.run("outbox", "cancel", code) for code in (sent.object["code"], QUESTION.id))
    )
    assert (cancelled.code, cancelled.out) == (2, "")
    assert (unknown.code, "outbox list --all" in unknown.err) == (1, True)


async def test_check_finds_what_a_relay_forgot_and_resume_sends_it_again(alice: Home) -> None:
    async with FaultyRelay(stocked()) as relay:
        alice.settle([relay.url])
        sent = await alice.run("publish", "-", "--json", stdin=b"remember")
        there = await alice.run("outbox", "check", "--json")
        relay.faults = Faults(finish_after=0)
        checked = await alice.run("outbox", "check", sent.object["code"], "--json")
        relay.faults = Faults()
        resumed = await alice.run("outbox", "resume", sent.object["code"], "--json")
    assert (sent.code, there.code, checked.code, resumed.code) == (0, 0, 3, 0)
    assert {each["status"] for each in checked.object["deliveries"]} == {"lost"}
    assert resumed.object["state"] == "arrived"
    again = [each.event.id for each in relay.received if isinstance(each, Publish)]
    assert again == [sent.object["parts"][0]["id"]] * 2


async def test_while_another_process_sends_nothing_is_sent_twice(alice: Home) -> None:
    asked = asyncio.Event()
    going_on = asyncio.Event()

    async def held(_: float) -> None:
        asked.set()
        await going_on.wait()

    async with FaultyRelay(stocked(), Faults(slow=1.0), wait=held) as relay:
        alice.settle([relay.url], quick=20.0)
        async with alice.started("publish", "-", "--json") as process:
            assert process.stdin is not None
            process.stdin.write(b"once")
            process.stdin.write_eof()
            await asked.wait()
            second = await alice.run("outbox", "resume")
            going_on.set()
            await process.wait()
    assert (second.code, "another process is sending this" in second.err) == (3, True)
    assert process.returncode == 0
    assert len([each for each in relay.received if isinstance(each, Publish)]) == 1
