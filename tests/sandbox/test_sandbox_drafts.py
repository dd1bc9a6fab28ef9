from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

Draft = dict[str, Any]


async def test_a_draft_is_kept_as_it_was_sent_with_amounts_as_text(
    call: Any, draft: Callable[..., Draft]
) -> None:
    sent = draft(note="à bientôt", due_date=None, field_of_tomorrow={"ratio": 0.25, "huge": 7})
    draft_id = await call.create(sent)
    read = (await call("GET", f"/drafts/{draft_id}")).body
    assert read["lines"][0]["invoiced_quantity"] == "2"
    assert read["lines"][1]["line_net_amount"] == "50.1"
    assert (read["note"], read["due_date"]) == ("à bientôt", None)
    assert read["field_of_tomorrow"] == {"ratio": 0.25, "huge": 7}
    assert (read["draft_id"], read["status"]) == (draft_id, "draft")


PRECISE = """{"issue_date": "2026-01-01", "type_code": "380", "currency_code": "EUR",
  "seller": {"name": "A", "postal_address": {"city_name": "B"}},
  "rounding_amount": 0.12345678901234567890, "strange": 1e5000}"""


async def test_an_amount_keeps_digits_that_no_float_could(call: Any) -> None:
    reply = await call("POST", "/drafts", data=PRECISE, headers={"Content-Type": "application/json"})
    read = (await call("GET", f"/drafts/{reply.body['draft_id']}")).body
    assert read["rounding_amount"] == "0.12345678901234567890"
    assert read["strange"] == "1E+5000"


async def test_a_draft_may_be_partial_and_says_what_is_missing(
    call: Any, draft: Callable[..., Draft]
) -> None:
    sent = draft(lines=[], buyer=None)
    del sent["buyer"]
    reply = await call("POST", "/drafts", json=sent)
    assert [one["rule"] for one in reply.body["warnings"]] == ["BR-07", "BR-16"]
    assert [one["path"] for one in reply.body["warnings"]] == ["buyer.name", "lines"]


async def test_what_the_platform_writes_cannot_be_sent(call: Any, draft: Callable[..., Draft]) -> None:
    draft_id = await call.create(draft(draft_id="mine", status="submitted", invoice_number="F-1"))
    read = (await call("GET", f"/drafts/{draft_id}")).body
    assert read["draft_id"] == draft_id
    assert read["status"] == "draft"
    assert "invoice_number" not in read


async def test_a_field_without_a_business_term_is_judged_by_no_rule(
    call: Any, draft: Callable[..., Draft]
) -> None:
    reply = await call("POST", "/drafts/validate-data", json={"invoice_data": draft(order_reference="PO-1")})
    assert reply.body == {"valid": True, "errors": [], "warnings": []}


async def test_put_replaces_the_whole_draft(call: Any, sandbox: Sandbox, draft: Callable[..., Draft]) -> None:
    draft_id = await call.create(draft(note="first"))
    reply = await call("PUT", f"/drafts/{draft_id}", json=draft(type_code="381"))
    assert reply.status == 200
    read = (await call("GET", f"/drafts/{draft_id}")).body
    assert read["type_code"] == "381"
    assert "note" not in read
    assert read["updated_at"] is not None
    assert sandbox.counters.drafts_updated == 1


async def test_delete_is_final(call: Any, sandbox: Sandbox) -> None:
    draft_id = await call.create()
    assert (await call("DELETE", f"/drafts/{draft_id}")).status == 204
    assert (await call("DELETE", f"/drafts/{draft_id}")).status == 404
    assert (await call("GET", f"/drafts/{draft_id}")).status == 404
    assert (await call("POST", f"/drafts/{draft_id}/validate")).status == 404
    assert sandbox.counters.drafts_deleted == 1


