"""Corrections of what was rejected, and webhooks as evidence."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from seqino.batch import KeyConflict, State, schema
from seqino.batch.items import Change
from seqino.batch.states import ItemEvent
from seqino.errors import CallError, InvalidInput, OutcomeUnknown, Rejected
from seqino.models import WebhookEventPayload, WebhookEventType
from tests.batch.conftest import CLIENT, DRAFT, FILE, INVOICES

if TYPE_CHECKING:
    from seqino.batch import Item, Ledger
    from seqino.client import SeqinoClient
    from tests.batch.platform import Platform

OTHER = {**DRAFT, "currency_code": "CHF"}


async def item(ledger: Ledger) -> Item:
    found = await ledger.find("k", client_id=CLIENT)
    assert found is not None
    return found


async def rejected(ledger: Ledger, client: SeqinoClient, platform: Platform, step: str = "validate") -> None:
    platform.faults[step] = ["refuse"]
    with pytest.raises(Rejected):
        await ledger.submit(client, DRAFT, key="k")


# Corrections


async def test_a_rejected_invoice_is_corrected_by_replacing_its_draft(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await rejected(ledger, client, platform)
    before = await item(ledger)
    done = await ledger.correct(client, OTHER, key="k")
    assert (done.draft_id, done.invoice_id) == ("draft-1", "inv-1")
    assert platform.drafts["draft-1"]["currency_code"] == "CHF"
    assert platform.requests == {"create": 1, "validate": 2, "look": 1, "replace": 1}
    events = [str(entry.event) async for entry in ledger.history()]
    assert events == [
        *("added", "marked", "refused", "corrected", "adopted", "replaced", "marked", "accepted")
    ]
    after = await item(ledger)
    assert after.sha256 != before.sha256
    sent = [entry.sent async for entry in ledger.history() if entry.event is ItemEvent.MARKED]
    assert sent == [before.sha256, after.sha256]


async def test_a_draft_that_was_refused_at_once_is_created_anew(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await rejected(ledger, client, platform, "create")
    assert (await ledger.correct(client, OTHER, key="k")).draft_id == "draft-1"
    assert platform.requests == {"create": 2, "validate": 1}


async def test_a_rejected_file_is_corrected_under_its_key(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["upload"] = ["refuse"]
    with pytest.raises(Rejected):
        await ledger.submit_file(client, FILE, key="k")
    other = INVOICES / "02-food-two-rates-ubl.xml"
    assert (await ledger.correct_file(client, other, key="k")).invoice_id == "inv-f"
    assert [upload[2] for upload in platform.uploads] == [other.read_bytes()]
    with pytest.raises(KeyConflict, match="is a file: it is corrected the way"):
        await ledger.correct(client, DRAFT, key="k")


async def test_the_same_correction_twice_is_one(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await rejected(ledger, client, platform)
    one = await ledger.correct(client, OTHER, key="k")
    assert (await ledger.correct(client, OTHER, key="k")).invoice_id == one.invoice_id
    assert platform.effects.total() == 1


async def test_only_what_was_rejected_is_corrected(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    with pytest.raises(InvalidInput, match="there is no 'k' in this ledger"):
        await ledger.correct(client, OTHER, key="k")
    await ledger.submit(client, DRAFT, key="k")
    with pytest.raises(KeyConflict, match="'k' is accepted: it was not rejected"):
        await ledger.correct(client, OTHER, key="k")
    assert platform.effects.total() == 1


async def test_what_was_ever_in_doubt_is_not_corrected(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["validate"] = ["lost before"]
    with pytest.raises(OutcomeUnknown):
        await ledger.submit(client, DRAFT, key="k")
    await ledger.store.change(Change(item=await item(ledger), event=ItemEvent.ABSENT))
    with pytest.raises(KeyConflict, match="never sent with another content"):
        await ledger.correct(client, OTHER, key="k")


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("503", State.CORRECTING),
        ("401", State.CORRECTING),
        ("refuse", State.REJECTED),
        ("409", State.IN_DOUBT),
    ],
)
async def test_a_draft_that_cannot_be_replaced_is_told_honestly(
    ledger: Ledger, client: SeqinoClient, platform: Platform, fault: str, state: State
) -> None:
    await rejected(ledger, client, platform)
    platform.faults["replace"] = [fault] * 9
    with pytest.raises(CallError):
        await ledger.correct(client, OTHER, key="k")
    found = await item(ledger)
    assert (found.state, found.chunk_id) == (state, None)
    assert platform.requests["validate"] == 1


async def test_a_replacement_is_tried_again_until_it_is_done(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await rejected(ledger, client, platform)
    platform.faults["replace"] = ["lost after", "503"]
    assert (await ledger.correct(client, OTHER, key="k")).draft_id == "draft-1"
    assert platform.requests["replace"] == 3


# Webhooks


def event(number: int = 1, kind: str = "invoice.created", **data: Any) -> dict[str, Any]:
    return {
        "event_id": f"e-{number}",
        "event_type": kind,
        "timestamp": "2026-09-01T12:00:00Z",
        "sponsor_id": "s-1",
        "data": data,
    }


async def in_doubt(ledger: Ledger, client: SeqinoClient, platform: Platform) -> None:
    platform.faults["validate"], platform.faults["look"] = ["lost after"], ["503"] * 9
    with pytest.raises(OutcomeUnknown):
        await ledger.submit(client, DRAFT, key="k")


async def test_a_webhook_with_our_draft_settles_a_doubt(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await in_doubt(ledger, client, platform)
    told = event(draft_id="draft-1", invoice_id="inv-1", invoice_number="F-1")
    found = await ledger.record_event(told)
    assert found is not None
    assert (found.state, found.invoice_id, found.invoice_number) == (State.ACCEPTED, "inv-1", "F-1")
    assert (await ledger.submit(client, DRAFT, key="k")).invoice_id == "inv-1"
    last = [entry async for entry in ledger.history()][-1]
    assert (last.event, last.detail["webhook"]) == (ItemEvent.ACCEPTED, "e-1")


async def test_the_same_event_twice_changes_nothing(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await in_doubt(ledger, client, platform)
    told = event(draft_id="draft-1", invoice_id="inv-1")
    assert await ledger.record_event(told) == await ledger.record_event(told)
    assert await ledger.store.has_event("e-1")
    assert not await ledger.store.add_event("e-1", "{}", item_id=None)


@pytest.mark.parametrize(
    "told",
    [
        event(draft_id="other", invoice_id="inv-1"),
        event(invoice_id="inv-1"),
        event(draft_id="draft-1"),
        event(kind="invoice.received", draft_id="draft-1", invoice_id="inv-1"),
        {**event(draft_id="draft-1", invoice_id="inv-1"), "client_id": "another"},
        {"event_id": "e-1", "event_type": "webhook.test", "data": None},
    ],
)
async def test_what_names_not_our_draft_proves_nothing(
    ledger: Ledger, client: SeqinoClient, platform: Platform, told: dict[str, Any]
) -> None:
    await in_doubt(ledger, client, platform)
    await ledger.record_event(told)
    assert (await item(ledger)).state is State.IN_DOUBT
    assert await ledger.store.has_event("e-1")


async def test_the_number_of_a_file_in_doubt_proves_nothing(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    platform.faults["upload"] = ["lost after"]
    with pytest.raises(OutcomeUnknown):
        await ledger.submit_file(client, FILE, key="k")
    before = await item(ledger)
    assert before.invoice_number is not None
    told = event(invoice_id="inv-another", invoice_number=before.invoice_number)
    assert await ledger.record_event({**told, "client_id": CLIENT}) is None
    refused = event(2, "invoice.status_updated", invoice_id="inv-another", status_code="REJECTED")
    assert await ledger.record_event({**refused, "client_id": CLIENT}) is None
    assert await item(ledger) == before
    assert before.state is State.PARKED


async def test_a_model_is_an_event_too(ledger: Ledger, client: SeqinoClient, platform: Platform) -> None:
    await in_doubt(ledger, client, platform)
    told = WebhookEventPayload(
        event_id="e-1",
        event_type=WebhookEventType.INVOICE_CREATED,
        timestamp=dt.datetime(2026, 9, 1, tzinfo=dt.UTC),
        sponsor_id="s-1",
        client_id=CLIENT,
        data={"draft_id": "draft-1", "invoice_id": "inv-1"},
    )
    found = await ledger.record_event(told)
    assert found is not None
    assert found.state is State.ACCEPTED


async def test_a_webhook_completes_a_number_and_changes_no_invoice(
    ledger: Ledger, client: SeqinoClient, platform: Platform
) -> None:
    await in_doubt(ledger, client, platform)
    await ledger.record_event(event(1, draft_id="draft-1", invoice_id="inv-1"))
    await ledger.record_event(event(2, draft_id="draft-1", invoice_id="inv-9", invoice_number="F-9"))
    assert (await item(ledger)).invoice_number is None
    await ledger.record_event(event(3, invoice_id="inv-1", invoice_number="F-1"))
    accepted = await item(ledger)
    assert (accepted.invoice_id, accepted.invoice_number) == ("inv-1", "F-1")
    await ledger.store.change(Change(item=accepted, event=ItemEvent.SETTLED))
    await ledger.record_event(event(4, invoice_id="inv-1", invoice_number="F-1"))
    assert (await item(ledger)).state is State.SETTLED


async def test_an_event_with_half_a_character_is_kept_as_it_came(ledger: Ledger) -> None:
    await ledger.record_event(event(seller="caf\ud800", at=dt.datetime(2026, 9, 1, tzinfo=dt.UTC)))
    kept = await ledger.store.rows(select(schema.webhook_inbox.c.body))
    assert '"seller": "caf\\ud800"' in kept[0].body


@pytest.mark.parametrize("told", [{}, {"event_id": ""}, {"event_id": 5}, {"event_id": "\ud800"}])
async def test_what_is_no_event_is_refused(ledger: Ledger, told: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="no event_id"):
        await ledger.record_event(told)


async def test_a_webhook_outruns_the_answer(ledger: Ledger, client: SeqinoClient, platform: Platform) -> None:
    platform.holds = "validate"
    platform.faults["look"] = ["503"] * 99
    platform.faults["validate"] = ["lost after"]
    sending = asyncio.create_task(ledger.submit(client, DRAFT, key="k"))
    await platform.held.wait()
    await ledger.record_event(event(draft_id="draft-1", invoice_id="inv-1", invoice_number="F-1"))
    platform.release()
    assert (await sending).invoice_id == "inv-1"
    assert (await item(ledger)).state is State.ACCEPTED
