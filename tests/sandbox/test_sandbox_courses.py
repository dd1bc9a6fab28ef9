"""Courses: what was seen stays, whatever is cut off, added or put by hand; and the feed stays lawful."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqino.sandbox import SCENARIOS
from seqino.sandbox.clock import Clock
from seqino.sandbox.courses import gone_on, remaining, said, stopped
from seqino.sandbox.lifecycle import Leg, arrivals, history, moments
from seqino.sandbox.lifecycle_rules import FAMILIES, STATUSES, breaches
from seqino.sandbox.scenarios import Step
from seqino.sandbox.steering import NotAllowed, Steering
from seqino.sandbox.world import World
from seqino.sandbox.world.invoices import Invoices

if TYPE_CHECKING:
    from seqino.sandbox.world.records import Invoice

START = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
EVER = START + timedelta(days=4000)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@st.composite
def steps(draw: st.DrawFn) -> Step:
    about, name = draw(st.sampled_from(list(STATUSES)))
    after = draw(st.integers(0, 30))
    return Step(
        after=after,
        status=name,
        emitter=STATUSES[about, name].emitters[0],
        seen_after=draw(st.none() | st.integers(after, after + 60)),
        times=draw(st.integers(1, 3)),
        about=about,
        to_the_second=draw(st.booleans()),
    )


STEPS = st.lists(steps(), max_size=8).map(tuple)
CHANGES = st.lists(
    st.tuples(st.floats(0, 50), st.sampled_from(["wait", "stop", "add", "go on"]), STEPS), max_size=8
)


def seen(course: list[Leg], now: datetime) -> list[Any]:
    return [history(course, now, family, about) for about, family in FAMILIES.items()]


@given(STEPS, CHANGES)
def test_what_was_seen_never_disappears_or_changes_whatever_happens_to_the_course(
    first: tuple[Step, ...], changes: list[tuple[float, str, tuple[Step, ...]]]
) -> None:
    course, now = [Leg(first, START)], START
    before = seen(course, now)
    for wait, what, more in changes:
        now += seconds(wait)
        leg = Leg(more, now)
        if what == "stop":
            course = stopped(course, now)
        elif what == "add":
            course = [*course, leg]
        elif what == "go on":
            course = gone_on(course, leg, now)
        after = seen(course, now)
        for old, new in zip(before, after, strict=True):
            assert new[: len(old)] == old
        before = after


@given(STEPS, st.integers(0, 100), st.integers(0, 100))
def test_a_history_only_grows_and_only_at_its_moments(first: tuple[Step, ...], one: int, other: int) -> None:
    course = [Leg(first, START)]
    early, late = sorted((START + seconds(one), START + seconds(other)))
    grown = history(course, late)
    assert grown[: len(history(course, early))] == history(course, early)
    between = [moment for moment in moments(course, early) if moment <= late]
    assert bool(between) == (len(grown) > len(history(course, early)))
    assert between == sorted(set(between))


@given(STEPS, st.integers(0, 100))
def test_a_stopped_course_goes_no_further_and_stopping_again_changes_nothing(
    first: tuple[Step, ...], at: int
) -> None:
    now = START + seconds(at)
    course = stopped([Leg(first, START)], now)
    assert history(course, EVER) == history([Leg(first, START)], now)
    assert moments(course, now) == []
    assert stopped(course, now + seconds(5)) == course


@given(STEPS)
def test_events_arrive_in_order_as_often_as_they_come(first: tuple[Step, ...]) -> None:
    found = arrivals([Leg(first, START)], EVER)
    assert [one.at for one in found] == sorted(one.at for one in found)
    assert len(found) == sum(step.times for step in first if step.about is None)


def test_steps_that_would_be_seen_at_the_cut_never_happen() -> None:
    leg = Leg(SCENARIOS["paid"].steps, START, START + seconds(4))
    assert [step.after for _, step in leg.seen()] == [0, 2]


def test_a_late_step_is_cut_off_by_when_it_would_be_seen() -> None:
    course = stopped([Leg(SCENARIOS["late"].steps, START)], START + seconds(100))
    assert len(history(course, EVER)) == 1


def test_each_status_is_said_once_in_the_order_of_its_own_time() -> None:
    course = [Leg(SCENARIOS["repeated"].steps, START), Leg(SCENARIOS["out_of_order"].steps, START)]
    by_now = [step.status for step in said(course, EVER) if step.about is None]
    assert len(by_now) == 16
    early = said([Leg(SCENARIOS["out_of_order"].steps, START)], START + seconds(6))
    assert [step.status for step in early] == [
        "DEPOSITED", "TRANSMITTED_BY_PLATFORM", "DEPOSITED", "MADE_AVAILABLE",
    ]  # fmt: skip


# --- Another scenario ---


@pytest.mark.parametrize("name", SCENARIOS)
def test_all_of_a_scenario_is_left_for_an_invoice_that_has_nothing(name: str) -> None:
    scenario = SCENARIOS[name]
    left = remaining(scenario.steps, [])
    assert [(one.status, one.after, one.seen) for one in left] == [
        (one.status, one.after, one.seen) for one in scenario.steps
    ]


@pytest.mark.parametrize(
    ("seen_by", "name", "left"),
    [
        (7, "refused", [("ACKNOWLEDGED", 4), ("REFUSED", 14)]),
        (15, "refused", [("REFUSED", 10)]),
        (60, "paid", []),
        (25, "refused", [("REFUSED", 10)]),
        (2, "slow", [("DEPOSITED", 3), ("RECEIVED_BY_PLATFORM", 3598)]),
        (60, "payment_reversed", [("COLLECTED", 10), ("COLLECTED", 20)]),
        (60, "status_rejected", [("REJECTED", 5), ("COLLECTED", 20)]),
        (0, "not_delivered", [("DEPOSITED", 5)]),
        (5, "data_rejected", [("MADE_AVAILABLE", 2)]),
    ],
)
def test_what_an_invoice_has_already_is_left_out_and_the_rest_keeps_its_pace(
    seen_by: int, name: str, left: list[tuple[str, float]]
) -> None:
    by_now = said([Leg(SCENARIOS["paid"].steps, START)], START + seconds(seen_by))
    found = [(one.status, one.after) for one in remaining(SCENARIOS[name].steps, by_now)]
    assert found[: len(left)] == left
    assert bool(found) == bool(left)


def test_a_transmission_that_was_overtaken_is_not_made_up_for() -> None:
    by_now = said([Leg(SCENARIOS["out_of_order"].steps, START)], START + seconds(6))
    left = remaining(SCENARIOS["paid"].steps, by_now)
    assert left[0].status == "ACKNOWLEDGED", "203 is there, so that 202 comes no more"


def test_a_transmission_that_was_overtaken_still_arrives_when_another_scenario_is_taken() -> None:
    clock, invoice, steering = steered("out_of_order")
    clock.advance(6)
    steering.follow(invoice.invoice_id, "silent")
    assert [step.status for step in said(invoice.course, EVER) if step.about is None] == [
        "DEPOSITED", "TRANSMITTED_BY_PLATFORM", "RECEIVED_BY_PLATFORM", "MADE_AVAILABLE",
    ]  # fmt: skip
    assert invoice.events(EVER)[-1]["status_code"].endswith("RECEIVED_BY_PLATFORM")


def test_a_transmission_that_was_not_set_yet_comes_at_the_pace_of_the_other_scenario() -> None:
    clock, invoice, steering = steered("paid")
    clock.advance(3)
    steering.follow(invoice.invoice_id, "slow")
    clock.advance(60)
    assert invoice.events(clock.now())[-1]["status_code"].endswith("TRANSMITTED_BY_PLATFORM")
    later = [step.status for step in said(invoice.course, EVER)]
    assert later.count("RECEIVED_BY_PLATFORM") == 1


def test_a_transmission_that_a_rejection_by_hand_overtook_still_arrives() -> None:
    clock, invoice, steering = steered("late")
    clock.advance(3)
    steering.put(invoice.invoice_id, "REJECTED", rejection_reason="REJ_UNI")
    steering.follow(invoice.invoice_id, "not_delivered")
    assert [step.status for step in said(invoice.course, EVER) if step.about is None] == [
        "DEPOSITED", "TRANSMITTED_BY_PLATFORM", "REJECTED",
    ]  # fmt: skip


def test_what_should_have_been_seen_by_now_is_seen_at_once() -> None:
    own = [step for step in SCENARIOS["silent"].steps if step.about is None]
    (data, *_) = remaining(SCENARIOS["paid"].steps, own)
    assert (data.about, data.after, data.seen) == ("regulatory_data", 0, 0)


# --- Room for what is to come ---


def put(number_of: str, **changes: Any) -> Step:
    about = changes.pop("about", None)
    values: dict[str, Any] = {"emitter": STATUSES[about, number_of].emitters[0], **changes}
    return Step(after=0, status=number_of, about=about, **values)


def test_a_refusal_leaves_nothing_of_the_invoice_to_come_but_what_the_portal_says() -> None:
    now = START + seconds(4)
    step = put("REFUSED", rejection_reason="DEST_ERR", reason="Pas pour nous.")
    course = gone_on([Leg(SCENARIOS["paid"].steps, START)], Leg((step,), now), now)
    assert [event["status_code"].partition(".")[2] for event in history(course, EVER)] == [
        "DEPOSITED", "TRANSMITTED_BY_PLATFORM", "RECEIVED_BY_PLATFORM", "REFUSED",
    ]  # fmt: skip
    assert len(history(course, EVER, FAMILIES["regulatory_data"], "regulatory_data")) == 1


def test_a_refusal_in_the_future_lets_happen_what_comes_before_it() -> None:
    step = put("REFUSED", rejection_reason="DEST_ERR", reason="Pas pour nous.")
    leg = Leg((step,), START + seconds(25))
    course = gone_on([Leg(SCENARIOS["paid"].steps, START)], leg, START)
    assert [event["status_code"].partition(".")[2] for event in history(course, EVER)][-2:] == [
        "APPROVED",
        "REFUSED",
    ]


@pytest.mark.parametrize(
    ("name", "waited", "after"), [("paid", 0, 2), ("late", 3, 0)], ids=["at that moment", "not seen yet"]
)
def test_a_rejection_keeps_the_transmission_that_it_answers(name: str, waited: int, after: int) -> None:
    clock, invoice, steering = steered(name)
    clock.advance(waited)
    event = steering.put(invoice.invoice_id, "REJECTED", rejection_reason="REJ_UNI", after=after)
    assert event["emitter"] == "PDPR"
    names = [step.status for step in said(invoice.course, EVER) if step.about is None]
    assert names == ["DEPOSITED", "TRANSMITTED_BY_PLATFORM", "REJECTED"]


def test_a_completion_by_hand_takes_the_place_of_the_scenarios_own() -> None:
    now = START + seconds(25)
    course = gone_on([Leg(SCENARIOS["suspended"].steps, START)], Leg((put("COMPLETED"),), now), now)
    names = [event["status_code"].partition(".")[2] for event in history(course, EVER)]
    assert names.count("COMPLETED") == 1
    assert names[-1] == "COLLECTED"


def test_every_copy_of_a_repeated_status_is_overtaken_with_it() -> None:
    now = START + seconds(1)
    undelivered = put("DEPOSITED", rejection_reason="NON_TRANSMISE")
    late = tuple(attrs.evolve(step, after=step.after + 2) for step in SCENARIOS["paid"].steps)
    twice = tuple(attrs.evolve(step, times=2) for step in late) + late
    course = gone_on([Leg(twice, START)], Leg((undelivered,), now), now)
    assert [event["status_code"].partition(".")[2] for event in history(course, EVER)] == [
        "DEPOSITED", "COLLECTED", "COLLECTED", "COLLECTED",
    ]  # fmt: skip


def test_a_course_that_stays_as_it_is_shares_its_steps() -> None:
    leg = Leg(SCENARIOS["paid"].steps, START)
    course = gone_on([leg], Leg((put("ACKNOWLEDGED"),), START), START)
    assert course[0] is leg


# --- By hand, at random ---

PUTS = st.tuples(
    st.just("put"),
    st.sampled_from([FAMILIES[about] + "." + name for about, name in STATUSES]),
    st.floats(0, 40),
)
FOLLOWS = st.tuples(st.just("follow"), st.sampled_from(list(SCENARIOS)), st.just(0.0))


def steered(scenario: str) -> tuple[Clock, Invoice, Steering]:
    clock = Clock(speed=0, start=START)
    world = World(clock=clock, scenario=scenario)
    client = world.sponsor("a-key").clients["sandbox-client-seqino"]
    invoice = Invoices(world).take_file(
        client,
        number="F-1",
        seller="812345676",
        year="2026",
        buyer=None,
        carried={},
        is_shown=False,
        refused=None,
    )
    return clock, invoice, Steering(world)


@settings(max_examples=200)
@given(
    st.sampled_from(list(SCENARIOS)),
    st.lists(st.tuples(st.sampled_from([0, 1, 3, 9, 25, 200]), PUTS | FOLLOWS), max_size=8),
)
def test_whatever_is_done_by_hand_without_force_leaves_a_feed_that_a_platform_could_send(
    scenario: str, orders: list[tuple[int, tuple[str, str, float]]]
) -> None:
    clock, invoice, steering = steered(scenario)
    before: list[Any] = []
    for wait, (what, name, after) in orders:
        clock.advance(wait)
        try:
            if what == "follow":
                steering.follow(invoice.invoice_id, name)
            else:
                family, _, status = name.partition(".")
                about = next(about for about, one in FAMILIES.items() if one == family)
                reasons = sorted(STATUSES[about, status].reasons)
                steering.put(
                    invoice.invoice_id,
                    name,
                    rejection_reason=reasons[0] if reasons else None,
                    reason="Parce que.",
                    after=after,
                )
        except NotAllowed:
            pass
        now = seen(invoice.course, clock.now())
        assert all(new[: len(old)] == old for old, new in zip(before, now, strict=False)), (
            "what was seen stays"
        )
        before = now
    assert breaches_of(invoice.course) == []


def breaches_of(course: list[Leg]) -> list[str]:
    """Judge a whole course: each status after all that were set before it."""
    whole = said(course, EVER)
    return [one for place, step in enumerate(whole) for one in breaches(whole[:place], step)]
