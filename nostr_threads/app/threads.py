"""Threads of our own for what blocks: the store's work.

The event loop's own threads look up host names. One that hangs must not keep the store waiting.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_thread"]

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="nostr-threads")


def in_thread(
    function: Callable[_Given, _Result], *args: _Given.args, **options: _Given.kwargs
) -> asyncio.Future[_Result]:
    """Run `function` in one of our threads; otherwise as `asyncio.to_thread` does."""
    loop = asyncio.get_running_loop()
    return loop.run_in_executor(_threads, partial(function, *args, **options))
