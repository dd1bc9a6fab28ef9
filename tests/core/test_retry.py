from __future__ import annotations

import math
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino._core.outcome import Attempt, FaultKind, classify_fault, classify_status
from seqino._core.retry import (
    Accept,
    Decision,
    Fail,
    Pace,
    Retry,
    RetryBudget,
    Situation,
    backoff,
    decide,
    lengthen,
    read_retry_after,
)
from seqino._core.wire import Effect

HARMLESS = {Effect.SAFE, Effect.IDEMPOTENT, Effect.DISPOSABLE}


def highest(_low: float, high: float) -> float:
    return high


def lowest(low: float, _high: float) -> float:
    return low


def after(attempt: Attempt, effect: Effect, **changes: Any) -> Decision:
    details: dict[str, Any] = {"number": 1, "max_retries": 3, "remaining": 60.0, **changes}
    situation = Situation(effect=effect, **details)
    return decide(attempt, situation, uniform=highest)


def repeats(attempt: Attempt, effect: Effect, **changes: Any) -> bool:
    return isinstance(after(attempt, effect, **changes), Retry)


UNREACHABLE = classify_fault(FaultKind.UNREACHABLE, sent=False)
LOST = classify_fault(FaultKind.DISCONNECTED, sent=True)


# The table of effects and outcomes


@pytest.mark.parametrize("effect", list(Effect))
def test_a_2xx_ends_every_call(effect: Effect) -> None:
    assert after(classify_status(201), effect) == Accept()


@pytest.mark.parametrize("effect", list(Effect))
def test_what_was_not_sent_may_be_sent(effect: Effect) -> None:
    assert repeats(UNREACHABLE, effect)


@pytest.mark.parametrize("effect", list(Effect))
def test_a_refused_certificate_is_never_tried_again(effect: Effect) -> None:
    assert not repeats(classify_fault(FaultKind.INSECURE, sent=False), effect)


@pytest.mark.parametrize("effect", list(Effect))
def test_a_throttled_call_may_be_sent_later(effect: Effect) -> None:
    assert repeats(classify_status(429), effect)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("status", [400, 401, 404, 410, 413, 422])
def test_a_refusal_is_never_tried_again(effect: Effect, status: int) -> None:
    assert not repeats(classify_status(status), effect)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("kind", [FaultKind.TIMED_OUT, FaultKind.DISCONNECTED, FaultKind.BROKEN_ANSWER])
def test_a_lost_answer_repeats_only_what_is_harmless(effect: Effect, kind: FaultKind) -> None:
    assert repeats(classify_fault(kind, sent=True), effect) == (effect in HARMLESS)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_an_unclear_status_repeats_only_what_is_harmless(effect: Effect, status: int) -> None:
    assert repeats(classify_status(status), effect) == (effect in HARMLESS)


@pytest.mark.parametrize("effect", list(Effect))
@pytest.mark.parametrize("status", [301, 307, 409, 425, 501, 505, 599])
def test_a_status_that_would_come_again_is_not_tried_again(effect: Effect, status: int) -> None:
    assert not repeats(classify_status(status), effect)


@pytest.mark.parametrize("kind", [FaultKind.TOO_LARGE, FaultKind.ABANDONED])
def test_a_fault_that_would_come_again_is_not_tried_again(kind: FaultKind) -> None:
    assert not repeats(classify_fault(kind, sent=True), Effect.SAFE)


def test_absence_is_success_where_an_earlier_attempt_may_have_done_it() -> None:
    assert after(classify_status(404), Effect.IDEMPOTENT, absence_is_success=True) == Accept()
    assert after(classify_status(404), Effect.IDEMPOTENT) == Fail()
    assert after(classify_status(410), Effect.IDEMPOTENT, absence_is_success=True) == Fail()


# When


def test_retries_end_at_the_limit() -> None:
    assert repeats(LOST, Effect.SAFE, number=3)
    assert not repeats(LOST, Effect.SAFE, number=4)
    assert not repeats(LOST, Effect.SAFE, max_retries=0)


def test_pauses_grow_to_eight_seconds_and_have_a_floor() -> None:
    assert [backoff(n, uniform=highest) for n in (1, 2, 3, 4, 5, 5000)] == [1, 2, 4, 8, 8, 8]
    assert [backoff(n, uniform=lowest) for n in (1, 2, 3, 4)] == [0.25, 0.5, 1, 2]


def test_no_pause_is_shorter_than_told_and_at_most_a_tenth_longer() -> None:
    assert lengthen(10, uniform=lowest) == 10
    assert lengthen(10, uniform=highest) == 11
    decision = after(classify_status(503), Effect.SAFE, retry_after=10.0)
    assert isinstance(decision, Retry)
    assert decision.delay == 11
    decision = after(classify_status(503), Effect.SAFE, retry_after=0.1)
    assert isinstance(decision, Retry)
    assert decision.delay == 1


