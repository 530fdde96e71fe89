"""Files that only their owner can read: 0600 from the first byte, whole or not at all.

Knows permissions and how a file is replaced. Knows nothing of what is in one. Every function raises
`SigningError`, which names the path and the remedy, for what cannot be read or written.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nostr_threads.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "append",
    "prepare_folder",
    "read",
    "refuse_shared_folder",
    "remove",
    "translated",
    "write",
]

# Elsewhere mode bits do not say who can read, and a folder cannot be opened to be synced.
_POSIX = os.name == "posix"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say the system's errors in our words."""
    try:
        yield
    except OSError as error:
        raise SigningError(f"cannot use {error.filename or path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SigningError(f"{path} is not text") from None


def prepare_folder(path: Path) -> None:
    """Make a folder that is its owner's, or see that it is."""
    with translated(path):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_shared_folder(path)


def refuse_shared_folder(path: Path) -> None:
    """Raise where others can write: they could put a file of theirs in the place of ours."""
    if _allows(path.stat(), 0o022):
        raise SigningError(f"others can write to the key folder: chmod 700 {path}")


def read(path: Path, most: int) -> str:
    """Return the first `most` bytes of a file, after checking the very file that was opened."""
    with translated(path), path.open("rb") as file:
        if _allows(os.fstat(file.fileno()), 0o077):
            raise SigningError(f"others can read or write {path}: chmod 600 {path}")
        return file.read(most).decode()


def write(target: Path, text: str, *, replace: bool) -> bool:
    """Write a file that is there whole or not at all; survives a power loss once it returns.

    Without `replace` nothing is done where there is one, even one that came just now, and False is
    returned.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    with translated(target):
        try:
            with os.fdopen(os.open(temporary, _NEW, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                temporary.replace(target)
            else:
                # A link, unlike a rename, fails when the name is taken.
                os.link(temporary, target)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(target.parent)
    return True


def append(target: Path, line: str) -> None:
    """Add a line to a file, which is made if it is not there."""
    with (
        translated(target),
        os.fdopen(os.open(target, _APPEND, 0o600), "a", encoding="utf-8") as file,
    ):
        file.write(line + "\n")


def remove(path: Path) -> None:
    """Remove a file, so that it stays removed."""
    with translated(path):
        path.unlink()
        _sync_folder(path.parent)


def _allows(status: os.stat_result, bits: int) -> bool:
    return _POSIX and bool(stat.S_IMODE(status.st_mode) & bits)


def _sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power loss."""
    if not _POSIX:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
