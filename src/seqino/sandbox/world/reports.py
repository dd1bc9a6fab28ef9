"""What is reported to the tax administration (e-reporting, flow 10). Nothing here knows HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from seqino.sandbox.lifecycle import INVOICE, Leg
from seqino.sandbox.lifecycle_rules import PORTAL
from seqino.sandbox.scenarios import SELLER_SIDE, Step
from seqino.sandbox.world.coursed import Coursed
from seqino.sandbox.world.records import Invoice

if TYPE_CHECKING:
    from datetime import datetime

    from seqino.sandbox.world import Client, World

__all__ = ["ExemptInvoice", "Report", "Reports"]

_DEPOSITED = (Step(after=2, status="DEPOSITED", emitter=PORTAL),)
_REJECTED = (
    Step(
        after=2,
        status="REJECTED",
        emitter=PORTAL,
        rejection_reason="REJ_COH",
        reason="Paiement d'une facture refusée ou rejetée.",
    ),
)
"""300 and 301; the reason is one of those of 301 (CDAR schematron BR-FR-CDV-CL-09)."""

_YEARS_BACK = 10
"""How old an invoice may be that is paid: as old as it has to be kept (L123-22 C. com.)."""


@attrs.define(eq=False, kw_only=True)
class Report(Coursed):
    """Something that was reported, and what the portal made of it."""

    kind: ClassVar[str] = "report"
    object_type: ClassVar[str] = "transaction_data"
    family: ClassVar[str] = "TransactionDataStatus"

    report_id: str
    """Id of the payment, of the aggregate, or of the exempt invoice."""
    flow: str
    """``exempt_invoice``, ``b2c_transactions`` or ``payment``."""
    content: dict[str, Any]
    """What was sent, as it is answered."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.report_id


@attrs.define(eq=False, kw_only=True)
class ExemptInvoice(Coursed):
    """An invoice to or from abroad, as an invoice: the platform took it, and sends it to no other."""

    kind: ClassVar[str] = "exempt_invoice"
    object_type: ClassVar[str] = "invoice"
    family: ClassVar[str] = INVOICE

    invoice_id: str

    @property
    def key(self) -> str:
        """Its id, which its report has too."""
        return self.invoice_id


class Reports:
    """Reports of a world.

    Args:
        world: Where they are.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def take_exempt_invoice(self, client: Client, content: dict[str, Any]) -> Report:
        """Take an invoice to or from a foreign company."""
        world = self._world
        report = self._take(client, "inv", "exempt_invoice", content)
        taken = (Step(after=0, status="DEPOSITED", emitter=SELLER_SIDE),)
        invoice = ExemptInvoice(
            invoice_id=report.report_id, created_at=report.created_at, course=[Leg(taken, report.created_at)]
        )
        client.exempt_invoices[invoice.invoice_id] = invoice
        world.save(client, invoice)
        world.counters.exempt_invoices_reported += 1
        return report

    def take_b2c_transactions(self, client: Client, content: dict[str, Any]) -> Report:
        """Take the aggregate of a day's transactions with consumers."""
        report = self._take(client, "b2c", "b2c_transactions", content)
        self._world.counters.b2c_transactions_reported += 1
        return report

    def record_payment(self, client: Client, content: dict[str, Any]) -> Report:
        """Take a payment; the portal rejects one for an invoice of the client that is refused or rejected."""
        invoice = _invoice_paid(client, content)
        now = self._world.clock.now()
        course = _REJECTED if invoice is not None and _is_dead(invoice, now) else _DEPOSITED
        report = self._take(client, "pay", "payment", content, course)
        self._world.counters.payments_recorded += 1
        return report

    def _take(
        self,
        client: Client,
        prefix: str,
        flow: str,
        content: dict[str, Any],
        steps: tuple[Step, ...] = _DEPOSITED,
    ) -> Report:
        world = self._world
        now = world.clock.now()
        report = Report(
            report_id=world.new_id(prefix),
            flow=flow,
            content=content,
            created_at=now,
            course=[Leg(steps, now)],
        )
        client.reports[report.report_id] = report
        world.save(client, report)
        return report


def _invoice_paid(client: Client, payment: dict[str, Any]) -> Invoice | None:
    """Find the client's invoice that a payment is for, the youngest where years use a number again."""
    number, seller = payment["invoice_number"], payment["client_siren"]
    year = int(payment["payment_date"][:4])
    # One may be paid before it is issued.
    for one in range(year + 1, year - _YEARS_BACK - 1, -1):
        invoice = client.sponsor.numbers.get((seller, str(one), number))
        if isinstance(invoice, Invoice) and invoice.invoice_id in client.invoices:
            return invoice
    return None


def _is_dead(invoice: Invoice, now: datetime) -> bool:
    """Tell whether an invoice is refused (210) or rejected (213): no 212 follows (Annex A §2.5)."""
    return any(
        event["status_code"].partition(".")[2] in ("REFUSED", "REJECTED") for event in invoice.events(now)
    )
