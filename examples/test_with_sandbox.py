"""Test an integration against the sandbox: copy this file, and put your own code in the place of ``bill``.

Run it with pytest, in either mode of pytest-asyncio::

    pip install 'seqino[test]'
    pytest test_with_sandbox.py

What to take from it: the fixtures come with the package; the clock stands still, so that no test waits; and
what counts is not only what your code says, but what the platform counted.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from seqino import LocalState, SeqinoClient, Submission, local_state
from seqino.models import LifecycleEvent
from seqino.testing import Clock, Faults, Sandbox, Webhooks

pytestmark = pytest.mark.asyncio  # not needed with asyncio_mode = "auto"


def invoice(*, vat_rate: str = "20") -> dict[str, Any]:
    """An invoice of 240 EUR before VAT."""
    net, rate = Decimal("240.00"), Decimal(vat_rate)
    vat = (net * rate / 100).quantize(Decimal("0.01"))
    address = {"city_name": "Nantes", "postal_zone": "44000", "country_code": "FR"}
    return {
        "issue_date": "2026-11-20",
        "due_date": "2026-12-20",
        "type_code": "380",
        "currency_code": "EUR",
        "seller": {
            "name": "Atelier Bois & Co",
            "postal_address": address,
            "seller_legal_registration_identifier": "552100554",
        },
        "buyer": {"name": "Librairie du Canal", "postal_address": address},
        "lines": [{"line_identifier": "1", "item_name": "Étagère en chêne", "line_net_amount": net}],
        "vat_breakdown": [
            {"vat_category_code": "S", "vat_rate": rate, "taxable_amount": net, "vat_amount": vat}
        ],
        "total_amount_with_vat": net + vat,
    }


async def bill(client: SeqinoClient, **changes: str) -> Submission:
    """Stand in for your own code, which makes an invoice and submits it."""
    return await client.submit(invoice(**changes))


async def events(client: SeqinoClient, submitted: Submission) -> list[LifecycleEvent]:
    """What happened to an invoice until now."""
    found = client.lifecycle.events(object_type="invoice", object_id=submitted.invoice_id)
    return await found.to_list()


async def test_an_invoice_is_accepted_and_paid(seqino_client: SeqinoClient, seqino_clock: Clock) -> None:
    submitted = await bill(seqino_client)
    assert local_state(await events(seqino_client, submitted)) is LocalState.IN_TRANSIT
    seqino_clock.advance(60)
    assert local_state(await events(seqino_client, submitted)) is LocalState.SETTLED


@pytest.mark.seqino(scenario="refused")
async def test_a_refused_invoice_is_corrected_and_sent_anew(
    seqino_client: SeqinoClient,
    seqino_sandbox: Sandbox,
    seqino_clock: Clock,
    seqino_scenario: Callable[[str], None],
) -> None:
    refused = await bill(seqino_client, vat_rate="10")
    seqino_clock.advance(60)
    history = await events(seqino_client, refused)
    assert local_state(history) is LocalState.DEAD
    assert history[-1].status_code.number == 210
    assert history[-1].rejection_reason == "TX_TVA_ERR"  # the rate of VAT is wrong

    # A refused invoice stays refused. What is corrected is a new invoice, with a number of its own.
    seqino_scenario("paid")
    corrected = await bill(seqino_client, vat_rate="20")
    seqino_clock.advance(60)
    assert local_state(await events(seqino_client, corrected)) is LocalState.SETTLED
    assert local_state(await events(seqino_client, refused)) is LocalState.DEAD
    assert corrected.invoice_number != refused.invoice_number
    assert seqino_sandbox.counters.invoices_created == 2


async def test_a_lost_answer_makes_exactly_one_invoice(
    seqino_client: SeqinoClient, seqino_sandbox: Sandbox, seqino_faults: Faults
) -> None:
    # The platform issues the invoice, and the connection breaks before it can say so.
    seqino_faults.plan("reset-after", operation="POST /drafts/{draft_id}/validate")
    submitted = await bill(seqino_client)
    assert submitted.invoice_id is not None
    assert seqino_sandbox.counters.invoices_created == 1


async def test_too_many_requests_are_repeated_later(
    seqino_client: SeqinoClient, seqino_sandbox: Sandbox, seqino_faults: Faults, seqino_clock: Clock
) -> None:
    began = seqino_clock.now()
    seqino_faults.plan("status-429-before", times=2)
    await bill(seqino_client)
    assert seqino_sandbox.counters.invoices_created == 1
    # The client paused before each repetition: on the sandbox's clock, and not on yours.
    assert seqino_clock.now() > began


@pytest.mark.seqino(scenario="refused")
async def test_a_refusal_arrives_at_the_webhook(
    seqino_client: SeqinoClient, seqino_clock: Clock, seqino_webhooks: Webhooks
) -> None:
    submitted = await bill(seqino_client)
    seqino_clock.advance(60)
    created = await seqino_webhooks.next("invoice.created")
    assert created.payload["data"]["invoice_id"] == submitted.invoice_id
    # Every event was signed with the webhook's secret, else it would stand in seqino_webhooks.refused.
    last = seqino_webhooks.events[-1]
    assert last.event_type == "invoice.status_updated"
    assert last.payload["data"]["status_code"] == "InvoiceLifecycleStatus.REFUSED"
