from __future__ import annotations

import itertools
import pickle
from datetime import UTC, datetime, timedelta, timezone
from random import Random  # noqa: TC003 - hypothesis reads it

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqino.statuses import (
    Family,
    LocalState,
    StatusMeaning,
    is_duplicate_refusal,
    local_state,
    resolve,
)

INVOICE_NAMES = {
    "DEPOSITED": (200, "Déposée", "Submitted"),
    "TRANSMITTED_BY_PLATFORM": (201, "Émise par la plateforme", "Issued by platform"),
    "RECEIVED_BY_PLATFORM": (202, "Reçue par la plateforme", "Received by platform"),
    "MADE_AVAILABLE": (203, "Mise à disposition", "Made available"),
    "ACKNOWLEDGED": (204, "Prise en charge", "In hand"),
    "APPROVED": (205, "Approuvée", "Approved"),
    "PARTIALLY_APPROVED": (206, "Approuvée partiellement", "Partially approved"),
    "IN_DISPUTE": (207, "En litige", "In dispute"),
    "SUSPENDED": (208, "Suspendue", "Suspended"),
    "COMPLETED": (209, "Complétée", "Completed"),
    "REFUSED": (210, "Refusée", "Refused"),
    "PAYMENT_TRANSMITTED": (211, "Paiement transmis", "Payment transmitted"),
    "COLLECTED": (212, "Encaissée", "Payment received"),
    "REJECTED": (213, "Rejetée", "Rejected"),
    "REVIEWED": (214, "Visée", "Reviewed"),
    "CANCELLED": (220, "Annulée", "Cancelled"),
    "ROUTING_ERROR": (221, "Erreur de routage", "Routing error"),
    "DIRECT_PAYMENT_REQUESTED": (224, "Demande de paiement direct", "Direct payment request"),
    "FACTORED": (225, "Affacturée", "Factored"),
    "FACTORED_CONFIDENTIALLY": (226, "Affacturée confidentiel", "Factored, confidential"),
    "PAYEE_ACCOUNT_CHANGED": (227, "Changement de compte à payer", "Change of account payable"),
    "NOT_FACTORED": (228, "Non affacturée", "Not factored"),
}
OTHERS = {
    "RegulatoryDataStatus.DEPOSITED": 250,
    "RegulatoryDataStatus.REJECTED": 251,
    "RegulatoryDataStatus.MADE_AVAILABLE": None,
    "RegulatoryDataStatus.ACCEPTED_BY_ADMINISTRATION": None,
    "RegulatoryDataStatus.REFUSED_BY_ADMINISTRATION": None,
    "FlowStatus.RECEIVABLE": 500,
    "FlowStatus.UNACCEPTABLE": 501,
    "DirectoryEntryStatus.ACCEPTED": 400,
    "DirectoryEntryStatus.REJECTED": 401,
    "TransactionDataStatus.DEPOSITED": 300,
    "TransactionDataStatus.REJECTED": 301,
    "TransactionDataStatus.REFUSED_BY_ADMINISTRATION": None,
    "TransactionDataStatus.ACCEPTED_BY_ADMINISTRATION": None,
    "LifecycleStatusReporting.REJECTED": 601,
    "MandateLifecycleStatus.CREATED": None,
    "MandateLifecycleStatus.ACTIVE": None,
}
BY_NUMBER = {number: name for name, (number, _, _) in INVOICE_NAMES.items()}
START = datetime(2026, 9, 1, 8, tzinfo=UTC)


class Code(StatusMeaning):
    """As generated code derives it: member names differ from values."""

    INVOICE_DEPOSITED = "InvoiceLifecycleStatus.DEPOSITED"
    INVOICE_REJECTED = "InvoiceLifecycleStatus.REJECTED"
    FLOW_RECEIVABLE = "FlowStatus.RECEIVABLE"
    INVOICE_NEWBORN = "InvoiceLifecycleStatus.NEWBORN"


@attrs.frozen
class Event:
    status_code: str
    timestamp: datetime = START
    rejection_reason: str | None = None


def at(number: int, minutes: int = 0, reason: str | None = None) -> Event:
    code = Code(f"InvoiceLifecycleStatus.{BY_NUMBER[number]}")
    return Event(code, START + timedelta(minutes=minutes), reason)


def path(*numbers: int) -> list[Event]:
    return [at(number, minutes) for minutes, number in enumerate(numbers)]


@pytest.mark.parametrize("name", INVOICE_NAMES)
def test_an_invoice_status_knows_its_number_and_labels(name: str) -> None:
    number, french, english = INVOICE_NAMES[name]
    code = Code(f"InvoiceLifecycleStatus.{name}")
    assert code.family is Family.INVOICE
    assert (code.number, code.label_fr, code.label_en, code.short_name) == (number, french, english, name)


@pytest.mark.parametrize("value", OTHERS)
def test_every_published_family_has_meaning(value: str) -> None:
    family, _, name = value.partition(".")
    code = Code(value)
    assert code.family == family
    assert code.number == OTHERS[value]
    assert code.short_name == name
    assert value not in (code.label_fr, code.label_en)


