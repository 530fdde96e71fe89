"""The store answered as a NIP-01 relay on a local port."""

from nostr_threads.relayd.limits import Limits
from nostr_threads.relayd.server import RelayServer

__all__ = ["Limits", "RelayServer"]
