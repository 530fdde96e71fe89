"""nostr-tools (JavaScript), which most web clients are made with, ready for a test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "nostr_tools"
SECONDS = 45.0


@pytest.fixture(scope="module")
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the tree that holds nostr-tools; kept between runs."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no node")
    cache: pytest.Cache | None = getattr(request.config, "cache", None)
    folder = cache.mkdir("nostr-tools") if cache else tmp_path_factory.mktemp("nostr-tools")
    lock = folder / "package-lock.json"
    is_there = lock.exists() and lock.read_bytes() == (HERE / lock.name).read_bytes()
    if not is_there or not (folder / "node_modules" / "nostr-tools").exists():
        shutil.copytree(HERE, folder, dirs_exist_ok=True)
        _install(npm, folder)
    for script in HERE.glob("*.js"):
        shutil.copy(script, folder)
    return folder


def _install(npm: str, folder: Path) -> None:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm cannot fetch nostr-tools in time")
    if done.returncode:
        pytest.skip("npm cannot fetch nostr-tools")
