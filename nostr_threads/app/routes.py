"""Which relays a job uses: those of relays.toml, those named by hand, and what was learned.

Knows where the choices come from. How they are weighed is `core.routing`'s to know.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nostr_threads.core.relay_url import is_local, normalize
from nostr_threads.core.routing import Choice, Reason, Router, write_routes
from nostr_threads.errors import InvalidInput
from nostr_threads.net.relay import RelayOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from nostr_threads.app.config import Config
    from nostr_threads.core.relay_lists import RelayList
    from nostr_threads.core.routing import Record

__all__ = ["Routes"]

# Relays that are asked because a code names them, or because the thread was seen there, at most.
_HINTS = 5
_SEEN = 5


class Routes:
    """The relays that may be used, over the life of a program; `random` breaks ties."""

    def __init__(self, config: Config, random: Random) -> None:
        self._config = config
        self._random = random
        self._named: set[str] = set()

    def name(self, urls: Sequence[str]) -> list[str]:
        """Count relays as named by hand; return their normalised URLs. `InvalidRelayUrl`."""
        relays = [normalize(url) for url in urls]
        self._named.update(relays)
        return relays

    def is_ours(self, url: str) -> bool:
        """Whether a relay is one of relays.toml, or was named by hand."""
        return url in self._named or any(relay.url == url for relay in self._config.relays)

    def may_dial(self, url: str) -> bool:
        """Whether a stranger's word is enough to connect: not into this machine's own network."""
        return self.is_ours(url) or not is_local(url)

    @property
    def index(self) -> tuple[str, ...]:
        """The relays that are asked for profiles and relay lists alone."""
        return tuple(relay.url for relay in self._config.relays if relay.index and not relay.read)

    def knows_people(self, url: str) -> bool:
        """Whether a relay's whole answer about somebody will do until tomorrow.

        That of an index relay does; where there is none, that of any relay of relays.toml.
        """
        relays = self._config.relays
        judges = [relay.url for relay in relays if relay.index] or [relay.url for relay in relays]
        return url in judges

    def reading(
        self,
        named: Sequence[str],
        hints: Sequence[str],
        seen: Mapping[str, Sequence[str]],
        *,
        records: Mapping[str, Record],
        most: int,
        widen: bool,
    ) -> Router:
        """Return the relays to ask for a thread: `named`, else those of relays.toml, and more.

        `hints` are those of a pasted code; `seen` says where each stored event of the thread was
        seen. Without `widen` these are all. Raises `InvalidInput` when there is none at all.
        """
        first = [Choice(url, Reason.NAMED) for url in self.name(named)]
        if not named:
            first = [Choice(url, Reason.CONFIGURED) for url in self._config.readers]
        first += [Choice(url, Reason.CODE) for url in hints if self.may_dial(url)][:_HINTS]
        if widen:
            places = Counter(url for urls in seen.values() for url in urls if self.may_dial(url))
            first += [Choice(url, Reason.SEEN) for url, _ in places.most_common(_SEEN)]
        if not first:
            raise InvalidInput(f"no relay to read from: {self._config.path} names none")
        return Router(
            first,
            may_dial=self.may_dial,
            records=records,
            random=self._random,
            most=most,
            widen=widen,
        )

    def writers(self, named: Sequence[str]) -> tuple[str, ...]:
        """Return the relays to publish to: `named`, else those of relays.toml.

        Raises `InvalidInput` when there is none.
        """
        relays = self.name(named) or list(self._config.writers)
        if not relays:
            raise InvalidInput(f"no relay to write to: {self._config.path} names none")
        return tuple(dict.fromkeys(relays))

    def writing(
        self,
        own: RelayList | None,
        tagged: Mapping[str, RelayList],
        seen: Sequence[str],
        *,
        records: Mapping[str, Record],
    ) -> tuple[Choice, ...]:
        """Return where an answer goes: own relays, those of everybody tagged, the parent's."""
        return write_routes(
            own=own,
            configured=self.writers(()),
            tagged=tagged,
            seen=seen,
            may_dial=self.may_dial,
            records=records,
            random=self._random,
        )

    def options(self, url: str) -> RelayOptions:
        """Return how to treat a relay.

        One that only a stranger names is not told who reads it, and its name must lead nowhere
        private; a URL that is plainly of this network is dialled by hand alone (see `may_dial`).
        """
        settings, is_ours = self._config.settings(url), self.is_ours(url)
        auth = settings.auth if is_ours else "never"
        return RelayOptions(settings.proxy, auth, public_only=not (is_ours or is_local(url)))
