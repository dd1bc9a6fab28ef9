from __future__ import annotations

import functools
import io
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pypdf
import pytest
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject, NumberObject

import seqino.sandbox
from seqino.sandbox.description import Description
from seqino.sandbox.reading import LARGE, NoInvoice, read_file
from seqino.sandbox.rules import breaches
from seqino.sandbox.shape import shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox import Sandbox

SAMPLES = sorted((Path(seqino.sandbox.__file__).parent / "invoices").glob("*.[xp][md][lf]"))

CII = """<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
  xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
  xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
  <rsm:ExchangedDocument><ram:ID>C-7</ram:ID><ram:TypeCode>381</ram:TypeCode>
    <ram:IssueDateTime><udt:DateTimeString format="102">20260915</udt:DateTimeString></ram:IssueDateTime>
  </rsm:ExchangedDocument>
  <rsm:SupplyChainTradeTransaction>
    <ram:IncludedSupplyChainTradeLineItem><ram:AssociatedDocumentLineDocument><ram:LineID>1</ram:LineID>
      </ram:AssociatedDocumentLineDocument></ram:IncludedSupplyChainTradeLineItem>
    <ram:ApplicableHeaderTradeAgreement>
      <ram:SellerTradeParty><ram:Name>Vauban</ram:Name><ram:PostalTradeAddress><ram:CityName>Lille</ram:CityName>
        </ram:PostalTradeAddress>
        <ram:SpecifiedTaxRegistration><ram:ID schemeID="FC">12</ram:ID></ram:SpecifiedTaxRegistration>
        <ram:SpecifiedTaxRegistration><ram:ID schemeID="VA">FR19 812345676</ram:ID>
        </ram:SpecifiedTaxRegistration>
      </ram:SellerTradeParty>
      <ram:BuyerTradeParty><ram:Name>Canal</ram:Name><ram:PostalTradeAddress><ram:CityName>Nantes</ram:CityName>
        </ram:PostalTradeAddress></ram:BuyerTradeParty>
    </ram:ApplicableHeaderTradeAgreement>
    <ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>
      <ram:SpecifiedTradeAllowanceCharge>
        <ram:ChargeIndicator><udt:Indicator>true</udt:Indicator></ram:ChargeIndicator>
        <ram:ActualAmount>3.00</ram:ActualAmount></ram:SpecifiedTradeAllowanceCharge>
    </ram:ApplicableHeaderTradeSettlement>
  </rsm:SupplyChainTradeTransaction>
</rsm:CrossIndustryInvoice>"""


def pdf(*attachments: tuple[str, bytes]) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    for name, content in attachments:
        writer.add_attachment(name, content)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


async def test_a_ubl_file_becomes_an_invoice(call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]) -> None:
    content = ubl("F-2026-9")
    reply = await call.send_file(content, name="ma facture.xml")
    assert reply.status == 201
    assert reply.body["status"] == "submitted"
    assert (reply.body["file_name"], reply.body["file_size"]) == ("ma facture.xml", len(content))
    assert reply.body["extracted_data"] == {
        "syntax": "ubl",
        "invoice_number": "F-2026-9",
        "type_code": "380",
        "issue_date": "2026-09-15",
        "seller_siren": "812345676",
        "buyer_siren": "523456788",
    }
    invoice = reply.body["en16931_invoice"]
    assert invoice["seller"]["seller_vat_identifier"] == "FR19812345676"
    assert invoice["total_vat_amount"] == "20.00"
    assert invoice["total_vat_amount_in_accounting_currency"] == "19.10"
    assert invoice["allowances"] == [{"amount": "10.00"}]
    assert invoice["notes"] == [{"note": "Merci"}]
    assert invoice["lines"][0]["invoiced_quantity_unit_code"] == "C62"
    read = (await call("GET", f"/invoicing/invoice_data/{reply.body['invoice_id']}")).body
    assert read["invoice_number"] == "F-2026-9"
    assert sandbox.counters.files_taken == sandbox.counters.invoices_created == 1


async def test_a_cii_file_becomes_an_invoice(call: Any) -> None:
    reply = await call.send_file(CII.encode())
    assert reply.status == 201
    assert reply.body["extracted_data"]["syntax"] == "cii"
    assert reply.body["extracted_data"]["seller_siren"] == "812345676"
    assert reply.body["extracted_data"]["buyer_siren"] is None
    assert reply.body["en16931_invoice"]["issue_date"] == "2026-09-15"
    assert reply.body["en16931_invoice"]["charges"] == [{"amount": "3.00"}]


