"""Which relays to ask and to publish to, each with its reason.

Knows relay lists, hints, what relays delivered, and budgets. Knows no network, and not which relays
may be dialled: that, and all randomness, is passed in. All URLs are normalised ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from heapq import heapify, heappop, heapreplace
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from nostr_threads.core.nip19 import PublicKey, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nostr_threads.core.relay_lists import RelayList

__all__ = ["Chance", "Choice", "Reason", "Record", "Router", "write_routes"]

# Where the parent was seen its readers are; more of them would be strangers' relays.
_MOST_SEEN = 2
# What is older than so many questions says little of a relay today: it may have changed.
_MOST_WEIGHT = 100.0
# Hints of one author that are weighed in one call, where one can be taken.
_MOST_HINTS = 20


class Chance(Protocol):
    """What is drawn from: a `random.Random` is one."""

    def betavariate(self, alpha: float, beta: float, /) -> float:
        """Draw from the beta distribution: between 0 and 1."""


@dataclass(frozen=True, slots=True)
class Record:
    """How often a relay had what was looked for, and how often not; old times may weigh less."""

    hits: float = 0.0
    misses: float = 0.0


_UNKNOWN = Record()
_NO_RECORDS: Mapping[str, Record] = MappingProxyType({})


class Reason(Enum):
    """Why a relay is in use."""

    NAMED = "named"
    """By hand, on the command line or in a call."""
    CONFIGURED = "configured"
    """It is in relays.toml."""
    CODE = "code"
    """The code that was pasted names it."""
    WRITES = "writes"
    """Its author writes there (NIP-65)."""
    READS = "reads"
    """Somebody who was answered or tagged reads there (NIP-65)."""
    HINT = "hint"
    """A tag names it."""
    SEEN = "seen"
    """An event of the thread was seen there before."""
    INDEX = "index"
    """It is asked for profiles and relay lists."""


_WORDS = {
    Reason.NAMED: "named by hand",
    Reason.CONFIGURED: "relays.toml",
    Reason.CODE: "named by the code",
    Reason.WRITES: "write relay",
    Reason.READS: "read relay",
    Reason.HINT: "hint",
    Reason.SEEN: "seen there before",
    Reason.INDEX: "index",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One relay in use. `of` is whose list or hint it is: a pubkey in hex, "" for nobody's."""

    relay: str
    reason: Reason
    of: str = ""

    @property
    def reads(self) -> bool:
        """Whether it is asked about the thread, and not about people alone."""
        return self.reason is not Reason.INDEX

    @property
    def is_by_hand(self) -> bool:
        """Whether the user has chosen it, in relays.toml or for once."""
        return self.reason in (Reason.NAMED, Reason.CONFIGURED)

    @property
    def is_own(self) -> bool:
        """Whether it is the user's: chosen by hand, or one that they write to (NIP-65)."""
        return self.is_by_hand or (self.reason is Reason.WRITES and not self.of)

    @property
    def words(self) -> str:
        """The reason for a person to read, such as "write relay of npub1abcde…wxyz"."""
        words = _WORDS[self.reason]
        if not self.of:
            return f"own {words}" if self.reason is Reason.WRITES else words
        npub = encode(PublicKey(self.of))
        return f"{words} of {npub[:10]}…{npub[-4:]}"


