"""Hypothesis strategies for events, tags and filters, and a way to sign events for tests."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from coincurve import PrivateKey
from hypothesis import strategies as st

from nostr_threads.core.event import MAX_CREATED_AT, MAX_KIND, Draft, Event, Tags
from nostr_threads.core.filters import Filter

VECTORS = Path(__file__).parent.parent / "vectors"

ALICE = bytes(31) + b"\x01"
BOB = bytes(31) + b"\x02"

# What encoders get wrong: NUL, DEL, C1, JSON's escapes, line and paragraph separators, a byte order
# mark, noncharacters, astral and combining characters, right-to-left override.
AWKWARD = (
    '\x00\x01\x1f\x7f\x80\x9f"\\/\b\f\n\r\t<>&'
    "\u2028\u2029\ufeff\ufdd1\uffff😀\U0010fff2e\u0301\u202e"
)


def pubkey_of(secret: bytes) -> str:
    return PrivateKey(secret).public_key_xonly.format().hex()


def signature_of(message: bytes, secret: bytes = ALICE) -> str:
    return PrivateKey(secret).sign_schnorr(message, bytes(32)).hex()


def sign(draft: Draft, secret: bytes = ALICE) -> Event:
    """Sign with fixed auxiliary randomness: the same draft always gives the same event."""
    author = pubkey_of(secret)
    event_id = draft.id_for(author)
    sig = signature_of(bytes.fromhex(event_id), secret)
    return Event(event_id, author, draft.created_at, draft.kind, draft.tags, draft.content, sig)


def event(
    kind: int = 1,
    tags: Tags = (),
    *,
    content: str = "",
    created_at: int = 1_700_000_000,
    pubkey: str = "b" * 64,
) -> Event:
    """An event that claims anything: for code that does not look at ids and signatures."""
    return Event("a" * 64, pubkey, created_at, kind, tags, content, "c" * 128)


def load(name: str) -> Any:
    """Read one JSON file under `tests/vectors`."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def hostile_events() -> dict[str, tuple[bytes, str]]:
    """Name, exact bytes and the peers' unanimous verdict of each event of the hostile set."""
    cases = load("hostile/events.small.json")["cases"]
    return {case["name"]: (b64decode(case["base64"]), case["unanimous"]) for case in cases}


def sample_lines() -> list[str]:
    return (VECTORS / "events/sample.jsonl").read_text(encoding="utf-8").splitlines()


def hexes(size: int) -> st.SearchStrategy[str]:
    return st.binary(min_size=size, max_size=size).map(bytes.hex)


texts = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(AWKWARD)))
tag_lists = st.lists(st.lists(texts, max_size=4).map(tuple), max_size=4).map(tuple)
numbers = st.one_of(st.integers(0, MAX_CREATED_AT), st.sampled_from((0, MAX_CREATED_AT)))
kind_numbers = st.one_of(st.sampled_from((0, 1, 5, 7, 1111, 30023)), st.integers(0, MAX_KIND))

drafts = st.builds(Draft, created_at=numbers, kind=kind_numbers, tags=tag_lists, content=texts)
signed_events = st.builds(sign, drafts, st.sampled_from((ALICE, BOB)))
events = st.builds(
    Event,
    id=hexes(32),
    pubkey=hexes(32),
    created_at=numbers,
    kind=kind_numbers,
    tags=tag_lists,
    content=texts,
    sig=hexes(64),
)

# A small world, so that filters and events drawn apart still meet.
_few_ids = st.sampled_from(("1" * 64, "2" * 64, "3" * 64))
_few_times = st.integers(10, 14)
_few_kinds = st.sampled_from((0, 1, 2))
_few_letters = st.sampled_from("tepA")
near_events = st.builds(
    Event,
    id=_few_ids,
    pubkey=_few_ids,
    created_at=_few_times,
    kind=_few_kinds,
    tags=st.lists(
        st.one_of(
            st.tuples(_few_letters, _few_ids),
            st.tuples(_few_letters, st.just("other"), _few_ids),
            st.tuples(_few_letters),
            st.just(()),
        ),
        max_size=5,
    ).map(tuple),
    content=st.just(""),
    sig=st.just("0" * 128),
)


def _tuples(elements: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(elements, max_size=most).map(tuple)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


near_filters = st.builds(
    Filter,
    ids=_maybe(_tuples(_few_ids)),
    authors=_maybe(_tuples(_few_ids)),
    kinds=_maybe(_tuples(_few_kinds)),
    tags=st.dictionaries(_few_letters, _tuples(_few_ids), max_size=2),
    since=_maybe(_few_times),
    until=_maybe(_few_times),
    limit=_maybe(st.integers(0, 3)),
)


@st.composite
def _filter_tags(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    letters = draw(st.sets(st.sampled_from("epatdqEAIZ"), max_size=3))
    return {
        letter: draw(_tuples(hexes(32) if letter in "ep" else texts)) for letter in sorted(letters)
    }


filters = st.builds(
    Filter,
    ids=_maybe(_tuples(hexes(32))),
    authors=_maybe(_tuples(hexes(32))),
    kinds=_maybe(_tuples(kind_numbers)),
    tags=_filter_tags(),
    since=_maybe(numbers),
    until=_maybe(numbers),
    limit=_maybe(numbers),
    search=_maybe(texts),
)

json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False),
        texts,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=8,
)
