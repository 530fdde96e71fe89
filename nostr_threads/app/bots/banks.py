"""Answer banks: folders of Markdown answers to known questions, of which the best is given.

Knows when a folder has to be read again, and what is wrong with its files. How well an answer fits
is known in `core.bots.bank`.
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.bots.files import read_text
from nostr_threads.core.article import Form
from nostr_threads.core.bots.bank import Matcher, best
from nostr_threads.core.bots.entry import read_entry
from nostr_threads.errors import AnswerFailed, InvalidConfig, InvalidText
from nostr_threads.store.ranking import Ranking

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.core.bots.asks import Answer, Ask
    from nostr_threads.core.bots.bank import Match
    from nostr_threads.core.bots.entry import Entry

__all__ = ["Bank"]

_log = logging.getLogger(__name__)

_MOST_FILES = 5_000
_NOT_AN_ANSWER = "readme.md"

_State: TypeAlias = tuple[tuple[str, int, int], ...]
"""Name, time and size of each file."""


class Bank:
    """A bot that gives the answer in `folder` that fits best, and nothing below `threshold`.

    Every `.md` under the folder is an answer, but for a README.md and what is hidden. They are read
    again once one has changed. A file that cannot be read is one of `problems` and stops no other.
    """

    def __init__(
        self, folder: Path, threshold: float = 0.5, *, form: Form | None = Form.THREAD
    ) -> None:
        self._folder = folder
        self._threshold = threshold
        self._form = form
        self._lock = Lock()
        self._seen: tuple[_State, tuple[str, ...]] | None = None
        self._matcher = Matcher((), Ranking)
        self._problems: tuple[InvalidConfig, ...] = ()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The answers as they are now."""
        with self._lock:
            self._refresh()
            return self._matcher.entries

    @property
    def problems(self) -> tuple[InvalidConfig, ...]:
        """What cannot be read now, each with its file, and its line where it has one."""
        with self._lock:
            self._refresh()
            return self._problems

    def explain(self, question: str) -> list[Match]:
        """Return every answer that has something of `question`, the best first, each with why."""
        with self._lock:
            self._refresh()
            return self._matcher.matches(question)

    def choose(self, question: str) -> Match | None:
        """Return what would be given for `question`; None where none fits well enough."""
        return best(self.explain(question), self._threshold)

    async def answer(self, ask: Ask) -> Answer | None:
        """Return the answer that fits what is asked, None where none does.

        Raises `AnswerFailed` where the bank has no answers at all: its folder may be back later.
        """
        found = await off_loop(self._chosen, ask)
        return found.entry.answer(self._form) if found is not None else None

    def _chosen(self, ask: Ask) -> Match | None:
        with self._lock:
            self._refresh()
            matcher, problems = self._matcher, self._problems
        if not matcher.entries:
            why = f": {problems[0]}" if problems else ""
            raise AnswerFailed(f"{self._folder} has no answer that can be read{why}")
        fitting = [each for each in matcher.matches(ask.text) if each.entry.speaks_to(ask.event)]
        return best(fitting, self._threshold)

    def _refresh(self) -> None:
        state, problems = _look(self._folder)
        seen = (state, tuple(map(str, problems)))
        if seen == self._seen:
            return
        entries: list[Entry] = []
        for name, _, _ in state:
            try:
                entries.append(_read(self._folder / name, name))
            except InvalidConfig as error:
                problems.append(error)
        for problem in problems:
            _log.warning("%s", problem)
        self._matcher = Matcher(entries, Ranking)
        self._problems, self._seen = tuple(problems), seen


def _look(folder: Path) -> tuple[_State, list[InvalidConfig]]:
    """The files there are, sorted; and what is wrong with the folder itself."""
    found: list[tuple[str, int, int]] = []
    problems: list[InvalidConfig] = []
    try:
        if not folder.is_dir():
            return (), [InvalidConfig(folder, None, "is no folder")]
        for path in sorted(folder.rglob("*.md")):
            name = path.relative_to(folder).as_posix()
            if path.name.lower() == _NOT_AN_ANSWER or "/." in f"/{name}":
                continue
            # A link that leads nowhere has a name and no size.
            about = path.lstat() if not path.exists() else path.stat()
            found.append((name, about.st_mtime_ns, about.st_size))
    except OSError as error:
        problems.append(InvalidConfig(folder, None, error.strerror or str(error)))
    if len(found) > _MOST_FILES:
        problems.append(InvalidConfig(folder, None, f"has more than {_MOST_FILES:,} answers"))
    return tuple(found[:_MOST_FILES]), problems


def _read(path: Path, name: str) -> Entry:
    text = read_text(path)
    try:
        entry = read_entry(text, name)
    except InvalidText as error:
        raise InvalidConfig(path, error.line, str(error)) from None
    if not entry.questions and not entry.words:
        raise InvalidConfig(path, 1, "has neither a `question` nor `words`: nothing finds it")
    return entry
