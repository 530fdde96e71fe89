"""Which rules answer what was heard, and why each of them does or does not.

Knows what a rule's conditions mean. Knows nothing of who may be answered at all: see `guards`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from nostr_threads.core.article import Form
from nostr_threads.core.bots.patterns import has_word, plain
from nostr_threads.core.bots.ways import hashtags_of
from nostr_threads.core.verbatim import prose_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nostr_threads.core.bots.patterns import Pattern
    from nostr_threads.core.bots.specs import Spec
    from nostr_threads.core.bots.ways import Way
    from nostr_threads.core.event import Event

__all__ = ["Choice", "Finding", "Heard", "Match", "Rule", "When", "check", "choose", "is_question"]


# Nobody asks at greater length, and much would be looked through for each rule.
_LONGEST_TEXT = 20_000


class Match(StrEnum):
    """How many of the rules that fit answer."""

    FIRST = "first"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a rule looks at. `text` is what a reader sees, without the names of the bot (`Ask`).

    `author` is hex, "" for nobody in particular; `hashtags` are in lower case. Words, questions and
    patterns are looked for in the first 20,000 characters.
    """

    text: str
    ways: frozenset[Way] = frozenset()
    kind: int = 1
    author: str = ""
    hashtags: frozenset[str] = frozenset()

    @classmethod
    def of(cls, event: Event, text: str, ways: frozenset[Way]) -> Heard:
        """Make it of an event, its readable text, and how it came."""
        return cls(text, ways, event.kind, event.pubkey, hashtags_of(event))


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule: those that are given must all hold. Without any it always fits.

    Of `ways`, `kinds`, `authors` (hex), `hashtags` (lower case), `patterns` and `words` one is
    enough, of `all_words` none may be missing. `question`: whether there must, or must not, be a
    question. Lengths are in characters of the readable text, both inclusive.
    """

    ways: frozenset[Way] = frozenset()
    kinds: frozenset[int] = frozenset()
    authors: frozenset[str] = frozenset()
    not_authors: frozenset[str] = frozenset()
    hashtags: frozenset[str] = frozenset()
    min_length: int | None = None
    max_length: int | None = None
    question: bool | None = None
    words: tuple[str, ...] = ()
    all_words: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """When to answer, and with what. `form` None is whichever suits the length of the answer.

    `title` is an article's; `content_warning` (NIP-36) is the reason, None for no warning.
    """

    name: str
    answer: Spec
    when: When = field(default_factory=When)
    form: Form | None = Form.THREAD
    title: str = ""
    content_warning: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something fits; `why` names all that holds, or the first thing that does not."""

    fits: bool
    why: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The rules that answer, and a finding for every rule, in the order of the file."""

    rules: tuple[Rule, ...]
    findings: tuple[tuple[Rule, Finding], ...]


def choose(rules: Sequence[Rule], heard: Heard, match: Match = Match.FIRST) -> Choice:
    """Return the rules that answer `heard`: the first that fits, or all of them."""
    chosen: list[Rule] = []
    findings: list[tuple[Rule, Finding]] = []
    for rule in rules:
        if chosen and match is Match.FIRST:
            finding = Finding(fits=False, why=f"{chosen[0].name} answers already")
        else:
            finding = check(rule.when, heard)
        findings.append((rule, finding))
        if finding.fits:
            chosen.append(rule)
    return Choice(tuple(chosen), tuple(findings))


def check(when: When, heard: Heard) -> Finding:
    """Say whether all conditions hold. Those that cost least are looked at first."""
    held: list[str] = []
    for condition in _CONDITIONS:
        finding = condition(when, heard)
        if finding is not None:
            if not finding.fits:
                return finding
            held.append(finding.why)
    return Finding(fits=True, why=", ".join(held) or "it has no conditions")


# Those in use where there are no spaces are followed by anything; the others by no letter or sign
# of a link, so that "x.org/?q=1" is no question.
_MARK = re.compile("[？؟⁇⁈⁉‽՞፧]|[?\u037e](?![\\w/=&#%])")  # noqa: RUF001 (their look is the point)
_LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}+://[^\s<>\"]++")


def is_question(text: str) -> bool:
    """Whether a sentence of `text` ends in a question mark, of any script; not in code or links."""
    return any(_MARK.search(_without_links(text[start:end])) for start, end in prose_in(text))


def _without_links(text: str) -> str:
    """A mark at the very end of a link is the sentence's: "did you see https://x.org?"."""
    return _LINK.sub(lambda link: " " + link[0][len(link[0].rstrip("?？؟!.)*_")) :], text)  # noqa: RUF001


