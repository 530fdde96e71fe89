"""What rust-nostr finds at its own relay after our small verbs."""

from __future__ import annotations

import nostr_threads as nt
from nostr_threads.core import kinds
from tests.app.worlds import ALICE, BOB, NOW, opened
from tests.peers.rust import local_relay, read_all, sdk, send_all

QUESTION = BOB.note("why?", NOW)


async def found_by_rust(url: str, kind: int) -> list[object]:
    """Return what rust-nostr reads of ALICE's events of a kind; all are valid."""
    mine = sdk.Filter().author(sdk.PublicKey.parse(ALICE.pubkey)).kind(sdk.Kind(kind))
    events = await read_all(url, mine)
    assert all(event.verify() for event in events)
    return events


def named(event: object, name: str) -> list[str]:
    """The values of the tags of a name, as rust-nostr reads them."""
    tags = [tag.to_vec() for tag in event.tags()]  # type: ignore[attr-defined]
    return [tag[1] for tag in tags if tag[0] == name]


async def test_rust_reads_our_reaction_repost_and_quote() -> None:
    async with local_relay() as (_, url):
        await send_all(url, [sdk.Event.from_json(QUESTION.to_json())])
        async with opened(":memory:", url, by=ALICE) as nostr:
            reports = [
                await nostr.react(QUESTION.id),
                await nostr.repost(QUESTION.id),
                await nostr.publish("Look.", quoting=QUESTION.id),
            ]
        (reaction,) = await found_by_rust(url, kinds.REACTION)
        (repost,) = await found_by_rust(url, kinds.REPOST)
        (quote,) = await found_by_rust(url, kinds.NOTE)
    assert all(report.complete for report in reports)
    assert named(reaction, "e") == named(repost, "e") == named(quote, "q") == [QUESTION.id]
    inside = sdk.Event.from_json(repost.content())  # type: ignore[attr-defined]
    assert inside.id().to_hex() == QUESTION.id


async def test_a_relay_of_rusts_drops_what_we_ask_to_have_deleted() -> None:
    """NIP-09."""
    async with local_relay() as (_, url), opened(":memory:", url, by=ALICE) as nostr:
        report = await nostr.publish("soon gone", style=nt.Style(form=nt.Form.NOTE))
        assert len(await found_by_rust(url, kinds.NOTE)) == 1
        assert (await nostr.delete(report.code)).complete
        assert await found_by_rust(url, kinds.NOTE) == []
        (request,) = await found_by_rust(url, kinds.DELETION)
    assert named(request, "e") == [report.posting.id]