class Router:
    """The relays of one fetch: grows, never shrinks, each with the reason it is asked.

    `first` come first, in their order. `may_dial` has the last word on every URL. Nothing that
    strangers send makes it more than `most` relays, `first` included, and hints together never get
    more than half of what `first` leaves. Without `widen` it stays at `first`. The same calls with
    the same seed of `random` choose the same relays, in whatever order mappings and pairs come.
    """

    def __init__(
        self,
        first: Iterable[Choice],
        *,
        may_dial: Callable[[str], bool],
        records: Mapping[str, Record] = _NO_RECORDS,
        random: Chance,
        per_author: int = 3,
        most: int = 40,
        widen: bool = True,
    ) -> None:
        self._routes = _Routes(may_dial, records, random, most)
        for choice in first:
            self._routes.add(choice)
        self.per_author = per_author
        self.left_out: frozenset[str] = frozenset()
        """Relays that may have what is missing, by the hints of authors who gave too many."""
        self._widen = widen
        self._hints_left = self._routes.left // 2
        self._hinted: Counter[str] = Counter()

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The relays in use, in order of choosing."""
        return tuple(self._routes.chosen.values())

    @property
    def unasked(self) -> int:
        """How many relays would be in use too if `most` were larger."""
        return len(self._routes.passed)

    def people(self, lists: Mapping[str, RelayList]) -> None:
        """Bring up to `per_author` write and as many read relays of each author into use.

        Those in use already count. The others are chosen so that few relays serve many authors,
        and those that delivered are preferred. When `most` is near, everybody gets a first write
        and read relay before anybody gets a second.
        """
        if self._widen:
            writes = {author: relays.write for author, relays in lists.items()}
            reads = {author: relays.read for author, relays in lists.items()}
            wanted = {Reason.WRITES: writes, Reason.READS: reads}
            self._routes.serve(wanted, self.per_author)

    def hints(
        self, pairs: Iterable[tuple[str, str]], *, sought: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Take up hints: pairs of a URL and the pubkey of whoever gave it.

        Each pubkey brings in one relay at most over the whole fetch, or `per_author` of those
        `sought`, which may have what is missing. What many hinted at comes first. One call fills at
        most half of what is left under `most`.
        """
        if not self._widen:
            return
        left = self._routes.left
        spare = left - min(self._hints_left, left // 2)
        while self._take(sought, self.per_author, spare):
            pass
        self._take(pairs, 1, spare)
        self._hints_left -= left - self._routes.left
        self.left_out = frozenset(url for url, _ in sought if self._routes.could_take(url))

    def _take(self, pairs: Iterable[tuple[str, str]], most: int, spare: int) -> bool:
        """Take up one hint of each pubkey that has not brought in `most`; whether there was any."""
        fresh: dict[str, set[str]] = {}
        for url, author in pairs:
            if url not in self._routes.chosen and self._hinted[author] < most:
                fresh.setdefault(author, set()).add(url)
        lists = {author: sorted(urls)[:_MOST_HINTS] for author, urls in fresh.items()}
        served = self._routes.serve({Reason.HINT: lists}, 1, spare=spare)
        self._hinted.update(served)
        return bool(served)


def write_routes(
    *,
    own: RelayList | None,
    configured: Sequence[str],
    tagged: Mapping[str, RelayList],
    seen: Sequence[str],
    may_dial: Callable[[str], bool],
    records: Mapping[str, Record] = _NO_RECORDS,
    random: Chance,
    per_author: int = 3,
    most: int = 20,
) -> tuple[Choice, ...]:
    """Choose where to publish: own relays, then those of the people tagged (NIP-65).

    First come the write relays of the `own` list, if there is one, and with them the `configured`
    writers. Those are the user's choice and always stay in: should both be more than `most`, the
    own list loses its end, and `configured` alone may exceed `most`. Then come up to `per_author`
    read relays of everybody in `tagged`, and where the parent was `seen`: those in use already
    count, and the others are chosen as `Router.people` does.
    """
    writers = dict.fromkeys(url for url in configured if may_dial(url))
    owned = dict.fromkeys(url for url in (own.write if own else ()) if may_dial(url))
    most = max(most, len(writers))
    kept = {*writers, *[url for url in owned if url not in writers][: most - len(writers)]}
    routes = _Routes(may_dial, records, random, most)
    for url in (*owned, *writers):
        if url in kept:
            routes.add(Choice(url, Reason.WRITES if url in owned else Reason.CONFIGURED))
    reads = {author: relays.read for author, relays in tagged.items()}
    routes.serve({Reason.READS: reads}, per_author)
    routes.serve({Reason.SEEN: {"": seen}}, _MOST_SEEN)
    return tuple(routes.chosen.values())


class _Routes:
    """The choosing that asking and publishing share: a greedy set cover under a budget."""

    def __init__(
        self,
        may_dial: Callable[[str], bool],
        records: Mapping[str, Record],
        random: Chance,
        most: int,
    ) -> None:
        self.chosen: dict[str, Choice] = {}
        self.passed: set[str] = set()
        self._may_dial = may_dial
        self._records = records
        self._random = random
        self._most = most

    @property
    def left(self) -> int:
        """How many relays still fit."""
        return max(0, self._most - len(self.chosen))

    def add(self, choice: Choice, *, spare: int = 0) -> None:
        """Put a relay into use if more than `spare` still fit; else note that it was passed."""
        if choice.relay in self.chosen or not self._may_dial(choice.relay):
            return
        if self.left > spare:
            self.chosen[choice.relay] = choice
            self.passed.discard(choice.relay)
        else:
            self.passed.add(choice.relay)

    def could_take(self, url: str) -> bool:
        """Whether a relay may be dialled and is not in use, nor was it passed over."""
        return url not in self.chosen and url not in self.passed and self._may_dial(url)

    def serve(
        self,
        wanted: Mapping[Reason, Mapping[str, Sequence[str]]],
        depth: int,
        *,
        spare: int = 0,
    ) -> set[str]:
        """Bring `depth` relays of each list into use, as far as it has them and they fit.

        `wanted` holds one list for each reason and author. Return the authors who lacked relays.
        """
        odds = self._odds(
            {url for lists in wanted.values() for urls in lists.values() for url in urls}
        )
        served: set[str] = set()
        for level in range(1, depth + 1):
            for reason, lists in wanted.items():
                lacking = self._lacking(lists, level, odds, spare)
                served.update(lacking)
                self._cover(lacking, reason, odds, spare)
        return served

    def _odds(self, urls: Iterable[str]) -> dict[str, float]:
        """Draw for each relay that may be dialled how likely it delivers (Thompson sampling)."""
        odds = {}
        for url in sorted(urls):
            if self._may_dial(url):
                hits, misses = _weights(self._records.get(url, _UNKNOWN))
                odds[url] = self._random.betavariate(hits + 1, misses + 1)
        return odds

    def _lacking(
        self, lists: Mapping[str, Sequence[str]], level: int, odds: Mapping[str, float], spare: int
    ) -> dict[str, list[str]]:
        """Return the authors with fewer than `level` relays in use, and their other relays."""
        # What did not fit counts too, or each call would pass over other relays of the same list.
        used = self.chosen.keys() | (self.passed if self.left <= spare else set())
        lacking = {}
        for author in sorted(lists):
            urls = [url for url in dict.fromkeys(lists[author]) if url in odds]
            others = [url for url in urls if url not in used]
            if others and len(urls) - len(others) < level:
                lacking[author] = others
        return lacking

    def _cover(
        self, lacking: dict[str, list[str]], reason: Reason, odds: Mapping[str, float], spare: int
    ) -> None:
        """Put relays into use until nobody lacks one, each time the one that helps most.

        That is how many it helps, times its odds. Gains only shrink, so a stale entry of the heap
        is never too low, and is corrected when it comes up.
        """
        askers: dict[str, list[str]] = {}
        for author, urls in lacking.items():
            for url in urls:
                askers.setdefault(url, []).append(author)
        gains = {url: len(authors) for url, authors in askers.items()}
        heap = [(-gain * odds[url], url) for url, gain in gains.items()]
        heapify(heap)
        while lacking:
            score, url = heap[0]
            if (now := -gains[url] * odds[url]) != score:
                heapreplace(heap, (now, url))
                continue
            heappop(heap)
            helped = [author for author in askers[url] if author in lacking]
            if helped:
                self.add(Choice(url, reason, helped[0]), spare=spare)
            for author in helped:
                for other in lacking.pop(author):
                    gains[other] -= 1


def _weights(record: Record) -> tuple[float, float]:
    """Return hits and misses in their proportion, so few that no relay is ruled out for ever."""
    scale = min(1.0, _MOST_WEIGHT / (record.hits + record.misses or 1.0))
    return record.hits * scale, record.misses * scale
