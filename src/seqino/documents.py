"""Recognise an invoice file before it is sent, and read from it what identifies the invoice. Pure.

Only the identity is read (BT-1, BT-2, BT-3 and the seller); the file itself is never changed: it is sent byte
for byte, and judged by the platform.
"""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Literal, NamedTuple, TypeAlias
from xml.parsers import expat

import attrs

from seqino.errors import InvalidInput, MissingExtra

__all__ = ["MAX_BYTES", "Document", "Kind", "Syntax", "read_document"]

Syntax: TypeAlias = Literal["ubl", "cii", "factur-x"]
"""How an invoice is written: UBL 2.1, UN/CEFACT CII, or a PDF with CII inside."""

Kind: TypeAlias = Literal["invoice", "credit_note"]

MAX_BYTES = 100 * 1024 * 1024
"""Largest file read: far above any invoice with attachments, far below what would hurt a web service."""

_MAX_DEPTH = 64  # UBL and CII stay below 20 levels.
_ACCEPTED = "accepted are UBL (Invoice, CreditNote), CII (CrossIndustryInvoice) and Factur-X PDF"

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CII = "urn:un:unece:uncefact:data:standard:"
_ROOTS: dict[str, tuple[Syntax, Kind]] = {
    f"{_UBL}Invoice-2 Invoice": ("ubl", "invoice"),
    f"{_UBL}CreditNote-2 CreditNote": ("ubl", "credit_note"),
    f"{_CII}CrossIndustryInvoice:100 CrossIndustryInvoice": ("cii", "invoice"),
}
_PREFIXES = {
    f"{_UBL}CommonBasicComponents-2": "cbc",
    f"{_UBL}CommonAggregateComponents-2": "cac",
    f"{_CII}CrossIndustryInvoice:100": "rsm",
    f"{_CII}ReusableAggregateBusinessInformationEntity:100": "ram",
    f"{_CII}UnqualifiedDataType:100": "udt",
}
_UBL_SELLER = "/cac:AccountingSupplierParty/cac:Party"
_UBL_TAX = f"{_UBL_SELLER}/cac:PartyTaxScheme"
_CII_SELLER = "/rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement/ram:SellerTradeParty"
_TERMS = {
    # Below the root; the two syntaxes share no path. Bindings: EN 16931-3-2 (UBL), EN 16931-3-3 (CII).
    "/cbc:ID": "BT-1",
    "/cbc:IssueDate": "BT-2",
    "/cbc:InvoiceTypeCode": "BT-3",
    "/cbc:CreditNoteTypeCode": "BT-3",
    f"{_UBL_SELLER}/cac:PartyIdentification/cbc:ID": "BT-29",
    f"{_UBL_SELLER}/cac:PartyLegalEntity/cbc:CompanyID": "BT-30",
    f"{_UBL_TAX}/cbc:CompanyID": "BT-31",
    f"{_UBL_TAX}/cac:TaxScheme/cbc:ID": "tax scheme",
    "/rsm:ExchangedDocument/ram:ID": "BT-1",
    "/rsm:ExchangedDocument/ram:IssueDateTime/udt:DateTimeString": "BT-2",
    "/rsm:ExchangedDocument/ram:TypeCode": "BT-3",
    f"{_CII_SELLER}/ram:ID": "BT-29",
    f"{_CII_SELLER}/ram:GlobalID": "BT-29",
    f"{_CII_SELLER}/ram:SpecifiedLegalOrganization/ram:ID": "BT-30",
    f"{_CII_SELLER}/ram:SpecifiedTaxRegistration/ram:ID": "BT-31",
}
_CREDIT_NOTE_CODES = frozenset({"261", "262", "381", "396", "502", "503"})  # BR-FR-04, BR-FR-CO-05
_EMBEDDED_NAMES = frozenset({"factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml"})
_PDF_HEAD = 1024  # The header may stand anywhere in the first 1,024 bytes (ISO 32000-1, annex H.3.4.1).
# Besides its own errors, pypdf lets through what Python raises on a broken structure.
_BROKEN_PDF = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


