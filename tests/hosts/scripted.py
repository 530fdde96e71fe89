"""`llm` with models of our own in the place of real ones, in a home of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import llm
import pytest
from click.testing import CliRunner
from llm.cli import cli
from llm.plugins import pm

from nostr_threads.hosts import llm_plugin
from nostr_threads.store.sqlite import SqliteStore
from tests.app.worlds import NOW
from tests.cli.program import Home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    import nostr_threads as nt

# The names are those by which llm calls.
# ruff: noqa: ARG002


@dataclass
class Script:
    """Which tools a model calls, one after the other, what it was told, and what came back."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    prompts: list[Any] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)

    def next(self, prompt: Any, response: Any) -> str:
        self.prompts.append(prompt)
        self.results += prompt.tool_results
        if not self.calls:
            return "Nobody objects."
        name, arguments = self.calls.pop(0)
        if callable(arguments):
            arguments = arguments(self.results[-1].output)
        response.add_tool_call(llm.ToolCall(name=name, arguments=arguments))
        return ""


SCRIPT = Script()


class Caller(llm.Model):
    model_id = "caller"
    supports_tools = True

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str]:
        yield SCRIPT.next(prompt, response)


class CallerLater(llm.AsyncModel):
    model_id = "caller"
    supports_tools = True

    async def execute(  # type: ignore[override]  # an async generator is what llm wants
        self, prompt: Any, stream: bool, response: Any, conversation: Any
    ) -> AsyncIterator[str]:
        yield SCRIPT.next(prompt, response)


class Models:
    @llm.hookimpl
    def register_models(self, register: Callable[..., None]) -> None:
        register(Caller(), CallerLater())


@pytest.fixture(name="home")
def llm_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    (tmp_path / "llm").mkdir()
    monkeypatch.setenv("LLM_USER_PATH", str(tmp_path / "llm"))
    monkeypatch.setenv("NOSTR_THREADS_HOME", str(tmp_path))
    monkeypatch.delenv("NOSTR_SECRET_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    llm.get_fragment_loaders()  # loads what is installed
    pm.register(Models(), "ours")
    is_installed = pm.has_plugin("nostr-threads")
    if not is_installed:
        pm.register(llm_plugin, "nostr-threads")
    SCRIPT.__init__()  # type: ignore[misc]
    yield Home(tmp_path)
    pm.unregister(name="ours")
    if not is_installed:
        pm.unregister(name="nostr-threads")


def kept_in(home: Home, *events: nt.Verified) -> None:
    home.settle([])
    with SqliteStore(home.folder / "threads.db") as store:
        store.add(events, relay=None, now=NOW)


def run(*arguments: str, stdin: str = "") -> str:
    ran = CliRunner().invoke(cli, list(arguments), input=stdin)
    assert ran.exit_code == 0, ran.output
    return ran.output
