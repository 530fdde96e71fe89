"""Answers from Python: beside the bot's file, and from installed packages."""

from __future__ import annotations

import asyncio
import logging
import sys
from functools import partial
from importlib.metadata import EntryPoint, EntryPoints
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bots import callables, threads
from nostr_threads.app.bots.answering import answering
from nostr_threads.app.bots.callables import GROUP, Function, bot_names
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer, Ask
from nostr_threads.core.bots.specs import PluginOf, PythonOf
from nostr_threads.core.entities import SecretKey
from nostr_threads.core.nip19 import encode
from nostr_threads.errors import AnswerFailed, InvalidInput
from tests.core.bots.asking import asking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ASK = asking("Hi")


async def later(ask: Ask) -> Answer:
    return Answer(ask.text)


def at_once(ask: Ask) -> str:
    return ask.text


class Greeter:
    async def answer(self, ask: Ask) -> str:
        return ask.text


class Plain:
    def answer(self, ask: Ask) -> str:
        return ask.text


class Needy(Plain):
    def __init__(self, needed: str) -> None:
        self.needed = needed


class Called:
    async def __call__(self, ask: Ask) -> str:
        return ask.text


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def made(given: object, *, seconds: float = 5.0) -> Function:
    return Function(given, "mine:answer", seconds=seconds, form=Form.NOTE)


@pytest.mark.parametrize(
    "given",
    [at_once, Greeter, Greeter(), Plain(), Called(), partial(later), lambda ask: later(ask)],
)
async def test_functions_objects_and_classes_answer(given: object) -> None:
    answer = await made(given).answer(ASK)
    assert answer is not None
    assert answer.text == "Hi"


async def test_a_text_has_the_rule_s_form_and_an_answer_its_own() -> None:
    assert await made(at_once).answer(ASK) == Answer("Hi", Form.NOTE)
    assert await made(later).answer(ASK) == Answer("Hi", Form.THREAD)


@pytest.mark.parametrize("nothing", [None, "", " \n", Answer(" ")])
async def test_nothing_is_silence(nothing: object) -> None:
    assert await made(lambda _: nothing).answer(ASK) is None


@pytest.mark.parametrize(("wrong", "kind"), [(5, "int"), (b"x", "bytes"), ({}, "dict")])
async def test_anything_else_is_an_error(wrong: object, kind: str) -> None:
    with pytest.raises(AnswerFailed, match=f"mine:answer gave a {kind}"):
        await made(lambda _: wrong).answer(ASK)


def failing(error: BaseException) -> Callable[[Ask], object]:
    def answer(_: Ask) -> object:
        raise error

    return answer


def failing_later(error: BaseException) -> Callable[[Ask], object]:
    async def answer(_: Ask) -> object:
        raise error

    return answer


@pytest.mark.parametrize("way", [failing, failing_later])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no\nluck"), "mine:answer failed: ValueError: no luck$"),
        (KeyError(), "mine:answer failed: KeyError$"),
        (TimeoutError("theirs"), "mine:answer failed: TimeoutError: theirs$"),
        (SystemExit(3), "mine:answer failed: SystemExit: 3$"),
        (KeyboardInterrupt(), "mine:answer failed: KeyboardInterrupt$"),
        (GeneratorExit(), "mine:answer failed: GeneratorExit$"),
        (asyncio.CancelledError(), "mine:answer failed: CancelledError$"),
        (BaseException("odd"), "mine:answer failed: BaseException: odd$"),
        (AnswerFailed("as I say"), "^as I say$"),
    ],
)
async def test_what_it_raises_becomes_a_sentence(
    way: Callable[[BaseException], object], error: BaseException, words: str
) -> None:
    with pytest.raises(AnswerFailed, match=words) as caught:
        await made(way(error)).answer(ASK)
    assert caught.value.__cause__ is None
    assert "Traceback" not in str(caught.value)


async def test_no_future_is_lost_to_an_odd_exception() -> None:
    with pytest.raises(AnswerFailed, match="RuntimeError: StopIteration"):
        await made(failing(StopIteration(5))).answer(ASK)


async def test_its_words_are_short_and_have_no_secret() -> None:
    nsec = encode(SecretKey("ab" * 32))
    with pytest.raises(AnswerFailed) as caught:
        await made(failing(ValueError(f"{'x' * 9_000} {nsec}"))).answer(ASK)
    assert nsec[5:40] not in str(caught.value)
    assert len(str(caught.value)) < 300


async def test_the_traceback_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger=callables.__name__)
    with pytest.raises(AnswerFailed):
        await made(failing(ValueError("x"))).answer(ASK)
    assert [record.levelname for record in caplog.records] == ["DEBUG"]
    assert caplog.records[0].exc_info is not None


async def test_one_that_takes_too_long_is_left_alone() -> None:
    forever = asyncio.Event()
    flag = Flag()

    async def waiting(_: Ask) -> None:
        await forever.wait()

    def blocking(_: Ask) -> None:
        flag.wait(20)

    for given in (waiting, blocking):
        with pytest.raises(AnswerFailed, match=r"mine:answer took more than 0\.05 seconds"):
            await made(given, seconds=0.05).answer(ASK)
    flag.set()


