"""Files of signed events as a relay's export has them: the same each time, made once.

Knows what is said on the network, and how often: answers, reactions, notes, reposts, profiles. They
are written while they are made, so that a million of them need no memory.
"""

from __future__ import annotations

import sys
import tempfile
from collections import deque
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from nostr_threads.core import kinds
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nostr_threads.core.event import Tags, Verified

__all__ = ["archive"]

# Changed when what is made below changes: what was kept before is then made anew.
_EDITION = 2
# Events that one person wrote, on average; one of them is the profile.
_EACH = 50
# What is answered and reacted to is mostly what was said a short time ago.
_TALKED_ABOUT = 2_000
_WORDS = str.split(
    "relay thread note about the of and what said when more than people read who has to it is not "
    "signature key answer where there long every one time from with that this for them 🧵 — été"
)


def archive(events: int) -> Path:
    """Return a file of so many events, one JSON object a line, in the order of their times."""
    folder = Path(tempfile.gettempdir()) / "nostr-threads-benchmarks"
    path = folder / f"archive-{events}.{_EDITION}.jsonl"
    if not path.exists():
        print(f"  making {path.name}, once", file=sys.stderr)
        folder.mkdir(mode=0o700, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("w", encoding="utf-8") as file:
            file.writelines(f"{event.to_json()}\n" for event in _made(events))
        unfinished.replace(path)
    return path


def _made(events: int) -> Iterator[Verified]:
    random = Random(11)  # noqa: S311 - the same events each time is what it is for
    people = [Author(b"archive %d" % number) for number in range(events // _EACH)]
    recent: deque[Verified] = deque(maxlen=_TALKED_ABOUT)
    for number in range(events):
        # A few write much, and most of them little.
        author = people[int(len(people) * random.random() ** 3)]
        made = _one(random, author, recent, START + number)
        if made.kind == kinds.NOTE:
            recent.append(made)
        yield made


def _one(random: Random, author: Author, recent: deque[Verified], when: int) -> Verified:
    lot = random.random()
    if lot < 0.2 or not recent:
        tags: Tags = (("t", random.choice(_WORDS)),) if lot < 0.07 else ()
        return author.note(_text(random), when, tags)
    if lot < 0.5:
        return author.reply(random.choice(recent), _text(random), when, relay="wss://nos.lol/")
    if lot < 0.9:
        return author.reaction(random.choice(recent), random.choice("+🧡🤙"), when)
    if lot < 0.98:
        reposted = random.choice(recent)
        tags = (("e", reposted.id, "wss://nos.lol/"), ("p", reposted.pubkey))
        return author.event(kinds.REPOST, reposted.to_json(), when, tags)
    about = f'{{"name":"{random.choice(_WORDS)}","about":"{_text(random)}"}}'
    return author.event(kinds.PROFILE, about, when)


def _text(random: Random) -> str:
    return " ".join(random.choices(_WORDS, k=random.randrange(4, 60)))
