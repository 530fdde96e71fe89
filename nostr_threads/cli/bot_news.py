"""What bots tell while they run, as lines for people and for programs.

Knows both forms. Everything that a stranger wrote is made harmless here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nostr_threads.cli.console import emit, emit_json
from nostr_threads.render.escape import one_line, printable

if TYPE_CHECKING:
    from nostr_threads.app.bots.news import News

__all__ = ["tell_news"]

_LONGEST = 100


def tell_news(news: News, *, as_json: bool) -> None:
    """Write one line to stdout, or, of a dry run, the whole answer below it."""
    from nostr_threads.app.bots.news import Deed

    if as_json:
        emit_json(_object(news))
        return
    at = datetime.fromtimestamp(news.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    words = f"{at} {news.bot} {news.deed.value}"
    parts = (words, _note(news), _why(news))
    emit("  ".join(part for part in parts if part) + "\n")
    if news.deed is Deed.WOULD_ANSWER and news.answer is not None:
        emit("".join(f"    {line}\n" for line in printable(news.answer.text).split("\n")))


def _note(news: News) -> str:
    from nostr_threads.app.bots.news import Deed
    from nostr_threads.core import nip19

    if not news.event_id:
        return ""
    if news.deed in (Deed.HEARD, Deed.SKIPPED) and news.event is not None:
        author = nip19.encode(nip19.PublicKey(news.event.pubkey))[:12]
        return f"{_code(news.event_id)} {author}: {one_line(news.event.content, _LONGEST)}"
    return _code(news.event_id)


def _code(event_id: str) -> str:
    from nostr_threads.core import nip19

    return nip19.encode(nip19.Note(event_id))


def _why(news: News) -> str:
    rule = f"rule {news.rule}" if news.rule else ""
    parts = f"{len(news.posting)} parts" if len(news.posting) > 1 else ""
    why = one_line(f"{news.guard}: {news.why}" if news.guard else news.why, 2 * _LONGEST)
    return ", ".join(part for part in (rule, parts, why) if part)


def _object(news: News) -> dict[str, object]:
    told = {
        "at": news.at,
        "bot": news.bot,
        "deed": news.deed.value,
        "id": news.event_id,
        "author": "" if news.event is None else news.event.pubkey,
        "rule": news.rule,
        "guard": news.guard,
        "why": news.why,
        "parts": list(news.posting),
    }
    if news.answer is not None:
        told["text"] = news.answer.text
    return {key: value for key, value in told.items() if value not in ("", [])}
