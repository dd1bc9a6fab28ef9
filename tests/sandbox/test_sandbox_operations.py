"""Every operation of the description is played, and none shows one client's objects to another."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.description import Description

if TYPE_CHECKING:
    from seqino.sandbox.description import Operation

DESCRIPTION = Description()

HEALTH = {"GET /health"}
"""It needs no key and has no effect: it is answered where requests are routed."""

PUBLIC = {"siren"}
"""Path parameters that name something which everybody may see: a company in the national directory."""
WITH_AN_ID = [one for one in DESCRIPTION.operations if set(re.findall(r"{(\w+)}", one.path)) - PUBLIC]


def test_every_operation_of_the_description_is_played() -> None:
    sandbox = Sandbox()
    played = sandbox.operations.table
    described = {operation.key for operation in DESCRIPTION.operations}
    assert set(played) == described - HEALTH
    assert described >= HEALTH


async def _make(call: Any, parameter: str, draft: Any) -> str:
    """Create what an operation's path names, as the client of the documentation."""
    if parameter == "draft_id":
        return str(await call.create())
    if parameter == "invoice_id":
        return str(await call.issue())
    if parameter == "mandate_id":
        entry = {"siren": draft["seller"]["seller_legal_registration_identifier"], "name": "Vauban"}
        body = {"start_date": "2024-01-15T00:00:00Z", "directory_entry": entry}
        return str((await call("POST", "/mandates", json=body)).body["id"])
    assert parameter == "client_id", f"say here how {parameter} is made"
    body = {"organization_name": "A", "contact_email": "a@b.example", "external_ref": "A-1"}
    return str((await call("POST", "/clients", json=body)).body["client_id"])


@pytest.mark.parametrize("operation", WITH_AN_ID, ids=lambda one: one.key)
@pytest.mark.parametrize("who", ["another client", "another sponsor"])
async def test_an_id_of_another_is_not_found(call: Any, draft: Any, operation: Operation, who: str) -> None:
    (parameter,) = re.findall(r"{(\w+)}", operation.path)
    path = operation.path.replace(f"{{{parameter}}}", await _make(call, parameter, draft()))
    options: dict[str, Any] = {"json": draft()} if operation.body is not None else {}
    headers = {"X-PDP-Client-Id": "client_abc123"}
    if who == "another sponsor":
        headers = {"Authorization": "another-key"}
    elif parameter == "client_id":
        pytest.skip("a client is its sponsor's to see, whoever is named in the header")
    before = await _world(call)
    reply = await call(operation.method, path, headers=headers, **options)
    assert (reply.status, reply.body["code"]) == (404, 404)
    assert await _world(call) == before
    assert (await call(operation.method, path, **options)).status < 400, "its owner finds it"


async def test_every_record_is_told_from_others_and_holds_plain_values(
    call: Any, sandbox: Sandbox, draft: Any
) -> None:
    for parameter in ("draft_id", "invoice_id", "mandate_id"):
        await _make(call, parameter, draft())
    await call("POST", "/clients/onboarding-link", json={"include_kyc": True})
    payment = {"client_siren": "812345676", "payment_date": "2026-10-02", "amount": 1}
    await call("POST", "/reporting/payments", json=payment)
    exempt = {"direction": "incoming", "country_code": "BE", "model": draft()}
    await call("POST", "/reporting/exempt-invoices", json=exempt)
    periodicity = (await call("GET", "/settings/periodicity")).body
    await call("PUT", "/settings/periodicity", json=periodicity)
    records = [*sandbox.world.sponsors[0].clients["sandbox-client-seqino"].records()]
    assert {one.kind for one in records} == {
        "draft", "invoice", "exempt_invoice", "mandate", "directory_entry", "report", "onboarding",
        "periodicity", "client", "tally",
    }  # fmt: skip
    assert len({(one.kind, one.key) for one in records}) == len(records)
    for one in records:
        json.dumps(attrs.asdict(one), default=_plain)  # type: ignore[arg-type] # each is an attrs class


def _plain(value: object) -> str:
    """Write what JSON does not know, and a state file does."""
    assert isinstance(value, date | Decimal), value
    return str(value)


async def _world(call: Any) -> Any:
    """Return what the first sponsor has."""
    return (await call("GET", "/_sandbox/world", judged=False)).body["sponsors"][0]
