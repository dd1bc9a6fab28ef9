"""What each status means, as a table, and the base class that looks it up. Pure.

Values are generated from the API description; their meaning is written here and looked up by value, so that a
value which nobody has described yet is a member like any other, without a number and labelled with its text.

Sources: DSE v3.1 §3.4.4, §3.5.7, §3.6.4-3.6.9, §3.7.9-3.7.10 for codes and the portal's part; XP Z12-014
Annex A V1.3 §2.1 for labels, phases and who sets a status; BR-FR-CDV-15 and G7.25 for reasons and comments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

from seqino._core.wire import OpenEnum
from seqino.statuses.families import Family, Party, Phase
from seqino.statuses.reasons import Reason, allowed, allowed_to_public_buyers

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MEANINGS", "Meaning", "StatusMeaning", "meaning_of", "resolve"]

S = TypeVar("S", bound="StatusMeaning")


@attrs.frozen(kw_only=True)
class Meaning:
    """What is known of a status.

    Args:
        family: Kind of object that it is about.
        name: Its name without the family, such as ``DEPOSITED``.
        number: Its number in the French reform, 200 to 601; ``None`` where no source gives one.
        label_fr: Label in French.
        label_en: Label in English.
        phase: Of an invoice's status, its phase.
        set_by: Who may set it; empty where no source says.
        reaches_portal: Whether it has to reach the public portal, within 24 hours of its own timestamp.
        only_for_vat_on_payment: Whether it has to only where VAT is due on payment.
        needs_reason: Whether it needs one of its ``reasons``.
        needs_comment: Whether it needs a comment in words too.
        is_final: Whether an invoice is dead after it.
    """

    family: Family
    name: str
    number: int | None = None
    label_fr: str
    label_en: str
    phase: Phase | None = None
    set_by: frozenset[Party] = frozenset()
    reaches_portal: bool = False
    only_for_vat_on_payment: bool = False
    needs_reason: bool = False
    needs_comment: bool = False
    is_final: bool = False

    @property
    def value(self) -> str:
        """The text on the wire, such as ``InvoiceLifecycleStatus.DEPOSITED``."""
        return f"{self.family.value}.{self.name}"

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Reasons that it takes; where it does not need one, it may come without."""
        return () if self.number is None else allowed(self.number)

    @property
    def public_sector_reasons(self) -> tuple[Reason, ...]:
        """Reasons that it takes besides where the buyer is a public body; the published list is cut off."""
        return () if self.number is None else allowed_to_public_buyers(self.number)


_FLAGS = {
    # DSE v3.1 §3.6.5: "dans un délai de 24h à compter de l'horodatage du statut".
    200: {"reaches_portal": True},
    206: {"needs_reason": True},
    207: {"needs_reason": True},
    208: {"needs_reason": True, "needs_comment": True},
    210: {"reaches_portal": True, "needs_reason": True, "needs_comment": True, "is_final": True},
    212: {"reaches_portal": True, "only_for_vat_on_payment": True},
    213: {"reaches_portal": True, "needs_reason": True, "is_final": True},
    220: {"is_final": True},
    501: {"needs_reason": True},
}


def _described(
    family: Family, phase: Phase | None, name: str, labels: str, number: int | None, *set_by: Party
) -> Meaning:
    french, _, english = labels.partition(" | ")
    return Meaning(
        family=family,
        name=name,
        number=number,
        label_fr=french,
        label_en=english,
        phase=phase,
        set_by=frozenset(set_by),
        **_FLAGS.get(number or 0, {}),
    )


def _sent(name: str, labels: str, number: int, *set_by: Party) -> Meaning:
    return _described(Family.INVOICE, Phase.TRANSMISSION, name, labels, number, *set_by)


def _treated(name: str, labels: str, number: int, *set_by: Party) -> Meaning:
    return _described(Family.INVOICE, Phase.TREATMENT, name, labels, number, *set_by)


def _answered(family: Family, name: str, labels: str, number: int | None = None, *set_by: Party) -> Meaning:
    return _described(family, None, name, labels, number, *set_by)


_PLATFORMS = (Party.SELLER_PLATFORM, Party.BUYER_PLATFORM)
_BY_ADMINISTRATION = (
    ("ACCEPTED_BY_ADMINISTRATION", "Acceptée par l'administration | Accepted by the administration"),
    ("REFUSED_BY_ADMINISTRATION", "Refusée par l'administration | Refused by the administration"),
)

