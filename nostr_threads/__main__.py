"""`python -m nostr_threads` is `nostr-threads`."""

from nostr_threads.cli import main

main()
