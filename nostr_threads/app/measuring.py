"""What the relays of an answer take of it: asked, weighed, and held against its events.

Knows whose limits rule and who will refuse all the same. What a document says is the core's to
know; nothing is cut here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nostr_threads.core.admission import Admission, refusal, strictest, too_strict
from nostr_threads.core.event import Event
from nostr_threads.core.pow import MAX_BITS, with_nonce
from nostr_threads.net.info import admission_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nostr_threads.app.documents import Documents
    from nostr_threads.core.event import Draft

__all__ = ["Measure", "measure"]

# As many digits as a nonce may have.
_LONGEST_NONCE = 2**64


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be sent to all relays but the `strict` ones, by URL with the reason.

    `said` is what each takes by its own word, `taken` what all take whose limits rule, and `work`
    the bits of proof of work (NIP-13) that will be done.
    """

    said: Mapping[str, Admission] = field(default_factory=dict)
    strict: Mapping[str, str] = field(default_factory=dict)
    taken: Admission = field(default_factory=Admission)
    work: int = 0

    @property
    def most_tags(self) -> int | None:
        """How many tags an event may have before work adds one."""
        return self.taken.tags and self.taken.tags - (self.work > 0)

    def refusals(self, drafts: Sequence[Draft], author: str, now: int) -> Iterator[str]:
        """Say which relay will not take what `drafts` become at `now`, by its own word, and why."""
        events = [_finished(draft, author, self.work) for draft in drafts]
        for url, said in self.said.items():
            reasons = (refusal(said, event, now=now) for event in events)
            part, reason = next((each for each in enumerate(reasons, 1) if each[1]), (0, ""))
            if reason and url in self.strict:
                yield f"{url} will refuse this: {self.strict[url]}"
            elif reason:
                yield f"{url} will refuse part {part} of {len(events)}: {reason}"


async def measure(
    documents: Documents,
    relays: Sequence[str],
    *,
    ruling: Sequence[str],
    characters: int,
    work: int,
    most_work: int,
) -> Measure:
    """Ask relays what they take (NIP-11) of a text of so many characters, 0 for none.

    Only those that are `ruling` do, the author's own: anybody who is answered could have an answer
    cut to pieces elsewhere. One that takes next to nothing, or wants more than `most_work` bits,
    does not rule the others.
    """
    found = await asyncio.gather(*(documents.of(url) for url in relays))
    said = dict(zip(relays, map(admission_of, found), strict=True))
    strict = too_strict(said, characters=characters, most_pow_bits=most_work)
    taken = strictest(said[url] for url in ruling if url not in strict)
    return Measure(said, strict, taken, max(work, taken.pow_bits))


def _finished(draft: Draft, author: str, bits: int) -> Event:
    """The event that a draft becomes, as large as work and a signature can make it."""
    if bits:
        draft = with_nonce(draft, _LONGEST_NONCE, bits)
    worked = f"{1 << (MAX_BITS - 1 - bits):064x}" if bits < MAX_BITS else "0" * 64
    when, kind, tags, content = draft.created_at, draft.kind, draft.tags, draft.content
    return Event(worked, author, when, kind, tags, content, "0" * 128)