def test_known_and_generated_members_are_one_value() -> None:
    assert Code("InvoiceLifecycleStatus.DEPOSITED") is Code.INVOICE_DEPOSITED
    assert str(Code.INVOICE_DEPOSITED) == "InvoiceLifecycleStatus.DEPOSITED"
    assert Code.INVOICE_DEPOSITED.is_known
    assert Code.INVOICE_DEPOSITED.number == 200


@pytest.mark.parametrize(
    ("value", "family", "short"),
    [
        ("InvoiceLifecycleStatus.TELEPORTED", Family.INVOICE, "TELEPORTED"),
        ("GalacticStatus.DEPOSITED", None, "DEPOSITED"),
        ("DEPOSITED", None, "DEPOSITED"),
        ("", None, ""),
        (".", None, ""),
    ],
)
def test_an_unknown_value_is_kept_as_its_own_label(value: str, family: Family | None, short: str) -> None:
    code = Code(value)
    assert code == value
    assert not code.is_known
    assert (code.family, code.short_name, code.number) == (family, short, None)
    assert (code.label_fr, code.label_en) == (value, value)
    assert pickle.loads(pickle.dumps(code)) == code  # noqa: S301 - made here


def test_a_described_value_without_meaning_is_a_known_member_without_number() -> None:
    assert Code.INVOICE_NEWBORN.is_known
    assert not Code.INVOICE_NEWBORN.has_meaning
    assert Code.INVOICE_DEPOSITED.has_meaning
    assert Code.INVOICE_NEWBORN.number is None
    assert Code.INVOICE_NEWBORN.label_en == "InvoiceLifecycleStatus.NEWBORN"


def test_families_and_object_types_map_one_to_one() -> None:
    types = [
        "invoice",
        "regulatory_data",
        "flow",
        "directory_entry",
        "transaction_data",
        "lifecycle_status",
        "mandate",
    ]
    assert [family.object_type for family in Family] == types
    assert [Family.of(name) for name in types] == list(Family)
    assert Family.of("starship") is None
    assert Family.of("INVOICE") is None


@pytest.mark.parametrize(
    ("object_type", "number"),
    [("invoice", 200), ("regulatory_data", 250), ("transaction_data", 300)],
)
def test_a_bare_deposited_is_resolved_by_its_object_type(object_type: str, number: int) -> None:
    resolved = resolve(Code("DEPOSITED"), object_type)
    assert isinstance(resolved, Code)
    assert resolved.number == number
    assert resolved.short_name == "DEPOSITED"


def test_a_resolved_member_is_the_generated_one() -> None:
    assert resolve(Code("DEPOSITED"), "invoice") is Code.INVOICE_DEPOSITED


@pytest.mark.parametrize("value", ["InvoiceLifecycleStatus.DEPOSITED", "TELEPORTED", "COLLECTED", ""])
def test_resolving_leaves_what_the_family_does_not_have(value: str) -> None:
    code = Code(value)
    assert resolve(code, "flow") is code
    assert resolve(code, "starship") is code


@pytest.mark.parametrize(
    ("numbers", "state"),
    [
        ((200,), LocalState.IN_TRANSIT),
        ((200, 201, 202, 203), LocalState.IN_TRANSIT),
        ((200, 201, 202, 203, 204), LocalState.AWAITING_BUYER),
        ((207,), LocalState.AWAITING_BUYER),
        ((202, 208), LocalState.AWAITING_BUYER),
        ((202, 208, 209), LocalState.AWAITING_BUYER),
        ((202, 207, 208, 209, 205), LocalState.ACCEPTED),
        ((202, 206), LocalState.ACCEPTED),
        ((205, 207), LocalState.AWAITING_BUYER),
        ((205, 211), LocalState.ACCEPTED),
        ((203, 211), LocalState.IN_TRANSIT),
        ((211,), None),
        ((214, 224, 225, 226, 227, 228), None),
        ((202, 206, 212), LocalState.SETTLED),
        ((200, 212, 212), LocalState.SETTLED),
        ((202, 210), LocalState.DEAD),
        ((213,), LocalState.DEAD),
        ((205, 210), LocalState.DEAD),
        ((205, 220), LocalState.DEAD),
        ((210, 205, 212), LocalState.DEAD),
        ((212, 220), LocalState.SETTLED),
        ((200, 201, 221), LocalState.NOT_DELIVERED),
        ((200, 221, 202), LocalState.IN_TRANSIT),
        ((204, 203), LocalState.AWAITING_BUYER),
    ],
)
def test_local_states(numbers: tuple[int, ...], state: LocalState | None) -> None:
    assert local_state(path(*numbers)) == state


def test_nothing_known_is_no_state() -> None:
    assert local_state([]) is None
    assert local_state([Event("GalacticStatus.LOST"), Event("InvoiceLifecycleStatus.NEWBORN")]) is None


