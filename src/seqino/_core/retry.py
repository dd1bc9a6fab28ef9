"""Whether a failed attempt may be followed by another, and when. Pure: clock and chance are passed in."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeAlias

import attrs

from seqino._core.outcome import Attempt, FaultKind, Outcome
from seqino._core.wire import Effect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "HARMLESS",
    "LEAST_TIME",
    "LONGEST_PAUSE",
    "Accept",
    "Decision",
    "Fail",
    "Pace",
    "Retry",
    "RetryBudget",
    "Situation",
    "backoff",
    "decide",
    "lengthen",
    "read_retry_after",
]

LEAST_TIME = 0.5
"""Seconds that must be left to start another attempt."""

LONGEST_PAUSE = 60.0
"""Seconds that a server may ask to wait before the caller is told instead."""

_LONGEST_BACKOFF = 8.0

HARMLESS = frozenset({Effect.SAFE, Effect.IDEMPOTENT, Effect.DISPOSABLE})
"""Effects that may be sent again although the last attempt may have worked; any other may be where it is
proven that nothing was done."""

_PASSING = frozenset({408, 500, 502, 503, 504})
"""Statuses of an unclear outcome that may pass; any other would come again."""

_PASSING_FAULTS = frozenset(
    {FaultKind.UNREACHABLE, FaultKind.TIMED_OUT, FaultKind.DISCONNECTED, FaultKind.BROKEN_ANSWER}
)


@attrs.frozen
class Accept:
    """The call is done."""


@attrs.frozen
class Fail:
    """The call failed; the last attempt says how.

    Args:
        reason: Why it is not tried again, in words for a person; empty where that goes without saying.
    """

    reason: str = ""


@attrs.frozen
class Retry:
    """Try again.

    Args:
        delay: Seconds to wait before.
        cost: What it takes from the retry budget.
    """

    delay: float
    cost: int


Decision: TypeAlias = Accept | Fail | Retry


@attrs.frozen(kw_only=True)
class Situation:
    """Where a call stands after an attempt.

    Args:
        effect: What a second send would do.
        number: How many attempts were made, the last one included.
        max_retries: How many may follow the first.
        remaining: Seconds left for the whole call.
        retry_after: Seconds that the server asked to wait, or ``None``.
        absence_is_success: Whether a 404 means that an earlier attempt did its work, as for a re-sent DELETE.
    """

    effect: Effect
    number: int
    max_retries: int
    remaining: float
    retry_after: float | None = None
    absence_is_success: bool = False


def decide(attempt: Attempt, situation: Situation, *, uniform: Callable[[float, float], float]) -> Decision:
    """Say what follows an attempt.

    Args:
        attempt: How it ended.
        situation: Where the call stands.
        uniform: Source of chance, as ``random.uniform``.
    """
    if attempt.outcome is Outcome.DONE:
        return Accept()
    if attempt.status == 404 and situation.absence_is_success:  # noqa: PLR2004
        return Accept()
    if not _may_help(attempt, situation.effect) or situation.number > situation.max_retries:
        return Fail()
    return _when(attempt, situation, uniform=uniform)


def _may_help(attempt: Attempt, effect: Effect) -> bool:
    """Whether another attempt is allowed by the effect, and could end otherwise."""
    match attempt.outcome:
        case Outcome.NOT_SENT:
            return attempt.transient
        case Outcome.THROTTLED:
            return True
        case Outcome.UNKNOWN if effect in HARMLESS:
            return attempt.status in _PASSING or attempt.fault in _PASSING_FAULTS
        case _:
            return False


def _when(attempt: Attempt, situation: Situation, *, uniform: Callable[[float, float], float]) -> Decision:
    delay = backoff(situation.number, uniform=uniform)
    told = situation.retry_after
    if told is not None:
        if told > LONGEST_PAUSE:
            return Fail(f"the server asked to wait {told:g} s")
        delay = max(delay, lengthen(told, uniform=uniform))
    if delay + LEAST_TIME > situation.remaining:
        return Fail(f"the {max(situation.remaining, 0):.1f} s left of the timeout are too short to try again")
    severe = attempt.fault is FaultKind.TIMED_OUT or (attempt.status or 0) >= 500  # noqa: PLR2004
    return Retry(delay=delay, cost=RetryBudget.SEVERE if severe else RetryBudget.ORDINARY)


def backoff(number: int, *, uniform: Callable[[float, float], float]) -> float:
    """Seconds to wait after the ``number``-th failed attempt: growing, widely spread, never zero."""
    # The exponent is capped too: 2.0 ** 1024 overflows.
    return uniform(0.25, 1.0) * min(_LONGEST_BACKOFF, 2.0 ** min(number - 1, 8))


def lengthen(told: float, *, uniform: Callable[[float, float], float]) -> float:
    """Up to a tenth more than the server told, so that all who wait do not come back at one moment."""
    return told * uniform(1.0, 1.1)


@attrs.define
class RetryBudget:
    """Tokens shared by all calls of a client, so that a dead platform is not buried under retries.

    A retry takes tokens; a success gives them back. When none are left, calls fail at their first failure.
    """

    CAPACITY = 100
    ORDINARY = 5
    SEVERE = 10
    """The cost of a retry after a timeout or a 5xx: what the platform then needs is rest."""
    REWARD = 1
    """What a success without retries gives back."""

    tokens: int = CAPACITY

    def take(self, cost: int) -> bool:
        """Take tokens for one retry, or return False where there are too few."""
        if cost > self.tokens:
            return False
        self.tokens -= cost
        return True

    def give_back(self, amount: int) -> None:
        """Give back what a call took, or the reward of a success that took nothing."""
        self.tokens = min(self.CAPACITY, self.tokens + amount)


@attrs.define
class Pace:
    """When the server wants to be called again at the earliest; shared by all calls of a client."""

    not_before: float = 0.0

    def hold(self, told: float, *, now: float) -> None:
        """Note that the server asked to wait; more than any call would sit out is cut to that."""
        self.not_before = max(self.not_before, now + min(told, LONGEST_PAUSE))

    def wait(self, *, now: float) -> float:
        """Seconds that are left of the pause; 0 or less where there is none."""
        return self.not_before - now


_NUMBER = re.compile(r"\s*(\d{1,20}(?:\.\d{0,20})?)\s*", re.ASCII)


def read_retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Seconds that an answer asks to wait, or ``None`` where it asks nothing that makes sense.

    ``retry-after-ms`` is milliseconds; ``Retry-After`` seconds, whole or not, or a date (RFC 9110 §10.2.3).

    Args:
        headers: The answer's headers, found in any case.
        now: The time in seconds since 1970, for an answer that does not tell its own ``Date``.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("Retry-After")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    until = _date(text)
    if until is None:
        return None
    # Against the server's own clock: ours may be wrong.
    here = _date(headers.get("Date"))
    wait = until - (now if here is None else here)
    return wait if wait > 0 else None


def _number(text: str | None) -> float | None:
    match = _NUMBER.fullmatch(text) if text is not None else None
    return float(match[1]) if match is not None else None


def _date(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
        # The asctime form names no zone, and means UTC (RFC 9110 §5.6.7).
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
