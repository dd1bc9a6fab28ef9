"""Wrong uses of the public surface, one a line: the type checkers refuse each of them. Never run.

Each line names the error that it has. Where a change of the surface lets one through, its ``ignore`` is not
needed any more, and that is an error too.
"""
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino import CallOptions, SeqinoClient, local_state
from seqino.batch import Ledger
from seqino.identifiers import check_siren
from seqino.models import PaymentRecord

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from seqino import OutcomeUnknown, ResumeToken, Submission
    from seqino.batch import Item
    from seqino.models import LifecycleEvent, Mandate


def a_client() -> None:
    SeqinoClient("key", "client")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    SeqinoClient("key", timeout="30")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    SeqinoClient("key", max_retry=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    CallOptions(timeout="30")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def an_invoice(
    client: SeqinoClient, submitted: Submission, error: OutcomeUnknown, token: ResumeToken
) -> None:
    client.submit({"type_code": "380"})  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    await client.submit("invoice.xml")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.submit_file({"type_code": "380"})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.submit_invoice({"type_code": "380"})  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
    (await client.resume(token)).take_back()  # type: ignore[union-attr]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]
    await client.resume(error)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    submitted.invoice_id.upper()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]
    submitted.invoice_id = "inv_2"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


async def lists(client: SeqinoClient, mandate: Mandate) -> None:
    await client.mandates.list()  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    list(client.mandates.list())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.mandates.list(status="bogus")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.mandates.list(status=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    mandate.end_date.isoformat()  # type: ignore[union-attr]  # pyright: ignore[reportOptionalMemberAccess]


async def is_over(events: Sequence[LifecycleEvent]) -> bool:
    """Would have to be awaited, and is not."""
    return len(events) > 1


async def statuses(client: SeqinoClient, events: list[LifecycleEvent]) -> None:
    await client.lifecycle.wait_until("inv_1", "delivered")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.lifecycle.wait_until("inv_1", "delievered", timeout=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.lifecycle.wait_until("inv_1", ("dead", "payed"), timeout=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.lifecycle.wait_until("inv_1", is_over, timeout=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.lifecycle.watch("inv_1", until="paid")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.lifecycle.history("inv_1", object_type="bill")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await client.lifecycle.watch("inv_1")  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    local_state(["203"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    events[0].status_code.label_de.upper()  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


async def the_ledger(client: SeqinoClient, ledger: Ledger, item: Item) -> None:
    await Ledger.open("ledger.db", server="http://127.0.0.1:8052")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await ledger.submit(client, {"type_code": "380"})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await ledger.submit_file("invoice.xml", client)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await ledger.find("ERP-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    item.state = "accepted"  # type: ignore[misc, assignment]  # pyright: ignore[reportAttributeAccessIssue]


def reports(day: dt.date) -> None:
    PaymentRecord(client_siren="552100554", payment_date=day, amount=288.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    PaymentRecord(client_siren="552100554", payment_date=day)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    check_siren(552100554)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
