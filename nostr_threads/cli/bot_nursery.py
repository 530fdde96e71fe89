"""`bot new`: a folder with a bot that answers questions, to begin with.

Knows what stands in it. What it means is `app.bots.botfile`'s.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nostr_threads.cli.console import emit, say
from nostr_threads.errors import InvalidInput

__all__ = ["new"]

_BOT = """\
# A bot that answers what it knows, and says nothing where it does not.
# Try it: nostr-threads bot check bot.toml questions.txt

[bot]
name = "{name}"
key = "{name}"              # its own, never yours: `nostr-threads key new {name}` makes it
listen = ["mentions", "replies"]
# hashtags = ["asknostr"]   # questions to nobody in particular
catch_up = "24h"            # what came while it was off, and is not older, is answered

[guards]
pause = "3s"
# quiet = ["23:00-07:00"]
# timezone = "Europe/Berlin"

[budgets]
per_author_hour = 6
per_day = 200

[[rule]]
name = "help"
when = {{ words = ["help"], max_length = 40 }}
answer = {{ text = "Ask me a question: I answer what I know, and nothing else." }}

[[rule]]
name = "bank"
when = {{ question = true }}
answer = {{ bank = "answers", threshold = 0.5 }}
"""
_ANSWERS = {
    "relay.md": """\
---
question:
  - What is a relay?
  - How do relays work?
difficulty: easy
---
A relay is a server that stores signed notes and gives them to whoever asks. Nobody has all of
Nostr: each relay has what was sent to it.
""",
    "long-answers.md": """\
---
question: How do I post an answer that is too long for one note?
words: long answer, too long
---
`nostr-threads publish answer.md` splits it between sentences, sends the parts in order, and reads
each of them back from every relay.
""",
}
_QUESTIONS = """\
What is a relay?
my answer is too long for one note, what now?
What is the weather like?
help
"""


def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the bot is to be.")],
) -> None:
    """Make a folder with a bot that answers from a bank of Markdown files.

    Example: nostr-threads bot new faq
    """
    from nostr_threads.app.bots.botfile import is_name

    name = folder.resolve().name
    if not is_name(name):
        raise InvalidInput("a bot is called as its folder: letters, digits, '.', '_' and '-'")
    files = {
        "bot.toml": _BOT.format(name=name),
        "questions.txt": _QUESTIONS,
        **{f"answers/{file}": text for file, text in _ANSWERS.items()},
    }
    there = next((path for path in files if (folder / path).exists()), None)
    if there is not None:
        raise InvalidInput(f"{folder / there} is there already: choose another folder")
    for path, text in files.items():
        _write(folder / path, text)
        emit(f"{folder / path}\n")
    say(f"next: nostr-threads bot check {folder / 'bot.toml'} {folder / 'questions.txt'}")
    say(
        f"then: nostr-threads key new {name}; nostr-threads bot run {folder / 'bot.toml'} --dry-run"
    )


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot write {path}: {error.strerror or error}") from None
