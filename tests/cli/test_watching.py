"""Looking again on a clock that moves only when somebody sleeps."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from seqino import errors
from seqino.cli.watching import Look, Watched, watch
from seqino.statuses import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PACE = Backoff(first=timedelta(seconds=1), longest=timedelta(seconds=4))
NEWS, QUIET, OVER = (
    Look(is_news=True, is_over=False),
    Look(is_news=False, is_over=False),
    Look(is_news=True, is_over=True),
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.told: list[str] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def looks(*seen: Look | Exception) -> Callable[[], Awaitable[Look]]:
    turns = iter(seen)

    async def look() -> Look:
        turn = next(turns)
        if isinstance(turn, Exception):
            raise turn
        return turn

    return look


async def watched(clock: Clock, *seen: Look | Exception, limit: float = math.inf) -> Watched:
    return await watch(
        looks(*seen), backoff=PACE, limit=limit, tell=clock.told.append, clock=clock, sleep=clock.sleep
    )


async def test_pauses_grow_while_nothing_happens_and_are_short_after_news() -> None:
    clock = Clock()
    found = await watched(clock, NEWS, QUIET, QUIET, QUIET, QUIET, NEWS, QUIET, OVER)
    assert found == Watched(looks=8, is_over=True)
    assert clock.slept == [1, 2, 4, 4, 4, 1, 2]


async def test_what_is_over_at_once_costs_one_look() -> None:
    clock = Clock()
    assert await watched(clock, OVER) == Watched(looks=1, is_over=True)
    assert clock.slept == []


async def test_when_the_time_is_over_it_is_looked_at_once_more() -> None:
    clock = Clock()
    assert await watched(clock, NEWS, QUIET, QUIET, limit=2.5) == Watched(looks=3, is_over=False)
    assert clock.slept == [1, 1.5]


async def test_no_time_at_all_is_one_look() -> None:
    assert await watched(Clock(), NEWS, limit=0) == Watched(looks=1, is_over=False)


async def test_a_failure_that_may_pass_is_told_and_looked_past() -> None:
    clock = Clock()
    limited = errors.RateLimited("Slow down.", operation="x", status=429, retry_after=30)
    down = errors.ServerError("Down.", operation="x", status=503)
    assert await watched(clock, limited, down, OVER) == Watched(looks=3, is_over=True)
    assert clock.slept == [30, 4]
    assert clock.told == ["RateLimited, and it goes on: Slow down.", "ServerError, and it goes on: Down."]


async def test_an_answer_that_broke_off_is_looked_past() -> None:
    broken = errors.UnexpectedAnswer("It broke off.", operation="x")
    assert await watched(Clock(), broken, OVER) == Watched(looks=2, is_over=True)


async def test_a_failure_that_stays_ends_it() -> None:
    with pytest.raises(errors.AuthenticationFailed):
        await watched(Clock(), errors.AuthenticationFailed("No.", operation="x", status=401))
