"""What a lifecycle status means: family, number, labels, and where it leaves an invoice. Pure.

Values are generated from the API description; their meaning is written here and looked up by value, so that a
value which nobody has described yet is a member like any other, without a number and labelled with its text.
"""

from __future__ import annotations

import re
from datetime import UTC
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

import attrs

from seqino._core.wire import OpenEnum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = [
    "Family",
    "LocalState",
    "StatusEvent",
    "StatusMeaning",
    "is_duplicate_refusal",
    "local_state",
    "resolve",
]

S = TypeVar("S", bound="StatusMeaning")


class Family(StrEnum):
    """Kinds of object that have a lifecycle, named as the status values on the wire name them.

    That each family of the tax portal (DSE v3.1 §3.4.4-3.7.10) has one object type of the API is inferred;
    every family has its counterpart.
    """

    INVOICE = "InvoiceLifecycleStatus"
    """An invoice, structured or exempt (flows 2 and 3)."""
    REGULATORY_DATA = "RegulatoryDataStatus"
    """Regulatory data of an invoice (flow 1)."""
    FLOW = "FlowStatus"
    """An envelope of any kind."""
    DIRECTORY_ENTRY = "DirectoryEntryStatus"
    """A line of the directory (flow 13)."""
    TRANSACTION_DATA = "TransactionDataStatus"
    """Transaction or payment data (flow 10)."""
    LIFECYCLE_STATUS = "LifecycleStatusReporting"
    """A mandatory status reported to the portal (flow 6); silence means that it was taken."""
    MANDATE = "MandateLifecycleStatus"
    """A mandate: the platform's own, unknown to the portal."""

    @property
    def object_type(self) -> str:
        """The value of ``object_type`` that selects this family's events."""
        return self.name.lower()

    @classmethod
    def of(cls, object_type: str) -> Family | None:
        """Return the family of an object type of the API, ``None`` for one that is not known here."""
        return cls.__members__.get(object_type.upper()) if object_type == object_type.lower() else None


@attrs.frozen
class _Meaning:
    label_fr: str
    label_en: str
    number: int | None = None


_INVOICE = {
    # DSE v3.1 §3.6.4; labels and phases: XP Z12-014 Annex A V1.3 §2.1. That the platform's names stand for
    # these numbers is inferred: their published order is that of 200 to 213, one to one.
    "DEPOSITED": _Meaning("Déposée", "Submitted", 200),
    "TRANSMITTED_BY_PLATFORM": _Meaning("Émise par la plateforme", "Issued by platform", 201),
    "RECEIVED_BY_PLATFORM": _Meaning("Reçue par la plateforme", "Received by platform", 202),
    "MADE_AVAILABLE": _Meaning("Mise à disposition", "Made available", 203),
    "ACKNOWLEDGED": _Meaning("Prise en charge", "In hand", 204),
    "APPROVED": _Meaning("Approuvée", "Approved", 205),
    "PARTIALLY_APPROVED": _Meaning("Approuvée partiellement", "Partially approved", 206),
    "IN_DISPUTE": _Meaning("En litige", "In dispute", 207),
    "SUSPENDED": _Meaning("Suspendue", "Suspended", 208),
    "COMPLETED": _Meaning("Complétée", "Completed", 209),
    "REFUSED": _Meaning("Refusée", "Refused", 210),
    "PAYMENT_TRANSMITTED": _Meaning("Paiement transmis", "Payment transmitted", 211),
    "COLLECTED": _Meaning("Encaissée", "Payment received", 212),
    "REJECTED": _Meaning("Rejetée", "Rejected", 213),
    # Statuses of the AFNOR use cases (XP Z12-014 Annex A). The platform publishes no name for them; these are
    # the English labels in its manner, so that an invoice which is cancelled or misrouted is not overlooked.
    "REVIEWED": _Meaning("Visée", "Reviewed", 214),
    "CANCELLED": _Meaning("Annulée", "Cancelled", 220),
    "ROUTING_ERROR": _Meaning("Erreur de routage", "Routing error", 221),
    "DIRECT_PAYMENT_REQUESTED": _Meaning("Demande de paiement direct", "Direct payment request", 224),
    "FACTORED": _Meaning("Affacturée", "Factored", 225),
    "FACTORED_CONFIDENTIALLY": _Meaning("Affacturée confidentiel", "Factored, confidential", 226),
    "PAYEE_ACCOUNT_CHANGED": _Meaning("Changement de compte à payer", "Change of account payable", 227),
    "NOT_FACTORED": _Meaning("Non affacturée", "Not factored", 228),
}

