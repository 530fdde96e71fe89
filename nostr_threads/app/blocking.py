"""Work that blocks, done off the event loop: the store's.

Knows threads of its own: those of the loop look up host names, and one that hangs must not keep the
store waiting. Knows nothing of what is done in them.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["off_loop", "to_its_end"]

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="nostr-threads")


def off_loop(
    function: Callable[_Given, _Result], *args: _Given.args, **options: _Given.kwargs
) -> asyncio.Future[_Result]:
    """Run `function` in one of our threads; otherwise as `asyncio.to_thread` does."""
    loop = asyncio.get_running_loop()
    return loop.run_in_executor(_threads, partial(function, *args, **options))


async def to_its_end(work: asyncio.Future[_Result]) -> _Result:
    """Wait for what must not be left half done: whoever is cancelled meanwhile stays until its end.

    However often that is: Ctrl-C may be pressed twice. Raises what the work raises, even then.
    """
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancelled = error
    result = work.result()
    if cancelled is not None:
        raise cancelled
    return result
