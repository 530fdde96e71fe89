"""`bot`: made, checked, run and looked after, as a person does it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random
from shutil import copytree
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.app.bots.crew import Member
from nostr_threads.cli import bot_running
from nostr_threads.core import kinds, nip19
from nostr_threads.core.messages import Publish, Request
from nostr_threads.core.profile import profile_of
from nostr_threads.errors import NoRelayReachable, SigningError
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.bots.stage import BOT, FILE, answers, question, send
from tests.app.worlds import BOB, CAROL, opened
from tests.cli.terminal import at_terminal
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from tests.cli.program import Home

EXAMPLES = Path(__file__).parents[2] / "examples"
KILLS = 8
NOWHERE = "ws://127.0.0.1:1"
ECHO = """\
[bot]
mark = false
[guards]
pause = "1.01s"
[[rule]]
name = "echo"
answer = { template = "you say: {{ note.text }}" }
"""
PEEP = """\
[bot]
mark = false
[guards]
pause = "1.01s"
[[rule]]
name = "peep"
answer = { command = ["python3", "peep.py"] }
"""
PEEPING = """\
import json, os
found = []
for name in ("environ", "mem"):
    try:
        open(f"/proc/{os.getppid()}/{name}", "rb").close()
        found.append("open")
    except OSError as error:
        found.append(type(error).__name__)