async def test_a_factur_x_file_becomes_an_invoice(call: Any) -> None:
    reply = await call.send_file(pdf(("notes.txt", b"-"), ("factur-x.xml", CII.encode())), name="facture.pdf")
    assert reply.status == 201
    assert reply.body["extracted_data"]["syntax"] == "factur-x"
    assert reply.body["extracted_data"]["invoice_number"] == "C-7"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"hello", "neither XML nor PDF"),
        (b"<Invoice/>", "neither a UBL"),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', "encoding"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "DOCTYPE"),
        (CII.replace("<ram:ID>C-7</ram:ID>", "").encode(), "BT-1"),
        (CII.replace("20260915", "20261315").encode(), "BT-2"),
        (pdf(), "without an invoice inside"),
        (b"%PDF-1.7 and no more", "a PDF that cannot be read"),
    ],
)
async def test_what_is_no_invoice_is_refused(
    call: Any, sandbox: Sandbox, content: bytes, message: str
) -> None:
    reply = await call.send_file(content)
    assert reply.status == 400
    assert message in reply.body["error"]
    assert sandbox.counters.files_taken == 0


def packed(content: bytes, **how: Any) -> bytes:
    """A Factur-X PDF whose attachment says of itself how it is packed."""
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    files: Any = writer.add_attachment("factur-x.xml", content).pdf_object["/EF"]
    for name, value in how.items():
        files["/F"][NameObject(f"/{name}")] = value
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


FLATE, A85 = NameObject("/FlateDecode"), NameObject("/ASCII85Decode")


@pytest.mark.parametrize(
    "how",
    [
        {"Filter": FLATE},
        {"Filter": ArrayObject([FLATE]), "DecodeParms": ArrayObject([NullObject()])},
        {"Filter": FLATE, "DecodeParms": DictionaryObject({NameObject("/Predictor"): NumberObject(1)})},
        {"Filter": FLATE, "DecodeParms": NullObject()},
    ],
)
def test_an_attachment_may_be_deflated(how: dict[str, Any]) -> None:
    assert read_file(packed(zlib.compress(CII.encode()), **how)).terms["BT-1"] == "C-7"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"Filter": A85}, "packed with /ASCII85Decode"),
        ({"Filter": ArrayObject([A85, FLATE])}, "packed with /ASCII85Decode, /FlateDecode"),
        ({"Filter": ArrayObject([FLATE] * 9)}, "packed with /FlateDecode, /FlateDecode, /FlateDecode:"),
        ({"Filter": NameObject("/LZWDecode")}, "packed with /LZWDecode"),
        (
            {"Filter": FLATE, "DecodeParms": DictionaryObject({NameObject("/Predictor"): NumberObject(12)})},
            "without a predictor",
        ),
    ],
)
def test_an_attachment_packed_by_what_has_no_bound_is_not_unpacked(
    monkeypatch: pytest.MonkeyPatch, how: dict[str, Any], message: str
) -> None:
    data = packed(b"z" * 100, **how)
    monkeypatch.setattr("pypdf.generic.StreamObject.get_data", None)
    monkeypatch.setattr("pypdf.generic.EncodedStreamObject.get_data", None)
    assert_refused(data, message)


def test_elements_in_each_other_are_counted_while_they_are_read() -> None:
    large = b" " * LARGE
    assert_refused(b"<a>" * 100 + large + b"</a>" * 100, "neither a UBL")
    assert_refused(b"<a>" * 101 + large, "more than 100 levels deep")
    # In a small file there cannot be so many that they would take long.
    assert_refused(b"<a>" * 101 + b"</a>" * 101, "neither a UBL")


def test_a_large_attachment_inside_costs_no_more_than_its_size() -> None:
    # Text comes in one piece a line: joined one by one, it would take minutes.
    attachment = "<a>" + "JVBERi0xLjcK\n" * 500_000 + "</a>"
    content = CII.replace("<ram:TypeCode>", attachment + "<ram:TypeCode>", 1).encode()
    assert read_file(content).terms["BT-1"] == "C-7"


def test_a_token_as_long_as_a_file_is_read_once() -> None:
    # Read again with each piece of the file, it would take minutes.
    attribute = f'<a b="{"x" * 30_000_000}"/>'
    content = CII.replace("<ram:TypeCode>", attribute + "<ram:TypeCode>", 1).encode()
    assert read_file(content).terms["BT-1"] == "C-7"


def test_a_file_of_too_many_tags_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqino.sandbox.reading._MOST_TAGS", 10)
    assert_refused(b"<a>" + b"<b/>" * 9 + b"</a>", "more than 10 tags")
    assert_refused(b"<a>" + b"<b/>" * 8 + b"</a>", "neither a UBL")


