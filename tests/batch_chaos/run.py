"""Plays rounds on all cores and prints what came of them: ``python -m tests.batch_chaos.run --rounds 100``.

Ends with 1 if any round broke what must hold.
"""

# ruff: noqa: T201 - a command that reports on the terminal

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from tests.batch_chaos.rounds import play
from tests.batch_chaos.stage import Told

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 if everything held, otherwise 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.batch_chaos.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="how many rounds to play")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many at a time")
    given: Any = parser.parse_args(arguments)
    began = time.perf_counter()
    total = Told()
    with ProcessPoolExecutor(given.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for told in pool.map(play, range(given.first, given.first + given.rounds)):
            total.add(told)
    print(
        f"ledger: {given.rounds} rounds, {total.kills} kills, {total.invoices} invoices: "
        f"duplicates {total.duplicates}, lost {total.lost}, false failures {total.false_failures}, "
        f"still in doubt {total.in_doubt}; {time.perf_counter() - began:.1f} s"
    )
    for what in total.found:
        print(f"  {what}", file=sys.stderr)
    return 1 if total.found else 0


if __name__ == "__main__":
    sys.exit(main())
