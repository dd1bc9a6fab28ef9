from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import MAGIC_BUYERS, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

BUYERS = {name: siren for siren, name in MAGIC_BUYERS.items()}
PAID = 8
"""Events of an invoice that is paid."""


async def events(call: Any, object_type: str, invoice_id: str) -> list[dict[str, Any]]:
    reply = await call("GET", f"/lifecycle-events?object_type={object_type}&object_id={invoice_id}")
    assert reply.status == 200
    found: list[dict[str, Any]] = reply.body
    return found


async def codes(call: Any, object_type: str, invoice_id: str) -> list[str]:
    return [event["status_code"] for event in await events(call, object_type, invoice_id)]


# --- Invoices ---


async def test_events_happen_one_after_the_other_on_the_sandboxs_clock(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    for seconds, last in ((1.9, "DEPOSITED"), (0.1, "TRANSMITTED_BY_PLATFORM"), (4, "MADE_AVAILABLE")):
        sandbox.clock.advance(seconds)
        assert (await call.statuses(invoice_id))[-1] == last


async def test_only_what_the_public_portal_must_learn_is_mandatory(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    for siren in MAGIC_BUYERS:
        await call.issue(for_buyer(siren))
    sandbox.clock.advance(3600)
    found = (await call("GET", "/lifecycle-events")).body
    mandatory = {event["status_code"] for event in found if event["is_mandatory"]}
    names = ("DEPOSITED", "REFUSED", "COLLECTED", "REJECTED")
    assert mandatory == {f"InvoiceLifecycleStatus.{name}" for name in names}


async def test_an_unknown_invoice_has_no_events(call: Any) -> None:
    assert await call.statuses("inv_0") == []


async def test_a_duplicate_leaves_the_first_invoice_as_it_is(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    first, second = [(await call.send_file(ubl())).body["invoice_id"] for _ in range(2)]
    sandbox.clock.advance(60)
    assert len(await call.statuses(first)) == PAID
    (*_, last) = await events(call, "invoice", second)
    assert last["rejection_reason"] == "DOUBLON"
    assert (await codes(call, "regulatory_data", second)) == ["RegulatoryDataStatus.REJECTED"]


# --- The whole feed ---


async def test_events_of_a_kind_are_those_of_every_invoice(call: Any, sandbox: Sandbox) -> None:
    await call.issue()
    sandbox.clock.advance(3)
    await call.issue()
    sandbox.clock.advance(60)
    found = (await call("GET", "/api/lifecycle-events?object_type=invoice")).body
    assert len(found) == 2 * PAID
    assert found == sorted(found, key=lambda event: event["timestamp"]), "no network disorders these"


async def test_without_a_filter_every_family_is_shown(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    await call.send_file(ubl())
    sandbox.clock.advance(60)
    everything = (await call("GET", "/lifecycle-events")).body
    families = [event["status_code"].partition(".")[0] for event in everything]
    assert families.count("InvoiceLifecycleStatus") == PAID
    assert families.count("RegulatoryDataStatus") == 1
    assert families.count("FlowStatus") == 1
    assert len(families) == PAID + 2


async def test_the_feed_answers_in_the_order_of_arrival(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    late = await call.issue(for_buyer(BUYERS["late"]))
    sandbox.clock.advance(100)
    await call.issue(for_buyer(BUYERS["silent"]))
    sandbox.clock.advance(60)
    found = (await call("GET", "/lifecycle-events?object_type=invoice")).body
    assert found[-1] == (await events(call, "invoice", late))[-1], "201, seen two minutes after its time"
    assert found[-1]["timestamp"] < found[-2]["timestamp"]
    assert found[-2]["status_code"].endswith("MADE_AVAILABLE")


@pytest.mark.parametrize("scenario", ["late", "repeated", "out_of_order", "paid", "corrected"])
async def test_what_was_answered_once_is_answered_again_and_more_is_added_at_the_end(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes], scenario: str
) -> None:
    before: list[Any] = []
    for number, seconds in enumerate((0, 0, 1, 3, 7, 20, 60, 3600, 86400)):
        await call.send_file(ubl(f"F-{number}", buyer=BUYERS[scenario]))
        sandbox.clock.advance(seconds)
        now = (await call("GET", "/lifecycle-events")).body
        assert now[: len(before)] == before
        assert len(now) > len(before)
        before = now


# --- Other families ---


async def test_the_portal_takes_the_data_of_an_invoice_seconds_after_its_deposit(
    call: Any, sandbox: Sandbox
) -> None:
    invoice_id = await call.issue()
    assert await events(call, "regulatory_data", invoice_id) == []
    sandbox.clock.advance(10)
    (taken,) = await events(call, "regulatory_data", invoice_id)
    assert taken["status_code"] == "RegulatoryDataStatus.DEPOSITED"
    assert taken["emitter"] == "PPF"
    assert taken["timestamp"] > (await events(call, "invoice", invoice_id))[0]["timestamp"]
    assert not taken["is_mandatory"]


async def test_the_portal_rejects_the_data_of_an_invoice_that_is_paid_all_the_same(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    invoice_id = await call.issue(for_buyer(BUYERS["data_rejected"]))
    sandbox.clock.advance(60)
    (rejected,) = await events(call, "regulatory_data", invoice_id)
    assert rejected["status_code"] == "RegulatoryDataStatus.REJECTED"
    assert rejected["rejection_reason"] == "REJ_COH"
    assert (await call.statuses(invoice_id))[-1] == "COLLECTED"


async def test_a_file_is_receivable_and_a_draft_has_no_file(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    from_file = (await call.send_file(ubl())).body["invoice_id"]
    assert await codes(call, "flow", from_file) == ["FlowStatus.RECEIVABLE"]
    from_draft = await call.issue()
    sandbox.clock.advance(60)
    assert await codes(call, "flow", from_draft) == []


async def test_a_credit_note_that_comes_as_a_file_is_receivable_too(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    sandbox.scenario = "refunded"
    invoice_id = (await call.send_file(ubl(type_code="381"))).body["invoice_id"]
    assert await codes(call, "flow", invoice_id) == ["FlowStatus.RECEIVABLE"]


async def test_an_inadmissible_file_is_no_invoice_and_its_number_is_free_again(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    buyer = BUYERS["inadmissible"]
    first = (await call.send_file(ubl(buyer=buyer))).body["invoice_id"]
    sandbox.clock.advance(0.5)
    early = (await call.send_file(ubl(buyer=buyer))).body["invoice_id"]
    sandbox.clock.advance(60)
    (refused,) = await events(call, "flow", first)
    assert (refused["status_code"], refused["rejection_reason"]) == (
        "FlowStatus.UNACCEPTABLE",
        "IRR_ANTIVIRUS",
    )
    assert await call.statuses(first) == []
    assert (await call("GET", f"/invoicing/invoice_data/{first}")).body["status"] == "rejected"
    assert await call.statuses(early) == ["DEPOSITED", "TRANSMITTED_BY_PLATFORM", "REJECTED"]
    again = (await call.send_file(ubl())).body["invoice_id"]
    sandbox.clock.advance(60)
    assert (await call.statuses(again))[-1] == "COLLECTED"
    assert sandbox.counters.duplicates == 1


async def test_a_draft_whose_envelope_is_inadmissible_has_used_up_its_number(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    invoice_id = await call.issue(for_buyer(BUYERS["inadmissible"]))
    sandbox.clock.advance(60)
    assert await codes(call, "flow", invoice_id) == ["FlowStatus.UNACCEPTABLE"]
    assert await call.statuses(invoice_id) == []
    read = await call("GET", f"/invoicing/invoice_data/{invoice_id}")
    assert (read.body["status"], read.body["invoice_number"]) == ("rejected", "SBX-2026-000001")
    following = await call("GET", f"/invoicing/invoice_data/{await call.issue()}")
    assert following.body["invoice_number"] == "SBX-2026-000002"


@pytest.mark.parametrize(
    ("scenario", "is_free"),
    [
        ("rejected", True),  # REJ_ADR
        ("rejected_recipient", False),
        ("rejected_total", False),
        ("rejected_attachment", False),
        ("rejected_on_issue", False),
        ("refused", False),
        ("not_delivered", False),
    ],
)
async def test_an_invoice_rejected_for_its_address_alone_may_be_delivered_again_under_its_number(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes], scenario: str, *, is_free: bool
) -> None:
    await call.send_file(ubl(buyer=BUYERS[scenario]))
    sandbox.clock.advance(60)
    again = (await call.send_file(ubl())).body["invoice_id"]
    third = (await call.send_file(ubl())).body["invoice_id"]
    sandbox.clock.advance(60)
    assert (await call.statuses(again))[-1] == ("COLLECTED" if is_free else "REJECTED")
    assert (await call.statuses(third))[-1] == "REJECTED"  # the number is used now
    assert sandbox.counters.duplicates == (1 if is_free else 2)


async def test_a_number_is_free_once_the_rejection_is_seen_and_stays_so_without_its_client(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    other = {"headers": {"X-PDP-Client-Id": "client_abc123"}}
    first = (await call.send_file(ubl(), **other)).body["invoice_id"]
    early = (await call.send_file(ubl())).body["invoice_id"]
    reason: Any = {"rejection_reason": "ADR_ERR", "reason": "Adresse inconnue.", "force": True}
    sandbox.invoices.put(first, "REJECTED", **reason)
    await call("DELETE", "/clients/client_abc123")
    again = (await call.send_file(ubl())).body["invoice_id"]
    sandbox.clock.advance(60)
    assert (await call.statuses(early))[-1] == "REJECTED"
    assert (await call.statuses(again))[-1] == "COLLECTED"


async def test_an_invoice_to_a_company_that_the_directory_does_not_know_takes_its_course(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    assert (await call("GET", "/directory/552100554")).status == 404
    invoice_id = await call.issue(for_buyer("552100554"))
    sandbox.clock.advance(60)
    assert (await call.statuses(invoice_id))[-1] == "COLLECTED"


async def test_the_portal_refuses_a_reported_payment(
    call: Any, sandbox: Sandbox, for_buyer: Callable[[str], Any]
) -> None:
    invoice_id = await call.issue(for_buyer(BUYERS["status_rejected"]))
    sandbox.clock.advance(120)
    (refused,) = await events(call, "lifecycle_status", invoice_id)
    assert refused["status_code"] == "LifecycleStatusReporting.REJECTED"
    assert refused["rejection_reason"] == "REJ_ENCAISSEMENT"
    assert (await call.statuses(invoice_id)).count("COLLECTED") == 2


async def test_other_families_stay_out_of_the_invoices_own_events(call: Any, sandbox: Sandbox) -> None:
    invoice_id = await call.issue()
    sandbox.clock.advance(60)
    assert all(
        code.startswith("InvoiceLifecycleStatus.") for code in await codes(call, "invoice", invoice_id)
    )


@pytest.mark.parametrize("object_type", ["regulatory_data", "flow", "lifecycle_status", "mandate"])
async def test_another_kind_of_object_has_no_events_of_its_own(call: Any, object_type: str) -> None:
    await call.issue()
    assert (await call("GET", f"/lifecycle-events?object_type={object_type}")).body == []


# --- What is asked in a wrong way ---


async def test_an_unknown_kind_is_refused(call: Any) -> None:
    reply = await call("GET", "/lifecycle-events?object_type=parcel")
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"] == ["query", "object_type"]
    assert reply.body["detail"][0]["type"] == "enum"


async def test_an_id_without_its_kind_is_refused(call: Any) -> None:
    reply = await call("GET", "/lifecycle-events?object_id=inv_0")
    assert reply.status == 422
    assert reply.body["detail"][0]["loc"] == ["query", "object_type"]
