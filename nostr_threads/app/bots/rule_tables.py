"""A `[[rule]]` of bot.toml: its name, when it answers, and as what.

Knows the keys of a rule and of its conditions. Where the answer comes from `answer_tables` reads.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nostr_threads.app.bots.answer_tables import read_answer
from nostr_threads.app.bots.tables import one_of
from nostr_threads.core.article import Form
from nostr_threads.core.bots.entry import FORMS
from nostr_threads.core.bots.patterns import Pattern, plain
from nostr_threads.core.bots.ways import Way
from nostr_threads.core.bots.when import Rule, When
from nostr_threads.core.event import MAX_KIND
from nostr_threads.core.nip19 import parse_pubkey
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from nostr_threads.app.bots.tables import Table

__all__ = ["hashtag", "person", "read_rule"]

_LONGEST_NAME = 64
_WAYS = {way.value: way for way in Way}


def read_rule(table: Table, folder: Path) -> Rule:
    """Read one rule; paths in it start from `folder`. Raises `InvalidConfig`."""
    if "name" not in table:
        raise table.error("a rule needs a name, by which its answers are kept apart")
    if "answer" not in table:
        raise table.error("a rule needs an answer")
    warning = table.text("content_warning", may_be_empty=True)
    made = Rule(
        name=table.read("name", _name, ""),
        answer=read_answer(table.table("answer"), folder),
        when=_when(table.table("when")),
        form=table.read("as", lambda word: one_of(word, FORMS), Form.THREAD),
        title=table.text("title"),
        content_warning=warning if "content_warning" in table else None,
    )
    table.done()
    return made


def person(text: str) -> str:
    """Read an npub, an nprofile or a public key; return it as hex. Raises `InvalidInput`."""
    return parse_pubkey(text).pubkey


def hashtag(text: str) -> str:
    """Read a hashtag with or without `#`; return it without, in lower case."""
    name = text.strip().removeprefix("#").lower()
    if not name or any(char.isspace() or char == "#" for char in name):
        raise InvalidInput("a hashtag is one word")
    return name


def _name(text: str) -> str:
    name = text.strip()
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidInput(f"a name is one line of at most {_LONGEST_NAME} characters")
    return name


def _when(table: Table) -> When:
    # A list without anything would be no condition, and the rule answer everything.
    exact = table.flag("exact", default=False)
    made = When(
        ways=frozenset(table.each("ways", lambda word: one_of(word, _WAYS), least=1)),
        kinds=frozenset(table.wholes("kinds", most=MAX_KIND)),
        authors=frozenset(table.each("authors", person, least=1)),
        not_authors=frozenset(table.each("not_authors", person, least=1)),
        hashtags=frozenset(table.each("hashtags", hashtag, least=1)),
        min_length=_length(table, "min_length"),
        max_length=_length(table, "max_length"),
        question=table.flag("question", default=None),
        words=table.each("words", _word, least=1),
        all_words=table.each("all_words", _word, least=1),
        patterns=table.each("regex", partial(Pattern, exact=exact), least=1),
    )
    if made.max_length is not None and (made.min_length or 0) > made.max_length:
        raise table.error("it is more than max_length", "min_length")
    table.done()
    return made


def _length(table: Table, key: str) -> int | None:
    length = table.whole(key, 0, least=0)
    return length if key in table else None


def _word(text: str) -> str:
    if not plain(text).strip():
        raise InvalidInput("this is no word")
    return text