def assert_refused(content: bytes, message: str) -> None:
    with pytest.raises(NoInvoice, match=message):
        read_file(content)


async def test_a_number_used_twice_is_taken_and_refused_by_the_network(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    first = (await call.send_file(ubl("F-1"))).body["invoice_id"]
    second = await call.send_file(ubl("F-1"))
    assert second.status == 201
    sandbox.clock.advance(60)
    path = f"/lifecycle-events?object_type=invoice&object_id={second.body['invoice_id']}"
    last = (await call("GET", path)).body[-1]
    assert last["status_code"] == "InvoiceLifecycleStatus.REJECTED"
    assert last["rejection_reason"] == "DOUBLON"
    assert (await call.statuses(first))[-1] == "COLLECTED"
    assert (await call("GET", f"/invoicing/invoice_data/{second.body['invoice_id']}")).body[
        "status"
    ] == "rejected"
    assert (await call("GET", f"/invoicing/invoice_data/{first}")).body["status"] == "processed"
    counters = sandbox.counters
    assert (counters.files_taken, counters.invoices_created, counters.duplicates) == (2, 1, 1)


async def test_a_number_is_used_by_seller_and_year(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    await call.send_file(ubl("F-1"))
    await call.send_file(ubl("F-1", date="2027-09-15"))
    await call.send_file(ubl("F-1", seller="732829320"))
    assert sandbox.counters.duplicates == 0


async def test_the_number_of_an_issued_draft_is_used_too(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    await call.issue()
    await call.send_file(ubl("SBX-2026-000001"))
    assert sandbox.counters.duplicates == 1


async def test_a_file_whose_sums_are_wrong_is_taken_and_refused_by_the_network(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    taken = await call.send_file(ubl(total="121.00"))
    assert taken.status == 201
    sandbox.clock.advance(60)
    path = f"/lifecycle-events?object_type=invoice&object_id={taken.body['invoice_id']}"
    last = (await call("GET", path)).body[-1]
    assert (last["rejection_reason"], last["reason"][:8]) == ("REJ_SEMAN", "BR-CO-15")


async def test_an_invoice_that_the_api_has_no_room_for_lives_without_its_data(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes]
) -> None:
    taken = (await call.send_file(ubl(type_code="389"))).body
    assert taken["en16931_invoice"] is None
    assert (await call("GET", f"/invoicing/invoice_data/{taken['invoice_id']}")).status == 404
    sandbox.clock.advance(60)
    assert (await call.statuses(taken["invoice_id"]))[-1] == "COLLECTED"


@pytest.mark.parametrize(
    "fields",
    [
        [("other", "x", "a.xml")],
        [("file", "text", None)],
        [],
    ],
)
async def test_a_form_without_a_file_is_refused(call: Any, fields: list[tuple[str, str, str | None]]) -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value, filename in fields:
        form.add_field(name, value, filename=filename)
    reply = await call("POST", "/invoicing/files/submit", data=form)
    assert reply.status == 422
    assert reply.body["detail"] == [{"loc": ["body", "file"], "msg": "Field required", "type": "missing"}]


async def test_a_body_that_is_no_form_is_refused(call: Any) -> None:
    reply = await call("POST", "/invoicing/files/submit", json={"file": "x"})
    assert reply.status == 422
    ranges = {"Content-Type": "multipart/byteranges; boundary=b"}
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n<a/>\r\n--b--\r\n'
    reply = await call("POST", "/invoicing/files/submit", data=file, headers=ranges)
    assert (reply.status, reply.body["detail"][0]["type"]) == (422, "missing")
    broken = {"Content-Type": "multipart/form-data; boundary=xyz"}
    assert (await call("POST", "/invoicing/files/submit", data=b"nothing", headers=broken)).status == 400


async def test_a_file_name_that_is_no_text_is_answered_all_the_same(
    call: Any, ubl: Callable[..., bytes]
) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="re\xe7u.xml"\r\n\r\n'
    body += ubl() + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    reply = await call("POST", "/invoicing/files/submit", data=body, headers=headers)
    assert (reply.status, reply.body["file_name"]) == (201, "re?u.xml")


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("F" * 35, None),
        ("F" * 36, "BR-FR-01"),
        ("F" * 1000, "BR-FR-01"),
        ("aZ09+-_/", None),
        ("F.1", "BR-FR-02"),
        ("F 1", "BR-FR-02"),
        ("É1", "BR-FR-02"),
    ],
)
async def test_a_number_that_france_does_not_know_is_rejected_on_issue(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes], number: str, rule: str | None
) -> None:
    sent = await call.send_file(ubl(number))
    assert sent.body["extracted_data"]["invoice_number"] == number
    assert await rejection(call, sandbox, sent) == rule


