"""Signing by another program: what it is given, and what is taken from it."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.event import Draft
from nostr_threads.errors import InvalidCode, InvalidInput, NoSigner, SigningError
from nostr_threads.signing import command as command_module
from nostr_threads.signing.command import CommandSigner
from nostr_threads.testing import START, Author
from tests.processes import is_dead
from tests.signing.leaks import MARKED_HEX

if TYPE_CHECKING:
    from pathlib import Path

ALICE, BOB = Author(b"alice"), Author(b"bob")
DRAFT = Draft(int(START), 1, (("t", "é"),), "hello\n\u2028")

SIGNING = f"""
import json, sys
from nostr_threads.core.event import Draft
from nostr_threads.testing import Author
told = json.loads(sys.stdin.readline())
assert told.pop("pubkey") == {ALICE.pubkey!r}
told["tags"] = tuple(map(tuple, told["tags"]))
print(Author(b"alice").sign(Draft(**told)).to_json())
"""


def running(code: str, *, seconds: float = 20.0) -> CommandSigner:
    return CommandSigner((sys.executable, "-c", code), ALICE.pubkey, seconds=seconds)


def printing(text: str) -> CommandSigner:
    return running(f"import sys; sys.stdin.read(); print({text!r})")


async def test_the_draft_goes_in_and_the_signed_event_comes_out() -> None:
    event = await running(SIGNING).sign(DRAFT)
    assert event == ALICE.sign(DRAFT)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no valid event"),
        ("nonsense", "no valid event"),
        (BOB.sign(DRAFT).to_json(), "instead of"),
        (ALICE.sign(replace(DRAFT, content="changed")).to_json(), "changed the draft"),
        (replace(ALICE.sign(DRAFT), sig="0" * 128).to_json(), "no valid event"),
    ],
)
async def test_whatever_comes_back_is_verified(text: str, words: str) -> None:
    with pytest.raises(SigningError, match=words):
        await printing(text).sign(DRAFT)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise SystemExit(3)", "exit code 3"),
        ("import time; time.sleep(60)", "took more than"),
        ("import sys\nwhile True: sys.stdout.write('x' * 100_000)", "more than any event"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "exit code -9"),
    ],
)
async def test_a_program_that_fails_hangs_or_floods_is_an_error(
    code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_module, "_MOST_OUTPUT", 1_000_000)
    with pytest.raises(SigningError, match=words):
        await running(code, seconds=2.0).sign(DRAFT)


def telling(path: Path) -> str:
    """A program that says who it is, and then takes for ever."""
    return f"""
import os, time
from pathlib import Path
path = Path({str(path)!r})
path.with_suffix(".part").write_text(str(os.getpid()))
path.with_suffix(".part").rename(path)
time.sleep(60)
"""


async def test_a_program_that_outlives_its_time_is_killed(tmp_path: Path) -> None:
    with pytest.raises(SigningError, match="took more than 3 seconds"):
        await running(telling(tmp_path / "pid"), seconds=3.0).sign(DRAFT)
    await is_dead(int((tmp_path / "pid").read_text()))


async def test_a_program_does_not_outlive_whoever_waits_for_it(tmp_path: Path) -> None:
    signing = asyncio.create_task(running(telling(tmp_path / "pid")).sign(DRAFT))
    async with asyncio.timeout(10):
        while not (tmp_path / "pid").exists():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.01)  # the program wants the processor
    signing.cancel()
    await asyncio.wait([signing])
    await is_dead(int((tmp_path / "pid").read_text()))


async def test_a_program_that_is_not_there_is_named_without_its_arguments() -> None:
    signer = CommandSigner(("/no/such/program", "--key", MARKED_HEX), ALICE.pubkey)
    with pytest.raises(SigningError, match="/no/such/program cannot be started") as caught:
        await signer.sign(DRAFT)
    assert MARKED_HEX not in str(caught.value)
    assert MARKED_HEX not in repr(signer)


async def test_a_program_does_not_see_our_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOSTR_SECRET_KEY", MARKED_HEX)
    monkeypatch.setenv("nostr_password", MARKED_HEX)
    seen = tmp_path / "environ"
    code = f"import json, os; open({str(seen)!r}, 'w').write(json.dumps(dict(os.environ)))"
    with pytest.raises(SigningError):
        await running(code).sign(DRAFT)
    environ = json.loads(seen.read_text(encoding="utf-8"))
    assert "PATH" in environ
    assert MARKED_HEX not in environ.values()


async def test_a_program_that_reads_nothing_is_no_broken_pipe() -> None:
    text = "x" * 3_000_000
    with pytest.raises(SigningError, match="no valid event"):
        await running("print('early')").sign(replace(DRAFT, content=text))


async def test_what_can_be_no_event_is_not_even_asked_for() -> None:
    with pytest.raises(SigningError, match="cannot be signed"):
        await printing("").sign(replace(DRAFT, content="\ud800"))


async def test_a_program_signs_and_does_nothing_else() -> None:
    signer = printing("")
    with pytest.raises(NoSigner, match="does not encrypt"):
        await signer.nip44_encrypt(BOB.pubkey, "text")
    with pytest.raises(NoSigner, match="does not decrypt"):
        await signer.nip44_decrypt(BOB.pubkey, "text")
    await signer.close()


def test_it_needs_a_program_and_a_public_key() -> None:
    with pytest.raises(InvalidCode):
        CommandSigner(("true",), "nobody")
    with pytest.raises(InvalidInput, match="needs its name"):
        CommandSigner((), ALICE.pubkey)


async def test_a_child_that_keeps_the_output_open_holds_nobody_up() -> None:
    child = "import subprocess; subprocess.Popen(['sleep', '30'])\n"
    signer = running(child + SIGNING, seconds=15.0)
    async with asyncio.timeout(14):
        assert await signer.sign(DRAFT) == ALICE.sign(DRAFT)


async def test_once_closed_the_program_is_run_no_more() -> None:
    signer = running(SIGNING)
    await signer.close()
    with pytest.raises(NoSigner, match="was closed"):
        await signer.sign(DRAFT)