_ALL = (
    # That the platform's names stand for these numbers is inferred: their published order is that of 200 to
    # 213, one to one.
    _sent("DEPOSITED", "Déposée | Submitted", 200, Party.SELLER_PLATFORM),
    _sent(
        "TRANSMITTED_BY_PLATFORM",
        "Émise par la plateforme | Issued by platform",
        201,
        Party.SELLER_PLATFORM,
    ),
    _sent(
        "RECEIVED_BY_PLATFORM",
        "Reçue par la plateforme | Received by platform",
        202,
        Party.BUYER_PLATFORM,
    ),
    _sent("MADE_AVAILABLE", "Mise à disposition | Made available", 203, Party.BUYER_PLATFORM),
    _treated("ACKNOWLEDGED", "Prise en charge | In hand", 204, Party.BUYER),
    _treated("APPROVED", "Approuvée | Approved", 205, Party.BUYER),
    _treated("PARTIALLY_APPROVED", "Approuvée partiellement | Partially approved", 206, Party.BUYER),
    _treated("IN_DISPUTE", "En litige | In dispute", 207, Party.BUYER),
    _treated("SUSPENDED", "Suspendue | Suspended", 208, Party.BUYER),
    _treated("COMPLETED", "Complétée | Completed", 209, Party.SELLER),
    _treated("REFUSED", "Refusée | Refused", 210, Party.BUYER),
    # By the seller where it refunds.
    _treated(
        "PAYMENT_TRANSMITTED", "Paiement transmis | Payment transmitted", 211, Party.BUYER, Party.SELLER
    ),
    _treated("COLLECTED", "Encaissée | Payment received", 212, Party.SELLER),
    # By either platform, on issue or on receipt; never by the buyer, who refuses (210) or disputes (207).
    _sent("REJECTED", "Rejetée | Rejected", 213, *_PLATFORMS),
    # Statuses of the AFNOR use cases (XP Z12-014 Annex A). The platform publishes no name for them; these are
    # the English labels in its manner, so that an invoice which is cancelled or misrouted is not overlooked.
    _treated("REVIEWED", "Visée | Reviewed", 214, Party.APPROVER),
    _treated("CANCELLED", "Annulée | Cancelled", 220, Party.SELLER, Party.BUYER),
    _sent("ROUTING_ERROR", "Erreur de routage | Routing error", 221, Party.BUYER_PLATFORM),
    _treated("DIRECT_PAYMENT_REQUESTED", "Demande de paiement direct | Direct payment request", 224),
    _treated("FACTORED", "Affacturée | Factored", 225, Party.SELLER, Party.FACTOR),
    _treated(
        "FACTORED_CONFIDENTIALLY",
        "Affacturée confidentiel | Factored, confidential",
        226,
        Party.SELLER,
        Party.FACTOR,
    ),
    _treated(
        "PAYEE_ACCOUNT_CHANGED",
        "Changement de compte à payer | Change of account payable",
        227,
        Party.SELLER,
        Party.FACTOR,
    ),
    _treated("NOT_FACTORED", "Non affacturée | Not factored", 228, Party.SELLER, Party.FACTOR),
    # That the portal sets the following is inferred: they answer what was sent to it. No public source gives
    # a number for what the administration answers, nor for a mandate.
    _answered(Family.REGULATORY_DATA, "DEPOSITED", "Déposée | Submitted", 250, Party.PORTAL),
    _answered(Family.REGULATORY_DATA, "REJECTED", "Rejetée | Rejected", 251, Party.PORTAL),
    _answered(Family.REGULATORY_DATA, "MADE_AVAILABLE", "Mise à disposition | Made available"),
    *(
        _answered(Family.REGULATORY_DATA, name, labels, None, Party.PORTAL)
        for name, labels in _BY_ADMINISTRATION
    ),
    _answered(Family.TRANSACTION_DATA, "DEPOSITED", "Déposée | Submitted", 300, Party.PORTAL),
    _answered(Family.TRANSACTION_DATA, "REJECTED", "Rejetée | Rejected", 301, Party.PORTAL),
    *(
        _answered(Family.TRANSACTION_DATA, name, labels, None, Party.PORTAL)
        for name, labels in _BY_ADMINISTRATION
    ),
    _answered(Family.DIRECTORY_ENTRY, "ACCEPTED", "Acceptée | Accepted", 400, Party.PORTAL),
    _answered(Family.DIRECTORY_ENTRY, "REJECTED", "Rejetée | Rejected", 401, Party.PORTAL),
    _answered(Family.FLOW, "RECEIVABLE", "Recevable | Admissible", 500, *_PLATFORMS, Party.PORTAL),
    _answered(Family.FLOW, "UNACCEPTABLE", "Irrecevable | Inadmissible", 501, *_PLATFORMS, Party.PORTAL),
    _answered(Family.LIFECYCLE_STATUS, "REJECTED", "Rejeté | Rejected", 601, Party.PORTAL),
    _answered(Family.MANDATE, "CREATED", "Créé | Created"),
    _answered(Family.MANDATE, "ACTIVE", "Actif | Active"),
)

