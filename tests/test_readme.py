"""What the README tells newcomers to run, and what it says they will see."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text(encoding="utf-8")


def masked(text: str) -> str:
    """Leave out what is different every time: keys, times and the port."""
    text = re.sub(r"npub1\w+…\w+", "npub", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "time", text)
    return re.sub(r"127\.0\.0\.1:\d+", "relay", text).strip()


def test_the_demo_shows_what_the_readme_shows() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "nostr_threads", "demo"],
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=True,
    )
    shown = README.split("```text\n", 1)[1].split("\n```\n\n</details>", 1)[0]
    assert masked(shown) == masked(ran.stdout)


def test_each_of_the_two_commands_is_one_line_that_sets_everything_up() -> None:
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv .venv && ")]
    assert [line.rsplit(" && ", 1)[1] for line in lines] == [
        ".venv/bin/nostr-threads demo",
        ".venv/bin/pytest",
    ]


def test_ci_runs_the_line_of_the_readme() -> None:
    script = (TOP / ".ci" / "run").read_text(encoding="utf-8")
    assert r"grep -m 1 -E '&& \.venv/bin/pytest$' README.md" in script


def test_every_dependency_has_its_reason() -> None:
    project = (TOP / "pyproject.toml").read_text(encoding="utf-8")
    wanted = project.split("dependencies = [", 1)[1].split("]", 1)[0]
    section = README.split("## Dependencies", 1)[1]
    for name in re.findall(r'"([a-z0-9-]+)>=', wanted):
        assert re.search(rf"^\|[^|]*\b{name}\b", section, re.MULTILINE), name
