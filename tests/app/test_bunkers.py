"""A signer elsewhere over real relays: both ends ours, and relays that fail in the middle."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

import nostr_threads as nt
from nostr_threads.app.bunkers import (
    await_bunker,
    connect_bunker,
    invitation,
    open_bunker,
    serve_bunker,
)
from nostr_threads.core.bunker_links import BunkerLink, ClientLink
from nostr_threads.core.event import Draft
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Auth, Publish
from nostr_threads.errors import BunkerError
from nostr_threads.net.pool import Pool
from nostr_threads.relayd.server import RelayServer
from nostr_threads.signing import KeySigner, new_secret
from nostr_threads.signing.book import Book
from nostr_threads.signing.bunker import Patience
from nostr_threads.signing.policy import Policy
from nostr_threads.signing.remote_signer import Deed, RemoteSigner
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, LIMIT, LONG, NOW, config, signer_of
from tests.relayd.peers import stocked
from tests.signing.bunker_ends import Drawer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from nostr_threads.signing.bunker import BunkerSession, BunkerSigner

SECRET = "let me in"
DRAFT = Draft(int(NOW), 1, (), "signed elsewhere")


@dataclass
class House:
    """Our own remote signer, served at relays, with ALICE's key."""

    relays: tuple[str, ...]
    policy: Policy = field(default_factory=lambda: Policy(encryption=True))
    deeds: list[Deed] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    drawer: Drawer = field(default_factory=lambda: Drawer(Book(new_secret())))

    def __post_init__(self) -> None:
        book = replace(self.drawer.book, relays=self.relays)
        self.drawer.book = book.inviting(SECRET, self.policy)

    @property
    def link(self) -> BunkerLink:
        return BunkerLink(KeySigner(self.drawer.book.own).public_key, self.relays, SECRET)

    @asynccontextmanager
    async def open(self, greeted: ClientLink | None = None) -> AsyncIterator[None]:
        async def ask(_: object) -> bool:
            raise AssertionError("nobody is asked here")

        own = KeySigner(self.drawer.book.own)
        remote = RemoteSigner(
            self.drawer,
            own,
            signer_of(ALICE),
            clock=lambda: NOW,
            ask=ask,
            told=self.deeds.append,
        )
        greetings = [] if greeted is None else [await remote.welcome(greeted, self.policy)]
        serving = asyncio.create_task(
            serve_bunker(
                remote,
                own,
                self.drawer.book.meeting,
                greetings=greetings,
                trouble=self.trouble.append,
                clock=lambda: NOW,
            )
        )
        try:
            yield
        finally:
            serving.cancel()
            await asyncio.wait([serving])
            if not serving.cancelled():
                serving.result()


QUICK = Patience(10.0, silence=0.5)


def connecting(
    link: BunkerLink,
    *,
    patience: Patience = QUICK,
    keep: Callable[[BunkerSession], None] = lambda _: None,
) -> AbstractAsyncContextManager[BunkerSigner]:
    return connect_bunker(link, clock=lambda: NOW, patience=patience, keep=keep)


def opening(session: BunkerSession) -> AbstractAsyncContextManager[BunkerSigner]:
    return open_bunker(session, clock=lambda: NOW, patience=QUICK)


async def test_a_note_is_signed_by_a_key_that_is_in_another_process_for_all_we_know() -> None:
    async with RelayServer(stocked()) as relay:
        house = House((relay.url,))
        async with house.open(), connecting(house.link) as signer:
            event = await signer.sign(DRAFT)
            payload = await signer.nip44_encrypt(ALICE.pubkey, "to myself")
            assert await signer.nip44_decrypt(ALICE.pubkey, payload) == "to myself"
    assert event.pubkey == ALICE.pubkey
    assert [deed.outcome for deed in house.deeds] == ["done"] * 4


async def test_the_session_survives_a_restart_of_either_end() -> None:
    kept: list[BunkerSession] = []
    async with RelayServer(stocked()) as relay:
        house = House((relay.url,))
        async with house.open(), connecting(house.link, keep=kept.append):
            pass
        async with house.open(), opening(kept[-1]) as signer:
            assert signer.public_key == ALICE.pubkey
            assert (await signer.sign(DRAFT)).pubkey == ALICE.pubkey
        async with house.open(), opening(kept[-1]) as signer:
            assert (await signer.sign(DRAFT)).pubkey == ALICE.pubkey
            await signer.logout()
        async with house.open(), opening(kept[-1]) as signer:
            with pytest.raises(BunkerError, match="you are not known"):
                await signer.sign(DRAFT)


async def test_a_link_is_good_for_one_client() -> None:
    async with RelayServer(stocked()) as relay:
        house = House((relay.url,))
        async with house.open(), connecting(house.link):
            with pytest.raises(BunkerError, match="you are not known"):
                async with connecting(house.link):
                    raise AssertionError("it was let in")


@pytest.mark.parametrize("sent", range(1, 9))
async def test_a_relay_that_hangs_up_in_the_middle_costs_only_time(sent: int) -> None:
    """The first connections of both ends are cut after so many messages."""
    faults = Faults(drop_connection_after=sent, drop_first=3)
    async with FaultyRelay(stocked(), faults) as relay:
        house = House((relay.url,))
        async with (
            house.open(),
            connecting(house.link, patience=Patience(30, silence=0.2)) as signer,
        ):
            events = [await signer.sign(DRAFT) for _ in range(3)]
    assert {event.pubkey for event in events} == {ALICE.pubkey}
    assert relay.accepted_connections > 2


async def test_one_relay_of_two_may_be_down() -> None:
    async with RelayServer(stocked()) as relay:
        house = House(("ws://127.0.0.1:9", relay.url))
        async with house.open(), connecting(house.link) as signer:
            assert (await signer.sign(DRAFT)).pubkey == ALICE.pubkey


