"""How long something is waited for: when to look, how long a look may take, and when to give up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from seqino.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    InvalidInput,
    RateLimited,
    ServerError,
    UnexpectedAnswer,
)
from seqino.options import CallOptions, check_timeout
from seqino.statuses import Backoff

if TYPE_CHECKING:
    from seqino._core.runtime import Runtime
    from seqino._core.wire import PagingCaller

__all__ = ["PASSING", "Patience", "check_backoff", "check_duration"]

PASSING = (ConnectionFailed, DeadlineExceeded, RateLimited, ServerError, UnexpectedAnswer)
"""How a look fails that may be followed by one that does not."""

_LAST_LOOK = 1.0
"""Seconds that are kept for the last look."""


def check_backoff(backoff: object, *, default: Backoff) -> Backoff:
    """Return how pauses grow, or refuse what does not say it.

    Args:
        backoff: What was given; ``None`` for the default.
        default: What is used where nothing was given.

    Raises:
        InvalidInput: It is no ``Backoff``.
    """
    if backoff is None:
        return default
    if not isinstance(backoff, Backoff):
        raise InvalidInput(
            "backoff must be a statuses.Backoff, such as Backoff(first=timedelta(seconds=5)), not "
            f"{backoff!r}"
        )
    return backoff


def check_duration(name: str, value: object) -> timedelta:
    """Return a length of time, or refuse what is none.

    Args:
        name: Name of the argument, for the message.
        value: What was given.

    Raises:
        InvalidInput: It is no ``timedelta``, or a negative one.
    """
    if not isinstance(value, timedelta):
        raise InvalidInput(f"{name} must be a timedelta, such as timedelta(days=30), not {value!r}")
    if value < timedelta(0):
        raise InvalidInput(f"{name} must not be negative, and is {value}")
    return value


class Patience:
    """The time that waiting has. All of it, the last look too, is over when the time is.

    Args:
        runtime: Clock and pauses.
        client: Whose calls are the looks.
        timeout: Seconds; ``math.inf`` for ever.
        backoff: How the pauses grow.
        options: What each look does otherwise than the client.

    Raises:
        InvalidInput: The timeout is none.
    """

    def __init__(
        self,
        runtime: Runtime,
        client: PagingCaller,
        *,
        timeout: float,
        backoff: Backoff,
        options: CallOptions | None,
    ) -> None:
        seconds = check_timeout("timeout", timeout)
        self._runtime = runtime
        self._backoff = backoff
        self._options = options or CallOptions()
        self._longest = client.timeout if self._options.timeout is None else self._options.timeout
        self._kept = min(_LAST_LOOK, seconds / 4)
        self._deadline = runtime.monotonic() + seconds
        # The first pause is the shortest, whatever the first look shows.
        self._quiet = -1

    @property
    def options(self) -> CallOptions:
        """What the next look does otherwise than the client: it has no more time than there is."""
        left = max(self._deadline - self._runtime.monotonic(), self._kept)
        return attrs.evolve(self._options, timeout=min(self._longest, left))

    @property
    def is_over(self) -> bool:
        """Whether the look that has ended was the last one."""
        return self._runtime.monotonic() >= self._deadline - self._kept

    async def pause(self, *, news: bool, told: float = 0.0) -> None:
        """Wait before the next look.

        Args:
            news: Whether the look before showed anything new, so that the pauses begin anew.
            told: Seconds that the platform wants to be left alone.
        """
        self._quiet = 0 if news else self._quiet + 1
        pause = max(self._backoff.pause(self._quiet).total_seconds(), told)
        left = self._deadline - self._kept - self._runtime.monotonic()
        await self._runtime.sleep(min(pause, max(0.0, left)))
