"""Plays many rounds on all cores and prints what came of them: ``python -m tests.chaos.run --rounds 100000``.

Ends with 1 if any round broke what must hold; ``--seed`` plays one again and prints everything in it.
"""

# ruff: noqa: T201 - a command that reports on the terminal

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs

from tests.chaos.cancelling import cancel_at, count_points
from tests.chaos.rounds import HOLLOW, MASKED, Round, play

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Sum", "cancel_everywhere", "main", "play_rounds"]

_CHUNK = 250
_SHOWN = 20


@attrs.define(kw_only=True)
class Sum:
    """What came of some rounds."""

    rounds: int = 0
    verdicts: Counter[str] = attrs.field(factory=Counter[str])
    violations: Counter[str] = attrs.field(factory=Counter[str])
    found: list[str] = attrs.field(factory=list[str])
    """What was wrong, with the seed of each."""

    def add(self, other: Sum) -> None:
        self.rounds += other.rounds
        self.verdicts += other.verdicts
        self.violations += other.violations
        self.found += other.found[: _SHOWN - len(self.found)]

    def blame(self, kind: str, what: str) -> None:
        self.violations[kind] += 1
        self.found.append(what)


def play_rounds(seeds: Iterable[int]) -> Sum:
    """Play the rounds of some seeds."""
    _be_quiet()
    total = Sum()
    for seed in seeds:
        total.rounds += 1
        played = _play(seed)
        if not isinstance(played, Round):
            total.blame("broken promise", f"seed {seed}: {played!r} escaped")
            continue
        total.verdicts += played.verdicts
        for violation, told in played.violations:
            total.blame(violation, f"seed {seed}: {played.work}: {violation}: {told}")
    return total


def _play(seed: int) -> Round | BaseException:
    try:
        return play(seed)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - what escapes is looked for
        return error


def cancel_everywhere(seeds: Iterable[int]) -> Sum:
    """Cancel the runs of some seeds at each of their suspensions."""
    _be_quiet()
    total = Sum()
    for seed in seeds:
        for point in range(1, count_points(seed) + 1):
            told = cancel_at(seed, point)
            total.rounds += told.reached
            for fault in told.faults:
                total.blame("after a cancellation", f"seed {seed}, point {point}: {told.work}: {fault}")
    return total


def _be_quiet() -> None:
    logging.getLogger("seqino").setLevel(logging.CRITICAL)


def _chunks(first: int, count: int, size: int) -> Iterator[range]:
    for start in range(first, first + count, size):
        yield range(start, min(start + size, first + count))


def _spread(work: Callable[[Iterable[int]], Sum], chunks: Iterable[range], *, workers: int) -> Sum:
    total = Sum()
    with multiprocessing.Pool(workers) as pool:
        for part in pool.imap_unordered(work, chunks):
            total.add(part)
    return total


def _show(seed: int) -> int:
    played = play(seed)
    print(f"seed {seed}: {played.work} in {played.traits}")
    for when, *what in played.trace:
        print(f"  {when:12.6f}", *what)
    print(f"  {dict(played.verdicts)}")
    for violation, told in played.violations:
        print(f"  {violation.upper()}: {told}")
    return bool(played.violations)


def _in_doubt(verdicts: Counter[str]) -> int:
    return sum(count for name, count in verdicts.items() if name.endswith("OutcomeUnknown"))


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 if everything held, otherwise 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100_000, help="how many rounds to play")
    parser.add_argument("--cancelled", type=int, help="how many seeds to cancel at each suspension")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--seed", type=int, help="play this one and print all of it")
    given: Any = parser.parse_args(arguments)
    if given.seed is not None:
        return _show(given.seed)
    cancelled = max(given.rounds // 100, 1) if given.cancelled is None else given.cancelled
    return _run(rounds=given.rounds, cancelled=cancelled, first=given.first, workers=given.workers)


def _run(*, rounds: int, cancelled: int, first: int, workers: int) -> int:
    began = time.perf_counter()
    played = _spread(play_rounds, _chunks(first, rounds, _CHUNK), workers=workers)
    wrong = played.violations
    print(
        f"chaos: {played.rounds} rounds, {_in_doubt(played.verdicts)} ends in doubt: "
        f"duplicates {wrong['duplicate']}, silent losses {wrong['silent loss']}, "
        f"false failures {wrong['false failure']}, other promises broken {wrong['broken promise']}; "
        f"{time.perf_counter() - began:.1f} s"
    )
    print(
        f"       beyond what a client can see: {played.verdicts[MASKED]} {MASKED}, "
        f"{played.verdicts[HOLLOW]} {HOLLOW}"
    )
    began = time.perf_counter()
    points = _spread(cancel_everywhere, _chunks(first, cancelled, 25), workers=workers)
    print(
        f"chaos: {points.rounds} cancellations: promises broken {sum(points.violations.values())}; "
        f"{time.perf_counter() - began:.1f} s"
    )
    for what in (*played.found, *points.found):
        print(f"  {what}", file=sys.stderr)
    if played.found:
        print("  python -m tests.chaos.run --seed N  plays one again and prints it", file=sys.stderr)
    return 1 if played.found or points.found else 0


if __name__ == "__main__":
    sys.exit(main())
