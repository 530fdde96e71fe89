"""A text as one article, the note that links it, and when an article is the better form.

Knows NIP-23 and what an edit keeps. Knows nothing of Markdown: what an article is called and which
identifier that makes is for `front_matter` to find.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.core.compose import NO_EXTRAS, called, compose, extra_tags
from nostr_threads.core.content import mention_tags
from nostr_threads.core.entities import Address
from nostr_threads.core.event import Draft
from nostr_threads.core.front_matter import front_matter
from nostr_threads.core.join import Part
from nostr_threads.core.nip19 import encode
from nostr_threads.errors import InvalidInput, InvalidText

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nostr_threads.core.compose import Extras, Target
    from nostr_threads.core.content import Hint
    from nostr_threads.core.event import Event, Tags, Verified
    from nostr_threads.core.front_matter import FrontMatter

__all__ = ["Form", "choose_form", "draft_article", "linking_note", "linking_text"]

# An naddr carries no more (NIP-19), and a relay URL has to fit it too.
_LONGEST_IN_CODE = 255
_HINTS = 3
_LONGEST_LINK_TEXT = 1_000
# No time has more digits that every JSON reader keeps.
_DIGITS = 15


class Form(StrEnum):
    """What a text is published as."""

    NOTE = "note"
    THREAD = "thread"
    ARTICLE = "article"


def choose_form(text: str, parts_needed: int, *, most_parts: int = 8) -> tuple[Form, str]:
    """Return what a text is best published as, and why in words for its author.

    `parts_needed` is what splitting it under the limits gives.
    """
    found, _ = front_matter(text)
    if found is not None:
        return Form.ARTICLE, "it begins with a front matter, as articles do"
    if parts_needed <= 1:
        return Form.NOTE, "it fits one note"
    if parts_needed <= most_parts:
        return Form.THREAD, f"it takes {parts_needed} parts"
    return Form.ARTICLE, f"it would take {parts_needed} parts; articles hold any length"


def draft_article(
    text: str,
    about: FrontMatter,
    *,
    author: str,
    created_at: int,
    published_at: int | None = None,
    extras: Extras = NO_EXTRAS,
    previous: Verified | None = None,
    hints: Mapping[str, Hint] | None = None,
) -> Draft:
    """Return the article (NIP-23) that `text` is, its Markdown unchanged, without front matter.

    `about` says what it is called (see `front_matter.described`), its identifier being the `d`
    tag; `author` is the key (64 hex digits) that will sign. `published_at` (unix seconds) is
    `created_at` unless given. `previous` is the version that this one replaces, by the same author
    and with the same identifier: its date of publication stays, and the new one is dated later than
    it, or relays would drop it. A subject in `extras` is not used: an
    article has its title. Raises `InvalidInput` for an identifier that no code can carry and for
    a version of something else, `InvalidText` for no text.
    """
    _, body = front_matter(text)
    if not body.strip():
        raise InvalidText("there is no text")
    _check_identifier(about.identifier)
    first = created_at if published_at is None else published_at
    if previous is not None:
        _check_previous(previous, author, about.identifier)
        created_at = max(created_at, previous.created_at + 1)
        first = _first_published(previous)
    mentions = mention_tags(body, hints=hints or {})
    tags: Tags = (
        ("d", about.identifier),
        *_said(title=about.title, summary=about.summary, image=about.image),
        ("published_at", str(first)),
        *_topics(about.hashtags, mentions),
        *called(mentions, author),
        *(tag for tag in mentions if tag[0] not in ("p", "t")),
        *extra_tags(extras, created_at),
    )
    return Draft(created_at, kinds.ARTICLE, tags, body)


def linking_text(
    article: Draft, *, author: str, relays: Sequence[str] = (), most: int = _LONGEST_LINK_TEXT
) -> str:
    """Return title, summary and `nostr:naddr1…` of an article, in at most `most` characters.

    `relays` are URLs at which it will be found; the code carries the first three. The summary is
    cut and left out first, then the title; the code is always there, whole.
    """
    hints = tuple(url for url in relays if len(url.encode()) <= _LONGEST_IN_CODE)[:_HINTS]
    address = Address(kinds.ARTICLE, author, kinds.identifier_of(article), hints)
    text = f"nostr:{encode(address)}"
    above = ""
    for name in ("title", "summary"):
        room = most - len(text) - len(above) - len("\n\n")
        words = _cut(_value(article, name), room)
        above += f"{words}\n\n" if words else ""
    return above + text


def linking_note(
    article: Draft,
    *,
    author: str,
    created_at: int,
    target: Target | None = None,
    relays: Sequence[str] = (),
    extras: Extras = NO_EXTRAS,
    most: int = _LONGEST_LINK_TEXT,
) -> Draft:
    """Return the note that links an article, and answers `target` in its place.

    NIP-23: an article answers nothing itself. The article is cited by a `q` tag (NIP-18), not by an
    `a` tag, which would be a second parent in a comment (NIP-22).
    """
    text = linking_text(article, author=author, relays=relays, most=most)
    (draft,) = compose(
        [Part(1, 1, text)],
        author=author,
        created_at=created_at,
        target=target,
        extras=extras,
    )
    return draft


def _check_identifier(identifier: str) -> None:
    if not identifier:
        raise InvalidInput("an article needs an identifier: without one it replaces another")
    if len(identifier.encode()) > _LONGEST_IN_CODE:
        raise InvalidInput(f"the identifier is longer than {_LONGEST_IN_CODE} bytes")


def _check_previous(previous: Event, author: str, identifier: str) -> None:
    if kinds.address_of(previous) != f"{kinds.ARTICLE}:{author}:{identifier}":
        raise InvalidInput("what is to be replaced is not a version of this article")


def _first_published(previous: Event) -> int:
    said = _value(previous, "published_at")
    usable = said.isascii() and said.isdigit() and len(said) <= _DIGITS
    return int(said) if usable else previous.created_at


def _value(event: Event | Draft, name: str) -> str:
    return next((tag[1] for tag in event.tags if len(tag) > 1 and tag[0] == name), "")


def _said(**fields: str) -> Tags:
    lines = ((name, " ".join(value.split())) for name, value in fields.items())
    return tuple((name, value) for name, value in lines if value)


def _topics(hashtags: Sequence[str], mentions: Tags) -> Tags:
    given = (name.strip().lstrip("#").strip().lower() for name in hashtags)
    found = (tag[1] for tag in mentions if tag[0] == "t")
    return tuple(("t", name) for name in dict.fromkeys((*given, *found)) if name)


def _cut(text: str, room: int) -> str:
    """As many words as have room, or nothing where hardly any have."""
    if len(text) <= room:
        return text
    words, _, _ = text[: max(0, room - 1)].rpartition(" ")
    return f"{words.rstrip()}…" if words.strip() else ""
