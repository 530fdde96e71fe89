"""Signing elsewhere (NIP-46) with rust-nostr at the other end, over relays that hang up."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.app.bunkers import connect_bunker
from nostr_threads.core.bunker_links import BunkerLink, write_link
from nostr_threads.core.event import Draft, Event, verify
from nostr_threads.errors import BunkerError
from nostr_threads.signing import KeySigner, new_secret
from nostr_threads.signing.bunker import Patience
from nostr_threads.testing import Faults, FaultyRelay
from tests.app.worlds import ALICE, BOB
from tests.peers.bunkers import SECRET, served
from tests.peers.rust import SECONDS, rust_client, rust_loop, sdk
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


def patient() -> Any:
    """How its client treats a relay: it comes back after a second, not after ten."""
    return sdk.RelayOptions().retry_interval(timedelta(seconds=1))


def unsigned(text: str) -> Any:
    told = {
        "pubkey": ALICE.pubkey,
        "created_at": int(time.time()),
        "kind": 1,
        "tags": [["t", "nostr"]],
        "content": text,
    }
    return sdk.UnsignedEvent.from_json(json.dumps(told))


async def tried(ask: Callable[[Any], Awaitable[Any]], link: BunkerLink, keys: Any) -> Any:
    """Ask through its client, and through a new one with the same keys when that has gone deaf.

    nostr-sdk 0.45 does not always subscribe again once its connection is back.
    """
    uri, soon = sdk.NostrConnectUri.parse(write_link(link)), timedelta(seconds=1)
    while True:
        client = sdk.NostrConnect(uri, keys, soon, patient())
        with suppress(sdk.NostrSdkError.Generic):
            return await ask(client)


@pytest.mark.parametrize("drop_after", [None, 4, 6])
async def test_their_client_signs_through_our_bunker(drop_after: int | None) -> None:
    async with (
        FaultyRelay(stocked(), Faults(drop_connection_after=drop_after, drop_first=2)) as relay,
        served(relay.url) as house,
        asyncio.timeout(5 * SECONDS),
    ):
        with rust_loop():
            keys, bob = sdk.Keys.generate(), sdk.PublicKey.parse(BOB.pubkey)
            draft = unsigned("by our bunker")
            event = await tried(lambda each: each.sign_event_async(draft), house.link, keys)
            payload = await tried(
                lambda each: each.nip44_encrypt_async(bob, "text"), house.link, keys
            )
    signed = verify(Event.from_json(event.as_json()))
    assert (signed.pubkey, signed.content) == (ALICE.pubkey, "by our bunker")
    assert payload


class TheirBunker:
    """A remote signer of nostr-sdk's keys, encryption, events and client; it has ALICE's key."""

    def __init__(self, client: Any, secret: str) -> None:
        self.own, self._user = sdk.Keys.generate(), sdk.Keys.parse(ALICE.secret_hex())
        self.listening = asyncio.Event()
        self._client = client
        self._secret = secret

    async def listen(self) -> None:
        """Subscribe again and again: nostr-sdk 0.45 forgets it where a connection was lost."""
        wanted = sdk.Filter().kind(sdk.Kind(24_133)).pubkey(self.own.public_key())
        while True:
            with suppress(sdk.NostrSdkError.Generic):
                await self._client.unsubscribe_all()
                await self._client.subscribe(sdk.ReqTarget.auto([wanted]))
                self.listening.set()
            await asyncio.sleep(0.5)  # the peer's own weakness

    async def serve(self) -> None:
        notifications = self._client.notifications()
        while True:
            told = await notifications.next()
            if told is not None and told.is_new_event():
                # Between two connections an answer is lost: it will be asked for again.
                with suppress(sdk.NostrSdkError.Generic):
                    await self._client.send_event(self._answered(told.event))

    def _answered(self, event: Any) -> Any:
        key, client = self.own.secret_key(), event.author()
        request = json.loads(sdk.nip44_decrypt(key, client, event.content()))
        reply = json.dumps({"id": request["id"]} | self._answer(request))
        sealed = sdk.nip44_encrypt(key, client, reply, sdk.Nip44Version.V2)
        builder = sdk.EventBuilder(sdk.Kind(24_133), sealed)
        return builder.tags([sdk.Tag.parse(["p", client.to_hex()])]).finalize(self.own)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["method"]:
            case "connect":
                assert request["params"][:2] == [self.own.public_key().to_hex(), self._secret]
                return {"result": "ack"}
            case "get_public_key":
                return {"result": self._user.public_key().to_hex()}
            case "sign_event":
                draft = sdk.UnsignedEvent.from_json(request["params"][0])
                return {"result": draft.sign(self._user).as_json()}
            case "nip44_encrypt":
                peer, text = request["params"]
                key, to = self._user.secret_key(), sdk.PublicKey.parse(peer)
                return {"result": sdk.nip44_encrypt(key, to, text, sdk.Nip44Version.V2)}
        return {"error": f"unknown method {request['method']}"}


@asynccontextmanager
async def their_bunker(url: str, secret: str) -> AsyncIterator[BunkerLink]:
    async with rust_client(url, options=patient()) as client:
        bunker = TheirBunker(client, secret)
        tasks = [asyncio.create_task(each) for each in (bunker.serve(), bunker.listen())]
        await bunker.listening.wait()
        try:
            yield BunkerLink(bunker.own.public_key().to_hex(), (url,), secret)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


@pytest.mark.parametrize("drop_after", [None, 4, 6])
async def test_our_client_signs_through_their_bunker(drop_after: int | None) -> None:
    draft = Draft(int(time.time()), 1, (("t", "nostr"),), "by their bunker")
    async with (
        FaultyRelay(stocked()) as relay,
        their_bunker(relay.url, SECRET) as link,
        connect_bunker(link, patience=Patience(3 * SECONDS, silence=0.2)) as signer,
    ):
        relay.faults = Faults(drop_connection_after=drop_after, drop_first=2)
        first = await signer.sign(draft)
        second = await signer.sign(draft)
        bob = KeySigner(new_secret())
        payload = await signer.nip44_encrypt(bob.public_key, "for bob")
        assert await bob.nip44_decrypt(ALICE.pubkey, payload) == "for bob"
        with pytest.raises(BunkerError, match="unknown method nip44_decrypt"):
            await signer.nip44_decrypt(bob.public_key, payload)
    assert {event.pubkey for event in (first, second)} == {ALICE.pubkey}
    assert first.id == second.id
