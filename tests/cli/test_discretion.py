"""What looks like a key in hex, or like words, is not repeated by what could not use it."""

from __future__ import annotations

import pytest

from nostr_threads.cli.discretion import hidden, refuse_secrets
from nostr_threads.errors import InvalidCode
from tests.app.worlds import ALICE

HEX = ALICE.secret_hex()
WORDS = "leader monkey parrot ring guide accident before fence cannon height naive bean"


@pytest.mark.parametrize(
    ("text", "arguments", "shown"),
    [
        (f"cannot read {HEX}: no", (HEX,), "cannot read [hidden]: no"),
        (f"No such option: --{HEX.upper()}", (f"--{HEX}",), "No such option: --[hidden]"),
        (f"cannot use relay 'wss://{HEX[:40]}…'", (f"wss://{HEX}",), "cannot use relay"),
        (f"cannot read {WORDS}: no", (WORDS,), "cannot read [hidden]: no"),
        (f"extra argument(s) ({WORDS[14:]})", (*WORDS.split(),), "extra argument(s) ([hidden])"),
        ("No such command 'leader'.", (*WORDS.split(),), "No such command '[hidden]'."),
        (f"cannot read {WORDS!r}", (f"  {WORDS}",), "cannot read '[hidden]'"),
        (f"no {WORDS.replace(' ', chr(10))!r}", (WORDS.replace(" ", "\n"),), "no '[hidden]'"),
        (f"no {WORDS.upper()}", (WORDS.upper(),), "no [hidden]"),
        (f"'{WORDS[:20]}…' is not a Nostr code", (WORDS,), "'[hidden]…' is not a Nostr code"),
        (f"'{WORDS[:10]}…' is not a Nostr code", (WORDS,), "'[hidden]…' is not a Nostr code"),
        # One is lost, and somebody wonders why it is no key.
        (f"no {WORDS[7:]}", (WORDS[7:],), "no [hidden]"),
    ],
)
def test_what_was_given_and_may_be_a_secret_is_hidden(
    text: str, arguments: tuple[str, ...], shown: str
) -> None:
    found = hidden(text, ("key", "show", *arguments))
    assert found.startswith(shown)
    assert HEX[:20] not in found.lower()
    assert "mon" not in found.lower()
    assert "par" not in found.lower()


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (f"the bunker signs for {ALICE.pubkey} now", ("publish", "a.md")),
        (f"the bunker signs for {ALICE.pubkey} now", ("publish", HEX)),
        ("this is no number: 12", ("--reason", "this is no number, and nobody knows why: 12")),
        ("cannot read a.md: No such file", ("a.md", "--title", "how to read and write, in a file")),
        ("ring the bean", (WORDS,)),
    ],
)
def test_what_is_no_secret_is_shown(text: str, arguments: tuple[str, ...]) -> None:
    assert hidden(text, arguments) == text


@pytest.mark.parametrize("slashes", ["//", "/", ""])
def test_a_link_with_a_secret_is_refused_however_many_slashes_it_has(slashes: str) -> None:
    link = f"bunker:{slashes}{ALICE.pubkey}?relay=wss://relay.example&secret=x"
    with pytest.raises(InvalidCode, match="this link holds a secret"):
        refuse_secrets(("key", "import", link))
