"""Where requests wait for their turn when a client limits itself; there is none where it does not."""

from __future__ import annotations

import asyncio
import collections
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seqino._core.limits import AdaptiveLimit, Pacing
    from seqino._core.outcome import Attempt
    from seqino._core.runtime import Runtime, TimerHandle

__all__ = ["Gate"]


class Gate:
    """Lets requests through in the order in which they came, as limit and pacing allow.

    No lock is held over a wait. Whoever was let through calls ``leave`` or ``withdraw``, once and always.

    Args:
        runtime: Clock and timers.
        limit: How many may be under way at a time; ``None`` for any number.
        pacing: How soon one may follow another; ``None`` for at once.
    """

    def __init__(self, runtime: Runtime, *, limit: AdaptiveLimit | None, pacing: Pacing | None) -> None:
        self._runtime = runtime
        self._limit = limit
        self._pacing = pacing
        self._under_way = 0
        self._waiting: collections.deque[asyncio.Future[bool]] = collections.deque()
        self._alarm: TimerHandle | None = None

    @property
    def allowed(self) -> int | None:
        """How many may be under way at present; ``None`` for any number."""
        return None if self._limit is None else self._limit.allowed

    @property
    def under_way(self) -> int:
        """How many were let through and have not left."""
        return self._under_way

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return sum(not turn.done() for turn in self._waiting)

    async def enter(self, *, patience: float) -> bool:
        """Wait to be let through; return False where that took too long.

        Args:
            patience: Seconds to wait; ``math.inf`` waits for ever, and 0 or less not at all.
        """
        if not self._waiting and self._take_place():
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        timer = None
        if patience != math.inf:
            timer = self._runtime.call_later(patience, lambda: _refuse(turn))
        has_entered = False
        try:
            has_entered = await turn
        finally:
            if timer is not None:
                timer.cancel()
            if not has_entered:
                self._give_up(turn)
        return has_entered

    def _give_up(self, turn: asyncio.Future[bool]) -> None:
        if not turn.cancel() and not turn.cancelled() and turn.result():
            # Let through, and cancelled before it could go: the next one takes its place.
            self.withdraw()
        else:
            self._let_through()

    def leave(self, operation: str, attempt: Attempt | None, *, began: float) -> None:
        """Make room, and learn from how the request ended.

        Args:
            operation: Name of the operation.
            attempt: How it ended; ``None`` where it was given up, which tells nothing of the server.
            began: When it began, by the runtime's clock.
        """
        if self._limit is not None and attempt is not None:
            now = self._runtime.monotonic()
            self._limit.learn(operation, attempt, began=began, now=now, under_way=self._under_way)
        self._under_way -= 1
        self._let_through()

    def withdraw(self) -> None:
        """Make room without having begun a request."""
        self._under_way -= 1
        if self._pacing is not None:
            self._pacing.give_back()
        self._let_through()

    def _let_through(self) -> None:
        """Let through all whose turn it is, the first in the queue first."""
        while self._waiting:
            # Those who gave up stay in the queue until they would have come to its head.
            if not self._waiting[0].done():
                if not self._take_place():
                    return
                self._waiting[0].set_result(True)
            del self._waiting[0]
        self._call_off()

    def _take_place(self) -> bool:
        if self._limit is not None and self._under_way >= self._limit.allowed:
            return False
        if self._pacing is not None and not self._keeps_pace(self._pacing):
            return False
        self._under_way += 1
        return True

    def _keeps_pace(self, pacing: Pacing) -> bool:
        now = self._runtime.monotonic()
        wait = pacing.wait(now=now)
        if wait == 0:
            pacing.take(now=now)
        elif self._alarm is None:
            self._alarm = self._runtime.call_later(wait, self._ring)
        return wait == 0

    def _ring(self) -> None:
        self._alarm = None
        self._let_through()

    def _call_off(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None


def _refuse(turn: asyncio.Future[bool]) -> None:
    if not turn.done():
        turn.set_result(False)
