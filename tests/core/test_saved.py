"""A thread inside a page: what was signed comes back as it was, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.coverage import Coverage
from nostr_threads.core.fetched import Fetched
from nostr_threads.core.saved import Saved
from nostr_threads.errors import InvalidEvent, InvalidInput
from nostr_threads.testing import Author

ALICE = Author(1)
NOTE = ALICE.note("a </script> & <b>")
SAVED = Saved(NOTE.id, 5, "1.0", (NOTE,), {"wss://a.example": (NOTE.id,)})
SEEN = '"wss://a.example": ['


def page(text: str) -> str:
    return f'<p>x</p><script type="application/json" id="nostr-threads">{text}</script>'


@given(
    contents=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4),
    root=st.text(st.characters(exclude_categories=["Cs"])),
    made_at=st.integers(0, 2**53 - 1),
)
def test_what_was_saved_comes_back(contents: list[str], root: str, made_at: int) -> None:
    events = tuple(ALICE.note(content, place) for place, content in enumerate(contents))
    seen = {"wss://a.example": tuple(event.id for event in events)}
    fetched = Fetched(made_at, Coverage()) if contents else None
    saved = Saved(root, made_at, "0.1", events, seen, fetched)
    assert Saved.from_page(page(saved.to_json())) == saved


def test_nothing_in_it_ends_the_element_that_holds_it() -> None:
    assert not {"<", ">", "&"} & set(SAVED.to_json())
    assert json.loads(SAVED.to_json())["events"][0]["content"] == NOTE.content


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            '"content":"a',
            '"content":"b',
            f"number 1 of the page, {NOTE.id}: the id is not the hash",
        ),
        (NOTE.sig, "0" * 128, f"number 1 of the page, {NOTE.id}: the signature does not fit"),
        (NOTE.sig, "x", f"number 1 of the page, {NOTE.id}: sig is not"),
        (f'"id":"{NOTE.id}"', '"id":"x"', "number 1 of the page: id is not"),
    ],
)
def test_an_event_that_was_changed_is_named(old: str, new: str, why: str) -> None:
    text = SAVED.to_json()
    assert old in text
    with pytest.raises(InvalidEvent, match=why):
        Saved.from_page(page(text.replace(old, new)))


@pytest.mark.parametrize(
    "text",
    [
        "no page",
        page(SAVED.to_json()) * 2,
        page("{}"),
        page("[]"),
        page("null"),
        page("not JSON"),
        page("[" * 100_000),
        page(SAVED.to_json().replace('"form": 1', '"form": 2')),
        *(
            page(SAVED.to_json().replace('"made_at": 5', f'"made_at": {at}'))
            for at in ('"soon"', "1e400", "9223372036854775808", "-1", "5.5", "true")
        ),
        page(SAVED.to_json().replace(SEEN, '"Alice owes me \\u202e 5": [')),
        page(SAVED.to_json().replace(SEEN, '"wss://A.example": [')),
        page(SAVED.to_json().replace(SEEN, '"\\ud800": [')),
        page(SAVED.to_json().replace(SEEN, f'{SEEN}"{"0" * 64}", ')),
        page(SAVED.to_json().replace('"root": "', '"root": "\\udfff')),
        *(
            page(SAVED.to_json().replace('"fetched": null', f'"fetched": [{json.dumps(text)}, 5]'))
            for text in (
                "{}",
                '{"relays": [["I owe", null, 1, 1, 0, ""]], "estimate": null, "budget_hit": null}',
                '{"relays": [], "estimate": ["said", 2, 3], "budget_hit": null}',
                '{"relays": [], "estimate": null, "budget_hit": {}}',
            )
        ),
        page(SAVED.to_json().replace('"seen": {', '"seen": [], "x": {')),
    ],
)
def test_what_is_no_such_page_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Saved.from_page(text)
    assert not isinstance(refused.value, InvalidEvent)
    assert len(str(refused.value)) < 300
