"""The options that say what a client of `key bunker` may do.

Knows how they are written. What they mean is `signing.policy`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from nostr_threads.cli.moments import moment
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from nostr_threads.signing.policy import Policy

__all__ = ["Rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a new client may do without anybody being asked."""

    kinds: Annotated[
        str | None,
        typer.Option(
            "--kinds",
            metavar="N,N",
            help="Sign events of these kinds, of `all` or `none`; default: those published here.",
        ),
    ] = None
    per_minute: Annotated[
        int, typer.Option("--per-minute", metavar="N", min=1, help="Requests that are answered.")
    ] = 60
    until: Annotated[
        str | None, typer.Option("--until", metavar="WHEN", help="When it ends: 30d, 2026-12-31.")
    ] = None
    encryption: Annotated[
        bool, typer.Option("--encryption", help="Encrypt and decrypt texts, too (NIP-44).")
    ] = False
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask here about all else, instead of refusing it.")
    ] = False

    def policy(self, now: int) -> Policy:
        """Return the policy they are. Raises `InvalidInput`."""
        from nostr_threads.signing.policy import Policy

        return Policy(
            kinds=_kinds(self.kinds),
            per_minute=self.per_minute,
            until=None if self.until is None else moment(self.until, now),
            encryption=self.encryption,
            ask=self.ask,
        )


def _kinds(text: str | None) -> frozenset[int] | None:
    """Read the kinds that are signed without asking; None for all."""
    from nostr_threads.app.bunkers import PERMISSIONS

    if text is None:
        return frozenset(each.kind for each in PERMISSIONS if each.kind is not None)
    if text.strip() == "all":
        return None
    if text.strip() == "none":
        return frozenset()
    try:
        kinds = frozenset(map(int, text.split(",")))
    except ValueError:
        raise InvalidInput(
            "--kinds are numbers with commas between them, or `all`, or `none`"
        ) from None
    if not all(0 <= kind <= 65_535 for kind in kinds):
        raise InvalidInput("a kind is a number from 0 to 65535")
    return kinds
