"""How long something is waited for, and how long each look at it may take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.errors import InvalidInput
from seqino.options import CallOptions
from seqino.resources.patience import Patience
from seqino.statuses import Backoff

if TYPE_CHECKING:
    from tests.facade.conftest import Clock


@attrs.frozen
class Caller:
    timeout: float = 60.0


def patience(clock: Clock, timeout: Any, *, options: CallOptions | None = None) -> Patience:
    caller: Any = Caller()
    return Patience(clock.runtime(), caller, timeout=timeout, backoff=Backoff(), options=options)


@pytest.mark.parametrize(
    ("timeout", "own", "given"),
    [(10, None, 10), (1000, None, 60), (1000, 5.0, 5), (3, 5.0, 3), (math.inf, None, 60), (math.inf, 7.0, 7)],
)
def test_a_look_has_no_more_time_than_there_is(
    clock: Clock, timeout: float, own: float | None, given: float
) -> None:
    options = CallOptions(timeout=own, max_retries=0)
    found = patience(clock, timeout, options=options).options
    assert (found.timeout, found.max_retries) == (given, 0)


def test_what_is_left_grows_less_and_something_is_kept_for_the_last_look(clock: Clock) -> None:
    waiting = patience(clock, 10)
    assert not waiting.is_over
    clock.now = 8.5
    assert (waiting.options.timeout, waiting.is_over) == (1.5, False)
    clock.now = 9.0
    assert (waiting.options.timeout, waiting.is_over) == (1.0, True)
    # The program was busy for longer.
    clock.now = 20.0
    assert (waiting.options.timeout, waiting.is_over) == (1.0, True)


async def test_a_pause_ends_before_the_last_look(clock: Clock) -> None:
    waiting = patience(clock, 100)
    await waiting.pause(news=False)
    await waiting.pause(news=False, told=30.0)
    await waiting.pause(news=False)
    assert clock.slept == [60, 39, 0]
    short = patience(clock, 2)
    await short.pause(news=True)
    assert clock.slept[-1] == 1.5


@pytest.mark.parametrize("timeout", [0, -1, "5", math.nan, None, True])
def test_a_time_that_is_none_is_refused(clock: Clock, timeout: Any) -> None:
    with pytest.raises(InvalidInput, match="timeout must be a number of seconds above 0"):
        patience(clock, timeout)
