"""What platforms, networks and the public portal do: reject, delay, repeat, disorder; as data."""

from __future__ import annotations

import attrs

from seqino.sandbox.scenarios.steps import (
    DATA_TAKEN,
    IN_HAND,
    RECEIVED,
    SENT,
    Scenario,
    Step,
    buyer,
    portal,
    scenario,
    seller,
    settled,
)

__all__ = ["DUPLICATE", "NETWORKS", "UNSOUND"]

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

_PAID = (*IN_HAND, *settled(20))


def _at(step: Step, after: float) -> Step:
    return attrs.evolve(step, after=after)


def _late(step: Step, delay: float) -> Step:
    """Let a step be seen so many seconds after its own moment."""
    return attrs.evolve(step, seen_after=step.after + delay)


def _rejected(name: str, summary: str, code: str, reason: str) -> Scenario:
    return scenario(name, summary, *SENT, buyer(4, "REJECTED", code, reason))


_STORM = (
    *(_at(step, step.after / 20) for step in IN_HAND),
    *(_at(step, 0.51 + place / 100) for place, step in enumerate(settled(0)[:2])),
    *(
        seller(
            0.55 + place / 50, "COLLECTED", None, f"Encaissement partiel {place + 1}/20 : 5 % du total TTC."
        )
        for place in range(20)
    ),
)

NETWORKS = (
    _rejected(
        "rejected",
        "rejected on receipt: the buyer's address is unknown",
        "REJ_ADR",
        "Adresse électronique du destinataire inconnue.",
    ),
    _rejected(
        "rejected_recipient",
        "rejected on receipt: the platform does not know the buyer",
        "DEST_INC",
        "Destinataire inconnu de la plateforme de réception.",
    ),
    _rejected(
        "rejected_total",
        "rejected on receipt: the total is wrong",
        "MONTANTTOTAL_ERR",
        "Le total TTC n'est pas la somme des montants.",
    ),
    _rejected(
        "rejected_attachment",
        "rejected on receipt: an attachment that the invoice names is missing",
        "REJ_REF_PJ",
        "Pièce jointe citée mais absente.",
    ),
    scenario(
        "rejected_on_issue",
        "rejected by the seller's own platform, in place of its deposit",
        seller(2, "REJECTED", "REJ_SEMAN", "Contrôle sémantique en échec."),
    ),
    scenario(
        "inadmissible",
        "its envelope is inadmissible: the invoice itself gets no status; the number of a file stays free",
        attrs.evolve(
            seller(1, "UNACCEPTABLE", "IRR_ANTIVIRUS", "Pièce jointe infectée : flux irrecevable."),
            about="flow",
        ),
    ),
    scenario(
        "data_rejected",
        "paid, though the portal rejects its data (251)",
        *_PAID,
        data=portal(
            5, "regulatory_data", "REJECTED", "REJ_COH", "SIREN du vendeur et numéro de TVA incohérents."
        ),
    ),
    scenario(
        "status_rejected",
        "collected, the portal refuses that report (601), and it is collected again in due form",
        *_PAID,
        portal(
            45,
            "lifecycle_status",
            "REJECTED",
            "REJ_ENCAISSEMENT",
            "Encaissement sans ventilation par taux de TVA.",
        ),
        seller(60, "COLLECTED", None, "Encaissement ventilé par taux de TVA."),
    ),
    scenario(
        "late",
        "paid, and each event is seen minutes to days after its own time",
        *(
            _late(step, delay)
            for step, delay in zip(
                _PAID,
                (0, 2 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY),
                strict=True,
            )
        ),
    ),
    scenario(
        "repeated",
        "paid, and each event comes twice at once and a third time a minute later",
        *(one for step in _PAID for one in (attrs.evolve(step, times=2), _late(step, MINUTE))),
    ),
    scenario(
        "out_of_order",
        "paid, and 203 is seen before 202, 212 before 205 and 211",
        *SENT,
        _late(RECEIVED[-1], 4),
        buyer(6, "MADE_AVAILABLE"),
        buyer(10, "ACKNOWLEDGED"),
        _late(settled(20)[0], 30),
        _late(settled(20)[1], 25),
        settled(20)[2],
    ),
    scenario(
        "slow",
        "paid, with days between the steps",
        *SENT,
        _at(RECEIVED[-1], HOUR),
        buyer(6 * HOUR, "MADE_AVAILABLE"),
        buyer(2 * DAY, "ACKNOWLEDGED"),
        buyer(10 * DAY, "APPROVED"),
        buyer(40 * DAY, "PAYMENT_TRANSMITTED"),
        seller(42 * DAY, "COLLECTED"),
    ),
    scenario("storm", "paid in twenty parts, all within a second", *_STORM),
    scenario(
        "same_timestamp",
        "paid, and statuses that belong together bear one time",
        *SENT,
        buyer(4, "RECEIVED_BY_PLATFORM"),
        buyer(4, "MADE_AVAILABLE"),
        buyer(10, "ACKNOWLEDGED"),
        buyer(10, "APPROVED"),
        buyer(20, "PAYMENT_TRANSMITTED"),
        seller(20, "COLLECTED"),
    ),
    scenario(
        "same_second",
        "paid, and times have no fraction: deposits of one second look alike",
        *(attrs.evolve(step, to_the_second=True) for step in _PAID),
        data=attrs.evolve(DATA_TAKEN, to_the_second=True),
    ),
)
"""Scenarios in which platforms, networks and the portal act."""

DUPLICATE = scenario(
    "duplicate",
    "a number that its seller already used in the year: DOUBLON; the invoice that has it keeps its state",
    *SENT,
    buyer(4, "REJECTED", "DOUBLON", "Numéro déjà utilisé par ce vendeur cette année."),
    data=portal(5, "regulatory_data", "REJECTED", "REJ_UNI", "Facture déjà déposée."),
)

UNSOUND = scenario(
    "unsound",
    "a file whose data break the rules of EN 16931: REJ_SEMAN",
    seller(2, "REJECTED", "REJ_SEMAN"),
)
