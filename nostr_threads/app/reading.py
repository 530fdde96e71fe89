"""What somebody wrote, made fit to be published: cleaned, checked, its mentions looked up.

Knows what the author is to be told of it. How each fault is found is the core's to know.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import getproxies

from nostr_threads.core.encoding import garbled, mend
from nostr_threads.core.endings import Ending, unfinished
from nostr_threads.core.manuscript import cleaned, removal
from nostr_threads.core.mentions import broken, linked, refuse_secrets, unresolved
from nostr_threads.core.relay_url import is_local
from nostr_threads.errors import InvalidCode, InvalidInput, InvalidText
from nostr_threads.net.document import public_client
from nostr_threads.net.names import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nostr_threads.core.entities import Profile

__all__ = ["Reading", "check", "plain", "read"]

_MOST_NAMES = 20
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that can be published, and what its author should know of it, in sentences."""

    text: str
    warnings: tuple[str, ...] = ()


async def read(text: str, *, strict: bool = False, fix_encoding: bool = False) -> Reading:
    """Clean and check a text as `check` does, and look up the names in it (NIP-05)."""
    found = check(text, strict=strict, fix_encoding=fix_encoding)
    names = unresolved(found.text)
    people, failures = await _looked_up(names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        failures.append(f"only {_MOST_NAMES} of {len(names)} names were looked up")
    wrong = [f"{code[:40]} is no valid code; it stays as it is" for code in broken(found.text)]
    return Reading(linked(found.text, people), (*found.warnings, *failures, *wrong))


def check(text: str, *, strict: bool = False, fix_encoding: bool = False) -> Reading:
    """Take out control characters, mend what is to be mended, and say what looks wrong.

    Nobody is asked. With `strict` a text that seems unfinished or garbled raises `InvalidText`; a
    secret key in it does so always.
    """
    if fix_encoding:
        # Before anything is taken out: garbled text holds control characters that mean something.
        text = mend(text)
    text, removed = cleaned(text)
    # Before anything is said of the text: what is told of it may hold its last words.
    refuse_secrets(text)
    warnings = [removal(removed)] if removed else []
    faults = [*_garbles(text), *_endings(text)]
    if strict and faults:
        raise InvalidText(faults[0])
    if not text.strip():
        raise InvalidText("there is no text")
    return Reading(text, (*warnings, *faults))


def plain(words: str) -> str:
    """Return what is published beside a text, without control characters.

    Raises `InvalidText` for a secret key.
    """
    refuse_secrets(words)
    return cleaned(words)[0]


async def _looked_up(names: Iterable[str]) -> tuple[dict[str, Profile], list[str]]:
    wanted = tuple(names)
    found = await asyncio.gather(
        *(_resolved(*name.split("@", 1)) for name in wanted), return_exceptions=True
    )
    people: dict[str, Profile] = {}
    failures: list[str] = []
    for name, result in zip(wanted, found, strict=True):
        if isinstance(result, InvalidCode | InvalidInput):
            failures.append(f"@{name} stays as it is: {result}")
        elif isinstance(result, BaseException):
            raise result
        else:
            people[name] = result
    return people, failures


async def _resolved(name: str, domain: str) -> Profile:
    # A text may come from anybody, or from a model: it must not make us look around at home.
    if is_local(f"wss://{domain}"):
        raise InvalidCode(f"{domain} is on this machine or its network")
    # A proxy resolves names itself, and must not be gone past.
    return await resolve(name, domain, client=None if getproxies() else public_client)


def _garbles(text: str) -> Iterator[str]:
    found = garbled(text)
    shown = ", ".join(
        f"{each.text!r} for {each.mended!r} in line {each.line}" for each in found[:_MOST_SHOWN]
    )
    if found:
        more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        yield f"the text was once read in a wrong code page: {shown}{more}; --fix-encoding mends it"


def _endings(text: str) -> Iterator[str]:
    if (found := unfinished(text)) is not None:
        kind = "piece of code" if found.kind is Ending.CODE else found.kind
        yield f"the text seems to stop in the middle of a {kind}: “… {found.last_words}”"