async def test_a_draft_becomes_an_invoice_exactly_once(
    call: Any, sandbox: Sandbox, draft: Callable[..., Draft]
) -> None:
    draft_id = await call.create()
    first = await call("POST", f"/drafts/{draft_id}/validate")
    assert first.status == 200
    assert first.body["status"] == "submitted"
    for method, path, options in (
        ("POST", f"/drafts/{draft_id}/validate", {}),
        ("PUT", f"/drafts/{draft_id}", {"json": draft()}),
        ("DELETE", f"/drafts/{draft_id}", {}),
    ):
        refused = await call(method, path, **options)
        assert refused.status == 409
        assert refused.body["code"] == 409
    read = (await call("GET", f"/drafts/{draft_id}")).body
    assert read["invoice_id"] == first.body["invoice_id"]
    assert read["invoice_number"] == first.body["invoice_number"]
    assert read["status"] == "submitted"
    assert (sandbox.counters.drafts_validated, sandbox.counters.invoices_created) == (1, 1)


async def test_of_many_validations_at_once_one_issues_the_invoice(call: Any, sandbox: Sandbox) -> None:
    draft_id = await call.create()
    replies = await asyncio.gather(*(call("POST", f"/drafts/{draft_id}/validate") for _ in range(20)))
    assert sorted(reply.status for reply in replies) == [200] + [409] * 19
    assert sandbox.counters.invoices_created == 1


async def test_numbers_have_no_gap_by_seller_and_year(call: Any, draft: Callable[..., Draft]) -> None:
    other_seller = draft()
    other_seller["seller"]["seller_legal_registration_identifier"] = "732829320"
    unsound = await call.create(draft(lines=[]))
    numbers: list[str] = []
    for invoice in (draft(), draft(note="2"), draft(issue_date="2027-01-02"), other_seller, draft(note="3")):
        draft_id = await call.create(invoice)
        await call("POST", f"/drafts/{unsound}/validate")  # refused: it must use up no number
        numbers.append((await call("POST", f"/drafts/{draft_id}/validate")).body["invoice_number"])
    assert numbers == [
        "SBX-2026-000001",
        "SBX-2026-000002",
        "SBX-2027-000001",
        "SBX-2026-000001",
        "SBX-2026-000003",
    ]


async def test_a_number_that_a_file_used_is_not_given_again(call: Any, ubl: Callable[..., bytes]) -> None:
    await call.send_file(ubl("SBX-2026-000001"))
    draft_id = await call.create()
    reply = await call("POST", f"/drafts/{draft_id}/validate")
    assert reply.body["invoice_number"] == "SBX-2026-000002"


@pytest.mark.parametrize(
    ("changes", "rule", "field"),
    [
        ({"buyer": {"name": "", "postal_address": {"city_name": "Nantes"}}}, "BR-07", ["buyer", "name"]),
        ({"lines": []}, "BR-16", ["lines"]),
        ({"sum_of_line_net_amount": "150.11"}, "BR-CO-10", ["sum_of_line_net_amount"]),
        ({"total_amount_with_vat": 180.13}, "BR-CO-15", ["total_amount_with_vat"]),
        ({"amount_due_for_payment": "1"}, "BR-CO-16", ["amount_due_for_payment"]),
    ],
)
async def test_an_unsound_draft_is_refused_and_stays_a_draft(
    call: Any, sandbox: Sandbox, draft: Callable[..., Draft], *, changes: Draft, rule: str, field: list[str]
) -> None:
    draft_id = await call.create(draft(**changes))
    reply = await call("POST", f"/drafts/{draft_id}/validate")
    assert reply.status == 422
    assert reply.body["detail"][0]["type"] == rule
    assert reply.body["detail"][0]["loc"] == ["draft", *field]
    assert (await call("GET", f"/drafts/{draft_id}")).body["status"] == "draft"
    assert sandbox.counters.invoices_created == 0
    await call("PUT", f"/drafts/{draft_id}", json=draft())
    assert (await call("POST", f"/drafts/{draft_id}/validate")).status == 200


