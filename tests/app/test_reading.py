"""A text before it is published: what is taken out, mended, looked up, told and refused."""

from __future__ import annotations

from typing import NoReturn

import httpx
import pytest

import nostr_threads as nt
from nostr_threads.app import reading
from nostr_threads.app.reading import Reading, check, read
from nostr_threads.core import nip19
from nostr_threads.errors import InvalidText
from tests.app.worlds import ALICE, BOB, opened
from tests.net.web import web

GARBLED = "He said â€œnoâ€\x9d and left."
MENDED = "He said “no” and left."
NPUB = nt.encode(nip19.PublicKey(BOB.pubkey))
SECRET = "nsec1" + "q" * 58


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up, at domains which know BOB and nobody else."""
    names: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        names.append(f"{request.url.params['name']}@{request.url.host}")
        return httpx.Response(200, json={"names": {"bob": BOB.pubkey}})

    monkeypatch.setattr(reading, "public_client", web(answer))
    return names


async def test_a_sound_text_stays_as_it_is_and_nobody_is_asked(asked: list[str]) -> None:
    text = "# A heading\r\n\r\n\tA sentence, and `@code@site.example` in code.\n"
    assert await read(text) == Reading(text)
    assert asked == []


def test_control_characters_are_taken_out_and_told() -> None:
    found = check("one\x00\ntwo\x1b[31m.\n")
    assert found.text == "one\ntwo[31m.\n"
    assert found.warnings == ("removed 2 control characters (U+0000, U+001B) in lines 1 and 2",)


def test_a_text_of_nothing_but_control_characters_is_none() -> None:
    with pytest.raises(InvalidText, match="no text"):
        check("\x00 \n")


def test_text_once_read_in_a_wrong_code_page_is_pointed_out_with_its_line() -> None:
    found = check(f"All is well.\n{GARBLED}")
    assert len([each for each in found.warnings if "wrong code page" in each]) == 1
    assert any("line 2" in each and "--fix-encoding" in each for each in found.warnings)


def test_text_once_read_in_a_wrong_code_page_is_mended_when_that_is_wanted() -> None:
    """Before control characters are taken out: some of them were letters."""
    assert check(GARBLED, fix_encoding=True) == Reading(MENDED)
    assert check(MENDED, fix_encoding=True) == Reading(MENDED)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It works like this. First you take the", "sentence"),
        ("Do this:\n\n- one\n- two\n- ", "list"),
        ("So:\n\n```python\nprint(1", "piece of code"),
    ],
)
def test_an_answer_that_stops_in_the_middle_is_pointed_out_and_refused_when_strict(
    text: str, kind: str
) -> None:
    (warning,) = check(text).warnings
    assert f"in the middle of a {kind}: “… " in warning
    with pytest.raises(InvalidText, match=f"middle of a {kind}"):
        check(text, strict=True)


def test_strict_refuses_garbled_text_unless_it_is_mended() -> None:
    with pytest.raises(InvalidText, match="wrong code page"):
        check(GARBLED, strict=True)
    assert check(GARBLED, strict=True, fix_encoding=True).text == MENDED


def test_strict_takes_a_finished_text_and_one_that_had_control_characters() -> None:
    assert check("It is done.\x00", strict=True).text == "It is done."


@pytest.mark.parametrize("text", [f"My key is {SECRET}", f"It is {SECRET[:9]}\x00{SECRET[9:]} so"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_secret_key_is_refused_and_never_repeated(text: str, *, strict: bool) -> None:
    """Not even as the last words of a text that stops in the middle."""
    with pytest.raises(InvalidText, match="line 1 holds a secret key") as caught:
        check(text, strict=strict)
    assert "qqq" not in str(caught.value)


async def test_a_secret_key_is_refused_before_anybody_is_asked(asked: list[str]) -> None:
    with pytest.raises(InvalidText):
        await read(f"@bob@site.example has {SECRET}.")
    assert asked == []


async def test_names_are_looked_up_and_become_codes(asked: list[str]) -> None:
    """NIP-05, NIP-27."""
    found = await read("Ask @Bob@Site.Example, says @bob@site.example.")
    assert found == Reading(f"Ask nostr:{NPUB}, says nostr:{NPUB}.")
    assert asked == ["bob@site.example"]


async def test_a_name_that_nobody_has_stays_and_is_told(asked: list[str]) -> None:
    found = await read("Ask @eve@site.example and @bob@site.example.")
    assert found.text == f"Ask @eve@site.example and nostr:{NPUB}."
    assert found.warnings == (
        "@eve@site.example stays as it is: site.example knows nobody called 'eve'",
    )
    assert len(asked) == 2


async def test_no_more_than_twenty_names_are_looked_up(asked: list[str]) -> None:
    found = await read(" ".join(f"@bob@s{number}.example" for number in range(25)) + ".")
    assert len(asked) == 20
    assert found.warnings == ("only 20 of 25 names were looked up",)


async def test_codes_become_mentions_and_one_with_a_wrong_letter_is_told() -> None:
    wrong = f"{NPUB[:-1]}{'q' if NPUB[-1] != 'q' else 'p'}"
    found = await read(f"By {NPUB}, not {wrong}.")
    assert found.text == f"By nostr:{NPUB}, not {wrong}."
    (warning,) = found.warnings
    assert warning == f"{wrong[:40]} is no valid code; it stays as it is"


async def test_what_is_published_was_read_first(asked: list[str]) -> None:
    async with opened(":memory:") as nostr:
        nostr.store.keep_relay_document("wss://one.example", "{}", now=2**40)
        made = await nostr.plan(
            "Ask\x00 @bob@site.example.", author=ALICE.pubkey, relays=["wss://one.example"]
        )
    assert made.drafts[0].content == f"Ask nostr:{NPUB}."
    assert ("p", BOB.pubkey) in made.drafts[0].tags
    assert made.warnings[0].startswith("removed 1 control character")
    assert asked == ["bob@site.example"]


@pytest.mark.parametrize("domain", ["admin.internal", "printer.local", "10.0.0.7", "router"])
async def test_a_text_makes_nobody_look_around_at_home(
    monkeypatch: pytest.MonkeyPatch, domain: str
) -> None:
    async def resolve(*_: object, **__: object) -> NoReturn:
        raise AssertionError("it was asked")

    monkeypatch.setattr(reading, "resolve", resolve)
    found = await reading.read(f"Ask @root@{domain}, it knows.")
    assert found.text == f"Ask @root@{domain}, it knows."