@attrs.frozen(kw_only=True)
class Document:
    """An invoice file, recognised; what could not be read of it is ``None``.

    Args:
        name: Name of the file, as given.
        syntax: How it is written.
        kind: Whether it is an invoice or a credit note.
        number: Invoice number (BT-1).
        issue_date: Date of issue (BT-2).
        type_code: UNTDID 1001 code (BT-3), such as ``"380"``.
        seller: Who issued it: the SIREN (BT-30), else the VAT identifier (BT-31), else scheme and value of
            BT-30 or BT-29, such as ``"0088:3012345000012"``.
        unread: Whether the content of a PDF was left unread because ``pypdf`` is not installed.
    """

    name: str
    syntax: Syntax
    kind: Kind = "invoice"
    number: str | None = None
    issue_date: date | None = None
    type_code: str | None = None
    seller: str | None = None
    unread: bool = False

    @property
    def media_type(self) -> str:
        """Media type to upload it with."""
        return "application/pdf" if self.syntax == "factur-x" else "application/xml"

    @property
    def key(self) -> str | None:
        """What makes the invoice unique, ``seller/number/year`` (DSE v3.1 note 112); ``None`` without them.

        Raises:
            MissingExtra: The file is a PDF, and ``pypdf`` is not installed.
        """
        if self.unread:
            raise MissingExtra("cli", purpose=f"{self.name}: reading the number inside a PDF")
        if not self.seller or not self.number or self.issue_date is None:
            return None
        # A number may hold a slash (BR-FR-01), so that the seller must not.
        seller = self.seller.replace("%", "%25").replace("/", "%2F")
        return f"{seller}/{self.number}/{self.issue_date.year}"


def read_document(data: bytes, *, name: str) -> Document:
    """Recognise an invoice file and read its identity.

    Args:
        data: The whole file.
        name: What to call it in messages.

    Returns:
        What identifies the invoice. Without ``pypdf`` a PDF is recognised, but not read.

    Raises:
        InvalidInput: It is no invoice that the platform takes; the message says what it is.
    """
    if len(data) > MAX_BYTES:
        raise _refusal(name, f"is larger than {MAX_BYTES // 1024**2} MiB")
    if _looks_like_xml(data):
        return _read_xml(data, name=name)
    if b"%PDF-" in data[:_PDF_HEAD]:
        return _read_pdf(data, name=name)
    raise _refusal(name, _describe(data))


def _refusal(name: str, what: str) -> InvalidInput:
    return InvalidInput(f"{name}: {what}; {_ACCEPTED}")


def _looks_like_xml(data: bytes) -> bool:
    head = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    # Besides UTF-8 and its relatives: UTF-16, with a byte order mark or without.
    return head.startswith((b"<", b"\xff\xfe", b"\xfe\xff", b"\x00<"))


def _describe(data: bytes) -> str:
    text = data.strip()
    if not text:
        return "is empty"
    if text.startswith((b"{", b"[")):
        return "is JSON, no invoice file (a draft in JSON is submitted as data, not as a file)"
    if data.startswith(b"PK\x03\x04"):
        return "is a ZIP archive"
    return "is neither XML nor PDF"


class _Value(NamedTuple):
    text: str
    scheme: str
    """Identification scheme, or the kind of tax of a tax registration."""


