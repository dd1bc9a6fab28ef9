"""A client's time in tests: pauses are skipped, and what waits for the network is not."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from seqino._core.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox.clock import Clock

__all__ = ["Pauses"]


class Pauses:
    """Skips pauses once nothing else is under way, and steps the sandbox's clock by as much.

    A pause that was skipped while a request of the same client is still awaited would take that request's
    time away. So time jumps to the end of the earliest pause only when no timer of the client runs, as one
    does for every attempt; until then pauses pass as real time does.

    Args:
        clock: The sandbox's clock; the client's idea of the date is taken from it.
        monotonic: Source of real seconds.
    """

    def __init__(self, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._real = monotonic
        self._skipped = 0.0
        self._order = itertools.count()
        self._pausing: list[tuple[float, int, asyncio.Future[None]]] = []
        self._timers: set[_Timer] = set()
        self._is_to_skip = False

    def runtime(self, *, uniform: Callable[[float, float], float]) -> Runtime:
        """Return what a client takes its time from.

        Args:
            uniform: A random number between two others.
        """
        return Runtime(
            monotonic=self._monotonic,
            wall=lambda: self._clock.now().timestamp(),
            sleep=self._sleep,
            call_later=self._call_later,
            uniform=uniform,
        )

    def _monotonic(self) -> float:
        return self._real() + self._skipped

    async def _sleep(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        due = self._clock.now() + timedelta(seconds=seconds)
        over: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._pausing, (self._monotonic() + seconds, next(self._order), over))
        in_real_time = loop.call_later(seconds, _end, over)
        self._skip_soon(loop)
        try:
            await over
        finally:
            in_real_time.cancel()
        # All of the pause, however little of it was skipped: what the platform asked to wait for is over.
        self._clock.advance(max(0.0, (due - self._clock.now()).total_seconds()))

    def _call_later(self, delay: float, callback: Callable[[], None]) -> _Timer:
        timer = _Timer(delay, callback, over=self._forget)
        self._timers.add(timer)
        return timer

    def _forget(self, timer: _Timer) -> None:
        self._timers.discard(timer)
        if self._pausing:
            self._skip_soon(self._pausing[0][2].get_loop())

    def _skip_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Skip after all that is ready to run now: whoever was just woken may begin something."""
        if not self._is_to_skip:
            self._is_to_skip = True
            loop.call_soon(self._skip)

    def _skip(self) -> None:
        """Go to the end of the earliest pause, unless something is under way."""
        self._is_to_skip = False
        while self._pausing and self._pausing[0][2].done():
            heapq.heappop(self._pausing)
        if not self._pausing or self._timers:
            return
        until, _, over = heapq.heappop(self._pausing)
        self._skipped += max(0.0, until - self._monotonic())
        _end(over)
        self._skip_soon(over.get_loop())


class _Timer:
    """A timer of the loop that says when it is over."""

    def __init__(self, delay: float, callback: Callable[[], None], *, over: Callable[[_Timer], None]) -> None:
        self._callback = callback
        self._over = over
        self._handle = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        self._over(self)
        self._callback()

    def cancel(self) -> None:
        self._handle.cancel()
        self._over(self)


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
