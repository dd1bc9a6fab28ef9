from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

ACME = {"organization_name": "Acme", "contact_email": "contact@acme.example", "external_ref": "EXT-1"}


async def test_a_sponsor_has_the_clients_of_the_documentation_from_the_start(call: Any) -> None:
    clients = (await call("GET", "/clients")).body
    assert [one["client_id"] for one in clients] == ["sandbox-client-seqino", "client_abc123"]


async def test_a_client_is_created_found_and_deleted(call: Any, sandbox: Sandbox) -> None:
    created = await call("POST", "/clients", json=ACME, headers={"X-PDP-Client-Id": None})
    assert created.status == 201
    client_id = created.body["client_id"]
    assert (await call("GET", f"/clients/{client_id}")).body == created.body
    assert (await call("GET", "/clients?external_ref=EXT-1")).body == created.body
    await call.issue(headers={"X-PDP-Client-Id": client_id})
    assert (await call("DELETE", f"/clients/{client_id}")).status == 204
    assert (await call("DELETE", f"/clients/{client_id}")).status == 404
    assert (await call("GET", "/clients?external_ref=EXT-1")).body == []
    assert sandbox.counters.clients_created == 1


async def test_a_reference_belongs_to_one_client(call: Any) -> None:
    await call("POST", "/clients", json=ACME)
    assert (await call("POST", "/clients", json=ACME)).status == 409


async def test_one_client_never_sees_anothers_objects(call: Any) -> None:
    draft_id = await call.create()
    invoice_id = await call.issue()
    other = {"headers": {"X-PDP-Client-Id": "client_abc123"}}
    assert (await call("GET", f"/drafts/{draft_id}", **other)).status == 404
    assert (await call("DELETE", f"/drafts/{draft_id}", **other)).status == 404
    assert (await call("POST", f"/drafts/{draft_id}/validate", **other)).status == 404
    assert (await call("GET", f"/invoicing/invoice_data/{invoice_id}", **other)).status == 404
    assert (await call("GET", "/lifecycle-events", **other)).body == []
    path = f"/lifecycle-events?object_type=invoice&object_id={invoice_id}"
    assert (await call("GET", path, **other)).body == []


async def test_one_sponsor_never_sees_anothers_objects(call: Any) -> None:
    draft_id = await call.create()
    other = {"headers": {"Authorization": "another-key"}}
    assert (await call("GET", f"/drafts/{draft_id}", **other)).status == 404
    sponsors = {(await call("GET", "/clients", **one)).body[0]["sponsor_id"] for one in ({}, other)}
    assert len(sponsors) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/lifecycle-events"), ("GET", "/drafts/1"), ("GET", "/invoicing/invoice_data/1")],
)
async def test_a_client_that_does_not_exist_is_not_found(call: Any, method: str, path: str) -> None:
    reply = await call(method, path, headers={"X-PDP-Client-Id": "nobody"})
    assert reply.status == 404
    assert "nobody" in reply.body["error"]


async def test_other_clients_can_be_there_from_the_start(calling: Callable[[Sandbox], Any]) -> None:
    async with Sandbox(clients=["mine"]) as sandbox:
        call = calling(sandbox)
        assert [one["client_id"] for one in (await call("GET", "/clients")).body] == ["mine"]
