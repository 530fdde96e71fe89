"""What one relay takes from us, as it says beforehand (NIP-11) or complains afterwards.

Knows the numbers and the words of relays. Knows nothing of what is asked within them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

__all__ = ["Limits", "declared", "learned"]

# More at a time than this makes nothing faster, whatever a relay allows.
_MOST_PAGE = 500
_MOST_SUBSCRIPTIONS = 10
# A filter of a few values with its times has to fit, or nothing can be asked at all.
_LEAST_MESSAGE = 512

# What a relay complains about comes first; the rest of its words is not looked at.
_MOST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """What one relay takes, as it says (NIP-11) or as was learned from its complaints.

    `page` is how many events to ask for at a time, `cap` the most that it gives at once, when it
    says so; `subscriptions` are questions at a time; `message_bytes` bounds one whole message that
    we send; `subid_length` is in characters; `values` counts the values of all lists of one filter.
    """

    page: int = _MOST_PAGE
    cap: int | None = None
    subscriptions: int = _MOST_SUBSCRIPTIONS
    message_bytes: int = 65_536
    subid_length: int = 64
    values: int = 250


def declared(
    *,
    max_limit: int | None = None,
    default_limit: int | None = None,
    max_subscriptions: int | None = None,
    max_message_length: int | None = None,
    max_subid_length: int | None = None,
) -> Limits:
    """Return the limits of NIP-11's `limitation`. None, zero and less count as not said."""
    usual = Limits()
    most = _said(max_limit)
    return Limits(
        page=min(_MOST_PAGE, most or _MOST_PAGE),
        cap=most or _said(default_limit),
        subscriptions=min(_MOST_SUBSCRIPTIONS, _said(max_subscriptions) or usual.subscriptions),
        message_bytes=max(_LEAST_MESSAGE, _said(max_message_length) or usual.message_bytes),
        subid_length=_said(max_subid_length) or usual.subid_length,
    )


def _said(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


_COMPLAINT = re.compile(
    r"too (?:many|large|big|long|high)|exceed|max|at most|less (?:th|or)|more than|\bover\b"
    r"|reached|concurrent|invalid subscription id"
)
# Some relays say what happened before they say why.
_OUTCOME = re.compile(r"^subscription (?:rejected|error):")
# Nothing that a smaller question would change: how often we ask, and the events we publish.
_OTHER = re.compile(r"\brate limit|too many requests|request limit|slow down|event(?!s)")

# The first that fits names what the words are about; we send one filter a question anyway.
_SUBJECTS = (
    ("subid_length", re.compile(r"subid|sub(?:scription)? ?id(?:entifier)?\b")),
    ("message_bytes", re.compile(r"message|payload|frame")),
    ("values", re.compile(r"filter items|\b(?:ids|authors|pubkeys|kinds|tag ?values|values)\b")),
    ("", re.compile(r"filters\b")),
    ("subscriptions", re.compile(r"subscriptions?\b|\bsubs\b|\breqs\b")),
    ("page", re.compile(r"limit\b")),
)

# A number is a bound when such a word leads to it; others tell what we sent.
_BOUND = re.compile(r"(?:max|most|than|equal to|over|limit|[<>])[^0-9]{0,20}([0-9]{1,9})")


def learned(limits: Limits, words: str) -> Limits | None:
    """Return tighter limits for the words of a NOTICE or CLOSED.

    A bound that the words name is taken, otherwise the limit is halved. None: the words are about
    no limit of ours, or it cannot be tightened further.
    """
    said = _OUTCOME.sub("", words[:_MOST_WORDS].lower())
    if _COMPLAINT.search(said) is None or _OTHER.search(said) is not None:
        return None
    for name, subject in _SUBJECTS:
        if subject.search(said) is not None:
            return _tightened(limits, name, said) if name else None
    return None


def _tightened(limits: Limits, name: str, said: str) -> Limits | None:
    now: int = getattr(limits, name)
    least = _LEAST_MESSAGE if name == "message_bytes" else 1
    bounds = (int(found) for found in _BOUND.findall(said))
    bound = min((found for found in bounds if least <= found < now), default=max(least, now // 2))
    return replace(limits, **{name: bound}) if bound < now else None
