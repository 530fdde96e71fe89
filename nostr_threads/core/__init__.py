"""The pure ring: knows Nostr and threads, owns no socket, file, clock or randomness."""
