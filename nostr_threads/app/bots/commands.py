"""Answers from a program in any language: one line of JSON in, one out.

Knows what it may see of our environment. What is said is known in `core.bots.exchange`, how it is
run in `programs`.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from nostr_threads.app.bots.programs import run
from nostr_threads.core.article import Form
from nostr_threads.core.bots.exchange import said, told
from nostr_threads.core.mentions import refuse_secrets
from nostr_threads.errors import AnswerFailed, InvalidInput, InvalidText

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nostr_threads.core.bots.asks import Answer, Ask
    from nostr_threads.core.bots.specs import CommandOf

__all__ = ["Command"]

_ALWAYS = ("PATH", "HOME", "LANG", "TZ")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Ours hold keys, and where they are.
_OURS = "NOSTR_"
# The secret of a link to a bunker, and a key in hex, are secrets as much as an nsec is.
_SECRET_LINK = re.compile(r"(?:bunker|nostrconnect)://", re.IGNORECASE)
_HEX_KEY = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


class Command:
    """A bot that asks a program, run anew for each question in the folder of the bot's file.

    Raises `InvalidInput` for a variable that may hold a key of ours, and for no program.
    """

    def __init__(self, spec: CommandOf, folder: Path, *, form: Form | None = Form.THREAD) -> None:
        if not spec.words or not spec.words[0] or any("\0" in word for word in spec.words):
            raise InvalidInput("a command needs the name of its program")
        for name in spec.environment:
            _check_name(name)
        self._spec = spec
        self._folder = folder
        self._form = form

    async def answer(self, ask: Ask) -> Answer | None:
        """Return what the program answers. Raises `AnswerFailed` where it fails."""
        spec = self._spec
        output = await run(
            spec.words,
            told(ask),
            folder=self._folder,
            environment=_environment(spec.environment, os.environ),
            seconds=spec.timeout,
            most=spec.most,
        )
        name = shlex.quote(spec.words[0])
        try:
            return said(output.decode(), self._form)
        except UnicodeDecodeError:
            raise AnswerFailed(f"{name}: it gave what is not UTF-8") from None
        except AnswerFailed as error:
            raise AnswerFailed(f"{name}: {error}") from None


def _check_name(name: str) -> None:
    if name.upper().startswith(_OURS):
        raise InvalidInput(f"{name} may hold a secret key, which no bot's program is given")
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(f"{name!r} is not the name of a variable")


def _environment(named: tuple[str, ...], ours: Mapping[str, str]) -> dict[str, str]:
    """What a program sees: what is named, and nothing that holds a key whatever its name.

    Raises `AnswerFailed` for one that does, without its value.
    """
    found = {name: ours[name] for name in (*_ALWAYS, *named) if name in ours}
    found.setdefault("PATH", os.defpath)
    for name, value in found.items():
        if _is_secret(value):
            raise AnswerFailed(f"${name} holds a secret key, which no bot's program is given")
    return found


def _is_secret(value: str) -> bool:
    try:
        refuse_secrets(value)
    except InvalidText:
        return True
    return bool(_SECRET_LINK.match(value) or _HEX_KEY.fullmatch(value.strip()))
