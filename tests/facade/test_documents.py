from __future__ import annotations

import io
import os
import sys
from datetime import date
from pathlib import Path

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqino import documents
from seqino.documents import Document, read_document
from seqino.errors import InvalidInput, MissingExtra

SIREN = '<cbc:CompanyID schemeID="0002">552100554</cbc:CompanyID>'
VAT = """<cac:PartyTaxScheme><cbc:CompanyID>fr 40552100554</cbc:CompanyID>
  <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"""
LOCAL_TAX = """<cac:PartyTaxScheme><cbc:CompanyID>DE37/302</cbc:CompanyID>
  <cac:TaxScheme><cbc:ID>FC</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"""
NO_TAX_ID = "<cac:PartyTaxScheme><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"


def ubl(
    *,
    kind: str = "Invoice",
    number: str = "<cbc:ID>F-2026/0001</cbc:ID>",
    day: str = "<cbc:IssueDate>2026-09-01</cbc:IssueDate>",
    code: str = "380",
    party: str = "",
    legal: str = SIREN,
    head: str = "",
) -> str:
    name = "urn:oasis:names:specification:ubl:schema:xsd:"
    return f"""{head}<{kind} xmlns="{name}{kind}-2" xmlns:cac="{name}CommonAggregateComponents-2"
      xmlns:cbc="{name}CommonBasicComponents-2">
      {number}{day}<cbc:{kind}TypeCode>{code}</cbc:{kind}TypeCode>
      <cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>F-OLD</cbc:ID>
        <cbc:IssueDate>2020-01-01</cbc:IssueDate></cac:InvoiceDocumentReference></cac:BillingReference>
      <cac:AccountingSupplierParty><cac:Party>{party}
        <cac:PartyLegalEntity>{legal}</cac:PartyLegalEntity></cac:Party></cac:AccountingSupplierParty>
      <cac:AccountingCustomerParty><cac:Party><cac:PartyLegalEntity>
        <cbc:CompanyID schemeID="0002">732829320</cbc:CompanyID>
        </cac:PartyLegalEntity></cac:Party></cac:AccountingCustomerParty>
      <cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine></{kind}>"""


def cii(seller: str, *, code: str = "380", day: str = "20260901") -> str:
    name = "urn:un:unece:uncefact:data:standard:"
    return f"""<?xml version="1.0"?>
      <rsm:CrossIndustryInvoice xmlns:rsm="{name}CrossIndustryInvoice:100"
        xmlns:ram="{name}ReusableAggregateBusinessInformationEntity:100"
        xmlns:udt="{name}UnqualifiedDataType:100">
      <rsm:ExchangedDocument><ram:ID> F-7 </ram:ID><ram:TypeCode>{code}</ram:TypeCode>
        <ram:IssueDateTime><udt:DateTimeString format="102">{day}</udt:DateTimeString></ram:IssueDateTime>
      </rsm:ExchangedDocument><rsm:SupplyChainTradeTransaction><ram:ApplicableHeaderTradeAgreement>
        <ram:SellerTradeParty>{seller}</ram:SellerTradeParty>
        <ram:BuyerTradeParty><ram:ID>buyer</ram:ID></ram:BuyerTradeParty>
      </ram:ApplicableHeaderTradeAgreement></rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"""


def cii_tax(value: str, scheme: str) -> str:
    tax = f'<ram:ID schemeID="{scheme}">{value}</ram:ID>'
    return f"<ram:SpecifiedTaxRegistration>{tax}</ram:SpecifiedTaxRegistration>"


def cii_legal(value: str, scheme: str) -> str:
    legal = f'<ram:ID schemeID="{scheme}">{value}</ram:ID>'
    return f"<ram:SpecifiedLegalOrganization>{legal}</ram:SpecifiedLegalOrganization>"


def pdf(*attachments: tuple[str, bytes]) -> bytes:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(width=100, height=100)
    for name, content in attachments:
        writer.add_attachment(name, content)
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def read(text: str) -> Document:
    return read_document(text.encode(), name="invoice.xml")


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        read_document(data, name="f.xml")
    message = str(caught.value)
    assert message.startswith("f.xml")
    assert "accepted are UBL (Invoice, CreditNote), CII (CrossIndustryInvoice) and Factur-X PDF" in message
    assert "\n" not in message
    return message


def test_a_ubl_invoice_is_identified_by_seller_number_and_year() -> None:
    document = read(ubl())
    assert document == Document(
        name="invoice.xml",
        syntax="ubl",
        kind="invoice",
        number="F-2026/0001",
        issue_date=date(2026, 9, 1),
        type_code="380",
        seller="552100554",
    )
    assert document.key == "552100554/F-2026/0001/2026"
    assert document.media_type == "application/xml"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ubl(kind="CreditNote", code="381"), "credit_note"),
        (ubl(kind="CreditNote", code="83"), "credit_note"),
        (ubl(code="384"), "invoice"),
        (cii("", code="381"), "credit_note"),
        (cii("", code="261"), "credit_note"),
        (cii(""), "invoice"),
    ],
)
def test_a_credit_note_is_told_from_an_invoice(text: str, kind: str) -> None:
    assert read(text).kind == kind


