"""Every function of ``seqino.api`` over a real wire, with what its answer says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest

from seqino import api, errors, models
from seqino._core.wire import File
from seqino._generated.operations import OPERATIONS
from tests.end_to_end.scene import (
    CLIENT,
    COMPANY,
    EXEMPT,
    HOOK,
    KEY,
    PAYMENT,
    PERIODICITY,
    UBL,
    Scene,
    mandate,
    text,
)
from tests.sound_invoice import BUYER, INVOICE, SELLER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def get_clients(scene: Scene) -> models.Client:
    found = await api.clients.get_clients(scene.client)
    assert isinstance(found, list)
    assert {one.client_id for one in found} >= {CLIENT}
    return found[0]


async def create_client(scene: Scene) -> models.Client:
    created = await api.clients.create_client(scene.client, COMPANY)
    assert created.organization_name == "Dupain"
    assert scene.sandbox.counters.clients_created == 1
    return created


async def get_client_details(scene: Scene) -> models.Client:
    client_id = await scene.company()
    found = await api.clients.get_client_details(scene.client, client_id)
    assert (found.client_id, found.external_ref) == (client_id, "dupain-03")
    return found


async def delete_client(scene: Scene) -> None:
    client_id = await scene.company()
    await api.clients.delete_client(scene.client, client_id)
    with pytest.raises(errors.NotFound):
        await scene.client.clients.get(client_id)


async def generate_client_onboarding_link(scene: Scene) -> models.OnboardingLink:
    link = await api.clients.generate_client_onboarding_link(scene.client, {"include_kyc": True})
    assert text(link.url).startswith("http")
    return link


async def get_client_onboarding_link_status(scene: Scene) -> models.OnboardingLinkStatus:
    await scene.link()
    return await api.clients.get_client_onboarding_link_status(scene.client)


async def create_pdp_client(scene: Scene) -> models.PdpClientCreated:
    asked = {"external_reference": "CUST-1", "client_name": "ACME Corporation", "description": "Main"}
    created = await api.clients.create_pdp_client(scene.client, asked)
    assert text(created.pdp_client_id) in scene.sandbox.world.sponsor(KEY).clients
    return created


async def get_client_mandates(scene: Scene) -> models.Mandate:
    mandate_id = await scene.mandate()
    (found,) = await api.mandates.get_client_mandates(scene.client, status_filter="active")
    assert found.id == mandate_id
    return found


async def create_mandate(scene: Scene) -> models.Mandate:
    created = await api.mandates.create_mandate(scene.client, mandate())
    assert created.start_date == dt.datetime(2024, 1, 15, tzinfo=dt.UTC)
    return created


async def create_mandates_batch(scene: Scene) -> models.Mandate:
    both = {"mandates": [mandate(), mandate(BUYER)]}
    created = await api.mandates.create_mandates_batch(scene.client, both)
    assert len(created) == scene.sandbox.counters.mandates_created == 2
    return created[0]


async def get_directory_entries_by_siren(scene: Scene) -> models.DirectoryEntry:
    await scene.mandate()
    (found,) = await api.mandates.get_directory_entries_by_siren(scene.client, SELLER)
    assert found.siren == SELLER
    return found


async def get_mandate_details(scene: Scene) -> models.Mandate:
    mandate_id = await scene.mandate()
    found = await api.mandates.get_mandate_details(scene.client, mandate_id)
    assert (found.id, found.status) == (mandate_id, models.MandateStatus.ACTIVE)
    return found


async def revoke_mandate(scene: Scene) -> None:
    await api.mandates.revoke_mandate(scene.client, await scene.mandate())
    assert scene.sandbox.counters.mandates_revoked == 1


async def get_directory_entry(scene: Scene) -> models.DirectoryEntry:
    await scene.mandate()
    found = await api.directory.get_directory_entry(scene.client, SELLER)
    assert (found.siren, found.name) == (SELLER, "Atelier Vauban SAS")
    return found


async def create_draft(scene: Scene) -> models.DraftCreated:
    created = await api.drafts.create_draft(scene.client, INVOICE)
    assert text(created.draft_id) in scene.sandbox.world.sponsor(KEY).clients[CLIENT].drafts
    return created


async def validate_invoice_data(scene: Scene) -> models.InvoiceDataValidation:
    judged = await api.drafts.validate_invoice_data(scene.client, {"invoice_data": INVOICE})
    assert judged.valid is True
    assert scene.sandbox.counters.drafts_created == 0
    return judged


async def get_draft(scene: Scene) -> models.InvoiceDraft:
    found = await api.drafts.get_draft(scene.client, await scene.draft())
    assert found.issue_date == dt.date(2026, 9, 15)
    assert found.total_amount_with_vat == Decimal("180.12")
    return found


async def update_draft(scene: Scene) -> models.DraftCreated:
    draft_id = await scene.draft()
    answer = await api.drafts.update_draft(scene.client, draft_id, {**INVOICE, "currency_code": "CHF"})
    assert (await scene.client.drafts.get(draft_id)).currency_code == "CHF"
    return answer


async def delete_draft(scene: Scene) -> None:
    await api.drafts.delete_draft(scene.client, await scene.draft())
    assert scene.sandbox.counters.drafts_deleted == 1


async def validate_draft(scene: Scene) -> models.DraftValidated:
    issued = await api.drafts.validate_draft(scene.client, await scene.draft())
    assert (issued.status, scene.sandbox.counters.invoices_created) == (models.InvoiceStatus.SUBMITTED, 1)
    return issued


async def get_invoice_data(scene: Scene) -> models.Invoice:
    invoice_id = await scene.invoice()
    found = await api.invoicing.get_invoice_data(scene.client, invoice_id)
    assert (found.invoice_id, found.total_vat_amount) == (invoice_id, Decimal("30.02"))
    return found


async def submit_invoice_file(scene: Scene) -> models.InvoiceFileSubmitted:
    file = models.InvoiceFileSubmission(file=File(name="f.xml", content=UBL))
    taken = await api.invoicing.submit_invoice_file(scene.client, file)
    assert (taken.file_name, taken.file_size) == ("f.xml", len(UBL))
    return taken


async def get_lifecycle_events(scene: Scene) -> models.LifecycleEvent:
    invoice_id = await scene.invoice()
    found = await api.lifecycle.get_lifecycle_events(
        scene.client, object_type="invoice", object_id=invoice_id
    )
    return found[0]


async def submit_exempt_invoice(scene: Scene) -> models.ExemptInvoiceSubmitted:
    reported = await api.reporting.submit_exempt_invoice(scene.client, EXEMPT)
    assert (text(reported.invoice_id), scene.sandbox.counters.exempt_invoices_reported) != ("", 0)
    return reported


async def submit_b2c_transactions(scene: Scene) -> models.B2CTransactionReported:
    reported = await api.reporting.submit_b2c_transactions(scene.client, {})
    assert scene.sandbox.counters.b2c_transactions_reported == 1
    return reported


async def record_payment(scene: Scene) -> models.PaymentRecorded:
    recorded = await api.reporting.record_payment(scene.client, PAYMENT)
    assert scene.sandbox.counters.payments_recorded == 1
    return recorded


async def get_periodicity_settings(scene: Scene) -> models.PeriodicitySettings:
    found = await api.settings.get_periodicity_settings(scene.client)
    assert found.vat_regime == "real_normal_monthly"
    return found


async def set_periodicity_settings(scene: Scene) -> None:
    await api.settings.set_periodicity_settings(scene.client, PERIODICITY)  # answers any JSON, here nothing
    assert (await scene.client.settings.get_periodicity()).vat_regime == "franchise"


async def get_usage_metrics(scene: Scene) -> models.UsageMetrics:
    await scene.draft()
    found = await api.usage.get_usage_metrics(scene.client)
    assert found.total_api_calls == 1
    return found


async def get_usage_summary(scene: Scene) -> models.UsageSummary:
    return await api.usage.get_usage_summary(scene.client)


async def get_usage_limits(scene: Scene) -> models.UsageLimits:
    return await api.usage.get_usage_limits(scene.client)


async def get_webhook(scene: Scene) -> models.Webhook:
    await scene.webhook()
    found = await api.webhooks.get_webhook(scene.client)
    assert found.url == HOOK
    return found


async def create_webhook(scene: Scene) -> models.WebhookCreated:
    created = await api.webhooks.create_webhook(scene.client, {"url": HOOK})
    assert text(created.secret)
    return created


async def get_webhook_event_types(scene: Scene) -> models.WebhookEventTypes:
    return await api.webhooks.get_webhook_event_types(scene.client)


async def health_check(scene: Scene) -> object:
    healthy = await api.health.health_check(scene.client)
    assert healthy == await scene.client.health()
    return healthy


WELL: dict[str, Callable[[Scene], Awaitable[Any]]] = {
    name: one for name, one in list(globals().items()) if name in OPERATIONS
}
"""How each operation is called well, by its name."""


def test_every_operation_of_the_api_is_called() -> None:
    assert WELL.keys() == OPERATIONS.keys()


@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_that_goes_well_answers_what_it_says(name: str, scene: Scene) -> None:
    answer = await WELL[name](scene)
    assert isinstance(answer, get_type_hints(WELL[name])["return"])
