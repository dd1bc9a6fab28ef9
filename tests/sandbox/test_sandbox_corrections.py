from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox import MAGIC_BUYERS, Sandbox
from seqino.sandbox.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Callable

BUYER = next(siren for siren, name in MAGIC_BUYERS.items() if name == "corrected")
DISPUTED = ["DEPOSITED", "TRANSMITTED_BY_PLATFORM", "RECEIVED_BY_PLATFORM", "MADE_AVAILABLE", "ACKNOWLEDGED",
            "IN_DISPUTE"]  # fmt: skip
SETTLED = ["APPROVED", "PAYMENT_TRANSMITTED", "COLLECTED"]
LONG = 10 * 86400


class Seller:
    """Sends invoices and corrections to the buyer who waits for them, by either route."""

    def __init__(
        self, call: Any, route: str, draft: Callable[..., dict[str, Any]], ubl: Callable[..., bytes]
    ) -> None:
        self.call = call
        self.route = route
        self._draft = draft
        self._ubl = ubl

    async def invoice(self, number: str = "F-1", **changes: str) -> tuple[str, str]:
        """Send an invoice; return its id and number."""
        if self.route == "draft":
            invoice_id = await self.call.issue(self._content(**changes))
        else:
            reply = await self.call.send_file(self._ubl(number, buyer=BUYER, **changes))
            invoice_id = reply.body["invoice_id"]
        data = await self.call("GET", f"/invoicing/invoice_data/{invoice_id}")
        return str(invoice_id), str(data.body["invoice_number"])

    async def correct(
        self, reference: str, type_code: str, *, dated: str | None = "2026-09-15", **changes: Any
    ) -> str:
        """Send a correction that refers to an invoice; return its id."""
        if self.route == "draft":
            content = self._content(type_code=type_code, **changes)
            content["preceding_invoice_references"] = [{"reference": reference, "issue_date": dated}]
            return str(await self.call.issue(content, **self._options(changes)))
        date = f"<cbc:IssueDate>{dated}</cbc:IssueDate>" if dated else ""
        billing = (
            f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{reference}</cbc:ID>{date}"
            "</cac:InvoiceDocumentReference></cac:BillingReference>"
        )
        values = {"number": "C-1", "buyer": BUYER, **{k: v for k, v in changes.items() if k != "client"}}
        text = self._ubl(type_code=type_code, **values).decode()
        file = text.replace("<cac:AccountingSupplierParty>", f"{billing}<cac:AccountingSupplierParty>")
        reply = await self.call.send_file(file.encode(), **self._options(changes))
        return str(reply.body["invoice_id"])

    def _content(self, **changes: Any) -> dict[str, Any]:
        content = self._draft()
        content["buyer"]["buyer_legal_registration_identifier"] = BUYER
        if "date" in changes:
            content["issue_date"] = changes["date"]
        if "type_code" in changes:
            content["type_code"] = changes["type_code"]
        if "seller" in changes:
            content["seller"]["seller_legal_registration_identifier"] = changes["seller"]
        return content

    @staticmethod
    def _options(changes: dict[str, Any]) -> dict[str, Any]:
        return {"headers": {"X-PDP-Client-Id": changes["client"]}} if "client" in changes else {}


@pytest.fixture(params=["draft", "file"])
def seller(
    request: pytest.FixtureRequest,
    call: Any,
    draft: Callable[..., dict[str, Any]],
    ubl: Callable[..., bytes],
) -> Seller:
    return Seller(call, request.param, draft, ubl)


async def test_a_dispute_stays_until_a_correction_comes(call: Any, sandbox: Sandbox, seller: Seller) -> None:
    invoice_id, _ = await seller.invoice()
    sandbox.clock.advance(LONG)
    assert await call.statuses(invoice_id) == DISPUTED