@pytest.mark.parametrize(
    ("party", "legal", "seller"),
    [
        ("", SIREN, "552100554"),
        (VAT, SIREN, "552100554"),
        ("", SIREN.replace("552100554", " 552 100 554 "), "552100554"),
        (VAT, SIREN.replace("0002", "0009").replace("554<", "55400012<"), "FR40552100554"),
        (VAT, SIREN.replace("552100554", "5521"), "FR40552100554"),
        (LOCAL_TAX + VAT, "", "FR40552100554"),
        (VAT + NO_TAX_ID + LOCAL_TAX, "", "FR40552100554"),
        (LOCAL_TAX, SIREN.replace("0002", "0060"), "0060:552100554"),
        (NO_TAX_ID, "<cbc:CompanyID>HRB 12</cbc:CompanyID>", ":HRB 12"),
        (
            """<cac:PartyIdentification><cbc:ID schemeID="SEPA">FR12</cbc:ID></cac:PartyIdentification>
            <cac:PartyIdentification><cbc:ID schemeID="0088">301</cbc:ID></cac:PartyIdentification>""",
            "",
            "0088:301",
        ),
        ("", "<cbc:CompanyID> </cbc:CompanyID>", None),
    ],
)
def test_the_seller_of_a_ubl_invoice(party: str, legal: str, seller: str | None) -> None:
    assert read(ubl(party=party, legal=legal)).seller == seller


@pytest.mark.parametrize(
    ("party", "seller"),
    [
        (
            "<ram:ID>99</ram:ID>" + cii_legal("552100554", "0002") + cii_tax("FR40552100554", "VA"),
            "552100554",
        ),
        (cii_legal("55210055400012", "0009") + cii_tax("FR40552100554", "VA"), "FR40552100554"),
        (cii_tax("201/113", "FC") + cii_legal("HRB", "0060"), "0060:HRB"),
        ("<ram:ID>99</ram:ID>", ":99"),
        ('<ram:GlobalID schemeID="0088">301</ram:GlobalID>' + cii_tax("201/113", "FC"), "0088:301"),
        ("", None),
    ],
)
def test_the_seller_of_a_cii_invoice(party: str, seller: str | None) -> None:
    document = read(cii(party))
    assert (document.syntax, document.number, document.issue_date) == ("cii", "F-7", date(2026, 9, 1))
    assert document.seller == seller


def test_a_slash_in_the_seller_cannot_make_two_invoices_one() -> None:
    seller = '<cbc:CompanyID schemeID="x/F">50%</cbc:CompanyID>'
    assert read(ubl(legal=seller)).key == "x%2FF:50%25/F-2026/0001/2026"


@pytest.mark.parametrize(
    ("day", "found"),
    [
        ("2026-09-01Z", date(2026, 9, 1)),
        ("2026-09-01+02:00", date(2026, 9, 1)),
        ("2026-13-01", None),
        ("1 September", None),
        ("", None),
    ],
)
def test_a_date_of_issue_that_cannot_be_read_is_none(day: str, found: date | None) -> None:
    document = read(ubl(day=f"<cbc:IssueDate>{day}</cbc:IssueDate>"))
    assert document.issue_date == found
    assert (document.key is None) == (found is None)


def test_an_invoice_without_number_or_seller_has_no_key() -> None:
    assert read(ubl(number="")).number is None
    assert read(ubl(number="")).key is None
    assert read(ubl(number="<cbc:ID/>")).key is None
    assert read(ubl(legal="")).key is None


def test_the_number_is_read_whole_across_comments_and_foreign_elements() -> None:
    number = "<cbc:ID>F<!-- of 2026 -->-&lt;<x:i xmlns:x='urn:x'>1</x:i>2</cbc:ID>"
    assert read(ubl(number=number)).number == "F-<12"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    text = ubl(number="<cbc:ID>É-1</cbc:ID>", head=f'<?xml version="1.0" encoding="{declared}"?>')
    assert read_document(text.encode(encoding), name="f.xml").number == "É-1"