def _ways(when: When, heard: Heard) -> Finding | None:
    if not when.ways:
        return None
    both = sorted(when.ways & heard.ways)
    wanted = " or ".join(sorted(when.ways))
    return Finding(bool(both), f"it is a {both[0]}" if both else f"it came by no {wanted}")


def _kinds(when: When, heard: Heard) -> Finding | None:
    if not when.kinds:
        return None
    fits = heard.kind in when.kinds
    return Finding(fits, f"its kind is {heard.kind}" + ("" if fits else ", which is not wanted"))


def _authors(when: When, heard: Heard) -> Finding | None:
    if heard.author in when.not_authors:
        return Finding(fits=False, why="its author is one of not_authors")
    if not when.authors:
        return None
    fits = heard.author in when.authors
    return Finding(fits, f"its author is {'' if fits else 'not '}one of authors")


def _hashtags(when: When, heard: Heard) -> Finding | None:
    if not when.hashtags:
        return None
    both = sorted(when.hashtags & heard.hashtags)
    return Finding(bool(both), f"it has #{both[0]}" if both else "it has none of the hashtags")


def _length(when: When, heard: Heard) -> Finding | None:
    length = len(heard.text.strip())
    if when.min_length is not None and length < when.min_length:
        return Finding(fits=False, why=f"it has {length} characters, fewer than {when.min_length}")
    if when.max_length is not None and length > when.max_length:
        return Finding(fits=False, why=f"it has {length} characters, more than {when.max_length}")
    is_bounded = when.min_length is not None or when.max_length is not None
    return Finding(fits=True, why=f"it has {length} characters") if is_bounded else None


def _question(when: When, heard: Heard) -> Finding | None:
    if when.question is None:
        return None
    found = is_question(heard.text[:_LONGEST_TEXT])
    return Finding(found is when.question, "it asks a question" if found else "it asks no question")


def _words(when: When, heard: Heard) -> Finding | None:
    if not when.words:
        return None
    found = next(_held(when.words, heard.text), None)
    return Finding(found is not None, f"it has {found!r}" if found else "it has none of the words")


def _all_words(when: When, heard: Heard) -> Finding | None:
    if not when.all_words:
        return None
    held = set(_held(when.all_words, heard.text))
    missing = [word for word in when.all_words if word not in held]
    return Finding(not missing, f"it has no {missing[0]!r}" if missing else "it has all the words")


def _held(words: Sequence[str], text: str) -> Iterator[str]:
    seen = plain(text[:_LONGEST_TEXT])
    return (word for word in words if has_word(seen, plain(word)))


def _patterns(when: When, heard: Heard) -> Finding | None:
    if not when.patterns:
        return None
    why = "no regex fits"
    for pattern in when.patterns:
        found = pattern.search(heard.text[:_LONGEST_TEXT])
        if found.is_there:
            return Finding(fits=True, why=f"the regex {pattern.source!r} fits")
        if found.gave_up:
            why = f"the regex {pattern.source!r} took too long, which counts as no match"
    return Finding(fits=False, why=why)


_CONDITIONS: tuple[Callable[[When, Heard], Finding | None], ...] = (
    _ways,
    _kinds,
    _authors,
    _hashtags,
    _length,
    _question,
    _words,
    _all_words,
    _patterns,
)
