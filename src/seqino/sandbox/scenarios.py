"""What networks and buyers do with an invoice, as data: the one table of scenarios and of magic buyers.

Order, emitters and reasons follow XP Z12-014 Annex A (V1.3, §2.1 to §2.5) and the external specifications
of the French reform (DSE v3.1, §3.6.4). Statuses up to 203 come from the platforms, 204 to 208, 210 and 211
from the buyer through its platform, 209 and 212 from the seller through its own. Delays are seconds on the
sandbox's clock.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DUPLICATE", "MAGIC_BUYERS", "SCENARIOS", "UNSOUND", "Scenario", "Step"]

SELLER_SIDE = "PDPE"
"""The seller's platform (*plateforme d'émission*)."""
BUYER_SIDE = "PDPR"
"""The buyer's platform (*plateforme de réception*)."""


@attrs.frozen(kw_only=True)
class Step:
    """One status that an invoice gets, so many seconds after it was deposited."""

    after: float
    status: str
    """Name without its family, such as ``DEPOSITED``."""
    emitter: str
    rejection_reason: str | None = None
    reason: str | None = None
    seen_after: float | None = None
    """Seconds after the deposit at which it can be seen; with its own moment, where ``None``."""
    times: int = 1
    """How often it comes: networks repeat themselves."""


@attrs.frozen(kw_only=True)
class Scenario:
    """A whole course of an invoice, from its deposit on."""

    name: str
    summary: str
    steps: tuple[Step, ...]

    def because(self, reason: str) -> Scenario:
        """Return the same course with a reason in words for its last status."""
        return attrs.evolve(self, steps=(*self.steps[:-1], attrs.evolve(self.steps[-1], reason=reason)))


def _step(
    after: float, status: str, emitter: str, code: str | None = None, reason: str | None = None
) -> Step:
    return Step(after=after, status=status, emitter=emitter, rejection_reason=code, reason=reason)


_DEPOSITED = _step(0, "DEPOSITED", SELLER_SIDE)
_SENT = (_DEPOSITED, _step(2, "TRANSMITTED_BY_PLATFORM", SELLER_SIDE))
_RECEIVED = (*_SENT, _step(4, "RECEIVED_BY_PLATFORM", BUYER_SIDE))
_AVAILABLE = (*_RECEIVED, _step(6, "MADE_AVAILABLE", BUYER_SIDE))
_IN_HAND = (*_AVAILABLE, _step(10, "ACKNOWLEDGED", BUYER_SIDE))


def _settled(at: float) -> tuple[Step, ...]:
    return (
        _step(at, "APPROVED", BUYER_SIDE),
        _step(at + 10, "PAYMENT_TRANSMITTED", BUYER_SIDE),
        _step(at + 20, "COLLECTED", SELLER_SIDE),
    )


def _scenario(name: str, summary: str, *steps: Step) -> Scenario:
    return Scenario(name=name, summary=summary, steps=steps)


_ALL = (
    _scenario("paid", "approved, paid and collected: 204, 205, 211, 212", *_IN_HAND, *_settled(20)),
    _scenario("approved", "approved, and no payment is reported: 204, 205", *_IN_HAND, _settled(20)[0]),
    _scenario(
        "partially_approved",
        "approved in part, then collected: 204, 206, 211, 212",
        *_IN_HAND,
        _step(
            20,
            "PARTIALLY_APPROVED",
            BUYER_SIDE,
            "QTE_ERR",
            "Quantité facturée supérieure à la quantité reçue.",
        ),
        *_settled(20)[1:],
    ),
    _scenario(
        "refused",
        "refused by the buyer: 204, 210",
        *_IN_HAND,
        _step(20, "REFUSED", BUYER_SIDE, "TX_TVA_ERR", "Taux de TVA erroné : refaire la facture."),
    ),
    _scenario(
        "disputed",
        "disputed, settled between the parties, then paid: 204, 207, 205, 211, 212",
        *_IN_HAND,
        _step(20, "IN_DISPUTE", BUYER_SIDE, "PU_ERR", "Prix unitaire différent du contrat."),
        *_settled(40),
    ),
    _scenario(
        "suspended",
        "suspended for a missing document, completed, then paid: 204, 208, 209, 205, 211, 212",
        *_IN_HAND,
        _step(20, "SUSPENDED", BUYER_SIDE, "JUSTIF_ABS", "Bon de livraison signé attendu."),
        _step(30, "COMPLETED", SELLER_SIDE, None, "Bon de livraison transmis."),
        *_settled(40),
    ),
    _scenario(
        "rejected",
        "rejected on receipt by the buyer's platform: 213",
        *_SENT,
        _step(4, "REJECTED", BUYER_SIDE, "REJ_ADR", "Adresse électronique du destinataire inconnue."),
    ),
    _scenario(
        "rejected_on_issue",
        "rejected by the seller's own platform: 213",
        _DEPOSITED,
        _step(2, "REJECTED", SELLER_SIDE, "REJ_SEMAN", "Contrôle sémantique en échec."),
    ),
    _scenario(
        "not_delivered",
        "the buyer has no platform: 200 with NON_TRANSMISE, legally issued all the same",
        _step(
            0,
            "DEPOSITED",
            SELLER_SIDE,
            "NON_TRANSMISE",
            "Le destinataire n'a pas de plateforme de réception.",
        ),
    ),
    _scenario("silent", "made available, and the buyer never answers: 203", *_AVAILABLE),
)

SCENARIOS: Mapping[str, Scenario] = MappingProxyType({scenario.name: scenario for scenario in _ALL})
"""Scenarios by name."""

MAGIC_BUYERS: Mapping[str, str] = MappingProxyType(
    {
        "999990005": "paid",
        "999990013": "refused",
        "999990021": "rejected",
        "999990039": "not_delivered",
        "999990047": "disputed",
        "999990054": "suspended",
        "999990062": "partially_approved",
        "999990070": "rejected_on_issue",
        "999990088": "silent",
        "999990096": "approved",
    }
)
"""Scenario by the SIREN of the buyer: it goes before the run's own. The numbers pass Luhn's check."""

DUPLICATE = _scenario(
    "duplicate",
    "a number that its seller already used in the year: 213 DOUBLON; the invoice that has it keeps its state",
    *_SENT,
    _step(4, "REJECTED", BUYER_SIDE, "DOUBLON", "Numéro déjà utilisé par ce vendeur cette année."),
)

UNSOUND = _scenario(
    "unsound",
    "a file whose data break the rules of EN 16931: 213 REJ_SEMAN",
    _DEPOSITED,
    _step(2, "REJECTED", SELLER_SIDE, "REJ_SEMAN"),
)
