"""Reporting to the tax administration: what no French platform delivers (e-reporting)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino._generated import operations
from seqino.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.models import (
        B2CTransactionReport,
        B2CTransactionReported,
        ExemptInvoiceRequest,
        ExemptInvoiceSubmitted,
        PaymentRecord,
        PaymentRecorded,
    )
    from seqino.options import CallOptions

__all__ = ["Reporting"]


class Reporting(Resource):
    """Reports; each is sent once, and none can be looked up: ``OutcomeUnknown`` must be settled by hand."""

    __slots__ = ()

    async def submit_exempt_invoice(
        self,
        invoice: ExemptInvoiceRequest | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> ExemptInvoiceSubmitted:
        """Report an invoice to or from a foreign company."""
        return await operations.submit_exempt_invoice(
            self._client, invoice, client_id=client_id, options=options
        )

    async def submit_b2c_transactions(
        self,
        report: B2CTransactionReport | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> B2CTransactionReported:
        """Report the sales of a day to consumers."""
        return await operations.submit_b2c_transactions(
            self._client, report, client_id=client_id, options=options
        )

    async def record_payment(
        self,
        payment: PaymentRecord | Mapping[str, Any],
        *,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> PaymentRecorded:
        """Report a payment that was received."""
        return await operations.record_payment(self._client, payment, client_id=client_id, options=options)
