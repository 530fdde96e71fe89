"""`compose`, `publish` and `outbox`: contracts, bad files, and every exit code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import nostr_threads as nt
from nostr_threads.cli import console
from nostr_threads.core.messages import Publish
from nostr_threads.core.nip19 import PublicKey
from nostr_threads.errors import InvalidInput
from nostr_threads.relayd import RelayServer
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, LONG, NOW, relay_list
from tests.cli.killing import lapse
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.program import Home, Ran

LIMIT = ("--limit", "400")
DEAD = "ws://127.0.0.1:9"
PART = {"index": int, "total": int, "id": str, "characters": int, "bytes": int, "event": dict}
STATUSES = {
    "stored",
    "accepted",
    "duplicate",
    "rejected",
    "no-answer",
    "unreachable",
    "lost",
}


def sent(relay: FaultyRelay) -> list[str]:
    """The ids of the events that reached a relay, in the order of arrival."""
    return [message.event.id for message in relay.received if isinstance(message, Publish)]


def assert_report(report: dict[str, Any]) -> None:
    """The contract of `publish --json`."""
    assert set(report) == {
        *("code", "parts", "deliveries", "accepted", "courtesy", "state", "next_try")
    }
    assert report["state"] in {"on its way", "arrived", "refused", "given up", "cancelled"}
    assert (report["next_try"] is not None) is (report["state"] == "on its way")
    assert isinstance(report["accepted"], bool)
    for part in report["parts"]:
        assert {name: type(value) for name, value in part.items()} == PART
        event = nt.verify(nt.Event(**{**part["event"], "tags": tags_of(part)}))
        assert (event.id, len(event.content)) == (part["id"], part["characters"])
        assert len(event.to_json().encode()) == part["bytes"]
    for delivery in report["deliveries"]:
        assert set(delivery) == {"part", "relay", "status", "reason"}
        assert delivery["status"] in STATUSES


def tags_of(part: dict[str, Any]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, part["event"]["tags"]))


# compose


async def test_compose_json_is_one_object_a_part_and_the_parts_join_to_the_file(home: Home) -> None:
    ran = await home.run("compose", home.file("a.md", LONG), *LIMIT, "--json")
    assert ran.code == 0
    parts = ran.objects
    assert len(parts) > 1
    for index, part in enumerate(parts, 1):
        assert {name: type(value) for name, value in part.items()} == {
            "index": int,
            "total": int,
            "text": str,
            "characters": int,
            "bytes": int,
            "break": str if index < len(parts) else type(None),
        }
        assert (part["index"], part["total"]) == (index, len(parts))
        assert part["characters"] == len(part["text"]) <= 400
        assert part["text"].endswith(f" ({index}/{len(parts)})")
        assert part["bytes"] > len(part["text"])
    assert [part.text for part in nt.split(LONG, nt.Limit(characters=400))] == [
        part["text"] for part in parts
    ]


async def test_compose_reads_stdin_and_drops_a_byte_order_mark(home: Home) -> None:
    text = "grüße, 🧵 und so\n"
    for data in (text.encode(), text.encode("utf-8-sig"), text.encode("utf-16")):
        ran = await home.run("compose", "-", "--json", stdin=data)
        assert (ran.code, ran.object["text"]) == (0, text.rstrip())


async def test_compose_for_people_says_what_was_not_done_on_stderr_only(home: Home) -> None:
    ran = await home.run("compose", home.file("a.md", LONG), "--limit-bytes", "900")
    assert ran.code == 0
    assert ran.out.startswith("── part 1 of ")
    assert "nothing was signed or sent" in ran.err
    assert "nothing was signed or sent" not in ran.out


BAD_ANSWERS: tuple[tuple[bytes, tuple[str, ...], str], ...] = (
    (b"", (), "bad.md: there is no text in it"),
    (b" \n\t\n", (), "bad.md: there is no text in it"),
    (b"\xef\xbb\xbf", (), "bad.md: there is no text in it"),
    (b"one\ntwo\nthr\xffee\n", (), "bad.md: line 3, byte 4 is not UTF-8"),
    (b"\xef\xbb\xbfone\n\xff", (), "bad.md: line 2, byte 1 is not UTF-8"),
    (b"\xff\xfeo\x00n\x00\x00", (), "bad.md: line 1, byte 7 is not UTF-16"),
    (
        b"Hello **world**.\n\nIt goes on: we want",
        ("--strict",),
        "seems to stop in the middle of a sentence",
    ),
    (b"word " * 50, ("--limit", "50", "--as", "note"), "it does not fit one note"),
    (b"word " * 50, ("--limit", "5"), "limit"),
    (b"word " * 50, ("--limit", "0"), "a limit of 0 holds nothing"),
    (b"word " * 50, ("--limit-bytes", "60"), "limit of 60 bytes"),
    (b"word " * 50, ("--limit", "50", "--marker", "part"), "needs both {index} and {total}"),
    (b"word " * 50, ("--limit", "x"), "--limit"),
)


async def test_an_answer_that_cannot_be_cut_is_exit_2_and_says_why(home: Home) -> None:
    files = [home.file(f"{number}bad.md", data) for number, (data, _, _) in enumerate(BAD_ANSWERS)]
    runs = await asyncio.gather(
        *(
            home.run("compose", file, *options)
            for file, (_, options, _) in zip(files, BAD_ANSWERS, strict=True)
        )
    )
    for ran, (_, _, sentence) in zip(runs, BAD_ANSWERS, strict=True):
        assert (ran.code, ran.out) == (2, "")
        assert sentence in ran.err


async def test_a_bad_answer_on_stdin_is_told_as_such(home: Home) -> None:
    ran = await home.run("publish", "-", stdin=b"ok\n\xff")
    assert (ran.code, ran.out) == (2, "")
    assert "stdin: line 2, byte 1 is not UTF-8" in ran.err


async def test_a_file_that_is_not_there_is_exit_2(home: Home) -> None:
    ran = await home.run("compose", "nowhere.md")
    assert (ran.code, ran.out) == (2, "")
    assert "cannot read nowhere.md: No such file or directory" in ran.err


# publish


async def published(alice: Home, *relays: str, more: tuple[str, ...] = ()) -> Ran:
    alice.settle(relays, quick=2.0)
    return await alice.run("publish", alice.file("a.md", LONG), *LIMIT, "--json", *more)


async def test_publish_json_is_the_contract_and_everything_is_stored(alice: Home) -> None:
    question = BOB.note("why?", NOW)
    async with FaultyRelay(stocked([question])) as relay:
        ran = await published(alice, relay.url, more=("--reply-to", question.id))
    assert ran.code == 0
    report = ran.object
    assert_report(report)
    assert report["accepted"]
    ids = [part["id"] for part in report["parts"]]
    assert sent(relay) == ids
    assert [(d["part"], d["relay"], d["status"]) for d in report["deliveries"]] == [
        (index, relay.url, "stored") for index in range(1, len(ids) + 1)
    ]
    pointer = nt.decode(report["code"])
    assert pointer == nt.decode(report["code"].upper())
    assert (pointer.id, pointer.relays) == (ids[0], (relay.url,))  # type: ignore[union-attr]
    shown = await alice.run("show", ids[-1], "--json")
    assert shown.object["root_id"] == question.id


async def test_for_people_the_code_is_the_data_and_the_table_is_talk(alice: Home) -> None:
    async with RelayServer(stocked()) as relay:
        alice.settle([relay.url])
        ran = await alice.run("publish", "-", stdin=b"short")
    assert ran.code == 0
    assert ran.out.startswith("nevent1")
    assert ran.out.count("\n") == 1
    assert "stored" in ran.err


async def test_publish_says_on_stderr_where_else_it_goes_and_why(alice: Home) -> None:
    question = BOB.note("why?", NOW)
    async with (
        FaultyRelay(stocked()) as inbox,
        RelayServer(stocked([relay_list(BOB, read=[inbox.url])])) as index,
        FaultyRelay(stocked([question])) as usual,
    ):
        alice.settle([usual.url], index=[index.url], known=[inbox.url])
        answer = ("publish", "-", "--reply-to", question.id, "--json")
        routed = await alice.run(*answer, stdin=b"because")
        named = await alice.run(*answer, "--relay", usual.url, stdin=b"because, once more")
        (first,) = sent(inbox)
        assert sent(usual) == [first, named.object["parts"][0]["id"]]
    assert (routed.code, named.code) == (0, 0)
    assert [each["relay"] for each in routed.object["deliveries"]] == [usual.url, inbox.url]
    reader = nt.encode(PublicKey(BOB.pubkey))
    assert f"also to {inbox.url}: read relay of {reader[:10]}…{reader[-4:]}\n" in routed.err
    assert usual.url not in routed.err
    assert "also to" not in named.err


async def test_a_dry_run_sends_nothing_and_keeps_nothing(alice: Home) -> None:
    question = BOB.note("why?", NOW)
    async with FaultyRelay(stocked([question])) as relay:
        ran = await published(alice, relay.url, more=("--dry-run", "--reply-to", question.id))
        listed = await alice.run("outbox", "list", "--all", "--json")
    assert ran.code == 0
    assert {"index", "total", "text", "characters", "bytes", "break"} == set(ran.objects[0])
    assert sent(relay) == []
    assert (listed.code, listed.out) == (0, "")


@pytest.mark.parametrize(
    ("faults", "code", "statuses"),
    [
        (Faults(reject_with="blocked: not you"), 1, {"rejected"}),
        (Faults(ok_but_not_stored=True), 1, {"lost"}),
        (Faults(refuse_connections=True), 4, {"unreachable", "no-answer"}),
        (Faults(ok_for_other_id=True, ok_but_not_stored=True), 1, {"no-answer"}),
        (Faults(reject_with="error: no room", accept_first=1), 5, None),
    ],
)
async def test_what_one_relay_does_decides_the_exit_code(
    alice: Home, faults: Faults, code: int, statuses: set[str] | None
) -> None:
    async with FaultyRelay(stocked(), faults) as relay:
        ran = await published(alice, relay.url)
    assert ran.code == code
    assert_report(ran.object)
    assert not ran.object["accepted"]
    assert statuses in (None, {each["status"] for each in ran.object["deliveries"]})
    listed = await alice.run("outbox", "list", "--all")
    assert (f" · 0 of {len(ran.object['deliveries'])} stored · " in listed.out) is (code != 5)
    # What is refused for good is not on its way any more, but it is not forgotten either.
    everything = ("--all",) if statuses == {"rejected"} else ()
    listed = await alice.run("outbox", "list", "--json", *everything)
    assert_report(listed.object)
    assert [part["id"] for part in listed.object["parts"]] == [
        part["id"] for part in ran.object["parts"]
    ]


async def test_a_relay_down_beside_a_good_one_is_exit_3(alice: Home) -> None:
    async with RelayServer(stocked()) as relay:
        ran = await published(alice, relay.url, DEAD)
    assert (ran.code, ran.object["accepted"]) == (3, True)


async def test_fewer_relays_than_the_quorum_is_exit_5_and_the_rest_is_held(alice: Home) -> None:
    async with FaultyRelay(stocked()) as relay:
        ran = await published(alice, relay.url, DEAD, more=("--quorum", "2"))
    assert (ran.code, ran.object["accepted"]) == (5, False)
    assert sent(relay) == [part["id"] for part in ran.object["parts"]]
    at_dead = [each for each in ran.object["deliveries"] if each["relay"] == DEAD]
    held = [each for each in at_dead if each["part"] == 2]
    assert {each["reason"] for each in held} == {"not sent: part 1 was taken by 1 of 2"}


REFUSED = (
    (("--quorum", "2"), 2, "a quorum of 2 is not possible"),
    (("--quorum", "0"), 2, "a quorum of 0"),
    (("--relay", "https://x.example"), 2, "https://x.example"),
    (("--reply-to", "ab" * 32), 1, "cannot be answered"),
    (("--reply-to", "nonsense"), 2, "'nonsense' is not a Nostr code"),
    (("--key", "nobody"), 7, "there is no key called 'nobody'"),
)


async def test_what_cannot_be_published_as_asked_is_refused_before_anything_is_sent(
    alice: Home,
) -> None:
    async with FaultyRelay(stocked()) as relay:
        runs = await asyncio.gather(
            *(published(alice, relay.url, more=more) for more, _, _ in REFUSED)
        )
    for ran, (_, code, sentence) in zip(runs, REFUSED, strict=True):
        assert (ran.code, ran.out) == (code, "")
        assert sentence in ran.err
    assert sent(relay) == []


async def test_answering_when_no_relay_can_be_reached_is_exit_4(alice: Home) -> None:
    ran = await published(alice, DEAD, more=("--reply-to", "ab" * 32))
    assert (ran.code, ran.out) == (4, "")


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [("", "there is no key"), ("f" * 63, "NOSTR_SECRET_KEY is not a secret key")],
)
async def test_without_a_usable_key_it_is_exit_7_and_nothing_is_kept(
    home: Home, secret: str, sentence: str
) -> None:
    async with FaultyRelay(stocked()) as relay:
        home.settle([relay.url])
        ran = await home.run("publish", home.file("a.md", LONG), NOSTR_SECRET_KEY=secret)
    assert (ran.code, ran.out) == (7, "")
    assert sentence in ran.err
    assert "f" * 63 not in ran.err
    assert sent(relay) == []


# outbox


async def test_resume_sends_the_same_bytes_and_then_nothing_is_on_its_way(alice: Home) -> None:
    async with FaultyRelay(stocked(), Faults(refuse_connections=True)) as relay:
        ran = await published(alice, relay.url)
        ids = [part["id"] for part in ran.object["parts"]]
        assert (ran.code, sent(relay)) == (4, [])
        still_down = await alice.run("outbox", "resume", "--json")
        assert still_down.code == 4
        relay.faults = Faults()
        resumed = await alice.run("outbox", "resume", "--json")
        assert resumed.code == 0
        assert_report(resumed.object)
        assert [part["event"] for part in resumed.object["parts"]] == [
            part["event"] for part in ran.object["parts"]
        ]
        assert sent(relay) == ids
        again = await alice.run("outbox", "resume")
    assert (again.code, again.out) == (0, "")
    assert "nothing is on its way" in again.err
    assert sent(relay) == ids
    listed, every = await asyncio.gather(
        alice.run("outbox", "list"), alice.run("outbox", "list", "--all")
    )
    assert (listed.out, "nothing is on its way" in listed.err) == ("", True)
    code, about, words = every.out.splitlines()
    assert code == resumed.object["code"]
    assert about.endswith(
        f" · arrived · {len(ids)} parts · {len(ids)} of {len(ids)} stored · {relay.url}"
    )
    assert words.strip().startswith(LONG[:20])


async def test_after_a_power_cut_the_same_bytes_are_sent(alice: Home) -> None:
    asked = asyncio.Event()

    async def for_ever(_: float) -> None:
        asked.set()
        await asyncio.get_running_loop().create_future()

    async with FaultyRelay(stocked(), Faults(slow=1.0), wait=for_ever) as relay:
        alice.settle([relay.url], quick=20.0)
        file = alice.file("a.md", LONG)
        async with alice.started("publish", file, *LIMIT) as process:
            await asked.wait()
            process.kill()
            await process.communicate()
        lapse(alice)
        relay.faults = Faults()
        resumed = await alice.run("outbox", "resume", "--json")
        ids = [part["id"] for part in resumed.object["parts"]]
    assert resumed.code == 0
    assert sent(relay) == [ids[0], *ids]
    assert len(ids) == len(nt.split(LONG, nt.Limit(characters=400)))


async def test_a_signer_answers_a_relay_that_asks_who_it_is(alice: Home) -> None:
    async with FaultyRelay(stocked(), Faults(auth_required=True)) as relay:
        ran = await published(alice, relay.url)
    assert ran.code == 0
    assert {each["status"] for each in ran.object["deliveries"]} == {"stored"}
    assert ran.object["parts"][0]["event"]["pubkey"] == ALICE.pubkey


def test_input_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(console, "_MOST_INPUT", 1_000)
    endless = tmp_path / "endless"
    endless.write_bytes(b"x" * 1_001)
    with pytest.raises(InvalidInput, match="holds more than"):
        console.read_input(endless)
    endless.write_bytes(b"x" * 1_000)
    assert len(console.read_input(endless)) == 1_000
