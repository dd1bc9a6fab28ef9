from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import MAGIC_BUYERS, SCENARIOS, Sandbox
from seqino.sandbox.courses import objections, said
from seqino.sandbox.description import SHIPPED
from seqino.sandbox.lifecycle import Leg, arrivals, history
from seqino.sandbox.lifecycle_rules import FAMILIES, STATUSES
from seqino.sandbox.scenarios import DUPLICATE, UNSOUND, Scenario, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
EVER = START + timedelta(days=400)

ON_ITS_WAY = [200, 201, 202, 203]
IN_HAND = [*ON_ITS_WAY, 204]
PAID = [*IN_HAND, 205, 211, 212]
COURSES = {
    "paid": PAID,
    "approved": [*IN_HAND, 205],
    "partially_approved": [*IN_HAND, 206, 211, 212],
    "refused": [*IN_HAND, 210],
    "disputed": [*IN_HAND, 207, 205, 211, 212],
    "suspended": [*IN_HAND, 208, 209, 205, 211, 212],
    "rejected": [200, 201, 213],
    "rejected_on_issue": [213],
    "not_delivered": [200],
    "silent": ON_ITS_WAY,
    "corrected": [*IN_HAND, 207],
    "disputed_then_refused": [*IN_HAND, 207, 210],
    "never_completed": [*IN_HAND, 208],
    "approved_then_refused": [*IN_HAND, 205, 210],
    "paid_directly": [*ON_ITS_WAY, 212],
    "paid_in_parts": [*IN_HAND, 205, 212, 212, 212],
    "payment_reversed": [*IN_HAND, 205, 211, 212, 212, 212],
    "refunded": [*PAID, 211],
    "not_delivered_then_paid": [200, 212],
    "rejected_recipient": [200, 201, 213],
    "rejected_total": [200, 201, 213],
    "rejected_attachment": [200, 201, 213],
    "inadmissible": [],
    "data_rejected": PAID,
    "status_rejected": [*PAID, 212],
    "late": PAID,
    "repeated": PAID,
    "out_of_order": PAID,
    "slow": PAID,
    "storm": [*IN_HAND, 205, 211, *[212] * 20],
    "same_timestamp": PAID,
    "same_second": PAID,
}
"""Statuses of each scenario in the order of their own times, each once."""

EVERY = [*SCENARIOS.values(), DUPLICATE, UNSOUND]
VARIANTS = [
    pytest.param(one.steps_of(type_code, is_file=is_file), id=f"{one.name}-{type_code}-{is_file}")
    for one in EVERY
    for type_code in ("380", "381")
    for is_file in (False, True)
]


def luhn(digits: str) -> bool:
    total = 0
    for place, one in enumerate(reversed(digits)):
        value = int(one) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def numbers(steps: Iterable[Step]) -> list[int | None]:
    return [STATUSES[None, step.status].number for step in steps if step.about is None]


def played(name: str) -> list[Step]:
    return said([Leg(SCENARIOS[name].steps, START)], EVER)


def arrived(name: str) -> list[int | None]:
    events = history([Leg(SCENARIOS[name].steps, START)], EVER)
    return [STATUSES[None, event["status_code"].partition(".")[2]].number for event in events]


# --- The tables ---


def test_every_scenario_has_its_course_here() -> None:
    assert COURSES.keys() == SCENARIOS.keys()


@pytest.mark.parametrize("name", COURSES)
def test_a_scenario_takes_its_course(name: str) -> None:
    assert numbers(played(name)) == COURSES[name]


def test_magic_buyers_are_sirens_and_every_scenario_has_one() -> None:
    assert all(len(siren) == 9 and siren.startswith("99999") and luhn(siren) for siren in MAGIC_BUYERS)
    assert sorted(MAGIC_BUYERS.values()) == sorted(SCENARIOS)


# --- The rules, for every scenario ---


@pytest.mark.parametrize("steps", VARIANTS)
def test_every_course_keeps_the_rules_of_the_reform(steps: tuple[Step, ...]) -> None:
    assert list(objections([], Leg(steps, START))) == []


@pytest.mark.parametrize("scenario", [one for one in EVERY if one.credited], ids=lambda one: one.name)
def test_what_follows_a_credit_note_keeps_the_rules_too(scenario: Scenario) -> None:
    course = [Leg(scenario.steps, START)]
    later = START + timedelta(days=1)
    assert list(objections(course, Leg(scenario.credited, later))) == []


@pytest.mark.parametrize("steps", VARIANTS)
def test_steps_stand_in_the_order_of_their_own_times_and_none_is_seen_before_its_time(
    steps: tuple[Step, ...],
) -> None:
    moments = [step.after for step in steps]
    assert moments == sorted(moments)
    assert all(step.seen >= step.after >= 0 for step in steps)


@pytest.mark.parametrize("scenario", EVERY, ids=lambda one: one.name)
def test_payments_that_are_not_the_only_one_say_in_words_what_they_are(scenario: Scenario) -> None:
    payments = [step for step in said([Leg(scenario.steps, START)], EVER) if step.status == "COLLECTED"]
    if len(payments) > 1 and scenario.name != "status_rejected":
        assert all(step.reason for step in payments)
        assert len({step.reason for step in payments}) == len(payments)


