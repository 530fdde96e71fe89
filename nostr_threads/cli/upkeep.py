"""`mirror verify`, `stats`, `vacuum` and `purge`: the store as a whole, kept in order."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nostr_threads.cli.console import emit_json, say, table, talk
from nostr_threads.cli.options import AsJson, StoreFile
from nostr_threads.cli.policies import told
from nostr_threads.cli.prompts import insist
from nostr_threads.cli.reports import counted
from nostr_threads.cli.stores import open_to_mark, open_to_read
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from nostr_threads.store.auditing import Fault
    from nostr_threads.store.upkeep import Statistics

__all__ = ["purge", "stats", "vacuum", "verify"]

_DAMAGED = 6
_WORDS = 200
# Kinds and relays that are listed; the rest is counted.
_MOST = 15


def verify(as_json: AsJson = False, store: StoreFile = None) -> None:
    """Check every event's id and signature again, and every table against the events.

    Nothing is changed. It takes as long as an import, and room for the store once more meanwhile.
    Exit code 6: something is wrong, and each fault stands on stdout.

    Example: nostr-threads mirror verify
    """
    count = faults = 0
    with open_to_read(store) as opened, talk().status("checking the file …") as shown:
        total = 2 * opened.upkeep.statistics(now=int(time.time())).events

        def checked(number: int) -> None:
            nonlocal count
            count = number
            shown.update(f"{100 * number // max(total, 1)} % checked, {counted(faults, 'fault')}")

        for fault in opened.upkeep.audit(checked=checked):
            faults += 1
            _tell(fault, as_json)
    if faults:
        say(f"{counted(faults, 'fault')}: `mirror export --all` what is good, and import it anew")
        raise typer.Exit(_DAMAGED)
    if not as_json:
        say(f"{counted(count // 2, 'event')}, all as they should be")


def stats(as_json: AsJson = False, store: StoreFile = None) -> None:
    """Count what the store holds: by kind, by relay, how much is deleted, how large it is.

    Example: nostr-threads mirror stats --json
    """
    with open_to_read(store) as opened:
        found = opened.upkeep.statistics(now=int(time.time()))
    if as_json:
        emit_json(_object(found))
        return
    say(f"{counted(found.events, 'event')} of {counted(found.authors, 'author')}{_dates(found)}")
    say(
        f"{found.superseded} replaced by newer versions, "
        f"{found.deleted} deleted, {found.expired} expired"
    )
    say(told(found.policy))
    say(f"{_size(found.bytes)}, of which {_size(found.spare)} are not in use")
    _list("kind", found.kinds)
    _list("relay", found.relays)


def vacuum(store: StoreFile = None) -> None:
    """Write the store anew without the room that is not in use.

    Needs as much room again on the disk meanwhile, and that nobody else is using the store.

    Example: nostr-threads mirror vacuum
    """
    with open_to_mark(store) as opened:
        before = opened.upkeep.statistics(now=int(time.time())).bytes
        with talk().status("writing it anew …"):
            opened.upkeep.vacuum()
        after = opened.upkeep.statistics(now=int(time.time())).bytes
    say(f"{_size(before)} before, {_size(after)} now")


def purge(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    store: StoreFile = None,
) -> None:
    """Remove for good what its author wanted gone (NIP-09, NIP-62) and what has expired (NIP-40).

    Until then such events are only hidden, or kept. They do not come back, whichever relay sends
    them; your own answers stay. `mirror vacuum` gives the room back.

    Example: nostr-threads mirror purge --yes
    """
    insist("Remove for good what was deleted or has expired?", yes=yes)
    with open_to_mark(store) as opened:
        count = opened.upkeep.purge(now=int(time.time()))
    say(f"{counted(count, 'event')} removed")


def _tell(fault: Fault, as_json: bool) -> None:
    if as_json:
        emit_json(asdict(fault))
    else:
        place = f"{fault.table} {fault.event_id}".strip()
        typer.echo(f"{place}: {one_line(fault.what, _WORDS)}")


def _object(found: Statistics) -> dict[str, Any]:
    counts = {str(kind): n for kind, n in found.kinds.items()}
    return asdict(found) | {"kinds": counts, "policy": found.policy.value}


def _dates(found: Statistics) -> str:
    if found.first is None or found.last is None:
        return ""
    return f", dated {_date(found.first)} to {_date(found.last)}"


def _date(moment: int) -> str:
    try:
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
    except (ValueError, OverflowError, OSError):
        return str(moment)


def _list(name: str, counts: Any) -> None:
    rows = list(counts.items())
    table("", (name, "events"), rows[:_MOST], whole=1)
    if len(rows) > _MOST:
        say(f"… and {len(rows) - _MOST} more")


def _size(number: int) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}"
        number //= 1024
    return f"{number} GiB"
