"""The sandbox's own time: it runs as real time does, faster, or only when it is stepped. Pure."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Clock", "stamp"]


def stamp(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with milliseconds, such as ``2026-09-01T08:00:00.000Z``."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _real_time() -> datetime:
    return datetime.now(UTC)


class Clock:
    """A clock that starts at the real time, runs ``speed`` times as fast, and can be stepped forward.

    Args:
        speed: Seconds of sandbox time in a real second, 0 or more; 0 stands still until it is stepped.
        start: First moment, with a time zone; now by default.
        monotonic: Source of real seconds.

    Raises:
        ValueError: ``speed`` is negative or not finite.
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
        self._since = monotonic()
        self._speed = _checked(speed, "speed")
        self.watchers: list[Callable[[], None]] = []
        """Called whenever the clock was stepped or got another speed."""

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        return self._base + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    def advance(self, seconds: float) -> datetime:
        """Step forward by ``seconds`` (0 or more) and return the new moment.

        Raises:
            ValueError: ``seconds`` is negative, not finite, or beyond the calendar.
        """
        try:
            self._base += timedelta(seconds=_checked(seconds, "advance"))
            now = self.now()
        except OverflowError:
            raise ValueError("advance: the calendar ends before that") from None
        self._tell()
        return now

    def not_before(self, moment: datetime) -> None:
        """Step to a moment, if it is not yet reached."""
        now = self.now()
        if now < moment:
            self._base += moment - now

    def soon(self) -> datetime:
        """Return the moment that it shows a real second from now, or the calendar's last."""
        try:
            return self.now() + timedelta(seconds=self._speed)
        except OverflowError:
            return datetime.max.replace(tzinfo=UTC)

    @property
    def speed(self) -> float:
        """Seconds of sandbox time in a real second."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        speed = _checked(value, "speed")
        self._base, self._since = self.now(), self._monotonic()
        self._speed = speed
        self._tell()

    def _tell(self) -> None:
        for watcher in self.watchers:
            watcher()


def _checked(value: float, name: str) -> float:
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be a finite number, 0 or more; this is {value!r}")
    return value
