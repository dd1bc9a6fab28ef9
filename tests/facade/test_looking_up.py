"""What is looked up by its key, with the operations, models and look-ups of the API itself."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from seqino.errors import AnswerLost, DuplicateDetected, OutcomeUnknown, ReconcileMismatch, ResumeToken
from seqino.models import (
    Client,
    ClientCreate,
    DirectoryEntry,
    MandateBatchCreate,
    MandateCreate,
    PdpClientCreate,
    WebhookCreate,
    WebhookEventType,
)
from seqino.submission import Submission

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.client import SeqinoClient
    from seqino.models import InvoiceDraft

BASE = "http://127.0.0.1:8052/api"
CLIENT: dict[str, Any] = {
    "client_id": "c-1",
    "organization_name": "Boulangerie Dupain",
    "contact_email": "compta@dupain.example",
    "external_ref": "dupain",
    "sponsor_id": "s-1",
    "status": "active",
    "created_at": "2026-03-01T12:00:00Z",
}
TO_CREATE = ClientCreate(
    organization_name="Boulangerie Dupain", contact_email="compta@dupain.example", external_ref="dupain"
)


def mandate(siren: str, **changes: Any) -> dict[str, Any]:
    """A mandate as the platform shows it."""
    return {
        "id": f"m-{siren}",
        "client_id": "client-1",
        "start_date": "2026-01-01T00:00:00+00:00",
        "end_date": None,
        "status": "active",
        "directory_entry": {"siren": siren, "name": "Dupain", "siret": None, "addressable": True},
        "created_at": "2026-03-01T12:00:00Z",
        **changes,
    }


def wanted(siren: str, **changes: Any) -> MandateCreate:
    return MandateCreate(
        start_date=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        directory_entry=DirectoryEntry(siren=siren, name="Dupain", **changes),
    )


# Clients


@pytest.mark.parametrize("shown", [[CLIENT], CLIENT])
async def test_a_client_whose_creation_was_lost_is_found_by_its_reference(
    client: SeqinoClient, wire: Any, shown: Any
) -> None:
    wire.answer("POST", f"{BASE}/clients", status=502)
    wire.answer("GET", f"{BASE}/clients?external_ref=dupain", shown)
    made = await client.clients.create(TO_CREATE)
    assert isinstance(made, Client)
    assert made.client_id == "c-1"
    assert [sent.method for sent in wire.sent] == ["POST", "GET"]


async def test_a_reference_that_another_client_has_is_a_mismatch(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/clients", {"error": "exists", "code": 1, "trace_id": "t"}, status=409)
    wire.answer(
        "GET", f"{BASE}/clients?external_ref=dupain", {**CLIENT, "contact_email": "other@dupain.example"}
    )
    with pytest.raises(ReconcileMismatch) as info:
        await client.clients.create(TO_CREATE)
    assert [fault.path for fault in info.value.faults] == ["$.contact_email"]


async def test_a_client_of_the_beta_is_found_and_its_own_answer_is_lost(
    client: SeqinoClient, wire: Any
) -> None:
    wire.answer("POST", f"{BASE}/clients/pdp-clients", status=504)
    wire.answer("GET", f"{BASE}/clients?external_ref=dupain", CLIENT)
    with pytest.raises(AnswerLost, match=r"clients\.list\(external_ref="):
        await client.clients.create_pdp_client(
            PdpClientCreate(external_reference="dupain", client_name="Boulangerie Dupain")
        )


async def test_a_client_is_found_by_a_token(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/clients", status=500)
    for _ in range(5):
        wire.answer("GET", f"{BASE}/clients?external_ref=dupain", [])
    with pytest.raises(OutcomeUnknown) as info:
        await client.clients.create(TO_CREATE)
    assert info.value.token is not None
    token = ResumeToken(**attrs.asdict(info.value.token))
    wire.answer("GET", f"{BASE}/clients?external_ref=dupain", CLIENT)
    made = await client.resume(token)
    assert isinstance(made, Client)
    assert [sent.method for sent in wire.sent].count("POST") == 1


# Mandates


async def test_a_mandate_is_found_by_its_directory_entry(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/mandates", status=502)
    others = [
        mandate("111111118"),
        mandate("552100554", status="expired", id="m-old"),
        mandate("552100554", directory_entry={"siren": "552100554", "name": "Dupain", "suffix": "PARIS"}),
    ]
    wire.answer("GET", f"{BASE}/mandates", [*others, mandate("552100554")])
    made = await client.mandates.create(wanted("552100554"), client_id="client-7")
    assert made.id == "m-552100554"
    assert {sent.headers["X-PDP-Client-Id"] for sent in wire.sent} == {"client-7"}


async def test_each_part_of_a_directory_entry_belongs_to_its_key(client: SeqinoClient, wire: Any) -> None:
    entry = {"siren": "552100554", "siret": "55210055400013", "suffix": "A", "routing_identifier": "R"}
    for part in ("siret", "suffix", "routing_identifier"):
        other = {**entry, "name": "Dupain", part: "other"}
        wire.answer("POST", f"{BASE}/mandates", status=502)
        for _ in range(5):
            wire.answer("GET", f"{BASE}/mandates", [mandate("552100554", directory_entry=other)])
        with pytest.raises(OutcomeUnknown):
            await client.mandates.create(
                wanted("552100554", siret="55210055400013", suffix="A", routing_identifier="R")
            )


async def test_a_mandate_with_other_dates_is_a_mismatch_and_a_second_one_a_duplicate(
    client: SeqinoClient, wire: Any
) -> None:
    wire.answer("POST", f"{BASE}/mandates", status=502)
    for _ in range(5):
        wire.answer("GET", f"{BASE}/mandates", [mandate("552100554", start_date="2026-02-01T00:00:00Z")])
    with pytest.raises(ReconcileMismatch) as info:
        await client.mandates.create(wanted("552100554"))
    assert [fault.path for fault in info.value.faults] == ["$.start_date"]
    wire.answer("POST", f"{BASE}/mandates", status=502)
    wire.answer("GET", f"{BASE}/mandates", [mandate("552100554"), mandate("552100554", id="m-2")])
    with pytest.raises(DuplicateDetected):
        await client.mandates.create(wanted("552100554"))


async def test_a_batch_of_mandates_is_found_whole(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/mandates/batch", status=502)
    wire.answer("GET", f"{BASE}/mandates", [mandate("222222226")])
    wire.answer("GET", f"{BASE}/mandates", [mandate("222222226"), mandate("111111118")])
    made = await client.mandates.create_batch(
        MandateBatchCreate(mandates=[wanted("111111118"), wanted("222222226")])
    )
    assert [one.id for one in made] == ["m-111111118", "m-222222226"]


# The webhook


WEBHOOK: dict[str, Any] = {
    "webhook_id": "w-1",
    "url": "https://dupain.example/hook",
    "events": ["invoice.received", "invoice.created"],
    "is_active": True,
}
TO_REGISTER = WebhookCreate(
    url="https://dupain.example/hook",
    events=[WebhookEventType.INVOICE_CREATED, WebhookEventType.INVOICE_RECEIVED],
)


async def test_a_webhook_that_is_found_has_lost_its_secret(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/webhooks", status=502)
    wire.answer("GET", f"{BASE}/webhooks", WEBHOOK)
    with pytest.raises(AnswerLost, match="its secret was in the answer to its registration alone") as info:
        await client.webhooks.create(TO_REGISTER)
    assert "$.secret" in [fault.path for fault in info.value.faults]
    assert info.value.outcome == "done"


async def test_another_webhook_is_a_mismatch(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/webhooks", status=409)
    wire.answer("GET", f"{BASE}/webhooks", {**WEBHOOK, "url": "https://elsewhere.example/"})
    with pytest.raises(ReconcileMismatch) as info:
        await client.webhooks.create(TO_REGISTER)
    assert [fault.path for fault in info.value.faults] == ["$.url"]


async def test_no_webhook_at_all_leaves_the_doubt(client: SeqinoClient, wire: Any) -> None:
    wire.answer("POST", f"{BASE}/webhooks", status=502)
    for _ in range(5):
        wire.answer("GET", f"{BASE}/webhooks", {"error": "none", "code": 404, "trace_id": "t"}, status=404)
    with pytest.raises(OutcomeUnknown, match="get_webhook shows nothing of it"):
        await client.webhooks.create(TO_REGISTER)


# Drafts


async def test_a_draft_nobody_can_tell_of_is_validated_again_only_where_the_caller_says_so(
    client: SeqinoClient, wire: Any
) -> None:
    invoice: dict[str, Any] = {
        "issue_date": "2026-09-01",
        "type_code": "380",
        "currency_code": "EUR",
        "seller": {"name": "Boulangerie Dupain", "postal_address": {"city_name": "Paris"}},
    }
    wire.answer("POST", f"{BASE}/drafts", {"draft_id": "d-1"}, status=201)
    wire.answer("POST", f"{BASE}/drafts/d-1/validate", status=502)
    for _ in range(30):
        wire.answer("GET", f"{BASE}/drafts/d-1", status=404)
    with pytest.raises(OutcomeUnknown, match="the platform answered 502") as info:
        await client.submit(invoice)
    assert info.value.token is not None
    with pytest.raises(OutcomeUnknown, match="the end of its validation was unclear"):
        await client.resume(info.value.token)
    issued = {"invoice_id": "inv-1", "invoice_number": "F-1", "status": "submitted"}
    wire.answer("POST", f"{BASE}/drafts/d-1/validate", issued)
    submission = await client.resume(info.value.token, revalidate=True)
    assert isinstance(submission, Submission)
    assert (submission.invoice_id, submission.draft_id) == ("inv-1", "d-1")


async def test_a_submission_validates_again_where_the_caller_says_so(
    client: SeqinoClient, wire: Any, make_draft: Callable[[], InvoiceDraft]
) -> None:
    wire.answer("POST", f"{BASE}/drafts", {"draft_id": "d-1"}, status=201)
    wire.answer("POST", f"{BASE}/drafts/d-1/validate", status=502)
    for _ in range(5):
        wire.answer("GET", f"{BASE}/drafts/d-1", status=404)
    wire.answer("POST", f"{BASE}/drafts/d-1/validate", {"invoice_id": "inv-1", "status": "submitted"})
    assert (await client.submit(make_draft(), revalidate=True)).invoice_id == "inv-1"
