"""One thing that is signed and sent, from the command line to its exit code.

Knows who signs, what is shown meanwhile and how it ends. What is sent is the caller's to say.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import typer

from nostr_threads.cli.console import say
from nostr_threads.cli.options import (
    AsJson,
    ConfigFile,
    DryRun,
    KeyName,
    PasswordFd,
    RelayUrls,
    StoreFile,
)
from nostr_threads.cli.reports import exit_code, show_plan, show_report, tell_clock
from nostr_threads.errors import NostrThreadsError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from nostr_threads.app.client import Nostr
    from nostr_threads.app.publish import Report
    from nostr_threads.app.writing import Plan
    from nostr_threads.cli.watching import Watch
    from nostr_threads.core.admission import Admission

__all__ = ["Access", "Errand"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """As whom and with which files something is done, and how it is told."""

    key: KeyName = None
    password_fd: PasswordFd = None
    as_json: AsJson = False
    store: StoreFile = None
    relays: ConfigFile = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand(Access):
    """What it takes to send something besides."""

    relay: RelayUrls = None
    dry_run: DryRun = False

    @property
    def named(self) -> tuple[str, ...]:
        """The relays that were named by hand."""
        return tuple(self.relay or ())

    def run(self, act: Callable[[Nostr, Watch], Awaitable[Report]]) -> NoReturn:
        """Do `act`, report on it and exit with its code; with `dry_run` show what it would be."""
        if self.dry_run:
            show_plan(*asyncio.run(self._plan(act)), as_json=self.as_json)
            raise typer.Exit
        report = asyncio.run(self._send(act))
        raise typer.Exit(exit_code(report))

    async def _send(self, act: Callable[[Nostr, Watch], Awaitable[Report]]) -> Report:
        from nostr_threads.app.opening import open as open_nostr
        from nostr_threads.cli.secrets import writing_signer
        from nostr_threads.cli.watching import Watch

        async with (
            writing_signer(self.key, self.password_fd) as signer,
            open_nostr(self.store, self.relays, signer) as nostr,
        ):
            try:
                with Watch() as watch:
                    report = await act(nostr, watch)
            except asyncio.CancelledError:
                is_there = nostr.store.postings(open_only=True)
                where = "what was signed is in the outbox: `nostr-threads outbox resume`"
                say(f"interrupted; {where if is_there else 'nothing was signed'}")
                raise
            show_report(report, self.as_json)
            tell_clock(nostr.clock_off())
            return report

    async def _plan(
        self, act: Callable[[Nostr, Watch], Awaitable[Report]]
    ) -> tuple[Plan, Mapping[str, Admission]]:
        from nostr_threads.app.opening import open as open_nostr
        from nostr_threads.cli.watching import Planned, Watch
        from nostr_threads.signing import ReadOnlySigner

        async with open_nostr(self.store, self.relays) as nostr:
            # Relays are not told who it is: nothing is signed, not even that.
            nostr.signer = ReadOnlySigner(_author(self.key))
            with Watch(only_plan=True) as watch:
                try:
                    await act(nostr, watch)
                except Planned as stopped:
                    return stopped.plan, _admissions(nostr, stopped.plan)
        raise NostrThreadsError("there was no plan to show")


def _author(key: str | None) -> str:
    """Who would sign, as far as that can be said without a password."""
    from nostr_threads.app.drafting import NOBODY
    from nostr_threads.cli.secrets import public_key

    return public_key(key) or NOBODY


def _admissions(nostr: Nostr, plan: Plan) -> dict[str, Admission]:
    """What the relays have said they take, by URL."""
    from nostr_threads.net.info import admission_of, parse_info

    documents = {url: nostr.store.relay_document(url) for url in plan.relays}
    return {
        url: admission_of(parse_info(kept[0]))
        for url, kept in documents.items()
        if kept is not None and kept[0]
    }
