"""No test of a use case talks to another machine: not even one that a hint or a list names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.guarded import refuse_strangers

if TYPE_CHECKING:
    from collections.abc import Iterator

_WATCH: list[list[str]] = []


def _refuse(host: str) -> None:
    if _WATCH:
        _WATCH[-1].append(host)
        raise ConnectionRefusedError(f"{host} is not this machine")


refuse_strangers(_refuse)


@pytest.fixture(autouse=True)
def _dials_no_other_machine() -> Iterator[None]:
    dialled: list[str] = []
    _WATCH.append(dialled)
    yield
    _WATCH.pop()
    assert dialled == []
