"""Files that only their owner can read, whatever somebody else has put in their place."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

import pytest

from nostr_threads.errors import SigningError
from nostr_threads.signing import private_file

if TYPE_CHECKING:
    from pathlib import Path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_folder_on_the_way_is_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        private_file.prepare_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(old)
    for name in ("a", "a/b", "a/b/c"):
        assert mode(tmp_path / name) == 0o700


def test_a_link_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    private_file.write(tmp_path / "real", "text", replace=False)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    for attempt in (
        lambda: private_file.read(link, 9),
        lambda: private_file.append(link, "more", most=9),
    ):
        with pytest.raises(SigningError, match="link"):
            attempt()
    assert not private_file.create(link, "other")
    # What is replaced is the link, and not what it leads to.
    assert private_file.write(link, "other", replace=True)
    assert (tmp_path / "real").read_text() == "text"
    assert not link.is_symlink()


def test_a_pipe_in_the_place_of_a_file_hangs_nobody(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    with pytest.raises(SigningError, match="is no file"):
        private_file.read(path, 9)
    with pytest.raises(SigningError):
        private_file.append(path, "line", most=9)


def test_what_belongs_to_somebody_else_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    private_file.write(path, "text", replace=False)
    monkeypatch.setattr("os.geteuid", lambda: os.getuid() + 1)
    with pytest.raises(SigningError, match="belongs to somebody else"):
        private_file.read(path, 9)
    with pytest.raises(SigningError, match="belongs to somebody else"):
        private_file.refuse_shared_folder(tmp_path)


def test_what_a_killed_process_has_left_goes_with_the_next_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    old, new = tmp_path / ".file.dead.tmp", tmp_path / ".file.alive.tmp"
    old.write_text("a secret")
    new.write_text("of one that is writing now")
    os.utime(old, (1, 1))
    private_file.write(path, "text", replace=False)
    assert names(tmp_path) == [new.name, path.name]
    private_file.remove(path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("replace", [True, False])
def test_where_there_are_no_links_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", no_links)
    path = tmp_path / "file"
    assert private_file.write(path, "text", replace=replace)
    assert private_file.read(path, 9) == "text"
    assert private_file.write(path, "other", replace=replace) is replace
    assert names(tmp_path) == [path.name]


def test_what_is_written_at_once_lies_under_no_other_name(tmp_path: Path) -> None:
    path = tmp_path / "bare"
    assert private_file.create(path, "a secret\n")
    assert (path.read_text(), mode(path), names(tmp_path)) == ("a secret\n", 0o600, ["bare"])
    assert not private_file.create(path, "another")
    assert path.read_text() == "a secret\n"


def test_a_log_has_an_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for number in range(100):
        private_file.append(path, f"line {number}", most=100)
    kept = [*(tmp_path / "log.old").read_text().splitlines(), *path.read_text().splitlines()]
    assert kept == [f"line {number}" for number in range(100)][-len(kept) :]
    assert 10 <= len(kept) <= 30
    assert mode(path) == mode(tmp_path / "log.old") == 0o600


def test_a_stamp_changes_whenever_a_file_does(tmp_path: Path) -> None:
    path = tmp_path / "file"
    seen = [private_file.stamp(path)]
    for text in ("one", "two", "two"):
        private_file.write(path, text, replace=True)
        seen.append(private_file.stamp(path))
    assert seen[0] is None
    assert len(set(seen)) == 4


def test_one_at_a_time_holds_a_lock(tmp_path: Path) -> None:
    first, second = (private_file.Lock(tmp_path / "lock") for _ in range(2))
    with first:
        assert first.acquire()
        assert not second.acquire()
    with second:
        assert second.acquire()
    assert mode(tmp_path / "lock") == 0o600


def test_where_the_system_has_no_locks_whoever_asks_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_file, "_POSIX", False)
    with private_file.Lock(tmp_path / "lock") as lock:
        assert lock.acquire()