# No public source gives a number for what the administration answers, nor for a mandate.
_ADMINISTRATION = {
    "ACCEPTED_BY_ADMINISTRATION": _Meaning("Acceptée par l'administration", "Accepted by the administration"),
    "REFUSED_BY_ADMINISTRATION": _Meaning("Refusée par l'administration", "Refused by the administration"),
}

_MEANINGS: Mapping[Family, Mapping[str, _Meaning]] = {
    Family.INVOICE: _INVOICE,
    Family.REGULATORY_DATA: {  # DSE v3.1 §3.4.4
        "DEPOSITED": _Meaning("Déposée", "Submitted", 250),
        "REJECTED": _Meaning("Rejetée", "Rejected", 251),
        "MADE_AVAILABLE": _Meaning("Mise à disposition", "Made available"),
        **_ADMINISTRATION,
    },
    Family.TRANSACTION_DATA: {  # DSE v3.1 §3.7.9
        "DEPOSITED": _Meaning("Déposée", "Submitted", 300),
        "REJECTED": _Meaning("Rejetée", "Rejected", 301),
        **_ADMINISTRATION,
    },
    Family.DIRECTORY_ENTRY: {  # DSE v3.1 §3.5.7
        "ACCEPTED": _Meaning("Acceptée", "Accepted", 400),
        "REJECTED": _Meaning("Rejetée", "Rejected", 401),
    },
    Family.FLOW: {  # DSE v3.1 §3.6.9
        "RECEIVABLE": _Meaning("Recevable", "Admissible", 500),
        "UNACCEPTABLE": _Meaning("Irrecevable", "Inadmissible", 501),
    },
    Family.LIFECYCLE_STATUS: {  # DSE v3.1 §3.6.9
        "REJECTED": _Meaning("Rejeté", "Rejected", 601),
    },
    Family.MANDATE: {
        "CREATED": _Meaning("Créé", "Created"),
        "ACTIVE": _Meaning("Actif", "Active"),
    },
}

_BY_VALUE = {
    f"{family.value}.{name}": meaning
    for family, names in _MEANINGS.items()
    for name, meaning in names.items()
}


class StatusMeaning(OpenEnum):
    """Base of the generated ``LifecycleStatusCode``: what a status value means, looked up by the value."""

    @property
    def family(self) -> Family | None:
        """Family of the status; ``None`` where the value names none, or one that is not known here."""
        head, dot, _ = self._value_.partition(".")
        return Family(head) if dot and head in Family._value2member_map_ else None

    @property
    def short_name(self) -> str:
        """The name without its family: ``DEPOSITED`` of ``InvoiceLifecycleStatus.DEPOSITED``."""
        return self._value_.rpartition(".")[2]

    @property
    def number(self) -> int | None:
        """Number of the status in the French reform (200 to 601), ``None`` where no source gives one."""
        meaning = _BY_VALUE.get(self._value_)
        return meaning.number if meaning else None

    @property
    def has_meaning(self) -> bool:
        """Whether its meaning is written here; the generator reports the values of which it is not."""
        return self._value_ in _BY_VALUE

    @property
    def label_fr(self) -> str:
        """Label in French, as XP Z12-014 and the DSE write it; the raw text of an unknown status."""
        meaning = _BY_VALUE.get(self._value_)
        return meaning.label_fr if meaning else self._value_

    @property
    def label_en(self) -> str:
        """Label in English; the raw text of an unknown status."""
        meaning = _BY_VALUE.get(self._value_)
        return meaning.label_en if meaning else self._value_


def resolve(code: S, object_type: str) -> S:
    """Give a status without a family the one its object type implies.

    A bare ``DEPOSITED`` is a status of three families, so that only the kind of object tells which is meant.

    Args:
        code: A status as it came.
        object_type: Kind of object the status is about, such as ``"invoice"``.

    Returns:
        The status with its family; ``code`` itself where it has one, or where that family has no such status.
    """
    value = _qualified(code, Family.of(object_type))
    return code if value == code else type(code)(value)


def _qualified(code: str, family: Family | None) -> str:
    return f"{family.value}.{code}" if family is not None and code in _MEANINGS[family] else str(code)


