"""Files that only their owner can read: 0600 from the first byte, whole or not at all.

Knows permissions, owners and how a file is replaced. Knows nothing of what is in one. Everything
here raises `SigningError`, which names the path and the remedy, for what cannot be read or written.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

__all__ = [
    "Lock",
    "append",
    "create",
    "prepare_folder",
    "read",
    "refuse_shared_folder",
    "remove",
    "stamp",
    "translated",
    "write",
]

# Elsewhere mode bits do not say who can read, and a folder cannot be opened to be synced.
_POSIX = os.name == "posix"
# A link may lead anywhere, and a pipe hangs whoever opens it.
_CAREFULLY = (
    getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL
# What file systems say that have no links.
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS)
# Seconds after which nobody is still writing a file of some hundred bytes.
_ABANDONED = 60.0


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say the system's errors in our words."""
    try:
        yield
    except OSError as error:
        # A file that is open is named by its number. From None: its context may hold what was to be
        # written.
        named = error.filename if isinstance(error.filename, str) else str(path)
        if Path(named).name.startswith(_temporary_start(path)):
            # Under which name it was first written tells nobody anything.
            named = str(path)
        raise SigningError(f"cannot use {named}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SigningError(f"{path} is not text") from None


def prepare_folder(path: Path) -> None:
    """Make a folder that is its owner's alone, or see that nobody else can write to it."""
    with translated(path):
        for folder in (*reversed(path.parents), path):
            # One by one: what is above a folder would otherwise be made as open as can be.
            with suppress(FileExistsError):
                if not folder.exists():
                    folder.mkdir(mode=0o700)
        refuse_shared_folder(path)


def refuse_shared_folder(path: Path) -> None:
    """Raise where others can write: they could put a file of theirs in the place of ours."""
    with translated(path):
        status = path.stat()
    if _is_of_another(status):
        raise SigningError(f"the key folder {path} belongs to somebody else")
    if _allows(status, 0o022):
        raise SigningError(f"others can write to the key folder: chmod 700 {path}")


def read(path: Path, most: int) -> str:
    """Return the first `most` bytes of a file, after checking the very file that was opened."""
    with translated(path), os.fdopen(os.open(path, os.O_RDONLY | _CAREFULLY), "rb") as file:
        _check(path, os.fstat(file.fileno()))
        return file.read(most).decode()


def write(target: Path, text: str, *, replace: bool) -> bool:
    """Write a file that is there whole or not at all; survives a power loss once it returns.

    Without `replace` nothing is done where there is one, even one that came just now, and False is
    returned.
    """
    temporary = target.with_name(f"{_temporary_start(target)}{secrets.token_hex(8)}.tmp")
    with translated(target):
        _sweep(target, _ABANDONED)
        try:
            with os.fdopen(
                os.open(temporary, _NEW | _CAREFULLY, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                temporary.replace(target)
            else:
                _take_name(temporary, target)
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(target.parent)
    return True


def create(target: Path, text: str) -> bool:
    """Write a new file under its own name at once, for what must lie under no other.

    False where there is one. A crash in the middle leaves a part of it there.
    """
    with translated(target):
        try:
            descriptor = os.open(target, _NEW | _CAREFULLY, 0o600)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(target.parent)
    return True


def append(target: Path, line: str, *, most: int) -> None:
    """Add a line to a file, which is made if it is not there.

    One that has more than `most` bytes becomes `target` with ".old" behind it, in place of any
    earlier one.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | _CAREFULLY
    with translated(target):
        if target.is_file() and target.stat().st_size > most:
            target.replace(target.with_name(f"{target.name}.old"))
        with os.fdopen(os.open(target, flags, 0o600), "a", encoding="utf-8") as file:
            _check(target, os.fstat(file.fileno()))
            file.write(line + "\n")


def remove(path: Path) -> None:
    """Remove a file, so that it stays removed, and what a crash may have left of writing it."""
    with translated(path):
        path.unlink()
        _sweep(path, 0.0)
        _sync_folder(path.parent)


def stamp(path: Path) -> tuple[int, ...] | None:
    """Return what changes whenever a file does; None without one."""
    with translated(path):
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
    return status.st_ino, status.st_mtime_ns, status.st_size


class Lock:
    """A file that one process holds at a time; it is given back when that ends, however it does.

    Where the system has no such locks, whoever asks has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take it; False while another process, or another `Lock`, has it."""
        with translated(self._path):
            flags = os.O_RDWR | os.O_CREAT | _CAREFULLY
            self._descriptor = os.open(self._path, flags, 0o600)
        if _is_locked(self._descriptor):
            return True
        self.release()
        return False

    def release(self) -> None:
        """Give it back."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _is_locked(descriptor: int) -> bool:
    if not _POSIX:
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise SigningError(f"{path} is no file")
    if _is_of_another(status):
        raise SigningError(f"{path} belongs to somebody else")
    if _allows(status, 0o077):
        raise SigningError(f"others can read or write {path}: chmod 600 {path}")


def _is_of_another(status: os.stat_result) -> bool:
    return _POSIX and status.st_uid != os.geteuid()


def _allows(status: os.stat_result, bits: int) -> bool:
    return _POSIX and bool(stat.S_IMODE(status.st_mode) & bits)


def _take_name(temporary: Path, target: Path) -> None:
    """Give a file its name, unless that is taken. Raises `FileExistsError`."""
    try:
        # A link, unlike a rename, fails when the name is taken.
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # The name is taken first, and then filled.
        os.close(os.open(target, _NEW | _CAREFULLY, 0o600))
        temporary.replace(target)


def _temporary_start(target: Path) -> str:
    return f".{target.name}."


def _sweep(target: Path, seconds: float) -> None:
    """Remove what a process that was killed so long ago has left of writing a file."""
    for left in target.parent.glob(f"{_temporary_start(target)}*.tmp"):
        with suppress(OSError):
            if left.stat().st_mtime <= time.time() - seconds:
                left.unlink()


def _sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power loss."""
    if not _POSIX:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
