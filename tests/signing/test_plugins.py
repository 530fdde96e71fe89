"""Signers that other packages bring (entry points): found, and never believed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nostr_threads.core.event import Draft
from nostr_threads.errors import InvalidCode, NoSigner, SigningError
from nostr_threads.signing.plugins import GROUP, PluginSigner, plugin_names
from nostr_threads.testing import START, Author
from tests.signing.leaks import MARKED_HEX, leaks, whole_story

if TYPE_CHECKING:
    from pathlib import Path

ALICE = Author(b"alice")
DRAFT = Draft(int(START), 1, (), "hello")

PACKAGE = """
from dataclasses import replace
from nostr_threads.testing import Author

class Signer:
    def __init__(self, setting):
        if setting == "refuse":
            raise RuntimeError("{marked}")
        self._author = Author(b"alice")
        self._setting = setting
        self.public_key = self._author.pubkey if setting != "malformed" else "nonsense"

    def sign(self, draft):
        if self._setting == "at once":
            return self._author.sign(draft)
        if self._setting == "raise":
            raise RuntimeError("{marked}")
        return self._sign(draft)

    async def _sign(self, draft):
        if self._setting == "nothing":
            return None
        if self._setting == "fail":
            raise RuntimeError("{marked}")
        if self._setting == "change":
            draft = replace(draft, content="changed")
        return self._author.sign(draft)

    async def nip44_encrypt(self, peer, text):
        return f"{{peer}}:{{text}}"

    async def nip44_decrypt(self, peer, payload):
        raise KeyError("{marked}")

    async def close(self):
        self.public_key = "closed"
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package, as pip leaves it."""
    info = tmp_path / "some_signer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-signer\nVersion: 1.0\n")
    lines = f"[{GROUP}]\nsome = some_signer:Signer\nbroken = no_such_module:Signer\n"
    (info / "entry_points.txt").write_text(lines)
    (tmp_path / "some_signer.py").write_text(PACKAGE.format(marked=MARKED_HEX))
    monkeypatch.syspath_prepend(tmp_path)


async def test_a_signer_of_another_package_signs() -> None:
    signer = PluginSigner("some", "anything")
    assert await signer.sign(DRAFT) == ALICE.sign(DRAFT)
    assert await signer.nip44_encrypt("peer", "text") == "peer:text"
    assert repr(signer) == f"PluginSigner(some, {ALICE.pubkey})"
    await signer.close()
    assert signer.public_key == ALICE.pubkey


async def test_one_that_changes_the_draft_is_caught() -> None:
    with pytest.raises(SigningError, match="changed the draft"):
        await PluginSigner("some", "change").sign(DRAFT)
    assert replace(DRAFT, content="changed") != DRAFT


async def test_whatever_it_raises_is_our_error_without_its_words() -> None:
    for name, setting, why in (
        ("some", "refuse", "RuntimeError"),
        ("broken", "", "ModuleNotFoundError"),
    ):
        with pytest.raises(SigningError, match=rf"failed \({why}\)"):
            PluginSigner(name, setting)
    with pytest.raises(InvalidCode, match="64 lowercase hex digits"):
        PluginSigner("some", "malformed")
    for setting in ("at once", "raise", "nothing"):
        with pytest.raises(SigningError, match=r"failed \((Type|Runtime)Error\)"):
            await PluginSigner("some", setting).sign(DRAFT)
    signer = PluginSigner("some", "fail")
    for doing in (signer.sign(DRAFT), signer.nip44_decrypt("peer", "text")):
        with pytest.raises(SigningError, match="failed") as caught:
            await doing
        assert leaks(str(caught.value)) == []
        assert caught.value.__suppress_context__
        assert whole_story(caught.value)


def test_one_that_is_not_installed_is_named_with_those_that_are() -> None:
    assert {"some", "broken"} <= set(plugin_names())
    with pytest.raises(NoSigner, match=r"'other' is installed \(there is: .*some"):
        PluginSigner("other")
