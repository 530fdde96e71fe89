"""`relay`: listed, looked at, tried, served; and the mistakes of relays.toml."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from nostr_threads.relayd import RelayServer
from nostr_threads.testing import Faults, FaultyRelay, thread
from tests.app.worlds import ALICE
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from tests.cli.program import Home

NOTES = thread(5)
DEAD = "ws://127.0.0.1:9"


async def test_list_gives_every_relay_of_the_file_and_what_it_is_for(home: Home) -> None:
    home.file("relays.toml", '[[relay]]\nurl = "WSS://Nos.lol/"\nwrite = false\nsearch = true\n')
    for_programs, for_people = await asyncio.gather(
        home.run("relay", "list", "--json"), home.run("relay", "list")
    )
    assert for_programs.object == {
        "url": "wss://nos.lol",
        "read": True,
        "write": False,
        "index": False,
        "search": True,
        "proxy": "",
        "auth": "ask",
    }
    assert (for_people.code, for_people.out) == (0, "")
    assert "wss://nos.lol" in for_people.err


@pytest.mark.parametrize(
    ("text", "where", "sentence"),
    [
        (b'[[relay]]\nurl = "wss://x.example"\nwrit = true\n', ":3: ", "unknown key 'writ'"),
        (b"[[relay]\n", ":1: ", ""),
        (b"# fine\n\xff\n", ":2: ", "not UTF-8"),
    ],
)
async def test_a_mistake_in_relays_toml_is_exit_2_with_file_and_line(
    home: Home, text: bytes, where: str, sentence: str
) -> None:
    home.file("mine.toml", text)
    ran = await home.run("relay", "list", "--relays", "mine.toml")
    assert (ran.code, ran.out) == (2, "")
    assert f"mine.toml{where}{sentence}" in ran.err


async def test_every_command_that_reads_relays_toml_names_its_mistake(home: Home) -> None:
    home.file("relays.toml", "[defaults]\nidle = -1\n")
    file = home.file("a.md", "text")
    runs = await asyncio.gather(
        home.run("fetch", NOTES[0].id),
        home.run("publish", file, NOSTR_SECRET_KEY=ALICE.secret_hex()),
        home.run("outbox", "resume"),
        home.run("relay", "test"),
        home.run("relay", "list", NOSTR_THREADS_RELAYS="nowhere.toml"),
    )
    for ran in runs[:-1]:
        assert (ran.code, ran.out) == (2, "")
        assert "relays.toml:2: idle is not a number of seconds above 0" in ran.err
    assert runs[-1].code == 2
    assert "nowhere.toml: No such file or directory" in runs[-1].err


async def test_info_shows_what_a_relay_says_of_itself(home: Home) -> None:
    async with RelayServer(stocked(), name="evil \x1b[31m name", auth="required") as relay:
        for_programs, for_people = await asyncio.gather(
            home.run("relay", "info", relay.url, "--json"), home.run("relay", "info", relay.url)
        )
    assert for_programs.object["url"] == relay.url
    assert for_programs.object["limits"]["auth_required"] is True
    assert 11 in for_programs.object["supported_nips"]
    assert (for_people.code, for_people.out) == (0, "")
    assert r"evil \x1b[31m name" in for_people.err
    assert "{" not in for_people.err
    assert "\x1b" not in for_people.err


async def test_info_of_a_relay_that_is_down_or_of_no_relay_is_an_error(home: Home) -> None:
    down, wrong = await asyncio.gather(
        home.run("relay", "info", DEAD), home.run("relay", "info", "https://x.example")
    )
    assert (down.code, down.out) == (1, "")
    assert DEAD in down.err
    assert (wrong.code, wrong.out) == (2, "")


async def test_test_says_how_each_relay_answers_and_publishes_nothing(home: Home) -> None:
    async with (
        FaultyRelay(stocked(NOTES)) as good,
        FaultyRelay(stocked(NOTES), Faults(auth_required=True)) as closed,
    ):
        home.settle([good.url, closed.url, DEAD])
        fine, mixed = await asyncio.gather(
            home.run("relay", "test", good.url, "--json"), home.run("relay", "test", "--json")
        )
        for_people = await home.run("relay", "test", DEAD, good.url)
    assert fine.code == 0
    assert set(fine.object) == {"url", "answer", "seconds", "events", "reason"}
    assert (fine.object["answer"], fine.object["events"]) in [("complete", 1), ("limited", 1)]
    assert mixed.code == 3
    answers = {each["url"]: each["answer"] for each in mixed.objects}
    assert answers[closed.url] == "refused"
    assert answers[DEAD] == "unreachable"
    assert (for_people.code, for_people.out) == (3, "")
    assert "unreachable" in for_people.err
    assert not [message for message in good.received if hasattr(message, "event")]


async def test_test_of_relays_that_are_all_down_is_exit_4_and_still_reported(home: Home) -> None:
    ran = await home.run("relay", "test", DEAD, "--json")
    assert (ran.code, ran.object["answer"]) == (4, "unreachable")


async def test_a_port_that_is_taken_or_impossible_is_exit_2(home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        busy, impossible, elsewhere = await asyncio.gather(
            home.run("relay", "serve", "--port", port, "--accept-all"),
            home.run("relay", "serve", "--port", "70000", "--accept-all"),
            home.run("relay", "serve", "--port", "0", "--host", "192.0.2.1", "--accept-all"),
        )
    for ran in (busy, impossible, elsewhere):
        assert (ran.code, ran.out) == (2, "")
    assert f"cannot listen on 127.0.0.1, port {port}" in busy.err
    assert "cannot listen on 192.0.2.1, port 0" in elsewhere.err
