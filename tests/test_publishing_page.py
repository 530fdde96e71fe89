"""docs/publishing.md: the split that it shows is a real one, and what it names is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

import nostr_threads as nt
from nostr_threads.cli.commands import app
from nostr_threads.core.article import choose_form
from nostr_threads.core.delivery import GIVE_UP_AFTER

TOP = Path(__file__).parents[1]
PAGE = (TOP / "docs" / "publishing.md").read_text(encoding="utf-8")


def test_the_split_is_what_the_command_shows() -> None:
    found = re.search(
        r"^`nostr-threads (compose [^`]+)` shows this:\n\n~~~text\n(.*?)\n~~~$",
        PAGE,
        re.MULTILINE | re.DOTALL,
    )
    assert found is not None
    ran = subprocess.run(
        [sys.executable, "-m", "nostr_threads", *shlex.split(found[1])],
        cwd=TOP,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=True,
    )
    assert found[2] == ran.stdout.strip()


def test_what_is_split_there_comes_back_to_the_byte() -> None:
    text = (TOP / "examples" / "answer.md").read_bytes().decode()
    parts = nt.split(text, nt.Limit(characters=320))
    assert nt.join(parts) == text
    assert PAGE.count("── part ") == len(parts)


@pytest.mark.parametrize("status", nt.Status)
def test_every_status_is_explained(status: nt.Status) -> None:
    section = PAGE.split("## What becomes of each part", 1)[1].split("\n## ", 1)[0]
    assert re.search(rf"^\|[^|]*\b{status.value}\b", section, re.MULTILINE)


def test_every_form_is_explained() -> None:
    section = PAGE.split("## What it becomes", 1)[1].split("\n## ", 1)[0]
    for form in (*nt.Form, "auto"):
        assert f"| `{form}` |" in section
    most = next(n for n in range(1, 100) if choose_form("", n + 1)[0] is nt.Form.ARTICLE)
    assert f"a thread up to {most} parts" in section
    assert "for a week" in PAGE
    assert GIVE_UP_AFTER == 7 * 86_400


def test_the_options_and_commands_that_it_names_exist() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    outbox = commands["outbox"].commands
    options = {
        option
        for command in (*commands.values(), *outbox.values())
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(re.findall(r"(--[a-z]+(?:-[a-z]+)*)", PAGE)) <= options
    assert set(re.findall(r"nostr-threads outbox (\w+)", PAGE)) <= set(outbox)
    assert {"delete", "react", "repost", "quote"} <= set(commands) | set(outbox)
