"""Usage of the API: windows of limits, periods of figures, and their sums. Pure; all days are UTC."""

from __future__ import annotations

import calendar
from collections import Counter
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from seqino.sandbox.world.tallies import Tally

__all__ = ["WINDOWS", "figures", "period", "summary", "window"]

_LENGTHS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_OPENINGS: dict[str, Callable[[datetime], datetime]] = {
    "minute": lambda now: now.replace(second=0, microsecond=0),
    "hour": lambda now: now.replace(minute=0, second=0, microsecond=0),
    "day": lambda now: now.replace(hour=0, minute=0, second=0, microsecond=0),
    "month": lambda now: now.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
}

WINDOWS = tuple(_OPENINGS)
"""What a limit can be for: a minute, an hour, a day or a month of the calendar."""


def window(per: str, now: datetime) -> tuple[datetime, timedelta]:
    """Return when the minute, hour, day or month began that holds a moment, and what is left of it."""
    since = _OPENINGS[per](now)
    length = _LENGTHS.get(per) or timedelta(days=_days_in_month(now))
    return since, length - (now - since)


def period(name: str, day: date) -> tuple[date, date]:
    """Return the first and the last day of the ``daily`` … ``yearly`` period that holds a day.

    A week begins on a Monday (ISO 8601).
    """
    if name == "daily":
        return day, day
    if name == "weekly":
        first = day.toordinal() - day.weekday()
        return date.fromordinal(first), date.fromordinal(min(first + 6, date.max.toordinal()))
    if name == "monthly":
        return day.replace(day=1), day.replace(day=_days_in_month(day))
    return day.replace(month=1, day=1), day.replace(month=12, day=31)


def _days_in_month(day: date) -> int:
    return calendar.monthrange(day.year, day.month)[1]


@attrs.define
class _Sum:
    calls: int = 0
    successes: int = 0
    seconds: float = 0.0


def figures(tallies: Iterable[Tally], first: date, last: date) -> dict[str, Any]:
    """Return the figures of the days from ``first`` to ``last``, as ``UsageMetrics`` has them."""
    sums: dict[tuple[str, str], _Sum] = {}
    for one in tallies:
        if first <= one.day <= last:
            found = sums.setdefault((one.endpoint, one.method), _Sum())
            found.calls += one.calls
            found.successes += one.successes
            found.seconds += one.seconds
    calls = sum(one.calls for one in sums.values())
    successes = sum(one.successes for one in sums.values())
    return {
        "start_date": first.isoformat(),
        "end_date": last.isoformat(),
        "total_api_calls": calls,
        "total_successful_calls": successes,
        "total_failed_calls": calls - successes,
        "success_rate": round(100 * successes / calls, 2) if calls else 0.0,
        "endpoint_usage": [
            {
                "endpoint": endpoint,
                "method": method,
                "call_count": one.calls,
                "success_count": one.successes,
                "error_count": one.calls - one.successes,
                "avg_response_time_ms": round(1000 * one.seconds / one.calls, 3),
            }
            for (endpoint, method), one in sorted(sums.items())
        ],
    }


def summary(tallies: Iterable[Tally], now: datetime) -> dict[str, Any]:
    """Return the figures of this month beside the one before, as ``UsageSummary`` has them.

    Of endpoints used equally often, and of days, the first counts.
    """
    this = period("monthly", now.date())[0]
    before = (this - timedelta(days=1)).replace(day=1)
    months, endpoints, days = Counter[date](), Counter[str](), Counter[date]()
    for one in sorted(tallies, key=lambda one: (one.day, one.endpoint)):
        month = one.day.replace(day=1)
        months[month] += one.calls
        if month == this:
            endpoints[one.endpoint] += one.calls
            days[one.day] += one.calls
    by_use = sorted(endpoints, key=lambda name: (-endpoints[name], name))
    peak = max(days, key=lambda day: days[day], default=None)
    return {
        "current_month_calls": months[this],
        "previous_month_calls": months[before],
        "month_over_month_change": _change(months[before], months[this]),
        "most_used_endpoint": by_use[0] if by_use else None,
        "least_used_endpoint": by_use[-1] if by_use else None,
        "peak_usage_day": None if peak is None else peak.isoformat(),
        "peak_usage_count": None if peak is None else days[peak],
    }


def _change(before: int, now: int) -> float:
    """Return the change in percent; from nothing to something it is 100."""
    if not before:
        return 100.0 if now else 0.0
    return round(100 * (now - before) / before, 2)
