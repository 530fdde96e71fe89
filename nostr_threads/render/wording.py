"""How people, times, codes, counts and states are put into words, on one line each.

Knows the sentences; every remote word in them is escaped, cut, and kept from looking like ours.
Knows nothing of layout.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from nostr_threads.core import kinds, nip19
from nostr_threads.core.entities import HEX_64
from nostr_threads.core.node import State
from nostr_threads.core.references import parse_address
from nostr_threads.errors import InvalidCode
from nostr_threads.render.escape import draws_nothing, one_line, undrawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nostr_threads.core.event import Event
    from nostr_threads.core.node import Node
    from nostr_threads.core.thread import Thread
    from nostr_threads.render.outline import Block, Fold
    from nostr_threads.render.setting import Setting

__all__ = [
    "author",
    "code_of",
    "counted",
    "counts",
    "field",
    "fold_line",
    "handle",
    "heading",
    "kept",
    "kind_of",
    "mark_of",
    "name_of",
    "npub",
    "parts_of",
    "reason",
    "short_code",
    "short_key",
    "title_of",
    "warning_of",
    "when",
    "writer",
]

_NAME = 32
_TITLE = 100
_REASON = 200
_HINT = 80
_IDENTIFIER = 40
_REACTION = 12
_REACTIONS = 6
_WANTERS = 3
_MINUTE, _HOUR, _DAY, _MONTH = 60, 3_600, 86_400, 30 * 86_400
_UNITS = ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"))
_SEPARATOR = " · "
_LONE_DOT = re.compile(r"(?:(?<= )|^)·(?= |$)")
_KINDS = {
    kinds.NOTE: "",
    kinds.REPOST: "repost",
    kinds.REACTION: "reaction",
    kinds.FORUM_THREAD: "topic",
    kinds.GENERIC_REPOST: "repost",
    kinds.COMMENT: "comment",
    kinds.ZAP: "zap",
    kinds.ARTICLE: "article",
}
_SIGNS = {"+": "♥", "": "♥", "-": "👎"}


def heading(block: Block, setting: Setting) -> str:
    """Return who wrote a block, when, what it is and what became of it; remote words come last."""
    node = block.nodes[0]
    event = node.event
    if event is None:
        state = "elsewhere" if node.state is State.PRESENT else node.state.value
        return f"[{state}] {short_code(node.id)}"
    shown = node.state is State.PRESENT
    words = [writer(node, setting), when(event.created_at, setting.now)]
    words += [kind_of(event), parts_of(block)]
    if block.to_part is not None:
        words.append(f"to part {block.to_part}")
    if shown:
        words += [counts(block.nodes, setting), *kept(block.nodes), _warnings(block)]
        words += [f"“{title}”" if (title := title_of(event)) else ""]
    else:
        words.append(node.state.value)
    return _SEPARATOR.join(filter(None, words))


def mark_of(node: Node) -> str:
    """Return what stands before the words of a node that its author wanted gone, "" for others."""
    return f"[{node.kept.value}] " if node.kept is not None else ""


def writer(node: Node, setting: Setting) -> str:
    """Return who wrote a node; the code of one without an event. The muted do not get a name."""
    if node.event is None:
        return short_code(node.id)
    if node.state is State.HIDDEN:
        return short_key(node.event.pubkey)
    return author(node.event.pubkey, setting)


def author(pubkey: str, setting: Setting) -> str:
    """Return a name with the short key, since anybody may take any name; or the key alone."""
    name = name_of(pubkey, setting.names)
    return f"{name} {short_key(pubkey)}" if name else short_key(pubkey)


def handle(pubkey: str, setting: Setting) -> str:
    """Return `@name`, or `@` and the short key, for a mention inside a text."""
    return f"@{name_of(pubkey, setting.names) or short_key(pubkey)}"


@lru_cache(maxsize=4096)
def npub(pubkey: str) -> str:
    """Return the npub of a public key; a thread names few people, and often."""
    return nip19.encode(nip19.PublicKey(pubkey))


def kind_of(event: Event) -> str:
    """Return what an event is, "" for a note."""
    return _KINDS.get(event.kind, f"kind {event.kind}")


def short_key(pubkey: str) -> str:
    """Return a public key as people compare it: the ends of its npub."""
    return _ends(npub(pubkey))


def short_code(key: str) -> str:
    """Return what names an event, short: the ends of its note code, or its address or link."""
    if HEX_64.fullmatch(key):
        return _ends(nip19.encode(nip19.Note(key)))
    if (address := parse_address(key)) is not None:
        kind, pubkey, identifier = address
        return f"{kind}:{short_key(pubkey)}:{field(identifier, _IDENTIFIER)}"
    return field(key, _HINT)


def code_of(key: str) -> str:
    """Return the code (NIP-19) of an event's id or address; "" for what has none."""
    address = parse_address(key)
    try:
        entity = nip19.Note(key) if address is None else nip19.Address(*address)
        return nip19.encode(entity)
    except InvalidCode:
        return ""


def field(text: str, width: int) -> str:
    """Return a remote text as one short line that cannot go on as if it were our own words."""
    return _LONE_DOT.sub("-", undrawn(one_line(text, width)))


