"""The official client of the protocol, talking to the program as a host starts it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.types import ElicitResult, TextContent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.client.session import ClientRequestContext
    from mcp.types import CallToolResult, ElicitRequestParams

    from tests.cli.program import Home

_TOP = Path(__file__).parents[2]
_GUARDED = _TOP / "tests" / "cli" / "guarded.py"
SECONDS = 60.0


@dataclass
class Host:
    """A host, what it was sent (each frame as JSON), and what its person says when asked.

    `says` is "accept", "decline" or "cancel"; `ticks` whether the box is ticked; None cannot ask.
    """

    says: str | None = "accept"
    ticks: bool = True
    asked: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    progress: list[tuple[float, str]] = field(default_factory=list)

    async def ask(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        """Be the person."""
        del context
        self.asked.append(params.message)
        content = {"publish": self.ticks} if self.says == "accept" else None
        return ElicitResult(action=self.says, content=content)  # type: ignore[arg-type]  # a word

    async def hear(self, progress: float, total: float | None, message: str | None) -> None:
        """Be shown how far a tool is."""
        del total
        self.progress.append((progress, message or ""))


@asynccontextmanager
async def talking(
    home: Home, *arguments: str, host: Host | None = None, mode: str = "auto"
) -> AsyncIterator[Client]:
    """Start `nostr-threads mcp` in a home and give a client of it; its talk goes to `mcp.log`."""
    host = host or Host()
    server = StdioServerParameters(
        command=sys.executable,
        args=["-W", "error", str(_GUARDED), "mcp", *arguments],
        env={**home.environ_with({}), "PYTHONPATH": str(_TOP)},
        cwd=home.folder,
    )
    with (home.folder / "mcp.log").open("w", encoding="utf-8") as log:
        async with (
            asyncio.timeout(SECONDS),
            Client(
                _recorded(server, log, host.frames),
                mode=mode,
                elicitation_callback=None if host.says is None else host.ask,
            ) as client,
        ):
            yield client


@asynccontextmanager
async def _recorded(server: StdioServerParameters, log: Any, frames: list[str]) -> Any:
    sending, receiving = anyio.create_memory_object_stream[Any](0)

    async def copy(reading: Any) -> None:
        async with sending:
            async for message in reading:
                assert not isinstance(message, Exception), "stdout is the protocol's alone"
                frames.append(message.message.model_dump_json())
                await sending.send(message)

    async with stdio_client(server, log) as (reading, writing), anyio.create_task_group() as group:
        group.start_soon(copy, reading)
        async with receiving:
            yield receiving, writing
            group.cancel_scope.cancel()


def text_of(result: CallToolResult) -> str:
    """Return the one text that a tool gave."""
    (only,) = result.content
    assert isinstance(only, TextContent)
    return only.text


def value_of(result: CallToolResult) -> dict[str, Any]:
    """Return the values that a tool gave."""
    assert not result.is_error, text_of(result)
    values: dict[str, Any] | None = result.structured_content
    assert values is not None
    return values
