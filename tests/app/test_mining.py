"""Proof of work in processes of their own: found, followed, cancelled, and nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pytest

from nostr_threads.app import mining
from nostr_threads.app.mining import Mining, mine, mine_chain
from nostr_threads.core.compose import compose
from nostr_threads.core.event import Draft
from nostr_threads.core.join import Part
from nostr_threads.core.pow import difficulty
from nostr_threads.core.references import references
from nostr_threads.errors import InvalidEvent, InvalidInput
from nostr_threads.testing import START, Author

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator
    from pathlib import Path

SECONDS = 60.0
ALICE = Author(1)
DRAFT = Draft(START, 1, (("t", "nostr"), ("subject", "é \x01 \u2028 \\")), 'a long "answer" 😀')
FEW_BITS, MANY_BITS, ENDLESS_BITS = 10, 17, 256


@pytest.fixture(autouse=True)
async def _bounded() -> AsyncIterator[None]:
    async with asyncio.timeout(SECONDS):
        yield


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """Every worker process that is started during a test."""
    processes: list[Process] = []
    start = mining._start

    async def noted() -> Process:
        processes.append(await start())
        return processes[-1]

    monkeypatch.setattr(mining, "_start", noted)
    return processes


def bits_of(draft: Draft) -> int:
    return difficulty(draft.id_for(ALICE.pubkey))


async def test_little_work_is_done_without_a_process(started: list[Process]) -> None:
    found = await mine(DRAFT, ALICE.pubkey, FEW_BITS)
    assert bits_of(found) >= FEW_BITS
    assert found.tags[-1][2] == str(FEW_BITS)
    assert started == []


async def test_a_long_text_is_much_work_sooner(started: list[Process]) -> None:
    found = await mine(replace(DRAFT, content="x" * 100_000), ALICE.pubkey, FEW_BITS, workers=2)
    assert bits_of(found) >= FEW_BITS
    assert len(started) == 2


async def test_much_work_is_shared_by_processes_of_which_none_is_left(
    started: list[Process],
) -> None:
    found = await mine(DRAFT, ALICE.pubkey, MANY_BITS, workers=2)
    assert bits_of(found) >= MANY_BITS
    assert replace(found, tags=found.tags[:-1]) == DRAFT
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_search_that_is_cancelled_ends_at_once(
    workers: int, started: list[Process]
) -> None:
    told = asyncio.Event()

    def progress(_: Mining) -> None:
        told.set()

    searching = asyncio.create_task(
        mine(DRAFT, ALICE.pubkey, ENDLESS_BITS, workers=workers, progress=progress)
    )
    await told.wait()
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert len(started) == (workers if workers > 1 else 0)
    assert all(process.returncode is not None for process in started)


@pytest.mark.parametrize("workers", [1, 2])
async def test_progress_tells_the_tries_their_average_and_the_seconds(workers: int) -> None:
    seen: list[Mining] = []
    enough = asyncio.Event()

    def progress(now: Mining) -> None:
        seen.append(now)
        if len(seen) == 3:
            enough.set()

    searching = asyncio.create_task(
        mine(DRAFT, ALICE.pubkey, 200, workers=workers, progress=progress)
    )
    await enough.wait()
    searching.cancel()
    await asyncio.gather(searching, return_exceptions=True)
    assert [now.expected for now in seen] == [2**200] * len(seen)
    assert 0 < seen[0].tried < seen[1].tried < seen[2].tried
    assert 0 < seen[0].seconds < seen[1].seconds < seen[2].seconds


async def test_a_worker_whose_asker_is_gone_ends_by_itself() -> None:
    worker = await mining._start()
    assert worker.stdin is not None
    assert worker.stdout is not None
    task = {"draft": asdict(DRAFT), "pubkey": ALICE.pubkey, "bits": 256, "start": 0, "step": 1}
    worker.stdin.write(json.dumps(task).encode())
    worker.stdin.close()
    assert (await worker.stdout.readline()).startswith(b"tried ")
    # What the end of the asking process does to it.
    transport: Any = worker._transport  # type: ignore[attr-defined]
    transport.get_pipe_transport(1).close()
    await worker.wait()


async def test_workers_that_are_killed_are_done_without(
    started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = mining._Job._ask

    async def killed(self: mining._Job, worker: Process, start: int, step: int) -> int | None:
        worker.kill()
        return await ask(self, worker, start, step)

    monkeypatch.setattr(mining._Job, "_ask", killed)
    assert bits_of(await mine(DRAFT, ALICE.pubkey, MANY_BITS, workers=2)) >= MANY_BITS
    assert len(started) == 2


@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
async def test_where_no_process_can_be_started_a_thread_does_it(
    executable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    assert bits_of(await mine(DRAFT, ALICE.pubkey, MANY_BITS, workers=2)) >= MANY_BITS


async def test_a_worker_sees_no_secret_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given: list[dict[str, Any]] = []

    async def refuse(*_: object, **options: Any) -> None:
        given.append(options)
        raise OSError

    monkeypatch.setenv("NOSTR_SECRET_KEY", "a secret")
    monkeypatch.setenv("SOME_TOKEN", "a secret")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", refuse)
    await mine(DRAFT, ALICE.pubkey, MANY_BITS, workers=2)
    assert "PYTHONPATH" in given[0]["env"]
    assert "a secret" not in given[0]["env"].values()


@pytest.mark.parametrize("bits", [FEW_BITS, MANY_BITS])
async def test_what_can_have_no_id_is_refused_before_any_work(
    bits: int, started: list[Process]
) -> None:
    with pytest.raises(InvalidEvent, match="surrogate"):
        await mine(replace(DRAFT, content="\ud800"), ALICE.pubkey, bits, workers=2)
    for impossible in (-1, 257):
        with pytest.raises(InvalidInput):
            await mine(DRAFT, ALICE.pubkey, impossible, workers=2)
    assert started == []


async def test_a_script_without_a_main_guard_mines_once(tmp_path: Path) -> None:
    """Nothing imports the main program again, and nothing in its folder is taken for ours."""
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")
    script = (
        "import asyncio, sys\n"
        "sys.path = [path for path in sys.path if path]\n"
        "from nostr_threads.app.mining import mine\n"
        "from nostr_threads.core.event import Draft\n"
        f"draft = Draft({START}, 1, (), 'an answer')\n"
        f"found = asyncio.run(mine(draft, {ALICE.pubkey!r}, {MANY_BITS}, workers=2))\n"
        f"print(found.id_for({ALICE.pubkey!r}))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-c", script),
        stdout=asyncio.subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    (line,) = out.decode().split()
    assert difficulty(line) >= MANY_BITS


async def test_a_chain_is_mined_part_by_part_and_stays_a_chain() -> None:
    parts = [Part(index, 3, f"part {index}") for index in (1, 2, 3)]
    drafts = compose(parts, author=ALICE.pubkey, created_at=START)
    mined = await mine_chain(drafts, ALICE.pubkey, 8)
    assert [bits_of(draft) >= 8 for draft in mined] == [True] * 3
    first, second, third = (ALICE.sign(draft) for draft in mined)
    said = [references(event) for event in (second, third)]
    assert [refs.parent and refs.parent.id for refs in said] == [first.id, second.id]
    assert [refs.root and refs.root.id for refs in said] == [first.id, first.id]
    assert [draft.content for draft in mined] == [draft.content for draft in drafts]
