"""Timers of attempts, in real time and by hand."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from typing import TYPE_CHECKING

import pytest

from seqino._core.runtime import Alarm, AttemptTimer, Runtime

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_real_time_interrupts_an_attempt() -> None:
    timer = AttemptTimer(Alarm(Runtime()), 0.001)
    with pytest.raises(asyncio.CancelledError):
        await asyncio.get_running_loop().create_future()
    assert timer.was_the_cause()
    assert not timer.was_the_cause()
    timer.stop()


async def test_an_attempt_needs_a_task_that_can_be_interrupted() -> None:
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def outside_of_a_task() -> None:
        with pytest.raises(RuntimeError, match="a call must run in a task") as info:
            AttemptTimer(Alarm(Runtime()), 1)
        refused.set_result(str(info.value))

    asyncio.get_running_loop().call_soon(outside_of_a_task)
    assert await refused


class Hand:
    """A clock turned by hand, and the one timer that is set."""

    def __init__(self) -> None:
        self.now = 100.0
        self.set: list[float] = []
        self._callback: Callable[[], None] | None = None
        self.runtime = Runtime(monotonic=lambda: self.now, call_later=self._call_later)

    def _call_later(self, delay: float, callback: Callable[[], None]) -> Hand:
        assert self._callback is None, "a second timer"
        self._callback = callback
        self.set.append(delay)
        return self

    def cancel(self) -> None:
        self._callback = None

    def ring(self, *, now: float) -> None:
        self.now = now
        assert self._callback is not None
        self._callback()

    @property
    def is_set(self) -> bool:
        return self._callback is not None


async def limited(alarm: Alarm, seconds: float) -> bool:
    """Wait for ever, unless a timer ends it."""
    timer = AttemptTimer(alarm, seconds)
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError:
        return timer.was_the_cause()
    finally:
        timer.stop()
    return False


async def was_ended(task: asyncio.Task[bool]) -> bool:
    """Say whether a timer ended it; the limit is for a broken timer only."""
    return await asyncio.wait_for(task, 60)


async def begun(alarm: Alarm, *seconds: float) -> list[asyncio.Task[bool]]:
    tasks = [asyncio.ensure_future(limited(alarm, each)) for each in seconds]
    await asyncio.sleep(0)
    return tasks


async def test_each_attempt_ends_at_its_own_time_by_one_timer() -> None:
    hand = Hand()
    late, early, never = await begun(Alarm(hand.runtime), 20, 5, math.inf)
    assert hand.set == [20, 5]
    hand.ring(now=105)
    assert await was_ended(early)
    assert not late.done()
    assert hand.set == [20, 5, 15]
    hand.ring(now=121)
    assert await was_ended(late)
    assert not hand.is_set
    never.cancel()
    assert not await never


async def test_a_timer_that_rings_a_little_early_has_rung() -> None:
    hand = Hand()
    (task,) = await begun(Alarm(hand.runtime), 20)
    hand.ring(now=119.999)
    assert await was_ended(task)
    assert hand.set == [20]


async def test_no_timer_is_left_when_all_attempts_are_over() -> None:
    hand = Hand()
    tasks = await begun(Alarm(hand.runtime), 20, 20)
    assert hand.set == [20]
    tasks[0].cancel()
    assert not await tasks[0]
    assert hand.is_set
    tasks[1].cancel()
    assert not await tasks[1]
    assert not hand.is_set


async def test_an_attempt_in_the_wrong_loop_does_not_keep_others_from_ending() -> None:
    alarm = Alarm(Runtime())
    (task,) = await begun(alarm, 0.2)
    other = threading.Thread(target=asyncio.run, args=(limited(alarm, 0.001),), daemon=True)
    other.start()
    await asyncio.to_thread(other.join, 60)
    assert not other.is_alive()
    assert await was_ended(task)


async def test_a_cancellation_that_foreign_code_swallowed_is_taken_back() -> None:
    hand = Hand()
    alarm = Alarm(hand.runtime)

    async def swallow() -> int:
        timer = AttemptTimer(alarm, 20)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()
        timer.stop()
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    task = asyncio.ensure_future(swallow())
    await asyncio.sleep(0)
    hand.ring(now=120)
    assert await asyncio.wait_for(task, 60) == 0
