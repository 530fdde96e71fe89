"""Answers from models, with models of our own in the place of real ones."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llm
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llm.plugins import pm

from nostr_threads.app.bots import models
from nostr_threads.app.bots.answering import answering
from nostr_threads.app.bots.models import GUARD
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.specs import ModelOf
from nostr_threads.core.untrusted import tokens
from nostr_threads.errors import AnswerFailed, InvalidInput
from tests.core.bots.asking import asking, asking_in_a_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from nostr_threads.app.bots.bot import Bot

WHOLE = (
    "A relay is a server that keeps notes. It hands them to whoever asks for them.\n\n"
    "- It is not in charge of anything.\n- One that goes away takes nothing from you.\n\n"
    "So write to three or four of them, and say which they are."
)


@dataclass
class Script:
    """What a model says, call by call, and what it was asked."""

    says: list[str | BaseException] = field(default_factory=list)
    reasons: list[object] = field(default_factory=list)
    prompts: list[Any] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    waits: asyncio.Event | None = None

    def next(self, prompt: Any, response: Any) -> str:
        self.prompts.append(prompt)
        self.threads.append(threading.get_ident())
        if self.reasons:
            response.response_json = self.reasons.pop(0)
        said = self.says.pop(0)
        if isinstance(said, BaseException):
            raise said
        return said


SCRIPT = Script()


# The names are those by which llm calls.
# ruff: noqa: ARG002


class Later(llm.AsyncModel):
    model_id = "later"

    async def execute(  # type: ignore[override]  # an async generator is what llm wants
        self, prompt: Any, stream: bool, response: Any, conversation: Any
    ) -> AsyncIterator[str]:
        if SCRIPT.waits is not None:
            await SCRIPT.waits.wait()
        said = SCRIPT.next(prompt, response)
        for start in range(0, len(said), 7):
            yield said[start : start + 7]


class AtOnce(llm.Model):
    model_id = "at-once"

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:
        yield SCRIPT.next(prompt, response)


class WithTwin(AtOnce):
    model_id = "later"


class Models:
    @llm.hookimpl
    def register_models(self, register: Callable[..., None]) -> None:
        register(WithTwin(), Later(), aliases=("l",))
        register(AtOnce())


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path))
    pm.register(Models(), "ours")
    SCRIPT.__init__()  # type: ignore[misc]
    yield
    pm.unregister(name="ours")


def default(name: str) -> None:
    Path(os.environ["LLM_USER_PATH"], "default_model.txt").write_text(name, "utf-8")


def bot(**spec: Any) -> Bot:
    return answering(ModelOf(**{"name": "later", **spec}), Path(), form=Form.NOTE)


@pytest.mark.parametrize("name", ["later", "l", "at-once"])
async def test_a_model_answers(name: str) -> None:
    SCRIPT.says = [f"\n{WHOLE}\n"]
    assert await bot(name=name, system="Be kind.\n").answer(asking("Why?")) == Answer(
        WHOLE, Form.NOTE
    )
    (prompt,) = SCRIPT.prompts
    assert prompt.system == f"Be kind.\n\n{GUARD}"
    assert prompt.prompt.endswith("> Why?")
    is_elsewhere = SCRIPT.threads[0] != threading.get_ident()
    assert is_elsewhere == (name == "at-once")


async def test_it_is_shown_as_much_of_the_thread_as_was_asked_for() -> None:
    SCRIPT.says = ["Yes.", "Yes."]
    await bot(context=2_000).answer(asking_in_a_thread())
    await bot(context=60).answer(asking_in_a_thread())
    whole, part = (prompt.prompt for prompt in SCRIPT.prompts)
    assert "> The root." in whole
    assert tokens(part) <= 60
    assert "> Far away." not in part
    assert all(prompt.system == GUARD for prompt in SCRIPT.prompts)


@pytest.mark.parametrize("nothing", ["", " \n"])
async def test_nothing_is_silence(nothing: str) -> None:
    SCRIPT.says = [nothing]
    assert await bot().answer(asking("Why?")) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data(), st.integers(0, 60))
def test_wherever_it_is_cut_off_the_seams_leave_no_trace(data: st.DataObject, back: int) -> None:
    """It stops for tokens twice, and repeats what it is asked to repeat, or nothing, or more."""
    first, second = sorted(data.draw(st.tuples(st.integers(20, 120), st.integers(130, 200))))
    SCRIPT.__init__(  # type: ignore[misc]
        reasons=[
            {"finish_reason": "length"},
            {"finish_reason": "length"},
            {"finish_reason": "stop"},
        ]
    )

    def going_on(end: int | None) -> str:
        kept = WHOLE[: first if end is not None else second].rstrip()
        start = len(kept) - len(kept.split()[-1])
        for _ in range(back // 10):
            start = WHOLE.rfind(" ", 0, start - 1) + 1 if start > 1 else 0
        return WHOLE[start:end].rstrip()

    SCRIPT.says = [WHOLE[:first].rstrip(), going_on(second), going_on(None)]
    answer = asyncio.run(bot().answer(asking("Why?")))
    assert answer == Answer(WHOLE, Form.NOTE)
    assert len(SCRIPT.prompts) == 3


async def test_what_it_is_asked_to_go_on_with_ends_with_a_whole_word() -> None:
    SCRIPT.says = ["This is it. A relay keeps no", "notes, and hands them on."]
    answer = await bot().answer(asking("Why?"))
    assert answer == Answer("This is it. A relay keeps notes, and hands them on.", Form.NOTE)
    again = SCRIPT.prompts[1].prompt
    assert again.startswith(SCRIPT.prompts[0].prompt)
    assert "\n\nThis is it. A relay keeps \n\n" in again
    assert again.endswith("words of yours: This is it. A relay keeps")


async def test_the_last_time_that_it_is_gone_on_with_counts() -> None:
    SCRIPT.says = ["This is it. A relay keeps no", "notes, and hands them on."]
    answer = await bot(continued=1).answer(asking("Why?"))
    assert answer == Answer("This is it. A relay keeps notes, and hands them on.", Form.NOTE)


async def test_one_that_was_cut_off_in_its_first_word_begins_again() -> None:
    SCRIPT.says = ["Rel", "Relays keep notes."]
    SCRIPT.reasons = [{"finish_reason": "length"}, {"finish_reason": "stop"}]
    assert await bot().answer(asking("Why?")) == Answer("Relays keep notes.", Form.NOTE)
    first, second = (prompt.prompt for prompt in SCRIPT.prompts)
    assert first == second


async def test_a_preface_leaves_no_trace() -> None:
    SCRIPT.says = [
        "This is it. A relay keeps notes, and ha",
        "Sure! Here it goes on:\n\n…This is it. A relay keeps notes, and hands them on.",
    ]
    answer = await bot().answer(asking("Why?"))
    assert answer == Answer("This is it. A relay keeps notes, and hands them on.", Form.NOTE)


async def test_it_is_gone_on_with_a_few_times_at_most_and_then_cut_back_to_a_sentence() -> None:
    SCRIPT.says = [f"Sentence {n} is long enough to count. And the" for n in range(9)]
    answer = await bot(continued=2).answer(asking("Why?"))
    assert answer is not None
    assert len(SCRIPT.prompts) == 3
    assert answer.text.endswith("Sentence 2 is long enough to count.")


@pytest.mark.parametrize("more", [[], ["and and", "but the", "which"], ["", "x"]])
async def test_what_never_ends_is_never_published(more: list[str]) -> None:
    SCRIPT.says = ["Yes. But this goes on and on without any end, as the"]
    SCRIPT.says += more
    with pytest.raises(AnswerFailed, match="the model later was cut off, and did not come"):
        await bot(continued=len(more)).answer(asking("Why?"))


@pytest.mark.parametrize(
    ("said", "text", "asked"),
    [
        ({"finish_reason": "length"}, "One is whole.", 2),
        ({"choices": [{"finish_reason": "length"}]}, "One is whole.", 2),
        ({"stop_reason": "max_tokens"}, "One is whole.", 2),
        ({"candidates": [{"finishReason": "MAX_TOKENS"}]}, "One is whole.", 2),
        ({"done_reason": "stop"}, "A poem. Without\nan end to the", 1),
        ({"stop_reason": "end_turn"}, "A poem. Without\nan end to the", 1),
        ({"finish_reason": 5}, "One is whole.", 1),
        (None, "One is whole.", 1),
        (None, "One is whole. But the", 2),
    ],
)
async def test_the_provider_knows_best_why_it_stopped(said: object, text: str, asked: int) -> None:
    SCRIPT.says = [text, "And this is the end of it."]
    SCRIPT.reasons = [said, {"finish_reason": "stop"}]
    await bot().answer(asking("Why?"))
    assert len(SCRIPT.prompts) == asked


@pytest.mark.parametrize("name", ["later", "at-once"])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("no\nluck"), "failed: ValueError: no luck$"),
        (llm.NeedsKeyException("No key found"), "failed: NeedsKeyException: No key found$"),
        (TimeoutError("theirs"), "failed: TimeoutError: theirs$"),
    ],
)
async def test_what_it_raises_becomes_a_sentence(name: str, error: Exception, words: str) -> None:
    SCRIPT.says = [error]
    with pytest.raises(AnswerFailed, match=f"the model {name} {words}"):
        await bot(name=name).answer(asking("Why?"))


@pytest.mark.parametrize("name", ["later", "at-once"])
async def test_it_says_no_more_than_is_allowed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_MOST_CHARACTERS", 100)
    SCRIPT.says = ["x" * 99 + ".", "x" * 100 + "."]
    assert await bot(name=name).answer(asking("Why?")) is not None
    with pytest.raises(AnswerFailed, match="gave more than 100 characters"):
        await bot(name=name).answer(asking("Why?"))


async def test_one_that_takes_too_long_is_an_error() -> None:
    SCRIPT.waits = asyncio.Event()
    with pytest.raises(AnswerFailed, match=r"later took more than 0\.05 seconds"):
        await bot(timeout=0.05).answer(asking("Why?"))


async def test_one_that_blocks_for_too_long_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flag = threading.Event()
    monkeypatch.setattr(SCRIPT, "next", lambda *_: flag.wait(20))
    with pytest.raises(AnswerFailed, match=r"at-once took more than 0\.05 seconds"):
        await bot(name="at-once", timeout=0.05).answer(asking("Why?"))
    assert not flag.is_set()
    flag.set()


def test_a_model_that_llm_does_not_know_is_told() -> None:
    with pytest.raises(InvalidInput, match="llm knows no model called 'nobody'; see `llm models`"):
        bot(name="nobody")


async def test_without_a_name_it_is_the_one_that_llm_takes() -> None:
    default("l")
    SCRIPT.says = ["Yes."]
    assert await bot(name="").answer(asking("Why?")) == Answer("Yes.", Form.NOTE)
    default("nobody")
    with pytest.raises(InvalidInput, match="that it takes by default"):
        bot(name="")


def test_without_llm_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "nostr_threads.app.bots.models")
    monkeypatch.setitem(sys.modules, "llm", None)
    with pytest.raises(InvalidInput, match=r"pip install 'nostr-threads\[llm\]'"):
        bot()