async def test_whoever_waits_no_more_is_not_kept() -> None:
    flag = Flag()

    async def waiting(_: Ask) -> None:
        await asyncio.Event().wait()

    for given in (waiting, lambda _: flag.wait(20)):
        asked = asyncio.create_task(made(given).answer(ASK))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    flag.set()


async def test_too_many_that_hang_are_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_left", set[Thread]())
    flag = Flag()
    hanging = made(lambda _: flag.wait(20), seconds=0.01)
    for _ in range(16):
        with pytest.raises(AnswerFailed, match="took more than"):
            await hanging.answer(ASK)
    with pytest.raises(AnswerFailed, match="16 earlier tries hang"):
        await made(at_once).answer(ASK)
    assert await made(later).answer(ASK) == Answer("Hi")
    left = tuple(threads._left)
    flag.set()
    for each in left:
        await asyncio.to_thread(each.join, 20)
    assert await made(at_once).answer(ASK) == Answer("Hi", Form.NOTE)


def test_one_that_is_put_away_with_its_loop_goes_quietly() -> None:
    """As the interpreter ends, coroutines are closed, and whoever answers then is too late."""

    async def waiting(_: Ask) -> None:
        await asyncio.Event().wait()

    loop = asyncio.new_event_loop()
    coroutine = made(waiting).answer(ASK)
    task = loop.create_task(coroutine)
    loop.run_until_complete(asyncio.sleep(0))
    coroutine.close()
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    loop.close()


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(InvalidInput, match="neither a function nor an object"):
        made(5)
    with pytest.raises(InvalidInput, match="cannot be made: TypeError"):
        made(Needy)


class TestFromPython:
    async def test_a_module_beside_the_bot_s_file_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "other_1a.py").write_text("WORD = 'Hello'", "utf-8")
        (tmp_path / "mine_1a.py").write_text(
            "import other_1a\nclass Bot:\n    def answer(self, ask):\n"
            "        return other_1a.WORD + ask.text\nbot = Bot()\n",
            "utf-8",
        )
        before = [*sys.path]
        for name in ("mine_1a:bot", "mine_1a:Bot", "mine_1a:bot.answer"):
            bot = answering(PythonOf(name), tmp_path, form=Form.NOTE)
            assert await bot.answer(ASK) == Answer("HelloHi", Form.NOTE)
        assert sys.path[:-1] == before

    def test_two_bots_with_modules_of_one_name_are_not_mixed_up(self, tmp_path: Path) -> None:
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "mine_1b.py").write_text("def f(ask): return ''", "utf-8")
        answering(PythonOf("mine_1b:f"), tmp_path / "a")
        with pytest.raises(InvalidInput, match=r"b/mine_1b\.py cannot be imported: another module"):
            answering(PythonOf("mine_1b:f"), tmp_path / "b")

    def test_a_module_that_hides_another_s_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "json.py").write_text("def f(ask): return ''", "utf-8")
        (tmp_path / "sys.py").write_text("def exit(ask): return ''", "utf-8")
        for name in ("json:loads", "sys:exit"):
            with pytest.raises(InvalidInput, match="another module is called"):
                answering(PythonOf(name), tmp_path)

    async def test_a_package_that_is_installed_needs_no_file(self, tmp_path: Path) -> None:
        assert answering(PythonOf("json:dumps"), tmp_path) is not None

    @pytest.mark.parametrize("name", ["", "a", "a:", ":b", "a b:c", "a:b:c", "../a:b", "a/b:c"])
    def test_it_is_written_with_a_colon(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="not written module:name"):
            answering(PythonOf(name), tmp_path)

    @pytest.mark.parametrize(
        ("source", "words"),
        [
            (None, "ModuleNotFoundError"),
            ("x = 1", "AttributeError"),
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("def (", "SyntaxError"),
            ("raise SystemExit(1)", "SystemExit"),
        ],
    )
    def test_one_that_cannot_be_imported_says_why(
        self, source: str | None, words: str, tmp_path: Path
    ) -> None:
        if source is not None:
            (tmp_path / "mine_1c.py").write_text(source, "utf-8")
        with pytest.raises(InvalidInput, match=f"mine_1c:f cannot be imported: {words}"):
            answering(PythonOf("mine_1c:f"), tmp_path)


class TestFromAPackage:
    @pytest.fixture(autouse=True)
    def _installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = EntryPoints(
            EntryPoint(name, f"{__name__}:{value}", GROUP)
            for name, value in (("greeter", "Greeter"), ("broken", "nothing"))
        )
        monkeypatch.setattr(callables, "entry_points", lambda **wanted: found.select(**wanted))

    async def test_it_is_found_by_its_name(self, tmp_path: Path) -> None:
        assert bot_names() == ("broken", "greeter")
        bot = answering(PluginOf("greeter"), tmp_path, form=None)
        assert await bot.answer(ASK) == Answer("Hi", None)

    def test_one_that_is_not_there_or_broken_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(
            InvalidInput, match=r"'other' is installed \(there is: broken, greeter\)"
        ):
            answering(PluginOf("other"), tmp_path)
        with pytest.raises(InvalidInput, match="broken cannot be imported: AttributeError"):
            answering(PluginOf("broken"), tmp_path)
