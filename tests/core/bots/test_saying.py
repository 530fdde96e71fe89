"""What a bot may say, whatever was asked of it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nostr_threads.core.article import Form
from nostr_threads.core.bots import saying
from nostr_threads.core.bots.asks import Answer
from nostr_threads.core.bots.never import parse_never
from nostr_threads.core.bots.saying import Says, fit
from nostr_threads.core.content import mention_tags
from nostr_threads.core.entities import Address, EventPointer, Note, Profile, PublicKey
from nostr_threads.core.mentions import linked, unresolved
from nostr_threads.core.nip19 import encode
from nostr_threads.errors import InvalidText

PEOPLE = [f"{number:02x}" * 32 for number in range(1, 9)]
NPUBS = [encode(PublicKey(key)) for key in PEOPLE]
NOTES = [encode(Note(key)) for key in PEOPLE]
SAYS = Says(most_mentions=2, most_quotes=2, most_hashtags=2)


def said(text: str, says: Says = SAYS) -> str:
    return fit(Answer(text), says).text


def tagged(text: str) -> Counter[str]:
    """What is tagged for a text on its way to be published."""
    return Counter(tag[0] for tag in mention_tags(linked(text, {})))


def test_a_harmless_answer_stays_as_it_is() -> None:
    answer = Answer("# Hi\n\nnostr:" + NPUBS[0] + " #nostr `x`\n", Form.ARTICLE, "Hi", "loud")
    assert fit(answer, Says()) == answer
    assert fit(Answer("x"), Says()).content_warning is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("\u200fשם\u200e", "\u200fשם\u200e"),
        ("a\U000e0041\U000e0042b", "ab"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f!", "\U0001f3f4\U000e0067\U000e0062\U000e007f!"),
        ("\U0001f3f4\U000e0067 x", "\U0001f3f4 x"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_what_nobody_should_publish_is_taken_out(text: str, left: str) -> None:
    assert said(text) == left
    assert fit(Answer("x", title=text, content_warning=text), SAYS).title == " ".join(left.split())


def test_what_stands_beside_a_text_is_one_bounded_line() -> None:
    made = fit(Answer("x", title="a\nb", content_warning="c\r\nd" + "e" * 500), SAYS)
    assert made.title == "a b"
    assert made.content_warning is not None
    assert made.content_warning.startswith("c de")
    assert len(made.content_warning) == 200


@pytest.mark.parametrize("text", ["", " \n", "\x00", "\u202e", "\u200b\u2060"])
def test_an_answer_without_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidText, match="no text"):
        said(text)


def test_an_answer_that_is_too_long_is_refused_and_not_cut() -> None:
    assert said("x" * 100, Says(most_characters=100)) == "x" * 100
    with pytest.raises(InvalidText, match=r"101 characters; says\.most_characters is 100$"):
        said("x" * 101, Says(most_characters=100))


@pytest.mark.parametrize(
    "secret",
    [
        "nsec1" + "q" * 58,
        "n\x00sec1" + "q" * 58,
        *(f"nsec1{unseen}" + "q" * 58 for unseen in "\u200b\ufe0f\u3164\U000e0100\u0336"),
    ],
)
@pytest.mark.parametrize("field", ["text", "title", "content_warning"])
def test_a_secret_key_is_refused_and_not_repeated(secret: str, field: str) -> None:
    fields = {"text": "x", field: f"it is {secret}"}
    with pytest.raises(InvalidText) as caught:
        fit(Answer(**fields), SAYS)  # type: ignore[arg-type]  # texts are all it is given
    assert "qqq" not in str(caught.value)


def test_of_people_the_first_stay_tagged() -> None:
    text = " ".join(f"nostr:{each}" for each in (*NPUBS[:2], NPUBS[0], *NPUBS[2:4], NPUBS[1]))
    made = said(text)
    assert made == (
        f"nostr:{NPUBS[0]} nostr:{NPUBS[1]} nostr:{NPUBS[0]} {NPUBS[2][:10]}…{NPUBS[2][-4:]} "
        f"{NPUBS[3][:10]}…{NPUBS[3][-4:]} nostr:{NPUBS[1]}"
    )
    assert tagged(made) == {"p": 2}


def test_codes_that_stand_alone_count_as_well() -> None:
    """They are made into mentions when a text is published."""
    made = said(" ".join((f"@{NPUBS[0]}", NPUBS[1].upper(), NPUBS[2], f"@{NPUBS[3]}")))
    assert tagged(made) == {"p": 2}
    assert made.startswith(f"nostr:{NPUBS[0]} nostr:{NPUBS[1]} npub1")


def test_one_person_by_different_codes_counts_once() -> None:
    codes = [NPUBS[0], encode(Profile(PEOPLE[0], ("wss://a.example/",))), NPUBS[1]]
    text = " ".join(f"nostr:{each}" for each in codes)
    assert said(text) == text


def test_nobody_may_be_tagged_at_all() -> None:
    says = Says(most_mentions=0, most_quotes=0, most_hashtags=0)
    made = said(f"nostr:{NPUBS[0]} nostr:{NOTES[0]} #nostr", says)
    assert tagged(made) == {}


def test_of_events_the_first_stay_quoted() -> None:
    address = encode(Address(30023, PEOPLE[0], "x"))
    codes = (NOTES[0], encode(EventPointer(PEOPLE[1])), NOTES[2], address)
    made = said(" ".join(f"nostr:{each}" for each in codes))
    assert tagged(made) == {"q": 2}
    assert "naddr1" in made


def test_of_hashtags_the_first_stay() -> None:
    assert said("#a #b #a #c #d `#e`") == "#a #b #a c d `#e`"


def test_what_is_shown_in_code_stays() -> None:
    text = "`" + " ".join(f"nostr:{each}" for each in NPUBS) + "`"
    assert said(text) == text


def test_a_name_is_not_looked_up() -> None:
    assert said("ask @ann@evil.example or (@bob@x.example)") == (
        "ask ann@evil.example or (bob@x.example)"
    )


def test_what_is_defused_does_not_become_something_else() -> None:
    text = f"nostr:#{NPUBS[0]} nostr:#{NPUBS[1]} nostr:#{NPUBS[2]} @#x@y.example #a"
    made = said(text, Says(most_mentions=0, most_hashtags=0))
    assert tagged(made) == {}
    assert unresolved(made) == ()


def test_what_hides_deeper_than_is_looked_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saying, "_MOST_ROUNDS", 1)
    with pytest.raises(InvalidText, match="hides mentions"):
        said("#a #b #c")


_PIECES = st.sampled_from(
    [
        *(f"nostr:{code}" for code in (*NPUBS, *NOTES)),
        *NPUBS[:4],
        *("#", "@", "nostr:", "`", "``", "\n\n", "\n    ", "```\n", " ", "/", "https://x.example/"),
        *(
            "#a",
            "#b",
            "#c",
            "#d",
            "@x@y.example",
            "x@y.example",
            "x",
            "1",
            "<!--",
            "-->",
            "[",
            "](",
        ),
        *(")", "\\", "foo://", "<", ">", '"'),
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join), st.integers(0, 2))
def test_however_it_is_put_together_no_more_is_tagged(text: str, most: int) -> None:
    says = Says(most_mentions=most, most_quotes=most, most_hashtags=most)
    try:
        made = said(text, says)
    except InvalidText:
        return
    assert all(count <= most for count in tagged(made).values())
    assert unresolved(made) == ()
    assert said(made, says) == made


@given(st.text())
def test_what_is_said_is_fit_to_be_said_again(text: str) -> None:
    try:
        made = said(text)
    except InvalidText:
        return
    assert said(made) == made


def never(*entries: str) -> Says:
    return Says(never=tuple(map(parse_never, entries)))


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("internal", "this is INTERNAL."),
        ("internal", "in\u200bter\u00adnal"),
        ("internal", "\uff49nternal"),
        ("top secret", "top\n secret"),
        ("internal", "so _internal_"),
        ("internal", "in\ufe0ft\u034fern\u180bal"),
        ("internal", "i\u0336n\u0336t\u0336e\u0336r\u0336n\u0336a\u0336l\u0336"),
        ("geh\u00e4use", "Geh\u00e4u\u0336se"),
        ("hunter2", "xhunter2x"),
        ("hunter2", "hun\u0336ter2"),
        (r"/sk-\w{4,}/", "it is SK-abcd"),
        (r"/sk-\w{4,}/", "it is s\u200bk-abcd"),
        (r"/sk-\w{4,}/", "it is s\u0336k-abcd"),
        (NPUBS[0], f"{NPUBS[0][:9]}\u0336{NPUBS[0][9:]}"),
        (NPUBS[0], f"{PEOPLE[0][:9]}\u0336{PEOPLE[0][9:]}"),
        (NPUBS[0], f"ask nostr:{NPUBS[0]}"),
        (f"nostr:{NPUBS[0]}", NPUBS[0].upper()),
        (NPUBS[0], f"`{PEOPLE[0]}`"),
        (NPUBS[0], encode(Profile(PEOPLE[0], ("wss://a.example/",)))),
        (NPUBS[0], encode(EventPointer(PEOPLE[1], author=PEOPLE[0]))),
        (NPUBS[0], f"https://njump.me/{NPUBS[0]}"),
        (PEOPLE[0], NOTES[0]),
        (NOTES[0], encode(EventPointer(PEOPLE[0]))),
        (encode(Address(30023, PEOPLE[0], "x")), f"30023:{PEOPLE[0]}:x"),
    ],
)
def test_what_it_was_told_never_to_say_it_does_not_say(entry: str, text: str) -> None:
    says = never("nothing of this", entry)
    for answer in (Answer(text), Answer("x", title=text), Answer("x", content_warning=text)):
        with pytest.raises(InvalidText) as caught:
            fit(answer, says)
        assert str(caught.value) == "the answer holds what says.never forbids, number 2 of it"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("internal", "international"),
        (r"/^sk-/", "ask-me"),
        (NPUBS[0], NPUBS[1]),
        (NPUBS[0], encode(Note(PEOPLE[1]))),
        (encode(Address(30023, PEOPLE[0], "x")), encode(Address(30023, PEOPLE[0], "y"))),
        ("/", "a b"),
    ],
)
def test_what_only_looks_like_it_may_be_said(entry: str, text: str) -> None:
    assert said(text, never(entry))


def test_it_is_found_at_the_end_of_a_long_answer() -> None:
    says = Says(never=(parse_never("internal"), parse_never("/secret/")), most_characters=10**6)
    for word in ("internal", "secret"):
        with pytest.raises(InvalidText):
            said("x " * 50_000 + word, says)


def test_a_search_that_takes_too_long_refuses() -> None:
    text = "a" * 3_000 + "b" + "a" * 3_000
    with pytest.raises(InvalidText, match="number 1"):
        said(text, never("/(?:a|aa)+b(?:a|aa)+c/"))
