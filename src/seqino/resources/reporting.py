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
        """Report an invoice to or from a foreign company.

        Args:
            invoice: The direction as seen from the client, the other party's country (ISO 3166, two letters),
                and the invoice as for ``drafts.create``.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Its id and state.

        Raises:
            InvalidInput: It does not fit the description, or an identifier in it is none; nothing was sent.
            Rejected: The platform refused it; nothing was reported.
            OutcomeUnknown: It may have been reported, and nothing shows whether: ask the platform, never
                repeat it.
            ResponseDecodeError: It was done, and the answer cannot be read: do not repeat it.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
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
        """Report the sales of a day to consumers.

        Args:
            report: One day, one currency and one category (TLB1 goods, TPS1 services, TNT1 not taxable, TMA1
                margin): number of sales, sums and VAT by rate. Amounts are ``Decimal`` or text; that of the
                VAT is in euros.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            What was reported; its fields are inferred.

        Raises:
            InvalidInput: It does not fit the description, or the SIREN is none; nothing was sent.
            Rejected: The platform refused it; nothing was reported.
            OutcomeUnknown: It may have been reported, and nothing shows whether: ask the platform, never
                repeat it.
            ResponseDecodeError: It was done, and the answer cannot be read: do not repeat it.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
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
        """Report a payment that was received; it changes no invoice's status.

        Args:
            payment: The client's SIREN (9 digits), the day, and the amount as ``Decimal`` or text, negative
                where one is taken back; and currency (ISO 4217) and invoice number.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this call does otherwise than its client.

        Returns:
            Its id, and the period that it is reported in.

        Raises:
            InvalidInput: It does not fit the description, or the SIREN is none; nothing was sent.
            Rejected: The platform refused it; nothing was reported.
            OutcomeUnknown: It may have been reported, and nothing shows whether: ask the platform, never
                repeat it.
            ResponseDecodeError: It was done, and the answer cannot be read: do not repeat it.
            CallError: It failed in another way; the tree is in ``seqino.errors``.
        """
        return await operations.record_payment(self._client, payment, client_id=client_id, options=options)
