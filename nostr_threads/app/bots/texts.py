"""Answers that are texts already: one from the bot's file, and one from a file of its own.

Knows that such a file may name words without which it stays silent. Knows nothing of questions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.app.blocking import off_loop
from nostr_threads.app.bots.answer_tables import path_in
from nostr_threads.app.bots.files import read_text
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.bank import has_words
from nostr_threads.core.bots.entry import read_entry
from nostr_threads.errors import InvalidConfig, InvalidInput, InvalidText

if TYPE_CHECKING:
    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.core.bots.entry import Entry
    from nostr_threads.core.bots.specs import FileOf, TextOf

__all__ = ["Read", "Same"]


class Same:
    """A bot that always says the same. Raises `InvalidInput` where that is nothing."""

    def __init__(self, spec: TextOf, *, form: Form | None = Form.THREAD) -> None:
        if not spec.text.strip():
            raise InvalidInput("there is no text to answer with")
        self._answer = Answer(spec.text, form)

    async def answer(self, ask: Ask) -> Answer | None:  # noqa: ARG002 - the protocol's shape
        """Return the text."""
        return self._answer


class Read:
    """A bot that says what stands in a file, read anew each time.

    With `words` in its front matter it is silent where the note has not all of them, with a
    `language` where the note says that it is in another; `title`, `as`
    and `content_warning` say how it is published. Raises `InvalidConfig`, which names the file.
    """

    def __init__(self, spec: FileOf, folder: Path, *, form: Form | None = Form.THREAD) -> None:
        self._path = Path(path_in(folder, spec.path))
        self._form = form
        self._entry()

    async def answer(self, ask: Ask) -> Answer | None:
        """Return what the file says now. Raises `InvalidConfig` where it cannot be read."""
        entry = await off_loop(self._entry)
        if not entry.speaks_to(ask.event) or (entry.words and not has_words(entry, ask.text)):
            return None
        return entry.answer(self._form)

    def _entry(self) -> Entry:
        text = read_text(self._path)
        try:
            return read_entry(text, self._path.name, strict=False)
        except InvalidText as error:
            raise InvalidConfig(self._path, error.line, str(error)) from None
