from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import MAGIC_MANDATES, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = {"headers": {"X-PDP-Client-Id": "client_abc123"}}
STRANGER = {"headers": {"Authorization": "another-key"}}
CONTROL = {"headers": {"Authorization": None, "X-PDP-Client-Id": None}, "judged": False}
PENDING = next(siren for siren, outcome in MAGIC_MANDATES.items() if outcome == "pending_kyc")
STATUS = "/clients/onboarding-link/status"


@pytest.fixture
def generate(call: Any) -> Callable[..., Any]:
    async def make(*, kyc: bool | None = None, signature: bool | None = None) -> dict[str, Any]:
        asked = {"include_kyc": kyc, "include_signature": signature}
        body = {name: value for name, value in asked.items() if value is not None}
        reply = await call("POST", "/clients/onboarding-link", json=body)
        assert reply.status == 201
        link: dict[str, Any] = reply.body
        return link

    return make


@pytest.fixture
def progress(call: Any) -> Callable[..., Any]:
    async def read() -> tuple[str, bool | None, bool | None]:
        body = (await call("GET", STATUS)).body
        assert (body["completed_at"] is not None) == (body["status"] == "completed")
        return body["status"], body["kyc_completed"], body["signature_completed"]

    return read


@pytest.fixture
def answer(call: Any) -> Callable[..., Any]:
    async def ask(link: dict[str, Any], how: str) -> Any:
        body = {"url": link["url"], "answer": how}
        return await call("POST", "/_sandbox/onboarding", json=body, **CONTROL)

    return ask


@pytest.fixture
def pending(call: Any) -> Callable[..., Any]:
    """Creates a mandate that waits for its client's identity, and reads its status."""
    ids: list[str] = []

    async def status() -> str:
        if not ids:
            entry = {"siren": PENDING, "name": "Vauban"}
            body = {"start_date": "2024-01-15T00:00:00Z", "directory_entry": entry}
            ids.append((await call("POST", "/mandates", json=body)).body["id"])
        return str((await call("GET", f"/mandates/{ids[0]}")).body["status"])

    return status


async def test_a_link_is_for_one_client_and_a_limited_time(
    call: Any, sandbox: Sandbox, generate: Any
) -> None:
    assert (await call("GET", STATUS)).status == 404
    link = await generate()
    assert link["client_id"] == "sandbox-client-seqino"
    assert link["url"].startswith("https://")
    valid = datetime.fromisoformat(link["expires_at"]) - datetime.fromisoformat(link["created_at"])
    assert valid == timedelta(days=7)
    assert (await call("GET", STATUS)).body["expires_at"] == link["expires_at"]
    for other in (OTHER, STRANGER):
        assert (await call("GET", STATUS, **other)).status == 404
    assert sandbox.counters.onboarding_links_created == 1


@pytest.mark.parametrize(
    ("kyc", "signature", "expected"),
    [
        (
            True,
            True,
            [("pending", False, False), ("in_progress", True, False), ("completed", True, True)],
        ),
        (True, False, [("pending", False, None), ("completed", True, None), ("completed", True, None)]),
        (False, True, [("pending", None, False), ("completed", None, True), ("completed", None, True)]),
        (None, None, [("pending", None, None), ("completed", None, None), ("completed", None, None)]),
    ],
)
async def test_people_do_what_the_link_asks_for(
    sandbox: Sandbox, generate: Any, progress: Any, *, kyc: bool, signature: bool, expected: list[Any]
) -> None:
    await generate(kyc=kyc, signature=signature)
    met = [await progress()]
    for _ in range(2):
        sandbox.clock.advance(10)
        met.append(await progress())
    assert met == expected


async def test_a_link_that_is_ignored_expires(
    sandbox: Sandbox, generate: Any, progress: Any, answer: Any
) -> None:
    link = await generate(kyc=True, signature=True)
    sandbox.clock.advance(10)
    assert (await answer(link, "ignore")).body["status"] == "in_progress", "what was done stays done"
    sandbox.clock.advance(86400 * 7 - 11)
    assert await progress() == ("in_progress", True, False)
    sandbox.clock.advance(1)
    assert await progress() == ("expired", True, False)
    assert "has expired" in (await answer(link, "complete")).body["error"]


async def test_nothing_is_done_under_a_link_that_is_ignored(
    sandbox: Sandbox, generate: Any, progress: Any, answer: Any, pending: Any
) -> None:
    await pending()
    link = await generate(kyc=True)
    await answer(link, "ignore")
    sandbox.clock.advance(86400)
    assert await progress() == ("pending", False, None)
    assert await pending() == "pending_kyc"
    await answer(link, "complete")
    assert await progress() == ("completed", True, None)
    assert await pending() == "active"


async def test_a_link_is_completed_or_kept_from_it_on_request(
    sandbox: Sandbox, generate: Any, progress: Any, answer: Any
) -> None:
    link = await generate(kyc=True, signature=True)
    sandbox.clock.advance(12)
    first = (await answer(link, "complete")).body
    assert (first["status"], first["signature_completed"]) == ("completed", True)
    sandbox.clock.advance(1)
    await answer(link, "ignore")
    assert await progress() == ("completed", True, True)
    new = await generate()
    assert (await answer(link, "complete")).status == 400, "a new link replaces the old one"
    assert (await answer(new, "complete")).body["status"] == "completed"


