"""Right uses of the public surface, as programs have them: the type checkers take them all. Never run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import assert_type

from seqino import (
    UNSET,
    CallOptions,
    History,
    InvalidInput,
    LocalState,
    OutcomeUnknown,
    Page,
    Pager,
    Polled,
    Rejected,
    Resumed,
    ResumeToken,
    SeqinoClient,
    SeqinoError,
    Submission,
    UnreadableEvent,
    api,
    local_state,
)
from seqino.batch import Followed, Item, KeyConflict, Ledger, LedgerError, State
from seqino.identifiers import FrenchAddress, check_address, check_siren
from seqino.models import (
    Client,
    InvoiceDraft,
    InvoiceTypeCode,
    LifecycleEvent,
    LifecycleStatusCode,
    Mandate,
    MandateStatus,
    PaymentRecord,
    PaymentRecorded,
    PostalAddress,
    SellerParty,
)
from seqino.sandbox import Sandbox


async def a_client_and_its_copies() -> None:
    async with Sandbox() as sandbox, SeqinoClient("key", base_url=sandbox.url) as client:
        assert_type(client, SeqinoClient)
        assert_type(client.for_client("another"), SeqinoClient)
        assert_type(await client.clients.get("another"), Client)
        assert_type(await api.clients.get_client_details(client, "another"), Client)


async def an_invoice_is_submitted(client: SeqinoClient) -> str | None:
    address = PostalAddress(city_name="Paris")
    invoice = InvoiceDraft(
        issue_date=dt.date(2026, 9, 1),
        type_code=InvoiceTypeCode.CODE_380,
        currency_code="EUR",
        seller=SellerParty(name="Boulangerie Dupain", postal_address=address),
        due_date=UNSET,
    )
    try:
        submitted = await client.submit(invoice, options=CallOptions(timeout=10))
        assert_type(submitted, Submission)
        await client.submit({"type_code": "380", "lines": [{"invoiced_quantity": Decimal(2)}]})
        # Of members of many kinds a checker infers the type that they have in common.
        mixed = {
            "issue_date": dt.date(2026, 11, 20),
            "seller": {"name": "Dupain"},
            "lines": [{"item_name": "Pain"}],
        }
        await client.submit(mixed)
        await client.submit_file("invoice.xml")
    except InvalidInput as error:
        return str(error.faults)
    except Rejected as error:
        assert_type(error.status, int | None)
        return None
    except OutcomeUnknown as error:
        assert_type(error.token, ResumeToken | None)
        if error.token is None:
            return None
        found = await client.resume(error.token)
        assert_type(found, Resumed)
        return found.invoice_id if isinstance(found, Submission) else None
    except SeqinoError:
        return None
    return submitted.invoice_id


async def lists(client: SeqinoClient) -> None:
    pager = client.mandates.list(status=MandateStatus.ACTIVE)
    client.mandates.list(status="pending_kyc")
    # One that the description does not know yet.
    client.mandates.list(status=MandateStatus("suspended"))
    assert_type(pager, Pager[Mandate])
    async for mandate in pager:
        assert_type(mandate.end_date, dt.datetime | None)
    async for page in client.lifecycle.events().by_page():
        assert_type(page, Page[LifecycleEvent])
    assert_type(await client.clients.list().to_list(), list[Client])


async def statuses(client: SeqinoClient) -> None:
    history = await client.lifecycle.wait_until("inv_1", ("delivered", "not delivered"), timeout=60)
    assert_type(history, History)
    assert_type(history.unreadable, Sequence[UnreadableEvent])
    events: list[LifecycleEvent] = history
    assert_type(
        await client.lifecycle.events(keep_unreadable=True).first(), LifecycleEvent | UnreadableEvent | None
    )
    assert_type(local_state(events), LocalState | None)
    assert_type(local_state(history), LocalState | None)
    assert_type(history[0].status_code, LifecycleStatusCode)
    assert_type(history[0].status_code.label_fr, str)
    assert_type(await client.lifecycle.poll(), Polled)
    async for change in client.lifecycle.watch("inv_1", "inv_2", max_age=dt.timedelta(days=30)):
        assert_type(change.is_over, bool)


async def the_ledger(client: SeqinoClient) -> None:
    async with Ledger.open("ledger.db", server=client.base_url, sponsor="dupain") as ledger:
        try:
            submitted = await ledger.submit(client, {"type_code": "380"}, key="ERP-1", document_ref="doc-1")
        except KeyConflict:
            return
        except LedgerError as error:
            raise SystemExit(str(error)) from error
        assert_type(submitted, Submission)
        assert_type(await ledger.follow(client), Followed)
        item = await ledger.find("ERP-1", client_id="sandbox-client-seqino")
        assert_type(item, Item | None)
        if item is not None:
            assert_type(item.state, State)
        run = await ledger.create_run([("ERP-2", {"type_code": "380"})], name="2026-09")
        async for progress in run.submit(client, patience=120):
            assert_type(progress.in_doubt, int)


async def reports(client: SeqinoClient) -> None:
    payment = PaymentRecord(
        client_siren=check_siren("552 100 554"), payment_date=dt.date(2026, 9, 1), amount=Decimal("288.00")
    )
    assert_type(await client.reporting.record_payment(payment), PaymentRecorded)
    assert_type(check_address("552100554_COMPTA"), FrenchAddress)
