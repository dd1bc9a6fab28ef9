"""What is waited for of an invoice, by the events that it has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from seqino.models import LifecycleEvent, LifecycleStatusCode
from seqino.resources.conditions import ConditionName, Wanted
from seqino.statuses.meanings import MEANINGS

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
NAMES = {meaning.number: meaning.value for meaning in MEANINGS.values() if meaning.number}


def path(*steps: int | tuple[int, str]) -> list[LifecycleEvent]:
    """Events a minute apart: a number, or a number with its emitter or its reason."""
    found: list[LifecycleEvent] = []
    for minute, step in enumerate(steps):
        number, detail = step if isinstance(step, tuple) else (step, "PDPE")
        is_emitter = detail.startswith(("PDP", "PA"))
        found.append(
            LifecycleEvent(
                status_code=LifecycleStatusCode(NAMES[number]),
                timestamp=START + timedelta(minutes=minute),
                emitter=detail if is_emitter else "PDPE",
                rejection_reason=None if is_emitter else detail,
            )
        )
    return found


UNSENT = (200, "NON_TRANSMISE")


@pytest.mark.parametrize(
    ("steps", "is_delivered"),
    [
        ((200, 201, 202), False),
        ((200, 201, 202, 203), True),
        *(((200, number), True) for number in (204, 205, 206, 207, 208, 209, 210)),
        # By the buyer; by the seller where it refunds.
        ((200, (211, "PDPR")), True),
        ((200, (211, "PDPE")), False),
        ((200, (211, "PA-E")), False),
        ((200, (220, "PDPR")), True),
        ((200, (220, "PDPE")), False),
        ((200, 201, 202, 210), True),
        ((200, 201, 202, 213), False),
        ((200, 212), True),
        ((200, 221), False),
        ((200, 225), False),
        ((UNSENT,), False),
        # A copy was handed over: nothing was delivered.
        ((UNSENT, 212), False),
        ((UNSENT, 203), True),
    ],
)
def test_an_invoice_is_delivered_once_its_buyer_has_it(
    steps: tuple[int | tuple[int, str], ...], *, is_delivered: bool
) -> None:
    assert Wanted.of("delivered").holds(path(*steps)) is is_delivered


@pytest.mark.parametrize(
    ("steps", "is_approved"),
    [
        ((200, 205), True),
        ((200, 205, 212), True),
        ((200, 206), False),
        ((200, 205, 207), False),
        ((200, 205, 210), False),
        ((200, 212), False),
    ],
)
def test_an_invoice_is_approved_while_nothing_undoes_it(steps: tuple[int, ...], *, is_approved: bool) -> None:
    assert Wanted.of("approved").holds(path(*steps)) is is_approved


@pytest.mark.parametrize("name", get_args(ConditionName))
def test_each_name_is_known_and_ruled_out_by_an_end(name: ConditionName) -> None:
    wanted = Wanted.of(name)
    assert not wanted.holds([])
    assert not wanted.is_ruled_out([])
    for end in (212, 210, (213, "DOUBLON")):
        assert wanted.is_ruled_out(path(200, end))


@pytest.mark.parametrize("name", get_args(ConditionName))
def test_without_a_platform_of_the_buyer_what_it_would_do_is_ruled_out(name: ConditionName) -> None:
    ruled_out = name in ("delivered", "approved")
    assert Wanted.of(name).is_ruled_out(path(UNSENT)) is ruled_out
    # It was delivered after all; a routing error is tried again.
    assert not Wanted.of(name).is_ruled_out(path(UNSENT, (202, "PDPR")))
    assert not Wanted.of(name).is_ruled_out(path(200, 201, (221, "PDPR")))


def test_of_several_one_is_enough_and_all_have_to_be_ruled_out() -> None:
    wanted = Wanted.of(("approved", "settled"))
    assert wanted.text == "approved or settled"
    assert wanted.holds(path(200, 205))
    assert not wanted.is_ruled_out(path(UNSENT))
    assert Wanted.of(("approved", "delivered")).is_ruled_out(path(UNSENT))


def test_what_a_function_waits_for_is_never_ruled_out() -> None:
    wanted = Wanted.of(lambda events: len(events) > 1)
    assert (wanted.holds(path(200)), wanted.holds(path(200, 210))) == (False, True)
    assert not wanted.is_ruled_out(path(200, 210))
