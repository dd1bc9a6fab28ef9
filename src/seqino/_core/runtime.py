"""Clock, sleep, timers and chance in one place, so that tests can turn them by hand."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs

__all__ = ["AttemptTimer", "Runtime", "TimerHandle"]


class TimerHandle(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None:
        """Call it off."""
        ...


def _call_later(delay: float, callback: Callable[[], None]) -> TimerHandle:
    return asyncio.get_running_loop().call_later(delay, callback)


@attrs.frozen(kw_only=True)
class Runtime:
    """What the call path takes from its surroundings.

    Args:
        monotonic: Seconds on a clock that never goes back.
        wall: Seconds since 1970.
        sleep: Waits for some seconds.
        call_later: Calls back after some seconds.
        uniform: A random number between two others.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    call_later: Callable[[float, Callable[[], None]], TimerHandle] = _call_later
    # Spreading retries needs no secrecy.
    uniform: Callable[[float, float], float] = random.uniform


class AttemptTimer:
    """Interrupts the running task when the time of an attempt is over.

    One bare timer: ``asyncio.timeout`` does the same at a measurable cost for each call.
    """

    __slots__ = ("_cancelling", "_fired", "_handle", "_task")

    def __init__(self, runtime: Runtime, seconds: float) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call must run in a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._fired = False
        self._handle = None if seconds == float("inf") else runtime.call_later(seconds, self._fire)

    def _fire(self) -> None:
        self._fired = True
        self._task.cancel()

    def was_the_cause(self) -> bool:
        """Whether a CancelledError just caught is this timer's work alone, and not the caller's too."""
        if not self._fired:
            return False
        self._fired = False
        return self._task.uncancel() <= self._cancelling

    def stop(self) -> None:
        """Call the timer off; a cancellation of its own that nobody saw is taken back."""
        if self._handle is not None:
            self._handle.cancel()
        self.was_the_cause()
