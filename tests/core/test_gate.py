"""Who is let through, when, and in which order; on a clock turned by hand."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import pytest

from seqino._core.gate import Gate
from seqino._core.limits import AdaptiveLimit, Pacing
from seqino._core.outcome import classify_status

if TYPE_CHECKING:
    from tests.core.conftest import Time


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Crowd:
    """Tasks that enter a gate, in order, and note that they are in."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: list[int] = []
        self.refused: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def come(self, count: int = 1, *, patience: float = math.inf) -> None:
        for _ in range(count):
            self.tasks.append(asyncio.create_task(self._enter(len(self.tasks), patience)))
        await settle()

    async def _enter(self, number: int, patience: float) -> None:
        (self.inside if await self.gate.enter(patience=patience) else self.refused).append(number)

    async def cancel(self, number: int) -> None:
        self.tasks[number].cancel()
        await settle()

    async def leave(self) -> None:
        self.gate.leave("read", None, began=0)
        await settle()


def limited(time: Time, most: int) -> Crowd:
    """A gate that lets so many through at a time; it begins with no more than 4."""
    return Crowd(Gate(time.runtime, limit=AdaptiveLimit(most), pacing=None))


def paced(time: Time, rate: float) -> Crowd:
    return Crowd(Gate(time.runtime, limit=None, pacing=Pacing(rate)))


async def test_as_many_as_are_allowed_go_through_and_the_others_wait_in_order(time: Time) -> None:
    crowd = limited(time, 2)
    await crowd.come(5)
    assert crowd.inside == [0, 1]
    assert (crowd.gate.allowed, crowd.gate.under_way, crowd.gate.waiting) == (2, 2, 3)
    for last in (2, 3, 4):
        await crowd.leave()
        assert crowd.inside == list(range(last + 1))
    assert (crowd.gate.under_way, crowd.gate.waiting) == (2, 0)


