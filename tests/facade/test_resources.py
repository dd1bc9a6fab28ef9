"""Every method of every resource: what goes over the wire, and what comes back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from yarl import URL

from seqino import models
from seqino._core.wire import File
from seqino._generated import operations
from seqino.errors import InvalidInput
from seqino.options import CallOptions
from seqino.pagination import Pager

if TYPE_CHECKING:
    from seqino.client import SeqinoClient

BASE = "http://127.0.0.1:8052/api"
MOMENT = "2026-09-01T08:00:00Z"
DAY = dt.date(2026, 9, 1)

CLIENT = {
    "client_id": "c-1",
    "organization_name": "Dupain",
    "contact_email": "a@dupain.example",
    "external_ref": "erp-1",
    "sponsor_id": "s-1",
    "status": "active",
    "created_at": MOMENT,
}
ENTRY = {"siren": "552100554", "name": "Dupain"}
MANDATE = {
    "id": "m-1",
    "client_id": "c-1",
    "start_date": MOMENT,
    "status": "active",
    "directory_entry": ENTRY,
    "created_at": MOMENT,
}
SELLER = {"name": "Dupain", "postal_address": {"city_name": "Paris"}}
INVOICE: dict[str, Any] = {
    "issue_date": "2026-09-01",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": SELLER,
}
PAYMENT = {"client_siren": "552100554", "payment_date": "2026-09-01", "amount": "12.50"}
PERIODICITY = {
    "vat_regime": "simplified",
    "transaction_periodicity": "monthly",
    "payment_periodicity": "bimonthly",
}
METRICS: dict[str, Any] = {
    "company_id": "c",
    "period": "monthly",
    "start_date": "2026-09-01",
    "end_date": "2026-09-30",
    "total_api_calls": 1,
    "total_successful_calls": 1,
    "total_failed_calls": 0,
    "success_rate": 100,
    "endpoint_usage": [],
}
SUMMARY = {
    "company_id": "c",
    "current_month_calls": 1,
    "previous_month_calls": 0,
    "month_over_month_change": 1.5,
    "most_used_endpoint": None,
    "least_used_endpoint": None,
    "peak_usage_day": None,
    "peak_usage_count": None,
}
FILE_TAKEN = {"invoice_id": "i-1", "status": "submitted", "file_name": "f.xml", "file_size": 10}
WEBHOOK_CREATED: dict[str, Any] = {
    "webhook_id": "w-1",
    "url": "https://a.example/h",
    "secret": "s3cret",
    "events": [],
    "created_at": MOMENT,
}

Method = Callable[["SeqinoClient", "dict[str, Any]"], "Awaitable[Any] | Pager[Any]"]


@attrs.frozen(kw_only=True)
class Case:
    operation: str
    method: str
    path: str
    run: Method
    sent: Any = None
    answer: Any = None
    status: int = 200
    scoped: bool = True

    def __str__(self) -> str:
        return self.operation


CASES = [
    Case(
        operation="get_clients",
        method="GET",
        path="/clients?external_ref=erp-1",
        run=lambda client, scope: client.clients.list(external_ref="erp-1", options=scope["options"]),
        answer=CLIENT,
        scoped=False,
    ),
    Case(
        operation="create_client",
        method="POST",
        path="/clients",
        run=lambda client, scope: client.clients.create(
            {"organization_name": "Dupain", "contact_email": "a@b", "external_ref": "erp-1"}, **scope
        ),
        sent={"organization_name": "Dupain", "contact_email": "a@b", "external_ref": "erp-1"},
        answer=CLIENT,
        status=201,
        scoped=False,
    ),
    Case(
        operation="get_client_details",
        method="GET",
        path="/clients/c-1",
        run=lambda client, scope: client.clients.get("c-1", **scope),
        answer=CLIENT,
        scoped=False,
    ),
    Case(
        operation="delete_client",
        method="DELETE",
        path="/clients/c-1",
        run=lambda client, scope: client.clients.delete("c-1", **scope),
        status=204,
        scoped=False,
    ),
    Case(
        operation="generate_client_onboarding_link",
        method="POST",
        path="/clients/onboarding-link",
        run=lambda client, scope: client.clients.generate_onboarding_link({"include_kyc": True}, **scope),
        sent={"include_kyc": True},
        answer={},
    ),
    Case(
        operation="get_client_onboarding_link_status",
        method="GET",
        path="/clients/onboarding-link/status",
        run=lambda client, scope: client.clients.get_onboarding_link_status(**scope),
        answer={},
    ),
    Case(
        operation="create_pdp_client",
        method="POST",
        path="/clients/pdp-clients",
        run=lambda client, scope: client.clients.create_pdp_client(
            {"external_reference": "erp-1", "client_name": "Dupain"}, **scope
        ),
        sent={"external_reference": "erp-1", "client_name": "Dupain"},
        answer={
            "pdp_client_id": "c-1",
            "external_reference": "erp-1",
            "client_name": "Dupain",
            "status": "active",
            "created_at": MOMENT,
            "message": "created",
        },
        status=201,
        scoped=False,
    ),
    Case(
        operation="get_client_mandates",
        method="GET",
        path="/mandates?status_filter=active",
        run=lambda client, scope: client.mandates.list(status=models.MandateStatus.ACTIVE, **scope),
        answer=[MANDATE],
    ),
    Case(
        operation="create_mandate",
        method="POST",
        path="/mandates",
        run=lambda client, scope: client.mandates.create(
            {"start_date": MOMENT, "directory_entry": ENTRY}, **scope
        ),
        sent={"start_date": MOMENT, "directory_entry": ENTRY},
        answer=MANDATE,
        status=201,
    ),
    Case(
        operation="create_mandates_batch",
        method="POST",
        path="/mandates/batch",
        run=lambda client, scope: client.mandates.create_batch(
            {"mandates": [{"start_date": MOMENT, "directory_entry": ENTRY}]}, **scope
        ),
        sent={"mandates": [{"start_date": MOMENT, "directory_entry": ENTRY}]},
        answer=[MANDATE],
        status=201,
    ),
    Case(
        operation="get_directory_entries_by_siren",
        method="GET",
        path="/mandates/directory/552100554",
        run=lambda client, scope: client.mandates.list_directory_entries("552100554", **scope),
        answer=[ENTRY],
    ),
    Case(
        operation="get_mandate_details",
        method="GET",
        path="/mandates/m-1",
        run=lambda client, scope: client.mandates.get("m-1", **scope),
        answer=MANDATE,
    ),
    Case(
        operation="revoke_mandate",
        method="DELETE",
        path="/mandates/m-1",
        run=lambda client, scope: client.mandates.revoke("m-1", **scope),
        status=204,
    ),
    Case(
        operation="get_directory_entry",
        method="GET",
        path="/directory/552100554",
        run=lambda client, scope: client.directory.get("552100554", **scope),
        answer=ENTRY,
    ),
    Case(
        operation="create_draft",
        method="POST",
        path="/drafts",
        run=lambda client, scope: client.drafts.create(INVOICE, **scope),
        sent=INVOICE,
        answer={"draft_id": "d-1"},
        status=201,
    ),
    Case(
        operation="validate_invoice_data",
        method="POST",
        path="/drafts/validate-data",
        run=lambda client, scope: client.drafts.validate_data(INVOICE, **scope),
        sent={"invoice_data": INVOICE},
        answer={},
    ),
    Case(
        operation="get_draft",
        method="GET",
        path="/drafts/d-1",
        run=lambda client, scope: client.drafts.get("d-1", **scope),
        answer=INVOICE,
    ),
    Case(
        operation="update_draft",
        method="PUT",
        path="/drafts/d-1",
        run=lambda client, scope: client.drafts.replace("d-1", INVOICE, **scope),
        sent=INVOICE,
        answer={"draft_id": "d-1"},
    ),
    Case(
        operation="delete_draft",
        method="DELETE",
        path="/drafts/d-1",
        run=lambda client, scope: client.drafts.delete("d-1", **scope),
        status=204,
    ),
    Case(
        operation="validate_draft",
        method="POST",
        path="/drafts/d-1/validate?format=ubl",
        run=lambda client, scope: client.drafts.validate("d-1", format="ubl", **scope),
        answer={"invoice_id": "i-1"},
    ),
    Case(
        operation="get_invoice_data",
        method="GET",
        path="/invoicing/invoice_data/i-1",
        run=lambda client, scope: client.invoicing.get("i-1", **scope),
        answer=INVOICE,
    ),
    Case(
        operation="submit_invoice_file",
        method="POST",
        path="/invoicing/files/submit",
        run=lambda client, scope: client.invoicing.submit_file(
            File(name="f.xml", content=b"<Invoice/>"), **scope
        ),
        sent=b"<Invoice/>",
        answer=FILE_TAKEN,
        status=201,
    ),
    Case(
        operation="get_lifecycle_events",
        method="GET",
        path="/lifecycle-events?object_type=invoice&object_id=i-1",
        run=lambda client, scope: client.lifecycle.events(
            object_type="invoice", object_id="i-1", keep_unreadable=False, **scope
        ),
        answer=[{"status_code": "DEPOSITED", "timestamp": MOMENT, "emitter": "PDPE"}],
    ),
    Case(
        operation="submit_exempt_invoice",
        method="POST",
        path="/reporting/exempt-invoices",
        run=lambda client, scope: client.reporting.submit_exempt_invoice(
            {"direction": "outgoing", "country_code": "DE", "model": INVOICE}, **scope
        ),
        sent={"direction": "outgoing", "country_code": "DE", "model": INVOICE},
        answer={"invoice_id": "i-1"},
        status=201,
    ),
    Case(
        operation="submit_b2c_transactions",
        method="POST",
        path="/reporting/b2c-transactions",
        run=lambda client, scope: client.reporting.submit_b2c_transactions({"date": "2026-09-01"}, **scope),
        sent={"date": "2026-09-01"},
        answer={},
        status=201,
    ),
    Case(
        operation="record_payment",
        method="POST",
        path="/reporting/payments",
        run=lambda client, scope: client.reporting.record_payment(PAYMENT, **scope),
        sent=PAYMENT,
        answer={**PAYMENT, "payment_id": "p-1", "created_at": MOMENT, "period": "2026-09"},
    ),
    Case(
        operation="get_periodicity_settings",
        method="GET",
        path="/settings/periodicity",
        run=lambda client, scope: client.settings.get_periodicity(**scope),
        answer=PERIODICITY,
    ),
    Case(
        operation="set_periodicity_settings",
        method="PUT",
        path="/settings/periodicity",
        run=lambda client, scope: client.settings.set_periodicity(PERIODICITY, **scope),
        sent=PERIODICITY,
        answer={"ok": True},
    ),
    Case(
        operation="get_usage_metrics",
        method="GET",
        path="/usage/metrics?period=daily&start_date=2026-09-01&end_date=2026-09-01",
        run=lambda client, scope: client.usage.get_metrics(
            period="daily", start_date=DAY, end_date=DAY, **scope
        ),
        answer=METRICS,
    ),
    Case(
        operation="get_usage_summary",
        method="GET",
        path="/usage/summary",
        run=lambda client, scope: client.usage.get_summary(**scope),
        answer=SUMMARY,
    ),
    Case(
        operation="get_usage_limits",
        method="GET",
        path="/usage/limits?endpoint=/drafts",
        run=lambda client, scope: client.usage.get_limits(endpoint="/drafts", **scope),
        answer={"rate_limit_per_minute": 60},
    ),
    Case(
        operation="get_webhook",
        method="GET",
        path="/webhooks",
        run=lambda client, scope: client.webhooks.get(**scope),
        answer={"webhook_id": "w-1"},
        scoped=False,
    ),
    Case(
        operation="create_webhook",
        method="POST",
        path="/webhooks",
        run=lambda client, scope: client.webhooks.create({"url": "https://a.example/h"}, **scope),
        sent={"url": "https://a.example/h"},
        answer=WEBHOOK_CREATED,
        status=201,
        scoped=False,
    ),
    Case(
        operation="get_webhook_event_types",
        method="GET",
        path="/webhooks/event-types",
        run=lambda client, scope: client.webhooks.get_event_types(**scope),
        answer={"event_types": []},
        scoped=False,
    ),
    Case(
        operation="health_check",
        method="GET",
        path="/../health",
        run=lambda client, scope: client.health(**scope),
        answer="up",
        scoped=False,
    ),
]


async def read(result: Awaitable[Any] | Pager[Any]) -> Any:
    return await result.to_list() if isinstance(result, Pager) else await result


def url_of(case: Case) -> URL:
    outside = case.operation == "health_check"
    return URL(BASE.removesuffix("/api") + "/health" if outside else BASE + case.path)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_operation_over_the_wire(case: Case, client: SeqinoClient, wire: Any) -> None:
    wire.answer(case.method, str(url_of(case)), case.answer, status=case.status)
    scope: dict[str, Any] = {"options": CallOptions(extra_headers={"X-Trace": "t-1"})}
    if case.scoped:
        scope["client_id"] = "other"
    result = await read(case.run(client, scope))

    [sent] = wire.sent
    assert (sent.method, sent.url.path) == (case.method, url_of(case).path)
    assert dict(sent.url.query) == dict(url_of(case).query)
    assert sent.headers["X-Trace"] == "t-1"
    assert sent.headers.get("X-PDP-Client-Id") == ("other" if case.scoped else None)
    assert sent.headers.get("Authorization") == (None if case.operation == "health_check" else "key-1")
    if isinstance(case.sent, bytes):
        assert case.sent in sent.body
    else:
        assert (json.loads(sent.body) if sent.body else None) == case.sent
    assert (result is None) == (case.status == 204)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_answer_as_it_came_is_there_for_every_operation(
    case: Case, client: SeqinoClient, wire: Any
) -> None:
    for _ in range(2):
        wire.answer(case.method, str(url_of(case)), case.answer, status=case.status)
    scope: dict[str, Any] = {"options": None}
    response = await client.raw(read(case.run(client, scope)))
    assert response.value == await read(case.run(client, scope))
    assert response.status == case.status
    assert json.loads(response.content) == case.answer


@pytest.mark.reconstruction
def test_every_operation_of_the_description_has_a_method() -> None:
    described = {name for name in operations.__all__ if name.islower()}
    assert {case.operation for case in CASES} == described


async def test_left_out_the_clients_own_scope_is_used(client: SeqinoClient, wire: Any) -> None:
    wire.answer("GET", f"{BASE}/drafts/d-1", INVOICE)
    await client.drafts.get("d-1")
    assert wire.sent[0].headers["X-PDP-Client-Id"] == "client-1"


# --- Clients


@pytest.mark.parametrize(("answer", "names"), [([CLIENT, CLIENT], 2), ([], 0), (CLIENT, 1)])
async def test_clients_are_a_list_whatever_the_platform_answers(
    client: SeqinoClient, wire: Any, answer: Any, names: int
) -> None:
    wire.answer("GET", f"{BASE}/clients", answer)
    assert [found.organization_name async for found in client.clients.list()] == ["Dupain"] * names


# --- Drafts


async def test_a_model_is_judged_as_a_mapping_is(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/drafts/validate-data", {})
    model = models.InvoiceDraft(
        issue_date=DAY,
        type_code=models.InvoiceTypeCode.CODE_380,
        currency_code="EUR",
        seller=models.SellerParty(name="Dupain", postal_address=models.PostalAddress(city_name="Paris")),
    )
    await client.drafts.validate_data(model)
    assert json.loads(wire.sent[0].body) == {"invoice_data": INVOICE}


# --- Lifecycle


def event(code: str) -> dict[str, Any]:
    return {"status_code": code, "timestamp": MOMENT, "emitter": "PDPE"}


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({}, ""),
        ({"object_type": "invoice"}, "?object_type=invoice"),
        ({"object_type": models.ObjectType.INVOICE}, "?object_type=invoice"),
        ({"object_type": "flow", "object_id": "f/1 é"}, "?object_type=flow&object_id=f%2F1%20%C3%A9"),
    ],
)
async def test_the_three_ways_to_filter_events(
    client: SeqinoClient, wire: Any, filters: dict[str, Any], query: str
) -> None:
    wire.answer("GET", f"{BASE}/lifecycle-events{query}", [event("FlowStatus.RECEIVABLE")])
    [found] = await client.lifecycle.events(keep_unreadable=False, **filters).to_list()
    assert found.status_code is models.LifecycleStatusCode.FLOW_RECEIVABLE
    assert (found.status_code.number, found.status_code.label_fr) == (500, "Recevable")


@pytest.mark.parametrize(
    "filters",
    [
        {"object_id": "i-1"},
        {"object_id": ""},
        {"object_type": "invoice", "object_id": ""},
        {"object_type": "invoice", "object_id": None},
        {"object_type": ""},
        {"object_type": "", "object_id": "i-1"},
    ],
)
async def test_filters_that_would_list_everything_are_refused_before_sending(
    client: SeqinoClient, wire: Any, filters: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput, match="object_type"):
        client.lifecycle.events(**filters)
    assert wire.sent == []


async def test_a_bare_status_is_resolved_where_the_type_is_known(client: SeqinoClient, wire: Any) -> None:
    bare = [event("DEPOSITED"), event("TELEPORTED"), event("InvoiceLifecycleStatus.APPROVED")]
    wire.answer("GET", f"{BASE}/lifecycle-events?object_type=regulatory_data", bare)
    wire.answer("GET", f"{BASE}/lifecycle-events", bare)
    typed = [found.status_code async for found in client.lifecycle.events(object_type="regulatory_data")]
    assert [code.number for code in typed] == [250, None, 205]
    assert typed[0] is models.LifecycleStatusCode.REGULATORY_DATA_DEPOSITED
    assert typed[1].label_fr == "TELEPORTED"
    untyped = [found.status_code async for found in client.lifecycle.events()]
    assert [str(code) for code in untyped] == ["DEPOSITED", "TELEPORTED", "InvoiceLifecycleStatus.APPROVED"]
    assert untyped[0].number is None
