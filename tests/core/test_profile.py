"""What a profile says, whatever was written into it, and which names a thread shows."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.profile import Name, Profile, names, profile_of
from tests.core.invented import hex_of
from tests.core.strategies import event, json_values, texts

ANN, BEN, CAT = hex_of("ann"), hex_of("ben"), hex_of("cat")
FIELDS = ("name", "display_name", "nip05", "about", "picture", "bot")


def said(content: str) -> Profile:
    return profile_of(event(0, content=content))


def shown(*given_names: str) -> list[tuple[str, bool] | None]:
    """The names of people who were given these names, in order."""
    found = names({hex_of(str(n)): Profile(name=text) for n, text in enumerate(given_names)})
    keys = [hex_of(str(n)) for n in range(len(given_names))]
    return [(found[key].text, found[key].shared) if key in found else None for key in keys]


def test_the_fields_are_read_as_they_are_called() -> None:
    """NIP-01 and NIP-24; the deprecated `displayName` and `username` are to be ignored."""
    fields = {"name": "ann", "display_name": "Ann", "nip05": "ann@a.example", "bot": True}
    more = {"about": "x", "picture": "https://a.example/a.png", "displayName": "B", "username": "C"}
    assert said(json.dumps(fields | more)) == Profile(
        "ann", "Ann", "ann@a.example", "x", "https://a.example/a.png", bot=True
    )


@given(st.one_of(texts, json_values.map(json.dumps)))
def test_no_content_raises(content: str) -> None:
    assert isinstance(said(content), Profile)


@given(st.dictionaries(st.sampled_from(FIELDS), json_values))
def test_fields_of_a_wrong_type_are_empty(fields: dict[str, object]) -> None:
    found = said(json.dumps(fields))
    for name in FIELDS[:-1]:
        assert getattr(found, name) == "" or isinstance(fields[name], str)
    assert found.bot is (fields.get("bot") is True)
    assert all(getattr(found, name).encode() is not None for name in FIELDS[:-1])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '"name"',
        "{",
        "[" * 60_000,
        '{"name":' * 8000,
        '{"name":' + "1" * 60_000 + "}",
        '{"name":"' + "x" * 70_000 + '"}',
        '{"name":NaN}',
    ],
    ids=lambda content: content[:9],
)
def test_what_is_no_profile_is_an_empty_one(content: str) -> None:
    assert said(content) == Profile()


def test_half_a_surrogate_pair_becomes_something_that_can_be_written() -> None:
    assert said(r'{"name":"a\ud800"}').name == "a?"


def test_values_are_bounded_in_length() -> None:
    found = said(json.dumps(dict.fromkeys(FIELDS, "x" * 9000)))
    assert len(found.name) == len(found.display_name) == 200
    assert len(found.about) == 4096
    assert (found.nip05, found.picture) == ("", "")


def test_the_display_name_is_shown_before_the_name() -> None:
    profiles = {
        ANN: Profile(name="ann", display_name="Ann of A"),
        BEN: Profile(name="ben", display_name="\u200b \u3164"),
        CAT: Profile(about="nameless"),
    }
    assert names(profiles) == {ANN: Name("Ann of A"), BEN: Name("ben")}


@pytest.mark.parametrize(
    ("given_name", "text"),
    [
        (" two\n lines\t", "two lines"),
        ("a\u202eb\u0007c\x1b[31m", "abc[31m"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("x" * 41, "x" * 39 + "…"),
        ("x" * 40, "x" * 40),
        ("x" * 38 + " " + "y" * 9, "x" * 38 + "…"),
        ("...", "..."),
    ],
)
def test_a_name_is_one_short_line(given_name: str, text: str) -> None:
    assert shown(given_name) == [(text, False)]


@pytest.mark.parametrize(
    "given_name", ["", " ", "\u200b", "\u200d", "\u3164", "\u2800\u034f", "\u0301", "npub1xyz"]
)
def test_a_name_that_is_not_seen_or_passes_for_a_key_is_none(given_name: str) -> None:
    assert shown(given_name) == [None]


@pytest.mark.parametrize(
    "fake",
    [
        "alice",
        "ALICE",
        "a l i c e",
        "álice",
        "\u0430lic\u0435",
        "\uff21lice",
        "A1ice",
        "a\u200blice",
    ],
)
def test_two_who_look_the_same_are_both_marked(fake: str) -> None:
    found = shown("Alice", fake, "bob")
    assert [item[1] for item in found if item is not None] == [True, True, False]


@given(st.dictionaries(st.sampled_from((ANN, BEN, CAT)), st.builds(Profile, texts, texts)))
def test_a_shown_name_is_short_and_has_nothing_that_hides(profiles: dict[str, Profile]) -> None:
    for name in names(profiles).values():
        assert 0 < len(name.text) <= 40
        assert name.text == name.text.strip()
        bad = [char for char in name.text if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")]
        assert set(bad) <= {"\u200d"}