class _Handler:
    """Collects the few terms wanted while expat reads."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: tuple[Syntax, Kind]
        self.found: dict[str, list[_Value]] = {}
        self._paths: list[str] = []
        self._text: list[str] | None = None
        self._scheme = ""
        self._tax_id: _Value | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._paths:
            self._start_root(name)
            return
        if len(self._paths) >= _MAX_DEPTH:
            raise _refusal(self.name, f"is nested deeper than {_MAX_DEPTH} levels")
        uri, _, local = name.rpartition(" ")
        path = f"{self._paths[-1]}/{_PREFIXES.get(uri, '?')}:{local}"
        self._paths.append(path)
        if path in _TERMS:
            self._text = []
            self._scheme = attributes.get("schemeID", "").strip()
        elif path == _UBL_TAX:
            self._tax_id = None

    def _start_root(self, name: str) -> None:
        if name not in _ROOTS:
            uri, _, local = name.rpartition(" ")
            raise _refusal(self.name, f"is XML, but its root is {local!r} in the namespace {uri!r}")
        self.root = _ROOTS[name]
        self._paths.append("")

    def text(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def end(self, _: str) -> None:
        path = self._paths.pop()
        if self._text is None or path not in _TERMS:
            return
        value = _Value("".join(self._text).strip(), self._scheme)
        self._text = None
        if path.startswith(_UBL_TAX):
            self._end_tax(_TERMS[path], value)
        elif value.text:
            self.found.setdefault(_TERMS[path], []).append(value)

    def _end_tax(self, term: str, value: _Value) -> None:
        # In UBL the kind of tax follows its number, in an element of its own.
        if term == "BT-31":
            self._tax_id = value
        elif self._tax_id is not None:
            scheme = "VA" if value.text.upper() == "VAT" else value.text
            self.found.setdefault("BT-31", []).append(self._tax_id._replace(scheme=scheme))

    def doctype(self, *_: object) -> None:
        raise _refusal(self.name, "declares a document type, which no invoice needs")


def _read_xml(data: bytes, *, name: str) -> Document:
    handler = _Handler(name)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    # Without a document type there are no entities but the five of XML.
    parser.StartDoctypeDeclHandler = handler.doctype
    try:
        parser.Parse(data, True)  # noqa: FBT003 - "this is all" has no other spelling
    except expat.ExpatError as error:
        raise _refusal(name, f"is not well-formed XML ({error})") from error
    except InvalidInput:
        raise
    except (LookupError, ValueError) as error:
        raise _refusal(name, f"is XML in an encoding that cannot be read ({error})") from error
    return _document(handler.root, handler.found, name=name)


def _document(root: tuple[Syntax, Kind], found: dict[str, list[_Value]], *, name: str) -> Document:
    syntax, kind = root
    type_code = _first(found, "BT-3")
    return Document(
        name=name,
        syntax=syntax,
        kind="credit_note" if type_code in _CREDIT_NOTE_CODES else kind,
        number=_first(found, "BT-1"),
        issue_date=_date(_first(found, "BT-2")),
        type_code=type_code,
        seller=_seller(found),
    )


def _first(found: dict[str, list[_Value]], term: str) -> str | None:
    values = found.get(term)
    return values[0].text if values else None


def _date(text: str | None) -> date | None:
    """Read ``2026-09-01`` (UBL; XML Schema allows a zone after it) or ``20260901`` (CII, format 102)."""
    match = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", text or "", re.ASCII)
    if match is None:
        return None
    try:
        return date(*map(int, match.groups()))
    except ValueError:
        return None


def _seller(found: dict[str, list[_Value]]) -> str | None:
    legal = found.get("BT-30", [])
    for value in legal:
        siren = re.sub(r"\s", "", value.text)
        if value.scheme == "0002" and re.fullmatch(r"\d{9}", siren, re.ASCII):
            return siren
    for value in found.get("BT-31", []):
        if value.scheme == "VA":
            return re.sub(r"\s", "", value.text).upper()
    # SEPA is the scheme of the creditor identifier (BT-90), which UBL writes in the same place.
    others = [*legal, *(value for value in found.get("BT-29", []) if value.scheme != "SEPA")]
    return next((f"{value.scheme}:{value.text}" for value in others), None)


def _read_pdf(data: bytes, *, name: str) -> Document:
    try:
        import pypdf  # noqa: PLC0415 - only who reads a PDF needs it
        from pypdf.errors import PyPdfError  # noqa: PLC0415
    except ModuleNotFoundError:
        return Document(name=name, syntax="factur-x", unread=True)
    try:
        attachments = pypdf.PdfReader(io.BytesIO(data)).attachments
        embedded = [
            (file_name, content)
            for file_name, contents in attachments.items()
            if file_name.lower() in _EMBEDDED_NAMES
            for content in contents
        ]
    except (PyPdfError, *_BROKEN_PDF) as error:
        raise _refusal(name, f"is a PDF that cannot be read ({error})") from error
    if not embedded:
        raise _refusal(name, "is a PDF without an invoice inside")
    file_name, content = embedded[0]
    document = _read_xml(content, name=f"{name}, {file_name}")
    if document.syntax != "cii":
        raise _refusal(name, f"is a PDF whose invoice is {document.syntax.upper()}, not CII")
    return attrs.evolve(document, name=name, syntax="factur-x")