def test_utf_16_without_a_byte_order_mark() -> None:
    text = ubl(head='<?xml version="1.0" encoding="utf-16"?>')
    for order in ("utf-16-le", "utf-16-be"):
        assert read_document(text.encode(order), name="f.xml").number == "F-2026/0001"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (b"\x00\x01\x02", "is neither XML nor PDF"),
        (b"\x89PNG\r\n", "is neither XML nor PDF"),
        (b"PK\x03\x04rest", "is a ZIP archive"),
        (b'{"issue_date": "2026-09-01"}', "is JSON, no invoice file"),
        (b"[]", "is JSON, no invoice file"),
        (b"<html><body/></html>", "its root is 'html' in the namespace ''"),
        (b"<Invoice/>", "its root is 'Invoice' in the namespace ''"),
        (ubl(kind="Order").encode(), "its root is 'Order'"),
        (ubl().encode()[:-3], "is not well-formed XML"),
        (b"\n<?xml version='1.0'?><a/>", "is not well-formed XML"),
        (b"<?xml version='1.0'?>", "is not well-formed XML"),
        (ubl(head='<?xml version="1.0" encoding="klingon"?>').encode(), "is XML in an encoding"),
        (ubl(head='<?xml version="1.0" encoding="shift_jis"?>').encode(), "is XML in an encoding"),
    ],
)
def test_what_is_no_invoice_is_called_what_it_is(data: bytes, what: str) -> None:
    assert what in refusal(data)


@pytest.mark.parametrize(
    "head",
    [
        "<!DOCTYPE Invoice>",
        '<!DOCTYPE Invoice SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE Invoice [<!ENTITY a "b"><!ENTITY c SYSTEM "file:///etc/hostname">]>',
    ],
)
def test_a_document_type_is_refused(head: str) -> None:
    assert "declares a document type" in refusal(ubl(head=head, number="<cbc:ID>1</cbc:ID>").encode())


def test_size_and_depth_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = ubl(number="<cbc:ID>1</cbc:ID>" + "<a>" * 100 + "</a>" * 100)
    assert "is nested deeper than 64 levels" in refusal(deep.encode())
    assert read(ubl(number="<cbc:ID>1</cbc:ID>" + "<a>" * 60 + "</a>" * 60)).number == "1"
    monkeypatch.setattr(documents, "MAX_BYTES", 1024**2)
    assert "is larger than 1 MiB" in refusal(b"<" * (1024**2 + 1))


@pytest.mark.parametrize("name", ["factur-x.xml", "ZUGFeRD-invoice.xml", "xrechnung.xml"])
def test_the_invoice_inside_a_pdf_is_read(name: str) -> None:
    data = pdf(("terms.txt", b"none"), (name, cii(cii_legal("552100554", "0002")).encode()))
    document = read_document(data, name="f.pdf")
    assert (document.name, document.syntax, document.number) == ("f.pdf", "factur-x", "F-7")
    assert document.key == "552100554/F-7/2026"
    assert document.media_type == "application/pdf"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (pdf(), "is a PDF without an invoice inside"),
        (pdf(("terms.xml", b"<a/>")), "is a PDF without an invoice inside"),
        (pdf(("factur-x.xml", ubl().encode())), "is a PDF whose invoice is UBL, not CII"),
        (pdf(("factur-x.xml", b"<a/>")), "f.xml, factur-x.xml: is XML, but its root is 'a'"),
        (b"%PDF-1.7\nand nothing more", "is a PDF that cannot be read"),
    ],
)
@pytest.mark.filterwarnings("default")  # pypdf's own way to tell what is broken
def test_a_pdf_without_a_readable_invoice_is_refused(data: bytes, what: str) -> None:
    assert what in refusal(data)


def test_without_pypdf_a_pdf_is_recognised_and_only_its_number_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    document = read_document(b"%PDF-1.7 whatever", name="f.pdf")
    assert document == Document(name="f.pdf", syntax="factur-x", unread=True)
    assert document.media_type == "application/pdf"
    with pytest.raises(MissingExtra, match=r"f\.pdf: reading the number .*'seqino\[cli\]'"):
        assert document.key


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=300), st.integers(0, 1500), st.integers(0, 30))
def test_broken_bytes_raise_nothing_but_a_refusal(noise: bytes, place: int, cut: int) -> None:
    whole = ubl().encode()
    for data in (noise, b"<" + noise, whole[:place] + noise + whole[place + cut :]):
        try:
            read_document(data, name="f")
        except InvalidInput:
            continue


DATA = os.environ.get("SEQINO_TEST_DATA")


@pytest.mark.skipif(not DATA, reason="SEQINO_TEST_DATA names no folder of real invoices")
def test_real_invoices_are_all_identified() -> None:
    folder = Path(DATA or "", "invoices")
    paths = sorted(path for path in folder.rglob("*") if path.suffix in {".xml", ".pdf"})
    assert paths
    for path in paths:
        document = read_document(path.read_bytes(), name=path.name)
        assert document.number, path
        assert document.issue_date, path
        assert document.key, path
