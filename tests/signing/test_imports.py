from __future__ import annotations

import subprocess
import sys

import nostr_threads.signing as signing

HEAVY = ("pynostr", "cryptography", "requests", "tornado")


def test_importing_the_ring_loads_no_heavy_library() -> None:
    """`--help` must stay fast."""
    program = f"""
import sys
import nostr_threads.signing
import nostr_threads.signing.source
print([name for name in {HEAVY} if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_exported_name_exists_once_and_in_order() -> None:
    assert sorted(set(signing.__all__)) == sorted(signing.__all__)
    assert all(hasattr(signing, name) for name in signing.__all__)
