"""How the adaptive limit and the pacing decide, on a clock turned by hand and against a simulated server."""

from __future__ import annotations

import heapq
import itertools
import random
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino._core.limits import AdaptiveLimit, Pacing
from seqino._core.outcome import Attempt, FaultKind, Outcome, classify_fault, classify_status

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = classify_status(200)
BUSY = classify_status(429)
LATE = classify_fault(FaultKind.TIMED_OUT, sent=True)


@attrs.define
class Caller:
    """Fills a limit with calls, one round of answers after the other."""

    limit: AdaptiveLimit
    now: float = 1000.0

    def answers(
        self, count: int, *, seconds: float = 0.02, attempt: Attempt = DONE, operation: str = "read"
    ) -> None:
        """Let a number of requests end, all of which began at one moment, with every place taken."""
        began, self.now = self.now, self.now + seconds
        for _ in range(count):
            self.limit.learn(
                operation, attempt, began=began, now=self.now, under_way=max(self.limit.allowed, 1)
            )

    def round(self, *, seconds: float = 0.02, attempt: Attempt = DONE, operation: str = "read") -> None:
        self.answers(self.limit.allowed, seconds=seconds, attempt=attempt, operation=operation)

    def signal(self, attempt: Attempt = BUSY, *, after: float = 0.2) -> None:
        self.answers(1, seconds=after, attempt=attempt)


@pytest.fixture
def caller() -> Caller:
    return Caller(AdaptiveLimit(1000))


def test_it_begins_with_a_few_requests() -> None:
    assert AdaptiveLimit(100).allowed == 4
    assert AdaptiveLimit(2).allowed == 2


def test_it_doubles_with_each_round_of_answers_until_the_first_signal(caller: Caller) -> None:
    seen = [caller.limit.allowed]
    for _ in range(4):
        caller.round()
        seen.append(caller.limit.allowed)
    assert seen == [4, 8, 16, 32, 64]


def test_after_a_signal_it_grows_by_one_with_each_round(caller: Caller) -> None:
    for _ in range(4):
        caller.round()
    caller.signal()
    assert caller.limit.allowed == 44
    for _ in range(3):
        caller.round()
    assert caller.limit.allowed == 47


@pytest.mark.parametrize("attempt", [BUSY, classify_status(503), classify_status(504), LATE])
def test_a_server_that_has_too_much_to_do_is_left_alone_more(caller: Caller, attempt: Attempt) -> None:
    caller.round()
    caller.signal(attempt)
    assert caller.limit.allowed == 5


@pytest.mark.parametrize(
    "attempt",
    [
        classify_status(404),
        classify_status(422),
        classify_status(500),
        classify_status(502),
        classify_fault(FaultKind.UNREACHABLE, sent=False),
        classify_fault(FaultKind.DISCONNECTED, sent=True),
    ],
)
def test_what_tells_nothing_of_load_changes_nothing(caller: Caller, attempt: Attempt) -> None:
    caller.answers(50, attempt=attempt, seconds=0.2)
    assert caller.limit.allowed == 4


def test_signals_that_come_together_count_once(caller: Caller) -> None:
    for _ in range(4):
        caller.round()
    caller.signal()
    caller.answers(60, attempt=BUSY, seconds=0.09)
    assert caller.limit.allowed == 44
    caller.answers(60, attempt=BUSY, seconds=0.02)
    assert caller.limit.allowed == 31
    caller.answers(60, attempt=BUSY, seconds=0.02)
    assert caller.limit.allowed == 31


def test_a_request_from_before_a_cut_says_nothing_of_the_limit_after_it(caller: Caller) -> None:
    for _ in range(4):
        caller.round()
    began = caller.now
    caller.signal()
    caller.limit.learn("read", LATE, began=began, now=began + 20, under_way=44)
    assert caller.limit.allowed == 44
    for _ in range(100):
        caller.limit.learn("read", DONE, began=began, now=began + 20, under_way=44)
    assert caller.limit.allowed == 44


def test_it_never_forbids_everything(caller: Caller) -> None:
    for _ in range(20):
        caller.signal()
    assert caller.limit.allowed == 1
    for _ in range(3):
        caller.round()
    assert caller.limit.allowed == 3


def test_it_never_goes_above_what_was_allowed() -> None:
    caller = Caller(AdaptiveLimit(10))
    for _ in range(5):
        caller.round()
    assert caller.limit.allowed == 10


def test_a_limit_that_nobody_reaches_does_not_grow(caller: Caller) -> None:
    for _ in range(100):
        caller.now += 1
        caller.limit.learn("read", DONE, began=caller.now - 0.02, now=caller.now, under_way=1)
    assert caller.limit.allowed == 4


