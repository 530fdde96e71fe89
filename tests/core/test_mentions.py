"""What an author names by hand becomes NIP-27 mentions; secrets never leave (NIP-21)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.content import mention_tags
from nostr_threads.core.mentions import broken, linked, refuse_secrets, unnamed, unresolved
from nostr_threads.core.nip19 import Address, EventPointer, Note, Profile, PublicKey, encode
from nostr_threads.errors import InvalidText
from tests.core.invented import hex_of
from tests.core.strategies import texts

ALICE, NOTE = hex_of("alice"), hex_of("note")
RELAY = "wss://one.example"
NPUB = encode(PublicKey(ALICE))
WRONG = NPUB[:-1] + ("q" if NPUB[-1] != "q" else "p")
SECRET = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"
PEOPLE = {
    "alice@a.example": Profile(ALICE, (RELAY,)),
    "bob@b.example": Profile(ALICE),
    "_@c.example": Profile(ALICE),
}
ALICE_CODE = encode(Profile(ALICE, (RELAY,)))


class TestNames:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("Ask @alice@a.example.", ("alice@a.example",)),
            ("(@Alice@A.Example), @bob@b.example's", ("alice@a.example", "bob@b.example")),
            ("@alice@a.example @alice@a.example", ("alice@a.example",)),
            ("**@alice@a.example** @_@c.example", ("alice@a.example", "_@c.example")),
            ("alice@a.example, @alice, @alice@localhost, x@alice@a.example", ()),
            ("@alice@a.example:8080 @alice@127.0.0.1 @alice@a.example/x @a@b@c.example", ()),
            ("`@alice@a.example`\n```\n@alice@a.example\n```", ()),
            ("https://x.example/@alice@a.example mailto:@alice@a.example", ()),
        ],
    )
    def test_names_to_look_up_are_given_once_in_lower_case(
        self, text: str, names: tuple[str, ...]
    ) -> None:
        assert unresolved(text) == names

    @pytest.mark.parametrize(
        ("text", "rewritten"),
        [
            ("Ask @alice@a.example.", f"Ask nostr:{ALICE_CODE}."),
            ("Ask @Alice@A.example's", f"Ask nostr:{ALICE_CODE}'s"),
            ("@bob@b.example", f"nostr:{NPUB}"),
            ("@carol@c.example", "@carol@c.example"),
            ("`@bob@b.example` @bob@b.example", f"`@bob@b.example` nostr:{NPUB}"),
        ],
    )
    def test_a_name_that_was_found_becomes_a_code_with_its_relays(
        self, text: str, rewritten: str
    ) -> None:
        assert linked(text, PEOPLE) == rewritten

    def test_a_profile_of_a_stranger_that_no_code_can_hold_is_made_to_fit(self) -> None:
        long = "wss://" + "a" * 300
        assert linked("@a@a.example", {"a@a.example": Profile(ALICE, (long,))}) == f"nostr:{NPUB}"
        assert linked("@a@a.example", {"a@a.example": Profile("x")}) == "@a@a.example"


class TestCodes:
    @pytest.mark.parametrize(
        "code",
        [
            NPUB,
            ALICE_CODE,
            encode(Note(NOTE)),
            encode(EventPointer(NOTE, (RELAY,), ALICE, 1)),
            encode(Address(30023, ALICE, "essay")),
        ],
    )
    @pytest.mark.parametrize("written", ["{}", "@{}", "web+nostr:{}", "nostr:{}"])
    @pytest.mark.parametrize("around", ["{}", "({}),", "*{}*", "see {}.", "「{}」"])
    def test_a_code_becomes_a_mention_however_it_is_written(
        self, code: str, written: str, around: str
    ) -> None:
        text = around.format(written.format(code))
        assert linked(text, {}) == around.format(f"nostr:{code}")
        assert broken(text) == ()

    def test_a_code_in_capitals_is_written_small(self) -> None:
        assert linked(NPUB.upper(), {}) == f"nostr:{NPUB}"

    @pytest.mark.parametrize(
        "text",
        [
            f"`{NPUB}`",
            f"``{NPUB}``",
            f"```\n{NPUB}\n```",
            f"> ```\n> {NPUB}\n> ```",
            f"~~~\n{NPUB}",
            f"https://njump.me/{NPUB}",
            f"https://njump.me/?code={NPUB}#{NPUB}",
            f"njump.me/{NPUB}",
            f"[Alice](https://njump.me/{NPUB})",
            f"x{NPUB}",
            f"{NPUB}x",
            f"other:{NPUB}",
            f"nostr:{NPUB}",
            f"nostr:{WRONG}",
            WRONG,
            f"@{WRONG}",
            NPUB[:-1].upper() + NPUB[-1],
            f"{NPUB[:9]}…{NPUB[-4:]}",
            "#[0] note1 note1234567",
        ],
    )
    def test_what_is_code_a_link_or_no_code_stays_as_it_is(self, text: str) -> None:
        assert linked(text, PEOPLE) == text

    def test_codes_that_cannot_be_read_are_told_once_each(self) -> None:
        text = f"{WRONG} @{WRONG} nostr:{WRONG} {NPUB} `{WRONG}0` nostr:npub1x npub1abc note1234567"
        assert broken(text) == (WRONG, f"nostr:{WRONG}", "nostr:npub1x")

    @given(st.lists(st.one_of(texts, st.sampled_from((NPUB, f"@{NPUB}", " ", "@bob@b.example")))))
    def test_rewriting_twice_is_rewriting_once(self, pieces: list[str]) -> None:
        once = linked("".join(pieces), PEOPLE)
        assert linked(once, PEOPLE) == once

    def test_what_was_rewritten_is_tagged(self) -> None:
        text = linked(f"@alice@a.example and {encode(Note(NOTE))}", PEOPLE)
        assert mention_tags(text) == (("p", ALICE, RELAY), ("q", NOTE))


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            SECRET,
            SECRET.upper(),
            f"a\nb {SECRET}x",
            f"`{SECRET}`",
            f"```\n{SECRET}\n```",
            f"https://a.example/{SECRET}",
            f"nostr:{SECRET}",
            SECRET[:-9],
            f"ncryptsec1{SECRET[5:]}",
        ],
    )
    def test_a_secret_key_is_refused_wherever_it_stands_and_not_repeated(self, text: str) -> None:
        for reading in (refuse_secrets, unresolved, broken, lambda given: linked(given, {})):
            with pytest.raises(InvalidText) as caught:
                reading(text)
            assert SECRET[8:20] not in str(caught.value).lower()
            assert caught.value.__cause__ is None

    def test_the_line_of_a_secret_key_is_told(self) -> None:
        with pytest.raises(InvalidText, match=r"^line 3 holds a secret key"):
            refuse_secrets(f"a\r\nb\n{SECRET}")

    def test_a_text_about_secret_keys_is_no_secret(self) -> None:
        text = "A key begins with nsec1 and goes on like nsec1vl029mg…"
        assert linked(text, {}) == text


@pytest.mark.parametrize(
    "piece", ["@", "@a", "@a@", "@a@b.", "npub1", "a.", "a+", "nostr:", "www.", "`a", "a-"]
)
def test_a_hostile_text_is_read_in_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    assert linked(text, {}) == text
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ask @ann@x.example, or @bob@y.example", "ask ann@x.example, or bob@y.example"),
        ("`@ann@x.example` ann@x.example", "`@ann@x.example` ann@x.example"),
        ("https://x.example/@ann@x.example", "https://x.example/@ann@x.example"),
        ("@ann", "@ann"),
    ],
)
def test_names_can_be_left_without_a_sign(text: str, left: str) -> None:
    """So that nobody looks them up."""
    assert unnamed(text) == left
    assert unresolved(left) == ()
