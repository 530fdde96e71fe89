"""Named keys in a folder, each encrypted in a file of its own that only its owner can read.

Knows paths, permissions and the files' form. Knows nothing of how a key is encrypted.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from nostr_threads.core import schnorr
from nostr_threads.errors import InvalidInput, NoSigner, SigningError
from nostr_threads.signing import keyfile
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nostr_threads.signing.secret import SecretKey

__all__ = ["KeyFolder"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_SUFFIX = ".ncryptsec"
_CURRENT = "current"
# A key file is about 300 bytes; more than this is something else.
_MAX_FILE = 4096
# Elsewhere mode bits do not say who can read, and a folder cannot be opened to be synced.
_POSIX = os.name == "posix"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class _Entry(NamedTuple):
    public_key: str
    ncryptsec: str


class KeyFolder:
    """Keys by name under `path`: `NAME.ncryptsec`, and `current`, which names the one in use.

    A name is 1 to 32 characters of a-z, 0-9, `_` and `-`, else `InvalidInput`. Every method
    raises `SigningError` for a file that is damaged, that cannot be read or written, or that
    others can read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(
        self,
        name: str,
        secret: SecretKey,
        password: str,
        *,
        log_n: int = keyfile.DEFAULT_LOG_N,
        security: keyfile.KeySecurity = keyfile.KeySecurity.UNTRACKED,
    ) -> str:
        """Encrypt `secret` into a new file and return its public key, 64 hex digits.

        Raises `SigningError` if there is a key of that name: a key is never overwritten.
        """
        target = self._file(name)
        self._prepare(target)
        public_key = KeySigner(secret).public_key
        code = keyfile.encrypt(secret, password, log_n=log_n, security=security)
        entry = json.dumps({"public_key": public_key, "ncryptsec": code}, indent=1)
        with _translated(target):
            try:
                _write(target, entry + "\n", replace=False)
            except FileExistsError:
                raise _taken(target) from None
        return public_key

    def names(self) -> tuple[str, ...]:
        """Return the names of all keys, sorted; none if there is no folder yet."""
        with _translated(self._path):
            if not self._path.exists():
                return ()
            found = (file.stem for file in self._path.iterdir() if file.suffix == _SUFFIX)
            return tuple(sorted(name for name in found if _NAME.fullmatch(name)))

    def public_key(self, name: str) -> str:
        """Return the public key of `name`, 64 hex digits, without a password.

        It is what the file says; `load` checks it. Raises `NoSigner` for an unknown name.
        """
        return self._entry(name).public_key

    def load(self, name: str, password: str) -> SecretKey:
        """Decrypt the key `name`. Raises `WrongPassword`, and `NoSigner` for an unknown name."""
        entry = self._entry(name)
        secret = keyfile.decrypt(entry.ncryptsec, password)
        if KeySigner(secret).public_key != entry.public_key:
            raise SigningError(f"{self._file(name)} names another public key than its secret has")
        return secret

    def use(self, name: str) -> None:
        """Make `name` the current key. Raises `NoSigner` for an unknown name."""
        self._entry(name)
        with _translated(self._path):
            _write(self._path / _CURRENT, name + "\n", replace=True)

    def current(self) -> str | None:
        """Return the name given to `use`, None if there was none."""
        path = self._path / _CURRENT
        with _translated(path):
            if not path.exists():
                return None
            self._refuse_shared_folder()
            name = _read(path).strip()
        if not _NAME.fullmatch(name):
            raise SigningError(f"{path} does not hold the name of a key")
        return name

    def _file(self, name: str) -> Path:
        # Not echoed: what was typed in the place of a name may be a key.
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "a key's name is 1 to 32 characters: a-z, 0-9, and not in front: _ and -"
            )
        return self._path / (name + _SUFFIX)

    def _entry(self, name: str) -> _Entry:
        path = self._file(name)
        with _translated(path):
            if not path.exists():
                raise NoSigner(f"there is no key called {name!r} in {self._path}")
            self._refuse_shared_folder()
            text = _read(path)
        entry = _parse(text)
        if entry is None:
            raise SigningError(f"{path} is not a key file, or is damaged")
        return entry

    def _prepare(self, target: Path) -> None:
        """Find what would stop `add` before it takes a second to encrypt."""
        with _translated(self._path):
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._refuse_shared_folder()
            if target.exists():
                raise _taken(target)

    def _refuse_shared_folder(self) -> None:
        # Who can write here can put another key in the place of the user's own.
        if _allows(self._path.stat(), 0o022):
            raise SigningError(f"others can write to the key folder: chmod 700 {self._path}")


def _taken(target: Path) -> SigningError:
    return SigningError(
        f"there is a key called {target.stem!r} already, and keys are not overwritten"
    )


def _parse(text: str) -> _Entry | None:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    public_key, code = fields.get("public_key"), fields.get("ncryptsec")
    if not isinstance(public_key, str) or not isinstance(code, str):
        return None
    return _Entry(public_key, code) if schnorr.is_public_key(public_key) else None


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SigningError(f"cannot use {error.filename or path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise SigningError(f"{path} is not text") from None


def _allows(status: os.stat_result, bits: int) -> bool:
    return _POSIX and bool(stat.S_IMODE(status.st_mode) & bits)


def _read(path: Path) -> str:
    """Return a file's text, after checking the very file that was opened."""
    with path.open("rb") as file:
        if _allows(os.fstat(file.fileno()), 0o077):
            raise SigningError(f"others can read or write {path}: chmod 600 {path}")
        return file.read(_MAX_FILE).decode()


def _write(target: Path, text: str, *, replace: bool) -> None:
    """Write a file that is there whole or not at all, 0600 from its first byte.

    Without `replace` raises `FileExistsError` if there is one, even one that came just now.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
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
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _sync_folder(path: Path) -> None:
    """Make the new name itself survive a power loss."""
    if not _POSIX:
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
