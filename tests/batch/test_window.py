"""How old a mark is, by two clocks."""

from __future__ import annotations

import math

import pytest

from seqino.batch.window import Clocks, Stamp, boot_time


@pytest.mark.parametrize(
    ("boot", "wall", "age"),
    [
        (11.0, 101.0, 1.0),
        # Frozen, or suspended: either clock may be the one that noticed.
        (15.0, 101.0, 5.0),
        (11.0, 107.0, 7.0),
        # A wall clock that went back tells nothing.
        (11.0, 99.0, math.inf),
    ],
)
def test_the_longer_of_both_is_the_age(boot: float, wall: float, age: float) -> None:
    clocks = Clocks(boot=lambda: boot, wall=lambda: wall)
    assert Stamp(10.0, 100.0).age(clocks) == age


def test_the_clocks_of_this_machine_go_forward() -> None:
    clocks = Clocks()
    stamp = clocks.stamp()
    assert 0 <= stamp.age(clocks) < 60


def test_where_no_clock_counts_sleep_the_monotonic_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("time.CLOCK_BOOTTIME", raising=False)
    monkeypatch.setattr("time.monotonic", lambda: 42.0)
    assert boot_time() == 42.0