class LocalState(StrEnum):
    """Where the events seen so far leave an invoice."""

    IN_TRANSIT = "in_transit"
    """With the platforms (200 to 203)."""
    AWAITING_BUYER = "awaiting_buyer"
    """With the buyer, undecided (204, 207, 208, 209)."""
    ACCEPTED = "accepted"
    """Approved, at least in part (205, 206)."""
    SETTLED = "settled"
    """Payment received (212). Events carry no amount, so that the first payment settles."""
    DEAD = "dead"
    """Refused, rejected or cancelled (210, 213, 220)."""
    NOT_DELIVERED = "not_delivered"
    """Issued, but the buyer has no platform, or could not be reached (200 with NON_TRANSMISE, 221).

    No failure: the invoice is legally issued, and the seller hands over a copy by other means.
    """

    @property
    def ends_following(self) -> bool:
        """Whether following an invoice ends here."""
        return self in _ENDS


_ENDS = frozenset({LocalState.SETTLED, LocalState.DEAD, LocalState.NOT_DELIVERED})
_FINAL = {
    210: LocalState.DEAD,
    212: LocalState.SETTLED,
    213: LocalState.DEAD,
    220: LocalState.DEAD,
}
_TREATMENT = {
    204: LocalState.AWAITING_BUYER,
    205: LocalState.ACCEPTED,
    206: LocalState.ACCEPTED,
    207: LocalState.AWAITING_BUYER,
    208: LocalState.AWAITING_BUYER,
    209: LocalState.AWAITING_BUYER,
}
_TRANSMISSION = {
    200: LocalState.IN_TRANSIT,
    201: LocalState.IN_TRANSIT,
    202: LocalState.IN_TRANSIT,
    203: LocalState.IN_TRANSIT,
    221: LocalState.NOT_DELIVERED,
}


class StatusEvent(Protocol):
    """What is read of a lifecycle event."""

    @property
    def status_code(self) -> str:
        """Status, with or without its family."""
        ...

    @property
    def timestamp(self) -> datetime:
        """When the status was set; UTC is assumed where it has no zone."""
        ...

    @property
    def rejection_reason(self) -> str | None:
        """Reason code, such as ``DOUBLON``."""
        ...


def is_duplicate_refusal(event: StatusEvent) -> bool:
    """Whether an event refuses one more delivery of an invoice that the network already holds.

    A 213 with the reason DOUBLON is about that delivery only: the invoice held before stays valid, whatever
    state it is in (number, seller and year of issue are its identity: DSE v3.1 note 112).
    """
    return _number(event) == 213 and _has_reason(event, "DOUBLON")  # noqa: PLR2004 - its number is its name


def local_state(events: Iterable[StatusEvent]) -> LocalState | None:
    """Tell where the events of one invoice leave it.

    Events may come late, twice and out of order, from two platforms and the portal; they are read in the
    order of their timestamps, then numbers. No order between statuses is demanded, since treatment statuses
    "can be set independently" (XP Z12-014 Annex A §2.1), except that the first end stays: after a refusal or
    a rejection no other mandatory status may follow (§2.5).

    Args:
        events: All events known of one invoice, in any order. A status without a family is taken for one of
            an invoice; statuses of other families, and unknown ones, are passed over.

    Returns:
        The state, or ``None`` where no event tells one.
    """
    transmission: LocalState | None = None
    treatment: LocalState | None = None
    for number, event in _in_order(events):
        if number in _FINAL and not is_duplicate_refusal(event):
            return _FINAL[number]
        if number in _TREATMENT:
            treatment = _TREATMENT[number]
        elif number == 200 and _has_reason(event, "NON_TRANSMISE"):  # noqa: PLR2004 - its number is its name
            transmission = LocalState.NOT_DELIVERED
        elif number in _TRANSMISSION:
            transmission = _TRANSMISSION[number]
    # What the buyer did outweighs a transmission status that a platform with a slow clock dates later.
    return treatment or transmission


def _in_order(events: Iterable[StatusEvent]) -> list[tuple[int, StatusEvent]]:
    numbered = [(number, event) for event in events if (number := _number(event)) is not None]
    # The reason last, so that equal timestamps and numbers leave no choice to the order of arrival.
    return sorted(
        numbered, key=lambda pair: (_instant(pair[1].timestamp), pair[0], pair[1].rejection_reason or "")
    )


def _number(event: StatusEvent) -> int | None:
    value = _qualified(event.status_code, Family.INVOICE)
    meaning = _BY_VALUE.get(value) if value.startswith(f"{Family.INVOICE.value}.") else None
    return meaning.number if meaning else None


def _instant(timestamp: datetime) -> datetime:
    return timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=UTC)


def _has_reason(event: StatusEvent, reason: str) -> bool:
    # As a word: platforms write the code alone or before a text.
    return re.search(rf"\b{reason}\b", event.rejection_reason or "", re.IGNORECASE) is not None
