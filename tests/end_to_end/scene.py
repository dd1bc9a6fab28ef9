"""What the calls of the end-to-end tests need to be there before them."""

from __future__ import annotations

from typing import Any

import attrs

from seqino import SeqinoClient
from seqino.sandbox import Sandbox
from tests.sound_invoice import INVOICE, SELLER

CLIENT = "sandbox-client-seqino"
KEY = "key-1"
HOOK = "http://127.0.0.1:9/hook"
"""Where nobody listens: events are told in vain."""

COMPANY = {"organization_name": "Dupain", "contact_email": "a@dupain.example", "external_ref": "dupain-03"}
PERIODICITY = {
    "vat_regime": "franchise",
    "transaction_periodicity": "monthly",
    "payment_periodicity": "bimonthly",
}
PAYMENT = {"client_siren": SELLER, "payment_date": "2026-10-02", "amount": "180.12"}
EXEMPT: dict[str, Any] = {"direction": "outgoing", "country_code": "DE", "model": INVOICE}
NOBODY = "client-of-nobody"
UBL = b"""<?xml version="1.0" encoding="UTF-8"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
  xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
  xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:ID>F-2026-7</cbc:ID><cbc:IssueDate>2026-09-01</cbc:IssueDate>
  <cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
</Invoice>"""


def text(value: object) -> str:
    """A value that has to be a text which says something."""
    assert isinstance(value, str)
    assert value
    return value


def mandate(siren: str = SELLER) -> dict[str, Any]:
    return {
        "start_date": "2024-01-15T00:00:00Z",
        "directory_entry": {"siren": siren, "name": "Atelier Vauban SAS"},
    }


@attrs.frozen
class Scene:
    """What a call needs to be there before it."""

    client: SeqinoClient
    sandbox: Sandbox
    stranger: SeqinoClient
    """One whose key the sandbox does not take."""

    async def draft(self) -> str:
        created = await self.client.drafts.create(INVOICE)
        assert isinstance(created.draft_id, str)
        return created.draft_id

    async def invoice(self) -> str:
        submission = await self.client.submit(INVOICE)
        assert submission.invoice_id is not None
        return submission.invoice_id

    async def company(self) -> str:
        return text((await self.client.clients.create(COMPANY)).client_id)

    async def mandate(self) -> str:
        created = await self.client.mandates.create(mandate())
        self.sandbox.clock.advance(10)  # it is active from now on
        return text(created.id)

    async def link(self) -> None:
        await self.client.clients.generate_onboarding_link({})

    async def webhook(self) -> None:
        await self.client.webhooks.create({"url": HOOK})
