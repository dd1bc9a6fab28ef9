"""An event loop whose time is a number: it waits for nothing, and does the same thing every time.

Only what a call needs is there. asyncio's own tasks and futures run on it unchanged.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple, cast

if TYPE_CHECKING:
    from contextvars import Context

__all__ = ["Stepped", "VirtualLoop", "make_loop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_LONGEST = 1e9
"""Seconds after which a round would never end."""


class VirtualLoop(asyncio.AbstractEventLoop):
    """Runs what is ready, then moves its clock to the next timer."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._ready: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self.faults: list[str] = []
        """What asyncio would have logged, such as an exception that nobody looked at."""

    # What asyncio's tasks, futures and sleep() ask for

    def time(self) -> float:
        return self._now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, list(args), self, context)
        self._count += 1
        # The number keeps timers of one moment in their order.
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """asyncio's timers tell their loop; it drops them when their time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **_: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self)
        self.tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    # Running

    def complete(self, coro: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, and nothing further."""
        task: asyncio.Task[T] = self.create_task(coro)
        self.run_until(task)
        return task.result()

    def run_until(self, task: asyncio.Task[Any]) -> None:
        """Run until a task is done, and nothing further."""
        self._run(task.done)

    def drain(self) -> None:
        """Run everything that is still to come."""
        self._run(lambda: False)

    def _run(self, is_over: Callable[[], bool]) -> None:
        ready, timers = self._ready, self._timers
        asyncio._set_running_loop(self)
        try:
            while not is_over():
                if not ready:
                    while timers and timers[0][2].cancelled():
                        heapq.heappop(timers)
                    if not timers:
                        return
                    self._pass_to(timers[0][0])
                handle = ready.popleft()
                if not handle.cancelled():
                    handle._run()
        finally:
            asyncio._set_running_loop(None)

    def _pass_to(self, when: float) -> None:
        if when > _LONGEST:
            raise RuntimeError("nothing more happens, and somebody still waits")
        self._now = max(self._now, when)
        while self._timers and self._timers[0][0] <= self._now:
            self._ready.append(heapq.heappop(self._timers)[2])


def make_loop() -> VirtualLoop:
    """A loop; what it leaves out of asyncio's is nothing that a call asks for."""
    loop: VirtualLoop = cast("Any", VirtualLoop)()
    return loop


class Stepped(Coroutine[Any, Any, T]):
    """A coroutine that counts how often it is suspended.

    Args:
        inner: What is run.
        on_suspension: Called with the number of each suspension, from 1.
    """

    def __init__(self, inner: Coroutine[Any, Any, T], on_suspension: Callable[[int], object]) -> None:
        self._inner = inner
        self._on_suspension = on_suspension
        self.suspensions = 0

    def send(self, value: Any) -> Any:
        return self._suspended(self._inner.send(value))

    def throw(self, *error: Any) -> Any:
        return self._suspended(self._inner.throw(*error))

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._inner.__await__()

    def _suspended(self, waits_for: Any) -> Any:
        self.suspensions += 1
        self._on_suspension(self.suspensions)
        return waits_for
