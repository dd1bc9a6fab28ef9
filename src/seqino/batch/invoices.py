"""What a ledger does with one invoice at a time: it is submitted, or corrected, and sent once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from seqino.batch.base import LedgerBase
from seqino.batch.content import draft_item, file_item
from seqino.batch.keys import check_name
from seqino.errors import ConfigurationError
from seqino.options import CallOptions, checks_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.client import InvoiceFile, SeqinoClient
    from seqino.models import InvoiceDraft
    from seqino.submission import Submission

__all__ = ["Invoices"]


class Invoices(LedgerBase):
    """What a ledger does with one invoice at a time."""

    async def submit(
        self,
        client: SeqinoClient,
        invoice: InvoiceDraft | Mapping[str, Any],
        *,
        key: str,
        client_id: str | None = None,
        document_ref: str | None = None,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice, once, however often and from wherever it is called with this key.

        Args:
            client: A client of this ledger's server.
            invoice: The invoice, as a model or as a mapping with the names of the wire.
            key: Your own key of it, such as its number in your accounts: unique for each client.
            client_id: On whose behalf; the client's own where it is left out.
            document_ref: The document it is made of, if it could also be sent as a file: unique too.
            revalidate: As for ``SeqinoClient.submit``.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Returns:
            The invoice that the platform took, now or when this key was first submitted.

        Raises:
            InvalidInput: The invoice cannot be sent, and nothing was.
            KeyConflict: The key, or the document, stands for another content.
            KeyUnknown: The ledger was put back from a backup, and cannot tell whether the key was sent.
            KeyInUse: Another process is sending it, and did not end in time.
            Rejected: The platform refused it; no invoice exists.
            OutcomeUnknown: An invoice may exist. Call again, or ``reconcile``; never use another key.
            CallError: Nothing was submitted; call again.
            LedgerError: The ledger failed.
        """
        whose = self._whose(client, client_id)
        new = draft_item(
            invoice,
            client_id=whose,
            key=key,
            document_ref=document_ref,
            check_digits=checks_digits(options, default=client.check_digits),
        )
        return await self._service.submit(
            client, new, options=options or CallOptions(), revalidate=revalidate
        )

    async def submit_file(
        self,
        client: SeqinoClient,
        file: InvoiceFile,
        *,
        key: str | None = None,
        name: str | None = None,
        client_id: str | None = None,
        document_ref: str | None = None,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice as a file, byte for byte, once. If its answer is lost, it stays in doubt.

        Args:
            client: A client of this ledger's server.
            file: UBL or CII XML, or Factur-X PDF. One that is named by its path is read again when it is
                sent, and must not have changed.
            key: Your own key of it; seller, number and year of issue where it is left out.
            name: Name to send it under; the file's own where it has one.
            client_id: On whose behalf; the client's own where it is left out.
            document_ref: The document it is made of, if it could also be sent as a draft: unique too.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Returns:
            The invoice that the platform took, now or when this key was first submitted.

        Raises:
            InvalidInput: It is no invoice, or has no key, and nothing was sent.
            OSError: It cannot be read, and nothing was sent.
            KeyConflict: The key, or the document, stands for another content.
            KeyUnknown: The ledger was put back from a backup, and cannot tell whether the key was sent.
            KeyInUse: Another process is sending it, and did not end in time.
            Rejected: The platform refused it; no invoice exists.
            OutcomeUnknown: An invoice may exist, and no file can be looked up: ask the platform.
            CallError: Nothing was submitted; call again.
            LedgerError: The ledger failed.
        """
        whose = self._whose(client, client_id)
        # Reading and recognising may take a while, during which the loop goes on.
        new = await asyncio.to_thread(
            file_item, file, client_id=whose, key=key, name=name, document_ref=document_ref
        )
        return await self._service.submit(client, new, options=options or CallOptions())

    async def correct(
        self,
        client: SeqinoClient,
        invoice: InvoiceDraft | Mapping[str, Any],
        *,
        key: str,
        client_id: str | None = None,
        revalidate: bool = False,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice that was rejected, with what it was corrected to; its draft is replaced.

        Args:
            client: A client of this ledger's server.
            invoice: The invoice as it is now.
            key: The key that it was submitted with.
            client_id: On whose behalf; the client's own where it is left out.
            revalidate: As for ``SeqinoClient.submit``.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Raises:
            KeyConflict: It was not rejected, or an end of it was once unclear; nothing was sent.
            InvalidInput: There is no such key, or the invoice cannot be sent; nothing was.
            SeqinoError: As for ``submit``.
        """
        new = draft_item(
            invoice,
            client_id=self._whose(client, client_id),
            key=key,
            check_digits=checks_digits(options, default=client.check_digits),
        )
        return await self._service.correct(
            client, new, options=options or CallOptions(), revalidate=revalidate
        )

    async def correct_file(
        self,
        client: SeqinoClient,
        file: InvoiceFile,
        *,
        key: str,
        name: str | None = None,
        client_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Submission:
        """Submit an invoice file that was rejected, with what it was corrected to.

        Args:
            client: A client of this ledger's server.
            file: The file as it is now.
            key: The key that it was submitted with.
            name: Name to send it under; the file's own where it has one.
            client_id: On whose behalf; the client's own where it is left out.
            options: What this does otherwise than the client; ``timeout`` covers all of it.

        Raises:
            KeyConflict: It was not rejected, or an end of it was once unclear; nothing was sent.
            InvalidInput: There is no such key, or it is no invoice; nothing was sent.
            SeqinoError: As for ``submit_file``.
        """
        whose = self._whose(client, client_id)
        new = await asyncio.to_thread(file_item, file, client_id=whose, key=key, name=name)
        return await self._service.correct(client, new, options=options or CallOptions())

    def _whose(self, client: SeqinoClient, client_id: str | None) -> str:
        self._check_server(client)
        whose = client_id or client.client_id
        if whose is None:
            raise ConfigurationError(
                "the ledger has to know on whose behalf an invoice is sent: give client_id, here or to the "
                "client"
            )
        return check_name("client_id", whose)
