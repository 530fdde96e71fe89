"""Answers from programs: what they are given, what is taken from them, and how they end."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bots.answering import answering
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.specs import CommandOf
from nostr_threads.core.entities import SecretKey
from nostr_threads.core.nip19 import encode
from nostr_threads.core.thread import Thread
from nostr_threads.errors import AnswerFailed, InvalidInput
from nostr_threads.testing import START
from tests.core.bots.asking import BOB, asking
from tests.processes import is_dead
from tests.signing.leaks import MARKED_HEX

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.app.bots.bot import Bot
    from nostr_threads.core.bots.asks import Ask

NSEC = encode(SecretKey(MARKED_HEX))
WAITING = "import time; time.sleep(60)"
LONG = asking("x" * 9_000)


def running(
    code: str,
    folder: Path,
    *,
    timeout: float = 20.0,
    most: int = 10_000,
    environment: tuple[str, ...] = (),
) -> Bot:
    spec = CommandOf((sys.executable, "-c", code), timeout, most, environment)
    return answering(spec, folder, form=Form.NOTE)


async def answered(code: str, folder: Path, ask: Ask = LONG) -> Answer | None:
    return await running(code, folder).answer(ask)


async def test_a_line_goes_in_and_a_line_comes_out(tmp_path: Path) -> None:
    code = (
        "import json; told = json.loads(input()); print(json.dumps({'text': told['text'][::-1]}))"
    )
    assert await answered(code, tmp_path, asking("abc\n\u2028")) == Answer("\u2028\ncba", Form.NOTE)


@pytest.mark.parametrize("code", ["", "print('null')", "print()", "import sys; sys.stdout.close()"])
async def test_nothing_is_silence(code: str, tmp_path: Path) -> None:
    assert await answered(code, tmp_path) is None


async def test_it_runs_in_the_folder_of_the_bot_without_a_shell(tmp_path: Path) -> None:
    code = "import json, os, sys; print(json.dumps(os.getcwd() + ' ' + sys.argv[1]))"
    spec = CommandOf((sys.executable, "-c", code, "$HOME `id` ; *"))
    answer = await answering(spec, tmp_path).answer(LONG)
    assert answer is not None
    assert answer.text.endswith(f"/{tmp_path.name} $HOME `id` ; *")


async def test_it_sees_what_is_named_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MINE", "m"), ("OTHER", "o"), ("NOSTR_SECRET_KEY", NSEC), ("TZ", "UTC")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("LANG", raising=False)
    code = "import json, os; print(json.dumps(json.dumps(dict(os.environ))))"
    bot = running(code, tmp_path, environment=("MINE", "NOT_THERE"))
    answer = await bot.answer(LONG)
    assert answer is not None
    seen = json.loads(answer.text)
    # LC_CTYPE is Python's own, where nobody says which language it is.
    assert seen.keys() - {"LC_CTYPE"} == {"PATH", "HOME", "TZ", "MINE"}


async def test_without_a_path_it_has_the_system_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PATH")
    answer = await answered("import json, os; print(json.dumps(os.environ['PATH']))", tmp_path)
    assert answer == Answer(os.defpath, Form.NOTE)


@pytest.mark.parametrize(
    "name", ["NOSTR_SECRET_KEY", "NOSTR_SECRET_KEY_BOT", "nostr_password", "A B", "", "A=B", "1A"]
)
def test_no_variable_of_ours_can_be_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        running("", tmp_path, environment=(name,))


@pytest.mark.parametrize(
    "secret", [NSEC, f"x {NSEC}", MARKED_HEX, f"{MARKED_HEX.upper()}\n", "bunker://x?secret=y"]
)
async def test_a_key_by_any_other_name_is_not_handed_on(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", secret)
    bot = running("print('\"x\"')", tmp_path, environment=("MY_KEY",))
    with pytest.raises(AnswerFailed, match=r"\$MY_KEY holds a secret key") as caught:
        await bot.answer(LONG)
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("print('hello')", "it gave what is not JSON"),
        ("import sys; sys.stdout.buffer.write(b'\"\\xff\"')", "not UTF-8"),
        ("print('5')", "neither an object"),
        ("raise SystemExit(3)", "ended with exit code 3$"),
        ("print('\"x\"'); raise SystemExit(1)", "exit code 1"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "exit code -9"),
        ("import sys\nwhile True: sys.stdout.write('x' * 1000)", "wrote more than 10,000 bytes"),
        ("import sys; sys.exit('the reason')", "exit code 1: the reason$"),
        ("1 / 0", r"exit code 1: Traceback .* ZeroDivisionError: division by zero$"),
    ],
)
async def test_a_program_that_fails_is_an_error(code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(AnswerFailed, match=words) as caught:
        await answered(code, tmp_path)
    assert "-c" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_what_it_complains_about_is_short_and_has_no_secret(tmp_path: Path) -> None:
    code = f"import sys; sys.exit('a' * 100_000 + ' {NSEC} \\x1b[31m the reason')"
    with pytest.raises(AnswerFailed, match=r"… the reason$") as caught:
        await answered(code, tmp_path)
    assert NSEC[5:40] not in str(caught.value)
    assert len(str(caught.value)) < 650


async def test_endless_complaints_fill_no_memory(tmp_path: Path) -> None:
    code = "import sys\nfor _ in range(3000): sys.stderr.write('x' * 1000)\nprint('\"ok\"')"
    assert await answered(code, tmp_path) == Answer("ok", Form.NOTE)


async def test_as_much_as_is_allowed_is_taken(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('\"' + 'x' * 9_998 + '\"')"
    assert await answered(code, tmp_path) == Answer("x" * 9_998, Form.NOTE)


def telling(path: Path, then: str = WAITING) -> str:
    """A program that says who it and its child are, and goes on."""
    return f"""
