"""Timings that no ledger outside of tests may have."""

from __future__ import annotations

import copy

from seqino.batch.owners import Timing

__all__ = ["contradicting"]


def contradicting(timing: Timing | None = None, **seconds: float) -> Timing:
    """A timing whose values may contradict each other, as nobody can make one otherwise.

    With ``settle=0`` a look concludes at once: nothing of ours is under way where a test says so.
    """
    odd = copy.copy(timing or Timing(window=20.0))
    for name, value in seconds.items():
        object.__setattr__(odd, name, value)
    return odd
