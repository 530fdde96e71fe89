"""Builders of signed events and threads: the same seed gives the same bytes, ids and signatures.

Knows how honest clients tag what they write. The keys it makes can be guessed: never publish with
them where it matters.
"""

from __future__ import annotations

from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

from coincurve import PrivateKey, PublicKeyXOnly

from nostr_threads.core import kinds
from nostr_threads.core.event import Draft, Event, Verified, verify

if TYPE_CHECKING:
    from nostr_threads.core.event import Tag, Tags

__all__ = ["START", "Author", "thread"]

START = 1_700_000_000
"""When things are written unless a test says otherwise, in unix seconds."""

_NO_RANDOMNESS = bytes(32)


class Author:
    """Somebody with a key, made from `seed` alone."""

    def __init__(self, seed: int | bytes) -> None:
        raw = seed if isinstance(seed, bytes) else b"%d" % seed
        self._key = PrivateKey(sha256(b"nostr-threads author " + raw).digest())
        self.pubkey: str = PublicKeyXOnly.from_secret(self._key.secret).format().hex()

    def __repr__(self) -> str:
        return f"Author({self.pubkey[:8]}…)"

    def secret_hex(self) -> str:
        """Return the secret key as 64 hex digits, for tests of other programs."""
        return self._key.secret.hex()

    def sign(self, draft: Draft) -> Verified:
        """Sign a draft as it is (BIP-340, no randomness)."""
        event_id = draft.id_for(self.pubkey)
        signature = self._key.sign_schnorr(bytes.fromhex(event_id), _NO_RANDOMNESS).hex()
        made = Event(
            id=event_id,
            pubkey=self.pubkey,
            created_at=draft.created_at,
            kind=draft.kind,
            tags=draft.tags,
            content=draft.content,
            sig=signature,
        )
        return verify(made)

    def event(
        self, kind: int, content: str = "", created_at: int = START, tags: Tags = ()
    ) -> Verified:
        """Sign an event of any kind, with these tags and no others."""
        return self.sign(Draft(created_at, kind, tags, content))

    def note(self, content: str, created_at: int = START, tags: Tags = ()) -> Verified:
        """Sign a kind 1 note."""
        return self.event(kinds.NOTE, content, created_at, tags)

    def reply(
        self,
        to: Event,
        content: str,
        created_at: int | None = None,
        *,
        relay: str = "",
        tags: Tags = (),
    ) -> Verified:
        """Answer a kind 1 note with NIP-10's markers and `p` tags, a second later by default."""
        when = to.created_at + 1 if created_at is None else created_at
        return self.note(content, when, (*_reply_tags(to, relay), *_people(to), *tags))

    def comment(self, to: Event, content: str, created_at: int | None = None) -> Verified:
        """Answer any other event as NIP-22 says, naming it as root and as parent."""
        when = to.created_at + 1 if created_at is None else created_at
        address = kinds.address_of(to)
        letter, value = ("e", to.id) if address is None else ("a", address)
        upper = ((letter.upper(), value, ""), ("K", str(to.kind)), ("P", to.pubkey))
        lower = ((letter, value, ""), ("k", str(to.kind)), ("p", to.pubkey))
        return self.event(kinds.COMMENT, content, when, (*upper, *lower))

    def article(self, identifier: str, content: str, created_at: int = START) -> Verified:
        """Sign a version of the long article (NIP-23) that `identifier` names."""
        return self.event(kinds.ARTICLE, content, created_at, (("d", identifier),))

    def reaction(self, to: Event, content: str = "+", created_at: int | None = None) -> Verified:
        """React to an event (NIP-25)."""
        when = to.created_at + 1 if created_at is None else created_at
        tags = (("e", to.id, "", to.pubkey), ("p", to.pubkey), ("k", str(to.kind)))
        return self.event(kinds.REACTION, content, when, tags)

    def deletion(self, *events: Event, created_at: int | None = None) -> Verified:
        """Ask for the deletion of events (NIP-09), by address where they have one."""
        latest = max((event.created_at for event in events), default=START)
        tags: Tags = tuple(_target(event) for event in events)
        return self.event(kinds.DELETION, "", latest if created_at is None else created_at, tags)

    def authentication(self, url: str, challenge: str, created_at: int = START) -> Verified:
        """Say to the relay at `url` who this is (NIP-42)."""
        return self.event(kinds.AUTH, "", created_at, (("relay", url), ("challenge", challenge)))


def thread(
    notes: int,
    *,
    authors: int = 3,
    depth: int | None = None,
    seed: int = 0,
    created_at: int = START,
) -> list[Verified]:
    """Grow a random tree of `notes` notes by `authors` authors; each answers an earlier one.

    The root comes first, parents before their answers, one second apart. `depth` bounds how many
    answers lie between any note and the root; None leaves that to chance.
    """
    random = Random(seed)  # noqa: S311 - the same tree each time is what it is for
    people = [Author(b"thread %d %d" % (seed, number)) for number in range(authors)]
    made: list[tuple[Verified, int]] = []
    for number in range(notes):
        author, content, when = random.choice(people), f"note {number}", created_at + number
        answerable = [item for item in made if depth is None or item[1] < depth]
        if not answerable:
            made.append((author.note(content, when), 0))
            continue
        parent, level = random.choice(answerable)
        made.append((author.reply(parent, content, when), level + 1))
    return [event for event, _ in made]


def _reply_tags(to: Event, relay: str) -> Tags:
    """NIP-10: an answer to the root marks it `root`; any other marks `root` and `reply`."""
    root = next((tag for tag in to.tags if tag[:1] == ("e",) and tag[3:4] == ("root",)), None)
    if root is None:
        return (("e", to.id, relay, "root", to.pubkey),)
    return (root, ("e", to.id, relay, "reply", to.pubkey))


def _people(to: Event) -> Tags:
    """NIP-10: whoever the note was addressed to, and its author."""
    named = dict.fromkeys((to.pubkey, *to.tag_values("p")))
    return tuple(("p", pubkey) for pubkey in named)


def _target(event: Event) -> Tag:
    address = kinds.address_of(event)
    return ("e", event.id) if address is None else ("a", address)
