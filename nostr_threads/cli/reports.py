"""What became of an answer, as people read it, as programs parse it, and as an exit code."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from nostr_threads.cli.console import emit, emit_json, say, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nostr_threads.app.publish import Report
    from nostr_threads.core.delivery import Delivery

__all__ = ["INCOMPLETE", "UNREACHABLE", "WORSE", "counted", "exit_code", "line", "show_report"]

NOTHING_ACCEPTED, INCOMPLETE, UNREACHABLE, QUORUM_MISSED = 1, 3, 4, 5
# Of several answers the worst decides.
WORSE = (0, INCOMPLETE, QUORUM_MISSED, NOTHING_ACCEPTED, UNREACHABLE)


def show_report(report: Report, as_json: bool) -> None:
    """Write the code of an answer to stdout and its deliveries to stderr, or all as JSON."""
    if as_json:
        from nostr_threads.render.contracts import report_object

        emit_json(
            report_object(report.code, report.posting.events, report.deliveries, report.accepted)
        )
        return
    emit(f"{report.code}\n")
    total = len(report.posting.events)
    rows = _grouped(report.deliveries, total)
    table("", ("relay", "part", "outcome", ""), rows)
    if report.open:
        waiting = counted(report.open, "delivery", "deliveries")
        say(f"{waiting} in the outbox: `nostr-threads outbox resume` sends and reads back again")
    elif not report.accepted:
        say("refused for good: sending it again would change nothing")


def exit_code(report: Report) -> int:
    """Return the exit code of docs/cli.md."""
    if report.accepted:
        return 0 if report.complete else INCOMPLETE
    if not report.reached:
        return UNREACHABLE
    return QUORUM_MISSED if report.taken(1) else NOTHING_ACCEPTED


def line(delivery: Delivery) -> str:
    """Return one delivery as a line of progress."""
    from rich.markup import escape

    from nostr_threads.render.escape import printable

    words = f"part {delivery.part} at {delivery.relay}: {delivery.status.value}"
    return escape(printable(words))


def counted(number: int, one: str, many: str = "") -> str:
    """Return "1 part" or "7 parts"."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def _grouped(deliveries: Iterable[Delivery], total: int) -> Iterator[tuple[str, str, str, str]]:
    """One row for all parts in a row that fared alike at a relay."""
    by_relay: dict[str, list[Delivery]] = {}
    for delivery in deliveries:
        by_relay.setdefault(delivery.relay, []).append(delivery)
    for relay, at_relay in by_relay.items():
        for (status, reason), alike in groupby(at_relay, lambda d: (d.status, d.reason)):
            parts = [delivery.part for delivery in alike]
            span = f"{parts[0]}" if len(parts) == 1 else f"{parts[0]}-{parts[-1]}"
            yield relay, f"{span} of {total}", status.value, reason
