"""A text as tokens (NIP-27, 21, 08, 30), and the `p` and `q` tags of what it mentions (NIP-18)."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core import content
from nostr_threads.core.content import (
    Emoji,
    Hashtag,
    Hint,
    Link,
    Person,
    Plain,
    Quote,
    Token,
    asked_tags,
    mention_tags,
    quotes,
    tokens,
)
from nostr_threads.core.nip19 import Address, EventPointer, Note, Profile, PublicKey, encode
from nostr_threads.core.references import Pointer
from tests.core.invented import hex_of
from tests.core.strategies import event, hexes, load, texts

if TYPE_CHECKING:
    import re

    from nostr_threads.core.event import Tags

ALICE, NOTE = hex_of("alice"), hex_of("note")
RELAY, OTHER = "wss://one.example", "wss://two.example"
NPUB = encode(PublicKey(ALICE))


@pytest.mark.parametrize(
    ("entity", "tag"),
    [
        (PublicKey(ALICE), ("p", ALICE)),
        (Profile(ALICE), ("p", ALICE)),
        (Profile(ALICE, (RELAY, OTHER)), ("p", ALICE, RELAY)),
        (Note(NOTE), ("q", NOTE)),
        (EventPointer(NOTE), ("q", NOTE)),
        (EventPointer(NOTE, (RELAY,)), ("q", NOTE, RELAY)),
        (EventPointer(NOTE, (RELAY,), ALICE), ("q", NOTE, RELAY, ALICE)),
        (EventPointer(NOTE, (), ALICE), ("q", NOTE, "", ALICE)),
        (Address(30023, ALICE, "x"), ("q", f"30023:{ALICE}:x")),
        (Address(30023, ALICE, "x", (RELAY,)), ("q", f"30023:{ALICE}:x", RELAY)),
    ],
)
def test_each_code_becomes_its_tag(
    entity: PublicKey | Profile | Note | EventPointer | Address, tag: tuple[str, ...]
) -> None:
    assert mention_tags(f"see nostr:{encode(entity)}, please") == (tag,)


@given(texts)
def test_any_text_can_be_read(text: str) -> None:
    assert all(tag[0] in "pqt" for tag in mention_tags(text))


@given(st.lists(hexes(32), max_size=5), texts)
def test_tags_stand_once_each_in_the_order_of_the_text(keys: list[str], between: str) -> None:
    between = between.translate({ord("`"): None, ord("~"): None})  # no code: it mentions nobody
    text = f" {between} ".join(f"nostr:{encode(PublicKey(key))} ." for key in keys)
    found = [tag[1] for tag in mention_tags(text) if tag[1] in keys]
    assert found == list(dict.fromkeys(keys))


def test_a_person_named_twice_is_tagged_as_first_named() -> None:
    profile = encode(Profile(ALICE, (RELAY,)))
    assert mention_tags(f"nostr:{profile} nostr:{NPUB}") == (("p", ALICE, RELAY),)


@pytest.mark.parametrize("around", ["({})", "{}.", "{}'s", "*{}*", "\n{}\n", "«{}»", "{}!"])
def test_punctuation_around_a_code_is_no_part_of_it(around: str) -> None:
    assert mention_tags(around.format(f"nostr:{NPUB}")) == (("p", ALICE),)


@pytest.mark.parametrize(
    "text",
    [
        NPUB,
        f"@{NPUB}",
        f"xnostr:{NPUB}",
        f"nostr:{NPUB[:-1]}",
        f"nostr:{NPUB}q",
        f"nostr:{NPUB.upper()}",
        "nostr:nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5",
        "nostr:",
    ],
)
def test_what_is_no_nostr_link_of_a_person_or_event_is_no_mention(text: str) -> None:
    assert mention_tags(text) == ()


@pytest.mark.parametrize(
    "code", ["`{}`", "``{}``", "```\n{}\n```", "~~~\n{}", "https://a.example/{}"]
)
def test_code_and_links_ask_for_no_tags(code: str) -> None:
    assert mention_tags(code.format(f"nostr:{NPUB}")) == ()
    assert mention_tags(code.format("#tag")) == ()


def test_hashtags_become_t_tags_in_lower_case_once_each() -> None:
    """NIP-24."""
    text = f"#Nostr nostr:{NPUB} (#nostr), #日本語。 #a-b # Heading\n#1 a#b"
    assert mention_tags(text) == (("t", "nostr"), ("p", ALICE), ("t", "日本語"), ("t", "a-b"))


@pytest.mark.parametrize(
    "text",
    [
        "- [Install](#install)\n- [Usage](#usage)",
        '[a](page.md?x=-#part) [b](<#a b>) [c](#d(e)#f) [g](x "see #h")',
        '<a href="#install">',
        "\\#no",
        "#fff #FFF #ff0000 #3fa #12ab #aabbcc80 #1e1",
        "<!-- #hid `x` #hid\n\n#hid -->",
        "Text.\n\n    # indented #notatag\n    echo #foo\n",
        "```text\n     ```python\n     #a\n     ```\n```",
    ],
)
def test_targets_escapes_colours_comments_and_code_name_no_hashtags(text: str) -> None:
    assert mention_tags(text) == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("#cafe", "cafe"),
        ("#b00k", "b00k"),
        ("#a1b2c", "a1b2c"),
        ("\\\\#yes", "yes"),
        ("<!-- a --> #yes", "yes"),
        ("<!-- #yes", "yes"),
        ("`<!--` #yes `-->`", "yes"),
        ("[#yes](https://a.example/#no)", "yes"),
        ("[a](b)#yes", "yes"),
        ("```text\n     ```\n```\n#yes", "yes"),
    ],
)
def test_a_hashtag_beside_them_is_one(text: str, name: str) -> None:
    assert mention_tags(text) == (("t", name),)


def test_a_person_who_is_the_target_of_a_link_is_mentioned() -> None:
    assert mention_tags(f"[Alice](nostr:{NPUB})") == (("p", ALICE),)


@pytest.mark.parametrize("piece", ["<!--", "](", '](a "', "](a(", "\\#", "](<a", "#", "<!-- -->"])
def test_the_tags_of_a_hostile_text_are_found_in_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    start = time.process_time()
    mention_tags(text)
    assert time.process_time() - start < 3


def test_no_text_asks_for_more_tags_than_relays_take() -> None:
    people = " ".join(f"nostr:{encode(PublicKey(hex_of(str(n))))}" for n in range(120))
    hashtags = " ".join(f"#tag{n}" for n in range(50))
    names = [tag[0] for tag in mention_tags(f"{people} {hashtags} nostr:{encode(Note(NOTE))}")]
    assert (names.count("p"), names.count("t"), names.count("q")) == (100, 30, 1)


@pytest.mark.parametrize(
    ("entity", "tag"),
    [
        (PublicKey(ALICE), ("p", ALICE, OTHER)),
        (Profile(ALICE, (RELAY,)), ("p", ALICE, RELAY)),
        (Note(NOTE), ("q", NOTE, OTHER, ALICE)),
        (EventPointer(NOTE, (RELAY,)), ("q", NOTE, RELAY, ALICE)),
        (EventPointer(NOTE, (), "b" * 64), ("q", NOTE, OTHER, "b" * 64)),
        (Address(30023, ALICE, "x"), ("q", f"30023:{ALICE}:x", OTHER)),
    ],
)
def test_hints_fill_what_a_code_leaves_open(
    entity: PublicKey | Profile | Note | EventPointer | Address, tag: tuple[str, ...]
) -> None:
    """NIP-18: the author stands in the tag of an event that has an id."""
    hint = Hint(OTHER, ALICE)
    hints = {ALICE: hint, NOTE: hint, f"30023:{ALICE}:x": hint}
    assert mention_tags(f"nostr:{encode(entity)}", hints=hints) == (tag,)


CASES = load("content/nip27.cases.json")["cases"]
ADDRESS = f"30023:{ALICE}:essay"
SECRET = "nsec1vl029mgpspedva04g90vltkh6fvh240zqtv9k0t9af8935ke9laqsnlfe5"


def read(text: str, *tags: tuple[str, ...]) -> tuple[Token, ...]:
    return tokens(event(1, tags, content=text))


def meant(text: str, *tags: tuple[str, ...]) -> list[Token]:
    """The tokens that are more than plain text."""
    return [token for token in read(text, *tags) if not isinstance(token, Plain)]


def as_block(token: Token) -> tuple[str, str]:
    """What a token says, in a form that a block of the vectors has too."""
    match token:
        case Plain(text):
            return "text", text
        case Link(_, url):
            return "link", url.rstrip("/")
        case Hashtag(_, name):
            return "hashtag", name
        case Emoji(_, shortcode, url):
            return "emoji", f"{shortcode} {url}"
        case Person(_, pubkey, relays):
            return "reference", f"{pubkey} {list(relays)}"
        case Quote(_, pointer):
            return "reference", f"{pointer.key} {list(pointer.relays)}"


def as_token(block: dict[str, Any]) -> tuple[str, str]:
    match block["type"]:
        case "text":
            return "text", block["text"]
        case "hashtag":
            return "hashtag", block["value"].lower()
        case "emoji":
            return "emoji", f"{block['shortcode']} {block['url']}"
        case "reference":
            pointer = block["pointer"]
            key = pointer.get("pubkey") or pointer["id"]
            return "reference", f"{key} {pointer.get('relays', [])}"
    return "link", block["url"].rstrip("/")


class TestTokens:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"][:40])
    def test_a_text_is_read_as_another_implementation_reads_it(self, case: dict[str, Any]) -> None:
        tags: Tags = tuple(tuple(tag) for tag in case["tags"])
        found = [as_block(token) for token in read(case["content"], *tags)]
        assert found == [as_token(block) for block in case["blocks"]]

    @given(
        st.lists(
            st.one_of(
                texts,
                st.sampled_from(
                    (
                        f"nostr:{NPUB}",
                        f"nostr:{SECRET}",
                        "#[0]",
                        "#[1]",
                        "#tag",
                        "https://a.example/x_(y)",
                        ":star:",
                        *"()[]:#/.",
                    )
                ),
            ),
            max_size=8,
        ).map("".join)
    )
    def test_the_texts_of_the_tokens_are_the_content(self, text: str) -> None:
        found = read(text, ("p", ALICE), ("e", NOTE), ("emoji", "star", "https://a.example/s.png"))
        assert "".join(token.text for token in found) == text
        assert all(token.text for token in found)
        sides = [isinstance(token, Plain) for token in found]
        assert (True, True) not in set(pairwise(sides))

    def test_an_empty_text_has_no_tokens(self) -> None:
        assert read("") == ()

    @pytest.mark.parametrize(
        ("entity", "token"),
        [
            (PublicKey(ALICE), ("", ALICE, ())),
            (Profile(ALICE, (RELAY,)), ("", ALICE, (RELAY,))),
            (Note(NOTE), Pointer(NOTE)),
            (EventPointer(NOTE, (RELAY,), ALICE), Pointer(NOTE, author=ALICE, relays=(RELAY,))),
            (
                Address(30023, ALICE, "essay", (RELAY,)),
                Pointer(address=ADDRESS, author=ALICE, relays=(RELAY,)),
            ),
        ],
    )
    def test_a_code_is_a_person_or_a_quote(
        self,
        entity: PublicKey | Profile | Note | EventPointer | Address,
        token: Pointer | tuple[str, str, tuple[str, ...]],
    ) -> None:
        text = f"nostr:{encode(entity)}"
        wanted = Quote(text, token) if isinstance(token, Pointer) else Person(text, *token[1:])
        assert read(f"({text}).") == (Plain("("), wanted, Plain(")."))

    @pytest.mark.parametrize(
        "text",
        [
            f"nostr:{SECRET}",
            SECRET,
            f"nostr:{NPUB[:-1]}",
            f"xnostr:{NPUB}",
            NPUB,
            "nostr:",
        ],
    )
    def test_what_is_no_link_to_a_person_or_event_stays_plain(self, text: str) -> None:
        """NIP-21 forbids nsec."""
        assert read(text) == (Plain(text),)

    def test_a_number_cites_the_tag_of_that_place_from_zero(self) -> None:
        """NIP-08."""
        tags = ("p", ALICE, RELAY), ("e", NOTE, RELAY), ("a", ADDRESS), ("p", ALICE, "nonsense")
        assert meant("#[0] #[1] #[2] #[3]", *tags) == [
            Person("#[0]", ALICE, (RELAY,)),
            Quote("#[1]", Pointer(NOTE, relays=(RELAY,))),
            Quote("#[2]", Pointer(address=ADDRESS, author=ALICE)),
            Person("#[3]", ALICE),
        ]

    @pytest.mark.parametrize("number", ["0", "1", "2", "3", "4", "00", "-1", "99999999", "٣", ""])
    def test_a_number_of_no_person_or_event_stays_plain(self, number: str) -> None:
        text = f"#[{number}]"
        assert read(text, ("t", "x"), ("p", "broken"), ("e",), ()) == (Plain(text),)

    @pytest.mark.parametrize(
        ("text", "urls"),
        [
            ("see https://a.example.", ["https://a.example"]),
            ("(https://a.example/x_(y)), and", ["https://a.example/x_(y)"]),
            ("(https://a.example/x)", ["https://a.example/x"]),
            ("[https://a.example](https://b.example)", ["https://a.example", "https://b.example"]),
            ("https://a.example/?q[]=1&r={x}!", ["https://a.example/?q[]=1&r={x}"]),
            ("<https://a.example/>", ["https://a.example/"]),
            ("HTTPS://A.example wss://b.example:80", ["HTTPS://A.example", "wss://b.example:80"]),
            (":wss://a.example", ["wss://a.example"]),
            ("「https://a.example/é」", ["https://a.example/é"]),
            ("https://a.example/x\u202egnp", ["https://a.example/x"]),
            ("https://localhost http://a/ http://.a http://a..b http://", []),
            ("https://a.example@evil.example/", []),
            ("xhttps://a.example ftp://a.example javascript:alert(1)", []),
            ("https://a.example/" + "x" * 5000, []),
        ],
    )
    def test_a_link_ends_where_its_sentence_goes_on(self, text: str, urls: list[str]) -> None:
        assert [token.url for token in meant(text) if isinstance(token, Link)] == urls

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("#Nostr, #a-b- #日本語。#🔥", ["nostr", "a-b", "日本語", "🔥"]),
            ("#हिन्दी", ["हिन्दी"]),
            ("a#b ##c &#39; /#d # #- #!", []),
        ],
    )
    def test_a_hashtag_is_a_word_of_any_script(self, text: str, names: list[str]) -> None:
        assert [token.name for token in meant(text) if isinstance(token, Hashtag)] == names

    @pytest.mark.parametrize(
        "tag",
        [
            ("emoji", "star"),
            ("emoji", "star", ""),
            ("emoji", "star", "javascript:alert(1)"),
            ("emoji", "star", "wss://a.example"),
            ("emoji", "star", "https://a.example/ x"),
            ("emoji", "other", "https://a.example"),
            ("star", "star", "https://a.example"),
        ],
    )
    def test_an_emoji_needs_a_tag_with_the_address_of_an_image(self, tag: tuple[str, ...]) -> None:
        """NIP-30."""
        assert read(":star:", tag) == (Plain(":star:"),)

    def test_an_emoji_may_stand_after_any_colon(self) -> None:
        image = "https://a.example/s.png"
        wanted = [Emoji(":star:", "star", image)]
        assert meant("10:30:star:", ("emoji", "star", image), ("emoji", "star", "x")) == wanted


# What a reader must look at more than once costs more than its length: nothing may look further
# than the longest token from where it stands.
@pytest.mark.parametrize(
    "piece",
    [
        "nostr:",
        "nostr:npub1",
        f"nostr:{NPUB[:-1]}",
        "#[",
        "#[0]",
        "#",
        "#a",
        ":",
        ":a",
        "(",
        "[](",
        "http://",
        "http://a.b(",
        "http://a.b]",
        "http://a.b...",
        "https://x",
        "https://a.b/#",
    ],
)
def test_a_hostile_text_is_read_in_as_many_steps_as_it_has_tokens(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader goes on after what it has read, never back: each step begins behind the last."""
    text = piece * (200_000 // len(piece))
    steps: list[tuple[int, int]] = []

    class Counted:
        def search(self, text: str, at: int) -> re.Match[str] | None:
            match = pattern.search(text, at)
            steps.append((at, match.end() if match else len(text)))
            return match

    pattern = content._TOKEN
    monkeypatch.setattr(content, "_TOKEN", Counted())
    assert "".join(token.text for token in read(text, ("p", ALICE))) == text
    # All that was looked at, overlaps counted: the shortcode's 64 characters are looked at twice.
    assert sum(end - start for start, end in steps) <= 70 * len(text)
    assert len(steps) <= len(text) + 1


def test_quotes_are_the_q_tags_and_what_only_the_text_cites() -> None:
    """NIP-27: the `q` tag is optional."""
    code = encode(EventPointer(NOTE, (RELAY,)))
    address = encode(Address(30023, ALICE, "essay"))
    both = event(1, (("q", NOTE, OTHER),), content=f"nostr:{code} nostr:{address} nostr:{address}")
    assert quotes(both) == (
        Pointer(NOTE, relays=(OTHER,)),
        Pointer(address=ADDRESS, author=ALICE),
    )
    assert quotes(event(1, (("e", NOTE),), content=f"nostr:{NPUB}")) == ()


def test_each_place_that_asks_for_a_tag_is_told() -> None:
    text = f"#a nostr:{NPUB}, `#b` #A #fff"
    found = [(text[start:end], tag) for start, end, tag in asked_tags(text)]
    assert found == [("#a", ("t", "a")), (f"nostr:{NPUB}", ("p", ALICE)), ("#A", ("t", "a"))]