MEANINGS: Mapping[str, Meaning] = {meaning.value: meaning for meaning in _ALL}
"""All statuses that are known here, by their text on the wire."""


def meaning_of(status: str, *, family: Family | None = None) -> Meaning | None:
    """Return what a status means.

    Args:
        status: Its text, with or without a family.
        family: The family of one without: a bare ``DEPOSITED`` is a status of three.

    Returns:
        Its meaning; ``None`` where it is not known, or belongs to a family that nobody named.
    """
    return MEANINGS.get(qualified(status, family))


def qualified(status: str, family: Family | None) -> str:
    """Return the text of a status, with the family before it where it has none and that family has it."""
    full = "" if family is None else f"{family.value}.{status}"
    return full if full in MEANINGS else str(status)


class StatusMeaning(OpenEnum):
    """Base of the generated ``LifecycleStatusCode``: what a status value means, looked up by the value.

    Of a status that is not known, labels are its text, ``set_by`` and ``reasons`` are empty, and everything
    else is ``None``.
    """

    @property
    def meaning(self) -> Meaning | None:
        """All that is known of it; ``None`` where its meaning is not written here."""
        return MEANINGS.get(self._value_)

    @property
    def has_meaning(self) -> bool:
        """Whether its meaning is written here; the generator reports the values of which it is not."""
        return self._value_ in MEANINGS

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
        meaning = self.meaning
        return meaning.number if meaning else None

    @property
    def label_fr(self) -> str:
        """Label in French, as XP Z12-014 and the DSE write it; the raw text of an unknown status."""
        meaning = self.meaning
        return meaning.label_fr if meaning else self._value_

    @property
    def label_en(self) -> str:
        """Label in English; the raw text of an unknown status."""
        meaning = self.meaning
        return meaning.label_en if meaning else self._value_

    @property
    def phase(self) -> Phase | None:
        """Phase of an invoice's status; ``None`` for other families."""
        meaning = self.meaning
        return meaning.phase if meaning else None

    @property
    def set_by(self) -> frozenset[Party]:
        """Who may set it; empty where no source says. ``Party.of(event.emitter)`` tells who sent an event."""
        meaning = self.meaning
        return meaning.set_by if meaning else frozenset()

    @property
    def reaches_portal(self) -> bool | None:
        """Whether it has to reach the public portal within 24 hours of its own timestamp (DSE v3.1 §3.6.5).

        212 has to only where VAT is due on payment.
        """
        meaning = self.meaning
        return meaning.reaches_portal if meaning else None

    @property
    def needs_reason(self) -> bool | None:
        """Whether it needs one of its ``reasons`` (BR-FR-CDV-15)."""
        meaning = self.meaning
        return meaning.needs_reason if meaning else None

    @property
    def needs_comment(self) -> bool | None:
        """Whether it needs a comment in words besides (G7.25)."""
        meaning = self.meaning
        return meaning.needs_comment if meaning else None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Reasons that it takes (BR-FR-CDV-CL-09)."""
        meaning = self.meaning
        return meaning.reasons if meaning else ()

    @property
    def is_final(self) -> bool | None:
        """Whether an invoice is dead after it (210, 213, 220).

        Not after a 213 with DOUBLON, which is about one delivery only: see ``is_duplicate_refusal``.
        """
        meaning = self.meaning
        return meaning.is_final if meaning else None


def resolve(code: S, object_type: str) -> S:
    """Give a status without a family the one its object type implies.

    A bare ``DEPOSITED`` is a status of three families, so that only the kind of object tells which is meant.

    Args:
        code: A status as it came.
        object_type: Kind of object the status is about, such as ``"invoice"``.

    Returns:
        The status with its family; ``code`` itself where it has one, or where that family has no such status.
    """
    value = qualified(code, Family.of(object_type))
    return code if value == code else type(code)(value)
