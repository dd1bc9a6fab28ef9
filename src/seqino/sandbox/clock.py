"""The sandbox's own time: it runs as real time does, faster, or only when it is stepped. Pure."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FASTEST", "LAST", "SLOWEST", "Clock", "stamp"]

LAST = datetime(9000, 1, 1, tzinfo=UTC)
"""The last moment that the clock shows: it stands still there, far enough before the calendar ends that
whatever is counted from it (a course, a mandate, a window) still has a date."""

SLOWEST, FASTEST = 1e-6, 1e6
"""The least and the most seconds of sandbox time in a real second, where it does not stand still."""


def stamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with milliseconds, such as ``2026-09-01T08:00:00.000Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _real_time() -> datetime:
    return datetime.now(UTC)


class Clock:
    """A clock that starts at the real time, runs ``speed`` times as fast, and can be stepped forward.

    Args:
        speed: Seconds of sandbox time in a real second, ``SLOWEST`` to ``FASTEST``; 0 stands still until it
            is stepped.
        start: First moment, with a time zone, ``LAST`` at the latest; now by default.
        monotonic: Source of real seconds.

    Raises:
        ValueError: ``speed`` or ``start`` is out of its range.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        start: datetime | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._base = (start or _real_time()).astimezone(UTC)
        if self._base > LAST:
            raise ValueError(f"the clock begins before {stamp(LAST)}; this is {stamp(self._base)}")
        self._since = monotonic()
        self._speed = _checked_speed(speed)
        self.watchers: list[Callable[[], None]] = []
        """Called whenever the clock was stepped or got another speed."""

    def now(self) -> datetime:
        """Return the present moment in UTC; ``LAST`` once that is reached."""
        return self._later((self._monotonic() - self._since) * self._speed)

    def _later(self, seconds: float) -> datetime:
        """Return the moment so many seconds after the base, or the last one."""
        # Compared before it is added: a sum beyond the calendar is an error.
        return LAST if seconds >= self._left(self._base) else self._base + timedelta(seconds=seconds)

    @staticmethod
    def _left(moment: datetime) -> float:
        return (LAST - moment).total_seconds()

    def advance(self, seconds: float) -> datetime:
        """Step forward by ``seconds`` (0 or more) and return the new moment.

        Raises:
            ValueError: ``seconds`` is negative, not finite, or leads beyond ``LAST``; nothing is stepped.
        """
        self.change(advance=seconds)
        return self.now()

    def change(self, *, speed: float | None = None, advance: float = 0.0) -> None:
        """Set another speed, where one is given, and step forward: both, or nothing.

        Args:
            speed: Seconds of sandbox time in a real second; as it was, where ``None``.
            advance: Seconds to step, 0 or more.

        Raises:
            ValueError: One of them is out of its range, or the step leads beyond ``LAST``.
        """
        new_speed = self._speed if speed is None else _checked_speed(speed)
        if not math.isfinite(advance) or advance < 0:
            raise ValueError(f"advance must be a finite number, 0 or more; this is {advance!r}")
        now = self.now()
        if advance > self._left(now):
            raise ValueError(f"advance: the clock ends with {stamp(LAST)}, which is before that")
        self._base, self._since = min(now + timedelta(seconds=advance), LAST), self._monotonic()
        self._speed = new_speed
        for watcher in self.watchers:
            watcher()

    def not_before(self, moment: datetime) -> None:
        """Step to a moment, if it is not yet reached; to ``LAST`` at most."""
        now = self.now()
        if now < moment:
            self._base, self._since = min(moment, LAST), self._monotonic()

    def soon(self) -> datetime:
        """Return the moment that it shows a real second from now."""
        return self._later((self._monotonic() - self._since + 1) * self._speed)

    @property
    def speed(self) -> float:
        """Seconds of sandbox time in a real second."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        self.change(speed=value)


def _checked_speed(value: float) -> float:
    if value != 0 and not SLOWEST <= value <= FASTEST:
        raise ValueError(f"speed must be 0, or a number from {SLOWEST:f} to {FASTEST:.0f}; this is {value!r}")
    return value
