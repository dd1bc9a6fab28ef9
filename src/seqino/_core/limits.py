"""How many requests may be under way, and how soon one may follow another. Pure: the clock is passed in."""

from __future__ import annotations

import math

import attrs

from seqino._core.outcome import Attempt, FaultKind, Outcome

__all__ = ["AdaptiveLimit", "Pacing"]

_FIRST = 4
"""Requests that may be under way before anything is known of the server."""

_CUT = 0.7
"""What is left of the limit after a signal."""

_BETWEEN_CUTS = 0.1
"""Seconds from one cut to the next at the least."""

_SLOW = 1.5
"""How much longer than at best an answer takes where requests are queueing up."""

_GENERATION = 30.0
"""Seconds that make up half of the window in which the best duration is remembered."""

_ENOUGH = 32
"""Answers that must have come since the last cut before their duration tells anything."""

_WEIGHT = 0.02
"""What a new answer weighs in the smoothed duration, once there are many."""

_SURE = 2.5
"""Standard errors that a mean may be wrong by: durations vary, and chance must not look like load."""

_OVERLOADED = frozenset({429, 503, 504})


@attrs.define
class _Duration:
    """How long the answers to one operation take: smoothed since the last cut, and at best of late."""

    since: float = -math.inf
    answers: int = 0
    mean: float = 0.0
    variance: float = 0.0
    best: float = math.inf
    best_before: float = math.inf
    turned_at: float = -math.inf

    def restart(self, since: float) -> None:
        """Forget the mean: what follows was asked under another limit."""
        self.since, self.answers, self.mean, self.variance = since, 0, 0.0, 0.0

    def add(self, seconds: float, *, now: float) -> None:
        """Take one more answer into account."""
        self._turn(now)
        self.answers += 1
        weight = max(_WEIGHT, 1 / self.answers)
        off = seconds - self.mean
        self.mean += weight * off
        self.variance = (1 - weight) * (self.variance + weight * off * off)
        if self.answers >= _ENOUGH:
            self.best = min(self.best, self.mean + self._uncertainty())

    def _turn(self, now: float) -> None:
        """Forget what is older than the window."""
        age = now - self.turned_at
        if age >= 2 * _GENERATION:
            self.restart(self.since)
            self.best = math.inf
        if age >= _GENERATION:
            self.best_before, self.best, self.turned_at = self.best, math.inf, now

    def _uncertainty(self) -> float:
        return _SURE * math.sqrt(self.variance * max(_WEIGHT, 1 / self.answers))

    @property
    def shows_load(self) -> bool:
        """Whether answers certainly take much longer than they did at best."""
        if self.answers < _ENOUGH:
            return False
        return self.mean - self._uncertainty() > _SLOW * min(self.best, self.best_before)


@attrs.define
class AdaptiveLimit:
    """How many requests may be under way at a time, learned from how they end.

    It doubles with each round of answers until the first signal of load, then grows by one each round. A
    signal cuts it to 0.7 of itself: an answer that says "too much" (429, 503, 504), a timeout, or answers
    that take 1.5 times as long as at best within the last minute (the mean over the lowest mean: a single
    lucky answer is no yardstick). Durations are compared within one operation only, and only where it
    succeeded.

    A request that began before the last cut was sent under another limit, and says nothing of this one.

    Args:
        most: What it never goes above, 1 or more.
    """

    most: int
    _limit: float = attrs.field(init=False)
    _is_doubling: bool = attrs.field(default=True, init=False)
    _cut_at: float = attrs.field(default=-math.inf, init=False)
    _durations: dict[str, _Duration] = attrs.field(factory=dict[str, _Duration], init=False)

    def __attrs_post_init__(self) -> None:
        self._limit = float(min(_FIRST, self.most))

    @property
    def allowed(self) -> int:
        """How many requests may be under way now, 1 or more."""
        return int(self._limit)

    def learn(self, operation: str, attempt: Attempt, *, began: float, now: float, under_way: int) -> None:
        """Take into account how a request ended.

        Args:
            operation: Name of the operation.
            attempt: How it ended.
            began: When it began, in seconds of the clock of ``now``.
            now: The time.
            under_way: How many requests were under way, this one included.
        """
        if attempt.fault is FaultKind.TIMED_OUT or attempt.status in _OVERLOADED:
            self._cut(began=began, now=now)
        elif attempt.outcome is Outcome.DONE and began >= self._cut_at:
            duration = self._durations.setdefault(operation, _Duration())
            if duration.since != self._cut_at:
                duration.restart(self._cut_at)
            duration.add(now - began, now=now)
            if duration.shows_load:
                self._cut(began=began, now=now)
            # A limit that nobody reaches has not shown that it can be borne.
            elif under_way * 2 >= self._limit:
                step = 1.0 if self._is_doubling else 1 / self._limit
                self._limit = min(self._limit + step, self.most)

    def _cut(self, *, began: float, now: float) -> None:
        if began >= self._cut_at and now - self._cut_at >= _BETWEEN_CUTS:
            self._limit = max(self._limit * _CUT, 1.0)
            self._is_doubling, self._cut_at = False, now


_CATCH_UP = 4
"""Requests that may follow at once where timers rang late, so that lateness does not add up."""

_LATEST = 0.05
"""Seconds of lateness that are made good at most."""

_NEGLIGIBLE = 1e-9


@attrs.define
class Pacing:
    """When the next request may begin, so that there are never more than so many a second.

    A token bucket that holds hardly anything, kept as the time at which it is full again: what was not used
    is not saved up, since servers count in short stretches too.

    Args:
        rate: Requests a second, above 0.
    """

    rate: float
    _due: float = attrs.field(default=-math.inf, init=False)

    def wait(self, *, now: float) -> float:
        """Seconds until the next request may begin; 0 where it may begin now."""
        wait = self._due - now
        # What rounding leaves of a pause is none: a timer could not count it down.
        return wait if wait > _NEGLIGIBLE else 0.0

    def take(self, *, now: float) -> None:
        """Note that a request begins."""
        self._due = max(self._due, now - min(_LATEST, _CATCH_UP / self.rate)) + 1 / self.rate

    def give_back(self) -> None:
        """Note that the last one did not begin after all."""
        self._due -= 1 / self.rate