async def test_a_number_without_end_is_none(call: Any, ubl: Callable[..., bytes]) -> None:
    reply = await call.send_file(ubl("1" * 1001))
    assert (reply.status, "BT-1" in reply.body["error"]) == (400, True)
    assert_refused(ubl("1" * 2_000_000), "BT-1")


@pytest.mark.parametrize(
    ("legal", "rule"),
    [
        ("812345676", None),
        ("812 345 676", "BR-FR-10"),
        ("81234567600019", "BR-FR-10"),
        ("812345677", "BR-FR-10"),
        ("HRB 12345", "BR-FR-10"),
        ("", "BR-FR-10"),
    ],
)
async def test_a_seller_without_a_siren_is_rejected_on_issue(
    call: Any, sandbox: Sandbox, ubl: Callable[..., bytes], legal: str, rule: str | None
) -> None:
    known = b'<cbc:CompanyID schemeID="0002">812345676</cbc:CompanyID>'
    content = ubl()
    assert content.count(known) == 1
    sent = await call.send_file(content.replace(known, known.replace(b"812345676", legal.encode())))
    assert await rejection(call, sandbox, sent) == rule


def _sample(name: str) -> str:
    return next(path for path in SAMPLES if path.name == name).read_text("utf-8")


@pytest.mark.parametrize(
    ("sample", "known"),
    [
        ("01-it-services-ubl.xml", "09012401700014"),
        ("01-it-services-ubl.xml", "09111210200016"),
        ("10-subcontractor-reverse-charge-cii.xml", "09177816700014"),
        ("10-subcontractor-reverse-charge-cii.xml", "09056805600015"),
    ],
    ids=["UBL seller", "UBL buyer", "CII seller", "CII buyer"],
)
@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("{known}", None),
        ("{siren}", "BR-FR-09"),
        ("{siren}00001", "BR-FR-09"),
        ("{siren} {rest}", "BR-FR-09"),
        ("09023502900015", "BR-FR-09"),
    ],
    ids=["it is one", "SIREN", "wrong check digit", "blank", "of another company"],
)
async def test_an_identifier_of_the_scheme_0009_is_a_siret_of_its_company(  # noqa: PLR0917 - the cases
    call: Any, sandbox: Sandbox, sample: str, known: str, written: str, rule: str | None
) -> None:
    content = _sample(sample)
    old, new = f">{known}</", written.format(known=known, siren=known[:9], rest=known[9:])
    assert content.count(old) == 1
    sent = await call.send_file(content.replace(old, f">{new}</").encode())
    assert await rejection(call, sandbox, sent) == rule


@pytest.mark.parametrize(("number", "rule"), [("09111210200016", None), ("09111210200017", "BR-FR-09")])
async def test_a_siret_without_its_siren_beside_it_is_judged_alone(
    call: Any, sandbox: Sandbox, number: str, rule: str | None
) -> None:
    content = _sample("01-it-services-ubl.xml").replace("09111210200016", number)
    known = '<cbc:CompanyID schemeID="0002">091112102</cbc:CompanyID>'
    assert content.count(known) == 1
    sent = await call.send_file(content.replace(known, known.replace("0002", "0088")).encode())
    assert await rejection(call, sandbox, sent) == rule


async def rejection(call: Any, sandbox: Sandbox, sent: Any) -> str | None:
    """The rule for which a file was rejected on issue."""
    assert sent.status == 201
    sandbox.clock.advance(2)
    path = f"/lifecycle-events?object_type=invoice&object_id={sent.body['invoice_id']}"
    last = (await call("GET", path)).body[-1]
    return str(last["reason"]).partition(":")[0] if last["rejection_reason"] == "REJ_SEMAN" else None


def test_samples_are_there() -> None:
    assert SAMPLES


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_sample_invoice_is_sound(path: Path) -> None:
    assert list(breaches(read_file(path.read_bytes()).terms, _known())) == []


@pytest.mark.skipif("SEQINO_TEST_DATA" not in os.environ, reason="SEQINO_TEST_DATA names no folder")
def test_invoices_written_by_others_are_read_and_sound() -> (
    None
):  # pragma: no cover - needs data from outside
    paths = sorted(Path(os.environ["SEQINO_TEST_DATA"], "invoices").rglob("*.xml"))
    assert paths
    for path in paths:
        assert list(breaches(read_file(path.read_bytes()).terms, _known())) == [], path


@functools.cache
def _known() -> dict[str, tuple[str, ...]]:
    description = Description()
    return dict(shape_of(description, description.operation("POST /drafts").body_schema).places())
