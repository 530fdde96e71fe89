"""Files of lines in blocks: nothing is lost, numbered wrongly, or longer than it may be."""

from __future__ import annotations

import gzip
import io
from random import Random
from typing import TYPE_CHECKING

import pytest

from nostr_threads.app import blocks
from nostr_threads.app.blocks import Source, opened
from nostr_threads.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

FULL, PIECE, LONGEST = 64, 16, 100


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_FULL", FULL)
    monkeypatch.setattr(blocks, "_PIECE", PIECE)
    monkeypatch.setattr(blocks, "LONGEST_LINE", LONGEST)


def source(data: bytes) -> Source:
    return Source("x", io.BufferedReader(io.BytesIO(data)), len(data))


def numbered(source: Source) -> dict[int, bytes | None]:
    """Lines that are not blank by number; None for one that is too long."""
    found: dict[int, bytes | None] = {}
    for block in source.blocks():
        lines = [None] if block.is_too_long else block.lines()
        found.update(enumerate(lines, block.first))
    return {number: line for number, line in found.items() if line != b""}


def expected(data: bytes) -> dict[int, bytes]:
    return {number: line for number, line in enumerate(data.split(b"\n"), 1) if line}


def drawn(seed: int) -> bytes:
    random = Random(seed)
    return b"\n".join(
        b"%d" % number + b"x" * random.choice((0, 1, 5, 30, 90)) for number in range(40)
    ) + (b"\n" if seed % 2 else b"")


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("seed", range(6))
def test_every_line_comes_once_with_its_number(pack: type[bytes], seed: int) -> None:
    data = drawn(seed)
    packed = pack(data)
    read = source(packed)
    assert numbered(read) == expected(data)
    assert (read.torn, read.position) == ("", len(packed))


@pytest.mark.parametrize("data", [b"", b"\n\n\n", b"a", b"a\n\nb"])
def test_blank_lines_and_an_open_end_are_lines_too(data: bytes) -> None:
    assert numbered(source(data)) == expected(data)


@pytest.mark.parametrize("length", [LONGEST + FULL, 10 * LONGEST, 10 * LONGEST + 7])
@pytest.mark.parametrize("end", [b"", b"\n", b"\nafter\n"])
def test_a_line_that_is_too_long_is_passed_over_and_counted(length: int, end: bytes) -> None:
    lines = numbered(source(b"one\ntwo\n" + b"x" * length + end))
    assert lines[3] is None
    assert (lines[1], lines[2]) == (b"one", b"two")
    assert lines.get(4) == (b"after" if b"after" in end else None)


def test_no_block_is_much_longer_than_the_longest_line() -> None:
    data = b"\n".join([b"x" * LONGEST] * 50)
    assert max(len(block.data) for block in source(data).blocks()) <= LONGEST + 2 * FULL


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_the_mark_before_utf_8_is_no_part_of_the_first_line(pack: type[bytes]) -> None:
    assert numbered(source(pack(b"\xef\xbb\xbfa\nb"))) == {1: b"a", 2: b"b"}


def test_gzip_files_in_one_are_read_as_one() -> None:
    assert numbered(source(gzip.compress(b"a\nb") + gzip.compress(b"c\nd\n"))) == {
        1: b"a",
        2: b"bc",
        3: b"d",
    }


def test_what_came_before_gzip_data_ends_too_early_is_kept_and_it_is_said() -> None:
    random = Random(1)
    data = b"\n".join(random.randbytes(30).hex().encode() for _ in range(100))
    packed = gzip.compress(data)
    read = source(packed[: len(packed) // 2])
    lines = numbered(read)
    assert len(lines) > 30
    assert list(lines.values())[:-1] == data.split(b"\n")[: len(lines) - 1]
    assert read.torn == "the gzip data ends in the middle"


def test_a_little_gzip_data_that_stands_for_much_is_unpacked_bit_by_bit() -> None:
    data = b"\n".join([b"x" * 60] * 1_000)
    blocks = [*source(gzip.compress(data)).blocks()]
    assert max(len(block.data) for block in blocks) <= LONGEST + 2 * FULL
    assert b"\n".join(block.data for block in blocks) == data


def test_damaged_gzip_data_ends_there_and_it_is_said() -> None:
    packed = bytearray(gzip.compress(b"\n".join(b"%d" % number for number in range(1_000))))
    packed[-5] ^= 1
    read = source(bytes(packed))
    assert len(numbered(read)) == 1_000
    assert "damaged" in read.torn


def test_a_file_that_cannot_be_opened_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot read"), opened(tmp_path / "nowhere"):
        pass
