"""`bot log`, `retry` and `forget`: what bots were asked, and what became of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.console import emit_json, say, table
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.prompts import insist
from nostr_threads.cli.reports import counted, when
from nostr_threads.cli.stores import open_to_mark, open_to_read
from nostr_threads.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from nostr_threads.store.bots import Entry, State
    from nostr_threads.store.sql import SqlStore

__all__ = ["forget", "log", "retry"]

_EVERYTHING = 2**31

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
        for entry in found:
            emit_json(_object(entry))
    elif found:
        columns = ("when", "bot", "state", "note", "rule", "why")
        table("", columns, [_row(entry) for entry in found], whole=4)
    else:
        say("nothing was asked of a bot")


def retry(codes: Codes, bot: Name = None, store: StoreFile = None) -> None:
    """Ask bots again what they skipped or failed to answer, however old it is.

    They answer when they run the next time, if no other guard objects. An answer that is signed
    already is sent again as it is.

    Example: nostr-threads bot retry nevent1…
    """
    with open_to_mark(store) as opened:
        entries = _found(opened, codes, bot)
        count = opened.bots.retry(entries, now=int(time.time()))
    say(f"{counted(count, 'question')} asked again")
    if count < len(entries):
        say(f"{counted(len(entries) - count, 'other')} stay as they are: `bot log` says how")


def forget(
    codes: Codes,
    bot: Name = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: StoreFile = None,
) -> None:
    """Take questions off the record of bots. Their notes and answers stay in the store.

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


def _row(entry: Entry) -> tuple[str, ...]:
    from nostr_threads.core import nip19

    why = f"{entry.guard}: {entry.why}" if entry.guard else entry.why
    note = nip19.encode(nip19.Note(entry.event_id))
    rule = entry.answerer or entry.rule
    return when(entry.changed_at), entry.bot, entry.state.value, note, rule, why


def _object(entry: Entry) -> dict[str, object]:
    return {
        "bot": entry.bot,
        "id": entry.event_id,
        "author": entry.author,
        "thread": entry.root,
        "state": entry.state.value,
        "rule": entry.answerer or entry.rule,
        "guard": entry.guard,
        "why": entry.why,
        "tries": entry.tries,
        "due": entry.due,
        "answer": entry.posting,
        "asked_at": entry.asked_at,
        "seen_at": entry.seen_at,
        "changed_at": entry.changed_at,
    }
