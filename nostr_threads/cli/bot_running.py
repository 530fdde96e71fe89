"""`bot run`: bots at work until they are told to stop.

Knows signals, the terminal and the keys. What bots do is `app.bots`'s.
"""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.bot_news import tell_news
from nostr_threads.cli.console import say
from nostr_threads.cli.options import AsJson, ConfigFile, PasswordFd, StoreFile
from nostr_threads.cli.prompts import has_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nostr_threads.app.bots.botfile import BotFile
    from nostr_threads.app.bots.crew import Member
    from nostr_threads.app.bots.reporting import MetricsFile
    from nostr_threads.signing import Signer
    from nostr_threads.store.bots import RecordedBot

__all__ = ["run"]

_INTERRUPTED = 130

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="One bot.toml for each bot.")]


def run(
    files: Files,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what would be answered; sign and keep nothing."),
    ] = False,
    metrics: Annotated[
        Path | None,
        typer.Option("--metrics", metavar="FILE", help="Keep figures there, for node_exporter."),
    ] = None,
    password_fd: PasswordFd = None,
    as_json: AsJson = False,
    store: StoreFile = None,
    relays: ConfigFile = None,
) -> None:
    """Answer what is asked, each question once, until Ctrl-C or SIGTERM.

    What came while no bot ran is answered first, as far back as its file says. At the end what is
    signed is delivered; what is not is given back. A second Ctrl-C ends it at once: what is signed
    is in the outbox.

    Example: nostr-threads bot run faq/bot.toml

    Example: nostr-threads bot run faq/bot.toml --dry-run
    """
    from nostr_threads.app.bots.botfile import read_bot
    from nostr_threads.app.bots.crew import require_names
    from nostr_threads.cli.memory import hide_memory
    from nostr_threads.core.bots.specs import CommandOf

    read = [read_bot(path) for path in files]
    require_names(read)
    if any(isinstance(rule.answer, CommandOf) for file in read for rule in file.rules):
        # Such a program is given no key of ours, and is not to find one in our environment or
        # memory: as the same user it may read both, though a stranger decides what it is told.
        hide_memory()
    try:
        asyncio.run(_run(read, dry_run, metrics, password_fd, as_json, store, relays))
    except asyncio.CancelledError:
        raise typer.Exit(_INTERRUPTED) from None


async def _run(
    files: Sequence[BotFile],
    dry_run: bool,
    metrics: Path | None,
    password_fd: int | None,
    as_json: bool,
    store: str | None,
    relays: Path | None,
) -> None:
    from nostr_threads.app.bots.crew import Member, bots_of, run_all
    from nostr_threads.app.bots.reporting import MetricsFile
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.cli.secrets import writing_signer

    bots = [bots_of(file) for file in files]
    async with AsyncExitStack() as stack:
        signers: list[Signer] = [
            await stack.enter_async_context(writing_signer(file.key or None, password_fd))
            for file in files
        ]
        place = ":memory:" if dry_run else store
        first = await stack.enter_async_context(open_nostr(place, relays, signers[0]))
        members = [
            Member(file, answering, first.signing_as(signer))
            for file, answering, signer in zip(files, bots, signers, strict=True)
        ]
        kept = None if metrics is None else MetricsFile(metrics, first.store.bots)
        if kept is not None:
            await _begin(kept, members)
        for member in () if dry_run else members:
            await _introduce_if_it_can(member)

        def pulse(recorded: RecordedBot) -> None:
            if kept is not None:
                kept.write(recorded, now=int(time.time()))

        with _stopping() as stop:
            await run_all(
                members,
                stop,
                clock=time.time,
                tell=lambda news: tell_news(news, as_json=as_json),
                pulse=pulse,
                is_dry=dry_run,
            )


async def _begin(kept: MetricsFile, members: Sequence[Member]) -> None:
    """Write the figures once, as they are: a file that cannot be written is told at once."""
    from nostr_threads.app.blocking import off_loop

    now = int(time.time())
    for member in members:
        enter = member.nostr.store.bots.enter
        recorded = await off_loop(enter, member.public_key, member.file.name, now=now)
        await off_loop(kept.write, recorded, now=now)


async def _introduce_if_it_can(member: Member) -> None:
    """Introduce a bot, or say why not: it answers all the same."""
    from nostr_threads.errors import NoRelayReachable, NotFound, NothingAccepted, SigningError

    try:
        await _introduce(member)
    except (NoRelayReachable, NotFound, NothingAccepted, SigningError) as error:
        say(f"{member.file.name}: not marked as a bot this time: {error}")


async def _introduce(member: Member) -> None:
    """See that the bot's profile says that it is one, after asking once."""
    from nostr_threads.app.blocking import off_loop
    from nostr_threads.app.bots.marking import look_up, mark
    from nostr_threads.errors import NothingAccepted

    nostr, file, now = member.nostr, member.file, int(time.time())
    bot = member.public_key
    recorded = await off_loop(nostr.store.bots.enter, bot, file.name, now=now)
    wanted = recorded.marks if file.marks is None else file.marks
    if wanted is False:
        return
    looked = await look_up(nostr, bot, file.relays, now=now)
    if looked.is_marked:
        return
    if wanted is None and not has_terminal():
        say(f"{file.name}: its profile does not say that it is a bot; `mark = true` lets it")
        return
    if wanted is None:
        wanted = typer.confirm(f"Let the profile of {file.name} say that it is a bot?", err=True)
        await off_loop(nostr.store.bots.mark, recorded, marks=wanted)
        if wanted:
            # A person may have changed it before they said yes.
            now = int(time.time())
            looked = await look_up(nostr, bot, file.relays, now=now)
    if wanted:
        report = await mark(nostr, looked, file.relays, name=file.name, now=now)
        if not report.taken(1):
            raise NothingAccepted("no relay has taken its profile yet; it is in the outbox")
        say(f"{file.name}: its profile says that it is a bot")


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """Give an event that Ctrl-C and SIGTERM set; the second one ends everything at once."""
    loop, stop, task = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()

    def end() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
            return
        say("ending once what is signed has arrived; once more, and it ends at once")
        stop.set()

    numbers = [
        number
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) is not signal.SIG_IGN
    ]
    with suppress(NotImplementedError):  # where there are no such signals Ctrl-C ends it at once
        for number in numbers:
            loop.add_signal_handler(number, end)
    try:
        yield stop
    finally:
        with suppress(NotImplementedError):
            for number in numbers:
                loop.remove_signal_handler(number)
