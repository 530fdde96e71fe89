"""A marked secret, and every form in which it could show up where it must not."""

from __future__ import annotations

import traceback

from nostr_threads.core import nip19
from nostr_threads.signing import SecretKey, secret_from_hex

MARKED_HEX = "5ec12e7" * 9 + "0"
MARKED_RAW = bytes.fromhex(MARKED_HEX)


def marked() -> SecretKey:
    return secret_from_hex(MARKED_HEX)


def forms_of(raw: bytes) -> tuple[str, ...]:
    """Return how `raw` looks as hex, nsec, bytes and number, each without its ends."""
    whole = (
        raw.hex(),
        nip19.encode(SecretKey(raw.hex())),
        repr(raw)[2:-1],
        str(int.from_bytes(raw)),
    )
    return tuple(form[5:40] for form in whole)


def leaks(text: str, raw: bytes = MARKED_RAW) -> list[str]:
    return [form for form in forms_of(raw) if form.lower() in text.lower()]


def whole_story(error: BaseException, *, show_locals: bool = False) -> str:
    """Return what a logger could print of `error`, with everything that hangs on it.

    The test's own frame is left out: it holds the secret in the open.
    """
    below = error.__traceback__.tb_next if error.__traceback__ else None
    told = traceback.TracebackException(type(error), error, below, capture_locals=show_locals)
    text = "".join(told.format())
    seen: BaseException | None = error
    while seen is not None:
        text += f"{seen!s} {seen!r} {seen.args!r} {vars(seen)!r} {getattr(seen, 'object', '')!r}"
        seen = seen.__cause__ or seen.__context__
    return text
