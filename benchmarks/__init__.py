"""How fast nostr-threads is, as ratios that are measured within one run.

    python -m benchmarks [NAME...] [--rounds N]

runs `ingest`, `fetch`, `tree` and `publish`, or those that are named, and prints a table for each.
It wants the dev extra (`pip install -e .[dev]`), a machine with two cores that does nothing else,
and some minutes. A figure in seconds says more about the machine than about the program, so
everything is compared with something that runs in turn with it: each round runs every job once, and
a ratio is that of two neighbours. The event sets are the same each time; they are made once and
kept in the system's folder for temporary files.

Nothing here is a test: a test that fails on a slow day teaches people to run it again.
"""
