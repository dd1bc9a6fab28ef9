"""Every method of the client and its resources over a real wire: once well, and once refused."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from seqino import SeqinoClient, errors, models
from seqino._core.wire import File
from seqino.resources.base import Resource
from seqino.submission import Submission, Verdict
from tests.end_to_end.scene import (
    CLIENT,
    COMPANY,
    EXEMPT,
    HOOK,
    KEY,
    NOBODY,
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

    from seqino.pagination import Pager

FILE = File(name="f.xml", content=UBL)
UNSOUND = {name: one for name, one in INVOICE.items() if name != "lines"}
OTHER_COMPANY = {**COMPANY, "organization_name": "Somebody else"}
OTHER_START = {**mandate(), "start_date": "2025-01-15T00:00:00Z"}
PDP_CLIENT = {"external_reference": "CUST-1", "client_name": "ACME Corporation"}


# --- What goes well


async def _of(made: Awaitable[str], call: Callable[[str], Awaitable[Any]]) -> Any:
    """Call with what has to be made before."""
    return await call(await made)


async def _twice(first: Awaitable[Any], second: Callable[[], Awaitable[Any]]) -> Any:
    await first
    return await second()


async def _one(pager: Pager[Any]) -> Any:
    """Something of a list, which is the same whichever way one reads it."""
    found = [one async for one in pager]
    assert found == await pager.to_list()
    return found[0]


WELL: dict[str, tuple[Any, Callable[[Scene], Awaitable[Any]]]] = {
    "clients.list": (models.Client, lambda s: _one(s.client.clients.list())),
    "clients.create": (models.Client, lambda s: s.client.clients.create(COMPANY)),
    "clients.get": (models.Client, lambda s: _of(s.company(), s.client.clients.get)),
    "clients.delete": (None, lambda s: _of(s.company(), s.client.clients.delete)),
    "clients.generate_onboarding_link": (
        models.OnboardingLink,
        lambda s: s.client.clients.generate_onboarding_link({}),
    ),
    "clients.get_onboarding_link_status": (
        models.OnboardingLinkStatus,
        lambda s: _twice(s.link(), s.client.clients.get_onboarding_link_status),
    ),
    "clients.create_pdp_client": (
        models.PdpClientCreated,
        lambda s: s.client.clients.create_pdp_client(PDP_CLIENT),
    ),
    "directory.get": (
        models.DirectoryEntry,
        lambda s: _twice(s.mandate(), lambda: s.client.directory.get(SELLER)),
    ),
    "drafts.create": (models.DraftCreated, lambda s: s.client.drafts.create(INVOICE)),
    "drafts.get": (models.InvoiceDraft, lambda s: _of(s.draft(), s.client.drafts.get)),
    "drafts.replace": (
        models.DraftCreated,
        lambda s: _of(s.draft(), lambda one: s.client.drafts.replace(one, INVOICE)),
    ),
    "drafts.delete": (None, lambda s: _of(s.draft(), s.client.drafts.delete)),
    "drafts.validate": (models.DraftValidated, lambda s: _of(s.draft(), s.client.drafts.validate)),
    "drafts.validate_data": (
        models.InvoiceDataValidation,
        lambda s: s.client.drafts.validate_data(INVOICE),
    ),
    "invoicing.get": (models.Invoice, lambda s: _of(s.invoice(), s.client.invoicing.get)),
    "invoicing.submit_file": (models.InvoiceFileSubmitted, lambda s: s.client.invoicing.submit_file(FILE)),
    "lifecycle.events": (
        models.LifecycleEvent,
        lambda s: _of(
            s.invoice(), lambda one: _one(s.client.lifecycle.events(object_type="invoice", object_id=one))
        ),
    ),
    "mandates.list": (
        models.Mandate,
        lambda s: _twice(s.mandate(), lambda: _one(s.client.mandates.list(status="active"))),
    ),
    "mandates.create": (models.Mandate, lambda s: s.client.mandates.create(mandate())),
    "mandates.create_batch": (
        list,
        lambda s: s.client.mandates.create_batch({"mandates": [mandate(), mandate(BUYER)]}),
    ),
    "mandates.get": (models.Mandate, lambda s: _of(s.mandate(), s.client.mandates.get)),
    "mandates.revoke": (None, lambda s: _of(s.mandate(), s.client.mandates.revoke)),
    "mandates.list_directory_entries": (
        models.DirectoryEntry,
        lambda s: _twice(s.mandate(), lambda: _one(s.client.mandates.list_directory_entries(SELLER))),
    ),
    "reporting.submit_exempt_invoice": (
        models.ExemptInvoiceSubmitted,
        lambda s: s.client.reporting.submit_exempt_invoice(EXEMPT),
    ),
    "reporting.submit_b2c_transactions": (
        models.B2CTransactionReported,
        lambda s: s.client.reporting.submit_b2c_transactions({}),
    ),
    "reporting.record_payment": (
        models.PaymentRecorded,
        lambda s: s.client.reporting.record_payment(PAYMENT),
    ),
    "settings.get_periodicity": (models.PeriodicitySettings, lambda s: s.client.settings.get_periodicity()),
    "settings.set_periodicity": (None, lambda s: s.client.settings.set_periodicity(PERIODICITY)),
    "usage.get_metrics": (models.UsageMetrics, lambda s: s.client.usage.get_metrics()),
    "usage.get_summary": (models.UsageSummary, lambda s: s.client.usage.get_summary()),
    "usage.get_limits": (models.UsageLimits, lambda s: s.client.usage.get_limits()),
    "webhooks.get": (models.Webhook, lambda s: _twice(s.webhook(), s.client.webhooks.get)),
    "webhooks.create": (models.WebhookCreated, lambda s: s.client.webhooks.create({"url": HOOK})),
    "webhooks.get_event_types": (
        models.WebhookEventTypes,
        lambda s: s.client.webhooks.get_event_types(),
    ),
    "submit": (Submission, lambda s: s.client.submit(INVOICE)),
    "submit_draft": (Submission, lambda s: _of(s.draft(), s.client.submit_draft)),
    "submit_file": (Submission, lambda s: s.client.submit_file(UBL)),
}
"""How each method is called well, and the type of what it returns."""


@pytest.mark.parametrize("name", WELL)
async def test_a_method_that_goes_well_returns_what_it_says(name: str, scene: Scene) -> None:
    expected, call = WELL[name]
    answer = await call(scene)
    assert type(answer) is (type(None) if expected is None else expected)


COMPOSED = {
    *("clients.find", "directory.find", "directory.is_reachable", "drafts.modify"),
    *("lifecycle.history", "lifecycle.poll", "lifecycle.wait_until", "lifecycle.watch"),
    *("mandates.expiring", "mandates.wait_until_active"),
}
"""Methods that call others, and have tests of their own in ``tests/facade``."""


def _methods() -> set[str]:
    """Names of every method of every resource that is one operation."""
    client = SeqinoClient("k", base_url="http://127.0.0.1:1")
    resources = {
        name: one
        for name, one in inspect.getmembers(client, lambda one: isinstance(one, Resource))
        if not name.startswith("_")
    }
    return {
        f"{tag}.{name}"
        for tag, resource in resources.items()
        for name, _ in inspect.getmembers(resource, inspect.ismethod)
        if not name.startswith("_")
    } - COMPOSED


def test_every_method_of_every_resource_is_called_well_and_refused() -> None:
    methods = _methods()
    assert len(methods) > 30
    assert {name for name in WELL if "." in name} == methods
    assert {name for name in REFUSED if "." in name} == methods
    assert {name for name in WELL if "." not in name} == {name for name in REFUSED if "." not in name}


# --- What is refused

_MISSING = errors.NotFound
_WRONG = errors.UnprocessableContent
_CONFLICT = errors.ReconcileMismatch
_KEY = errors.AuthenticationFailed


REFUSED: dict[str, tuple[type[errors.CallError], Callable[[Scene], Awaitable[Any]]]] = {
    "clients.list": (_KEY, lambda s: s.stranger.clients.list().to_list()),
    "clients.create": (
        _CONFLICT,
        lambda s: _twice(s.company(), lambda: s.client.clients.create(OTHER_COMPANY)),
    ),
    "clients.get": (_MISSING, lambda s: s.client.clients.get("none")),
    "clients.delete": (_MISSING, lambda s: s.client.clients.delete("none")),
    "clients.generate_onboarding_link": (
        _MISSING,
        lambda s: s.client.clients.generate_onboarding_link({}, client_id=NOBODY),
    ),
    "clients.get_onboarding_link_status": (
        _MISSING,
        lambda s: s.client.clients.get_onboarding_link_status(),
    ),
    "clients.create_pdp_client": (
        _KEY,
        lambda s: s.stranger.clients.create_pdp_client(PDP_CLIENT),
    ),
    "directory.get": (_MISSING, lambda s: s.client.directory.get(SELLER)),
    "drafts.create": (_MISSING, lambda s: s.client.drafts.create(INVOICE, client_id=NOBODY)),
    "drafts.get": (_MISSING, lambda s: s.client.drafts.get("none")),
    "drafts.replace": (_MISSING, lambda s: s.client.drafts.replace("none", INVOICE)),
    "drafts.delete": (_MISSING, lambda s: s.client.drafts.delete("none")),
    "drafts.validate": (
        _WRONG,
        lambda s: _of(_id(s.client, UNSOUND), s.client.drafts.validate),
    ),
    "drafts.validate_data": (
        _MISSING,
        lambda s: s.client.drafts.validate_data(INVOICE, client_id=NOBODY),
    ),
    "invoicing.get": (_MISSING, lambda s: s.client.invoicing.get("none")),
    "invoicing.submit_file": (
        errors.Rejected,
        lambda s: s.client.invoicing.submit_file(File(name="f.xml", content=b"<a/>")),
    ),
    "lifecycle.events": (
        _WRONG,
        lambda s: s.client.lifecycle.events(object_type=models.ObjectType("parcel")).to_list(),
    ),
    "mandates.list": (_MISSING, lambda s: s.client.mandates.list(client_id=NOBODY).to_list()),
    "mandates.create": (
        _CONFLICT,
        lambda s: _twice(s.mandate(), lambda: s.client.mandates.create(OTHER_START)),
    ),
    "mandates.create_batch": (
        _MISSING,
        lambda s: s.client.mandates.create_batch({"mandates": [mandate()]}, client_id=NOBODY),
    ),
    "mandates.get": (_MISSING, lambda s: s.client.mandates.get("none")),
    "mandates.revoke": (_MISSING, lambda s: s.client.mandates.revoke("none")),
    "mandates.list_directory_entries": (
        _MISSING,
        lambda s: s.client.mandates.list_directory_entries(SELLER).to_list(),
    ),
    "reporting.submit_exempt_invoice": (
        _WRONG,
        lambda s: s.client.reporting.submit_exempt_invoice({**EXEMPT, "country_code": "FR"}),
    ),
    "reporting.submit_b2c_transactions": (
        _MISSING,
        lambda s: s.client.reporting.submit_b2c_transactions({}, client_id=NOBODY),
    ),
    "reporting.record_payment": (
        _MISSING,
        lambda s: s.client.reporting.record_payment(PAYMENT, client_id=NOBODY),
    ),
    "settings.get_periodicity": (
        _MISSING,
        lambda s: s.client.settings.get_periodicity(client_id=NOBODY),
    ),
    "settings.set_periodicity": (
        errors.Rejected,
        lambda s: s.client.settings.set_periodicity({**PERIODICITY, "vat_regime": "simplified"}),
    ),
    "usage.get_metrics": (_MISSING, lambda s: s.client.usage.get_metrics(client_id=NOBODY)),
    "usage.get_summary": (_MISSING, lambda s: s.client.usage.get_summary(client_id=NOBODY)),
    "usage.get_limits": (_MISSING, lambda s: s.client.usage.get_limits(client_id=NOBODY)),
    "webhooks.get": (_MISSING, lambda s: s.client.webhooks.get()),
    "webhooks.create": (
        _CONFLICT,
        lambda s: _twice(s.webhook(), lambda: s.client.webhooks.create({"url": f"{HOOK}/2"})),
    ),
    "webhooks.get_event_types": (_KEY, lambda s: s.stranger.webhooks.get_event_types()),
    "submit": (_WRONG, lambda s: s.client.submit(UNSOUND)),
    "submit_draft": (_WRONG, lambda s: _of(_id(s.client, UNSOUND), s.client.submit_draft)),
    "submit_file": (_MISSING, lambda s: s.client.submit_file(UBL, client_id=NOBODY)),
}
"""How each method is refused, and with which error."""


async def _id(client: SeqinoClient, invoice: dict[str, Any]) -> str:
    return text((await client.drafts.create(invoice)).draft_id)


@pytest.mark.parametrize("name", REFUSED)
async def test_a_method_that_is_refused_says_why_and_issues_nothing(name: str, scene: Scene) -> None:
    expected, call = REFUSED[name]
    with pytest.raises(expected) as caught:
        await call(scene)
    assert caught.value.status in range(400, 500)
    assert scene.sandbox.counters.invoices_created == 0


# --- What is about other calls


@pytest.mark.usefixtures("hurry")
async def test_a_doubt_is_resumed_once_the_invoice_can_be_seen(scene: Scene) -> None:
    scene.sandbox.show_inferred = False
    scene.sandbox.faults.plan("close-after", operation="POST /drafts/{draft_id}/validate")
    async with SeqinoClient(KEY, client_id=CLIENT, base_url=scene.sandbox.url) as client:
        with pytest.raises(errors.OutcomeUnknown) as caught:
            await client.submit(INVOICE)
        token = caught.value.token
        assert token is not None
        with pytest.raises(errors.OutcomeUnknown):
            await client.resume(token)
        scene.sandbox.show_inferred = True
        found = await client.resume(token)
    assert isinstance(found, Submission)
    assert (found.verdict, scene.sandbox.counters.invoices_created) == (Verdict.ACCEPTED, 1)
    assert (await scene.client.invoicing.get(text(found.invoice_id))).invoice_id == found.invoice_id


async def test_raw_gives_the_answer_beside_the_value_and_leaves_refusals_as_they_are(scene: Scene) -> None:
    response = await scene.client.raw(scene.client.drafts.create(INVOICE))
    assert (response.status, response.attempts) == (201, 1)
    assert text(response.value.draft_id).encode() in response.content
    with pytest.raises(errors.NotFound):
        await scene.client.raw(scene.client.drafts.get("none"))


async def test_health_is_told_without_a_key_and_not_by_a_platform_that_is_down(scene: Scene) -> None:
    assert await scene.stranger.health() == await scene.client.health()
    scene.sandbox.faults.plan("status-503-before", operation="GET /health")
    with pytest.raises(errors.ServerError):
        await scene.client.health()
