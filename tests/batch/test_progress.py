"""How far a run is, and how fast it may go."""

from __future__ import annotations

from typing import Any

import pytest

from seqino.batch import Allowance, Progress, State
from seqino.batch.allowance import allowance
from seqino.batch.progress import Meter
from seqino.models import UsageLimits


def test_a_progress_counts_what_matters() -> None:
    counts = {
        State.QUEUED: 1,
        State.DRAFTED: 2,
        State.SENDING: 4,
        State.PARKED: 8,
        State.ACCEPTED: 16,
        State.SETTLED: 32,
        State.REJECTED: 64,
        State.INVALID: 128,
    }
    progress = Progress(run_id=1, counts=counts)
    assert (progress.total, progress.to_be_sent, progress.in_doubt, progress.taken) == (255, 3, 12, 48)
    assert (progress.rejected, progress.invalid) == (64, 128)


def test_rate_and_time_left_follow_the_last_half_minute() -> None:
    meter = Meter({State.QUEUED: 100}, now=0.0)
    assert meter.read(now=0.0) == (0.0, 0.0, None)
    for _ in range(10):
        meter.moved(State.QUEUED, State.ACCEPTED)
    assert meter.read(now=10.0) == (10.0, 1.0, 90.0)
    assert meter.read(now=20.0) == (20.0, 0.5, 180.0)
    assert meter.read(now=30.0)[1] == pytest.approx(1 / 3)
    for _ in range(60):
        meter.moved(State.QUEUED, State.REJECTED)
    # What was before the window counts no more.
    assert meter.read(now=40.0) == (40.0, 2.0, 15.0)
    assert meter.counts == {State.QUEUED: 30, State.ACCEPTED: 10, State.REJECTED: 60}


def test_only_what_got_to_an_end_of_being_sent_makes_the_rate() -> None:
    meter = Meter({State.QUEUED: 1, State.IN_DOUBT: 1}, now=0.0)
    meter.moved(State.QUEUED, State.QUEUED)
    meter.moved(State.QUEUED, State.DRAFTED)
    meter.moved(State.IN_DOUBT, State.ACCEPTED)
    assert meter.ended == 0
    meter.moved(State.DRAFTED, State.IN_DOUBT)
    assert meter.ended == 1
    meter.correct({State.PARKED: 2})
    assert meter.counts == {State.PARKED: 2}


@pytest.mark.parametrize(
    ("limits", "requests", "rate", "shortages"),
    [
        ({}, 100, None, 0),
        ({"rate_limit_per_minute": 600}, 10, 9.5, 0),
        ({"rate_limit_per_minute": 0}, 10, None, 0),
        ({"rate_limit_per_minute": 600, "rate_limit_per_hour": 3600}, 3600, 9.5, 0),
        ({"rate_limit_per_minute": 600, "rate_limit_per_hour": 3600}, 3601, 0.95, 1),
        ({"rate_limit_per_hour": 3600, "current_hour_calls": 4000}, 1, 0.95, 1),
        # A day's limit is told, but not kept to by going slowly: a run would seem to stand still.
        ({"rate_limit_per_day": 1000, "current_day_calls": 900}, 101, None, 1),
        ({"rate_limit_per_month": 1000}, 1001, None, 1),
    ],
)
def test_a_run_keeps_below_the_limits_that_are_told(
    limits: dict[str, Any], requests: int, rate: float | None, shortages: int
) -> None:
    found = allowance(UsageLimits(**limits), requests=requests)
    assert found.requests_per_second == (None if rate is None else pytest.approx(rate))
    assert len(found.shortages) == shortages


def test_a_shortage_is_told_in_words() -> None:
    limits = UsageLimits(rate_limit_per_day=1000, current_day_calls=900)
    assert allowance(limits, requests=200) == Allowance(
        limits=limits, shortages=("100 of 1000 requests are left in this day, and 200 are needed",)
    )
