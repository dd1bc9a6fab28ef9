"""Clock, sleep, timers and chance in one place, so that tests can turn them by hand."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs

__all__ = ["Alarm", "AttemptTimer", "Runtime", "TimerHandle"]


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


class Alarm:
    """One timer of the loop for all attempts of a client that are under way.

    A timer for each costs a tenth of what aiohttp needs for a request: the loop has to sort them all,
    although hardly any ever rings.

    Args:
        runtime: The clock, and timers that go by it.
    """

    __slots__ = ("_at", "_awaited", "_handle", "_loop", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._awaited: dict[AttemptTimer, float] = {}
        self._at = float("inf")
        self._handle: TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def expect(
        self, timer: AttemptTimer, seconds: float, *, loop: asyncio.AbstractEventLoop
    ) -> TimerHandle | None:
        """Fire a timer later.

        Args:
            timer: What is to be fired, once.
            seconds: After how long.
            loop: The running loop.

        Returns:
            The timer's own handle, where the alarm is in use by another loop: a call from the wrong one must
            not keep those of the right one from ending.
        """
        if not self._awaited:
            self._loop = loop
        elif self._loop is not loop:
            return self._runtime.call_later(seconds, timer.fire)
        due = self._runtime.monotonic() + seconds
        self._awaited[timer] = due
        if due < self._at:
            self._set(due, seconds)
        return None

    def forget(self, timer: AttemptTimer) -> None:
        """Fire a timer no more, if it was to be fired at all."""
        self._awaited.pop(timer, None)
        if not self._awaited:
            self._clear()

    def _set(self, at: float, seconds: float) -> None:
        self._clear()
        self._at = at
        self._handle = self._runtime.call_later(seconds, self._ring)

    def _clear(self) -> None:
        self._at = float("inf")
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _ring(self) -> None:
        # What it was set for is due, even where the loop's timers are a little early.
        now = max(self._at, self._runtime.monotonic())
        self._clear()
        for timer in [timer for timer, due in self._awaited.items() if due <= now]:
            del self._awaited[timer]
            timer.fire()
        if self._awaited:
            first = min(self._awaited.values())
            self._set(first, first - now)


class AttemptTimer:
    """Interrupts the running task when the time of an attempt is over.

    ``asyncio.timeout`` does the same at a measurable cost for each call.

    Args:
        alarm: What fires it.
        seconds: After how long; infinity for never.
    """

    __slots__ = ("_alarm", "_cancelling", "_fired", "_handle", "_task")

    def __init__(self, alarm: Alarm, seconds: float) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a call must run in a task")
        self._alarm = alarm
        self._task = task
        self._cancelling = task.cancelling()
        self._fired = False
        self._handle = None if seconds == float("inf") else alarm.expect(self, seconds, loop=task.get_loop())

    def fire(self) -> None:
        """Interrupt the task."""
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
        else:
            self._alarm.forget(self)
        if self._fired:
            self.was_the_cause()
