"""Where the answers of a rule come from, as its bot's file says.

Knows what can be said of each source. How each of them answers is `app.bots.answering`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

__all__ = [
    "BankOf",
    "CommandOf",
    "FileOf",
    "ModelOf",
    "PluginOf",
    "PythonOf",
    "Spec",
    "TemplateOf",
    "TextOf",
]


@dataclass(frozen=True, slots=True)
class TextOf:
    """Always the same text."""

    text: str


@dataclass(frozen=True, slots=True)
class FileOf:
    """A Markdown file, read anew for each answer; its front matter may give a title."""

    path: str


@dataclass(frozen=True, slots=True)
class BankOf:
    """A folder of Markdown answers to known questions, of which the best is given, or none.

    `threshold` is from 0 to 1: how well the question must fit, 1 being word for word.
    """

    folder: str
    threshold: float = 0.5


@dataclass(frozen=True, slots=True)
class TemplateOf:
    """A Jinja2 template, from the bot's file or from a file of its own."""

    text: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class CommandOf:
    """A program that is given one line of JSON and writes one.

    `words` are the program and its arguments: no shell reads them. It has `timeout` seconds and may
    write `most` bytes. Of the environment it gets PATH, HOME, LANG and TZ, and the variables named
    in `environment`.
    """

    words: tuple[str, ...]
    timeout: float = 30.0
    most: int = 262_144
    environment: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PythonOf:
    """A function or an object with `answer`, written `module:name`."""

    name: str
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class PluginOf:
    """What a package offers under the entry point group `nostr_threads.bots`."""

    name: str
    timeout: float = 60.0


@dataclass(frozen=True, slots=True)
class ModelOf:
    """A model through the `llm` package; `name` "" is the one that `llm` takes by default.

    `context` is how many tokens of the thread it is shown at most. An answer that was cut off is
    continued up to `continued` times.
    """

    name: str = ""
    system: str = ""
    context: int = 4_000
    continued: int = 3
    timeout: float = 120.0


Spec: TypeAlias = TextOf | FileOf | BankOf | TemplateOf | CommandOf | PythonOf | PluginOf | ModelOf