def learned(caller: Caller, *, operation: str = "read") -> int:
    """Settle at a limit, with a good idea of how long an answer takes."""
    for _ in range(3):
        caller.round()
    caller.signal()
    for _ in range(5):
        caller.round(operation=operation)
    return caller.limit.allowed


def test_answers_that_take_much_longer_are_a_signal_before_anything_is_refused(caller: Caller) -> None:
    settled = learned(caller)
    for _ in range(10):
        caller.round(seconds=0.04)
    assert caller.limit.allowed < settled


def test_answers_that_take_a_little_longer_are_none(caller: Caller) -> None:
    settled = learned(caller)
    for _ in range(10):
        caller.round(seconds=0.026)
    assert caller.limit.allowed > settled


def test_one_late_answer_is_none(caller: Caller) -> None:
    settled = learned(caller)
    caller.answers(1, seconds=0.3)
    caller.round()
    assert caller.limit.allowed > settled


def test_one_late_answer_is_none_even_where_it_is_the_first_since_a_cut(caller: Caller) -> None:
    learned(caller)
    caller.signal()
    settled = caller.limit.allowed
    caller.answers(1, seconds=0.3)
    assert caller.limit.allowed == settled


def test_a_slow_operation_is_not_compared_with_a_quick_one(caller: Caller) -> None:
    settled = learned(caller)
    for _ in range(10):
        caller.round()
        caller.round(operation="upload", seconds=0.5)
    assert caller.limit.allowed > settled


def test_a_quick_refusal_is_no_yardstick(caller: Caller) -> None:
    learned(caller, operation="other")
    for _ in range(10):
        caller.round(attempt=classify_status(422), seconds=0.001)
    settled = caller.limit.allowed
    for _ in range(10):
        caller.round()
    assert caller.limit.allowed > settled


def test_a_platform_that_has_become_slower_is_believed_after_a_minute(caller: Caller) -> None:
    learned(caller)
    for _ in range(250):
        caller.round(seconds=0.25)
    # The old pace is forgotten by now.
    settled = caller.limit.allowed
    for _ in range(20):
        caller.round(seconds=0.25)
    assert caller.limit.allowed > settled


def test_within_the_minute_the_best_is_remembered(caller: Caller) -> None:
    settled = learned(caller)
    for _ in range(120):
        caller.round(seconds=0.25)
    assert caller.limit.allowed < settled / 2


def test_a_pause_of_minutes_forgets_how_long_answers_took(caller: Caller) -> None:
    settled = learned(caller)
    caller.now += 61
    for _ in range(20):
        caller.round(seconds=0.25)
    assert caller.limit.allowed > settled


def test_a_pause_of_less_does_not(caller: Caller) -> None:
    settled = learned(caller)
    caller.signal()
    caller.now += 31
    for _ in range(20):
        caller.round(seconds=0.25)
    assert caller.limit.allowed < settled / 2


# A simulated server: up to its knee all answers take the same, beyond it they queue up, and above a wall
# they are refused. Hungry callers fill whatever the limit allows.


@attrs.frozen
class Phase:
    seconds: float
    knee: int
    wall: int


@attrs.frozen
class Result:
    answers: int
    refusals: int
    median: float
    ideal: float

    @property
    def goodput(self) -> float:
        """Answers as a part of what the server could have given."""
        return self.answers / self.ideal

    @property
    def refused(self) -> float:
        """Refusals for each answer."""
        return self.refusals / self.answers


SHRINKING = (Phase(5, 32, 96), Phase(5, 12, 36))
GROWING = (Phase(10, 8, 24), Phase(20, 32, 96))


def even(rng: random.Random) -> float:
    return rng.uniform(0.95, 1.05)


def skewed(rng: random.Random) -> float:
    return rng.lognormvariate(-0.245, 0.7)


def wild(rng: random.Random) -> float:
    return 0.2 + 0.8 * rng.expovariate(1)


