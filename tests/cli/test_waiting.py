"""Who waits for a signer elsewhere is told so once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nostr_threads.cli import waiting
from nostr_threads.cli.waiting import Awaited
from nostr_threads.core.event import Draft
from nostr_threads.testing import START
from tests.app.worlds import ALICE, signer_of

if TYPE_CHECKING:
    import pytest

    from nostr_threads.core.event import Verified
    from nostr_threads.signing import Signer

DRAFT = Draft(int(START), 1, (), "hello")


class Slow:
    """Signs as soon as it may."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.may = asyncio.Event()
        self.is_closed = False

    @property
    def public_key(self) -> str:
        return self._signer.public_key

    async def sign(self, draft: Draft) -> Verified:
        await self.may.wait()
        return await self._signer.sign(draft)

    async def nip44_encrypt(self, peer: str, text: str) -> str:
        return await self._signer.nip44_encrypt(peer, text)

    async def nip44_decrypt(self, peer: str, payload: str) -> str:
        return await self._signer.nip44_decrypt(peer, payload)

    async def close(self) -> None:
        self.is_closed = True

    def __repr__(self) -> str:
        return "Slow()"


async def test_one_is_told_once_and_gets_what_was_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow(signer_of(ALICE))
    told: list[str] = []

    def say(text: str) -> None:
        told.append(text)
        slow.may.set()

    monkeypatch.setattr(waiting, "say", say)
    monkeypatch.setattr(waiting, "_SECONDS", 0.0)
    signer = Awaited(slow)
    assert (await signer.sign(DRAFT)).pubkey == signer.public_key == ALICE.pubkey
    slow.may.clear()
    asyncio.get_running_loop().call_later(0.05, slow.may.set)
    await signer.sign(DRAFT)
    assert told == ["waiting for the bunker: somebody may have to say yes there"]
    payload = await signer.nip44_encrypt(ALICE.pubkey, "text")
    assert await signer.nip44_decrypt(ALICE.pubkey, payload) == "text"
    await signer.close()
    assert (slow.is_closed, repr(signer)) == (True, "Awaited(Slow())")


async def test_nobody_is_told_of_one_that_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(waiting, "say", told.append)
    slow = Slow(signer_of(ALICE))
    slow.may.set()
    await Awaited(slow).sign(DRAFT)
    assert told == []
