"""Named keys in a folder, one file each: encrypted under a password, or the way to where one is.

Knows names and files. Knows nothing of how a key is encrypted; what is in a file is `keyentry`'s.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nostr_threads.errors import InvalidInput, NoSigner, SigningError
from nostr_threads.signing import keyfile, private_file
from nostr_threads.signing.keyentry import (
    PLACES,
    KeyEntry,
    Kind,
    fields_of,
    read_entry,
    require_public_key,
)
from nostr_threads.signing.signer import KeySigner

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nostr_threads.signing.secret import SecretKey

__all__ = ["KeyEntry", "KeyFolder", "Kind"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ENCRYPTED, _ELSEWHERE = ".ncryptsec", ".signer"
_CURRENT = "current"
_NAME_RULE = (
    "a key's name is 1 to 32 characters: small letters a-z, digits, _ and -, with a letter or a "
    "digit in front"
)
# A key file is about 300 bytes, the way to a bunker some more; what is larger is something else.
_MAX_FILE = 16_384


class KeyFolder:
    """Keys by name under `path`, and `current`, which names the one in use.

    `NAME.ncryptsec` holds a key under a password, `NAME.signer` the way to one that is elsewhere. A
    name is 1 to 32 characters of a-z, 0-9, `_` and `-`, else `InvalidInput`. Every method raises
    `SigningError` for a file that is damaged, that cannot be read or written, or that others can
    read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def path(self) -> Path:
        """The folder."""
        return self._path

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
        # What would stop it is found before it takes a second to encrypt.
        target = self._vacant(name, _ENCRYPTED)
        public_key = KeySigner(secret).public_key
        code = keyfile.encrypt(secret, password, log_n=log_n, security=security)
        self._write(target, {"public_key": public_key, "ncryptsec": code}, replace=False)
        return public_key

    def add_encrypted(self, name: str, ncryptsec: str, password: str) -> str:
        """Keep an ncryptsec as it is, under the password that opens it; return its public key.

        Raises as `add` does, and `WrongPassword`.
        """
        target = self._vacant(name, _ENCRYPTED)
        public_key = KeySigner(keyfile.decrypt(ncryptsec, password)).public_key
        self._write(target, {"public_key": public_key, "ncryptsec": ncryptsec}, replace=False)
        return public_key

    def require_vacant(self, name: str) -> None:
        """Raise `SigningError` if there is a key of that name, and where none can be kept."""
        self._vacant(name, _ELSEWHERE)

    def put(self, name: str, entry: KeyEntry) -> None:
        """Note where a key is that is not in this folder.

        Raises as `add` does, and for a public key that is none.
        """
        require_public_key(entry)
        self._write(self._vacant(name, _ELSEWHERE), fields_of(entry), replace=False)

    def change(self, name: str, entry: KeyEntry) -> None:
        """Note what has changed about the way to a key. Raises `NoSigner` for an unknown name."""
        require_public_key(entry)
        self._write(self._file(name, _ELSEWHERE, must_exist=True), fields_of(entry), replace=True)

    def change_password(self, name: str, old: str, new: str, *, log_n: int | None = None) -> None:
        """Encrypt a key under another password. Raises `WrongPassword`, `NoSigner`.

        It is no easier to guess than before, unless `log_n` says so.
        """
        secret = self.load(name, old)
        public_key = KeySigner(secret).public_key
        before, security = keyfile.hardness(self.ncryptsec(name))
        log_n = max(before, keyfile.DEFAULT_LOG_N) if log_n is None else log_n
        code = keyfile.encrypt(secret, new, log_n=log_n, security=security)
        target = self._file(name, _ENCRYPTED, must_exist=True)
        self._write(target, {"public_key": public_key, "ncryptsec": code}, replace=True)

    def remove(self, name: str) -> None:
        """Remove a key's file for good. Raises `NoSigner` for an unknown name."""
        path = self._existing(name)
        # What is chosen may be damaged, too: that does not keep a key here.
        with suppress(SigningError):
            if self.current() == name:
                private_file.remove(self._path / _CURRENT)
        private_file.remove(path)

    def names(self) -> tuple[str, ...]:
        """Return the names of all keys, sorted; none if there is no folder yet."""
        with private_file.translated(self._path):
            if not self._path.exists():
                return ()
            files = (file for file in self._path.iterdir())
            names = {file.stem for file in files if file.suffix in (_ENCRYPTED, _ELSEWHERE)}
        return tuple(sorted(name for name in names if _NAME.fullmatch(name)))

    def entry(self, name: str) -> KeyEntry:
        """Return what is known of a key without a password: what its file says.

        Raises `NoSigner` for an unknown name.
        """
        path = self._existing(name)
        private_file.refuse_shared_folder(self._path)
        found = read_entry(
            private_file.read(path, _MAX_FILE), is_encrypted=path.suffix == _ENCRYPTED
        )
        if found is None:
            raise SigningError(f"{path} is not a key file, or is damaged")
        return found

    def public_key(self, name: str) -> str:
        """Return the public key of `name`, 64 hex digits, without a password. Raises as `entry`."""
        return self.entry(name).public_key

    def load(self, name: str, password: str) -> SecretKey:
        """Decrypt the key `name`. Raises `WrongPassword`, and `NoSigner` for an unknown name."""
        entry = self.entry(name)
        secret = keyfile.decrypt(self._code(name, entry), password)
        if KeySigner(secret).public_key != entry.public_key:
            path = self._existing(name)
            raise SigningError(f"{path} names another public key than its secret has")
        return secret

    def ncryptsec(self, name: str) -> str:
        """Return the key `name` as it is encrypted (NIP-49). Raises `NoSigner`."""
        return self._code(name, self.entry(name))

    def use(self, name: str) -> None:
        """Make `name` the current key. Raises `NoSigner` for an unknown name."""
        self.entry(name)
        private_file.write(self._path / _CURRENT, name + "\n", replace=True)

    def current(self) -> str | None:
        """Return the name given to `use`, None if there was none. Its file may be gone."""
        path = self._path / _CURRENT
        with private_file.translated(path):
            if not path.exists():
                return None
        private_file.refuse_shared_folder(self._path)
        name = private_file.read(path, _MAX_FILE).strip()
        if not _NAME.fullmatch(name):
            raise SigningError(f"{path} does not hold the name of a key")
        return name

    def chosen(self, name: str | None = None) -> str:
        """Return `name`, else that of the key in use. Raises `NoSigner` where there is none."""
        if (found := name or self.current()) is not None:
            return found
        if names := self.names():
            raise NoSigner(
                "no key is in use: choose one with `nostr-threads key use NAME` "
                f"(there is: {', '.join(names)})"
            )
        raise NoSigner("there is no key: make one with `nostr-threads key new NAME`")

    def _code(self, name: str, entry: KeyEntry) -> str:
        if entry.kind is not Kind.PASSWORD:
            raise NoSigner(f"there is no file with the key {name!r}: it is {PLACES[entry.kind]}")
        return str(entry.details["ncryptsec"])

    def _file(self, name: str, suffix: str, *, must_exist: bool = False) -> Path:
        # Not echoed: what was typed in the place of a name may be a key.
        if not _NAME.fullmatch(name):
            raise InvalidInput(_NAME_RULE)
        path = self._path / (name + suffix)
        with private_file.translated(path):
            if must_exist and not path.exists():
                raise NoSigner(f"there is no key called {name!r} in {self._path}")
        return path

    def _existing(self, name: str) -> Path:
        encrypted = self._file(name, _ENCRYPTED)
        with private_file.translated(encrypted):
            if encrypted.exists():
                return encrypted
        return self._file(name, _ELSEWHERE, must_exist=True)

    def _vacant(self, name: str, suffix: str) -> Path:
        """Return the path of a new file. Raises `SigningError` where the name is taken."""
        target = self._file(name, suffix)
        private_file.prepare_folder(self._path)
        with private_file.translated(self._path):
            if any(self._file(name, each).exists() for each in (_ENCRYPTED, _ELSEWHERE)):
                raise _taken(target)
        return target

    def _write(self, target: Path, fields: Mapping[str, Any], *, replace: bool) -> None:
        if not private_file.write(target, json.dumps(fields, indent=1) + "\n", replace=replace):
            raise _taken(target)
        # Somebody else may have taken the name for the other kind meanwhile: that one stays.
        if target.suffix == _ELSEWHERE and target.with_suffix(_ENCRYPTED).exists():
            private_file.remove(target)
            raise _taken(target)


def _taken(target: Path) -> SigningError:
    return SigningError(
        f"there is a key called {target.stem!r} already, and keys are not overwritten"
    )
