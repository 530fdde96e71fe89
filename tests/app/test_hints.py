"""Where what a text mentions is found, as far as the store knows."""

from __future__ import annotations

import pytest

import nostr_threads as nt
from nostr_threads.app.hints import hints_of
from nostr_threads.core import kinds, nip19
from nostr_threads.core.content import Hint
from nostr_threads.store.policy import Policy
from nostr_threads.store.sqlite import SqliteStore
from tests.app.worlds import BOB, NOW, relay_list

LISTED = relay_list(BOB, write=["wss://bobs.example"])
REGRET = BOB.event(kinds.DELETION, "", NOW + 1, (("e", LISTED.id),))
TEXT = f"ask nostr:{nt.encode(nip19.PublicKey(BOB.pubkey))}"


@pytest.mark.parametrize("policy", [Policy.HIDE, Policy.KEEP])
def test_somebody_is_found_where_they_say_and_have_not_taken_back(policy: Policy) -> None:
    with SqliteStore(":memory:") as store:
        store.adopt(policy)
        store.add([LISTED], relay=None, now=NOW)
        assert hints_of(TEXT, store, NOW)[BOB.pubkey] == Hint("wss://bobs.example")
        store.add([REGRET], relay=None, now=NOW)
        assert hints_of(TEXT, store, NOW) == {}