async def test_a_credit_note_lets_the_original_be_approved_and_paid(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    sandbox.clock.advance(LONG)
    credit_note = await seller.correct(number, "381")
    assert await call.statuses(original) == DISPUTED, "the buyer has yet to see the credit note"
    sandbox.clock.advance(60)
    assert await call.statuses(original) == [*DISPUTED, *SETTLED]
    assert (await call.statuses(credit_note))[-1] == "APPROVED"


async def test_a_corrective_invoice_is_paid_and_the_original_gets_nothing_more(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    sandbox.clock.advance(LONG)
    corrective = await seller.correct(number, "384")
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == DISPUTED
    assert (await call.statuses(corrective))[-3:] == SETTLED


async def test_a_correction_that_comes_before_the_dispute_is_taken_up_after_it(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    await seller.correct(number, "381")
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == [*DISPUTED, *SETTLED]


async def test_only_the_first_correction_has_an_effect_on_the_original(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    sandbox.clock.advance(60)
    await seller.correct(number, "381", number="C-1")
    second = await seller.correct(number, "381", number="C-2")
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == [*DISPUTED, *SETTLED]
    assert (await call.statuses(second))[-1] == "APPROVED"


async def test_a_corrective_invoice_settles_that_no_credit_note_does(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    await seller.correct(number, "384", number="C-1")
    await seller.correct(number, "381", number="C-2")
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == DISPUTED


@pytest.mark.parametrize("year", ["2026", "2027"])
async def test_without_a_date_the_original_is_of_the_same_year_or_of_the_one_before(
    call: Any, sandbox: Sandbox, seller: Seller, year: str
) -> None:
    original, number = await seller.invoice(date="2026-01-15")
    await seller.correct(number, "381", dated=None, date=f"{year}-02-15")
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == [*DISPUTED, *SETTLED]


@pytest.mark.parametrize(
    "changes",
    [
        {"dated": "2025-09-15"},
        {"dated": None, "date": "2028-01-15"},
        {"seller": "523456788"},
        {"reference": "F-unknown"},
        {"client": "client_abc123"},
    ],
    ids=str,
)
async def test_what_refers_to_no_invoice_of_the_seller_and_client_corrects_nothing(
    call: Any, sandbox: Sandbox, seller: Seller, changes: dict[str, Any]
) -> None:
    original, number = await seller.invoice()
    await seller.correct(**{"reference": number, "type_code": "381", **changes})
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == DISPUTED


async def test_an_invoice_that_only_refers_to_another_corrects_nothing(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    second = await seller.correct(number, "380")
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == DISPUTED
    assert await call.statuses(second) == DISPUTED


async def test_a_credit_note_for_another_buyers_invoice_changes_nothing(
    call: Any, sandbox: Sandbox, seller: Seller, for_buyer: Callable[[str], Any], ubl: Callable[..., bytes]
) -> None:
    sandbox.scenario = "disputed_then_refused"
    first = await call.issue(for_buyer("523456788"))
    number = (await call("GET", f"/invoicing/invoice_data/{first}")).body["invoice_number"]
    await seller.correct(number, "381")
    await call.send_file(ubl("unsound", total="1.00"))
    await seller.correct("unsound", "381", number="C-2")
    sandbox.clock.advance(LONG)
    assert (await call.statuses(first))[-1] == "REFUSED"


async def test_a_refused_original_stays_refused_whatever_credit_note_comes(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    sandbox.clock.advance(60)
    sandbox.invoices.put(original, "REFUSED", rejection_reason="CALCUL_ERR", reason="Trop tard.")
    await seller.correct(number, "381")
    sandbox.clock.advance(LONG)
    assert (await call.statuses(original))[-1] == "REFUSED"


async def test_an_original_that_takes_another_scenario_waits_no_more(
    call: Any, sandbox: Sandbox, seller: Seller
) -> None:
    original, number = await seller.invoice()
    sandbox.clock.advance(60)
    sandbox.invoices.follow(original, "never_completed")
    await seller.correct(number, "381")
    sandbox.clock.advance(LONG)
    assert (await call.statuses(original))[-1] == "SUSPENDED"


async def test_a_correction_that_is_refused_itself_corrects_nothing(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any], ubl: Callable[..., bytes]
) -> None:
    seller = Seller(call, "file", draft, ubl)
    original, number = await seller.invoice()
    unsound = await seller.correct(number, "381", number="C-1", total="1.00")
    duplicate = await seller.correct(number, "381", number=number)
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == DISPUTED
    assert (await call.statuses(unsound))[-1] == "REJECTED"
    assert (await call.statuses(duplicate))[-1] == "REJECTED"


async def test_the_number_alone_is_a_reference_too(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any], ubl: Callable[..., bytes]
) -> None:
    seller = Seller(call, "draft", draft, ubl)
    original, number = await seller.invoice()
    correction = draft(type_code="381", preceding_invoice_reference=f" {number} ")
    await call.issue(correction)
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == [*DISPUTED, *SETTLED]


def _in_lines(text: bytes, *references: tuple[str, str | None]) -> bytes:
    """A UBL file whose lines refer to invoices; all but the first are worth nothing."""
    first, end = text.decode().split("</cac:InvoiceLine>")
    empty = "<cac:InvoiceLine><cbc:LineExtensionAmount>0</cbc:LineExtensionAmount>"
    lines = [
        f"{empty if place else first}<cac:BillingReference><cac:InvoiceDocumentReference>"
        f"<cbc:ID>{number}</cbc:ID>"
        + (f"<cbc:IssueDate>{dated}</cbc:IssueDate>" if dated else "")
        + "</cac:InvoiceDocumentReference></cac:BillingReference></cac:InvoiceLine>"
        for place, (number, dated) in enumerate(references)
    ]
    return "".join([*lines, end]).encode()


async def test_a_credit_note_may_name_the_invoice_in_its_lines(
    call: Any, sandbox: Sandbox, draft: Callable[..., dict[str, Any]], ubl: Callable[..., bytes]
) -> None:
    original, number = await Seller(call, "file", draft, ubl).invoice()
    text = ubl("C-1", type_code="381", buyer=BUYER)
    reply = await call.send_file(_in_lines(text, ("F-0", None), (number, "2026-09-15"), ("F-0", None)))
    assert reply.body["en16931_invoice"]["preceding_invoice_references"] == [
        {"reference": "F-0"},
        {"reference": number, "issue_date": "2026-09-15"},
    ]
    sandbox.clock.advance(LONG)
    assert await call.statuses(original) == [*DISPUTED, *SETTLED]


def test_the_lines_of_a_cii_file_name_invoices_too() -> None:
    namespace = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
    reference = (
        "<SpecifiedLineTradeSettlement><InvoiceReferencedDocument>%s<FormattedIssueDateTime>"
        '<DateTimeString format="102">20260915</DateTimeString></FormattedIssueDateTime>'
        "</InvoiceReferencedDocument></SpecifiedLineTradeSettlement>"
    )
    lines = "".join(
        f"<IncludedSupplyChainTradeLineItem>{reference % one}</IncludedSupplyChainTradeLineItem>"
        for one in ("<IssuerAssignedID>F-1</IssuerAssignedID>", "")
    )
    file = read_file(
        f'<CrossIndustryInvoice xmlns="{namespace}"><ExchangedDocument><ID>C-1</ID><IssueDateTime>'
        '<DateTimeString format="102">20260920</DateTimeString></IssueDateTime></ExchangedDocument>'
        f"<SupplyChainTradeTransaction>{lines}</SupplyChainTradeTransaction></CrossIndustryInvoice>".encode()
    )
    assert file.terms["BG-3"] == [{"BT-25": "F-1", "BT-26": "2026-09-15"}]
    assert file.terms["BG-25"] == [{}, {}]


def without_city(content: bytes) -> bytes:
    """Leave out the buyer's city: EN 16931 does without (BT-52), the API's model does not."""
    return content.replace(b"<cbc:CityName>Nantes</cbc:CityName>", b"")


@pytest.mark.parametrize(("type_code", "original"), [("381", [*DISPUTED, *SETTLED]), ("384", DISPUTED)])
async def test_a_correction_whose_data_the_api_cannot_show_is_one_all_the_same(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes], type_code: str, original: list[str]
) -> None:
    sent = await call.send_file(without_city(ubl(buyer=BUYER)))
    reference = (
        b"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>F-1</cbc:ID>"
        b"<cbc:IssueDate>2026-09-15</cbc:IssueDate></cac:InvoiceDocumentReference></cac:BillingReference>"
    )
    file = without_city(ubl("C-1", buyer=BUYER, type_code=type_code))
    file = file.replace(b"<cac:AccountingSupplierParty>", reference + b"<cac:AccountingSupplierParty>")
    correction = await call.send_file(file)
    assert sent.body["en16931_invoice"] is correction.body["en16931_invoice"] is None
    sandbox.clock.advance(LONG)
    assert await call.statuses(sent.body["invoice_id"]) == original
    assert "IN_DISPUTE" not in await call.statuses(correction.body["invoice_id"])


async def test_a_credit_note_whose_data_the_api_cannot_show_takes_the_course_of_one(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    refunded = next(siren for siren, name in MAGIC_BUYERS.items() if name == "refunded")
    sent = await call.send_file(without_city(ubl(buyer=refunded, type_code="381")))
    later = await call.send_file(without_city(ubl("F-2", type_code="381")))
    sandbox.invoices.follow(later.body["invoice_id"], "refunded")
    sandbox.clock.advance(LONG)
    for reply in (sent, later):
        assert reply.body["en16931_invoice"] is None
        assert (await call.statuses(reply.body["invoice_id"]))[-2:] == ["APPROVED", "PAYMENT_TRANSMITTED"]