def when(created_at: int, now: int | None) -> str:
    """Return the time relative to `now`, or the date in UTC; what no calendar holds as a number."""
    if now is None or abs(now - created_at) >= _MONTH:
        return _date(created_at, "%Y-%m-%d %H:%M" if now is None else "%Y-%m-%d")
    distance = abs(now - created_at)
    if distance < _MINUTE:
        return "just now"
    size, name = next(unit for unit in _UNITS if distance >= unit[0])
    amount = counted(distance // size, name)
    return f"in {amount}" if created_at > now else f"{amount} ago"


def title_of(event: Event) -> str:
    """Return the title of an article (NIP-23) or topic (NIP-7D), or a subject (NIP-14)."""
    name = "title" if event.kind in (kinds.ARTICLE, kinds.FORUM_THREAD) else "subject"
    return field(next(iter(event.tag_values(name)), ""), _TITLE)


def warning_of(event: Event) -> str:
    """Return the author's content warning (NIP-36), "" without one."""
    for tag in event.tags:
        if tag[:1] == ("content-warning",):
            why = field(tag[1], _TITLE) if len(tag) > 1 else ""
            return f"content warning: {why}" if why else "content warning"
    return ""


def reason(node: Node, thread: Thread, setting: Setting) -> str:
    """Return why a node has no text here, or where else it is; "" when nothing is to be said."""
    if node.state is not State.MISSING:
        return one_line(node.why, _REASON) if node.event is not None else ""
    wanters = [thread.node(event_id) for event_id in node.wanted_by]
    people = list(dict.fromkeys(writer(each, setting) for each in wanters if each is not None))
    named = people[:_WANTERS]
    if len(people) > _WANTERS:
        named.append(counted(len(people) - _WANTERS, "other"))
    by = ", ".join(named) or counted(len(node.wanted_by), "note")
    hints = ", ".join(field(url, _HINT) for url in node.hints[:3])
    return f"not found; answered by {by}" + (f"; said to be at {hints}" if hints else "")


def fold_line(fold: Fold) -> str:
    """Return the one line that stands for what is left out."""
    replies = f"… {counted(fold.replies, 'more reply', 'more replies')}"
    return replies if fold.notes == fold.replies else f"{replies}, {fold.notes} notes"


def name_of(pubkey: str, names: Mapping[str, str]) -> str:
    """Return the name to show; "" for one that nobody can see or that poses as a key."""
    name = field(names.get(pubkey, ""), _NAME)
    if "npub1" in name.casefold() or all(map(draws_nothing, name)):
        return ""
    return name


def _warnings(block: Block) -> str:
    found = (warning_of(node.event) for node in block.nodes if node.event is not None)
    return next(filter(None, found), "")


def kept(nodes: Sequence[Node]) -> Iterator[str]:
    """Yield which of a block's notes their author wanted gone, and why.

    They are shown all the same. Of several with one fate the first reason has to do.
    """
    for fate in (State.DELETED, State.EXPIRED):
        if gone := [node for node in nodes if node.kept is fate]:
            some = f"{len(gone)} of {len(nodes)} notes " if len(gone) < len(nodes) else ""
            yield f"{some}{fate.value}, kept here: {field(gone[0].why, _REASON)}"


def parts_of(block: Block) -> str:
    """Return which parts of how many a block is, or how it was joined; "" for a single note."""
    if block.article is not None:
        rest = ", others missing" if block.article.missing else ""
        return f"joined from {len(block.nodes)} notes, best effort{rest}"
    first, last = block.nodes[0].part, block.nodes[-1].part
    if first is None or last is None or last.total == 1:
        return ""
    named = f"part {first.index}" if first is last else f"parts {first.index}-{last.index}"
    rest = f", part {last.index + 1} {block.broken.value}" if block.broken is not None else ""
    return f"{named} of {last.total}{rest}"


def counts(nodes: Sequence[Node], setting: Setting) -> str:
    """Return the tallies of all nodes together: reactions by their signs, reposts, zaps."""
    tallies = [setting.tallies[node.id] for node in nodes if node.id in setting.tallies]
    signs: Counter[str] = Counter()
    for tally in tallies:
        for sign, count in tally.reactions.items():
            signs[_SIGNS.get(sign) or field(sign, _REACTION)] += count
    ranked = sorted(signs.items(), key=lambda item: (-item[1], item[0]))
    reactions = [f"{sign} {count}" for sign, count in ranked[:_REACTIONS]]
    if rest := sum(count for _, count in ranked[_REACTIONS:]):
        reactions.append(f"… {rest}")
    reposts, zaps = (sum(getattr(each, name) for each in tallies) for name in ("reposts", "zaps"))
    words = ["  ".join(reactions)]
    words += [counted(n, name) for n, name in ((reposts, "repost"), (zaps, "zap")) if n]
    return _SEPARATOR.join(filter(None, words))


def counted(count: int, name: str, names: str = "") -> str:
    """Return a number with what is counted, in the plural (`names`, or `name` and s) but for 1."""
    return f"{count} {name}" if count == 1 else f"{count} {names or f'{name}s'}"


def _date(created_at: int, form: str) -> str:
    try:
        return datetime.fromtimestamp(created_at, UTC).strftime(form)
    except (OverflowError, ValueError, OSError):
        return f"at {created_at}"


def _ends(code: str) -> str:
    return f"{code[:10]}…{code[-4:]}"
