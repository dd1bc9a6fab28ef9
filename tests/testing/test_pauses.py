"""A client's pauses are skipped once nothing of it is under way, and never at the cost of what is."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from typing import TYPE_CHECKING

import attrs
import pytest

from seqino.sandbox.clock import Clock
from seqino.testing.pauses import Pauses

if TYPE_CHECKING:
    from seqino._core.runtime import Runtime

START = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


@attrs.define(slots=False)
class Times:
    """Real seconds that a test turns by hand, the sandbox's clock, and what a client sees of both."""

    real: float = 0.0
    clock: Clock = attrs.field(factory=lambda: Clock(speed=0, start=START))

    @functools.cached_property
    def runtime(self) -> Runtime:
        return Pauses(self.clock, monotonic=lambda: self.real).runtime(uniform=lambda low, _: low)

    @property
    def passed(self) -> float:
        """Seconds that passed on the sandbox's clock."""
        return (self.clock.now() - START).total_seconds()


@pytest.fixture
def times() -> Times:
    return Times()


async def rounds(count: int = 10) -> None:
    """Let the loop go round, so that all that can happen now has happened."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_pause_passes_on_both_clocks_and_takes_no_time(times: Times) -> None:
    await times.runtime.sleep(30)
    assert (times.runtime.monotonic(), times.passed) == (30, 30)
    assert times.runtime.wall() == START.timestamp() + 30


async def test_pauses_at_the_same_time_pass_together_and_end_in_their_order(times: Times) -> None:
    ended: list[float] = []

    async def pause(seconds: float) -> None:
        await times.runtime.sleep(seconds)
        ended.append(times.runtime.monotonic())

    await asyncio.gather(pause(20), pause(10), pause(20))
    assert (ended, times.passed) == ([10, 20, 20], 20)


async def test_nothing_is_skipped_while_a_request_is_under_way(times: Times) -> None:
    timer = times.runtime.call_later(20, lambda: None)
    pause = asyncio.ensure_future(times.runtime.sleep(5))
    await rounds()
    assert (pause.done(), times.runtime.monotonic()) == (False, 0)
    timer.cancel()
    await pause
    assert times.runtime.monotonic() == 5


async def test_a_request_that_follows_a_pause_holds_up_the_next_one(times: Times) -> None:
    async def pause_and_ask() -> None:
        await times.runtime.sleep(5)
        timer = times.runtime.call_later(20, lambda: None)
        await answered.wait()
        timer.cancel()

    answered = asyncio.Event()
    asking = asyncio.ensure_future(pause_and_ask())
    other = asyncio.ensure_future(times.runtime.sleep(7))
    await rounds()
    assert (other.done(), times.runtime.monotonic()) == (False, 5)
    answered.set()
    await asyncio.gather(asking, other)
    assert times.runtime.monotonic() == 7


async def test_a_timer_that_rings_is_no_longer_under_way(times: Times) -> None:
    rung: list[bool] = []
    times.runtime.call_later(0, lambda: rung.append(True))
    await times.runtime.sleep(5)
    assert (rung, times.runtime.monotonic()) == ([True], 5)


async def test_a_pause_ends_in_real_time_where_it_cannot_be_skipped(times: Times) -> None:
    timer = times.runtime.call_later(20, lambda: None)
    await times.runtime.sleep(0.001)
    assert (times.runtime.monotonic(), times.passed) == (0, 0.001)
    timer.cancel()


async def test_a_pause_of_no_time_ends_once_although_its_time_is_over_as_well(times: Times) -> None:
    await times.runtime.sleep(0)
    assert (times.runtime.monotonic(), times.passed) == (0, 0)


async def test_real_time_that_passed_is_not_skipped_again(times: Times) -> None:
    timer = times.runtime.call_later(20, lambda: None)
    pause = asyncio.ensure_future(times.runtime.sleep(5))
    await rounds()
    times.real = 6
    timer.cancel()
    await pause
    assert (times.runtime.monotonic(), times.passed) == (6, 5)


async def test_a_clock_that_was_stepped_meanwhile_is_not_stepped_again(times: Times) -> None:
    timer = times.runtime.call_later(20, lambda: None)
    pause = asyncio.ensure_future(times.runtime.sleep(5))
    await rounds()
    times.clock.advance(60)
    timer.cancel()
    await pause
    assert times.passed == 60


async def test_a_pause_that_was_called_off_moves_nothing(times: Times) -> None:
    pause = asyncio.ensure_future(times.runtime.sleep(30))
    await asyncio.sleep(0)
    pause.cancel()
    await rounds()
    assert pause.cancelled()
    assert times.passed == 0
    await times.runtime.sleep(1)
    assert times.passed == 1


async def test_a_pause_called_off_at_the_moment_of_its_end_is_called_off(times: Times) -> None:
    timer = times.runtime.call_later(20, lambda: None)
    pause = asyncio.ensure_future(times.runtime.sleep(0))
    await asyncio.sleep(0)
    pause.cancel()
    timer.cancel()
    await rounds()
    assert pause.cancelled()
