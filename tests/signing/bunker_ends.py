"""Both ends of a signer elsewhere, joined in memory; and an end that says what a test wants."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.nip46 import Metadata, Request, Response, read_request
from nostr_threads.errors import BunkerError
from nostr_threads.signing import KeySigner, new_secret, secret_from_hex
from nostr_threads.signing.book import Book
from nostr_threads.signing.bunker import BunkerSession, BunkerSigner, Patience
from nostr_threads.signing.envelope import open_sealed, seal
from nostr_threads.signing.remote_signer import Ask, Deed, RemoteSigner
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import Any

    from nostr_threads.core.event import Verified
    from nostr_threads.signing import Signer
    from nostr_threads.signing.policy import Policy

ALICE = KeySigner(secret_from_hex(Author(b"alice").secret_hex()))
"""Whose key the signer has."""
RELAYS = ("wss://relay.example",)
SECRET = "let me in"


def clock() -> float:
    return START


@dataclass
class Script:
    """A signer that says what `reply` returns for each request: any number of messages.

    A message is a response, or an event that is already sealed.
    """

    reply: Callable[[Request], list[Response | Verified]]
    own: KeySigner = field(default_factory=lambda: KeySigner(new_secret()))
    asked: list[Request] = field(default_factory=list)
    events: list[Verified] = field(default_factory=list)
    moved: list[tuple[str, ...]] = field(default_factory=list)
    is_reachable: bool = True
    refused: str = ""
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    in_vain: int = 0
    client: BunkerSigner | None = None

    async def send(self, event: Verified) -> None:
        self.was_asked.set()
        if not self.is_reachable:
            self.in_vain += 1
            raise BunkerError("nobody there", is_silence=True)
        self.events.append(event)
        text = await open_sealed(event, self.own)
        assert text is not None
        request = read_request(text)
        assert request is not None
        self.asked.append(request)
        for told in self.reply(request):
            await self.say(told, event.pubkey)

    async def say(self, told: Response | Verified, client: str) -> None:
        assert self.client is not None
        if isinstance(told, Response):
            told = await seal(told.to_json(), self.own, client, int(START))
        await self.client.heard(told)

    def move(self, relays: tuple[str, ...]) -> None:
        self.moved.append(relays)

    def refusal(self) -> str:
        return self.refused

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.asked]


@asynccontextmanager
async def asking(
    reply: Callable[[Request], list[Response | Verified]], *, public_key: str = "", **more: Any
) -> AsyncIterator[tuple[BunkerSigner, Script]]:
    """Give a client, and the signer it asks."""
    script = Script(reply)
    session = BunkerSession(script.own.public_key, new_secret(), RELAYS, public_key)
    options: dict[str, Any] = {"clock": clock, "patience": Patience(5.0, 5.0)} | more
    client = script.client = BunkerSigner(session, script, **options)
    try:
        yield client, script
    finally:
        await client.close()


@dataclass
class Drawer:
    """A `Keeper` in memory."""

    book: Book
    kept: list[Book] = field(default_factory=list)

    async def read(self) -> Book:
        return self.book

    async def change(self, change: Callable[[Book], Book]) -> Book:
        after = change(self.book)
        if after != self.book:
            self.kept.append(after)
        self.book = after
        return after


@dataclass
class House:
    """Our own remote signer with its book, and whatever it was told and asked."""

    signer: Signer = ALICE
    relays: tuple[str, ...] = RELAYS
    now: float = START
    deeds: list[Deed] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)
    says: bool = True
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()
        self.drawer = Drawer(Book(new_secret(), self.relays))
        self.remote = self.open()

    @property
    def book(self) -> Book:
        return self.drawer.book

    def open(self) -> RemoteSigner:
        """Begin, or begin again, with the book as it is."""

        async def ask(asked: Ask) -> bool:
            self.asked.append(asked)
            await self.may_answer.wait()
            return self.says

        own = KeySigner(self.book.own)
        self.remote = RemoteSigner(
            self.drawer,
            own,
            self.signer,
            clock=lambda: self.now,
            ask=ask,
            told=self.told,
        )
        return self.remote

    def told(self, deed: Deed) -> None:
        self.deeds.append(deed)

    async def invite(self, policy: Policy, secret: str = SECRET) -> None:
        await self.drawer.change(lambda book: book.inviting(secret, policy))

    async def forget(self, key: str) -> None:
        await self.drawer.change(lambda book: book.forgetting(key))

    def outcomes(self) -> list[tuple[str, str]]:
        return [(deed.method, deed.outcome) for deed in self.deeds]


@dataclass
class Line:
    """Brings a client's requests to a house, and the answers back."""

    house: House
    client: BunkerSigner | None = None

    async def send(self, event: Verified) -> None:
        answer = await self.house.remote.answer(event)
        if answer is not None and self.client is not None:
            await self.client.heard(answer)

    def move(self, relays: tuple[str, ...]) -> None:
        """Stay: there is only one line."""

    def refusal(self) -> str:
        return ""


@asynccontextmanager
async def client_of(
    house: House, session: BunkerSession | None = None, **more: Any
) -> AsyncIterator[BunkerSigner]:
    """Give a client of our own remote signer."""
    session = session or BunkerSession(house.remote.public_key, new_secret(), RELAYS)
    line = Line(house)
    options: dict[str, Any] = {"clock": lambda: house.now, "patience": Patience(5.0)} | more
    client = line.client = BunkerSigner(session, line, **options)
    try:
        yield client
    finally:
        await client.close()


async def introduce(client: BunkerSigner, secret: str = SECRET, name: str = "a bot") -> None:
    await client.connect(secret, (), Metadata(name))