@pytest.mark.parametrize("reason", ["DOUBLON", "doublon", "DOUBLON: invoice already held", "[DOUBLON]"])
def test_a_duplicate_refusal_never_overwrites_the_state(reason: str | None) -> None:
    events = [*path(200, 201, 202, 203, 205), at(213, 60, reason)]
    assert is_duplicate_refusal(events[-1])
    assert local_state(events) == LocalState.ACCEPTED
    assert local_state([*events, at(212, 90)]) == LocalState.SETTLED


@pytest.mark.parametrize("before", [(), (200,), (200, 201), (200, 201, 202)])
@pytest.mark.parametrize("minute", [0, 60])
def test_a_refused_delivery_that_shows_no_other_life_is_a_duplicate(
    before: tuple[int, ...], minute: int
) -> None:
    events = [*path(*before), at(213, minute, "DOUBLON")]
    assert local_state(events) == LocalState.DUPLICATE
    # What nobody knows, and what is about another object, is no life.
    others = [Event("InvoiceLifecycleStatus.NEWBORN"), Event("RegulatoryDataStatus.REJECTED")]
    assert local_state([*events, *others]) == LocalState.DUPLICATE


@pytest.mark.parametrize("number", [203, 204, 205, 207, 208, 209, 210, 211, 212, 213, 220, 221, 225])
def test_a_refused_delivery_says_nothing_of_an_invoice_that_lives(number: int) -> None:
    refused, life = at(213, 5, "DOUBLON"), at(number, 9)
    for events in ([at(200), life], [at(200), at(201, 1), life]):
        for minute in (0, 5, 60):
            again = attrs.evolve(refused, timestamp=START + timedelta(minutes=minute))
            assert local_state([*events, again]) == local_state(events) != LocalState.DUPLICATE


def test_an_invoice_that_was_not_transmitted_is_not_made_a_duplicate_by_a_refused_delivery() -> None:
    events = [at(200, 0, "NON_TRANSMISE"), at(213, 5, "DOUBLON")]
    assert local_state(events) == LocalState.NOT_DELIVERED


@pytest.mark.parametrize("reason", [None, "", "REJ_SEMAN", "DOUBLONS_ABSENTS"])
def test_any_other_rejection_ends_the_invoice(reason: str | None) -> None:
    assert not is_duplicate_refusal(at(213, 0, reason))
    assert local_state([at(200), at(213, 1, reason)]) == LocalState.DEAD


def test_a_refusal_by_the_buyer_because_of_a_double_is_a_refusal() -> None:
    assert not is_duplicate_refusal(at(210, 0, "DOUBLON"))
    assert local_state([at(210, 0, "DOUBLON")]) == LocalState.DEAD


def test_not_transmitted_is_not_delivered_and_no_failure() -> None:
    events = [at(200, 0, "NON_TRANSMISE")]
    assert local_state(events) == LocalState.NOT_DELIVERED
    assert local_state([*events, at(212, 5)]) == LocalState.SETTLED
    # The reason belongs to the event that carries it, whichever of two equal ones arrives first.
    assert local_state([*events, at(200)]) == local_state([at(200), *events]) == LocalState.NOT_DELIVERED
    assert local_state([at(201, 0, "NON_TRANSMISE")]) == LocalState.IN_TRANSIT


def test_a_bare_status_is_taken_for_one_of_an_invoice_and_other_families_are_passed_over() -> None:
    assert local_state([Event("COLLECTED")]) == LocalState.SETTLED
    assert local_state([Event("RegulatoryDataStatus.REJECTED"), Event("DEPOSITED")]) == LocalState.IN_TRANSIT
    assert not is_duplicate_refusal(Event("RegulatoryDataStatus.REJECTED", START, "DOUBLON"))


def test_zones_are_compared_and_a_missing_one_is_utc() -> None:
    paris = timezone(timedelta(hours=2))
    approved = Event("APPROVED", datetime(2026, 9, 1, 11, tzinfo=paris))  # 09:00 UTC
    disputed = Event("IN_DISPUTE", datetime(2026, 9, 1, 10))  # noqa: DTZ001 - what is tested
    assert local_state([approved, disputed]) == LocalState.AWAITING_BUYER
    assert local_state([disputed, approved]) == LocalState.AWAITING_BUYER


@settings(deadline=None)  # the machine may be busy
@given(st.lists(st.tuples(st.sampled_from(sorted(BY_NUMBER)), st.integers(0, 3)), max_size=8), st.randoms())
def test_late_repeated_and_disordered_events_change_nothing(
    drawn: list[tuple[int, int]], random: Random
) -> None:
    reasons = itertools.cycle([None, "DOUBLON", "NON_TRANSMISE", "AUTRE"])
    events = [at(number, minutes, reason) for (number, minutes), reason in zip(drawn, reasons, strict=False)]
    disordered = events + events[:3]
    random.shuffle(disordered)
    assert local_state(disordered) == local_state(events)


def test_what_ends_following() -> None:
    ends = {LocalState.SETTLED, LocalState.DEAD, LocalState.NOT_DELIVERED, LocalState.DUPLICATE}
    assert {state for state in LocalState if state.ends_following} == ends | {LocalState.EXPIRED}
