"""What other programs of the same user see of a process that has a key."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it is Linux's switch")

PEEPING = "import os; print(open(f'/proc/{os.getppid()}/environ').read())"


def ran(program: str) -> str:
    """What a program of its own writes, with a key in its environment."""
    environ = {**os.environ, "NOSTR_SECRET_KEY": "peeped"}
    given = [sys.executable, "-c", f"import subprocess, sys\n{program}"]
    done = subprocess.run(
        given, env=environ, capture_output=True, text=True, timeout=20, check=True
    )
    return done.stdout


def test_it_is_hidden_once_it_was_said() -> None:
    out = ran(
        "from nostr_threads.cli.memory import hide_memory, is_memory_hidden\n"
        "print(is_memory_hidden()); hide_memory(); print(is_memory_hidden())"
    )
    assert out == "False\nTrue\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is hidden from root")
@pytest.mark.parametrize("hides", [False, True])
def test_a_program_that_it_starts_cannot_read_its_environment(hides: bool) -> None:
    out = ran(
        "from nostr_threads.cli.memory import hide_memory\n"
        f"if {hides}: hide_memory()\n"
        f"peep = [sys.executable, '-c', {PEEPING!r}]\n"
        "print(subprocess.run(peep, env={}, capture_output=True, text=True).stdout)"
    )
    assert ("peeped" in out) is not hides
