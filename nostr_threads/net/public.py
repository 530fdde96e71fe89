"""Places that strangers name, reached at public addresses alone.

Knows that a public name may lead into a private network: its owner says where. The address that was
judged is the one that is dialled, so that a second answer to the same question changes nothing.
Whose word a name is, is for the caller to know.
"""

from __future__ import annotations

import asyncio
import socket

from nostr_threads.core.relay_url import is_local
from nostr_threads.errors import InvalidRelayUrl

__all__ = ["public_addresses"]


async def public_addresses(host: str, port: int) -> list[str]:
    """Return the public IP addresses of a host, in the resolver's order.

    Raises `OSError` where it has none.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_, place in found if _is_public(str(place[0]))]
    if not addresses:
        raise OSError("its name leads into a private network")
    return list(dict.fromkeys(addresses))


def _is_public(address: str) -> bool:
    try:
        return not is_local(f"ws://[{address}]" if ":" in address else f"ws://{address}")
    except InvalidRelayUrl:
        return False
