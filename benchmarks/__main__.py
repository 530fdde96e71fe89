"""The command: which benchmarks, how many rounds.

Knows their names. What each compares is told by its own module.
"""

from __future__ import annotations

import argparse

from benchmarks import (
    bots,
    fetch,
    fleet,
    ingest,
    mirror,
    postgres,
    publish,
    reconcile,
    split,
    store,
    tree,
    viewer,
)

BENCHMARKS = {
    "ingest": ingest,
    "fetch": fetch,
    "tree": tree,
    "publish": publish,
    "split": split,
    "reconcile": reconcile,
    "mirror": mirror,
    "postgres": postgres,
    "fleet": fleet,
    "store": store,
    "bots": bots,
    "viewer": viewer,
}


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help="how often each job runs")
    parser.add_argument(
        "--long", action="store_true", help="what takes minutes, too (mirror, store)"
    )
    given = parser.parse_args()
    if unknown := set(given.names).difference(BENCHMARKS):
        parser.error(f"there is no benchmark called {', '.join(sorted(unknown))}")
    for name in given.names or BENCHMARKS:
        module = BENCHMARKS[name]
        print(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}\n")
        module.run(given.rounds or module.ROUNDS)
        if given.long and module in (mirror, store):
            module.run_long(given.rounds or module.ROUNDS)


if __name__ == "__main__":
    main()
