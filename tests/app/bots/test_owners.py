"""Whether the process that was at an ask is still there."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from nostr_threads.app.bots.owners import is_gone, new_owner


def test_names_differ_and_say_where_and_who() -> None:
    one, other = new_owner(), new_owner()
    assert one != other
    assert one.split("/")[:2] == [socket.gethostname(), str(os.getpid())]


def test_one_that_has_ended_is_gone() -> None:
    code = "from nostr_threads.app.bots.owners import new_owner; print(new_owner())"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert is_gone(ran.stdout.strip(), new_owner())


def test_one_that_is_there_or_elsewhere_is_not() -> None:
    us = new_owner()
    assert not is_gone(us, us)
    assert not is_gone(f"{socket.gethostname()}/{os.getppid()}/00", us)
    assert not is_gone("another-machine/999999999/00", us)
    assert not is_gone("", us)
    assert not is_gone(f"{socket.gethostname()}/x/00", us)
    assert not is_gone(f"{socket.gethostname()}/{10**30}/00", us)


def test_one_whose_number_is_ours_by_now_is_gone() -> None:
    assert is_gone(f"{socket.gethostname()}/{os.getpid()}/00", new_owner())
