"""The faults a relay can be given, and what each does to its messages.

Knows lists of messages: each function takes one and returns it as a faulty relay would send it.
Knows nothing of sockets. Every fault here was seen at a public relay or is one that a hostile one
could have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from nostr_threads.core.messages import Delivered, Eose, Ok

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nostr_threads.core.event import Event, Verified
    from nostr_threads.relayd.conversation import Frame

    Forgery = Literal["content", "signature", "id"]
    Place = Literal["before", "between", "after", "instead"]

__all__ = ["GARBAGE", "Faults", "distort", "forged"]

GARBAGE: tuple[str | bytes, ...] = (
    "not json",
    "",
    "{}",
    "[]",
    "[" * 10_000,
    '["EVENT"]',
    '["EVENT","1",{"id":1}]',
    '["EOSE"]',
    '["OK",null,"yes"]',
    '["NOTICE","\\ud800"]',
    '["UNHEARD-OF","x"]',
    b"\x00\xff\xfe binary",
    '["NOTICE","' + "x" * 200_000 + '"]',
)
"""Frames that are no message of a relay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What is wrong with a relay; by default nothing. Combine as many as you like.

    refuse_connections: every handshake is answered with HTTP 503.
    drop_connection_after: each connection is cut once this many messages were sent on it, or only
    the first `drop_first` connections.
    slow: seconds that pass before each message, told by the relay's `wait`.
    auth_required: nothing without NIP-42. Only looked at when the relay starts.

    silent_eose: EOSE is never sent. no_ok: OK is never sent.
    ok_but_not_stored: EVENT gets its OK and is thrown away.
    ok_for_other_id: OK names an event that nobody sent.
    reject_with: the reason of an OK false, for the events after the first `accept_first`, and for
    no more than `reject_first` of them (None: all).

    forge: an altered copy of each event, as `forged` makes it, `forge_where` it stands next to the
    honest one; "between" puts it between two honest copies, "instead" leaves no honest one.
    wrong_subscription: events carry the id of a subscription that nobody opened.
    answer_limit: no answer has more events, and EOSE claims nothing (no NIP-67).
    finish_after: no answer has more events, and EOSE claims that this was all (NIP-67).
    forget_after: once it has been asked this many times (REQ), over all connections, it gives no
    event any more.
    extra_events: events sent in every answer, whether they match or not.
    duplicates: how many more times each event is sent.

    no_negentropy: NIP-77 is answered with a NOTICE, as by a relay that does not know it.
    negentropy_error: the reason of the NEG-ERR with which it is answered.
    silent_negentropy: it is not answered at all.
    negentropy_answer: the message, in hex, with which each of its messages is answered; `ENDLESS`
    is one after which nothing comes to an end.
    invented_ids: so many ids of events that do not exist are named in each reconciliation.

    garbage: frames sent before each message; `GARBAGE` is a good choice.
    """

    refuse_connections: bool = False
    drop_connection_after: int | None = None
    drop_first: int | None = None
    slow: float = 0.0
    auth_required: bool = False
    silent_eose: bool = False
    no_ok: bool = False
    ok_but_not_stored: bool = False
    ok_for_other_id: bool = False
    reject_with: str = ""
    accept_first: int = 0
    reject_first: int | None = None
    forge: Forgery | None = None
    forge_where: Place = "before"
    wrong_subscription: bool = False
    answer_limit: int | None = None
    finish_after: int | None = None
    forget_after: int | None = None
    extra_events: tuple[Verified, ...] = ()
    duplicates: int = 0
    garbage: tuple[str | bytes, ...] = ()
    no_negentropy: bool = False
    negentropy_error: str = ""
    silent_negentropy: bool = False
    negentropy_answer: str = ""
    invented_ids: int = 0

    def drops_after(self, number: int) -> int | None:
        """After how many messages the connection of that number (from 0) is cut, None for never."""
        is_cut = self.drop_first is None or number < self.drop_first
        return self.drop_connection_after if is_cut else None

    def rejects(self, number: int) -> bool:
        """Whether the EVENT of that number (from 0, over all connections) is rejected."""
        last = None if self.reject_first is None else self.accept_first + self.reject_first
        late_enough = number >= self.accept_first
        return bool(self.reject_with) and late_enough and (last is None or number < last)

    def forgets(self, number: int) -> bool:
        """Whether the REQ of that number (from 0, over all connections) brings nothing."""
        return self.forget_after is not None and number >= self.forget_after


def forged(event: Event, how: Forgery) -> Event:
    """Return a copy that no verification may let through.

    "content" keeps id and signature, "signature" keeps all else, so that the id is right, and "id"
    carries an id that is not its own.
    """
    match how:
        case "content":
            return replace(event, content=f"{event.content} (forged)")
        case "signature":
            return replace(event, sig=_other_hex(event.sig))
        case "id":
            return replace(event, id=_other_hex(event.id))


def distort(messages: Sequence[Frame], faults: Faults) -> list[Frame]:
    """Return the messages that a relay with these faults sends instead."""
    changed: Iterable[Frame] = _capped(messages, faults)
    changed = _with_extra_events(changed, faults)
    changed = [made for frame in changed for made in _changed(frame, faults)]
    return [made for frame in changed for made in (*faults.garbage, frame)]


def _capped(messages: Sequence[Frame], faults: Faults) -> Iterator[Frame]:
    caps = (faults.answer_limit, faults.finish_after)
    most = min((cap for cap in caps if cap is not None), default=None)
    events = 0
    for frame in messages:
        if most is None:
            yield frame
        elif isinstance(frame, Delivered):
            events += 1
            if events <= most:
                yield frame
        elif isinstance(frame, Eose):
            claims = ("finish",) if faults.finish_after is not None else ()
            yield Eose(frame.subscription, claims)
        else:
            yield frame


def _with_extra_events(messages: Iterable[Frame], faults: Faults) -> Iterator[Frame]:
    for frame in messages:
        if isinstance(frame, Eose):
            yield from (Delivered(frame.subscription, event) for event in faults.extra_events)
        yield frame


def _changed(frame: Frame, faults: Faults) -> list[Frame]:
    match frame:
        case Delivered():
            return _changed_event(frame, faults)
        case Eose() if faults.silent_eose:
            return []
        case Ok() if faults.no_ok:
            return []
        case Ok() if faults.ok_for_other_id:
            return [Ok(_other_hex(frame.event_id), frame.accepted, frame.reason)]
    return [frame]


def _changed_event(frame: Delivered, faults: Faults) -> list[Frame]:
    name = f"not-{frame.subscription}"[:64] if faults.wrong_subscription else frame.subscription
    group: list[Frame] = [Delivered(name, event) for event in _copies(frame.event, faults)]
    return group * (1 + faults.duplicates)


def _copies(honest: Event, faults: Faults) -> tuple[Event, ...]:
    if faults.forge is None:
        return (honest,)
    false = forged(honest, faults.forge)
    match faults.forge_where:
        case "before":
            return false, honest
        case "between":
            return honest, false, honest
        case "after":
            return honest, false
        case "instead":
            return (false,)


def _other_hex(digits: str) -> str:
    """Change the first digit, so that it stays hex of the same length."""
    return ("1" if digits[:1] == "0" else "0") + digits[1:]
