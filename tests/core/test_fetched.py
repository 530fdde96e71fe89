"""The report of a fetch, written and read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.coverage import Coverage, Finish, RelayCoverage
from nostr_threads.core.estimate import Estimate
from nostr_threads.core.fetched import Fetched

texts = st.text(max_size=20)
counts = st.integers(0, 9_999)
relays = st.builds(
    RelayCoverage,
    texts,
    st.sampled_from([None, *Finish]),
    counts,
    counts,
    counts,
    texts,
)
reports = st.builds(
    Fetched,
    counts,
    st.builds(
        Coverage,
        st.lists(relays, max_size=4).map(tuple),
        estimate=st.none() | st.builds(Estimate, counts, counts, counts),
    ),
    st.none() | texts,
)


@given(report=reports)
def test_what_was_written_is_read(report: Fetched) -> None:
    assert Fetched.from_json(report.to_json(), report.at) == report


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "{}", '{"relays": 1, "estimate": null, "budget_hit": null}'),
        '{"relays": [["u", "sideways", 1, 1, 0, ""]], "estimate": null, "budget_hit": null}',
        '{"relays": [["u"]], "estimate": null, "budget_hit": null}',
        '{"relays": [], "estimate": [1], "budget_hit": null}',
        '{"relays": [], "estimate": [1, 2, "3"], "budget_hit": null}',
        '{"relays": [], "estimate": 5, "budget_hit": null}',
        '{"relays": [], "estimate": null, "budget_hit": 7}',
        '{"relays": [[5, "complete", 1, 1, 0, ""]], "estimate": null, "budget_hit": null}',
        '{"relays": [["u", "complete", 1, 1, 0, null]], "estimate": null, "budget_hit": null}',
        '{"relays": [["u", "complete", "1", 1, 0, ""]], "estimate": null, "budget_hit": null}',
        '{"relays": [["u", "complete", -1, 1, 0, ""]], "estimate": null, "budget_hit": null}',
        '{"relays": [["u", [], 1, 1, 0, ""]], "estimate": null, "budget_hit": null}',
    ],
)
def test_what_cannot_be_read_is_no_report(text: str) -> None:
    assert Fetched.from_json(text, 1) is None


@pytest.mark.parametrize(
    ("finish", "budget_hit", "whole"),
    [(Finish.COMPLETE, None, True), (Finish.TIMEOUT, None, False), (Finish.COMPLETE, "x", False)],
)
def test_it_was_whole_when_all_answered_and_nothing_ended_it(
    finish: Finish, budget_hit: str | None, *, whole: bool
) -> None:
    coverage = Coverage((RelayCoverage("wss://a.example", finish, 1, 0),))
    assert Fetched(1, coverage, budget_hit).whole is whole