async def test_a_mandate_becomes_active_once_its_clients_identity_is_verified(
    call: Any, sandbox: Sandbox, generate: Any, pending: Any
) -> None:
    assert await pending() == "processing"
    await generate(kyc=True)
    sandbox.clock.advance(5)
    assert await pending() == "pending_kyc"
    assert (await call("GET", f"/directory/{PENDING}")).status == 404
    sandbox.clock.advance(5)
    assert await pending() == "active"
    assert (await call("GET", f"/directory/{PENDING}")).status == 200
    events = (await call("GET", "/lifecycle-events?object_type=directory_entry")).body
    assert [event["status_code"] for event in events] == ["DirectoryEntryStatus.ACCEPTED"]


async def test_a_mandate_waits_for_the_newest_link(sandbox: Sandbox, generate: Any, pending: Any) -> None:
    await generate(kyc=True)
    assert await pending() == "processing"
    sandbox.clock.advance(8)
    await generate(kyc=True)
    sandbox.clock.advance(8)
    assert await pending() == "pending_kyc"
    await generate(signature=True)
    sandbox.clock.advance(100)
    assert await pending() == "pending_kyc", "a signature verifies no identity"
    await generate(kyc=True)
    sandbox.clock.advance(10)
    assert await pending() == "active"


async def test_an_identity_stays_verified(
    sandbox: Sandbox, generate: Any, progress: Any, pending: Any
) -> None:
    await generate(kyc=True)
    sandbox.clock.advance(60)
    await generate(signature=True)
    assert await progress() == ("pending", None, False)
    await generate(kyc=True, signature=True)
    assert await progress() == ("in_progress", True, False)
    await pending()
    sandbox.clock.advance(3)
    assert await pending() == "active", "a mandate created after the verification waits for nothing"
    await generate(kyc=True)
    assert await progress() == ("completed", True, None)


async def test_a_mandate_that_is_made_to_wait_becomes_active_with_the_link(
    call: Any, sandbox: Sandbox, generate: Any
) -> None:
    entry = {"siren": "812345676", "name": "Vauban"}
    body = {
        "start_date": "2024-01-15T00:00:00Z",
        "end_date": "2099-01-01T00:00:00Z",
        "directory_entry": entry,
    }
    mandate_id = (await call("POST", "/mandates", json=body)).body["id"]
    await generate(kyc=True)
    asked = {"mandate_id": mandate_id, "status": "pending_kyc"}
    await call("POST", "/_sandbox/mandates", json=asked, **CONTROL)
    sandbox.clock.advance(9)
    assert (await call("GET", f"/mandates/{mandate_id}")).body["status"] == "pending_kyc"
    sandbox.clock.advance(1)
    assert (await call("GET", f"/mandates/{mandate_id}")).body["status"] == "active"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"url": "x"}, "complete or ignore"),
        ({"url": "x", "answer": "complete"}, "no client has the onboarding link x"),
        ({"link": "x"}, "unknown: link; known here: url, answer"),
    ],
)
async def test_what_is_asked_of_a_link_in_a_wrong_way_is_refused(
    call: Any, generate: Any, asked: dict[str, Any], message: str
) -> None:
    await generate()
    reply = await call("POST", "/_sandbox/onboarding", json=asked, **CONTROL)
    assert reply.status == 400
    assert message in reply.body["error"]


async def test_a_client_of_the_beta_is_one_like_any_other(call: Any, sandbox: Sandbox) -> None:
    asked = {"external_reference": "CUST-12345", "client_name": "ACME Corporation", "description": "Main"}
    reply = await call("POST", "/clients/pdp-clients", json=asked, headers={"X-PDP-Client-Id": None})
    assert reply.status == 201
    client_id = reply.body["pdp_client_id"]
    assert reply.body["status"] == "active"
    client = (await call("GET", "/clients?external_ref=CUST-12345")).body
    assert (client["client_id"], client["organization_name"]) == (client_id, "ACME Corporation")
    assert client["created_at"] == reply.body["created_at"]
    await call.issue(headers={"X-PDP-Client-Id": client_id})
    assert (await call("POST", "/clients/pdp-clients", json=asked)).status == 409
    newer = {"organization_name": "A", "contact_email": "a@b.example", "external_ref": "CUST-12345"}
    assert (await call("POST", "/clients", json=newer)).status == 409
    assert sandbox.counters.clients_created == 1


async def test_deleting_a_client_takes_its_link_along(call: Any, generate: Any) -> None:
    await generate()
    await call("PUT", "/settings/periodicity", json={
        "vat_regime": "simplified", "transaction_periodicity": "monthly", "payment_periodicity": "monthly",
    })  # fmt: skip
    assert (await call("DELETE", "/clients/sandbox-client-seqino")).status == 204
    assert (await call("GET", STATUS)).status == 404
