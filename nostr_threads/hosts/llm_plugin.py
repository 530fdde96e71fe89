"""The plugin for `llm`: threads as fragments, and the tools.

Knows how `llm` loads and calls what a plugin brings. `llm` imports this at each start, whatever it
is about to do: all that is heavy is imported once something is asked for.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import llm

from nostr_threads.errors import InvalidInput, NostrThreadsError, SigningError
from nostr_threads.hosts import manual
from nostr_threads.hosts.manual import Fetching, FormName

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nostr_threads.app.client import Nostr as Client
    from nostr_threads.hosts.toolbox import Toolbox

__all__ = ["Nostr", "register_fragment_loaders", "register_tools"]

_Method = TypeVar("_Method")

_FRAGMENT_TOKENS = 16_000
_MORE = "For more write ?tokens=N behind the code."


@llm.hookimpl
def register_fragment_loaders(register: Callable[..., None]) -> None:
    """Have `-f nostr:CODE` load the thread around a note."""
    register("nostr", thread)


@llm.hookimpl
def register_tools(register: Callable[..., None]) -> None:
    """Offer the toolbox, as `-T Nostr`."""
    register(Nostr)


def thread(argument: str) -> llm.Fragment:
    """Load the thread around a note, from the store if it is there, else from relays.

    nostr:CODE takes up to 16,000 tokens; nostr:CODE?tokens=N others.
    """
    from nostr_threads.hosts.toolbox import told

    code, budget = _code_and_budget(argument)
    try:
        text = asyncio.run(_toolbox(allow_publish=False, more=_MORE).get_thread(code, budget))
    except (NostrThreadsError, OSError) as error:
        raise InvalidInput(told(error)) from None
    return llm.Fragment(text, f"nostr:{argument}")  # type: ignore[no-untyped-call]  # has no types


def _code_and_budget(argument: str) -> tuple[str, int]:
    code, _, option = argument.rpartition("?")
    name, _, number = option.partition("=")
    if not code or (name != "tokens" and "://" in code):
        # What stands behind the question mark is a part of a link.
        return argument, _FRAGMENT_TOKENS
    if name != "tokens":
        raise InvalidInput(f"there is no option {name[:40]!r}: write ?tokens=N behind the code")
    if not (number.isascii() and number.isdigit()):
        raise InvalidInput("write a whole number behind ?tokens=")
    return code, int(number[:9])


def _described(told: str, /, **parameters: str) -> Callable[[_Method], _Method]:
    """Give a method the words of the manual: its docstring is what a model is told of it."""
    lines = [f"{name}: {words}" for name, words in parameters.items()]

    def described(method: _Method) -> _Method:
        method.__doc__ = "\n\n".join(filter(None, (told, "\n".join(lines))))
        return method

    return described


class Nostr(llm.Toolbox):  # type: ignore[no-untyped-call]  # what makes a subclass has no types
    """Read, search and answer threads on Nostr.

    With `allow_publish` a model can publish what it has drafted: run llm with --tools-approve, or
    nobody is asked before.
    """

    def __init__(self, allow_publish: bool = False) -> None:
        self._allow_publish = allow_publish
        self._tools: Toolbox | None = None
        if allow_publish:
            publish = llm.Tool.function(self._publish_answer, "Nostr_publish_answer")  # type: ignore[no-untyped-call]  # has no types
            self.add_tool(publish)

    @_described(
        manual.GET_THREAD,
        code=manual.CODE,
        tokens=manual.TOKENS,
        around=manual.AROUND,
        fetch=manual.FETCH,
    )
    async def get_thread(
        self,
        code: str,
        tokens: int = manual.USUAL_TOKENS,
        around: str | None = None,
        fetch: Fetching = "if-missing",
    ) -> str:
        return await _told(self._toolbox.get_thread(code, tokens, around, fetch))

    @_described(manual.SEARCH_THREADS, words=manual.WORDS, author=manual.AUTHOR, limit=manual.NOTES)
    async def search_threads(self, words: str, author: str | None = None, limit: int = 20) -> str:
        return await _told(self._toolbox.search_threads(words, author, limit))

    @_described(
        manual.DRAFT_ANSWER,
        text=manual.TEXT,
        reply_to=manual.REPLY_TO,
        limit=manual.LIMIT,
        form=manual.FORM,
        full=manual.FULL,
    )
    async def draft_answer(
        self,
        text: str,
        reply_to: str | None = None,
        limit: int | None = None,
        form: FormName = "thread",
        full: bool = False,
    ) -> str:
        return await _told(self._toolbox.draft_answer(text, reply_to, limit, form, full=full))

    @_described(manual.MIRROR_STATUS)
    async def mirror_status(self) -> str:
        return await _told(self._toolbox.mirror_status())

    @_described(manual.PUBLISH_ANSWER, draft_id=manual.DRAFT_ID)
    async def _publish_answer(self, draft_id: str) -> str:
        return await _told(self._toolbox.publish_answer(draft_id))

    @property
    def _toolbox(self) -> Toolbox:
        """What has the drafts: made when it is first used."""
        if self._tools is None:
            self._tools = _toolbox(allow_publish=self._allow_publish)
        return self._tools


def _toolbox(*, allow_publish: bool, **options: Any) -> Toolbox:
    """Return tools that open everything each time: every call of `llm`'s has its own loop."""
    from nostr_threads.app.opening import open as open_nostr
    from nostr_threads.app.signers import open_signer, public_key_of
    from nostr_threads.hosts.toolbox import Toolbox

    # A key file that is damaged keeps nobody from reading.
    author = None
    with suppress(SigningError):
        author = public_key_of()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Client]:
        if not allow_publish:
            async with open_nostr(viewer=author) as nostr:
                yield nostr
            return
        async with open_signer() as signer, open_nostr(signer=signer) as nostr:
            yield nostr

    return Toolbox(opened, author, **options)


async def _told(result: Awaitable[object]) -> str:
    """Give a model the result, or in one line what went wrong.

    `llm` itself would escape all that is not ASCII, which takes several times the tokens.
    """
    from nostr_threads.hosts.toolbox import told

    try:
        found = await result
    except (NostrThreadsError, OSError) as error:
        return f"Error: {told(error)}"
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
