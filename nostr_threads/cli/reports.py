"""What is to be sent and what became of it: as people read it, as programs parse it, as exit codes.

Knows words and tables. Everything that a relay said is escaped here or by what shows it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from nostr_threads.cli.console import emit, emit_json, say, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nostr_threads.app.publish import Report
    from nostr_threads.app.writing import Plan
    from nostr_threads.core.admission import Admission
    from nostr_threads.core.delivery import Delivery

__all__ = [
    "INCOMPLETE",
    "UNREACHABLE",
    "WORSE",
    "counted",
    "exit_code",
    "line",
    "show_plan",
    "show_report",
    "tell_clock",
    "tell_plan",
    "when",
]

NOTHING_ACCEPTED, INCOMPLETE, UNREACHABLE, QUORUM_MISSED = 1, 3, 4, 5
# Of several answers the worst decides.
WORSE = (0, INCOMPLETE, QUORUM_MISSED, NOTHING_ACCEPTED, UNREACHABLE)


def show_report(report: Report, as_json: bool) -> None:
    """Write the code of an answer to stdout and its deliveries to stderr, or all as JSON."""
    if _is_held(report):
        say("another process is sending this, or died less than a minute ago; nothing was done")
    if as_json:
        from nostr_threads.render.contracts import report_object

        emit_json(report_object(report))
        return
    emit(f"{report.code}\n")
    if not _is_held(report):
        table("", ("relay", "part", "outcome", ""), _grouped(report))
        _tell_rest(report)


def show_plan(plan: Plan, admissions: Mapping[str, Admission], *, as_json: bool) -> None:
    """Write what would be signed to stdout, and where it would go and why to stderr."""
    if plan.parts:
        _show_parts(plan, as_json)
    else:
        _show_drafts(plan, as_json)
    tell_plan(plan, whole=True)
    for url, admission in admissions.items():
        if words := _taken_words(admission):
            say(f"{url} takes {words}")
    if plan.parts:
        say(f"{counted(len(plan.parts), 'part')} of the form {plan.form}")
    say("nothing was signed or sent")


def tell_plan(plan: Plan, *, whole: bool = False) -> None:
    """Say what the author should know, and why it goes to each relay that nobody has chosen.

    With `whole` those that were chosen are named, too.
    """
    for warning in plan.warnings:
        say(f"warning: {warning}")
    if plan.why:
        say(f"{plan.form}: {plan.why}")
    if plan.work:
        say(f"{plan.work} bits of proof of work for each part")
    for choice in plan.choices:
        if whole or not choice.is_by_hand:
            say(f"{'' if choice.is_by_hand else 'also '}to {choice.relay}: {choice.words}")


def tell_clock(behind: float | None) -> None:
    """Warn of a clock that is `behind` (seconds) what relays say; None: it seems right."""
    if behind is not None:
        off = f"{abs(behind):.0f} s {'slow' if behind > 0 else 'fast'}"
        say(f"warning: your clock is {off}: relays may refuse what you sign")


def exit_code(report: Report) -> int:
    """Return the exit code of docs/cli.md; what is a courtesy never changes it."""
    if _is_held(report):
        return INCOMPLETE
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


def when(moment: int | None) -> str:
    """Return unix seconds as a time of this machine's zone, or that they are over."""
    now = datetime.now(UTC)
    if moment is None or moment <= now.timestamp():
        return "now"
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def _is_held(report: Report) -> bool:
    """Whether another process has it; what was cancelled cannot be had by anybody."""
    from nostr_threads.app.publish import State

    return report.busy and report.state is not State.CANCELLED


def _tell_rest(report: Report) -> None:
    """Say what stays in the outbox, or that nothing does though not everything has arrived."""
    from nostr_threads.app.publish import State

    state = report.state
    if not any(each.status.taken for each in report.deliveries):
        # It may be at one that did not answer, or has lost it.
        known = "is known to have" if any(d.status.arrived for d in report.deliveries) else "has"
        say(f"no relay {known} any of it: the code leads nowhere{' yet' if report.open else ''}")
    if report.open:
        waiting = counted(report.open, "delivery", "deliveries")
        say(
            f"{waiting} in the outbox, due {when(report.retry_at)}: "
            "`nostr-threads outbox resume` sends and reads back again"
        )
    elif state in (State.GIVEN_UP, State.CANCELLED):
        say(f"{state}: nothing is tried again by itself")
    elif not report.accepted:
        say("refused for good: sending it again would change nothing")


def _show_parts(plan: Plan, as_json: bool) -> None:
    from nostr_threads.render.contracts import part_objects
    from nostr_threads.render.escape import printable

    for found in part_objects(plan.parts, plan.drafts):
        if as_json:
            emit_json(found)
        else:
            size = f"{found['characters']} characters, {found['bytes']} bytes as an event"
            emit(f"── part {found['index']} of {found['total']} · {size}\n")
            emit(printable(str(found["text"])) + "\n\n")


def _show_drafts(plan: Plan, as_json: bool) -> None:
    from nostr_threads.render.contracts import draft_object
    from nostr_threads.render.escape import one_line

    for draft in plan.drafts:
        if as_json:
            emit_json(draft_object(draft))
            continue
        emit(f"── kind {draft.kind} · {one_line(draft.content, 200)}\n")
        for tag in draft.tags:
            emit(f"{one_line(' '.join(tag), 200)}\n")


def _taken_words(admission: Admission) -> str:
    """What a relay lets through of an event, as far as it says so."""
    said = (
        (admission.characters, "{} characters at most"),
        (admission.message_bytes, "messages of {} bytes at most"),
        (admission.tags, "{} tags at most"),
        (admission.pow_bits, "{} bits of work at least"),
        (admission.past, "what is {} s old at most"),
        (admission.future, "what is {} s ahead at most"),
    )
    return ", ".join(words.format(number) for number, words in said if number)


def _grouped(report: Report) -> Iterator[tuple[str, str, str, str]]:
    """One row for all parts in a row that fared alike at a relay."""
    by_relay: dict[str, list[Delivery]] = {}
    for delivery in report.deliveries:
        by_relay.setdefault(delivery.relay, []).append(delivery)
    total = len(report.posting.events)
    for relay, at_relay in by_relay.items():
        name = f"{relay} (courtesy)" if relay in report.posting.courtesy else relay
        for (status, reason), alike in groupby(at_relay, lambda d: (d.status, d.reason)):
            parts = [delivery.part for delivery in alike]
            span = f"{parts[0]}" if len(parts) == 1 else f"{parts[0]}-{parts[-1]}"
            yield name, f"{span} of {total}", status.value, reason
