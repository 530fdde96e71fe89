"""The way up: parents, claims where the chain is broken, versions, cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.lineage import Step, claimed_root, root_above, step_of
from nostr_threads.core.references import references
from tests.core.invented import START, answer, hex_of, invented

if TYPE_CHECKING:
    from collections.abc import Callable

    from nostr_threads.core.event import Verified

ESSAY = f"30023:{hex_of('alice')}:essay"


def lookup(*events: Verified) -> Callable[[str], Step | None]:
    """What is known under an id or an address; of an address the event that is given last."""
    steps = {event.id: step_of(event) for event in events}
    by_name = {step.name: step for step in steps.values()}
    known = {key: by_name[step.name] for key, step in steps.items()} | by_name
    return known.get


def test_a_key_that_nothing_is_known_under_is_its_own_root() -> None:
    assert root_above("isbn:1", lookup()) == "isbn:1"


def test_the_root_is_what_answers_nothing() -> None:
    above = lookup(invented("root"), answer("a", "root"), answer("b", "a", "another root"))
    for name in ("root", "a", "b"):
        assert root_above(hex_of(name), above) == hex_of("root")


def test_a_claim_is_obeyed_only_where_the_chain_is_broken() -> None:
    root, liar = invented("root"), answer("liar", "middle", "other")
    assert root_above(hex_of("liar"), lookup(liar)) == hex_of("other")
    assert root_above(hex_of("liar"), lookup(liar, invented("other"))) == hex_of("other")
    middle = answer("middle", "root")
    assert root_above(hex_of("liar"), lookup(liar, middle, root)) == hex_of("root")


def test_a_claimed_root_that_is_an_answer_leads_on_to_its_own_root() -> None:
    above = lookup(answer("torn", "gone", "middle"), answer("middle", "root"))
    assert root_above(hex_of("torn"), above) == hex_of("root")


def test_all_names_of_an_article_lead_up_as_its_current_version_does() -> None:
    old = invented("old", ("d", "essay"), kind=30023)
    new = invented(
        "new", ("d", "essay"), ("e", hex_of("root"), "", "reply"), kind=30023, at=START + 1
    )
    for key in (old.id, new.id, ESSAY):
        assert root_above(key, lookup(old, new)) == hex_of("root")
        assert root_above(key, lookup(new, old)) == ESSAY


def test_the_oldest_of_a_cycle_is_its_root_wherever_the_way_begins() -> None:
    loop = invented("loop", ("d", "essay"), ("e", hex_of("b"), "", "reply"), kind=30023, at=START)
    first = invented("a", ("a", ESSAY, "", "reply"), at=START)
    above = lookup(loop, first, answer("b", "a", at=START + 1), answer("tail", "b"))
    oldest = min((loop.created_at, loop.id, ESSAY), (first.created_at, first.id, first.id))[2]
    for key in (ESSAY, loop.id, first.id, hex_of("b"), hex_of("tail")):
        assert root_above(key, above) == oldest


def test_what_answers_itself_is_its_own_root() -> None:
    loop = invented("loop", ("d", "essay"), ("a", ESSAY, "", "reply"), kind=30023)
    assert root_above(loop.id, lookup(loop)) == ESSAY


def test_a_reaction_claims_the_address_of_the_version_it_names() -> None:
    """NIP-25; a deletion's other targets claim nothing."""
    tags = (("a", ESSAY), ("e", hex_of("version")))
    assert claimed_root(references(invented("like", *tags, kind=7))) == ESSAY
    assert claimed_root(references(invented("gone", *tags, kind=5))) == hex_of("version")
    assert claimed_root(references(invented("note"))) is None


def test_a_chain_of_ten_thousand_is_followed_once() -> None:
    """Neither recursion nor a walk for each start."""
    chain = [invented("0"), *(answer(str(n), str(n - 1)) for n in range(1, 10_000))]
    known = lookup(*chain)
    asked = 0

    def above(key: str) -> Step | None:
        nonlocal asked
        asked += 1
        return known(key)

    roots: dict[str, str] = {}
    assert {root_above(event.id, above, roots) for event in reversed(chain)} == {chain[0].id}
    assert asked < 4 * len(chain)


_names = st.sampled_from("abcdefg")
_steps = st.builds(
    lambda name, second, up: Step(name, (second, name), up),
    _names,
    st.integers(0, 2),
    st.one_of(st.just(()), st.tuples(_names, _names)),
)


@given(st.lists(_steps, unique_by=lambda step: step.name), st.permutations("abcdefg"))
def test_what_is_remembered_changes_no_root(steps: list[Step], starts: list[str]) -> None:
    """And all that lies on one way has one root: it is there and answers nothing, or is missing,
    or lies on a cycle.
    """
    above = {step.name: step for step in steps}.get
    roots: dict[str, str] = {}
    for start in starts:
        root = root_above(start, above)
        assert root_above(start, above, roots) == root
        step = above(root)
        assert step is None or root_above(root, above) == root
        if (first := above(start)) is not None and first.up:
            parent, claimed = first.up
            assert root_above(claimed if above(parent) is None else parent, above) == root
