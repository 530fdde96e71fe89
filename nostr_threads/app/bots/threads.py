"""A thread of its own for code that blocks, and that nobody can end.

Knows that such a thread must keep no program from ending, and how many may be left alone. Knows
nothing of what is done in them.
"""

from __future__ import annotations

import asyncio
import logging
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from nostr_threads.errors import AnswerFailed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_own_thread", "is_ending"]

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")

# Threads that are at work though nobody waits for them. Each holds memory, and perhaps more.
_MOST_LEFT = 16
_left: set[Thread] = set()


async def in_own_thread(function: Callable[[], _Result]) -> _Result:
    """Return what `function` returns, or raise what it raises.

    Whoever is cancelled, or has no more time, leaves the thread alone: what comes of it then is
    dropped. A pool would wait for it at the end, however long that is. Raises `AnswerFailed` at
    once while 16 that were left alone are still at work.
    """
    _left.difference_update([each for each in tuple(_left) if not each.is_alive()])
    if len(_left) >= _MOST_LEFT:
        raise AnswerFailed(f"{_MOST_LEFT} earlier tries hang, and none of them can be ended")
    loop = asyncio.get_running_loop()
    # A value of either kind: as its exception, a future cannot carry each of them.
    done: asyncio.Future[tuple[_Result] | BaseException] = loop.create_future()

    def work() -> None:
        outcome: tuple[_Result] | BaseException
        try:
            outcome = (function(),)
        except StopIteration:
            outcome = RuntimeError("StopIteration")  # no coroutine can raise it
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            outcome = error
        try:
            loop.call_soon_threadsafe(_tell, done, outcome)
        except RuntimeError:
            _log.debug("an answer came when the loop had ended")

    thread = Thread(target=work, name="nostr-threads bot", daemon=True)
    thread.start()
    try:
        outcome = await done
    except BaseException:
        _left.add(thread)
        raise
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome[0]


def is_ending(error: BaseException) -> bool:
    """Whether an error that came from a stranger's code is no error: we ourselves are to end.

    Such code may raise anything, also what means that somebody wants us to end, and nobody does.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return True  # there is no loop any more, and we are put away
    return isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _tell(done: asyncio.Future[_Result], outcome: _Result) -> None:
    if not done.done():
        done.set_result(outcome)
