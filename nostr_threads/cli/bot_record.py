"""`bot log`, `retry` and `forget`: what bots were asked, and what became of it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit, emit_json, say
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.prompts import insist
from nostr_threads.cli.reports import counted
from nostr_threads.cli.stores import open_to_mark, open_to_read
from nostr_threads.errors import InvalidInput, NotFound
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from nostr_threads.store.bots import Entry, State
    from nostr_threads.store.sql import SqlStore

__all__ = ["forget", "log", "retry"]

_EVERYTHING = 2**31
_WIDTH = 300

Name = Annotated[
    str | None, typer.Option("--bot", metavar="NAME", help="Only this bot, by its name.")
]
Codes = Annotated[
    list[str], typer.Argument(metavar="CODE…", help="The notes that asked: note, nevent or hex id.")
]


def log(
    code: Annotated[
        str | None, typer.Argument(metavar="[CODE]", help="Only what this note asked.")
    ] = None,
    bot: Name = None,
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="Only seen, skipped, answering, queued, delivered or failed."),
    ] = None,
    most: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="The last N.")] = 50,
    as_json: AsJson = False,
    store: StoreFile = None,
) -> None:
    """Show what bots were asked and what became of it, the latest first.

    Example: nostr-threads bot log --bot faq --state skipped

    Example: nostr-threads bot log nevent1…
    """
    with open_to_read(store) as opened:
        event_id = None if code is None else _event_id(code)
        states = [_state(word) for word in state or ()]
        found = opened.bots.entries(name=bot, event_id=event_id, states=states, most=most)
    if as_json:
        from nostr_threads.app.bots.recorded import ask_object

        for entry in found:
            emit_json(ask_object(entry))
    elif found:
        emit("".join(map(_lines, found)))
    else:
        say("nothing was asked of a bot")


def retry(codes: Codes, bot: Name = None, store: StoreFile = None) -> None:
    """Ask bots again what they skipped or failed to answer, or have put off, however old it is.

    They answer at once, or when they run the next time, if no other guard objects. An answer that
    is signed already is sent again as it is.

    Example: nostr-threads bot retry nevent1…
    """
    with open_to_mark(store) as opened:
        entries = _found(opened, codes, bot)
        count = opened.bots.retry(entries, now=int(time.time()))
    say(f"{counted(count, 'question')} asked again")
    if count < len(entries):
        say("what is being answered, or was answered, stays as it is")


def forget(
    codes: Codes,
    bot: Name = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: StoreFile = None,
) -> None:
    """Take questions off the record of bots, for good: they are not read again.

    Their notes and answers stay in the store.

    Example: nostr-threads bot forget nevent1… --yes
    """
    with open_to_mark(store) as opened:
        entries = _found(opened, codes, bot)
        insist(f"Forget {counted(len(entries), 'question')}?", yes=yes)
        count = opened.bots.forget(entries)
    say(f"{counted(count, 'question')} forgotten")
    if count < len(entries):
        say("what is being answered at this moment stays")


def _found(store: SqlStore, codes: list[str], bot: str | None) -> list[Entry]:
    found = []
    for code in codes:
        entries = store.bots.entries(name=bot, event_id=_event_id(code), most=_EVERYTHING)
        if not entries:
            raise NotFound(f"no bot was asked anything by {code}: `bot log` shows what they were")
        found += entries
    return found


def _event_id(code: str) -> str:
    from nostr_threads.app.fetch import pointer

    found = pointer(code)
    if found.id is None:
        raise InvalidInput(f"{code} is an address: bots are asked by notes")
    return found.id


def _state(word: str) -> State:
    from nostr_threads.store.bots import State

    try:
        return State(word)
    except ValueError:
        words = ", ".join(state.value for state in State)
        raise InvalidInput(f"{word!r} is no state: there are {words}") from None


def _lines(entry: Entry) -> str:
    """Return one line of what it is, and below it who answered, or why nobody did."""
    from nostr_threads.core import nip19

    at = datetime.fromtimestamp(entry.changed_at, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
    rule = entry.answerer or entry.rule
    why = f"{entry.guard}: {entry.why}" if entry.guard else entry.why
    more = one_line(", ".join(each for each in (rule and f"rule {rule}", why) if each), _WIDTH)
    note = nip19.encode(nip19.Note(entry.event_id))
    head = f"{at}  {entry.bot}  {entry.state.value}  {note}\n"
    return f"{head}    {more}\n" if more else head
