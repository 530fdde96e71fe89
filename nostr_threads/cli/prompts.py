"""How a person is asked: for a secret, a password, a yes. A secret never comes from argv.

Knows the terminal, stdin and file descriptors. Knows nothing of keys.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from nostr_threads.errors import InvalidInput, SigningError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ask_password", "ask_secret", "ask_unseen", "has_terminal", "insist"]

# Bytes: 24 words with their spaces, or a link with ten relays.
_LONGEST_SECRET = 10_000


def has_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def ask_password(what: str, descriptor: int | None = None, *, confirm: bool = False) -> str:
    """Take a password from an open file descriptor, or ask for it on the terminal.

    With `confirm` it is a new one, and asked for twice.
    """
    if descriptor is not None:
        return _read_password(descriptor)
    why = "a new password is needed" if confirm else "the key has a password"
    otherwise = f"{why}: run this on a terminal, or use --password-fd"
    return ask_unseen(what, otherwise, confirm=confirm)


def ask_unseen(what: str, otherwise: str, *, confirm: bool = False) -> str:
    """Ask on the terminal for what is not shown; `SigningError` with `otherwise` without one."""
    if not has_terminal():
        raise SigningError(otherwise)
    with _ending_at_once():
        answer: str = typer.prompt(what, hide_input=True, err=True, confirmation_prompt=confirm)
    return answer


def ask_secret(what: str) -> str:
    """Take a secret from the terminal, unseen, or from stdin. Raises `InvalidInput` for none."""
    if has_terminal():
        answer = ask_unseen(what, "")
    elif sys.stdin is None:
        raise InvalidInput("stdin is closed")
    else:
        answer = _text(sys.stdin.buffer.read(_LONGEST_SECRET + 1))
    if not answer.strip():
        raise InvalidInput("nothing was given")
    return answer.strip()


def insist(question: str, *, yes: bool = False) -> None:
    """Ask on the terminal, unless the answer was given before; without one `--yes` is needed."""
    if yes:
        return
    if not has_terminal():
        raise InvalidInput("this asks first, and there is nobody to ask: say --yes")
    with _ending_at_once():
        typer.confirm(question, abort=True, err=True)


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """Let Ctrl-C end a question at once: asyncio's way is to wait until the loop has a turn."""
    is_ours = threading.current_thread() is threading.main_thread()
    if not is_ours or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _text(data: bytes) -> str:
    """Read what came on stdin. Raises `InvalidInput`, which does not show it."""
    if len(data) > _LONGEST_SECRET:
        raise InvalidInput("this is longer than any key or link")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput("this is no key: what came on stdin is not text in UTF-8") from None


def _read_password(descriptor: int) -> str:
    """Read one line, and no more: the next one may be the password of another key."""
    data = bytearray()
    try:
        while (byte := os.read(descriptor, 1)) not in (b"", b"\n") and len(data) < _LONGEST_SECRET:
            data += byte
        password = data.decode()
    except (OSError, UnicodeDecodeError):
        raise SigningError(f"no password can be read from descriptor {descriptor}") from None
    if not password:
        raise SigningError(f"descriptor {descriptor} gave an empty password")
    return password
