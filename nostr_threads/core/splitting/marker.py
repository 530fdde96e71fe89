"""A marker: the template that says which part of how many this is, and where it stands.

Knows what a template may be and how it stands beside fences. Knows nothing of cuts.
"""

from __future__ import annotations

from dataclasses import dataclass

from nostr_threads.errors import InvalidInput

__all__ = ["GUARD", "Dress", "Marker", "is_unicode"]

GUARD = "\u2060"
"""WORD JOINER: stands where a part would otherwise begin or end in white space."""

_MAX_MARKER = 64
_TEXT = "{text}"


@dataclass(frozen=True, slots=True)
class Dress:
    """What a cut asks of the text around a part, beside the marker.

    `opening` reopens a fence and `close` closes one; `fenced` says that a fence begins or ends
    right here, beside which nothing else may stand; `white` that white space is at the edge.
    """

    opening: str = ""
    close: str = ""
    fenced: bool = False
    white: bool = False


@dataclass(frozen=True, slots=True)
class Marker:
    """A checked template: what stands `before` and `after` the text, numbers not filled in."""

    before: str = ""
    after: str = ""

    @classmethod
    def parse(cls, template: str) -> Marker:
        """Read `template`: with `{index}`, `{total}` and maybe `{text}`, or empty.

        Without `{text}` the marker follows the text. Raises `InvalidInput` if it cannot work.
        """
        if not template:
            return cls()
        if "{index}" not in template or "{total}" not in template:
            raise InvalidInput(
                f"the marker {template!r} needs both {{index}} and {{total}}, or be empty"
            )
        if template.count(_TEXT) > 1:
            raise InvalidInput(f"the marker {template!r} has {{text}} more than once")
        if len(template.replace(_TEXT, "")) > _MAX_MARKER:
            raise InvalidInput(f"the marker is longer than {_MAX_MARKER} characters")
        if not is_unicode(template):
            raise InvalidInput("the marker holds a lone surrogate")
        before, _, after = template.rpartition(_TEXT) if _TEXT in template else ("", "", template)
        if before[:1].isspace() or after[-1:].isspace():
            raise InvalidInput(f"the marker {template!r} begins or ends in white space")
        return cls(before, after)

    def numbered(self, index: int, total: int) -> Marker:
        """Fill the numbers in."""
        return Marker(_fill(self.before, index, total), _fill(self.after, index, total))

    def head(self, dress: Dress) -> str:
        """Return all that is added before a part's text."""
        before = self.before
        if before and (dress.opening or dress.fenced):
            before = _led_off(before)
        added = before + dress.opening
        return GUARD if dress.white and not added else added

    def foot(self, dress: Dress) -> str:
        """Return all that is added after a part's text."""
        after = self.after
        if after and (dress.close or dress.fenced):
            after = _led_in(after)
        added = dress.close + after
        return GUARD if dress.white and not added else added


def is_unicode(text: str) -> bool:
    """Whether `text` can be written as UTF-8: it holds no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _fill(template: str, index: int, total: int) -> str:
    # Not str.format: a template must not reach attributes, and other braces are plain text.
    return template.replace("{index}", str(index)).replace("{total}", str(total))


def _led_in(marker: str) -> str:
    bare = marker.lstrip()
    leading = marker[: len(marker) - len(bare)]
    return marker if "\n" in leading else f"\n{bare}"


def _led_off(marker: str) -> str:
    bare = marker.rstrip()
    return marker if "\n" in marker[len(bare) :] else f"{bare}\n"
