"""Which seconds of a source have been got from a relay, and which are still to be asked for.

Knows spans of seconds, their union and what is left out. Reads no clock, and knows nothing of what
was in them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Span", "Spans"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Seconds from `first` to `last`, both included (unix seconds)."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 <= self.first <= self.last:
            raise ValueError(f"no span of seconds: {self.first} to {self.last}")


@dataclass(frozen=True, slots=True)
class Spans:
    """Seconds that have been got, as spans that neither touch nor overlap, in order."""

    spans: tuple[Span, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Spans:
        """Return the union of any spans."""
        merged: list[Span] = []
        for span in sorted(spans):
            if merged and span.first <= merged[-1].last + 1:
                merged[-1] = Span(merged[-1].first, max(merged[-1].last, span.last))
            else:
                merged.append(span)
        return cls(tuple(merged))

    def add(self, span: Span) -> Spans:
        """Return these seconds and those of `span`."""
        return Spans.of((*self.spans, span))

    def gaps(self, whole: Span, *, overlap: int = 0) -> Iterator[Span]:
        """Yield what is left of `whole`, newest first.

        A gap reaches `overlap` seconds back into what was got before it: an event may have come
        late to its relay. Below the first second there is nothing to reach into.
        """
        last = whole.last
        for span in reversed(self.spans):
            if span.first > last:
                continue
            if span.last < whole.first:
                break
            if span.last < last:
                yield Span(max(whole.first, span.first, span.last + 1 - overlap), last)
            last = span.first - 1
            if last < whole.first:
                return
        if last >= whole.first:
            yield Span(whole.first, last)

    def covers(self, whole: Span) -> bool:
        """Whether every second of `whole` was got."""
        return next(self.gaps(whole), None) is None
