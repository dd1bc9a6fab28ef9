"""An invoice or a draft on one screen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino.cli.tables import words

if TYPE_CHECKING:
    from seqino.models import Invoice, InvoiceDraft

__all__ = ["invoice_card"]

_TOTALS = ("total_amount_without_vat", "total_vat_amount", "total_amount_with_vat", "amount_due_for_payment")


def invoice_card(invoice: Invoice | InvoiceDraft) -> dict[str, Any]:
    """Return what people look for first: number, days, parties, totals; the rest is in its JSON."""
    buyer, count = invoice.buyer, len(invoice.lines or ())
    card: dict[str, Any] = {
        "invoice_id": invoice.invoice_id,
        "draft_id": getattr(invoice, "draft_id", None),
        "status": invoice.status,
        "invoice_number": invoice.invoice_number,
        "type_code": invoice.type_code,
        "issue_date": invoice.issue_date,
        "due_date": invoice.due_date,
        "seller": _party(invoice.seller.name, invoice.seller.seller_legal_registration_identifier),
        "buyer": _party(buyer.name, buyer.buyer_legal_registration_identifier) if buyer else None,
        "lines": count or None,
    }
    for name in _TOTALS:
        amount = words(getattr(invoice, name))
        card[name] = f"{amount} {invoice.currency_code}" if amount else None
    return {name: text for name, value in card.items() if (text := words(value))}


def _party(name: str, registration: object) -> str:
    number = words(registration)
    return f"{name} ({number})" if number else name
