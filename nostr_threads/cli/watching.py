"""What a person sees while something is sent: a bar for each relay, and a line for the work.

Knows a terminal; on a pipe nothing is shown. Knows nothing of how anything is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nostr_threads.cli.console import bars
from nostr_threads.cli.reports import tell_plan
from nostr_threads.core.delivery import Status
from nostr_threads.render.escape import one_line

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from rich.progress import TaskID

    from nostr_threads.app.mining import Mining
    from nostr_threads.app.writing import Plan
    from nostr_threads.core.delivery import Delivery

__all__ = ["Planned", "Watch"]

_LONGEST_NAME = 60


class Planned(Exception):
    """Carries a plan out of what would go on to sign it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("planned")
        self.plan = plan


class Watch:
    """Told what happens to one answer, in order: `planned`, `mining`, `progress`.

    With `only_plan` it raises `Planned` once there is a plan, so that nothing is signed.
    """

    def __init__(self, *, only_plan: bool = False) -> None:
        self._only_plan = only_plan
        self._bars = bars()
        self._bars.add_task("looking up relays and limits", total=None, words="")
        self._work: TaskID | None = None
        self._relays: dict[str, TaskID] = {}
        self._status: dict[tuple[str, int], Status] = {}
        self._parts = 0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def planned(self, plan: Plan) -> None:
        """Say where it goes and what the author should know, and begin a bar for each relay."""
        if self._only_plan:
            raise Planned(plan)
        tell_plan(plan)
        self._parts = len(plan.drafts)
        for task in self._bars.task_ids:
            self._bars.remove_task(task)
        for relay in plan.relays:
            name = one_line(relay, _LONGEST_NAME)
            self._relays[relay] = self._bars.add_task(name, total=2 * self._parts, words="")

    def mining(self, done: Mining) -> None:
        """Show how far the proof of work is: it may well take several times the average."""
        if self._work is None:
            self._work = self._bars.add_task("proof of work", total=1, words="")
        self._bars.update(
            self._work,
            total=done.expected,
            completed=min(done.tried, done.expected),
            words=f"{done.tried:,} tries of about {done.expected:,}, {done.seconds:.0f} s",
        )

    def progress(self, delivery: Delivery) -> None:
        """Move the bar of the delivery's relay: half a step for what it took, half once read."""
        if (task := self._relays.get(delivery.relay)) is None:
            return
        self._status[delivery.relay, delivery.part] = delivery.status
        statuses = [each for (relay, _), each in self._status.items() if relay == delivery.relay]
        taken = sum(each.taken for each in statuses)
        stored = statuses.count(Status.STORED)
        words = f"{taken} of {self._parts} taken, {stored} read back"
        if not delivery.status.taken:
            words += f"; part {delivery.part} {delivery.status.value}"
        self._bars.update(task, completed=taken + stored, words=words)
