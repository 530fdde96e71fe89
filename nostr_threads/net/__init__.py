"""The socket ring: relays over websockets, NIP-11 documents and NIP-05 names."""
