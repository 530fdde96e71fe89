"""Parts and what they answer, made into a chain of drafts with the right tags.

Knows who is called, what else an author may want said of a text, and how large the signed events
become. Knows nothing of where a text is cut, and signs nothing; what a reply is, `answering` knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING
from unicodedata import category

from nostr_threads.core import kinds
from nostr_threads.core.answering import Target, answering, stands_flat
from nostr_threads.core.content import mention_tags
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.event import Draft, Event
from nostr_threads.core.front_matter import title_of
from nostr_threads.core.join import PART_TAG_BYTES, Part
from nostr_threads.core.references import parse_address
from nostr_threads.core.split import Limit, Source, split
from nostr_threads.errors import InvalidInput, LimitTooSmall

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nostr_threads.core.content import Hint
    from nostr_threads.core.event import Tag, Tags

__all__ = [
    "MAX_NOTIFIED",
    "NO_EXTRAS",
    "Extras",
    "Target",
    "called",
    "compose",
    "event_bytes",
    "extra_tags",
    "split_for",
]

MAX_NOTIFIED = 100
"""People tagged by one part at most; a thread of thousands is no reason to call them all."""

# The part of an event that place and conversation may take: the text pays for it in every part.
_CONVERSATIONS_SHARE = 4
# Bytes of a `p` tag without a relay, its comma included.
_PERSON_BYTES = 73
# Characters of a subject that is taken on: NIP-14 wants it shorter than 80.
_LONGEST_SUBJECT = 79
# How often a text is cut again to make room for the tags of its mentions.
_ROUNDS = 40
# As long as the times of this century are, and before all of them: sizes are measured with it.
_SOME_TIME = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Extras:
    """What an author may want said of a whole answer; every part says it, but for the subject.

    `subject` (NIP-14) is said by the first part, as the title where that begins a forum thread.
    `content_warning` (NIP-36) is the reason, "" for none. `expires` (NIP-40, unix seconds) lies
    after every part. `protected` (NIP-70): relays take it from its author alone. `calls_all` who
    took part in a conversation, as NIP-10 wants it; else only whoever is answered or mentioned.
    """

    subject: str = ""
    content_warning: str | None = None
    expires: int | None = None
    protected: bool = False
    calls_all: bool = True


NO_EXTRAS = Extras()


def compose(
    parts: Sequence[Part],
    *,
    author: str,
    created_at: int,
    target: Target | None = None,
    relay: str = "",
    extras: Extras = NO_EXTRAS,
    kind: int = kinds.NOTE,
    hints: Mapping[str, Hint] | None = None,
    most_tags: int | None = None,
    most_bytes: int | None = None,
) -> list[Draft]:
    """Return one draft a part: the first answers `target`, each other the one before it.

    In a forum thread they stand side by side, as NIP-7D wants: each answers what the first does, or
    the first itself where that begins the thread.

    `author` is the key (64 hex digits) that will sign: the ids of the chain depend on it.
    `created_at` (unix seconds) is the first part's, and one second more for each part, so that what
    is sorted by time is in order. `relay` is a URL at which the parts will be found. People are
    called once, by the first part; later ones call whom they mention. `hints` are those of
    `mention_tags`. Where an event would have more than `most_tags`, fewer are called, then hashtags
    and at last citations go untagged. Of a conversation only so many are called that their tags
    leave most of `most_bytes`, an event's limit, to the text.

    An answer to a note without a subject of its own takes on the note's (NIP-14).

    Without a target `kind` is that of the first part: a note, or a forum thread, which takes its
    title from the text if `extras` has no subject. Raises `InvalidInput` for another kind, and for
    an end that comes before the last part.
    """
    if kind not in (kinds.NOTE, kinds.FORUM_THREAD):
        raise InvalidInput(f"parts are notes or a forum thread, and not of kind {kind}")
    if kind == kinds.FORUM_THREAD and target is not None:
        raise InvalidInput("a forum thread begins a conversation: it answers nothing")
    drafts: list[Draft] = []
    before = target
    for part in parts:
        place_kind, place = (kind, ()) if before is None else answering(before)
        mentions = mention_tags(part.text, hints=hints or {})
        rest: Tags = (
            *(tag for tag in mentions if tag[0] != "p"),
            *((part.tag(),) if part.needs_tag else ()),
            *(() if drafts else _subject(part, place_kind, extras, target)),
            *extra_tags(extras, created_at + len(drafts)),
        )
        room = MAX_NOTIFIED
        if most_tags is not None:
            rest = _at_most(most_tags - len(place), rest)
            room = most_tags - len(place) - len(rest)
        conversation = () if drafts else _conversation(target, place, most_bytes)
        if not extras.calls_all:
            conversation = conversation[:1]
        people = called(mentions, author, conversation=conversation, place=place, room=room)
        tags = (*place, *people, *rest)
        draft = Draft(created_at + len(drafts), place_kind, tags, part.text)
        drafts.append(draft)
        if before is None or not stands_flat(before.event):
            before = Target(_as_event(draft, author), relay)
    return drafts


def called(
    mentions: Tags,
    author: str,
    *,
    conversation: Sequence[str] = (),
    place: Tags = (),
    room: int = MAX_NOTIFIED,
) -> Tags:
    """Return the `p` tags for whom `mentions` name and cite (NIP-10), and for a `conversation`.

    These are keys, the one answered first: nobody is to miss that they are answered, nor that they
    are mentioned, when a crowd leaves no room. Who `place` calls already is not called again, the
    author never; with `place` they are `MAX_NOTIFIED` at most, and without it no more than `room`.
    """
    already = {tag[1] for tag in place if tag[0] == "p"}
    hinted = {tag[1]: tag for tag in mentions if tag[0] == "p"}
    cited = [_cited_author(tag) for tag in mentions if tag[0] == "q"]
    wanted = dict.fromkeys((*conversation[:1], *hinted, *cited, *conversation[1:]))
    left_out = {author, *already}
    # Relays refuse a note for one broken `p` tag, and this one would be a stranger's.
    valid = (key for key in wanted if key not in left_out and HEX_64.fullmatch(key))
    most = max(0, min(room, MAX_NOTIFIED - len(already)))
    return tuple(hinted.get(key, ("p", key)) for key in islice(valid, most))


def extra_tags(extras: Extras, created_at: int) -> Tags:
    """Return the tags that every event of an answer has; one of them is dated `created_at`.

    Raises `InvalidInput` when it would be over before it begins.
    """
    tags: list[Tag] = []
    if extras.content_warning is not None:
        reason = _one_line(extras.content_warning)
        tags.append(("content-warning", reason) if reason else ("content-warning",))
    if extras.expires is not None:
        if extras.expires <= created_at:
            raise InvalidInput(
                f"it would expire at {extras.expires}, and is not written before {created_at}"
            )
        tags.append(("expiration", str(extras.expires)))
    if extras.protected:
        tags.append(("-",))
    return tuple(tags)


def split_for(
    text: str,
    limit: Limit,
    *,
    author: str,
    marker: str,
    target: Target | None = None,
    relay: str = "",
    extras: Extras = NO_EXTRAS,
    kind: int = kinds.NOTE,
    hints: Mapping[str, Hint] | None = None,
    most_tags: int | None = None,
    spare: int = 0,
) -> list[Part]:
    """Split so that every signed event obeys `limit`, whose `bytes` are those of the whole JSON.

    The other arguments are those of `compose`, whose `most_bytes` has to be `limit.bytes` for these
    parts: it decides how many are called. `spare` bytes stay free in each event, for a tag
    that is added later. Raises `LimitTooSmall` when the tags alone exceed the limit, and what
    `split` and `compose` raise.
    """
    if limit.bytes is None:
        return split(text, limit, marker=marker)
    most = limit.bytes - spare
    drafts_of = partial(
        compose,
        author=author,
        created_at=_SOME_TIME,
        target=target,
        relay=relay,
        extras=extras,
        kind=kind,
        hints=hints,
        most_tags=most_tags,
        most_bytes=limit.bytes,
    )
    source = Source(text)
    overhead = _bare_bytes(drafts_of) + PART_TAG_BYTES
    for _ in range(_ROUNDS):
        tight = replace(limit, overhead=overhead + spare)
        parts = split(text, tight, marker=marker, source=source)
        # How many people and notes a part mentions is known only once it is cut.
        excess, size = max(
            (event_bytes(draft) - most, part.bytes)
            for draft, part in zip(drafts_of(parts), parts, strict=True)
        )
        if excess <= 0:
            return parts
        # A mention that is left out takes its tag along: half the excess may be enough.
        overhead = most - (size - excess // 2 - 1)
    raise LimitTooSmall(f"tags and mentions do not fit into {limit.bytes} bytes; raise the limit")


def event_bytes(draft: Draft) -> int:
    """Return the bytes of the JSON of the event that signing `draft` will give."""
    return len(_as_event(draft, "0" * 64).to_json().encode())


def _bare_bytes(drafts_of: Callable[[Sequence[Part]], list[Draft]]) -> int:
    """The bytes of the largest event of the chain, without content and `part` tag."""
    empty = [Part(1, 2, ""), Part(2, 2, "")]
    return max(event_bytes(draft) for draft in drafts_of(empty))


def _as_event(draft: Draft, author: str) -> Event:
    """The event a draft becomes, all but its signature."""
    return Event(
        draft.id_for(author),
        author,
        draft.created_at,
        draft.kind,
        draft.tags,
        draft.content,
        "0" * 128,
    )


def _conversation(target: Target | None, place: Tags, most_bytes: int | None) -> tuple[str, ...]:
    """Those who take part so far (NIP-10), the author of what is answered first.

    The tags of them and of `place` take no more than their share of `most_bytes`, but that author
    is always among them. NIP-22 calls nobody else, and by the tags that say what is answered.
    """
    if target is None or target.event.kind != kinds.NOTE:
        return ()
    people = dict.fromkeys(filter(HEX_64.fullmatch, target.event.tag_values("p")))
    most = MAX_NOTIFIED
    if most_bytes is not None:
        taken = sum(len(value.encode()) + 3 for tag in place for value in tag)
        most = max(0, (most_bytes // _CONVERSATIONS_SHARE - taken) // _PERSON_BYTES - 1)
    people.pop(target.event.pubkey, None)
    return (target.event.pubkey, *islice(people, most))


def _cited_author(quote: Tag) -> str:
    if (address := parse_address(quote[1])) is not None:
        return address[1]
    return quote[3] if len(quote) > 3 else ""


def _at_most(most: int, tags: Tags) -> Tags:
    """Leave out hashtags, then citations, from the end, until no more than `most` tags are left."""
    excess = max(0, len(tags) - most)
    expendable = (tag for name in ("t", "q") for tag in reversed(tags) if tag[0] == name)
    left_out = set(islice(expendable, excess))
    return tuple(tag for tag in tags if tag not in left_out)


def _subject(part: Part, kind: int, extras: Extras, target: Target | None) -> Tags:
    subject = _one_line(extras.subject)
    if kind == kinds.FORUM_THREAD:
        subject = subject or title_of(part.original)
        return (("title", subject),) if subject else ()
    if kind == kinds.NOTE and target is not None:
        subject = subject or _answered_subject(target.event)
    return (("subject", subject),) if subject else ()


def _answered_subject(note: Event) -> str:
    """The subject of a note as that of its answers, "" for none (NIP-14)."""
    said = next(iter(note.tag_values("subject")), "")[:_LONGEST_SUBJECT]
    # Some relays refuse an event with a zero character, and this one would be a stranger's.
    subject = _one_line("".join(" " if category(char) == "Cc" else char for char in said))
    if not subject or subject[:3].lower() == "re:":
        return subject
    return f"Re: {subject}"[:_LONGEST_SUBJECT].rstrip()


def _one_line(text: str) -> str:
    return " ".join(text.split())
