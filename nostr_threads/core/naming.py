"""What a client calls its subscriptions: numbers, as short as may be.

Knows which names were given. Knows nothing of what they stand for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["Names"]

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST_NAME = 12
_NAME = re.compile("[1-9a-z][0-9a-z]{0,11}")


class Names:
    """Names for the subscriptions of one relay, counted up: some relays take only short ones."""

    def __init__(self) -> None:
        self._given = 0

    def new(self, open_ones: Container[str], count: int, most: int) -> str:
        """Return a name of at most `most` characters that is none of the `count` open ones.

        Where few names are short enough they are taken again; with more open ones than there are
        such names it is longer.
        """
        length = min(most, _LONGEST_NAME)
        while len(_DIGITS) ** length <= count + 1:
            length += 1
        while True:
            self._given += 1
            name = _written((self._given - 1) % (len(_DIGITS) ** length - 1) + 1)
            if name not in open_ones:
                return name

    def was_given(self, name: str) -> bool:
        """Whether this was ever the name of a subscription."""
        return _NAME.fullmatch(name) is not None and int(name, 36) <= self._given


def _written(number: int) -> str:
    """Write a number with as few characters as may be, as `int(text, 36)` reads it."""
    text = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text
