"""A thread as it is met: a long answer, people with names, something missing, something deleted.

Knows who says what, and when. The question and the answer are those of the demo.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import nostr_threads as nt
from nostr_threads.cli.demo_data import ANSWER, LIMIT, QUESTION
from nostr_threads.core import kinds
from nostr_threads.core.answering import Target
from nostr_threads.core.compose import compose
from nostr_threads.testing import Author

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LATEST", "NOW", "QUESTION_ID", "SEEN"]

NOW = 1_790_000_000
_MINUTE = 60

_ADA, _GRACE, _JOAN, _EDSGER = (Author(name) for name in (b"ada", b"grace", b"joan", b"edsger"))
_NAMES = {_ADA: "Ada", _GRACE: "Grace", _JOAN: "Joan", _EDSGER: "Edsger"}
_PROFILES = [
    author.event(kinds.PROFILE, json.dumps({"name": name}), NOW - 9_000 * _MINUTE)
    for author, name in _NAMES.items()
]


def _answer(to: nt.Event, at: int) -> list[nt.Verified]:
    parts = nt.split(ANSWER, nt.Limit(characters=LIMIT))
    drafts = compose(parts, author=_GRACE.pubkey, created_at=at, target=Target(to))
    return [_GRACE.sign(draft) for draft in drafts]


_QUESTION = _ADA.note(QUESTION, NOW - 190 * _MINUTE)
_REGRETTED = _EDSGER.reply(_QUESTION, "Just write less.", NOW - 110 * _MINUTE)
_LOST = _EDSGER.reply(_QUESTION, "This one is at no relay that was asked.", NOW - 140 * _MINUTE)
_BELOW = _JOAN.reply(_LOST, "Blame the client, not the relay? I blame both.", NOW - 120 * _MINUTE)
_PARTS = _answer(_QUESTION, NOW - 150 * _MINUTE)
LATEST = _ADA.reply(_PARTS[-1], "So that is where my endings went!", NOW - 7 * _MINUTE)
"""What came since."""
_ROUND = [
    _JOAN.reaction(_QUESTION, "+", NOW - 100 * _MINUTE),
    _ADA.reaction(_PARTS[0], "❤️", NOW - 99 * _MINUTE),
    _JOAN.reaction(_PARTS[0], "🤙", NOW - 98 * _MINUTE),
    _EDSGER.reaction(_PARTS[0], "🤙", NOW - 97 * _MINUTE),
]

QUESTION_ID = _QUESTION.id

SEEN: Mapping[str, Sequence[nt.Verified]] = {
    "wss://relay.one.example": [
        *_PROFILES,
        _QUESTION,
        *_PARTS,
        _REGRETTED,
        *_ROUND,
        _EDSGER.deletion(_REGRETTED, created_at=NOW - 80 * _MINUTE),
    ],
    "wss://relay.two.example": [_QUESTION, *_PARTS[:2], _BELOW],
}
"""What each relay had when the thread was last looked at."""
