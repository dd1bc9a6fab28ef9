"""What may still follow, when the portal has to know, and what looks wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino.statuses import (
    Party,
    WarningKind,
    find_warnings,
    may_follow,
    portal_deadline,
)
from seqino.statuses.meanings import MEANINGS

START = datetime(2026, 9, 1, 8, tzinfo=UTC)
NAMES = {meaning.number: meaning.value for meaning in MEANINGS.values() if meaning.number}
NOTHING: set[int] = set()
MANDATORY = {200, 210, 212, 213}


@attrs.frozen
class Event:
    status_code: str
    timestamp: datetime = START
    rejection_reason: str | None = None
    is_mandatory: bool = False


def at(number: int, minutes: int = 0, reason: str | None = None, *, mandatory: bool = False) -> Event:
    return Event(NAMES[number], START + timedelta(minutes=minutes), reason, mandatory)


def path(*numbers: int) -> list[Event]:
    return [at(number, minutes) for minutes, number in enumerate(numbers)]


def following(events: list[Event], by: Party | None = None) -> set[int]:
    return {meaning.number for meaning in may_follow(events, by=by) if meaning.number is not None}


def setters(events: list[Event], number: int) -> frozenset[Party]:
    [found] = [meaning for meaning in may_follow(events) if meaning.number == number]
    return found.set_by


def test_a_refusal_may_still_follow_an_approval_and_a_payment() -> None:
    assert 210 in following(path(200, 201, 202, 203, 205))
    assert 210 in following(path(200, 205, 212))
    assert {205, 212} <= following(path(200, 201, 202, 203))


@pytest.mark.parametrize("end", [210, 213])
def test_after_a_refusal_or_a_rejection_no_mandatory_status_may_be_set_and_others_may(end: int) -> None:
    found = following([*path(200, 201, 202), at(end, 5, "CALCUL_ERR")])
    assert not found & MANDATORY
    assert {203, 205, 207, 220} <= found


def test_a_duplicate_refusal_forbids_nothing() -> None:
    assert following([*path(200, 201), at(213, 5, "DOUBLON")]) == following(path(200, 201))


def test_a_completion_answers_a_suspension() -> None:
    assert 209 not in following(path(200, 202, 204))
    assert 209 in following(path(200, 202, 208))
    assert following(path(200, 202, 208), Party.SELLER) >= {209, 212}


@pytest.mark.parametrize(
    ("party", "numbers"),
    [
        (Party.SELLER, {211, 212, 220, 225, 226, 227, 228}),
        (Party.BUYER, {204, 205, 206, 207, 208, 210, 211, 220}),
        (Party.SELLER_PLATFORM, {213}),
        (Party.BUYER_PLATFORM, {213, 221}),
        (Party.APPROVER, {214}),
        (Party.PORTAL, NOTHING),
    ],
)
def test_who_may_set_what(party: Party, numbers: set[int]) -> None:
    assert following(path(200, 201, 202, 203), party) == numbers


def test_statuses_of_the_transmission_are_set_in_order_and_again_after_a_routing_error() -> None:
    assert following([]) >= {200, 201, 202, 203, 213}
    assert not following(path(200, 202)) & {200, 201, 202}
    assert 203 in following(path(200, 202))
    assert following(path(200, 201, 202, 221)) >= {201, 202, 203}
    assert 200 not in following(path(200, 201, 221))


def test_where_the_buyer_has_no_platform_only_the_sellers_side_can_set_anything() -> None:
    events = [at(200, 0, "NON_TRANSMISE")]
    assert not following(events) & {202, 203, 204, 205, 206, 207, 208, 210}
    assert following(events) >= {201, 212, 213}
    assert setters(events, 213) == {Party.SELLER_PLATFORM}
    assert setters(events, 211) == {Party.SELLER}
    # It was delivered after all.
    assert 205 in following([*events, at(202, 60)])
    assert setters(path(200, 201), 213) == {Party.SELLER_PLATFORM, Party.BUYER_PLATFORM}


def test_what_has_to_come_with_a_status_is_said() -> None:
    [refused] = [meaning for meaning in may_follow(path(200, 203), by=Party.BUYER) if meaning.number == 210]
    assert refused.needs_reason
    assert refused.needs_comment
    assert "TX_TVA_ERR" in {reason.code for reason in refused.reasons}


def test_other_families_and_unknown_statuses_are_passed_over() -> None:
    others = [Event("RegulatoryDataStatus.REJECTED"), Event("TELEPORTED")]
    assert following([*path(200), *others]) == following(path(200))


@given(st.lists(st.sampled_from(sorted(number for number in NAMES if number < 250)), max_size=8))
def test_whatever_happened_nobody_may_set_what_is_not_theirs(numbers: list[int]) -> None:
    for party in Party:
        for meaning in may_follow(path(*numbers), by=party):
            assert party in meaning.set_by
            known = MEANINGS[meaning.value]
            assert meaning.set_by <= known.set_by


# --- The portal


@pytest.mark.parametrize("number", NAMES)
def test_a_mandatory_status_is_due_24_hours_after_its_own_timestamp(number: int) -> None:
    due = portal_deadline(at(number))
    assert due == (START + timedelta(hours=24) if number in MANDATORY - {212} else None)
    assert portal_deadline(at(number, mandatory=True)) == START + timedelta(hours=24)


def test_a_deadline_has_a_zone_and_an_unknown_status_none() -> None:
    naive = Event("REFUSED", datetime(2026, 9, 1, 8))  # noqa: DTZ001 - what is tested
    assert portal_deadline(naive) == START + timedelta(hours=24)
    assert portal_deadline(Event("TELEPORTED")) is None
    last = datetime.max.replace(tzinfo=UTC)
    assert portal_deadline(Event("REFUSED", last)) == last


def test_a_payment_is_due_at_the_portal_only_where_the_platform_says_so() -> None:
    # Only where VAT is due on payment, which no status tells.
    assert portal_deadline(at(212)) is None
    assert portal_deadline(at(212, mandatory=True)) == START + timedelta(hours=24)

    @attrs.frozen
    class Bare:
        status_code: str = NAMES[212]
        timestamp: datetime = START
        rejection_reason: str | None = None

    assert portal_deadline(Bare()) is None


LATER = START + timedelta(hours=30)


def kinds(
    events: list[Event],
    *,
    now: datetime = LATER,
    reports: list[Event] | None = None,
    patience: timedelta | None = timedelta(hours=20),
) -> list[tuple[str, WarningKind]]:
    found = find_warnings(events, now=now, reports=reports or [], patience=patience)
    return [(warning.event.status_code.rpartition(".")[2], warning.kind) for warning in found]


PAID = at(212, 1, mandatory=True)


def test_silence_of_the_portal_is_its_consent_unless_one_asks() -> None:
    for events in ([at(200), at(205), at(212, 1)], [at(200), PAID], [at(210, 0, "CALCUL_ERR")]):
        assert find_warnings(events, now=LATER) == ()


def test_who_asks_is_told_of_an_old_refusal_or_payment_without_a_report() -> None:
    events = [at(200), at(205), PAID]
    assert kinds(events) == [("COLLECTED", WarningKind.NOT_CONFIRMED)]
    assert kinds(events, now=START + timedelta(hours=19)) == []
    assert kinds([at(210, 0, "CALCUL_ERR")]) == [("REFUSED", WarningKind.NOT_CONFIRMED)]
    # Nobody says that VAT is due on payment.
    assert kinds([at(200), at(205), at(212, 1)]) == []
    [warning] = find_warnings(events, now=LATER, patience=timedelta(hours=20))
    assert warning.message.startswith("212 is 29 h old, unconfirmed: ")
    assert "silence means that it was taken" in warning.message
    assert warning.message_fr.startswith("212 date de 29 h, sans confirmation : ")
    [young] = find_warnings([PAID], now=PAID.timestamp + timedelta(minutes=9), patience=timedelta(0))
    assert young.message.startswith("212 is 0 h old")
    assert young.message_fr.startswith("212 date de 0 h")
    naive = datetime(2026, 9, 2, 14)  # noqa: DTZ001 - what is tested
    assert kinds(events, now=naive) == kinds(events)


def test_a_report_confirms_the_last_mandatory_status_before_it() -> None:
    report = Event("LifecycleStatusReporting.ACCEPTED", START + timedelta(hours=2))
    assert kinds([PAID], reports=[report]) == []
    again = at(212, 180, mandatory=True)
    assert kinds([PAID, again], reports=[report]) == [("COLLECTED", WarningKind.NOT_CONFIRMED)]
    early = Event("ACCEPTED", START - timedelta(hours=2))
    assert kinds([PAID], reports=[early]) == [("COLLECTED", WarningKind.NOT_CONFIRMED)]


@pytest.mark.parametrize("code", ["REJECTED", "LifecycleStatusReporting.REJECTED"])
def test_a_refusal_by_the_portal_is_a_warning_at_once(code: str) -> None:
    report = Event(code, START + timedelta(minutes=5), "REJ_ENCAISSEMENT")
    now = START + timedelta(minutes=6)
    assert kinds([at(212, 1)], now=now, reports=[report]) == [("COLLECTED", WarningKind.REFUSED_BY_PORTAL)]
    [warning] = find_warnings([at(212, 1)], now=now, reports=[report])
    assert "REJ_ENCAISSEMENT" in warning.message
    [silent] = find_warnings([at(212, 1)], now=now, reports=[attrs.evolve(report, rejection_reason=None)])
    assert "without a reason" in silent.message
    assert "a été rejeté : sans motif" in silent.message_fr


def test_reports_may_stand_among_the_events() -> None:
    events = [at(212, 1), Event("LifecycleStatusReporting.REJECTED", START + timedelta(minutes=5))]
    assert kinds(events) == [("COLLECTED", WarningKind.REFUSED_BY_PORTAL)]
    # A bare one there is an invoice's own.
    assert (
        "REJECTED",
        WarningKind.AFTER_THE_END,
    ) not in kinds([at(212, 1), Event("REJECTED", START + timedelta(minutes=5), "CALCUL_ERR")])


def test_a_mandatory_status_after_the_end_is_a_warning_and_an_optional_one_is_not() -> None:
    events = [at(200), at(213, 1, "REJ_COH"), at(205, 2), at(212, 3)]
    assert kinds(events, now=START) == [("COLLECTED", WarningKind.AFTER_THE_END)]
    assert kinds([at(200), at(213, 1, "DOUBLON"), at(212, 3)], now=START) == []
    # Two platforms tell of one rejection.
    assert kinds([at(200), at(213, 1, "REJ_COH"), at(213, 1, "REJ_COH")], now=START) == []


def test_a_status_that_needs_a_reason_and_has_none_is_a_warning() -> None:
    assert kinds(path(200, 206, 207, 208), now=START) == [
        ("PARTIALLY_APPROVED", WarningKind.WITHOUT_REASON),
        ("IN_DISPUTE", WarningKind.WITHOUT_REASON),
        ("SUSPENDED", WarningKind.WITHOUT_REASON),
    ]