@pytest.mark.parametrize("steps", VARIANTS)
def test_only_statuses_that_the_description_has_are_answered(steps: tuple[Step, ...]) -> None:
    described = json.loads(SHIPPED.read_bytes())["components"]["schemas"]["LifecycleStatusCode"]
    known = {*described["enum"], *described["x-published-additional-values"]}
    assert {f"{FAMILIES[step.about]}.{step.status}" for step in steps} <= known


# --- What networks do ---


def test_late_events_are_seen_minutes_to_days_after_their_own_times() -> None:
    found = arrivals([Leg(SCENARIOS["late"].steps, START)], EVER)
    delays = [one.at - datetime.fromisoformat(one.event["timestamp"]) for one in found]
    assert max(delays) >= timedelta(days=1)
    assert sum(delay >= timedelta(minutes=2) for delay in delays) == len(PAID) - 1


def test_repeated_events_come_three_times_and_look_alike() -> None:
    events = history([Leg(SCENARIOS["repeated"].steps, START)], EVER)
    assert len(events) == 3 * len(PAID)
    assert all(events.count(event) == 3 for event in events)


def test_out_of_order_events_arrive_in_another_order_than_that_of_their_times() -> None:
    assert arrived("out_of_order") == [200, 201, 203, 202, 204, 212, 205, 211]


def test_slow_networks_take_weeks() -> None:
    assert played("slow")[-1].after >= 30 * 86400


def test_a_storm_is_over_within_a_second() -> None:
    own = [step.after for step in played("storm") if step.about is None]
    assert len(own) > 20
    assert max(own) < 1


def test_statuses_that_belong_together_bear_one_time() -> None:
    events = history([Leg(SCENARIOS["same_timestamp"].steps, START)], EVER)
    together = [
        [event["status_code"].partition(".")[2] for event in group]
        for _, group in groupby(events, key=lambda event: event["timestamp"])
    ]
    assert together[2:] == [
        ["RECEIVED_BY_PLATFORM", "MADE_AVAILABLE"],
        ["ACKNOWLEDGED", "APPROVED"],
        ["PAYMENT_TRANSMITTED", "COLLECTED"],
    ]


def test_deposits_of_one_second_look_alike() -> None:
    def two(name: str) -> list[list[dict[str, Any]]]:
        steps = SCENARIOS[name].steps
        return [history([Leg(steps, START + timedelta(seconds=one))], EVER) for one in (0.1, 0.9)]

    first, second = two("same_second")
    assert first == second
    first, second = two("paid")
    assert first != second


# --- Played by the sandbox ---


@pytest.mark.parametrize("name", COURSES)
async def test_an_invoice_takes_the_course_of_the_run(calling: Callable[[Sandbox], Any], name: str) -> None:
    async with Sandbox(speed=0, scenario=name) as sandbox:
        call = calling(sandbox)
        invoice_id = await call.issue()
        sandbox.clock.advance(400 * 86400)
        statuses = await call.statuses(invoice_id)
        assert [STATUSES[None, one].number for one in statuses] == arrived(name)


@pytest.mark.parametrize(("siren", "name"), MAGIC_BUYERS.items())
async def test_a_magic_buyer_goes_before_the_scenario_of_the_run(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any], siren: str, name: str
) -> None:
    sandbox.scenario = "paid" if name == "refused" else "refused"
    invoice_id = await call.issue(for_buyer(siren))
    sandbox.clock.advance(400 * 86400)
    statuses = await call.statuses(invoice_id)
    assert [STATUSES[None, one].number for one in statuses] == arrived(name)


async def test_a_refunded_credit_note_is_paid_back_by_its_seller(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any]
) -> None:
    sandbox.scenario = "refunded"
    invoice_id = await call.issue(draft(type_code="381"))
    sandbox.clock.advance(3600)
    (last,) = (await call("GET", f"/lifecycle-events?object_type=invoice&object_id={invoice_id}")).body[-1:]
    assert last["status_code"].endswith("PAYMENT_TRANSMITTED")
    assert last["emitter"] == "PDPE"
    assert "COLLECTED" not in await call.statuses(invoice_id)


# --- The page ---


def row(name: str) -> str:
    """The line of a scenario in the page, made from the code alone."""
    words: list[str] = []
    told = [(STATUSES[step.about, step.status].number, step.rejection_reason) for step in played(name)]
    for (number, reason), alike in groupby(one for one in told if one[0] != 250):
        count = len(list(alike))
        words.append(f"{number}{f' {reason}' if reason else ''}{f' (x{count})' if count > 1 else ''}")
    siren = next(siren for siren, one in MAGIC_BUYERS.items() if one == name)
    return f"| `{name}` | {siren} | {', '.join(words)} | {SCENARIOS[name].summary} |"


def test_the_page_shows_every_scenario_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert rows == [row(name) for name in SCENARIOS]