async def test_nobody_overtakes_those_who_wait(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come(2)
    # A place is free, and the one it is for has not come back to life yet.
    crowd.gate.leave("read", None, began=0)
    await crowd.come()
    assert crowd.inside == [0, 1]


async def test_a_limit_that_grows_lets_more_through_at_once(time: Time) -> None:
    crowd = limited(time, 100)
    await crowd.come(6)
    assert crowd.inside == [0, 1, 2, 3]
    crowd.gate.leave("read", classify_status(200), began=time.now)
    await settle()
    # One left, and the limit is 5 now.
    assert crowd.inside == [0, 1, 2, 3, 4, 5]
    assert crowd.gate.under_way == 5


async def test_a_limit_that_shrinks_lets_nobody_through_until_enough_have_left(time: Time) -> None:
    crowd = limited(time, 4)
    await crowd.come(6)
    crowd.gate.leave("read", classify_status(429), began=time.now)
    await settle()
    # 2 are allowed, 3 are under way.
    await crowd.leave()
    assert crowd.inside == [0, 1, 2, 3]
    await crowd.leave()
    assert crowd.inside == [0, 1, 2, 3, 4]


async def test_what_was_given_up_teaches_nothing(time: Time) -> None:
    crowd = limited(time, 100)
    await crowd.come(4)
    for _ in range(4):
        await crowd.leave()
    await crowd.come(9)
    assert crowd.gate.under_way == 4


async def test_patience_ends(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come()
    await crowd.come(patience=3)
    await crowd.come(patience=9)
    time.pass_by(3)
    await settle()
    assert (crowd.inside, crowd.refused) == ([0], [1])
    assert crowd.gate.waiting == 1
    await crowd.leave()
    assert crowd.inside == [0, 2]
    assert time.armed == 0


async def test_without_patience_there_is_no_wait(time: Time) -> None:
    crowd = limited(time, 1)
    assert await crowd.gate.enter(patience=-1)
    await crowd.come(patience=-1)
    time.pass_by(0)
    await settle()
    assert crowd.refused == [0]


async def test_patience_that_ends_after_the_turn_has_come_changes_nothing(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come()
    await crowd.come(patience=3)
    crowd.gate.leave("read", None, began=0)
    time.pass_by(3)
    await settle()
    assert (crowd.inside, crowd.refused) == ([0, 1], [])


async def test_the_place_of_one_who_was_cancelled_while_waiting_is_not_lost(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come(3)
    await crowd.cancel(1)
    await crowd.leave()
    assert crowd.inside == [0, 2]
    await crowd.leave()
    assert (crowd.gate.under_way, crowd.gate.waiting) == (0, 0)


async def test_the_place_of_one_who_was_cancelled_as_its_turn_came_goes_to_the_next(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come(3)
    crowd.gate.leave("read", None, began=0)
    await crowd.cancel(1)
    assert crowd.inside == [0, 2]
    await crowd.leave()
    assert (crowd.gate.under_way, crowd.gate.waiting) == (0, 0)


async def test_one_who_was_cancelled_as_its_patience_ended_takes_no_place(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come()
    await crowd.come(patience=3)
    time.pass_by(3)
    await crowd.cancel(1)
    assert crowd.gate.under_way == 1
    await crowd.leave()
    assert crowd.gate.under_way == 0


async def test_one_whose_coroutine_was_closed_takes_no_place(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come()
    entering = crowd.gate.enter(patience=math.inf)
    entering.send(None)
    entering.close()
    await crowd.leave()
    assert (crowd.gate.under_way, crowd.gate.waiting) == (0, 0)


async def test_all_who_wait_may_be_cancelled_at_once(time: Time) -> None:
    crowd = Crowd(Gate(time.runtime, limit=AdaptiveLimit(2), pacing=Pacing(10.0)))
    await crowd.come(50, patience=5)
    for task in crowd.tasks:
        task.cancel()
    await settle()
    # The first is inside.
    assert (crowd.gate.under_way, crowd.gate.waiting) == (1, 0)
    assert time.armed == 0
    time.pass_by(0.1)
    await crowd.come(2)
    assert crowd.inside == [0, 50]
    await crowd.leave()
    time.pass_by(0.1)
    await settle()
    assert crowd.inside == [0, 50, 51]


async def test_a_pace_is_kept_however_many_come(time: Time) -> None:
    crowd = paced(time, 10.0)
    assert crowd.gate.allowed is None
    await crowd.come(4)
    assert crowd.inside == [0]
    for expected in ([0, 1], [0, 1, 2], [0, 1, 2, 3]):
        time.pass_by(0.1)
        await settle()
        assert crowd.inside == expected
    assert time.armed == 0


async def test_a_timer_that_rings_late_is_no_leave_to_overtake(time: Time) -> None:
    crowd = paced(time, 10.0)
    await crowd.come(2)
    time.now += 0.2
    await crowd.come()
    assert crowd.inside == [0]
    time.pass_by(0)
    await settle()
    assert crowd.inside == [0, 1, 2]


async def test_whoever_was_let_through_and_did_not_begin_gives_its_turn_to_the_next(time: Time) -> None:
    crowd = paced(time, 1.0)
    await crowd.come(2)
    assert crowd.inside == [0]
    crowd.gate.withdraw()
    await settle()
    assert crowd.inside == [0, 1]
    assert crowd.gate.under_way == 1
    assert time.armed == 0


async def test_a_turn_given_back_moves_everybody_up(time: Time) -> None:
    crowd = paced(time, 1.0)
    await crowd.come()
    time.pass_by(0.95)
    await crowd.come(3)
    assert crowd.inside == [0, 1]
    crowd.gate.withdraw()
    await settle()
    assert crowd.inside == [0, 1, 2]
    time.pass_by(1.0)
    await settle()
    assert crowd.inside == [0, 1, 2, 3]


async def test_a_turn_given_back_without_a_pace_only_makes_room(time: Time) -> None:
    crowd = limited(time, 1)
    await crowd.come(2)
    crowd.gate.withdraw()
    await settle()
    assert crowd.inside == [0, 1]


async def test_the_pace_goes_on_when_there_is_room_again(time: Time) -> None:
    crowd = Crowd(Gate(time.runtime, limit=AdaptiveLimit(2), pacing=Pacing(10.0)))
    await crowd.come(4)
    for _ in range(3):
        time.pass_by(0.1)
        await settle()
    assert crowd.inside == [0, 1]
    await crowd.leave()
    assert crowd.inside == [0, 1, 2]
    await crowd.leave()
    # Room, but too soon after the last.
    assert crowd.inside == [0, 1, 2]
    time.pass_by(0.1)
    await settle()
    assert crowd.inside == [0, 1, 2, 3]


@pytest.mark.parametrize("most", [1, 3])
async def test_whatever_is_cancelled_no_place_is_ever_lost(time: Time, most: int) -> None:
    crowd = limited(time, most)
    await crowd.come(40, patience=50)
    for number in range(40):
        if number % 3 == 0:
            await crowd.cancel(number)
        elif number % 3 == 1:
            crowd.tasks[number].cancel()
        if crowd.gate.under_way:
            crowd.gate.leave("read", None, began=0)
        assert crowd.gate.under_way <= most
    await settle()
    while crowd.gate.under_way:
        await crowd.leave()
    assert crowd.gate.waiting == 0
    assert time.armed == 0
    entered = set(crowd.inside)
    assert entered | {number for number, task in enumerate(crowd.tasks) if task.cancelled()} == set(range(40))
