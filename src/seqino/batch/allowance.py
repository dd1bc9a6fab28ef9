"""How fast a run may go, by what the platform tells of its limits. Pure."""

from __future__ import annotations

import math

import attrs

from seqino.models import UsageLimits

__all__ = ["Allowance", "allowance"]

_MARGIN = 0.95
"""Share of a limit that is made use of: others count too, and not from the same moment."""

_PERIODS = (("minute", 60.0), ("hour", 3600.0), ("day", 86400.0), ("month", 30 * 86400.0))
_PACED = 3600.0
"""Seconds up to which a limit is kept to by going slowly; beyond, a run would seem to stand still."""


@attrs.frozen(kw_only=True)
class Allowance:
    """What a run may do.

    Args:
        requests_per_second: How many requests may begin in a second; ``None`` where nothing is known.
        shortages: In words, which limits the run will reach.
        limits: What the platform told; ``None`` where it told nothing, or was not asked.
    """

    requests_per_second: float | None = None
    shortages: tuple[str, ...] = ()
    limits: UsageLimits | None = None


def allowance(limits: UsageLimits, *, requests: int) -> Allowance:
    """Tell how fast a run may go.

    Args:
        limits: What the platform tells; what is ``None``, or no number above 0, is no limit.
        requests: How many requests the run needs.
    """
    rate, shortages = math.inf, list[str]()
    for name, seconds in _PERIODS:
        limit: int | None = getattr(limits, f"rate_limit_per_{name}")
        if limit is None or limit <= 0:
            continue
        used: int = getattr(limits, f"current_{name}_calls") or 0
        left = max(0, limit - used)
        if name == "minute" or (requests > left and seconds <= _PACED):
            rate = min(rate, limit / seconds * _MARGIN)
        if requests > left and name != "minute":
            shortages.append(f"{left} of {limit} requests are left in this {name}, and {requests} are needed")
    return Allowance(
        requests_per_second=None if rate == math.inf else rate, shortages=tuple(shortages), limits=limits
    )
