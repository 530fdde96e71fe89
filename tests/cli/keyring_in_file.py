"""Keyrings of the system for programs under test: one in a file, and one that is locked."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from tests.cli.program import Home

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

__all__ = ["GONE", "LOCKED", "InFile", "Locked", "keep", "kept", "with_keyring"]

LOCKED = f"{__name__}.Locked"
GONE = "keyring.backends.fail.Keyring"


def with_keyring(folder: Path, keyring: PurePath) -> Home:
    """Return somebody's machine whose keyring is the file `keyring`."""
    top = str(Path(__file__).parents[2])
    backend = f"{__name__}.InFile"
    return Home(folder, PYTHON_KEYRING_BACKEND=backend, KEYRING_FILE=str(keyring), PYTHONPATH=top)


def kept(keyring: Path) -> dict[str, str]:
    """Return what a keyring holds, by name."""
    if not keyring.exists():
        return {}
    found: dict[str, str] = json.loads(keyring.read_text(encoding="utf-8"))
    return found


def keep(keyring: Path, entries: Mapping[str, str]) -> None:
    """Have a keyring hold this and nothing else."""
    keyring.write_text(json.dumps(dict(entries)), encoding="utf-8")


class InFile(KeyringBackend):
    """Keeps everything in the open."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        assert service == "nostr-threads"
        return kept(_file()).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write(service, kept(_file()) | {username: password})

    def delete_password(self, service: str, username: str) -> None:
        left = {name: its for name, its in kept(_file()).items() if name != username}
        self._write(service, left)

    def _write(self, service: str, entries: dict[str, str]) -> None:
        assert service == "nostr-threads"
        keep(_file(), entries)


class Locked(InFile):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked(f"{service} {username} {_file().read_text(encoding='utf-8')}")


def _file() -> Path:
    return Path(os.environ["KEYRING_FILE"])
