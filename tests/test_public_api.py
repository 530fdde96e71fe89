"""The names that other programs import, as the JSON-contract section of issue 2 lists them."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import nostr_threads as nt
from nostr_threads.core import nip19
from nostr_threads.errors import InvalidCode, InvalidInput
from nostr_threads.relayd import RelayServer
from nostr_threads.testing import thread
from tests.app.worlds import ALICE, BOB, LONG, NOW
from tests.relayd.peers import stocked

if TYPE_CHECKING:
    from collections.abc import Callable

README = Path(__file__).parent.parent / "README.md"
NOTE = ALICE.note('"quoted" \\ and\nmore 🧵', NOW, (("t", "x"),))
HEAVY = {"msgspec", "websockets", "pynostr", "httpx", "coincurve", "typer", "rich", "sqlite3"}


@pytest.mark.parametrize("name", nt.__all__)
def test_every_public_name_is_there_and_described(name: str) -> None:
    value = getattr(nt, name)
    assert value is getattr(nt, name)
    assert name == "Verified" or inspect.getdoc(value)


def test_the_public_names_are_sorted_and_listed_by_dir() -> None:
    assert nt.__all__ == sorted(set(nt.__all__))
    assert set(nt.__all__) <= set(dir(nt))
    assert set(nt._HOME_OF) == set(nt.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'nostr_threads' has no attribute 'nonsense'"):
        nt.nonsense  # noqa: B018


def test_importing_the_package_loads_none_of_what_it_stands_on() -> None:
    code = "import sys, nostr_threads; dir(nostr_threads); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert HEAVY.isdisjoint(name.partition(".")[0] for name in done.stdout.split())


def parameters(function: Callable[..., Any]) -> list[str]:
    return [
        f"*{name}" if each.kind is each.KEYWORD_ONLY else name
        for name, each in inspect.signature(function).parameters.items()
    ]


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (nt.Event.from_json, ["data"]),
        (nt.verify, ["event"]),
        (nt.references, ["event"]),
        (nt.Thread.build, ["events", "*root", "*now", "*muted", "*keep"]),
        (nt.split, ["text", "limit", "*marker", "*source"]),
        (nt.Limit, ["characters", "bytes", "overhead"]),
        (nt.join, ["parts"]),
        (nt.decode, ["code"]),
        (nt.encode, ["entity"]),
        (nt.open, ["store", "relays", "signer", "*viewer", "*clock", "*random"]),
        (nt.render_tree, ["thread", "setting"]),
        (nt.signer_from_env, []),
    ],
)
def test_the_parameters_are_those_that_others_rely_on(
    function: Callable[..., Any], wanted: list[str]
) -> None:
    assert parameters(function) == wanted


@pytest.mark.parametrize("give", [str, str.encode])
def test_an_event_is_read_from_text_and_bytes_and_written_again(
    give: Callable[[str], str | bytes],
) -> None:
    event = nt.Event.from_json(give(NOTE.to_json()))
    assert event == NOTE
    assert nt.verify(event) == NOTE
    assert nt.Event.from_json(event.to_json()) == event


@pytest.mark.parametrize("data", ["", "{}", "null", b"\xff", NOTE.to_json().replace("[", '["x"')])
def test_what_is_no_event_is_a_value_error_with_a_reason(data: str | bytes) -> None:
    with pytest.raises(nt.InvalidEvent) as caught:
        nt.Event.from_json(data)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, nt.NostrThreadsError)
    assert caught.value.reason
    assert str(caught.value) == f"invalid event: {caught.value.reason}"


def test_an_altered_event_is_not_verified() -> None:
    altered = nt.Event.from_json(NOTE.to_json().replace("more", "less"))
    with pytest.raises(nt.InvalidEvent, match="the id is not the hash"):
        nt.verify(altered)


def test_references_have_pointers_with_every_field() -> None:
    tags = (
        ("e", "ab" * 32, "wss://nos.lol", "root", BOB.pubkey),
        ("e", "cd" * 32, "", "reply"),
        ("q", "ef" * 32),
    )
    refs = nt.references(ALICE.note("x", NOW, tags))
    assert refs.root == nt.Pointer("ab" * 32, None, None, BOB.pubkey, ("wss://nos.lol",))
    assert refs.parent == nt.Pointer(id="cd" * 32)
    assert refs.quotes == (nt.Pointer(id="ef" * 32),)
    assert refs.mentions == ()
    for unused in (refs.parent.address, refs.parent.external, refs.parent.author):
        assert unused is None
    comment = BOB.comment(ALICE.article("d", "text"), "x")
    assert nt.references(comment).root == nt.references(comment).parent
    external = BOB.event(1111, "x", NOW, (("I", "isbn:1"), ("i", "isbn:1"), ("k", "isbn")))
    root = nt.references(external).root
    assert root is not None
    assert (root.id, root.address, root.external) == (None, None, "isbn:1")


def test_a_thread_is_built_from_events_in_any_order() -> None:
    notes = thread(20)
    built = nt.Thread.build(notes)
    assert nt.Thread.build(reversed(notes)).nodes == built.nodes
    assert built.root is not None
    assert (built.root.id, built.found, built.missing) == (notes[0].id, 20, ())
    assert {node.state for node in built.nodes} == {nt.State.PRESENT}
    assert nt.Thread.build([]).root is None


def test_a_text_is_split_and_joined() -> None:
    parts = nt.split(LONG, limit=nt.Limit(characters=400, bytes=500))
    assert all(isinstance(part, nt.Part) for part in parts)
    assert [part.index for part in parts] == list(range(1, len(parts) + 1))
    assert {part.total for part in parts} == {len(parts)}
    assert all(part.characters == len(part.text) <= 400 for part in parts)
    assert all(part.bytes <= 500 for part in parts)
    assert nt.join(parts) == LONG
    with pytest.raises(InvalidInput):
        nt.Limit()


def test_codes_are_decoded_and_encoded() -> None:
    pointer = nip19.EventPointer("ab" * 32, ("wss://nos.lol",), BOB.pubkey, 1)
    assert nt.decode(nt.encode(pointer)) == pointer
    with pytest.raises(InvalidCode):
        nt.decode("nothing")


def readme_example() -> str:
    """The Python example of README.md, which is that of product.md."""
    blocks = README.read_text(encoding="utf-8").split("\n```python\n")[1:]
    examples = [block.partition("\n```")[0] for block in blocks if "nt.open(" in block]
    assert len(examples) == 1
    return examples[0]


async def test_the_example_of_the_readme_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = thread(5)
    async with RelayServer(stocked(notes)) as relay:
        (tmp_path / "relays.toml").write_text(f'[[relay]]\nurl = "{relay.url}"\n', "utf-8")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("NOSTR_SECRET_KEY", ALICE.secret_hex())
        monkeypatch.delenv("NOSTR_THREADS_RELAYS", raising=False)
        code = nt.encode(nip19.EventPointer(notes[-1].id))
        example = readme_example().replace("nevent1…", code)
        body = "".join(f"    {line}\n" for line in example.splitlines())
        made: dict[str, Any] = {"text": LONG * 4}
        exec(f"async def example(text):\n{body}    return found, report\n", made)  # noqa: S102
        found, report = await made["example"](made["text"])
    assert found.thread.events == nt.Thread.build(notes).events
    assert capsys.readouterr().out == nt.render_tree(found.thread) + "\n"
    assert report.complete
    assert len(report.posting.events) > 1
    assert nt.references(report.posting.events[0]).parent == nt.Pointer(
        id=notes[0].id, author=notes[0].pubkey
    )
    assert (tmp_path / "threads.db").is_file()


def test_without_a_key_in_the_environment_there_is_no_signer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("NOSTR_SECRET_KEY", raising=False)
    assert nt.signer_from_env() is None
    monkeypatch.setenv("NOSTR_SECRET_KEY", ALICE.secret_hex())
    signer = nt.signer_from_env()
    assert signer is not None
    assert signer.public_key == ALICE.pubkey
