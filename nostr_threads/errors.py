"""Every error this package raises on purpose.

    NostrThreadsError                 exit 1
    ├── InvalidInput (ValueError)     exit 2   what the user gave cannot be used
    │   ├── InvalidEvent                       not an event, or its id or signature is wrong
    │   ├── InvalidCode                        not a NIP-19 code, NIP-05 name or hex id
    │   ├── InvalidRelayUrl
    │   ├── InvalidFilter
    │   ├── InvalidText                        an answer that is empty or not UTF-8
    │   ├── LimitTooSmall                      a limit that cannot hold its own marker
    │   └── InvalidConfig                      a configuration file, with its line
    ├── AnswerFailed                  exit 1   what a bot answers could not be made
    ├── NotFound                      exit 1   asked completely, and it is not there
    ├── NothingAccepted               exit 1   no relay took the first part
    ├── RelayInfoUnavailable          exit 1   a relay that says nothing about itself (NIP-11)
    ├── NoRelayReachable              exit 4
    ├── QuorumMissed                  exit 5
    ├── StoreError                    exit 6
    │   ├── TooCostly                          a question that takes longer than it may
    │   ├── TakenOver                          another process does by now what this one began
    │   ├── StoreTooNew                        written by a later version of this program
    │   └── StoreTooOld                        to be opened for writing once, before it can be read
    └── SigningError                  exit 7
        ├── NoSigner                           nothing to sign with
        ├── WrongPassword
        ├── CannotEncrypt
        ├── CannotDecrypt                      damaged, or for somebody else (NIP-44)
        └── BunkerError                        a signer elsewhere that says no, or nothing (NIP-46)

What a relay sends never raises any of these: it becomes a value (see `core.wire.Malformed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "AnswerFailed",
    "BunkerError",
    "CannotDecrypt",
    "CannotEncrypt",
    "InvalidCode",
    "InvalidConfig",
    "InvalidEvent",
    "InvalidFilter",
    "InvalidInput",
    "InvalidRelayUrl",
    "InvalidText",
    "LimitTooSmall",
    "NoRelayReachable",
    "NoSigner",
    "NostrThreadsError",
    "NotFound",
    "NothingAccepted",
    "QuorumMissed",
    "RelayInfoUnavailable",
    "SigningError",
    "StoreError",
    "StoreTooNew",
    "StoreTooOld",
    "TakenOver",
    "TooCostly",
    "WrongPassword",
]


class NostrThreadsError(Exception):
    """Anything this package raises on purpose; `str()` is one sentence for a person."""

    exit_code: ClassVar[int] = 1


class InvalidInput(NostrThreadsError, ValueError):
    """What the caller gave cannot be used; the sentence says what, where and what to do."""

    exit_code = 2


class InvalidEvent(InvalidInput):
    """An event that is malformed, or whose id or signature is wrong; `reason` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid event: {reason}")
        self.reason = reason


class InvalidCode(InvalidInput):
    """A string that is not the code it was taken for. Never echoes a secret key."""


class InvalidRelayUrl(InvalidInput):
    """A relay URL that cannot be used; `url` is what was given."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"cannot use relay {url!r}: {reason}")
        self.url = url
        self.reason = reason


class InvalidFilter(InvalidInput):
    """A filter that NIP-01 does not allow."""


class InvalidText(InvalidInput):
    """An answer that has no text or is not UTF-8; `line` (from 1) where it is one line's fault."""

    def __init__(self, text: str, *, line: int | None = None) -> None:
        super().__init__(text)
        self.line = line


class LimitTooSmall(InvalidInput):
    """A limit that leaves no room for text beside the marker."""


class InvalidConfig(InvalidInput):
    """A configuration file that cannot be read; `path` and `line` (from 1, or None) say where."""

    def __init__(self, path: Path, line: int | None, reason: str) -> None:
        where = f"{path}:{line}" if line is not None else str(path)
        super().__init__(f"{where}: {reason}")
        self.path = path
        self.line = line
        self.reason = reason


class AnswerFailed(NostrThreadsError):
    """A bot's answer could not be made: its program, template, function or model failed.

    The sentence is for the bot's owner and its record. It never goes into an answer.
    """


class NotFound(NostrThreadsError):
    """Nothing is known under the code that was asked for."""


class NothingAccepted(NostrThreadsError):
    """No relay accepted anything that was published."""


class RelayInfoUnavailable(NostrThreadsError):
    """A relay has no usable document about itself (NIP-11); `url` is the relay's."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{url} does not say what it is: {reason}")
        self.url = url
        self.reason = reason


class NoRelayReachable(NostrThreadsError):
    """Every relay that was tried could not be reached."""

    exit_code = 4


class QuorumMissed(NostrThreadsError):
    """Fewer relays accepted a part than were asked for."""

    exit_code = 5


class StoreError(NostrThreadsError):
    """The local database cannot be read or written."""

    exit_code = 6


class TooCostly(StoreError):
    """A question that takes longer than it may; see `Store.within`."""


class TakenOver(StoreError):
    """Another process does by now what this one began: this one was silent for too long."""


class StoreTooNew(StoreError):
    """The store was written by a later version of this program."""


class StoreTooOld(StoreError):
    """The store is empty or was written by an earlier version, and was opened only to be read."""


class SigningError(NostrThreadsError):
    """Nothing could be signed. Never carries a secret."""

    exit_code = 7


class NoSigner(SigningError):
    """There is no key to sign with."""


class WrongPassword(SigningError):
    """The password does not open the key."""


class CannotEncrypt(SigningError):
    """A text that NIP-44 has no room for, or that a signer elsewhere did not encrypt."""


class CannotDecrypt(SigningError):
    """What was encrypted is damaged, of another version, or for somebody else (NIP-44)."""


class BunkerError(SigningError):
    """A signer elsewhere (NIP-46) that refuses, does not answer, or is not who it was.

    `is_silence`: nothing came back at all.
    """

    def __init__(self, text: str, *, is_silence: bool = False) -> None:
        super().__init__(text)
        self.is_silence = is_silence
