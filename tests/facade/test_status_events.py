"""Events of one object and of the whole feed: order, repetitions, and what is new."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta, timezone
from random import Random  # noqa: TC003 - hypothesis reads it

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino.models import LifecycleEvent, LifecycleStatusCode
from seqino.statuses import (
    LocalState,
    appeared,
    find_warnings,
    fingerprint,
    in_order,
    local_state,
    was_not_transmitted,
    without_repetitions,
)
from seqino.statuses.events import is_of_our_calendar

START = datetime(2026, 9, 1, 8, tzinfo=UTC)


@attrs.frozen
class Event:
    status_code: str
    timestamp: datetime = START
    rejection_reason: str | None = None
    emitter: str = "PDPE"
    reason: str | None = None


def at(minutes: int, name: str, **more: str) -> Event:
    return Event(f"InvoiceLifecycleStatus.{name}", START + timedelta(minutes=minutes), **more)


EVENTS = st.lists(
    st.builds(
        at,
        st.integers(0, 3),
        st.sampled_from(["DEPOSITED", "APPROVED", "COLLECTED", "TELEPORTED", "REJECTED"]),
        emitter=st.sampled_from(["PDPE", "PDPR"]),
        rejection_reason=st.sampled_from(["", "DOUBLON"]),
    ),
    max_size=8,
)


def test_events_go_by_moment_and_then_by_number_and_none_is_dropped() -> None:
    paris = timezone(timedelta(hours=2))
    late = Event("APPROVED", datetime(2026, 9, 1, 10, 30, tzinfo=paris))  # 08:30 UTC
    naive = Event("ACKNOWLEDGED", datetime(2026, 9, 1, 8, 20))  # noqa: DTZ001 - what is tested
    unknown = at(0, "TELEPORTED")
    events = [late, unknown, at(0, "MADE_AVAILABLE"), naive, at(0, "DEPOSITED")]
    assert in_order(events) == [
        at(0, "DEPOSITED"),
        at(0, "MADE_AVAILABLE"),
        unknown,
        naive,
        late,
    ]


@given(EVENTS, st.randoms())
def test_nothing_is_left_to_the_order_of_arrival(events: list[Event], random: Random) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    first, second = without_repetitions(events), without_repetitions(shuffled + events[:2])
    assert [fingerprint(event) for event in first] == [fingerprint(event) for event in second]


def test_a_repeated_event_is_one_and_one_of_another_platform_is_another() -> None:
    twice = [at(0, "DEPOSITED"), at(0, "DEPOSITED"), Event("DEPOSITED")]
    assert without_repetitions(twice) == [at(0, "DEPOSITED")]
    other = at(0, "DEPOSITED", emitter="PPF")
    assert without_repetitions([*twice, other]) == [at(0, "DEPOSITED"), other]
    for change in ({"reason": "a"}, {"rejection_reason": "b"}):
        assert len(without_repetitions([at(0, "DEPOSITED"), at(0, "DEPOSITED", **change)])) == 2


def test_a_moment_is_the_same_in_every_zone() -> None:
    paris = timezone(timedelta(hours=2))
    same = Event("InvoiceLifecycleStatus.DEPOSITED", START.astimezone(paris))
    assert fingerprint(same) == fingerprint(at(0, "DEPOSITED"))


def test_a_fingerprint_is_plain_text() -> None:
    mark = fingerprint(at(0, "DEPOSITED"))
    assert tuple(json.loads(json.dumps(mark))) == mark


def test_in_the_feed_repetitions_count() -> None:
    one = at(0, "DEPOSITED")
    before = [fingerprint(one)]
    assert appeared(before, [one]) == []
    assert appeared(before, [one, one]) == [one]
    assert appeared([], [at(1, "APPROVED"), one]) == [one, at(1, "APPROVED")]
    assert appeared(before, []) == []


@given(EVENTS, EVENTS)
def test_what_appeared_is_what_was_added(before: list[Event], more: list[Event]) -> None:
    found = appeared([fingerprint(event) for event in before], [*more, *before])
    assert sorted(map(fingerprint, found)) == sorted(map(fingerprint, more))


def test_events_of_the_api_are_events() -> None:
    event = LifecycleEvent(
        status_code=LifecycleStatusCode.INVOICE_DEPOSITED,
        timestamp=START,
        emitter="PDPE",
        rejection_reason="NON_TRANSMISE",
    )
    assert was_not_transmitted(event)
    assert without_repetitions(itertools.repeat(event, 3)) == [event]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone(-timedelta(hours=1))),
    ],
)
def test_a_moment_beyond_the_calendar_of_utc_is_a_moment_like_any_other(moment: datetime) -> None:
    odd, sent = Event("InvoiceLifecycleStatus.COLLECTED", moment), at(0, "DEPOSITED")
    assert fingerprint(odd) != fingerprint(Event(odd.status_code, moment.replace(tzinfo=UTC)))
    assert {event.timestamp for event in without_repetitions([odd, sent, odd])} == {moment, START}
    assert appeared([fingerprint(odd)], [odd, sent]) == [sent]
    assert local_state([odd]) is LocalState.SETTLED
    assert find_warnings([odd], now=START) == ()


def test_the_first_and_the_last_year_are_not_reckoned_with() -> None:
    years = (1, 2, 2026, 9998, 9999)
    assert [is_of_our_calendar(datetime(year, 6, 1, tzinfo=UTC)) for year in years] == [
        *(False, True, True, True, False)
    ]
