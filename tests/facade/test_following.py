"""When an invoice is looked at again, and when no more."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino.errors import InvalidInput
from seqino.statuses import Backoff, GoalName, LocalState, LookAt, Over, Until, Watch, ends, next_step

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

PAUSES = st.timedeltas(min_value=timedelta(milliseconds=1), max_value=timedelta(days=2))


def schedule(first: timedelta, more: timedelta, factor: float) -> Backoff:
    return Backoff(first=first, longest=first + more, factor=factor)


BACKOFFS = st.builds(schedule, PAUSES, PAUSES, st.floats(1, 10))


@attrs.frozen
class Event:
    status_code: str
    rejection_reason: str | None = None
    timestamp: datetime = START


APPROVED, SUBMITTED, PAID = Event("APPROVED"), Event("DEPOSITED"), Event("COLLECTED")


def test_pauses_grow_from_a_minute_to_six_hours() -> None:
    backoff = Backoff()
    pauses = [backoff.pause(quiet) // MINUTE for quiet in range(11)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]


def test_an_invoice_that_is_silent_for_a_month_costs_127_requests() -> None:
    backoff = Backoff()
    assert backoff.looks(timedelta(seconds=59)) == 0
    assert backoff.looks(MINUTE) == 1
    assert backoff.looks(timedelta(hours=24)) == 11
    assert backoff.looks(timedelta(days=30)) == 127


@given(BACKOFFS, st.integers(0, 200), st.floats(0, 1))
def test_a_pause_never_shrinks_and_stays_in_its_bounds(backoff: Backoff, quiet: int, spread: float) -> None:
    pause = backoff.pause(quiet, spread=spread)
    assert backoff.first <= pause <= backoff.longest
    assert pause <= backoff.pause(quiet + 1, spread=spread)
    assert backoff.pause(quiet) <= pause <= backoff.pause(quiet) * 1.1 + timedelta(microseconds=1)


@given(BACKOFFS, st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=40)), PAUSES)
def test_an_older_invoice_never_cost_fewer_requests(
    backoff: Backoff, age: timedelta, more: timedelta
) -> None:
    assert 0 <= backoff.looks(age) <= backoff.looks(age + more)


@given(BACKOFFS, st.integers(0, 40))
def test_what_is_counted_is_what_is_done(backoff: Backoff, wanted: int) -> None:
    watch = Watch(since=START)
    for _ in range(wanted):
        watch = watch.looked(watch.due(backoff), news=False)
    age = (watch.looked_at or START) - START
    assert (watch.looks, watch.quiet) == (wanted, wanted)
    assert backoff.looks(age) == wanted


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"first": timedelta(0)}, "first"),
        ({"first": timedelta(hours=7)}, "longest"),
        ({"factor": 0.5}, "factor"),
        ({"factor": 11}, "factor"),
        ({"factor": float("nan")}, "factor"),
        ({"after_hint": timedelta(seconds=-1)}, "after_hint"),
    ],
)
def test_a_schedule_that_contradicts_itself_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        Backoff(**given)


def test_with_a_factor_of_one_all_pauses_are_alike() -> None:
    backoff = Backoff(first=MINUTE, factor=1)
    assert backoff.pause(1000) == MINUTE
    assert backoff.looks(timedelta(minutes=500)) == 500


# --- Hints


def test_news_make_the_pauses_short_again() -> None:
    backoff = Backoff()
    watch = Watch(since=START, quiet=5, looked_at=START)
    assert watch.due(backoff) == START + 32 * MINUTE
    assert watch.looked(START + HOUR, news=True).due(backoff) == START + HOUR + MINUTE
    assert watch.looked(START + HOUR, news=False).due(backoff) == START + HOUR + 64 * MINUTE


def test_a_webhook_asks_for_a_look_at_once_but_not_for_one_each_in_a_burst() -> None:
    backoff = Backoff()
    watch = Watch(since=START, quiet=9, looked_at=START)
    hinted = watch.hinted(START + HOUR)
    assert hinted.due(backoff) == START + MINUTE  # past: the short pauses begin anew
    assert Watch(since=START).hinted(START).due(backoff) == START
    looked = hinted.looked(START + HOUR, news=True)
    assert looked.hinted(START + HOUR + timedelta(seconds=1)).due(backoff) == START + HOUR + timedelta(
        seconds=5
    )


def test_a_webhook_that_comes_during_a_look_asks_for_another() -> None:
    backoff = Backoff()
    watch = Watch(since=START).hinted(START + HOUR).looked(START + HOUR, news=False)
    assert watch.due(backoff) == START + HOUR + backoff.after_hint
    answered = Watch(since=START).hinted(START + HOUR).looked(START + HOUR + MINUTE, news=True)
    assert answered.due(backoff) == START + HOUR + 2 * MINUTE


@given(BACKOFFS, st.integers(0, 30), st.integers(0, 10**6), st.floats(0, 1), st.booleans())
def test_a_webhook_never_makes_a_look_later(
    backoff: Backoff,
    quiet: int,
    after: int,
    spread: float,
    looked: bool,  # noqa: FBT001 - drawn
) -> None:
    watch = Watch(since=START, quiet=quiet, looked_at=START if looked else None)
    before = watch.due(backoff, spread=spread)
    hinted = watch.hinted(START + timedelta(seconds=after))
    assert hinted.due(backoff, spread=spread) <= before


def test_what_is_remembered_is_plain_data_and_has_zones() -> None:
    naive = datetime(2026, 9, 1, 8)  # noqa: DTZ001 - what is tested
    watch = Watch(since=naive, looked_at=naive, hinted_at=naive)
    assert watch == Watch(since=START, looked_at=START, hinted_at=START)
    stored = json.loads(json.dumps(attrs.asdict(watch), default=str))
    back: dict[str, Any] = {
        name: datetime.fromisoformat(value) if isinstance(value, str) else value
        for name, value in stored.items()
    }
    assert Watch(**back) == watch


# --- Ends


@pytest.mark.parametrize(
    ("events", "end", "approved"),
    [
        ([], False, False),
        ([SUBMITTED], False, False),
        ([SUBMITTED, APPROVED], False, True),
        ([Event("PARTIALLY_APPROVED")], False, False),
        ([APPROVED, Event("IN_DISPUTE", timestamp=START + HOUR)], False, False),
        ([APPROVED, PAID], True, True),
        ([PAID], True, True),
        ([Event("REFUSED")], True, True),
        ([Event("REJECTED")], True, True),
        ([SUBMITTED, Event("REJECTED", "DOUBLON")], True, True),
        ([SUBMITTED, Event("MADE_AVAILABLE"), Event("REJECTED", "DOUBLON")], False, False),
        ([APPROVED, Event("REJECTED", "DOUBLON")], False, True),
        ([Event("DEPOSITED", "NON_TRANSMISE")], True, True),
    ],
)
def test_what_an_invoice_is_followed_to(events: list[Event], *, end: bool, approved: bool) -> None:
    assert ends(events) is end
    assert ends(events, until="approved") is approved
    assert ends(iter(events), until=Until.APPROVED) is approved


def test_a_goal_that_does_not_exist_is_refused() -> None:
    goal: Any = "paid"
    with pytest.raises(InvalidInput, match="'end', 'approved', not 'paid'"):
        ends([], until=goal)
    with pytest.raises(InvalidInput, match="until"):
        next_step(Watch(since=START), [SUBMITTED], until=goal)


def test_each_goal_has_a_name() -> None:
    assert get_args(GoalName) == tuple(Until)


def test_the_next_step_is_a_look_or_an_end() -> None:
    watch = Watch(since=START)
    assert next_step(watch, []) == LookAt(START + MINUTE)
    assert next_step(watch, [SUBMITTED], backoff=Backoff(first=HOUR)) == LookAt(START + HOUR)
    assert next_step(watch, [SUBMITTED], spread=1) == LookAt(START + timedelta(seconds=66))
    assert next_step(watch, [PAID]) == Over(LocalState.SETTLED)
    assert next_step(watch, [APPROVED]) == LookAt(START + MINUTE)
    assert next_step(watch, [APPROVED], until="approved") == Over(LocalState.ACCEPTED)


def test_following_expires_after_one_more_look_at_that_age() -> None:
    day = timedelta(days=1)
    watch = Watch(since=START, looked_at=START + 23 * HOUR, quiet=20)
    assert next_step(watch, [SUBMITTED], max_age=day) == LookAt(START + day)
    late = watch.looked(START + day, news=False)
    assert next_step(late, [SUBMITTED], max_age=day) == Over(LocalState.EXPIRED)
    assert next_step(late, [], max_age=day) == Over(LocalState.EXPIRED)
    assert next_step(late, [PAID], max_age=day) == Over(LocalState.SETTLED)
    assert isinstance(next_step(late, [SUBMITTED]), LookAt)
    assert next_step(Watch(since=START), [], max_age=day) == LookAt(START + MINUTE)


@given(BACKOFFS, PAUSES)
def test_a_watch_with_an_age_always_ends(backoff: Backoff, max_age: timedelta) -> None:
    watch = Watch(since=START)
    for _ in range(backoff.looks(max_age) + 2):
        step = next_step(watch, [SUBMITTED], max_age=max_age, backoff=backoff)
        if isinstance(step, Over):
            assert step == Over(LocalState.EXPIRED)
            return
        watch = watch.looked(step.moment, news=False)
    pytest.fail("it was looked at more often than was counted")
