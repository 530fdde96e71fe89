"""Names that lead where a test wants them to."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

__all__ = ["leading_to"]


def leading_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every name under `.example` lead to these IP addresses; return the names asked for."""
    look_up = socket.getaddrinfo
    asked: list[str] = []

    def lead(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        if not name.endswith(".example"):
            return look_up(host, port, *more, **options)
        asked.append(name)
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", lead)
    return asked
