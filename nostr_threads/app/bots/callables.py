"""Answers from Python: a function or an object beside the bot's file, or what a package brings.

Knows how one is found and asked. Knows nothing of what it does: whatever it raises is put into a
sentence, and its traceback goes to the log for debugging.

A package names a bot in its pyproject.toml::

    [project.entry-points."nostr_threads.bots"]
    greeter = "nostr_greeter:Greeter"
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import re
import sys
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from nostr_threads.app.bots.threads import in_own_thread, is_ending
from nostr_threads.core.article import Form
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.reported import reported
from nostr_threads.errors import AnswerFailed, InvalidInput, NostrThreadsError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.bots.asks import Ask
    from nostr_threads.core.bots.specs import PluginOf, PythonOf

__all__ = ["GROUP", "Function", "bot_names", "from_plugin", "from_python"]

GROUP = "nostr_threads.bots"

_log = logging.getLogger(__name__)

_NAME = re.compile(r"(\w+(?:\.\w+)*):(\w+(?:\.\w+)*)")
_LONGEST_COMPLAINT = 200


class Function:
    """A bot that is somebody's `answer`: a function of an `Ask`, or an object or class with one.

    It may be async or not, and returns an `Answer`, a text or None. One that is not async runs in a
    thread of its own, which is left alone where it takes more than `seconds`: no thread can be
    killed. Raises `InvalidInput` for what cannot be asked.
    """

    def __init__(
        self, given: object, name: str, *, seconds: float, form: Form | None = Form.THREAD
    ) -> None:
        self._ask = _asked(given, name)
        self._name = name
        self._seconds = seconds
        self._form = form

    async def answer(self, ask: Ask) -> Answer | None:
        """Return what it says. Raises `AnswerFailed` where it fails or takes too long."""
        deadline = asyncio.timeout(self._seconds)
        try:
            async with deadline:
                result = await self._result(ask)
        except BaseException as error:
            # A stranger's code may raise anything: `exit()`, or that it was cancelled.
            if is_ending(error):
                raise
            if isinstance(error, TimeoutError) and deadline.expired():
                raise AnswerFailed(
                    f"{self._name} took more than {self._seconds:g} seconds"
                ) from None
            raise _failed(self._name, error) from None
        return _answer(result, self._name, self._form)

    async def _result(self, ask: Ask) -> object:
        if inspect.iscoroutinefunction(self._ask):
            return await self._ask(ask)
        result = await in_own_thread(partial(self._ask, ask))
        return await result if inspect.isawaitable(result) else result


def bot_names() -> tuple[str, ...]:
    """Return the names of the bots that installed packages bring, sorted."""
    return tuple(sorted({each.name for each in entry_points(group=GROUP)}))


def from_plugin(spec: PluginOf, *, form: Form | None = Form.THREAD) -> Function:
    """Return the bot that a package calls `spec.name`.

    Raises `InvalidInput` where there is none.
    """
    found = next(iter(entry_points(group=GROUP, name=spec.name)), None)
    if found is None:
        known = ", ".join(bot_names()) or "none"
        raise InvalidInput(f"no bot called {spec.name!r} is installed (there is: {known})")
    return Function(_loaded(found, spec.name), spec.name, seconds=spec.timeout, form=form)


def from_python(spec: PythonOf, folder: Path, *, form: Form | None = Form.THREAD) -> Function:
    """Return the bot that `module:name` is; the module may be a file in `folder`.

    The folder is put at the end of `sys.path`, so that its modules can import each other. Raises
    `InvalidInput` where there is no such thing, or another module of that name.
    """
    match = _NAME.fullmatch(spec.name)
    if match is None:
        raise InvalidInput(f"{spec.name!r} is not written module:name")
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)
    given = _loaded(EntryPoint(name=spec.name, value=spec.name, group=GROUP), spec.name)
    _check_place(match[1], folder)
    return Function(given, spec.name, seconds=spec.timeout, form=form)


def _loaded(found: EntryPoint, name: str) -> object:
    try:
        return found.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may raise anything
        _log.debug("%s cannot be imported", name, exc_info=True)
        raise InvalidInput(f"{name} cannot be imported: {_described(error)}") from None


def _check_place(module: str, folder: Path) -> None:
    """Raise `InvalidInput` where a file of the folder was meant and another module is loaded."""
    base = folder.joinpath(*module.split("."))
    meant = [file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()]
    loaded = getattr(sys.modules.get(module), "__file__", None) or ""
    if meant and (not loaded or Path(loaded).resolve() != meant[0].resolve()):
        raise InvalidInput(f"{meant[0]} cannot be imported: another module is called {module}")


def _asked(given: object, name: str) -> Callable[[Ask], object]:
    made = _made(given, name) if inspect.isclass(given) else given
    asked = getattr(made, "answer", made)
    if not callable(asked):
        raise InvalidInput(f"{name} is neither a function nor an object with `answer`")
    return asked


def _made(given: Callable[[], object], name: str) -> object:
    try:
        return given()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may raise anything
        _log.debug("%s cannot be made", name, exc_info=True)
        raise InvalidInput(f"{name} cannot be made: {_described(error)}") from None


def _answer(result: object, name: str, form: Form | None) -> Answer | None:
    match result:
        case None:
            return None
        case str(text):
            return Answer(text, form) if text.strip() else None
        case Answer():
            return result if result.text.strip() else None
    raise AnswerFailed(f"{name} gave a {type(result).__name__}: no Answer, text or None")


def _failed(name: str, error: BaseException) -> NostrThreadsError:
    if isinstance(error, AnswerFailed):
        return error
    _log.debug("%s failed", name, exc_info=error)
    return AnswerFailed(f"{name} failed: {_described(error)}")


def _described(error: BaseException) -> str:
    words = reported(str(error), most=_LONGEST_COMPLAINT)
    kind = type(error).__name__
    return f"{kind}: {words}" if words else kind