async def test_where_no_relay_is_up_it_is_said_at_once() -> None:
    house = House(("ws://127.0.0.1:9",))
    with pytest.raises(BunkerError, match="no relay of the bunker can be reached"):
        async with connecting(house.link, patience=Patience(60)):
            raise AssertionError("it was reached")


async def test_a_bunker_that_is_not_there_is_said_after_the_patience() -> None:
    async with RelayServer(stocked()) as relay:
        with pytest.raises(BunkerError, match="is it running"):
            async with connecting(House((relay.url,)).link, patience=Patience(0.2)):
                raise AssertionError("it answered")


async def test_a_relay_that_carries_no_such_messages_is_told_to_both_ends() -> None:
    refusing = Faults(reject_with="blocked: not this kind")
    async with FaultyRelay(stocked(), refusing) as relay:
        house = House((relay.url, "ws://127.0.0.1:9"))
        link = BunkerLink(house.link.signer, (relay.url,), SECRET)
        async with house.open():
            with pytest.raises(BunkerError, match="says no: blocked: not this kind"):
                async with connecting(link, patience=Patience(0.5)):
                    raise AssertionError("it answered")
    assert house.trouble[0].startswith("ws://127.0.0.1:9 cannot be reached: ")


async def test_a_client_is_met_at_the_relays_of_its_own_link_after_a_restart_too() -> None:
    async with RelayServer(stocked()) as usual, RelayServer(stocked()) as its:
        house = House((usual.url,))
        link, client = invitation((its.url,))
        waiting = asyncio.create_task(await_bunker(link, client, clock=lambda: NOW, seconds=10))
        await listening(its)
        async with house.open(link):
            session = await waiting
        assert house.drawer.book.meeting == (usual.url, its.url)
        assert [deed.what for deed in house.deeds] == ["connect by its own link"]
        async with house.open(), opening(session) as signer:
            assert (await signer.sign(DRAFT)).pubkey == ALICE.pubkey


async def test_a_client_follows_its_signer_to_other_relays() -> None:
    """NIP-46, "Switching relays"."""
    async with FaultyRelay(stocked()) as old, FaultyRelay(stocked()) as new:
        house = House((old.url, new.url))
        link = BunkerLink(house.link.signer, (old.url,), SECRET)
        async with house.open(), connecting(link) as signer:
            assert signer.session.relays == (old.url, new.url)
            await signer.sign(DRAFT)
    assert any(isinstance(message, Publish) for message in new.received)


async def test_a_relay_that_asks_who_is_there_is_told_by_both_ends() -> None:
    """NIP-42, with the keys with which they talk, and not with the user's."""
    asking = Faults(auth_required=True)
    async with FaultyRelay(stocked(), asking, clock=lambda: NOW) as relay:
        house = House((relay.url,))
        async with house.open(), connecting(house.link) as signer:
            await signer.sign(DRAFT)
            client = KeySigner(signer.session.client).public_key
    told = {message.event.pubkey for message in relay.received if isinstance(message, Auth)}
    assert told == {client, house.link.signer}


async def listening(relay: RelayServer) -> None:
    """Wait until somebody has connected, and has been answered."""
    async with asyncio.timeout(10), Pool() as pool:
        while relay.connections < 2:
            await pool.relay(relay.url).sample(Filter(kinds=(1,), limit=1))


async def test_a_link_of_ours_is_answered_by_who_was_given_it() -> None:
    """NIP-46, `nostrconnect://`."""
    async with RelayServer(stocked()) as relay:
        link, client = invitation((relay.url,))
        house = House((relay.url,))
        waiting = asyncio.create_task(await_bunker(link, client, clock=lambda: NOW, seconds=10))
        # Whoever answers before anybody listens is not heard.
        await listening(relay)
        async with house.open(link):
            session = await waiting
            async with opening(session) as signer:
                await signer.start()
                assert (await signer.sign(DRAFT)).pubkey == ALICE.pubkey


async def test_a_link_that_nobody_answers_is_given_up() -> None:
    async with RelayServer(stocked()) as relay:
        link, client = invitation((relay.url,))
        with pytest.raises(BunkerError, match="no signer has answered"):
            await await_bunker(link, client, clock=lambda: NOW, seconds=0.1)


async def test_a_long_answer_is_published_through_a_bunker() -> None:
    async with FaultyRelay(stocked()) as meeting, FaultyRelay(stocked()) as relay:
        house = House((meeting.url,))
        async with (
            house.open(),
            connecting(house.link) as signer,
            nt.open(":memory:", config(relay.url), signer, clock=lambda: NOW) as nostr,
        ):
            report = await nostr.publish(LONG, limit=LIMIT)
    assert report.complete
    assert {event.pubkey for event in report.posting.events} == {ALICE.pubkey}
    signed = {deed.event_id for deed in house.deeds if deed.method == "sign_event"}
    assert signed == {event.id for event in report.posting.events}


async def test_a_bunker_that_refuses_leaves_nothing_half_published() -> None:
    async with FaultyRelay(stocked()) as meeting, FaultyRelay(stocked()) as relay:
        # Enough for the beginning of an answer.
        house = House((meeting.url,), Policy(per_minute=3))
        async with (
            house.open(),
            connecting(house.link) as signer,
            nt.open(":memory:", config(relay.url), signer, clock=lambda: NOW) as nostr,
        ):
            with pytest.raises(BunkerError, match="requests a minute"):
                await nostr.publish(LONG, limit=LIMIT)
            assert nostr.store.postings() == []
    assert relay.received == []
