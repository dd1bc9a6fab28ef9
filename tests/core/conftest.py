"""A server on raw sockets that does whatever a test tells it, and time that only moves when told."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, Secret
from seqino._core.events import CallEvent
from seqino._core.runtime import Runtime
from tests import fault_server
from tests.fault_server import answer

if TYPE_CHECKING:
    from seqino._core.transport import Middleware, Session
    from seqino._core.wire import Operation

KEY = "canary-key-51c7"

WALL = 1_772_366_400.0
"""2026-03-01 12:00:00 UTC, in seconds since 1970."""


class FaultServer(fault_server.FaultServer):
    """The server of faults, with its answers at hand."""

    answer = staticmethod(answer)


@attrs.define(eq=False)
class Time:
    """A clock that stands still until it is moved; timers ring when it passes them."""

    now: float = 5000.0
    sleeps: list[float] = attrs.field(factory=list[float])
    chance: float = 1.0
    """Where in its range a random number falls: 0 lowest, 1 highest."""
    after_sleep: Callable[[], Awaitable[None]] | None = None
    _timers: list[tuple[float, int, Timer]] = attrs.field(factory=list[Any])
    _order: Iterator[int] = attrs.field(factory=itertools.count)

    @property
    def runtime(self) -> Runtime:
        return Runtime(
            monotonic=lambda: self.now,
            wall=lambda: WALL + self.now,
            sleep=self.sleep,
            call_later=self.call_later,
            uniform=lambda low, high: low + (high - low) * self.chance,
        )

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.pass_by(seconds)
        await asyncio.sleep(0)
        if self.after_sleep is not None:
            await self.after_sleep()

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._timers, (self.now + delay, next(self._order), timer))
        return timer

    def pass_by(self, seconds: float) -> None:
        until = self.now + seconds
        while self._timers and self._timers[0][0] <= until:
            self.now, _, timer = heapq.heappop(self._timers)
            timer.ring()
        self.now = until

    def pass_to_next_timer(self) -> None:
        if (seconds := self.until_next_timer) < math.inf:
            self.pass_by(seconds)

    @property
    def until_next_timer(self) -> float:
        """Seconds until a timer rings, or infinity."""
        while self._timers and self._timers[0][2].is_cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] - self.now if self._timers else math.inf

    @property
    def armed(self) -> int:
        """How many timers would still ring."""
        return sum(not timer.is_cancelled for _, _, timer in self._timers)


@attrs.define(eq=False)
class Timer:
    _callback: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def ring(self) -> None:
        if not self.is_cancelled:
            self.is_cancelled = True
            self._callback()


@attrs.define(eq=False)
class Bench:
    """A server, an engine that calls it, and what can be seen of both."""

    server: FaultServer
    time: Time
    events: list[CallEvent] = attrs.field(factory=list[CallEvent])
    engines: list[CallEngine] = attrs.field(factory=list[CallEngine])

    def engine(
        self,
        *,
        session: Session | None = None,
        middlewares: tuple[Middleware, ...] = (),
        operations: tuple[Operation[Any], ...] = (),
        **changes: Any,
    ) -> CallEngine:
        settings: dict[str, Any] = {
            "api_key": Secret(KEY),
            "client_id": "acme",
            "base_url": self.server.url,
            "on_event": self.events.append,
            **changes,
        }
        engine = CallEngine(
            Config(**settings),
            Codec(),
            operations={operation.name: operation for operation in operations},
            session=session,
            middlewares=middlewares,
            runtime=self.time.runtime,
        )
        self.engines.append(engine)
        return engine

    def told(self, kind: str) -> list[CallEvent]:
        return [event for event in self.events if event.kind == kind]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def server(time: Time) -> AsyncIterator[FaultServer]:
    server = FaultServer(on_hang=time.pass_to_next_timer)
    async with server:
        yield server
    assert server.unexpected == []


@pytest.fixture
async def bench(server: FaultServer, time: Time) -> AsyncIterator[Bench]:
    bench = Bench(server, time)
    yield bench
    for engine in bench.engines:
        await engine.aclose()
    assert time.armed == 0, "a timer was left behind"
