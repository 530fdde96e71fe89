"""Threads saved as pages of HTML: made, and checked again (`verify`)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from nostr_threads.cli.console import complain, emit, emit_json, read_input, say
from nostr_threads.cli.options import AsJson
from nostr_threads.cli.reports import INCOMPLETE, counted
from nostr_threads.errors import InvalidEvent, InvalidInput
from nostr_threads.render.escape import printable

if TYPE_CHECKING:
    from nostr_threads.app.fetch import Found
    from nostr_threads.core.saved import Saved
    from nostr_threads.store.sql import SqlStore

__all__ = ["page_of", "require_web", "saved_thread", "tell_left_out", "verify"]

_WRONG = 1
_UNSIGNED = "when it was saved, where it was seen and how relays answered nobody has signed"


def require_web() -> None:
    """Raise `InvalidInput` where what makes pages is not installed."""
    try:
        import nostr_threads.web.files  # noqa: F401 - it needs what may not be there
    except ImportError:
        raise InvalidInput("pages need an extra: pip install 'nostr-threads[web]'") from None


def saved_thread(found: Found, store: SqlStore) -> Saved:
    """Return what is to be saved of a thread that was found."""
    from nostr_threads.web.files import saved_now

    return saved_now(found.thread.nodes[0].id, store=store, now=int(time.time()))


def page_of(saved: Saved) -> str:
    """Return the page of a thread."""
    from nostr_threads.web.files import file_of

    return file_of(saved)


def tell_left_out(found: Found, saved: Saved) -> None:
    """Say how many notes are shown here and not passed on."""
    kept = {event.id for event in saved.events}
    if gone := [event for event in found.thread.events if event.id not in kept]:
        say(f"{counted(len(gone), 'note')} deleted or expired: left out of the page")


def verify(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A page of --format html; - for stdin.")
    ],
    as_json: AsJson = False,
) -> None:
    """Check a thread that was saved as a page: what was signed, and that it says nothing else.

    The ids and signatures of all events in the page are checked, and the page is made anew of them
    and compared. Where it was seen, and when, is its maker's word. Exit code 1: something in it was
    changed; 3: another version made it, and only the signatures could be checked.

    Example: nostr-threads verify thread.html
    """
    require_web()
    from nostr_threads.core.saved import Saved
    from nostr_threads.web.files import our_version

    text = _text(file)
    try:
        saved = Saved.from_page(text)
    except InvalidEvent as error:
        _refuse(file, None, str(error), as_json=as_json)
    made = page_of(saved)
    if made != text and saved.version == our_version():
        _refuse(file, saved, _otherwise(text, made), as_json=as_json)
    holds = f"{counted(len(saved.events), 'event')}: every id and signature holds"
    if made == text:
        shows = f"{holds}, and the page shows what they say; {_UNSIGNED}"
        _tell(saved, shows, as_json)
        return
    other = f"; version {saved.version} made the page: what it shows was not compared"
    _tell(saved, holds + other, as_json, same=None)
    raise typer.Exit(INCOMPLETE)


def _tell(saved: Saved, verdict: str, as_json: bool, *, same: bool | None = True) -> None:
    """Write the verdict to stdout, or the object there and the verdict to stderr."""
    if as_json:
        emit_json(_object(saved, same))
        say(verdict)
    else:
        emit(f"{printable(verdict)}\n")


def _refuse(file: Path, saved: Saved | None, fault: str, *, as_json: bool) -> NoReturn:
    """Say what is wrong in a page; of one in which an event is, nothing else can be said."""
    if as_json:
        emit_json(_object(saved, same=False, fault=fault))
    complain(f"{file}: {fault}")
    raise typer.Exit(_WRONG)


def _object(saved: Saved | None, same: bool | None, fault: str | None = None) -> dict[str, object]:
    return {
        "root_id": None if saved is None else saved.root,
        "events": None if saved is None else len(saved.events),
        "made_at": None if saved is None else saved.made_at,
        "version": None if saved is None else saved.version,
        "same": same,
        "fault": fault,
    }


def _otherwise(text: str, made: str) -> str:
    """Say where a page says something else than `made`, which the events in it make."""
    from nostr_threads.cli.differing import difference

    wrong = "the page shows something else than the events in it say"
    if (found := difference(text, made)) is None:
        return f"{wrong}: its words are theirs, but not its markup, styles or programs"
    shown, said = found
    return f"{wrong}: “{shown}” instead of “{said}”"


def _text(file: Path) -> str:
    try:
        return read_input(file).decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is no UTF-8, so no page of `--format html`") from None
