"""A key lent from one process to another: `key bunker`, `key clients`, and who signs with it."""

from __future__ import annotations

import json
import signal
import stat
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.relayd import RelayServer
from nostr_threads.signing import KeyFolder, secret_from_hex
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB, LONG
from tests.cli.program import PASSWORD, Home
from tests.cli.terminal import at_terminal
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.cli.terminal import Terminal

SECRET = ALICE.secret_hex()


@pytest.fixture
def owner(tmp_path: Path) -> Home:
    """A machine that has the key."""
    (tmp_path / "owner").mkdir()
    home = Home(tmp_path / "owner")
    folder = KeyFolder(home.folder / "keys")
    folder.add("work", secret_from_hex(SECRET), PASSWORD, log_n=2)
    folder.use("work")
    return home


@pytest.fixture
def other(tmp_path: Path) -> Home:
    """Another machine, which never sees it."""
    (tmp_path / "other").mkdir()
    return Home(tmp_path / "other")


async def line(process: Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip("\n")


@asynccontextmanager
async def asked_about(owner: Home, other: Home) -> AsyncIterator[Terminal]:
    """Lend a key for reactions, and have everything else be asked about; `other` has its link."""
    async with RelayServer(stocked()) as meeting, RelayServer(stocked()) as relay:
        other.settle([relay.url])
        lending = ("key", "bunker", "--relay", meeting.url, "--kinds", "7", "--ask")
        async with at_terminal(owner, *lending) as terminal:
            await terminal.until("Password of the key 'work':")
            await terminal.type_unseen(PASSWORD)
            shown = await terminal.until("is logged in")
            link = next(each for each in shown.split() if each.startswith("bunker://"))
            await other.run("key", "import", "lent", stdin=link.encode())
            yield terminal


@asynccontextmanager
async def bunker(owner: Home, *arguments: str) -> AsyncIterator[Process]:
    async with owner.started("key", "bunker", *arguments, password=PASSWORD) as process:
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
            assert process.returncode == 130, err.decode()
            assert SECRET not in err.decode()


async def test_an_answer_is_signed_on_one_machine_and_published_from_another(
    owner: Home, other: Home
) -> None:
    async with RelayServer(stocked()) as meeting, RelayServer(stocked()) as relay:
        other.settle([relay.url])
        async with bunker(owner, "--relay", meeting.url, "--json") as process:
            link = json.loads(await line(process))["link"]
            imported = await other.run("key", "import", "lent", "--json", stdin=link.encode())
            assert (imported.code, imported.object["kind"]) == (0, "bunker")
            assert imported.object["public_key"] == ALICE.pubkey
            ran = await other.run("publish", other.file("a.md", LONG), "--limit", "400", "--json")
            deeds = [json.loads(await line(process)) for _ in range(len(ran.object["parts"]) + 1)]
        assert ran.code == 0
        assert {part["event"]["pubkey"] for part in ran.object["parts"]} == {ALICE.pubkey}
        assert [each["outcome"] for each in deeds] == ["done"] * len(deeds)
        assert {each["event_id"] for each in deeds[1:]} == {p["id"] for p in ran.object["parts"]}
        logged = (owner.folder / f"keys/{ALICE.pubkey[:16]}.log").read_text().splitlines()
        assert [json.loads(each) for each in logged] == deeds

        # Either end is started again.
        async with bunker(owner) as process:
            again = await other.run("publish", other.file("b.md", "short"), "--json")
            assert again.code == 0
            assert "sign an event of kind 1: short  done" in await line(process)
            gone = await other.run("key", "remove", "lent", "--yes")
            assert gone.code == 0
        assert "logout" in (owner.folder / f"keys/{ALICE.pubkey[:16]}.log").read_text()
    for file in (owner.folder / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert SECRET not in file.read_text()


async def test_the_link_may_stand_in_the_environment_of_a_bot(owner: Home, other: Home) -> None:
    async with RelayServer(stocked()) as meeting, RelayServer(stocked()) as relay:
        other.settle([relay.url])
        async with bunker(owner, "--relay", meeting.url) as process:
            link = await line(process)
            for text in ("first", "second"):
                # Its secret is good once, and the session goes on from the key folder.
                ran = await other.run(
                    "publish", other.file("a.md", text), "--json", NOSTR_SECRET_KEY=link
                )
                assert ran.code == 0, ran.err
                assert ran.object["parts"][0]["event"]["pubkey"] == ALICE.pubkey
            listed = await other.run("key", "list", "--json")
            # Reading asks no bunker.
            shown = await other.run("fetch", ran.object["code"], NOSTR_SECRET_KEY=link)
        assert [each["kind"] for each in listed.objects] == ["bunker"]
        assert shown.code == 0


async def test_what_a_policy_does_not_allow_is_exit_7_and_nothing_is_sent(
    owner: Home, other: Home
) -> None:
    async with FaultyRelay(stocked()) as meeting, FaultyRelay(stocked()) as relay:
        other.settle([relay.url])
        async with bunker(owner, "--relay", meeting.url, "--kinds", "7") as process:
            link = await line(process)
            await other.run("key", "import", "lent", stdin=link.encode())
            ran = await other.run("publish", other.file("a.md", "text"))
            assert (ran.code, ran.out) == (7, "")
            assert "events of kind 1 are not signed for you" in ran.err
            assert relay.received == []
            second = await other.run("key", "import", "again", stdin=link.encode())
            assert (second.code, second.out) == (7, "")
            assert "connect with a new link" in second.err
            assert await line(process)
            assert "refused" in await line(process)


async def test_a_bunker_that_is_not_there_is_exit_7_and_nothing_is_kept(other: Home) -> None:
    link = f"bunker://{BOB.pubkey}?relay=ws%3A%2F%2F127.0.0.1%3A9&secret=s"
    ran = await other.run("key", "import", "lent", stdin=link.encode())
    assert (ran.code, ran.out) == (7, "")
    assert "no relay of the bunker can be reached" in ran.err
    assert (await other.run("key", "list", "--json")).out == ""
    bad = await other.run(
        "publish", other.file("a.md", "x"), NOSTR_SECRET_KEY="bunker://x?secret=y"
    )
    assert (bad.code, bad.out) == (7, "")
    assert "NOSTR_SECRET_KEY: after bunker:// there is no public key" in bad.err


async def test_clients_are_listed_and_forgotten(owner: Home, other: Home) -> None:
    async with RelayServer(stocked()) as meeting, RelayServer(stocked()) as relay:
        other.settle([relay.url])
        rules = ("--kinds", "1,7", "--until", "30d", "--encryption")
        async with bunker(owner, "--relay", meeting.url, *rules) as process:
            await other.run("key", "import", "lent", stdin=(await line(process)).encode())
        listed = await owner.run("key", "clients", "--json", password=PASSWORD)
        (client,) = listed.objects
        assert (client["name"], client["policy"]["kinds"]) == ("nostr-threads", [1, 7])
        told = await owner.run("key", "clients", password=PASSWORD)
        assert "kinds 1, 7, 60 a minute, encrypts, until 20" in told.out
        forgotten = await owner.run("key", "clients", "--forget", client["npub"], password=PASSWORD)
        assert (forgotten.code, forgotten.out) == (0, "")
        unknown = await owner.run("key", "clients", "--forget", client["npub"], password=PASSWORD)
        assert (unknown.code, "no such client" in unknown.err) == (1, True)
        async with bunker(owner, "--invite"):
            ran = await other.run("publish", other.file("a.md", "text"))
        assert (ran.code, "you are not known here" in ran.err) == (7, True)


async def test_a_signer_is_found_with_a_link_of_ours(owner: Home, other: Home) -> None:
    """NIP-46, `nostrconnect://`."""
    async with RelayServer(stocked()) as meeting, RelayServer(stocked()) as relay:
        other.settle([relay.url])
        connecting = ("key", "connect", "lent", "--relay", meeting.url, "--seconds", "25")
        async with other.started(*connecting, "--json") as client:
            link = json.loads(await line(client))["link"]
            assert link.startswith("nostrconnect://")
            async with owner.started(
                "key", "bunker", "--connect", "--relay", meeting.url, password=PASSWORD
            ) as process:
                assert process.stdin is not None
                process.stdin.write(link.encode() + b"\n")
                process.stdin.close()
                out, err = await client.communicate()
                assert client.returncode == 0, err.decode()
                assert json.loads(out)["kind"] == "bunker"
                ran = await other.run("publish", other.file("a.md", "text"), "--json")
                assert ran.object["parts"][0]["event"]["pubkey"] == ALICE.pubkey


async def test_a_person_is_asked_at_the_terminal(owner: Home, other: Home) -> None:
    async with asked_about(owner, other) as terminal:

        async def publish(text: str, answer: str) -> Any:
            async with other.started("publish", other.file("a.md", text)) as process:
                asked = await terminal.until("Allow it? [y/N]")
                assert "wants to sign an event of kind 1 (events of kind 1 are" in asked
                assert f"\n  | {text}\r\nAllow it?" in asked
                terminal.type(answer)
                await process.communicate()
                return process.returncode

        assert await publish("yes, please", "y") == 0
        assert await publish("not this", "n") == 7
        assert await publish("nor this", "") == 7


async def test_what_cannot_be_lent_says_why(owner: Home, other: Home) -> None:
    cases = (
        (owner, ("key", "bunker"), 2, "--relay URL"),
        (owner, ("key", "bunker", "--relay", "https://x"), 2, "cannot use relay"),
        (owner, ("key", "bunker", "--relay", "ws://127.0.0.1:9", "--kinds", "x"), 2, "--kinds are"),
        (owner, ("key", "bunker", "--relay", "ws://127.0.0.1:9", "--kinds", "-1"), 2, "0 to 65535"),
        (owner, ("key", "bunker", "--until", "yesterday"), 2, "no moment"),
        (owner, ("key", "bunker", "--ask"), 2, "nobody to ask"),
        (owner, ("key", "bunker", "nobody"), 7, "no key called 'nobody'"),
        (owner, ("key", "clients"), 1, "never lent"),
        (other, ("key", "connect", "lent"), 2, "--relay URL"),
    )
    for home, arguments, code, sentence in cases:
        password = PASSWORD if arguments[1] in ("bunker", "clients") else None
        ran = await home.run(*arguments, password=password)
        assert (ran.code, ran.out) == (code, ""), arguments
        assert sentence in ran.err, ran.err


async def test_a_bunker_whose_relay_is_down_waits_for_it(owner: Home, other: Home) -> None:
    async with (
        FaultyRelay(stocked(), Faults(refuse_connections=True)) as meeting,
        bunker(owner, "--relay", meeting.url) as process,
    ):
        link = await line(process)
        refused = await other.run("key", "import", "lent", stdin=link.encode())
        assert refused.code == 7
        meeting.faults = Faults()
        imported = await other.run("key", "import", "lent", stdin=link.encode())
        assert imported.code == 0, imported.err


async def test_beside_a_bunker_that_runs_clients_are_let_in_and_forgotten(
    owner: Home, other: Home
) -> None:
    async with RelayServer(stocked()) as meeting, RelayServer(stocked()) as relay:
        other.settle([relay.url])
        async with bunker(owner, "--relay", meeting.url) as process:
            await line(process)
            second = await owner.run("key", "bunker", password=PASSWORD)
            assert (second.code, second.out) == (7, "")
            assert "another process lends this key" in second.err
            moved = await owner.run(
                *("key", "bunker", "--invite", "--relay", relay.url), password=PASSWORD
            )
            assert (moved.code, moved.out) == (7, "")
            invited = await owner.run("key", "bunker", "--invite", password=PASSWORD)
            assert invited.code == 0
            imported = await other.run("key", "import", "lent", stdin=invited.out.encode())
            assert imported.code == 0, imported.err
            signed = await other.run("publish", other.file("a.md", "text"))
            assert signed.code == 0, signed.err
            client = (await owner.run("key", "clients", "--json", password=PASSWORD)).object
            ran = await owner.run("key", "clients", "--forget", client["npub"], password=PASSWORD)
            assert "also not by a bunker that runs" in ran.err
            refused = await other.run("publish", other.file("b.md", "more"))
            assert (refused.code, "you are not known here" in refused.err) == (7, True)


async def test_a_link_that_nobody_used_is_void_after_a_restart(owner: Home, other: Home) -> None:
    async with RelayServer(stocked()) as meeting:
        async with bunker(owner, "--relay", meeting.url) as process:
            old = await line(process)
        listed = await owner.run("key", "clients", password=PASSWORD)
        assert "there is a link that nobody has used" in listed.err
        async with bunker(owner) as process:
            new = await line(process)
            refused = await other.run("key", "import", "lent", stdin=old.encode())
            assert (refused.code, "you are not known here" in refused.err) == (7, True)
            assert (await other.run("key", "import", "lent", stdin=new.encode())).code == 0


async def test_a_link_whose_answer_was_lost_can_be_opened_again(owner: Home, other: Home) -> None:
    """Its secret is used up by then; the bunker knows the client that has used it."""
    async with FaultyRelay(stocked()) as meeting:
        async with bunker(owner, "--relay", meeting.url) as process:
            link = await line(process)
            keys = other.folder / "keys"
            async with other.started("key", "import", "lent") as importing:
                assert importing.stdin is not None
                importing.stdin.write(link.encode())
                importing.stdin.close()
                assert "connect  done" in await line(process)
                importing.kill()
                await importing.wait()
            if not (keys / "lent.signer").exists():
                again = await other.run("key", "import", "lent", stdin=link.encode())
                assert again.code == 0, again.err
        assert [path.name for path in keys.iterdir() if path.suffix == ".pending"] == []


async def test_a_text_cannot_look_like_a_question(owner: Home, other: Home) -> None:
    trap = "fine\nAllow it? [y/N]\n\x1b[2Ja bot wants to sign an event of kind 7:"
    async with (
        asked_about(owner, other) as terminal,
        other.started("publish", other.file("a.md", trap)) as process,
    ):
        asked = await terminal.until("\r\nAllow it? [y/N]")
        terminal.type("n")
        await process.communicate()
    assert "\r\n  | Allow it? [y/N]\r\n" in asked
    assert "\x1b[2J" not in asked


async def test_a_key_that_is_removed_is_lent_no_more(owner: Home, other: Home) -> None:
    async with RelayServer(stocked()) as meeting:
        async with bunker(owner, "--relay", meeting.url) as process:
            await other.run("key", "import", "lent", stdin=(await line(process)).encode())
        folder = KeyFolder(owner.folder / "keys")
        folder.add("again", secret_from_hex(SECRET), PASSWORD, log_n=2)
        kept = await owner.run("key", "remove", "again", "--yes")
        assert "logged" not in kept.err
        gone = await owner.run("key", "remove", "work", "--yes")
        assert "is still logged in" in gone.err
    assert [path.suffix for path in (owner.folder / "keys").iterdir()] == [".log"]


async def test_who_waits_for_a_bunker_is_told_so_once(owner: Home, other: Home) -> None:
    async with asked_about(owner, other) as terminal:
        line = ("publish", other.file("a.md", LONG), "--limit", "600")
        async with other.started(*line) as process:
            assert process.stderr is not None
            await terminal.until("Allow it? [y/N]")
            said = b""
            while b"waiting for the bunker" not in said:
                said += (more := await process.stderr.readline())
                assert more
            terminal.type("y")
            await terminal.until("Allow it? [y/N]")
            terminal.type("n")
            _, rest = await process.communicate()
    assert (process.returncode, b"waiting" in rest) == (7, False)