print(json.dumps(" ".join(found)))
"""


async def heard(process: asyncio.subprocess.Process, deed: str) -> dict[str, object]:
    """Wait until a bot that tells in JSON tells of that."""
    assert process.stdout is not None
    async for line in process.stdout:
        told: dict[str, object] = json.loads(line)
        if told["deed"] == deed:
            return told
    raise AssertionError(f"it ended without having told of {deed!r}")


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str]:
    """Ask it to end, and wait for that: its exit code, and what it said."""
    process.send_signal(signal.SIGTERM)
    _, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, err.decode()


class TestNewAndCheck:
    async def test_a_new_bot_answers_its_sample_questions(self, home: Home) -> None:
        made = await home.run("bot", "new", "faq")
        assert made.code == 0
        assert set(made.out.splitlines()) == {
            f"faq/{name}"
            for name in (
                *("bot.toml", "questions.txt"),
                *("answers/relay.md", "answers/long-answers.md"),
            )
        }
        ran = await home.run("bot", "check", "faq/bot.toml", "faq/questions.txt", "--json")
        assert ran.code == 0
        found = {each["question"]: each["rules"] for each in ran.objects}
        assert found == {
            "What is a relay?": ["bank"],
            "my answer is too long for one note, what now?": ["bank"],
            "What is the weather like?": [],
            "help": ["help"],
        }
        assert "relay.md fits with 1.00" in ran.objects[0]["why"]["bank"]
        shown = await home.run("bot", "check", "faq/bot.toml", "-", stdin=b"what is a relay?\n\n")
        assert shown.out.splitlines()[:2] == ["what is a relay?", "  bank"]
        counted = await home.run("bot", "check", "faq/bot.toml")
        assert counted.err.splitlines() == [
            "there is no key 'faq' yet: nostr-threads key new faq",
            "faq: 2 rules, 2 answers in banks",
        ]

    async def test_a_folder_that_has_one_is_left_alone(self, home: Home) -> None:
        await home.run("bot", "new", "faq")
        again = await home.run("bot", "new", "faq")
        assert again.code == 2
        assert "faq/bot.toml is there already" in again.err
        assert (await home.run("bot", "new", "a bot")).code == 2

    async def test_what_is_wrong_is_told_with_its_place(self, home: Home) -> None:
        await home.run("bot", "new", "faq")
        home.file("faq/answers/broken.md", "---\nquestion: why?\nno key\n---\nbecause")
        ran = await home.run("bot", "check", "faq/bot.toml", "-", stdin=b"what is a relay?\n")
        assert ran.code == 1
        assert "faq/answers/broken.md:3: " in ran.err
        assert "  bank\n" in ran.out
        home.file(
            "bad.toml", "[[rule]]\nname = 'x'\nwhen = { word = 'y' }\nanswer = { text = 'z' }\n"
        )
        bad = await home.run("bot", "check", "bad.toml")
        assert bad.code == 2
        assert bad.err.startswith("error: bad.toml:3: ")
        assert (await home.run("bot", "run", "bad.toml")).code == 2
        assert (await home.run("bot", "check", "nowhere.toml")).code == 2

    async def test_a_bank_without_answers_and_a_template_that_fails_are_told(
        self, home: Home
    ) -> None:
        (home.folder / "empty").mkdir()
        home.file(
            "bot.toml",
            "[bot]\nmatch = 'all'\n[[rule]]\nname = 'a'\nanswer = { bank = 'empty' }\n"
            "[[rule]]\nname = 'b'\nanswer = { template = '{{ note.nothing }}' }\n",
        )
        ran = await home.run("bot", "check", "bot.toml")
        assert (ran.code, ran.err.splitlines()[0]) == (
            1,
            "error: rule 'a': its bank has no answer that can be read",
        )
        asked = await home.run("bot", "check", "bot.toml", "-", stdin=b"what?\nwhy?\n")
        assert asked.code == 1
        assert "what?\n  nobody answers\n" in asked.out
        assert asked.err.count("error: rule 'b': line 1 of the template: ") == 1


class TestRun:
    @pytest.mark.parametrize(
        ("file", "text", "answer"),
        [
            ("faq_bot/bot.toml", "Hi! How can I set up my own relay?", "relay"),
            ("echo_bot.toml", "one two", "two one"),
            ("command_bot.toml", "please throw 3d1!", "throws 1 + 1 + 1 = 3."),
        ],
    )
    async def test_the_examples_answer(
        self, alice: Home, file: str, text: str, answer: str
    ) -> None:
        copytree(EXAMPLES, alice.folder / "examples")
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url])
            command = ("bot", "run", f"examples/{file}", "--json")
            async with alice.started(*command) as process:
                await heard(process, "listening")
                send(relay, note := question(text))
                told = await heard(process, "delivered")
                assert told["id"] == note.id
                code, err = await ended(process)
                assert code == 0
                assert err.endswith(SAID)
            (said,) = answers(relay, note)
            assert answer in said.content

    async def test_it_shows_what_it_sees_and_does(self, alice: Home) -> None:
        alice.file("echo.toml", ECHO)
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url])
            command = ("bot", "run", "echo.toml", "--metrics", "bot.prom")
            async with alice.started(*command) as process:
                assert process.stdout is not None
                lines = [await process.stdout.readline()]
                hostile = question("stop\x1b[2J \u202ehere #nobot", by=CAROL)
                send(relay, hostile, note := question())
                while b" delivered  " not in lines[-1]:
                    lines.append(await process.stdout.readline())
                code, _ = await ended(process)
            assert code == 0
        out = b"".join(lines).decode()
        assert (
            f"echo listening  as {nip19.encode(nip19.PublicKey(BOT.pubkey))} at {relay.url}" in out
        )
        assert f"echo heard  {nip19.encode(nip19.Note(note.id))} npub1" in out
        assert "skipped" in out
        assert "nobot: it says #nobot" in out
        assert "\x1b" not in out
        assert "\u202e" not in out
        metrics = (alice.folder / "bot.prom").read_text()
        assert 'nostr_threads_bot_answered_total{bot="echo"} 1\n' in metrics
        assert 'nostr_threads_bot_skipped_total{bot="echo",reason="nobot"} 1\n' in metrics
        assert list(alice.folder.glob(".bot.prom*")) == []

    async def test_a_dry_run_sends_and_keeps_nothing(self, alice: Home) -> None:
        alice.file("echo.toml", ECHO)
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url])
            async with alice.started("bot", "run", "echo.toml", "--dry-run") as process:
                assert process.stdout is not None
                lines = [await process.stdout.readline()]
                send(relay, question())
                while b"    " not in lines[-1]:
                    lines.append(await process.stdout.readline())
                await ended(process)
            assert lines[-1] == b"    you say: what is a relay?\n"
            assert not [each for each in relay.received if isinstance(each, Publish)]
        assert (await alice.run("bot", "log")).code == 1

    async def test_several_bots_share_a_process_and_have_other_names(self, alice: Home) -> None:
        alice.file("one.toml", ECHO)
        alice.file("two.toml", ECHO.replace("[bot]", "[bot]\nhashtags = ['two']\nlisten = []"))
        refused = await alice.run("bot", "run", "one.toml", "one.toml")
        assert refused.code == 2
        assert "two bots called 'one'" in refused.err
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url])
            async with alice.started("bot", "run", "one.toml", "two.toml", "--json") as process:
                await heard(process, "listening")
                await heard(process, "listening")
                tagged = BOB.event(1, "what? #two", int(time.time()), (("t", "two"),))
                send(relay, tagged, note := question())
                told = [await heard(process, "delivered") for _ in range(2)]
                await ended(process)
        assert {(each["bot"], each["id"]) for each in told} == {
            ("one", note.id),
            ("two", tagged.id),
        }

    async def test_each_key_with_a_password_has_a_line_of_the_descriptor(self, home: Home) -> None:
        for name in ("one", "two"):
            line = ("key", "new", name, "--log-n", "1")
            assert (await home.run(*line, password=f"word of {name}")).code == 0
            home.file(f"{name}.toml", ECHO.replace("[bot]", f"[bot]\nkey = '{name}'"))
        home.settle([NOWHERE])
        keys = (await home.run("key", "list", "--json")).objects
        line = ("bot", "run", "one.toml", "two.toml", "--json")
        async with home.started(*line, password="word of one\nword of two") as process:
            told = [await heard(process, "listening") for _ in range(2)]
            assert (await ended(process))[0] == 0
        said = {str(each["bot"]): str(each["why"]).split()[1] for each in told}
        assert said == {each["name"]: each["npub"] for each in keys}
        swapped = await home.run(*line, password="word of two\nword of one")
        assert (swapped.code, swapped.out) == (7, "")
        short = await home.run(*line, password="word of one")
        assert (short.code, short.out) == (7, "")

    async def test_a_second_signal_ends_it_at_once_and_keeps_what_is_signed(
        self, alice: Home
    ) -> None:
        alice.file("echo.toml", ECHO)
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url], quick=60.0)
            async with alice.started("bot", "run", "echo.toml", "--json") as process:
                await heard(process, "listening")
                relay.faults = Faults(no_ok=True)
                send(relay, note := question())
                await heard(process, "queued")
                process.send_signal(signal.SIGTERM)
                assert process.stderr is not None
                assert b"once more, and it ends at once" in await process.stderr.readline()
                code, _ = await ended(process)
            assert code == 130
        (entry,) = (await alice.run("bot", "log", "--json")).objects
        assert (entry["id"], entry["state"]) == (note.id, "queued")
        assert len((await alice.run("outbox", "list", "--json")).objects) == 1

    async def test_without_a_key_or_a_store_that_can_be_written_it_says_so(
        self, home: Home
    ) -> None:
        home.file("echo.toml", ECHO)
        home.settle(["ws://127.0.0.1:1"])
        ran = await home.run("bot", "run", "echo.toml")
        assert ran.code == 7

    async def test_figures_that_cannot_be_written_are_told_before_it_starts(
        self, alice: Home
    ) -> None:
        alice.file("echo.toml", ECHO)
        alice.settle(["ws://127.0.0.1:1"])
        ran = await alice.run("bot", "run", "echo.toml", "--metrics", "nowhere/bot.prom")
        assert (ran.code, ran.out) == (2, "")
        assert "cannot write nowhere/bot.prom" in ran.err

    @pytest.mark.skipif(sys.platform != "linux", reason="it is Linux's switch")
    @pytest.mark.skipif(os.geteuid() == 0, reason="nothing is hidden from root")
    async def test_a_program_finds_no_key_in_whoever_asks_it(self, alice: Home) -> None:
        alice.file("peep.py", PEEPING)
        alice.file("peep.toml", PEEP)
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url])
            async with alice.started("bot", "run", "peep.toml", "--json") as process:
                await heard(process, "listening")
                send(relay, note := question())
                await heard(process, "delivered")
                await ended(process)
            (said,) = answers(relay, note)
        assert said.content == "PermissionError PermissionError"


def looks(relay: FaultyRelay) -> int:
    """How often a relay was asked for the bot's profile alone."""
    requests = [each for each in relay.received if isinstance(each, Request)]
    asked = [(wanted.kinds, wanted.authors) for each in requests for wanted in each.filters]
    return asked.count(((kinds.PROFILE,), (BOT.pubkey,)))


