from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox import Sandbox

SELLER = "812345676"
OTHER = {"headers": {"X-PDP-Client-Id": "client_abc123"}}
STRANGER = {"headers": {"Authorization": "another-key"}}
CONTROL = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}
EXEMPT = "/reporting/exempt-invoices"
B2C = "/reporting/b2c-transactions"
PAYMENTS = "/reporting/payments"
JSON = {"Content-Type": "application/json"}


def payment(**changes: Any) -> dict[str, Any]:
    return {"client_siren": SELLER, "payment_date": "2026-10-02", "amount": "180.12", **changes}


def _with_amount(sent: str) -> str:
    """Write a payment with an amount that no serializer has touched."""
    head = f'{{"client_siren": "{SELLER}", "payment_date": "2026-10-02", "invoice_number": null, '
    return head + f'"amount": {sent}}}'


@pytest.fixture
def events(call: Any) -> Callable[..., Any]:
    async def read(kind: str, object_id: str) -> list[tuple[str, str]]:
        reply = await call("GET", f"/lifecycle-events?object_type={kind}&object_id={object_id}")
        return [(event["status_code"], event["emitter"]) for event in reply.body]

    return read


@pytest.fixture
def exempt(draft: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def make(country: str = "DE", **changes: Any) -> dict[str, Any]:
        return {"direction": "outgoing", "country_code": country, "model": draft(**changes)}

    return make


async def test_an_exempt_invoice_has_events_as_an_invoice_and_as_data(
    call: Any, sandbox: Sandbox, exempt: Any, events: Any
) -> None:
    reply = await call("POST", EXEMPT, json=exempt())
    assert reply.status == 201
    invoice_id = reply.body["invoice_id"]
    assert await events("invoice", invoice_id) == [("InvoiceLifecycleStatus.DEPOSITED", "PDPE")]
    assert await events("transaction_data", invoice_id) == []
    sandbox.clock.advance(2)
    assert await events("transaction_data", invoice_id) == [("TransactionDataStatus.DEPOSITED", "PPF")]
    assert len(await events("invoice", invoice_id)) == 1
    client = sandbox.world.sponsors[0].clients["sandbox-client-seqino"]
    start = client.reports[invoice_id].created_at
    assert [one.moments(start - timedelta(1)) for one in client.subjects(invoice_id)] == [
        [start],
        [start + timedelta(seconds=2)],
    ]
    assert (await call("GET", f"/invoicing/invoice_data/{invoice_id}")).status == 404
    assert sandbox.counters.exempt_invoices_reported == 1
    assert sandbox.counters.invoices_created == 0


async def test_what_was_reported_is_shown_to_no_other_client_or_sponsor(
    call: Any, sandbox: Sandbox, exempt: Any
) -> None:
    ids = [
        ("invoice", (await call("POST", EXEMPT, json=exempt())).body["invoice_id"]),
        ("transaction_data", (await call("POST", B2C, json={})).body["transaction_id"]),
        ("transaction_data", (await call("POST", PAYMENTS, json=payment())).body["payment_id"]),
    ]
    sandbox.clock.advance(60)
    for kind, object_id in ids:
        path = f"/lifecycle-events?object_type={kind}&object_id={object_id}"
        assert len((await call("GET", path)).body) == 1
        for other in (OTHER, STRANGER):
            assert (await call("GET", path, **other)).body == []


async def test_the_world_shows_what_was_reported(call: Any, sandbox: Sandbox, exempt: Any) -> None:
    invoice_id = (await call("POST", EXEMPT, json=exempt(draft_id="draft_1"))).body["invoice_id"]
    sandbox.clock.advance(60)
    view = (await call("GET", "/_sandbox/world", **CONTROL)).body["sponsors"][0]
    shown = view["clients"]["sandbox-client-seqino"]["reports"][invoice_id]
    assert shown["flow"] == "exempt_invoice"
    assert shown["content"]["country_code"] == "DE"
    assert shown["content"]["model"]["lines"][1]["line_net_amount"] == "50.1"
    assert "draft_id" not in shown["content"]["model"]
    assert shown["statuses"] == ["TransactionDataStatus.DEPOSITED"]


@pytest.mark.parametrize(
    ("changes", "loc", "kind"),
    [
        ({"total_vat_amount": "30.03"}, ["model", "total_vat_amount"], "BR-CO-14"),
        ({"country": "FR"}, ["country_code"], "value_error"),
        ({"country": "de"}, ["country_code"], "string_pattern_mismatch"),
        ({"country": "DEU"}, ["country_code"], "string_pattern_mismatch"),
        ({"type_code": "999"}, ["model", "type_code"], "enum"),
    ],
)
async def test_an_exempt_invoice_is_judged_like_a_draft(
    call: Any, sandbox: Sandbox, exempt: Any, *, changes: dict[str, Any], loc: list[str], kind: str
) -> None:
    reply = await call("POST", EXEMPT, json=exempt(**changes))
    assert reply.status == 422
    assert (["body", *loc], kind) in [(one["loc"], one["type"]) for one in reply.body["detail"]]
    assert sandbox.counters.exempt_invoices_reported == 0


async def test_an_exempt_invoice_needs_neither_lines_nor_a_named_buyer(call: Any, exempt: Any) -> None:
    body = exempt()
    del body["model"]["buyer"], body["model"]["lines"]
    assert (await call("POST", EXEMPT, json=body)).status == 201


async def test_a_payment_is_recorded_with_its_digits(call: Any, sandbox: Sandbox, events: Any) -> None:
    reply = await call("POST", PAYMENTS, json=payment(invoice_number="F-1", currency="CHF"))
    assert reply.status == 200
    payment_id = reply.body.pop("payment_id")
    assert reply.body.pop("created_at")
    assert reply.body == {
        "client_siren": SELLER,
        "payment_date": "2026-10-02",
        "amount": "180.12",
        "currency": "CHF",
        "invoice_number": "F-1",
        "period": "2026-10",
    }
    sandbox.clock.advance(2)
    assert await events("transaction_data", payment_id) == [("TransactionDataStatus.DEPOSITED", "PPF")]
    assert sandbox.counters.payments_recorded == 1


@pytest.mark.parametrize(
    ("sent", "amount"),
    [
        ("180.12", "180.12"),
        ('"180.10"', "180.10"),
        ("180.10", "180.10"),
        ("0.1", "0.1"),
        ("-40", "-40"),
        ('"-0.50"', "-0.50"),
        ("1e3", "1000"),
        ('"+.5"', "0.5"),
        ("12345678901234567.89", "12345678901234567.89"),
    ],
)
async def test_an_amount_keeps_its_digits(call: Any, sent: str, amount: str) -> None:
    reply = await call("POST", PAYMENTS, data=_with_amount(sent), headers=JSON)
    assert reply.body["amount"] == amount
    assert (reply.body["currency"], reply.body["invoice_number"]) == ("EUR", None)


@pytest.mark.parametrize("sent", ["1e10000", "1E-99999999999999999999", "1e99999999999999999999"])
async def test_a_number_beyond_all_amounts_is_no_json(call: Any, sent: str) -> None:
    reply = await call("POST", PAYMENTS, data=_with_amount(sent), headers=JSON)
    assert reply.status == 422
    assert reply.body["detail"][0]["type"] == "json_invalid"
    assert (await call("POST", PAYMENTS, json=payment(amount="1e10000"))).status == 422


@pytest.mark.parametrize(
    ("changes", "field", "kind"),
    [
        ({"client_siren": "812345677"}, "client_siren", "value_error"),
        ({"currency": "euro"}, "currency", "string_pattern_mismatch"),
        ({"payment_date": "yesterday"}, "payment_date", "date_parsing"),
        ({"amount": "much"}, "amount", "string_pattern_mismatch"),
    ],
)
async def test_a_payment_that_says_nothing_is_refused(
    call: Any, sandbox: Sandbox, changes: dict[str, Any], field: str, kind: str
) -> None:
    reply = await call("POST", PAYMENTS, json=payment(**changes))
    assert reply.status == 422
    assert [(one["loc"], one["type"]) for one in reply.body["detail"]] == [(["body", field], kind)]
    assert sandbox.counters.payments_recorded == 0


@pytest.mark.parametrize(
    ("scenario", "status"),
    [("refused", "REJECTED"), ("rejected", "REJECTED"), ("paid", "DEPOSITED"), ("silent", "DEPOSITED")],
)
async def test_a_payment_for_an_invoice_that_is_dead_is_rejected_by_the_portal(
    call: Any, sandbox: Sandbox, events: Any, *, draft: Callable[..., Any], scenario: str, status: str
) -> None:
    sandbox.scenario = scenario
    invoice_id = await call.issue(draft(issue_date="2025-12-30"))
    number = (await call("GET", f"/invoicing/invoice_data/{invoice_id}")).body["invoice_number"]
    sandbox.clock.advance(60)
    reply = await call("POST", PAYMENTS, json=payment(invoice_number=number))
    assert reply.status == 200
    sandbox.clock.advance(2)
    assert await events("transaction_data", reply.body["payment_id"]) == [
        (f"TransactionDataStatus.{status}", "PPF")
    ]


async def test_a_payment_is_matched_with_the_clients_own_invoices_as_they_are_then(
    call: Any, sandbox: Sandbox, events: Any
) -> None:
    sandbox.scenario = "refused"
    invoice_id = await call.issue()
    number = (await call("GET", f"/invoicing/invoice_data/{invoice_id}")).body["invoice_number"]
    early = (await call("POST", PAYMENTS, json=payment(invoice_number=number))).body["payment_id"]
    sandbox.clock.advance(60)
    reply = await call("POST", PAYMENTS, json=payment(invoice_number=number), **OTHER)
    sandbox.clock.advance(60)
    assert await events("transaction_data", early) == [("TransactionDataStatus.DEPOSITED", "PPF")]
    path = f"/lifecycle-events?object_type=transaction_data&object_id={reply.body['payment_id']}"
    (event,) = (await call("GET", path, **OTHER)).body
    assert event["status_code"] == "TransactionDataStatus.DEPOSITED"


async def test_a_days_transactions_are_reported(call: Any, sandbox: Sandbox, events: Any) -> None:
    sent = {
        "client_siren": SELLER,
        "transaction_date": "2026-09-30",
        "currency": "EUR",
        "category": "TLB1",
        "transaction_count": 12,
        "total_amount_without_vat": 300.5,
        "total_vat_amount": "60.10",
        "vat_breakdown": [
            {"vat_rate": 20, "taxable_amount": "200.50", "vat_amount": "40.10"},
            {"vat_rate": "20", "taxable_amount": 100, "vat_amount": 20.0},
        ],
        "till": 7,
    }
    reply = await call("POST", B2C, json=sent)
    assert reply.status == 201
    transaction_id = reply.body.pop("transaction_id")
    assert reply.body.pop("created_at")
    assert reply.body == {
        **sent,
        "period": "2026-09",
        "total_amount_without_vat": "300.5",
        "vat_breakdown": [
            {"vat_rate": "20", "taxable_amount": "200.50", "vat_amount": "40.10"},
            {"vat_rate": "20", "taxable_amount": "100", "vat_amount": "20.0"},
        ],
    }
    sandbox.clock.advance(2)
    assert await events("transaction_data", transaction_id) == [("TransactionDataStatus.DEPOSITED", "PPF")]
    assert sandbox.counters.b2c_transactions_reported == 1


@pytest.mark.parametrize(
    ("sent", "field", "kind"),
    [
        ({"client_siren": "1"}, "client_siren", "value_error"),
        ({"currency": "E"}, "currency", "string_pattern_mismatch"),
        ({"category": "TXX1"}, "category", "enum"),
        ({"transaction_count": -1}, "transaction_count", "greater_than_equal"),
        (
            {"total_amount_without_vat": "10.03", "vat_breakdown": [{"taxable_amount": "5"}] * 2},
            "total_amount_without_vat",
            "G1.53",
        ),
        (
            {"total_vat_amount": "1.02", "vat_breakdown": [{"vat_amount": "1"}]},
            "total_vat_amount",
            "G1.53",
        ),
    ],
)
async def test_transactions_that_do_not_agree_are_refused(
    call: Any, sandbox: Sandbox, sent: dict[str, Any], field: str, kind: str
) -> None:
    reply = await call("POST", B2C, json=sent)
    assert reply.status == 422
    assert (["body", field], kind) in [(one["loc"], one["type"]) for one in reply.body["detail"]]
    assert sandbox.counters.b2c_transactions_reported == 0


@pytest.mark.parametrize(
    "sent",
    [
        {"total_vat_amount": "1.01", "vat_breakdown": [{"vat_amount": "1"}]},
        {"total_vat_amount": "2.02", "vat_breakdown": [{"vat_amount": "1"}] * 2},
        {"total_vat_amount": "1.01", "vat_breakdown": [{"vat_rate": "20"}]},
        {"total_vat_amount": "1.01", "vat_breakdown": None},
        {"vat_breakdown": [{"vat_amount": "1"}]},
    ],
)
async def test_sums_are_judged_where_they_can_be(call: Any, sent: dict[str, Any]) -> None:
    reply = await call("POST", B2C, json=sent)
    assert reply.status == 201
    assert reply.body["period"] is None


@pytest.mark.parametrize("path", [EXEMPT, B2C, PAYMENTS])
async def test_nothing_is_reported_for_a_client_that_does_not_exist(
    call: Any, exempt: Any, path: str
) -> None:
    body = {EXEMPT: exempt(), B2C: {}, PAYMENTS: payment()}[path]
    assert (await call("POST", path, json=body, headers={"X-PDP-Client-Id": "nobody"})).status == 404
