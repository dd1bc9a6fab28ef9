"""What buyers and sellers do with an invoice that arrives, as data."""

from __future__ import annotations

from seqino.sandbox.scenarios.steps import AVAILABLE, IN_HAND, buyer, scenario, seller, settled

__all__ = ["BUYERS"]

_NOT_DELIVERED = seller(
    0, "DEPOSITED", "NON_TRANSMISE", "Le destinataire n'a pas de plateforme de réception."
)
_DISPUTED = buyer(20, "IN_DISPUTE", "PU_ERR", "Prix unitaire différent du contrat.")
_SUSPENDED = buyer(20, "SUSPENDED", "JUSTIF_ABS", "Bon de livraison signé attendu.")

BUYERS = (
    scenario("paid", "approved, paid and collected", *IN_HAND, *settled(20)),
    scenario("approved", "approved, and no payment is reported", *IN_HAND, settled(20)[0]),
    scenario(
        "partially_approved",
        "approved in part, then paid and collected",
        *IN_HAND,
        buyer(20, "PARTIALLY_APPROVED", "QTE_ERR", "Quantité facturée supérieure à la quantité reçue."),
        *settled(20)[1:],
    ),
    scenario(
        "refused",
        "refused by the buyer",
        *IN_HAND,
        buyer(20, "REFUSED", "TX_TVA_ERR", "Taux de TVA erroné : refaire la facture."),
    ),
    scenario(
        "disputed",
        "disputed, settled between the parties, then paid",
        *IN_HAND,
        _DISPUTED,
        *settled(40),
    ),
    scenario(
        "suspended",
        "suspended for a missing document, completed by the seller, then paid",
        *IN_HAND,
        _SUSPENDED,
        seller(30, "COMPLETED", None, "Bon de livraison transmis."),
        *settled(40),
    ),
    scenario(
        "not_delivered",
        "the buyer has no platform: NON_TRANSMISE, legally issued all the same",
        _NOT_DELIVERED,
    ),
    scenario("silent", "made available, and the buyer never answers", *AVAILABLE),
    scenario(
        "corrected",
        "disputed until a correction refers to it (BT-25): a credit note (381) lets it be approved and paid, "
        "a corrective invoice (384) takes its place",
        *IN_HAND,
        buyer(20, "IN_DISPUTE", "MONTANTTOTAL_ERR", "Total erroné : avoir ou rectificative attendus."),
        credited=settled(25),
    ),
    scenario(
        "disputed_then_refused",
        "disputed, and refused when nobody gives way",
        *IN_HAND,
        _DISPUTED,
        buyer(40, "REFUSED", "CONTRAT_TERM", "Contrat résilié : facture refusée."),
    ),
    scenario(
        "never_completed",
        "suspended for a missing document that never comes",
        *IN_HAND,
        _SUSPENDED,
    ),
    scenario(
        "approved_then_refused",
        "approved, and refused all the same: no status rules out the next",
        *IN_HAND,
        settled(20)[0],
        buyer(30, "REFUSED", "DOUBLE_FACT", "Prestation déjà facturée : approbation annulée."),
    ),
    scenario(
        "paid_directly",
        "collected without a word of the buyer",
        *AVAILABLE,
        seller(20, "COLLECTED"),
    ),
    scenario(
        "paid_in_parts",
        "collected in three parts, each with its amount in words",
        *IN_HAND,
        settled(20)[0],
        seller(30, "COLLECTED", None, "Encaissement partiel 1/3 : 40 % du total TTC."),
        seller(40, "COLLECTED", None, "Encaissement partiel 2/3 : 40 % du total TTC."),
        seller(50, "COLLECTED", None, "Encaissement partiel 3/3 : 20 % du total TTC, solde."),
    ),
    scenario(
        "payment_reversed",
        "collected, taken back (a negative 212), and collected again",
        *IN_HAND,
        *settled(20)[:2],
        seller(40, "COLLECTED", None, "Encaissement de 100 % du total TTC."),
        seller(50, "COLLECTED", None, "Encaissement négatif de 100 % du total TTC : prélèvement rejeté."),
        seller(60, "COLLECTED", None, "Encaissement de 100 % du total TTC par virement."),
    ),
    scenario(
        "refunded",
        "paid, and paid back by the seller (its own 211); a credit note (381) is paid back at once",
        *IN_HAND,
        *settled(20),
        seller(50, "PAYMENT_TRANSMITTED", None, "Remboursement de l'acheteur."),
        credit_note=(
            *IN_HAND,
            settled(20)[0],
            seller(30, "PAYMENT_TRANSMITTED", None, "Remboursement de l'avoir."),
        ),
    ),
    scenario(
        "not_delivered_then_paid",
        "the buyer has no platform, gets a copy by other means, and pays",
        _NOT_DELIVERED,
        seller(30, "COLLECTED"),
    ),
)
"""Scenarios in which nothing but people acts."""
