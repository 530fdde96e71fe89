"""What a bot has done so far, in the text format that Prometheus reads.

Knows the names and the format. Counts nothing: the figures are those of the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Figures", "exposition"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What is on record of one bot. `seconds` passed in all from hearing to signing `answered`.

    `skipped` counts by guard. `at` is when that was so, in unix seconds.
    """

    bot: str
    at: int
    answered: int = 0
    delivered: int = 0
    failed: int = 0
    waiting: int = 0
    seconds: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)


def exposition(bots: Sequence[Figures]) -> str:
    """Return the metrics of all `bots`, one family after the other."""
    lines: list[str] = []
    for name, kind, what, samples in _FAMILIES:
        lines += (f"# HELP {name} {what}", f"# TYPE {name} {kind}")
        for figures in bots:
            lines += (f"{name}{suffix} {value}" for suffix, value in samples(figures))
    return "".join(f"{line}\n" for line in lines)


def _label(figures: Figures, **more: str) -> str:
    labels = {"bot": figures.bot, **more}
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _skipped(figures: Figures) -> Iterator[tuple[str, int]]:
    for guard, count in sorted(figures.skipped.items()):
        yield _label(figures, reason=guard), count


def _latency(figures: Figures) -> Iterator[tuple[str, int]]:
    yield f"_sum{_label(figures)}", figures.seconds
    yield f"_count{_label(figures)}", figures.answered


_FAMILIES = (
    (
        "nostr_threads_bot_answered_total",
        "counter",
        "Answers that were signed.",
        lambda figures: [(_label(figures), figures.answered)],
    ),
    (
        "nostr_threads_bot_delivered_total",
        "counter",
        "Asks whose answer as many relays have as were asked for.",
        lambda figures: [(_label(figures), figures.delivered)],
    ),
    (
        "nostr_threads_bot_failed_total",
        "counter",
        "Asks that have no answer after several tries, or whose answer no relay takes.",
        lambda figures: [(_label(figures), figures.failed)],
    ),
    (
        "nostr_threads_bot_skipped_total",
        "counter",
        "Asks that are not answered, by reason.",
        _skipped,
    ),
    (
        "nostr_threads_bot_waiting",
        "gauge",
        "Asks that wait to be answered.",
        lambda figures: [(_label(figures), figures.waiting)],
    ),
    (
        "nostr_threads_bot_answer_seconds",
        "summary",
        "Seconds from hearing of an ask to its signed answer.",
        _latency,
    ),
    (
        "nostr_threads_bot_alive_timestamp_seconds",
        "gauge",
        "When the bot was last at work, in unix seconds.",
        lambda figures: [(_label(figures), figures.at)],
    ),
)
