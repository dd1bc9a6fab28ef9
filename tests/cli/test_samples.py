"""The sample invoices: identifiers that pass their checks, amounts that agree to the cent."""

from __future__ import annotations

import io
import json
import re
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

import pypdf
import pytest

import seqino

SAMPLES = Path(seqino.__file__).parent / "sandbox" / "invoices"
FILES = sorted(path for path in SAMPLES.iterdir() if path.suffix in {".xml", ".json", ".pdf"})

CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
UDT = "{urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100}"
ZERO = Decimal(0)


class Vat(NamedTuple):
    category: str
    rate: Decimal
    base: Decimal
    amount: Decimal


class Part(NamedTuple):
    """An allowance (negative) or a charge on the document."""

    category: str
    rate: Decimal
    amount: Decimal


class Line(NamedTuple):
    category: str
    rate: Decimal
    quantity: Decimal
    price: Decimal
    discounts: Decimal
    net: Decimal


class Amounts(NamedTuple):
    lines: list[Line]
    parts: list[Part]
    vat: list[Vat]
    totals: dict[str, Decimal]


def _cents(value: Decimal) -> Decimal:
    """Round as XPath does: ties towards plus infinity."""
    return (value * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR) / 100


def _text(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".pdf":
        data = pypdf.PdfReader(io.BytesIO(data)).attachments["factur-x.xml"][0]
    return data.decode()


def _number(node: ET.Element, path: str) -> Decimal:
    return Decimal(node.findtext(path, "0"))


def _ubl(root: ET.Element) -> Amounts:
    def signed(node: ET.Element) -> Decimal:
        amount = _number(node, f"{CBC}Amount")
        return amount if node.findtext(f"{CBC}ChargeIndicator") == "true" else -amount

    def line(node: ET.Element) -> Line:
        tax = node.find(f"{CAC}Item/{CAC}ClassifiedTaxCategory")
        assert tax is not None
        kind = "CreditedQuantity" if node.tag.endswith("CreditNoteLine") else "InvoicedQuantity"
        return Line(
            tax.findtext(f"{CBC}ID", ""),
            _number(tax, f"{CBC}Percent"),
            _number(node, f"{CBC}{kind}"),
            _number(node, f"{CAC}Price/{CBC}PriceAmount"),
            sum((signed(part) for part in node.findall(f"{CAC}AllowanceCharge")), ZERO),
            _number(node, f"{CBC}LineExtensionAmount"),
        )

    total = root.find(f"{CAC}LegalMonetaryTotal")
    tax_total = root.find(f"{CAC}TaxTotal")
    assert total is not None
    assert tax_total is not None
    names = {
        "BT-106": "LineExtensionAmount",
        "BT-107": "AllowanceTotalAmount",
        "BT-108": "ChargeTotalAmount",
        "BT-109": "TaxExclusiveAmount",
        "BT-112": "TaxInclusiveAmount",
        "BT-113": "PrepaidAmount",
        "BT-114": "PayableRoundingAmount",
        "BT-115": "PayableAmount",
    }
    return Amounts(
        [line(node) for node in (*root.findall(f"{CAC}InvoiceLine"), *root.findall(f"{CAC}CreditNoteLine"))],
        [
            Part(
                node.findtext(f"{CAC}TaxCategory/{CBC}ID", ""),
                _number(node, f"{CAC}TaxCategory/{CBC}Percent"),
                signed(node),
            )
            for node in root.findall(f"{CAC}AllowanceCharge")
        ],
        [
            Vat(
                node.findtext(f"{CAC}TaxCategory/{CBC}ID", ""),
                _number(node, f"{CAC}TaxCategory/{CBC}Percent"),
                _number(node, f"{CBC}TaxableAmount"),
                _number(node, f"{CBC}TaxAmount"),
            )
            for node in tax_total.findall(f"{CAC}TaxSubtotal")
        ],
        {term: _number(total, f"{CBC}{name}") for term, name in names.items()}
        | {"BT-110": _number(tax_total, f"{CBC}TaxAmount")},
    )


def _cii(root: ET.Element) -> Amounts:
    def signed(node: ET.Element) -> Decimal:
        amount = _number(node, f"{RAM}ActualAmount")
        return amount if node.findtext(f"{RAM}ChargeIndicator/{UDT}Indicator") == "true" else -amount

    def line(node: ET.Element) -> Line:
        settlement = node.find(f"{RAM}SpecifiedLineTradeSettlement")
        assert settlement is not None
        return Line(
            settlement.findtext(f"{RAM}ApplicableTradeTax/{RAM}CategoryCode", ""),
            _number(settlement, f"{RAM}ApplicableTradeTax/{RAM}RateApplicablePercent"),
            _number(node, f"{RAM}SpecifiedLineTradeDelivery/{RAM}BilledQuantity"),
            _number(
                node, f"{RAM}SpecifiedLineTradeAgreement/{RAM}NetPriceProductTradePrice/{RAM}ChargeAmount"
            ),
            sum((signed(part) for part in settlement.findall(f"{RAM}SpecifiedTradeAllowanceCharge")), ZERO),
            _number(settlement, f"{RAM}SpecifiedTradeSettlementLineMonetarySummation/{RAM}LineTotalAmount"),
        )

    settlement = root.find(f".//{RAM}ApplicableHeaderTradeSettlement")
    assert settlement is not None
    total = settlement.find(f"{RAM}SpecifiedTradeSettlementHeaderMonetarySummation")
    assert total is not None
    names = {
        "BT-106": "LineTotalAmount",
        "BT-107": "AllowanceTotalAmount",
        "BT-108": "ChargeTotalAmount",
        "BT-109": "TaxBasisTotalAmount",
        "BT-110": "TaxTotalAmount",
        "BT-112": "GrandTotalAmount",
        "BT-113": "TotalPrepaidAmount",
        "BT-114": "RoundingAmount",
        "BT-115": "DuePayableAmount",
    }
    return Amounts(
        [line(node) for node in root.iter(f"{RAM}IncludedSupplyChainTradeLineItem")],
        [
            Part(
                node.findtext(f"{RAM}CategoryTradeTax/{RAM}CategoryCode", ""),
                _number(node, f"{RAM}CategoryTradeTax/{RAM}RateApplicablePercent"),
                signed(node),
            )
            for node in settlement.findall(f"{RAM}SpecifiedTradeAllowanceCharge")
        ],
        [
            Vat(
                node.findtext(f"{RAM}CategoryCode", ""),
                _number(node, f"{RAM}RateApplicablePercent"),
                _number(node, f"{RAM}BasisAmount"),
                _number(node, f"{RAM}CalculatedAmount"),
            )
            for node in settlement.findall(f"{RAM}ApplicableTradeTax")
        ],
        {term: _number(total, f"{RAM}{name}") for term, name in names.items()},
    )


def _draft(draft: dict[str, Any]) -> Amounts:
    def parts(node: dict[str, Any]) -> list[tuple[Decimal, dict[str, Any]]]:
        return [
            *((-Decimal(part["amount"]), part) for part in node.get("allowances", ())),
            *((Decimal(part["amount"]), part) for part in node.get("charges", ())),
        ]

    names = {
        "BT-106": "sum_of_line_net_amount",
        "BT-107": "sum_of_allowances",
        "BT-108": "sum_of_charges",
        "BT-109": "total_amount_without_vat",
        "BT-110": "total_vat_amount",
        "BT-112": "total_amount_with_vat",
        "BT-113": "paid_amount",
        "BT-114": "rounding_amount",
        "BT-115": "amount_due_for_payment",
    }
    return Amounts(
        [
            Line(
                line["vat_category_code"],
                Decimal(line["vat_rate"]),
                Decimal(line["invoiced_quantity"]),
                Decimal(line["item_net_price"]),
                sum((amount for amount, _ in parts(line)), ZERO),
                Decimal(line["line_net_amount"]),
            )
            for line in draft["lines"]
        ],
        [Part(part["vat_category_code"], Decimal(part["vat_rate"]), amount) for amount, part in parts(draft)],
        [
            Vat(
                row["vat_category_code"],
                Decimal(row["vat_rate"]),
                Decimal(row["taxable_amount"]),
                Decimal(row["vat_amount"]),
            )
            for row in draft["vat_breakdown"]
        ],
        {term: Decimal(draft.get(name, 0)) for term, name in names.items()},
    )


def _amounts(path: Path) -> Amounts:
    if path.suffix == ".json":
        return _draft(json.loads(path.read_bytes(), parse_float=Decimal))
    root = ET.fromstring(_text(path))  # noqa: S314 - files of this project
    return _cii(root) if root.tag.endswith("CrossIndustryInvoice") else _ubl(root)


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_totals_follow_from_the_lines(path: Path) -> None:
    lines, parts, vat, totals = _amounts(path)
    assert lines
    for line in lines:
        assert line.net == _cents(line.quantity * line.price) + line.discounts
    assert totals["BT-106"] == sum(line.net for line in lines)  # BR-CO-10
    assert totals["BT-107"] == -sum(part.amount for part in parts if part.amount < 0)  # BR-CO-11
    assert totals["BT-108"] == sum(part.amount for part in parts if part.amount > 0)  # BR-CO-12
    assert totals["BT-109"] == totals["BT-106"] - totals["BT-107"] + totals["BT-108"]  # BR-CO-13
    assert totals["BT-110"] == sum(row.amount for row in vat)  # BR-CO-14
    assert totals["BT-112"] == totals["BT-109"] + totals["BT-110"]  # BR-CO-15
    assert totals["BT-115"] == totals["BT-112"] - totals["BT-113"] + totals["BT-114"]  # BR-CO-16


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_vat_breakdown_follows_from_lines_allowances_and_charges(path: Path) -> None:
    lines, parts, vat, _ = _amounts(path)
    bases: dict[tuple[str, Decimal], Decimal] = {}
    for line in lines:
        bases[line.category, line.rate] = bases.get((line.category, line.rate), ZERO) + line.net
    for part in parts:
        bases[part.category, part.rate] += part.amount
    assert {(row.category, row.rate): row.base for row in vat} == bases  # BR-S-08 and its like
    for row in vat:
        assert row.amount == _cents(row.base * row.rate / 100)  # BR-CO-17


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_identifiers_pass_their_checks(path: Path) -> None:
    text = _text(path)
    parties = re.findall(r"(?:0002\">|legal_registration_identifier\": \")(\d{9})\D", text)
    assert len(parties) == 2
    assert all(_luhn(siren) for siren in parties)
    sirets = [siret for siret in re.findall(r"\b\d{14}\b", text) if siret[:9] in parties]
    assert len(sirets) == 2
    assert all(_luhn(siret) for siret in sirets)
    for key, siren in re.findall(r"\bFR(\d{2})(\d{9})\b", text):
        assert siren in parties
        assert int(key) == (12 + 3 * int(siren)) % 97
    for iban in re.findall(r"\bFR\d{25}\b", text):
        assert int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_invented_company_can_be_a_real_one(path: Path) -> None:
    parties = re.findall(r"(?:0002\">|legal_registration_identifier\": \")(\d{9})\D", _text(path))
    # INSEE gives no number that begins with 0; 9999900nn are the sandbox's own.
    assert all(siren.startswith(("0", "9999900")) for siren in parties)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_invoice_bears_what_french_law_wants(path: Path) -> None:
    text = _text(path)
    for code in ("PMT", "PMD", "AAB"):  # BR-FR-05, BR-FR-06: all of them, once each
        assert len(re.findall(rf"#{code}#|SubjectCode>{code}<|subject_code\": \"{code}\"", text)) == 1
    assert re.search(r"(?:ProfileID>|ram:ID>|process_type\": \")[BSM][1-9]\b", text)  # BR-FR-08
    assert len(re.findall(r"schemeID=\"0225\"|scheme_id\": \"0225\"", text)) == 2  # BR-FR-12, BR-FR-13


def test_the_samples_show_every_syntax_rate_and_kind() -> None:
    texts = [_text(path) for path in FILES]
    assert {path.suffix for path in FILES} == {".xml", ".json", ".pdf"}
    rates = {row.rate for path in FILES for row in _amounts(path).vat}
    assert {Decimal(20), Decimal(10), Decimal("5.5"), Decimal("2.1"), ZERO} <= rates
    kinds = {kind for text in texts for kind in re.findall(r"[Tt]ype_?[Cc]ode(?:>|\": \")(38\d)\b", text)}
    assert kinds == {"380", "381", "384", "386"}
    numbers = [
        match[1] for text in texts if (match := re.search(r"<(?:cbc|ram):ID>([A-Z0-9][\w/-]{4,})</", text))
    ]
    assert len(numbers) == len(set(numbers))
    assert any(_amounts(path).totals["BT-114"] for path in FILES)
    assert any(_amounts(path).totals["BT-115"] == 0 for path in FILES)
