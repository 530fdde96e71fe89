"""The tools over the Model Context Protocol, for whichever program hosts a model.

Knows what the protocol wants, and that a person is asked before anything is published. What a tool
does is the `toolbox`'s to know; how messages come in and go out, `stdio`'s.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.server.mcpserver.resolve import (
    CancelledElicitation,
    DeclinedElicitation,
    Elicit,
    ElicitationResult,
    Resolve,
)
from mcp.types import ToolAnnotations
from pydantic import BaseModel, Field

from nostr_threads.app.grouping import ungrouped
from nostr_threads.errors import InvalidCode, NostrThreadsError, NotFound
from nostr_threads.hosts import manual
from nostr_threads.hosts.manual import Fetching, FormName
from nostr_threads.hosts.stdio import serve
from nostr_threads.hosts.toolbox import Toolbox, told
from nostr_threads.render.escape import one_line
from nostr_threads.render.wording import counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from nostr_threads.app.fetch import Progress
    from nostr_threads.core.delivery import Delivery

    Tell: TypeAlias = Callable[[int, str], None]

__all__ = ["run", "server_of"]

Asked: TypeAlias = Context[Toolbox, Any]

_WORDS = 200
_READS = ToolAnnotations(read_only_hint=True, open_world_hint=True)
_LOOKS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_SENDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=True
)
_CANNOT_ASK = (
    "nothing was sent: this host cannot show the person what would be published (it has no form"
    " elicitation). The person may start the server with --trust-host if the host itself asks them"
    " before each tool; or publish the text with `nostr-threads publish`"
)
_NOT_WANTED = "the person does not want this draft published, and it is gone: do not ask again"
_NO_ANSWER = "the person did not answer: ask them in the conversation before you try again"


class Agreement(BaseModel):
    """What a person answers before something is published under their name."""

    publish: bool = Field(description="Publish it. What was published cannot be taken back.")


def server_of(
    toolbox: Toolbox, version: str, *, allow_publish: bool, trust_host: bool
) -> MCPServer[Toolbox]:
    """Return the server of these tools. It publishes nothing unless `allow_publish`.

    Then the person is asked by the host each time; with `trust_host` it is the host's own business
    whether it asks before it calls a tool.
    """

    @asynccontextmanager
    async def lifespan(_: MCPServer[Toolbox]) -> AsyncIterator[Toolbox]:
        yield toolbox

    server = MCPServer(
        "nostr-threads",
        instructions=manual.INSTRUCTIONS,
        version=version,
        log_level="ERROR",
        lifespan=lifespan,
    )
    add = server.add_tool
    add(get_thread, None, None, manual.GET_THREAD, _READS, structured_output=False)
    add(search_threads, None, None, manual.SEARCH_THREADS, _LOOKS)
    add(draft_answer, None, None, manual.DRAFT_ANSWER, _READS)
    add(mirror_status, None, None, manual.MIRROR_STATUS, _LOOKS)
    if allow_publish:
        publish = publish_at_once if trust_host else publish_if_agreed
        add(publish, None, None, manual.PUBLISH_ANSWER, _SENDS)
    server.resource(
        "nostr:{code}", name="thread", title="A Nostr thread", description=manual.RESOURCE
    )(_thread)
    return server


async def run(toolbox: Toolbox, version: str, *, allow_publish: bool, trust_host: bool) -> None:
    """Serve these tools over stdin and stdout until stdin ends; see `server_of`."""
    server = server_of(toolbox, version, allow_publish=allow_publish, trust_host=trust_host)
    await serve(server.run_stdio_async)


def _between(words: str, least: int, most: int) -> Any:
    """Describe a number. It is the toolbox that refuses others: in a sentence, not a report."""
    return Field(description=words, json_schema_extra={"minimum": least, "maximum": most})


async def get_thread(
    ctx: Asked,
    code: Annotated[str, Field(description=manual.CODE)],
    tokens: Annotated[
        int, _between(manual.TOKENS, manual.FEWEST_TOKENS, manual.MOST_TOKENS)
    ] = manual.USUAL_TOKENS,
    around: Annotated[str | None, Field(description=manual.AROUND)] = None,
    fetch: Annotated[Fetching, Field(description=manual.FETCH)] = "if-missing",
) -> str:
    """Give a thread as text; progress is told meanwhile."""
    with _errors():
        async with _telling(ctx) as tell:
            heard = _heard(tell)
            return await _toolbox(ctx).get_thread(code, tokens, around, fetch, progress=heard)


async def search_threads(
    ctx: Asked,
    words: Annotated[str, Field(description=manual.WORDS)],
    author: Annotated[str | None, Field(description=manual.AUTHOR)] = None,
    limit: Annotated[int, _between(manual.NOTES, 1, manual.MOST_NOTES)] = 20,
) -> dict[str, Any]:
    """Give what the store has of some words."""
    with _errors():
        return await _toolbox(ctx).search_threads(words, author, limit)


async def draft_answer(
    ctx: Asked,
    text: Annotated[str, Field(description=manual.TEXT)],
    reply_to: Annotated[str | None, Field(description=manual.REPLY_TO)] = None,
    limit: Annotated[
        int | None, _between(manual.LIMIT, manual.FEWEST_CHARACTERS, manual.MOST_CHARACTERS)
    ] = None,
    form: Annotated[FormName, Field(description=manual.FORM)] = "thread",
    full: Annotated[bool, Field(description=manual.FULL)] = False,
) -> dict[str, Any]:
    """Keep a draft, and give its parts."""
    with _errors():
        return await _toolbox(ctx).draft_answer(text, reply_to, limit, form, full=full)


async def mirror_status(ctx: Asked) -> dict[str, Any]:
    """Give how far mirrors are."""
    with _errors():
        return await _toolbox(ctx).mirror_status()


async def _agreement(draft_id: str, ctx: Asked) -> Agreement | Elicit[Agreement]:
    """Ask the person; what is signed already takes no second yes."""
    with _errors():
        question = _toolbox(ctx).question(draft_id)
    if question is None:
        return Agreement(publish=True)
    asks = ctx.client_capabilities.elicitation if ctx.client_capabilities is not None else None
    # One that names no way to ask knows forms alone: there was nothing else at first.
    if asks is None or (asks.form is None and asks.url is not None):
        raise ToolError(_CANNOT_ASK)
    return Elicit(question, Agreement)


async def publish_if_agreed(
    ctx: Asked,
    draft_id: Annotated[str, Field(description=manual.DRAFT_ID)],
    agreement: Annotated[ElicitationResult[Agreement], Resolve(_agreement)],
) -> dict[str, Any]:
    """Publish a draft, if the person has agreed."""
    if isinstance(agreement, CancelledElicitation):
        return _unpublished(_NO_ANSWER)
    if isinstance(agreement, DeclinedElicitation) or not agreement.data.publish:
        _toolbox(ctx).withdraw(draft_id)
        return _unpublished(_NOT_WANTED)
    return await publish_at_once(ctx, draft_id)


def _unpublished(why: str) -> dict[str, Any]:
    """Return a person's no, which is no fault: models try again what failed."""
    return {"published": False, "why": why}


