"""Our own remote signer on this machine: what it remembers from one run to the next."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app.bunkers import await_bunker, connect_bunker, invitation, open_bunker
from nostr_threads.app.desk import Desk, close_desk
from nostr_threads.core.event import Draft
from nostr_threads.core.filters import Filter
from nostr_threads.core.messages import Publish
from nostr_threads.errors import BunkerError, InvalidInput, NoSigner, SigningError
from nostr_threads.net.pool import Pool
from nostr_threads.relayd.server import RelayServer
from nostr_threads.signing import KeySigner, ReadOnlySigner
from nostr_threads.signing.bunker import Patience
from nostr_threads.signing.policy import Policy
from nostr_threads.testing import FaultyRelay
from tests.app.desks import desk_in, environ_of, serving
from tests.app.worlds import ALICE, BOB, signer_of
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from nostr_threads.core.bunker_links import BunkerLink, ClientLink
    from nostr_threads.signing.bunker import BunkerSession, BunkerSigner
    from nostr_threads.signing.remote_signer import Deed

DEAD = "ws://127.0.0.1:9"
A, B = "wss://a.example", "wss://b.example"
QUICK = Patience(10.0, silence=0.5)
EVERYTHING = Policy(encryption=True)


def draft(text: str = "signed elsewhere") -> Draft:
    return Draft(int(time.time()), 1, (), text)


def connecting(link: BunkerLink) -> AbstractAsyncContextManager[BunkerSigner]:
    return connect_bunker(link, patience=QUICK)


def opening(session: BunkerSession) -> AbstractAsyncContextManager[BunkerSigner]:
    return open_bunker(session, patience=QUICK)


@asynccontextmanager
async def a_relay() -> AsyncIterator[RelayServer]:
    async with asyncio.timeout(20), RelayServer(stocked()) as relay:
        yield relay


# What it remembers


async def test_the_relays_where_it_was_found_are_found_again(tmp_path: Path) -> None:
    await desk_in(tmp_path).begin((A, B))
    again = desk_in(tmp_path)
    assert (await again.book()).relays == (A, B)
    await again.begin(())
    assert (await desk_in(tmp_path).book()).relays == (A, B)
    assert (await again.invite(EVERYTHING)).relays == (A, B)
    await again.begin((B,))
    assert (await desk_in(tmp_path).book()).relays == (B,)


async def test_without_a_relay_there_is_nothing_to_begin(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    with pytest.raises(InvalidInput, match="--relay URL"):
        await desk.begin(())
    with pytest.raises(InvalidInput, match="--relay URL"):
        await desk.invite(EVERYTHING)
    assert not list((tmp_path / "keys").glob("*.clients"))


async def test_a_link_names_its_own_key_which_stays_and_is_not_the_users(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    await desk.begin((A,))
    first, second = await desk.invite(EVERYTHING), await desk_in(tmp_path).invite(EVERYTHING)
    assert first.signer == second.signer == KeySigner((await desk.book()).own).public_key
    assert first.signer != ALICE.pubkey
    assert first.secret != second.secret
    assert len(first.secret) >= 20


async def test_a_link_that_nobody_used_is_void_with_the_next_and_with_a_new_beginning(
    tmp_path: Path,
) -> None:
    desk, narrow = desk_in(tmp_path), Policy(kinds=frozenset((1,)))
    await desk.begin((A,))
    first, second = await desk.invite(EVERYTHING), await desk.invite(narrow)
    book = await desk_in(tmp_path).book()
    assert book.invited(first.secret) is None
    assert book.invited(second.secret) == narrow
    await desk_in(tmp_path).begin(())
    assert (await desk.book()).invitations == {}


async def test_each_key_has_a_desk_of_its_own(tmp_path: Path) -> None:
    hers, his = desk_in(tmp_path), desk_in(tmp_path, signer_of(BOB))
    await hers.begin((A,))
    await his.begin((B,))
    assert ((await hers.book()).relays, (await his.book()).relays) == ((A,), (B,))
    assert (await hers.book()).own != (await his.book()).own
    assert hers.log != his.log


async def test_a_key_that_cannot_encrypt_has_none(tmp_path: Path) -> None:
    with pytest.raises(NoSigner, match="cannot encrypt"):
        await desk_in(tmp_path, ReadOnlySigner(ALICE.pubkey)).begin((A,))


async def test_nobody_else_can_read_what_it_keeps(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    await desk.begin((A,))
    link = await desk.invite(EVERYTHING)
    own = (await desk.book()).own.reveal()
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    for file in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert link.secret not in file.read_text()
        assert own not in file.read_text()
    (tmp_path / "keys").chmod(0o777)
    with pytest.raises(SigningError, match="chmod 700"):
        desk_in(tmp_path)


def test_one_process_at_a_time_serves_a_key(tmp_path: Path) -> None:
    first, second, other = desk_in(tmp_path), desk_in(tmp_path), desk_in(tmp_path, signer_of(BOB))
    with first.alone() as is_first:
        assert is_first
        with second.alone() as is_second, other.alone() as is_other:
            assert (is_second, is_other) == (False, True)
    with second.alone() as is_second:
        assert is_second


# Serving


async def test_whoever_was_let_in_is_served_from_one_run_to_the_next(tmp_path: Path) -> None:
    deeds: list[Deed] = []
    async with a_relay() as relay:
        desk = desk_in(tmp_path)
        await desk.begin((relay.url,))
        link = await desk.invite(EVERYTHING)
        async with serving(desk, told=deeds.append), connecting(link) as signer:
            first = await signer.sign(draft("one\ntwo"))
            session = signer.session
        again = desk_in(tmp_path)
        await again.begin(())
        async with serving(again, told=deeds.append), opening(session) as signer:
            second = await signer.sign(draft())
    assert {first.pubkey, second.pubkey} == {ALICE.pubkey}
    assert [deed.method for deed in deeds] == ["connect", "sign_event", "sign_event"]
    # What was done is on the disk, each in a line of its own.
    assert [json.loads(line) for line in again.log.read_text().splitlines()] == [
        asdict(deed) for deed in deeds
    ]
    assert stat.S_IMODE(again.log.stat().st_mode) == 0o600


async def test_it_is_found_at_each_of_its_relays(tmp_path: Path) -> None:
    async with a_relay() as one, a_relay() as other:
        desk = desk_in(tmp_path)
        await desk.begin((one.url, DEAD, other.url))
        async with serving(desk):
            for relay in (one, other):
                link = await desk.invite(EVERYTHING)
                only = type(link)(link.signer, (relay.url,), link.secret)
                async with connecting(only) as signer:
                    assert (await signer.sign(draft())).pubkey == ALICE.pubkey
        assert len((await desk.book()).clients) == 2


async def test_a_client_with_a_link_of_its_own_is_met_there_now_and_later(tmp_path: Path) -> None:
    """NIP-46, `nostrconnect://`: it need not know how to move to our relays."""
    async with a_relay() as ours, a_relay() as its:
        desk = desk_in(tmp_path)
        await desk.begin((ours.url,))
        link, client = invitation((its.url,))
        waiting = asyncio.create_task(await_bunker(link, client, seconds=15))
        async with Pool() as pool:
            while its.connections < 2:
                await pool.relay(its.url).sample(Filter(kinds=(1,), limit=1))
        async with serving(desk, welcome=(link, Policy(kinds=frozenset((1,))))):
            session = await waiting
        assert session.relays == (its.url,)
        again = desk_in(tmp_path)
        await again.begin(())
        async with serving(again), opening(session) as signer:
            assert (await signer.sign(draft())).pubkey == ALICE.pubkey
        (known,) = (await again.book()).clients.values()
        assert (known.key, known.policy.kinds) == (link.client, frozenset((1,)))


async def test_whoever_is_forgotten_while_it_serves_is_served_no_more(tmp_path: Path) -> None:
    async with a_relay() as relay:
        desk = desk_in(tmp_path)
        await desk.begin((relay.url,))
        link = await desk.invite(EVERYTHING)
        async with serving(desk), connecting(link) as signer:
            await signer.sign(draft())
            # By another process.
            (key,) = (await desk_in(tmp_path).book()).clients
            await desk_in(tmp_path).forget(key)
            with pytest.raises(BunkerError, match="you are not known"):
                await signer.sign(draft())
    assert (await desk.book()).clients == {}


async def test_what_cannot_be_logged_is_not_done(tmp_path: Path) -> None:
    async with FaultyRelay(stocked()) as relay, asyncio.timeout(20):
        desk = desk_in(tmp_path)
        await desk.begin((relay.url,))
        link = await desk.invite(EVERYTHING)
        desk.log.mkdir()
        serve = asyncio.create_task(serving_for_ever(desk))
        with pytest.raises(BunkerError, match="does not answer"):
            async with connect_bunker(link, patience=Patience(1.0, silence=60.0)):
                raise AssertionError("it was let in")
        # Whoever serves is told, and does not go on as if nothing were.
        await asyncio.wait([serve])
        assert "log: Is a directory" in str(root_of(serve.exception()))
        authors = {each.event.pubkey for each in relay.received if isinstance(each, Publish)}
    assert link.signer not in authors


async def test_what_ends_the_serving_is_raised_as_it_is(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    await desk.begin((DEAD,))
    link, _ = invitation((DEAD,))
    with pytest.raises(BunkerError, match="no relay of the bunker can be reached"):
        async with asyncio.timeout(20):
            await serving_for_ever(desk, (link, EVERYTHING))


async def serving_for_ever(desk: Desk, welcome: tuple[ClientLink, Policy] | None = None) -> None:
    async with serving(desk, welcome=welcome) as task:
        await task


def root_of(error: BaseException | None) -> BaseException | None:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def test_a_log_that_has_grown_too_long_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nostr_threads.app.desk._MOST_LOG", 300)
    async with a_relay() as relay:
        desk = desk_in(tmp_path)
        await desk.begin((relay.url,))
        link = await desk.invite(EVERYTHING)
        async with serving(desk), connecting(link) as signer:
            for _ in range(4):
                await signer.sign(draft())
    assert desk.log.with_name(f"{desk.log.name}.old").exists()
    assert 0 < len(desk.log.read_text().splitlines()) < 5


# The end


def test_where_there_is_no_desk_nothing_is_closed(tmp_path: Path) -> None:
    assert close_desk(environ_of(tmp_path), ALICE.pubkey) is None


async def test_a_desk_that_is_closed_leaves_its_log_and_nothing_else(tmp_path: Path) -> None:
    async with a_relay() as relay:
        desk, other = desk_in(tmp_path), desk_in(tmp_path, signer_of(BOB))
        await desk.begin((relay.url,))
        await other.begin((relay.url,))
        link = await desk.invite(EVERYTHING)
        with desk.alone():
            async with serving(desk), connecting(link) as signer:
                await signer.sign(draft())
                before = desk.log.read_text()
                assert close_desk(environ_of(tmp_path), ALICE.pubkey) == desk.log
                # Also for a process that serves it still.
                with pytest.raises(BunkerError, match="you are not known"):
                    await signer.sign(draft())
    after = desk.log.read_text().removeprefix(before).splitlines()
    assert {json.loads(each)["outcome"] for each in after} <= {"refused"}
    assert sorted(each.name for each in (tmp_path / "keys").glob(f"{ALICE.pubkey[:16]}*")) == [
        desk.log.name
    ]
    assert (await other.book()).relays == (relay.url,)


async def test_after_that_it_begins_anew_with_another_key(tmp_path: Path) -> None:
    desk = desk_in(tmp_path)
    await desk.begin((A,))
    before = (await desk.book()).own
    close_desk(environ_of(tmp_path), ALICE.pubkey)
    again = Desk(signer_of(ALICE), environ_of(tmp_path))
    assert (await again.book()).relays == ()
    await again.begin((B,))
    assert (await again.book()).own != before
