"""Questions at the terminal: Ctrl-C ends them at once, wherever they are asked."""

from __future__ import annotations

import pytest

from nostr_threads.signing import KeyFolder, new_secret
from tests.cli.program import PASSWORD, Home
from tests.cli.terminal import at_terminal

CTRL_C, CTRL_D = b"\x03", b"\x04"
QUESTIONS = (
    (("key", "new", "mine"), "A new password for 'mine':"),
    (("key", "import", "mine"), "(it is not shown):"),
    (("key", "password", "work"), "The old password of 'work':"),
    (("key", "export", "work", "--form", "hex"), "can sign as you [y/N]:"),
    (("key", "remove", "work"), "bring it back [y/N]:"),
    # These ask while a loop runs, which takes the first Ctrl-C for itself.
    (("publish", "a.md"), "Password of the key 'work':"),
    (("key", "bunker", "--relay", "ws://127.0.0.1:9"), "Password of the key 'work':"),
)


@pytest.fixture
def owner(home: Home) -> Home:
    folder = KeyFolder(home.folder / "keys")
    folder.add("work", new_secret(), PASSWORD, log_n=2)
    folder.use("work")
    home.file("a.md", "text")
    home.settle(["ws://127.0.0.1:9"])
    return home


@pytest.mark.parametrize(("line", "question"), QUESTIONS, ids=lambda each: each[-1])
async def test_ctrl_c_at_a_question_ends_it_at_once(
    owner: Home, line: tuple[str, ...], question: str
) -> None:
    async with at_terminal(owner, *line) as terminal:
        await terminal.until(question)
        await terminal.press(CTRL_C)
        code, shown = await terminal.end()
    assert code == 130
    assert "Traceback" not in shown
    assert KeyFolder(owner.folder / "keys").names() == ("work",)


async def test_the_end_of_what_is_typed_is_no_answer(owner: Home) -> None:
    async with at_terminal(owner, "key", "remove", "work") as terminal:
        await terminal.until("bring it back [y/N]:")
        await terminal.press(CTRL_D)
        code, _ = await terminal.end()
    assert code == 1
    assert KeyFolder(owner.folder / "keys").names() == ("work",)


async def test_the_password_of_the_environment_is_asked_for_by_its_name(owner: Home) -> None:
    code = KeyFolder(owner.folder / "keys").ncryptsec("work")
    async with at_terminal(owner, "publish", "a.md", NOSTR_SECRET_KEY=code) as terminal:
        await terminal.until("Password of NOSTR_SECRET_KEY:")
        await terminal.type_unseen("wrong")
        ended, shown = await terminal.end()
    assert (ended, "does not open NOSTR_SECRET_KEY" in shown) == (7, True)
