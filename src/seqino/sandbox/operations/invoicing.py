"""Invoice files, and the data of invoices."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from seqino.sandbox.file_rules import file_breaches
from seqino.sandbox.judge import Refusal, Unprocessable, cut, problem
from seqino.sandbox.operations.base import Answer, buyer_of, seller_of
from seqino.sandbox.reading import NoInvoice
from seqino.sandbox.rules import breaches, siren_of
from seqino.sandbox.scenarios import UNSOUND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.sandbox.operations.base import Call, InvoiceData, Play
    from seqino.sandbox.shape import Terms
    from seqino.sandbox.world import World
    from seqino.sandbox.world.invoices import Invoices

__all__ = ["InvoicingOperations"]


class InvoicingOperations:
    """What the tag *Invoicing* does.

    Args:
        world: What it acts on.
        invoices: Its drafts and invoices.
        data: How invoice data are read and shown.
    """

    def __init__(self, world: World, invoices: Invoices, data: InvoiceData) -> None:
        self._world = world
        self._invoices = invoices
        self._data = data

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "POST /invoicing/files/submit": self.submit_invoice_file,
            "GET /invoicing/invoice_data/{invoice_id}": self.get_invoice_data,
        }

    def submit_invoice_file(self, call: Call) -> Answer:
        """Take an invoice file; what is no invoice is refused with 400."""
        client, file = call.client, call.file
        if file is None:
            raise Unprocessable([problem(["body", "file"], "Field required", "missing")])
        if isinstance(file.read, NoInvoice):
            raise Refusal(400, f"{file.name}: {file.read}")
        terms = file.read.terms
        carried = self._data.carried(terms)
        content = carried if self._data.fits(carried) else None
        unsound = next(chain(breaches(terms, self._data.places), file_breaches(terms)), None)
        invoice = self._invoices.take_file(
            client,
            number=terms["BT-1"],
            seller=seller_of(terms),
            year=terms["BT-2"][:4],
            buyer=buyer_of(terms),
            carried=carried,
            is_shown=content is not None,
            refused=None if unsound is None else UNSOUND.because(cut(f"{unsound.rule}: {unsound.message}")),
        )
        return Answer(
            201,
            {
                "invoice_id": invoice.invoice_id,
                "status": "submitted",
                "file_name": file.name,
                "file_size": file.size,
                "extracted_data": {"syntax": file.read.syntax, **_summary(terms)},
                "en16931_invoice": content and self._data.shown(content),
            },
        )

    def get_invoice_data(self, call: Call) -> Answer:
        """Answer an invoice as the API's model shows it."""
        invoice_id = call.parameters["invoice_id"]
        invoice = call.client.invoices.get(invoice_id)
        if invoice is None:
            raise Refusal(404, f"invoice {invoice_id} does not exist")
        if invoice.content is None:
            raise Refusal(404, f"the file of invoice {invoice_id} holds no data that this API can show")
        marks = {"invoice_id": invoice.invoice_id, "status": invoice.status(self._world.clock.now())}
        return Answer(200, self._data.shown({**invoice.content, **marks}))


def _summary(terms: Terms) -> dict[str, Any]:
    return {
        "invoice_number": terms["BT-1"],
        "type_code": terms.get("BT-3"),
        "issue_date": terms["BT-2"],
        "seller_siren": siren_of(terms, legal="BT-30", vat="BT-31", address="BT-34"),
        "buyer_siren": buyer_of(terms),
    }