def simulate(
    phases: tuple[Phase, ...],
    *,
    seed: int,
    noise: Callable[[random.Random], float] = even,
    seconds: float = 0.02,
    most: int = 512,
) -> Result:
    rng, order, limit = random.Random(seed), itertools.count(), AdaptiveLimit(most)  # noqa: S311
    ends = list(itertools.accumulate(phase.seconds for phase in phases))
    under_way: list[tuple[float, int, float, Attempt]] = []
    now, serving, refusals = 0.0, 0, 0
    taken: list[float] = []
    while now < ends[-1]:
        phase = phases[next(i for i, end in enumerate(ends) if now < end)]
        while len(under_way) < limit.allowed:
            if serving >= phase.wall:
                ending = (now + 0.001, next(order), now, BUSY)
            else:
                serving += 1
                takes = seconds * max(1.0, serving / phase.knee) * noise(rng)
                ending = (now + takes, next(order), now, DONE)
            heapq.heappush(under_way, ending)
        count = len(under_way)
        now, _, began, attempt = heapq.heappop(under_way)
        limit.learn("read", attempt, began=began, now=now, under_way=count)
        if attempt is DONE:
            serving -= 1
            taken.append(now - began)
        else:
            refusals += 1
    ideal = sum(phase.seconds * phase.knee / seconds for phase in phases)
    return Result(len(taken), refusals, sorted(taken)[len(taken) // 2], ideal)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nearly_all_that_a_server_can_do_is_used_and_hardly_anything_refused(seed: int) -> None:
    result = simulate(SHRINKING, seed=seed)
    assert result.goodput > 0.97
    assert result.refused < 0.005
    # Not half as long again as a server without a queue takes.
    assert result.median < 0.03


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_capacity_that_is_added_is_found(seed: int) -> None:
    result = simulate(GROWING, seed=seed)
    assert result.goodput > 0.95
    assert result.refused < 0.005


@pytest.mark.parametrize("noise", [skewed, wild])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_chance_is_not_taken_for_load(seed: int, noise: Callable[[random.Random], float]) -> None:
    result = simulate(SHRINKING, seed=seed, noise=noise)
    assert result.goodput > 0.95
    assert result.refused < 0.02


def test_a_slow_platform_is_used_as_well() -> None:
    result = simulate((Phase(60, 32, 96),), seed=1, seconds=0.5, noise=skewed)
    assert result.goodput > 0.95
    assert result.refused < 0.01


def test_the_same_seed_ends_the_same() -> None:
    once, again = (simulate(SHRINKING, seed=7, noise=wild) for _ in range(2))
    assert once == again
    assert once != simulate(SHRINKING, seed=8, noise=wild)


# Pacing


def begin(pacing: Pacing, now: float) -> float:
    """Begin a request as soon as it may, and say when."""
    now += pacing.wait(now=now)
    pacing.take(now=now)
    return now


def test_requests_follow_one_another_at_the_rate() -> None:
    pacing = Pacing(2.0)
    now, began = 100.0, list[float]()
    for _ in range(4):
        now = begin(pacing, now)
        began.append(now)
    assert began == pytest.approx([100.0, 100.45, 100.95, 101.45])


def test_idle_time_is_not_saved_up() -> None:
    pacing = Pacing(10.0)
    begin(pacing, 100.0)
    began = [begin(pacing, 500.0) for _ in range(5)]
    assert began == pytest.approx([500.0, 500.05, 500.15, 500.25, 500.35])


def test_a_high_rate_is_no_leave_to_begin_many_at_once() -> None:
    pacing = Pacing(1000.0)
    began = [begin(pacing, 500.0) for _ in range(7)]
    assert began == pytest.approx([500.0] * 5 + [500.001, 500.002])


def test_timers_that_ring_late_do_not_slow_it_down() -> None:
    pacing = Pacing(1000.0)
    now = 100.0
    for _ in range(1000):
        now = begin(pacing, now) + 0.0004
    assert now == pytest.approx(101.0, abs=0.01)


def test_a_place_given_back_is_free() -> None:
    pacing = Pacing(1.0)
    pacing.take(now=100.0)
    before = pacing.wait(now=100.0)
    pacing.take(now=100.0)
    pacing.give_back()
    assert pacing.wait(now=100.0) == pytest.approx(before) == pytest.approx(0.95)


def test_what_rounding_leaves_of_a_pause_is_no_pause() -> None:
    pacing = Pacing(10.0)
    pacing.take(now=0.0)
    assert pacing.wait(now=0.05 - 1e-12) == 0
    assert pacing.wait(now=0.05 - 1e-6) > 0


@given(
    rate=st.floats(0.01, 10_000),
    pauses=st.lists(st.floats(0, 3), min_size=2, max_size=60),
)
def test_no_stretch_of_time_holds_more_requests_than_the_rate_allows(
    rate: float, pauses: list[float]
) -> None:
    pacing, now, began = Pacing(rate), 1000.0, list[float]()
    for pause in pauses:
        now = begin(pacing, now + pause / rate)
        began.append(now)
    for first, start in enumerate(began):
        for last in range(first, len(began)):
            held = (began[last] - start + 0.05) * rate + 1
            assert last - first + 1 <= held * (1 + 1e-6) + 1e-3


def test_outcomes_of_the_examples() -> None:
    """The examples above are what they are taken for."""
    assert DONE.outcome is Outcome.DONE
    assert BUSY.outcome is Outcome.THROTTLED
    assert LATE.outcome is Outcome.UNKNOWN
