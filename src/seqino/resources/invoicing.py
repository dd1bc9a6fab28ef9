"""Invoices that were issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino._generated import operations
from seqino.models import InvoiceFileSubmission
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from seqino._core.wire import File
    from seqino.models import Invoice, InvoiceFileSubmitted
    from seqino.options import CallOptions

__all__ = ["Invoicing"]


class Invoicing(Resource):
    """Invoices that were issued."""

    __slots__ = ()

    async def get(
        self, invoice_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> Invoice:
        """Get the full data of an invoice.

        Args:
            invoice_id: The platform's id of the invoice.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            The invoice; of one that was sent as a file a platform may show its events alone.

        Raises:
            InvalidInput: The id is empty, or none that a path can hold; nothing was sent.
            NotFound: There is no such invoice, or no data of it is shown.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.get_invoice_data(
            self._client, invoice_id, client_id=client_id, options=options
        )

    async def submit_file(
        self, file: File, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> InvoiceFileSubmitted:
        """Upload an invoice as it is; ``client.submit_file`` also checks it, and reads the answer.

        Args:
            file: UBL or CII XML, or Factur-X PDF; the platform recognises which.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            What the platform answered, the invoice's id where it tells one.

        Raises:
            InvalidInput: It is no file; nothing was sent.
            Rejected: The platform refused it.
            OutcomeUnknown: It may have been taken, and cannot be looked up: do not send it again.
            ResponseDecodeError: It was done, and the answer cannot be read: do not repeat it.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.submit_invoice_file(
            self._client, InvoiceFileSubmission(file=file), client_id=client_id, options=options
        )
