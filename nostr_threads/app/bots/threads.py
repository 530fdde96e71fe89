"""A thread of its own for code that blocks, and that nobody can end.

Knows that such a thread must keep no program from ending. Knows nothing of what is done in it.
"""

from __future__ import annotations

import asyncio
import logging
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_own_thread"]

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


async def in_own_thread(function: Callable[[], _Result]) -> _Result:
    """Return what `function` returns, or raise what it raises.

    Whoever is cancelled, or has no more time, leaves the thread alone: what comes of it then is
    dropped. A pool would wait for it at the end, however long that is.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[_Result] = loop.create_future()

    def work() -> None:
        try:
            result = function()
        except StopIteration:
            told(_fail, done, RuntimeError("StopIteration"))  # no future can carry it
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            told(_fail, done, error)
        else:
            told(_succeed, done, result)

    def told(tell: Callable[..., None], *values: object) -> None:
        try:
            loop.call_soon_threadsafe(tell, *values)
        except RuntimeError:
            _log.debug("an answer came when the loop had ended")

    Thread(target=work, name="nostr-threads bot", daemon=True).start()
    return await done


def _succeed(done: asyncio.Future[_Result], result: _Result) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[_Result], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
