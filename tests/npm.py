"""Packages of the npm registry that tests use: fetched once, outside of the tree, and kept."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["installed"]

SECONDS = 90.0


def installed(here: Path, package: str, request: pytest.FixtureRequest) -> Path:
    """Return a folder with what the lock file in `here` names, `package` among it.

    Skips the test where there is no node, or where npm can neither fetch it nor has it already;
    fails it where `NOSTR_THREADS_SKIP_NOTHING` is set.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        _give_up("there is no node")
    cache: pytest.Cache = request.config.cache
    folder = cache.mkdir(package)
    lock = folder / "package-lock.json"
    is_there = lock.exists() and lock.read_bytes() == (here / lock.name).read_bytes()
    if not is_there or not (folder / "node_modules" / package).exists():
        shutil.copytree(here, folder, dirs_exist_ok=True)
        _install(npm, folder, package)
    shutil.copytree(here, folder, dirs_exist_ok=True)
    return folder


def _give_up(why: str) -> NoReturn:
    if os.environ.get("NOSTR_THREADS_SKIP_NOTHING"):
        pytest.fail(why)
    pytest.skip(why)


def _install(npm: str, folder: Path, package: str) -> None:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        _give_up(f"npm cannot fetch {package} in time")
    if done.returncode:
        _give_up(f"npm cannot fetch {package}")