async def test_validate_data_judges_and_stores_nothing(
    call: Any, sandbox: Sandbox, draft: Callable[..., Draft]
) -> None:
    good = await call("POST", "/drafts/validate-data", json={"invoice_data": draft()})
    assert good.body == {"valid": True, "errors": [], "warnings": []}
    bad = await call("POST", "/drafts/validate-data", json={"invoice_data": draft(total_vat_amount="9")})
    assert bad.body["valid"] is False
    assert [one["rule"] for one in bad.body["errors"]] == ["BR-CO-14", "BR-CO-15"]
    assert bad.body["errors"][0]["path"] == "total_vat_amount"
    assert sandbox.counters.drafts_created == 0


async def test_the_same_content_issued_twice_is_counted(call: Any, sandbox: Sandbox) -> None:
    await call.issue()
    await call.issue()
    assert sandbox.counters.invoices_created == 2
    assert sandbox.counters.same_content == 1


async def test_hidden_marks_leave_a_consumed_draft_that_cannot_tell(
    calling: Callable[[Sandbox], Any], draft: Callable[..., Draft], ubl: Callable[..., bytes]
) -> None:
    async with Sandbox(speed=0, show_inferred=False) as sandbox:
        call = calling(sandbox)
        created = await call("POST", "/drafts", json=draft())
        assert list(created.body) == ["draft_id"]
        before = (await call("GET", f"/drafts/{created.body['draft_id']}")).body
        validated = await call("POST", f"/drafts/{created.body['draft_id']}/validate")
        assert (validated.status, validated.body) == (200, {})
        assert (await call("GET", f"/drafts/{created.body['draft_id']}")).body == before
        for method, end, body in (("POST", "/validate", None), ("DELETE", "", None), ("PUT", "", draft())):
            refused = await call(method, f"/drafts/{created.body['draft_id']}{end}", json=body)
            assert (refused.status, "inv" in refused.body["error"]) == (409, False)
        taken = await call.send_file(ubl())
        read = await call("GET", f"/invoicing/invoice_data/{taken.body['invoice_id']}")
        assert "invoice_number" not in read.body
        assert "status" not in read.body
        sandbox.show_inferred = True
        after = (await call("GET", f"/drafts/{created.body['draft_id']}")).body
        assert (after["status"], sandbox.show_inferred) == ("submitted", True)


async def test_an_issued_invoice_is_read_whole(
    call: Any, sandbox: Sandbox, draft: Callable[..., Draft]
) -> None:
    invoice_id = await call.issue()
    read = (await call("GET", f"/invoicing/invoice_data/{invoice_id}")).body
    assert read["invoice_number"] == "SBX-2026-000001"
    assert (read["invoice_id"], read["status"]) == (invoice_id, "submitted")
    assert read["buyer"] == draft()["buyer"]
    sandbox.clock.advance(6)
    assert (await call("GET", f"/invoicing/invoice_data/{invoice_id}")).body["status"] == "processed"
    assert (await call("GET", "/invoicing/invoice_data/inv_0")).status == 404


async def test_a_draft_is_judged_by_what_it_holds_now(call: Any, draft: Callable[..., Any]) -> None:
    unsound = draft(total_amount_with_vat="1.00", amount_due_for_payment="1.00")
    draft_id = await call.create(unsound)
    for _ in range(2):
        reply = await call("GET", f"/drafts/{draft_id}")
        assert [one["rule"] for one in reply.body["warnings"]] == ["BR-CO-15"]
        assert (await call("POST", f"/drafts/{draft_id}/validate")).status == 422
    assert (await call("PUT", f"/drafts/{draft_id}", json=draft())).body["warnings"] == []
    assert (await call("PUT", f"/drafts/{draft_id}", json=unsound)).body["warnings"] != []
    assert (await call("POST", f"/drafts/{draft_id}/validate")).status == 422
    assert (await call("PUT", f"/drafts/{draft_id}", json=draft())).body["warnings"] == []
    assert (await call("POST", f"/drafts/{draft_id}/validate")).status == 200