def test_a_pause_of_more_than_a_minute_is_left_to_the_caller() -> None:
    assert repeats(classify_status(429), Effect.SAFE, retry_after=60, remaining=300)
    decision = after(classify_status(429), Effect.SAFE, retry_after=61, remaining=300)
    assert decision == Fail("the server asked to wait 61 s")


def test_no_attempt_starts_with_less_than_half_a_second_left() -> None:
    assert repeats(LOST, Effect.SAFE, remaining=1.5)
    decision = after(LOST, Effect.SAFE, remaining=1.49)
    assert decision == Fail("the 1.5 s left of the timeout are too short to try again")
    assert after(LOST, Effect.SAFE, remaining=-3) == Fail(
        "the 0.0 s left of the timeout are too short to try again"
    )


@pytest.mark.parametrize(
    ("attempt", "cost"),
    [
        (UNREACHABLE, 5),
        (LOST, 5),
        (classify_status(429), 5),
        (classify_status(408), 5),
        (classify_status(503), 10),
        (classify_fault(FaultKind.TIMED_OUT, sent=True), 10),
    ],
)
def test_a_retry_costs_more_where_the_platform_needs_rest(attempt: Attempt, cost: int) -> None:
    decision = after(attempt, Effect.SAFE)
    assert isinstance(decision, Retry)
    assert decision.cost == cost


# The budget and the pace


def test_a_dead_platform_gets_at_most_twenty_extra_requests() -> None:
    budget = RetryBudget()
    assert sum(budget.take(RetryBudget.ORDINARY) for _ in range(1000)) == 20
    assert RetryBudget().take(RetryBudget.CAPACITY + 1) is False


def test_successes_fill_the_budget_again_but_not_beyond_its_size() -> None:
    budget = RetryBudget(tokens=0)
    assert not budget.take(5)
    for _ in range(5):
        budget.give_back(RetryBudget.REWARD)
    assert budget.take(5)
    budget.give_back(1000)
    assert budget.tokens == RetryBudget.CAPACITY


def test_the_longest_pause_told_holds_for_all_and_none_holds_longer_than_a_minute() -> None:
    pace = Pace()
    assert pace.wait(now=5) <= 0
    pace.hold(10, now=100)
    pace.hold(3, now=101)
    assert pace.wait(now=104) == 6
    pace.hold(86400, now=100)
    assert pace.wait(now=100) == 60


# Retry-After

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def told(**headers: str) -> float | None:
    return read_retry_after(
        {name.replace("_", "-"): value for name, value in headers.items()}, now=NOW.timestamp()
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("7", 7), ("1.5", 1.5), (" 3 ", 3), ("2.", 2), ("120", 120), ("9" * 20, 1e20)],
)
def test_seconds_may_be_whole_or_not(text: str, seconds: float) -> None:
    assert told(Retry_After=text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "-1", "nan", "inf", "-inf", "1e400", "1_0", "٣", "9" * 400, "0x10", "1,5", "Mon, 99 Foo"],
)
def test_what_makes_no_sense_is_ignored(text: str) -> None:
    assert told(Retry_After=text) is None


def test_nothing_told_is_nothing() -> None:
    assert read_retry_after({}, now=0) is None


def test_milliseconds_outrank_seconds() -> None:
    assert told(retry_after_ms="1500", Retry_After="9") == 1.5
    assert told(retry_after_ms="nan", Retry_After="9") == 9


def test_a_date_is_read_against_the_answers_own_clock() -> None:
    until = format_datetime(NOW.replace(minute=1), usegmt=True)
    assert told(Retry_After=until) == 60
    assert told(Retry_After=until, Date=format_datetime(NOW.replace(second=50), usegmt=True)) == 10
    assert told(Retry_After=until, Date="no date") == 60


def test_a_date_that_is_over_is_ignored() -> None:
    assert told(Retry_After=format_datetime(NOW.replace(hour=1), usegmt=True)) is None


@given(st.text() | st.floats().map(str) | st.integers().map(str))
def test_no_header_breaks_the_reading_or_asks_for_a_senseless_pause(text: str) -> None:
    for name in ("Retry-After", "retry-after-ms", "Date"):
        seconds = read_retry_after(
            {"Retry-After": "Sun, 01 Mar 2026 12:00:09 GMT", name: text}, now=NOW.timestamp()
        )
        assert seconds is None or (math.isfinite(seconds) and seconds >= 0)