class TestTheProfile:
    async def marked(
        self, alice: Home, relay: FaultyRelay, mark: str, *, index: str = "", known: str = ""
    ) -> str:
        """Run a bot for a moment; what it said."""
        alice.file("echo.toml", ECHO.replace("mark = false", mark))
        alice.settle([relay.url], index=[index] if index else (), known=[known] if known else ())
        async with alice.started("bot", "run", "echo.toml", "--json") as process:
            await heard(process, "listening")
            _, err = await ended(process)
        return err

    async def test_says_that_it_is_a_bot_and_what_it_said_before(self, alice: Home) -> None:
        before = BOT.event(
            kinds.PROFILE,
            json.dumps({"name": "Ann", "pets": ["cat"]}),
            1_700_000_000,
            (("i", "x"),),
        )
        async with FaultyRelay(stocked([before])) as relay:
            assert "its profile says that it is a bot" in await self.marked(
                alice, relay, "mark = true"
            )
            wanted = nt.Filter(kinds=(kinds.PROFILE,), authors=(BOT.pubkey,))
            (now,) = relay.store.query([wanted], now=int(time.time()))
            assert json.loads(now.content) == {"name": "Ann", "pets": ["cat"], "bot": True}
            assert now.tags == before.tags
            assert profile_of(now).bot
            assert looks(relay) == 1
            # Once is enough.
            assert "profile" not in await self.marked(alice, relay, "mark = true")
            assert relay.store.query([wanted], now=int(time.time())) == [now]

    async def test_changed_before_a_person_says_yes_keeps_the_change(self, alice: Home) -> None:
        alice.file("echo.toml", ECHO.replace("mark = false", ""))
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url])
            async with at_terminal(alice, "bot", "run", "echo.toml") as terminal:
                await terminal.until("[y/N]: ")
                changed = BOT.event(kinds.PROFILE, '{"name": "Ann"}', int(time.time()) - 1)
                relay.store.add([changed], relay=None, now=int(time.time()))
                terminal.type("y")
                await terminal.until("its profile says that it is a bot")
                await terminal.press(b"\x03")
                assert (await terminal.end())[0] == 0
            (now,) = profiles(relay)
            assert json.loads(now.content) == {"name": "Ann", "bot": True}

    async def test_that_only_an_index_relay_has_is_not_overwritten(self, alice: Home) -> None:
        before = BOT.event(kinds.PROFILE, '{"name": "Ann"}', 1_700_000_000)
        async with FaultyRelay(stocked()) as relay, FaultyRelay(stocked([before])) as index:
            said = await self.marked(alice, relay, "mark = true", index=index.url)
            assert "its profile says that it is a bot" in said
            (now,) = profiles(relay)
            assert json.loads(now.content) == {"name": "Ann", "bot": True}

    async def test_that_only_its_own_relay_has_is_not_overwritten(self, alice: Home) -> None:
        """It is where the bot itself says that it writes (NIP-65)."""
        before = BOT.event(kinds.PROFILE, '{"name": "Ann"}', 1_700_000_000)
        async with FaultyRelay(stocked()) as relay, FaultyRelay(stocked([before])) as own:
            home = BOT.event(kinds.RELAY_LIST, "", 1_700_000_000, (("r", own.url, "write"),))
            async with FaultyRelay(stocked([home])) as index:
                said = await self.marked(
                    alice, relay, "mark = true", index=index.url, known=own.url
                )
            assert "its profile says that it is a bot" in said
            (now,) = profiles(relay)
            assert json.loads(now.content) == {"name": "Ann", "bot": True}

    async def test_is_left_alone_where_a_relay_does_not_say_what_it_has(self, alice: Home) -> None:
        async with FaultyRelay(stocked()) as relay:
            said = await self.marked(alice, relay, "mark = true", index=NOWHERE)
            assert f"not marked as a bot this time: {NOWHERE} did not say" in said
            assert profiles(relay) == []

    async def test_keeps_no_bot_from_starting(self, alice: Home) -> None:
        alice.file("echo.toml", ECHO.replace("mark = false", "mark = true"))
        alice.settle([NOWHERE])
        async with alice.started("bot", "run", "echo.toml", "--json") as process:
            await heard(process, "listening")
            code, err = await ended(process)
        assert code == 0
        assert "echo: not marked as a bot this time: " in err

    @pytest.mark.parametrize("error", [SigningError, NoRelayReachable])
    async def test_that_cannot_be_signed_or_sent_is_said(
        self,
        error: type[nt.NostrThreadsError],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        async def fail(_: Member) -> None:
            raise error("the bunker is silent")

        monkeypatch.setattr(bot_running, "_introduce", fail)
        async with opened(":memory:") as nostr:
            await bot_running._introduce_if_it_can(Member(FILE, {}, nostr))
        said = capsys.readouterr().err
        assert said == "echo: not marked as a bot this time: the bunker is silent\n"

    async def test_is_left_alone_where_nobody_has_said_yes(self, alice: Home) -> None:
        async with FaultyRelay(stocked()) as relay:
            assert "`mark = true` lets it" in await self.marked(alice, relay, "")
            assert "profile" not in await self.marked(alice, relay, "mark = false")
            assert not [each for each in relay.received if isinstance(each, Publish)]


class TestTheRecord:
    async def test_is_shown_and_what_was_skipped_is_asked_again(self, alice: Home) -> None:
        alice.file("echo.toml", ECHO)
        async with FaultyRelay(stocked()) as relay:
            alice.settle([relay.url])
            async with alice.started("bot", "run", "echo.toml", "--json") as process:
                await heard(process, "listening")
                send(relay, no := question("what? #nobot"), yes := question(by=CAROL))
                await heard(process, "delivered")
                await ended(process)
        shown = await alice.run("bot", "log", "--json")
        found = {each["id"]: each for each in shown.objects}
        assert (found[yes.id]["state"], found[yes.id]["rule"]) == ("delivered", "echo")
        assert (found[no.id]["state"], found[no.id]["guard"]) == ("skipped", "nobot")
        (only,) = (await alice.run("bot", "log", "--state", "skipped", "--json")).objects
        assert only["id"] == no.id
        told = (await alice.run("bot", "log", no.id, COLUMNS="40")).out.splitlines()
        assert told[0].endswith(f"  echo  skipped  {nip19.encode(nip19.Note(no.id))}")
        assert told[1:] == ["    nobot: it says #nobot"]
        assert (
            await alice.run("bot", "log", "--bot", "other")
        ).err == "nothing was asked of a bot\n"
        assert (await alice.run("bot", "log", "--state", "lost")).code == 2
        again = await alice.run("bot", "retry", no.id)
        assert again.err == "1 question asked again\n"
        both = await alice.run("bot", "retry", no.id, yes.id)
        assert both.err.splitlines() == [
            "1 question asked again",
            "what is being answered, or was answered, stays as it is",
        ]
        assert (await alice.run("bot", "forget", no.id)).code == 2
        gone = await alice.run("bot", "forget", no.id, "--yes")
        assert gone.err == "1 question forgotten\n"
        missing = await alice.run("bot", "forget", no.id, "--yes")
        assert missing.code == 1
        assert "no bot was asked" in missing.err


async def test_the_example_in_python_runs_by_itself(alice: Home) -> None:
    async with FaultyRelay(stocked()) as relay:
        alice.settle([relay.url])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-u", "-W", "error", str(EXAMPLES / "echo_bot.py")),
            cwd=alice.folder,
            env=alice.environ_with({"PYTHONPATH": str(EXAMPLES.parent)}),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(30):
                lines = [await process.stdout.readline()]
                send(relay, note := question("one two"))
                while b" delivered " not in lines[-1]:
                    lines.append(await process.stdout.readline())
                process.send_signal(signal.SIGINT)
                assert await process.wait() == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        (said,) = answers(relay, note)
        assert said.content.startswith("two one")


async def test_killed_again_and_again_it_answers_each_question_once(alice: Home) -> None:
    """SIGKILL at random moments; in the end every question has one answer, and only one."""
    alice.file("echo.toml", ECHO.replace("[[rule]]", "[budgets]\nper_author_hour = 99\n[[rule]]"))
    moments, notes = Random(7), list[nt.Verified]()
    async with FaultyRelay(stocked()) as one, FaultyRelay(stocked()) as two:
        alice.settle([one.url, two.url])
        for number in range(KILLS):
            async with alice.started("bot", "run", "echo.toml", "--json") as process:
                await heard(process, "listening")
                note = question(f"number {number}?", by=(BOB, CAROL)[number % 2])
                notes.append(note)
                send((one, two)[number % 2], note)
                await asyncio.sleep(moments.uniform(0.0, 2.5))  # it dies at any moment of its work
                process.kill()
                await process.communicate()
        # A minute later: whoever died was sending.
        with closing(sqlite3.connect(alice.folder / "threads.db")) as file, file:
            file.execute("UPDATE postings SET held_until = 0")
            file.execute("UPDATE asks SET due = 0, tries = 0")
        async with alice.started("bot", "run", "echo.toml", "--json") as process:
            while len(await settled(alice)) < len(notes):
                await heard(process, "delivered")
            await ended(process)
        for note in notes:
            ids = {answer.id for relay in (one, two) for answer in answers(relay, note)}
            assert len(ids) == 1, note.content


async def settled(alice: Home) -> list[dict[str, object]]:
    """What is answered and delivered by now."""
    ran = await alice.run("bot", "log", "--state", "delivered", "--json")
    return ran.objects


def profiles(relay: FaultyRelay) -> list[nt.Verified]:
    """The bot's profile as a relay has it."""
    wanted = nt.Filter(kinds=(kinds.PROFILE,), authors=(BOT.pubkey,))
    return relay.store.query([wanted], now=int(time.time()))


SAID = "ending once what is signed has arrived; once more, and it ends at once\n"