import os, subprocess, sys
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", {WAITING!r}])
path = Path({str(path)!r})
path.with_suffix(".part").write_text(f"{{os.getpid()}} {{child.pid}}")
path.with_suffix(".part").rename(path)
{then}
"""


async def test_one_that_outlives_its_time_is_killed_with_its_children(tmp_path: Path) -> None:
    bot = running(telling(tmp_path / "pids"), tmp_path, timeout=3.0)
    with pytest.raises(AnswerFailed, match="took more than 3 seconds"):
        await bot.answer(LONG)
    for pid in (tmp_path / "pids").read_text("utf-8").split():
        await is_dead(int(pid))


async def test_one_that_nobody_waits_for_is_killed_with_its_children(tmp_path: Path) -> None:
    asked = asyncio.create_task(running(telling(tmp_path / "pids"), tmp_path).answer(LONG))
    async with asyncio.timeout(10):
        while not (tmp_path / "pids").exists():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.01)
    asked.cancel()
    await asyncio.wait([asked])
    assert asked.cancelled()
    for pid in (tmp_path / "pids").read_text("utf-8").split():
        await is_dead(int(pid))


async def test_a_child_that_keeps_the_output_open_holds_nobody_up(tmp_path: Path) -> None:
    code = telling(tmp_path / "pids", "print('\"done\"')")
    async with asyncio.timeout(15):
        assert await answered(code, tmp_path) == Answer("done", Form.NOTE)
    await is_dead(int((tmp_path / "pids").read_text("utf-8").split()[1]))


async def test_one_that_reads_nothing_is_no_broken_pipe(tmp_path: Path) -> None:
    assert await answered("print('\"early\"')", tmp_path, asking("x" * 9_999)) == Answer(
        "early", Form.NOTE
    )


async def test_a_child_that_keeps_the_input_open_holds_nobody_up(tmp_path: Path) -> None:
    child = "import subprocess; subprocess.Popen(['sleep', '30']); print('\"done\"')"
    others = [BOB.reply(LONG.event, "x" * 9_000, START + n) for n in range(50)]
    ask = replace(LONG, thread=Thread.build([LONG.event, *others]))
    async with asyncio.timeout(15):
        assert await answered(child, tmp_path, ask) == Answer("done", Form.NOTE)


async def test_one_that_is_not_there_is_named_without_its_arguments(tmp_path: Path) -> None:
    bot = answering(CommandOf(("/no/such/program", MARKED_HEX)), tmp_path)
    with pytest.raises(AnswerFailed, match="/no/such/program cannot be started") as caught:
        await bot.answer(LONG)
    assert MARKED_HEX not in str(caught.value)


@pytest.mark.parametrize("words", [(), ("",), ("a\0b",)])
def test_a_command_has_a_name(words: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="name of its program"):
        answering(CommandOf(words), tmp_path)


async def test_several_run_at_once(tmp_path: Path) -> None:
    bot = running("print(input()[-20:-19] and '\"x\"')", tmp_path)
    answers = await asyncio.gather(*(bot.answer(LONG) for _ in range(4)))
    assert answers == [Answer("x", Form.NOTE)] * 4
