from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from seqino.sandbox.clock import FASTEST, LAST, SLOWEST, Clock, stamp

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


class RealTime:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_time_runs_as_fast_as_asked() -> None:
    real = RealTime()
    clock = Clock(speed=60, start=START, monotonic=real)
    real.seconds += 2
    assert clock.now() == START + timedelta(minutes=2)


def test_another_speed_counts_from_the_moment_it_is_set() -> None:
    real = RealTime()
    clock = Clock(speed=10, start=START, monotonic=real)
    real.seconds += 1
    clock.speed = 0
    real.seconds += 1000
    assert clock.speed == 0
    assert clock.now() == START + timedelta(seconds=10)


def test_a_step_comes_on_top_of_running_time() -> None:
    real = RealTime()
    clock = Clock(start=START, monotonic=real)
    real.seconds += 1
    assert clock.advance(3600) == START + timedelta(seconds=3601)
    assert clock.now() == START + timedelta(seconds=3601)


def test_it_starts_at_the_real_time() -> None:
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_time_never_goes_back(value: float) -> None:
    clock = Clock(speed=0, start=START)
    with pytest.raises(ValueError, match="finite"):
        clock.advance(value)
    assert clock.now() == START


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, FASTEST * 1.01, SLOWEST / 2])
def test_a_speed_that_no_date_could_bear_is_refused(value: float) -> None:
    clock = Clock(speed=2)
    with pytest.raises(ValueError, match=r"from 0\.000001 to 1000000"):
        clock.speed = value
    assert clock.speed == 2
    with pytest.raises(ValueError, match="speed"):
        Clock(speed=value)


@pytest.mark.parametrize("step", [1e12, 1e300, (LAST - START).total_seconds() + 1])
def test_a_step_beyond_the_last_moment_is_refused_and_not_taken(step: float) -> None:
    clock = Clock(speed=0, start=START)
    with pytest.raises(ValueError, match="9000-01-01"):
        clock.advance(step)
    assert clock.now() == START
    assert clock.advance((LAST - START).total_seconds()) == LAST


def test_it_stands_still_at_its_last_moment() -> None:
    real = RealTime()
    clock = Clock(speed=FASTEST, start=START, monotonic=real)
    real.seconds += 1e30
    assert clock.now() == clock.soon() == LAST
    clock.speed = 1
    real.seconds += 1
    assert clock.now() == clock.advance(0) == LAST
    clock.not_before(datetime.max.replace(tzinfo=UTC))
    assert clock.now() == LAST


def test_it_cannot_begin_after_its_last_moment() -> None:
    with pytest.raises(ValueError, match="9000-01-01"):
        Clock(start=LAST + timedelta(microseconds=1))


def test_a_moment_is_written_in_utc_with_milliseconds() -> None:
    assert stamp(START + timedelta(milliseconds=5)) == "2026-09-01T08:00:00.005Z"


def test_it_steps_to_a_moment_that_is_not_yet_reached() -> None:
    clock = Clock(speed=0, start=START)
    clock.not_before(START - timedelta(days=1))
    assert clock.now() == START
    clock.not_before(START + timedelta(microseconds=1))
    assert clock.now() == START + timedelta(microseconds=1)


@pytest.mark.parametrize(("speed", "later"), [(0, 0), (1, 1), (3600, 3600)])
def test_it_says_what_it_shows_a_real_second_from_now(speed: float, later: int) -> None:
    real = RealTime()
    clock = Clock(speed=speed, start=START, monotonic=real)
    soon = clock.soon()
    assert soon == START + timedelta(seconds=later)
    real.seconds += 1
    assert clock.now() == soon
