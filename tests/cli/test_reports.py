"""What a person is told of an answer on its way, and when nobody is told anything."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import typer

import nostr_threads as nt
from nostr_threads.app.mining import Mining
from nostr_threads.app.publish import Report, State
from nostr_threads.app.writing import Plan
from nostr_threads.cli import console, reports, verbs, watching
from nostr_threads.cli.reports import exit_code, show_report, tell_clock, when
from nostr_threads.core.admission import Admission
from nostr_threads.core.article import Form
from nostr_threads.core.compose import compose
from nostr_threads.core.delivery import Delivery, Status
from nostr_threads.core.routing import Choice, Reason
from nostr_threads.store.base import Posting
from tests.app.worlds import ALICE, LIMIT, LONG, NOW

if TYPE_CHECKING:
    from rich.console import Console

OWN, INBOX = "wss://own.example", "wss://inbox.example"
PARTS = nt.split(LONG, LIMIT)
DRAFTS = tuple(compose(PARTS, author=ALICE.pubkey, created_at=NOW))
EVENTS = tuple(ALICE.sign(draft) for draft in DRAFTS)
CHOICES = (Choice(OWN, Reason.CONFIGURED), Choice(INBOX, Reason.READS, ALICE.pubkey))
PLAN = Plan(Form.THREAD, tuple(PARTS), DRAFTS, CHOICES, work=8, warnings=("look out",))


def report(own: Status, inbox: Status, *, retry_at: int = 0, reason: str = "") -> Report:
    deliveries = tuple(
        Delivery(part, url, status, "" if status is Status.STORED else reason, 0, retry_at)
        for part in range(1, len(EVENTS) + 1)
        for url, status in ((OWN, own), (INBOX, inbox))
    )
    return Report(Posting(EVENTS, (OWN, INBOX), 1, NOW, deliveries, frozenset((INBOX,))))


@pytest.mark.parametrize(
    ("made", "code", "state"),
    [
        (report(Status.STORED, Status.STORED), 0, State.ARRIVED),
        (report(Status.STORED, Status.UNREACHABLE), 0, State.ON_ITS_WAY),
        (report(Status.STORED, Status.REJECTED, reason="blocked: no"), 0, State.ARRIVED),
        (report(Status.ACCEPTED, Status.STORED), 3, State.ON_ITS_WAY),
        (report(Status.REJECTED, Status.STORED, reason="blocked: no"), 1, State.REFUSED),
        (report(Status.GIVEN_UP, Status.STORED), 1, State.GIVEN_UP),
        (report(Status.UNREACHABLE, Status.UNREACHABLE), 4, State.ON_ITS_WAY),
        (report(Status.CANCELLED, Status.CANCELLED), 1, State.CANCELLED),
        (replace(report(Status.STORED, Status.STORED), busy=True), 3, State.ARRIVED),
        (replace(report(Status.CANCELLED, Status.CANCELLED), busy=True), 1, State.CANCELLED),
    ],
)
def test_own_relays_decide_the_exit_code_and_what_is_left_the_state(
    made: Report, code: int, state: State
) -> None:
    assert (exit_code(made), made.state) == (code, state)


def test_courtesy_is_marked_and_what_is_left_is_told_with_its_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    show_report(report(Status.STORED, Status.UNREACHABLE, retry_at=4_000_000_000), as_json=False)
    out, err = capsys.readouterr()
    assert out.startswith("nevent1")
    assert f"{INBOX} (courtesy)" in err
    assert f"{OWN} (courtesy)" not in err
    assert f"{len(EVENTS)} deliveries in the outbox, due {when(4_000_000_000)}: " in err


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (report(Status.REJECTED, Status.REJECTED, reason="blocked: no"), "has any of it: the code"),
        (report(Status.UNREACHABLE, Status.UNREACHABLE), "has any of it: the code leads nowhere y"),
        (report(Status.NO_ANSWER, Status.UNREACHABLE), "is known to have any of it: the code"),
        (report(Status.REJECTED, Status.STORED, reason="blocked: no"), None),
    ],
)
def test_a_code_that_leads_nowhere_is_called_so(
    made: Report, words: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    show_report(made, as_json=False)
    out, err = capsys.readouterr()
    assert out.startswith("nevent1")
    assert (f"no relay {words}" in err) if words else "no relay" not in err


def test_what_is_over_is_due_now() -> None:
    assert (when(None), when(0), when(NOW)) == ("now", "now", "now")
    assert when(4_000_000_000).startswith("2096-10-0")


@pytest.mark.parametrize(
    ("behind", "words"), [(312.4, "312 s slow"), (-90.0, "90 s fast"), (None, "")]
)
def test_a_wrong_clock_is_told_and_a_right_one_is_not(
    behind: float | None, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_clock(behind)
    said = f"warning: your clock is {words}: relays may refuse what you sign\n" if words else ""
    assert capsys.readouterr().err == said


def on_a_terminal() -> Console:
    from rich.console import Console

    return Console(file=io.StringIO(), force_terminal=True, width=160, _environ={"TERM": "xterm"})


def bars(monkeypatch: pytest.MonkeyPatch) -> tuple[watching.Watch, list[str]]:
    """A watch on a terminal that has seen some of an answer, and what its bars say."""
    monkeypatch.setattr(console, "talk", on_a_terminal)
    with watching.Watch() as watch:
        watch.planned(PLAN)
        watch.mining(Mining(512, 256, 1.5))
        for delivery in (
            Delivery(1, OWN, Status.ACCEPTED),
            Delivery(1, OWN, Status.STORED),
            Delivery(2, OWN, Status.ACCEPTED),
            Delivery(1, INBOX, Status.REJECTED, "blocked: no"),
            Delivery(1, "wss://unknown.example", Status.STORED),
        ):
            watch.progress(delivery)
    return watch, [f"{each.description}: {each.fields['words']}" for each in watch._bars.tasks]


def test_a_terminal_has_a_bar_for_each_relay_and_a_line_for_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch, words = bars(monkeypatch)
    assert words == [
        f"{OWN}: 2 of {len(PARTS)} taken, 1 read back",
        f"{INBOX}: 0 of {len(PARTS)} taken, 0 read back; part 1 rejected",
        "proof of work: 512 tries of about 256, 2 s",
    ]
    done = [(task.completed, task.total) for task in watch._bars.tasks]
    assert done == [(3, 2 * len(PARTS)), (0, 2 * len(PARTS)), (256, 256)]
    told = capsys.readouterr().err
    assert "warning: look out\n" in told
    assert f"also to {INBOX}: read relay of" in told
    assert f"to {OWN}" not in told


def test_on_a_pipe_no_bar_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with watching.Watch() as watch:
        watch.planned(replace(PLAN, choices=CHOICES[:1], work=0, warnings=()))
        watch.progress(Delivery(1, OWN, Status.STORED))
    assert capsys.readouterr() == ("", "")


def test_only_planning_stops_before_anything_is_signed() -> None:
    with watching.Watch(only_plan=True) as watch, pytest.raises(watching.Planned) as stopped:
        watch.planned(PLAN)
    assert stopped.value.plan is PLAN


class Typist(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_deletion_is_asked_about_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Typist("n\n"))
    with pytest.raises(typer.Abort):
        verbs.delete(codes=["one", "two"])
    assert "Ask relays to delete these 2 things? Copies may stay [y/N]:" in capsys.readouterr().err


def test_a_plan_names_every_relay_with_its_reason_and_what_it_takes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    taken = Admission(characters=300, pow_bits=8)
    reports.show_plan(PLAN, {OWN: taken}, as_json=True)
    out, err = capsys.readouterr()
    assert out.count("\n") == len(PARTS)
    assert f"to {OWN}: " in err
    assert f"{OWN} takes 300 characters at most, 8 bits of work at least\n" in err
    assert "8 bits of proof of work for each part" in err
    assert f"{len(PARTS)} parts of the form thread\n" in err
