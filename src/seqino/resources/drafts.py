"""Drafts: invoices that are not issued yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from seqino._generated import operations
from seqino.models import ValidateInvoiceDataRequest
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from seqino._core.wire import JSON
    from seqino.models import DraftCreated, DraftValidated, InvoiceDataValidation, InvoiceDraft
    from seqino.options import CallOptions

__all__ = ["Drafts"]


class Drafts(Resource):
    """Drafts of invoices; to send an invoice once, whatever happens, use ``client.submit``."""

    __slots__ = ()

    async def create(
        self,
        invoice: InvoiceDraft | Mapping[str, JSON],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> DraftCreated:
        """Create a draft, which has no legal effect; partial data is accepted."""
        return await operations.create_draft(self._client, invoice, client_id=client_id, options=options)

    async def get(
        self, draft_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> InvoiceDraft:
        """Get a draft."""
        return await operations.get_draft(self._client, draft_id, client_id=client_id, options=options)

    async def replace(
        self,
        draft_id: str,
        invoice: InvoiceDraft | Mapping[str, JSON],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> DraftCreated:
        """Replace the whole content of a draft; what is left out is gone."""
        return await operations.update_draft(
            self._client, draft_id, invoice, client_id=client_id, options=options
        )

    async def delete(
        self, draft_id: str, *, client_id: str | None = None, options: CallOptions | None = None
    ) -> None:
        """Delete a draft for good."""
        await operations.delete_draft(self._client, draft_id, client_id=client_id, options=options)

    async def validate(
        self,
        draft_id: str,
        *,
        format: str | None = None,  # noqa: A002 - the name on the wire
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> DraftValidated:
        """Validate a draft and issue it as an invoice, which gets its number and can no longer change.

        Args:
            draft_id: The draft.
            format: Target format; that it can be chosen is published, its name and values are inferred.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Raises:
            OutcomeUnknown: It may have been issued: never make a second draft of the same invoice, but let
                ``client.resume`` settle it. ``client.submit`` looks by itself.
        """
        return await operations.validate_draft(
            self._client, draft_id, format=format, client_id=client_id, options=options
        )

    async def validate_data(
        self,
        invoice: InvoiceDraft | Mapping[str, JSON],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> InvoiceDataValidation:
        """Have the platform judge an invoice; nothing is stored."""
        body = (
            {"invoice_data": invoice}
            if isinstance(invoice, Mapping)
            else ValidateInvoiceDataRequest(invoice_data=invoice)
        )
        return await operations.validate_invoice_data(
            self._client, body, client_id=client_id, options=options
        )