async def publish_at_once(
    ctx: Asked, draft_id: Annotated[str, Field(description=manual.DRAFT_ID)]
) -> dict[str, Any]:
    """Publish a draft; progress is told meanwhile."""
    done = 0
    with _errors():
        async with _telling(ctx) as tell:

            def progress(delivery: Delivery) -> None:
                nonlocal done
                done += 1
                tell(done, f"part {delivery.part} at {delivery.relay}: {delivery.status.value}")

            return await _toolbox(ctx).publish_answer(draft_id, progress=progress)


# The schemas that a host is shown are titled by it.
publish_if_agreed.__name__ = publish_at_once.__name__ = "publish_answer"


async def _thread(code: str, ctx: Asked) -> str:
    try:
        async with _telling(ctx) as tell:
            return await _toolbox(ctx).get_thread(code, progress=_heard(tell))
    except (NotFound, InvalidCode) as error:
        raise ResourceNotFoundError(told(error)) from None
    except (NostrThreadsError, OSError) as error:
        raise ResourceError(told(error)) from None


def _heard(tell: Tell) -> Callable[[Progress], None]:
    """Return what tells how far a fetch is."""

    def heard(each: Progress) -> None:
        events, relays = counted(each.events, "event"), counted(each.relays, "relay")
        tell(each.answers, f"{events} from {relays}")

    return heard


def _toolbox(ctx: Asked) -> Toolbox:
    return ctx.request_context.lifespan_context


@contextmanager
def _errors() -> Iterator[None]:
    """Tell a model what went wrong, and nothing of where in the code."""
    try:
        yield
    except (NostrThreadsError, OSError) as error:
        raise ToolError(told(error)) from None


@asynccontextmanager
async def _telling(ctx: Asked) -> AsyncIterator[Tell]:
    """Give what is told of progress: the latest of it goes to the host, as fast as it takes it."""
    latest = [(0, "")]
    moved = asyncio.Event()

    def tell(done: int, words: str) -> None:
        # The protocol wants it to rise each time.
        if done > latest[0][0]:
            latest[0] = (done, one_line(words, _WORDS))
            moved.set()

    async def send() -> None:
        while await moved.wait():
            moved.clear()
            done, words = latest[0]
            await ctx.report_progress(done, message=words)

    with ungrouped():
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(send())
            try:
                yield tell
            finally:
                sending.cancel()
