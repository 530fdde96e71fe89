"""What goes wrong in one of several tasks, told as it is.

Knows groups of errors. Knows nothing of what the tasks do.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ungrouped"]


@contextmanager
def ungrouped() -> Iterator[None]:
    """Raise the first error of a task group by itself: it is the one that has ended the others."""
    try:
        yield
    except BaseExceptionGroup as several:
        error: BaseException = several
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None
