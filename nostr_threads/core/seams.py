"""How the texts of several notes meet: as one sentence, or as paragraphs.

Knows what a text looks like that was cut in the middle. Knows nothing of events.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["is_cut", "is_dotted", "stretches"]

_DOTS = ("…", "...")


def stretches(texts: Sequence[str]) -> Iterator[str]:
    """Yield the texts as they meet: words of one sentence with a space, others as paragraphs."""
    before = ""
    for place, text in enumerate(texts):
        after = texts[place + 1] if place + 1 < len(texts) else ""
        lead = _seam(before, text) if before and text else ""
        said = text.lstrip("….") if is_dotted(before, text) else text
        yield lead + (said.rstrip("….") if is_dotted(text, after) else said).strip()
        before = text or before


def _seam(before: str, after: str) -> str:
    if before.endswith(("\uff0c", "\u3001")):
        return ""
    return " " if is_dotted(before, after) or is_cut(before, after) else "\n\n"


def is_dotted(before: str, after: str) -> bool:
    """Whether both ends say that a sentence was cut here: "and so … / … it went on"."""
    return before.endswith(_DOTS) and after.startswith(_DOTS)


def is_cut(before: str, after: str) -> bool:
    """Whether a text stops inside a sentence that the next one continues, as far as one can see.

    A link or a hashtag ends a note well enough, and so does a heading.
    """
    if not before or not after[:1].islower() or not (before[-1].isalnum() or before[-1] in ",;"):
        return False
    line = before[before.rfind("\n") + 1 :]
    word = line[line.rfind(" ") + 1 :]
    return not ("://" in word or word.startswith(("#", "nostr:")) or line.startswith("#"))
