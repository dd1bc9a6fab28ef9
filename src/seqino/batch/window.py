"""How old a mark is: a process that was frozen after it must not send late. Pure but for the clocks.

A process can stop at any moment for any time (SIGSTOP, a suspended machine, a swapped-out page) and go on as
if nothing had been. Two clocks watch: one that counts while the machine sleeps, and the wall clock. A wall
clock that went back tells nothing, and what tells nothing is too old.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import attrs

__all__ = ["Clocks", "Stamp"]


def boot_time() -> float:
    """Seconds since the machine was started, its sleep included where the system counts that."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@attrs.frozen(kw_only=True)
class Clocks:
    """Two clocks of this machine.

    Args:
        boot: Seconds on a clock that never goes back, and counts while the machine sleeps where it can.
        wall: Seconds since 1970.
    """

    boot: Callable[[], float] = boot_time
    wall: Callable[[], float] = time.time

    def stamp(self) -> Stamp:
        """Take the time."""
        return Stamp(self.boot(), self.wall())


@attrs.frozen
class Stamp:
    """A moment on both clocks."""

    boot: float
    wall: float

    def age(self, clocks: Clocks) -> float:
        """Seconds since then, the longer of what the clocks say; infinity where the wall clock went back."""
        by_wall = clocks.wall() - self.wall
        return math.inf if by_wall < 0 else max(clocks.boot() - self.boot, by_wall)
