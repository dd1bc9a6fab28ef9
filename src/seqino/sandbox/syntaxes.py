"""Where each business term of EN 16931 stands in UBL 2.1 and in CII D16B (CEN/TS 16931-3-2 and 3-3), as data.

How a path is written is said in ``paths.py``. Several paths are tried in turn.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

__all__ = ["SYNTAXES", "Group", "Syntax"]


@attrs.frozen
class Group:
    """A repeated group: the element that repeats, and its terms below it."""

    path: str
    terms: Mapping[str, tuple[str, ...]]


@attrs.frozen(kw_only=True)
class Syntax:
    """One syntax of electronic invoices."""

    name: str
    roots: tuple[str, ...]
    """Qualified names of the root element."""
    terms: Mapping[str, tuple[str, ...]]
    groups: Mapping[str, tuple[Group, ...]]


def _ubl_party(path: str, numbers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Terms of a party; ``numbers`` gives the term of each part, since seller and buyer differ only there."""
    parts = {
        "name": ("PartyLegalEntity/RegistrationName", "PartyName/Name"),
        "trading": ("PartyName/Name",),
        "id": ("PartyIdentification/ID",),
        "siret": ("PartyIdentification/ID[@schemeID=0009]",),
        "legal": ("PartyLegalEntity/CompanyID",),
        "legal scheme": ("PartyLegalEntity/CompanyID/@schemeID",),
        "vat": ("PartyTaxScheme[TaxScheme/ID=VAT]/CompanyID",),
        "address": ("EndpointID",),
        "address scheme": ("EndpointID/@schemeID",),
        "street": ("PostalAddress/StreetName",),
        "street 2": ("PostalAddress/AdditionalStreetName",),
        "city": ("PostalAddress/CityName",),
        "zone": ("PostalAddress/PostalZone",),
        "region": ("PostalAddress/CountrySubentity",),
        "country": ("PostalAddress/Country/IdentificationCode",),
    }
    return {term: tuple(f"{path}/{one}" for one in parts[part]) for part, term in numbers.items()}


def _cii_party(path: str, numbers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    parts = {
        "name": ("Name",),
        "trading": ("SpecifiedLegalOrganization/TradingBusinessName",),
        "id": ("GlobalID", "ID"),
        "siret": ("GlobalID[@schemeID=0009]",),
        "legal": ("SpecifiedLegalOrganization/ID",),
        "legal scheme": ("SpecifiedLegalOrganization/ID/@schemeID",),
        "vat": ("SpecifiedTaxRegistration/ID[@schemeID=VA]",),
        "address": ("URIUniversalCommunication/URIID",),
        "address scheme": ("URIUniversalCommunication/URIID/@schemeID",),
        "street": ("PostalTradeAddress/LineOne",),
        "street 2": ("PostalTradeAddress/LineTwo",),
        "city": ("PostalTradeAddress/CityName",),
        "zone": ("PostalTradeAddress/PostcodeCode",),
        "region": ("PostalTradeAddress/CountrySubDivisionName",),
        "country": ("PostalTradeAddress/CountryID",),
    }
    return {term: tuple(f"{path}/{one}" for one in parts[part]) for part, term in numbers.items()}


_SELLER = {
    "name": "BT-27", "trading": "BT-28", "id": "BT-29", "siret": "BT-29 (0009)", "legal": "BT-30",
    "legal scheme": "BT-30-1", "vat": "BT-31", "address": "BT-34", "address scheme": "BT-34-1",
    "street": "BT-35", "street 2": "BT-36", "city": "BT-37", "zone": "BT-38", "region": "BT-39",
    "country": "BT-40",
}  # fmt: skip
_BUYER = {
    "name": "BT-44", "trading": "BT-45", "id": "BT-46", "siret": "BT-46 (0009)", "legal": "BT-47",
    "legal scheme": "BT-47-1", "vat": "BT-48", "address": "BT-49", "address scheme": "BT-49-1",
    "street": "BT-50", "street 2": "BT-51", "city": "BT-52", "zone": "BT-53", "region": "BT-54",
    "country": "BT-55",
}  # fmt: skip

_UBL_TOTAL = "LegalMonetaryTotal"
_UBL_LINE = {
    "BT-126": ("ID",),
    "BT-127": ("Note",),
    "BT-129": ("InvoicedQuantity", "CreditedQuantity"),
    "BT-130": ("InvoicedQuantity/@unitCode", "CreditedQuantity/@unitCode"),
    "BT-131": ("LineExtensionAmount",),
    "BT-146": ("Price/PriceAmount",),
    "BT-149": ("Price/BaseQuantity",),
    "BT-151": ("Item/ClassifiedTaxCategory/ID",),
    "BT-152": ("Item/ClassifiedTaxCategory/Percent",),
    "BT-153": ("Item/Name",),
    "BT-154": ("Item/Description",),
    "BT-25": ("BillingReference/InvoiceDocumentReference/ID",),
    "BT-26": ("BillingReference/InvoiceDocumentReference/IssueDate",),
}
_UBL_ALLOWANCE = {"amount": "Amount", "base": "BaseAmount", "percentage": "MultiplierFactorNumeric",
                  "category": "TaxCategory/ID", "rate": "TaxCategory/Percent",
                  "reason": "AllowanceChargeReason", "reason code": "AllowanceChargeReasonCode"}  # fmt: skip
_CII_ALLOWANCE = {"amount": "ActualAmount", "base": "BasisAmount", "percentage": "CalculationPercent",
                  "category": "CategoryTradeTax/CategoryCode",
                  "rate": "CategoryTradeTax/RateApplicablePercent", "reason": "Reason",
                  "reason code": "ReasonCode"}  # fmt: skip


def _allowance(paths: Mapping[str, str], first: int) -> dict[str, tuple[str, ...]]:
    """Terms of an allowance (from BT-92) or charge (from BT-99): seven in a row."""
    return {f"BT-{number}": (path,) for number, path in enumerate(paths.values(), start=first)}


UBL = Syntax(
    name="ubl",
    roots=(
        "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice",
        "{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote",
    ),
    terms={
        "BT-1": ("ID",),
        "BT-2": ("IssueDate",),
        "BT-3": ("InvoiceTypeCode", "CreditNoteTypeCode"),
        "BT-5": ("DocumentCurrencyCode",),
        "BT-6": ("TaxCurrencyCode",),
        "BT-9": ("DueDate", "PaymentMeans/PaymentDueDate"),
        "BT-10": ("BuyerReference",),
        "BT-11": ("ProjectReference/ID",),
        "BT-12": ("ContractDocumentReference/ID",),
        "BT-13": ("OrderReference/ID",),
        "BT-14": ("OrderReference/SalesOrderID",),
        "BT-15": ("ReceiptDocumentReference/ID",),
        "BT-16": ("DespatchDocumentReference/ID",),
        "BT-17": ("OriginatorDocumentReference/ID",),
        "BT-19": ("AccountingCost",),
        "BT-20": ("PaymentTerms/Note",),
        "BT-23": ("ProfileID",),
        "BT-24": ("CustomizationID",),
        "BT-72": ("Delivery/ActualDeliveryDate",),
        "BT-73": ("InvoicePeriod/StartDate",),
        "BT-74": ("InvoicePeriod/EndDate",),
        "BT-81": ("PaymentMeans/PaymentMeansCode",),
        "BT-83": ("PaymentMeans/PaymentID",),
        "BT-84": ("PaymentMeans/PayeeFinancialAccount/ID",),
        "BT-106": (f"{_UBL_TOTAL}/LineExtensionAmount",),
        "BT-107": (f"{_UBL_TOTAL}/AllowanceTotalAmount",),
        "BT-108": (f"{_UBL_TOTAL}/ChargeTotalAmount",),
        "BT-109": (f"{_UBL_TOTAL}/TaxExclusiveAmount",),
        "BT-110": ("TaxTotal[TaxSubtotal]/TaxAmount", "TaxTotal/TaxAmount"),
        "BT-112": (f"{_UBL_TOTAL}/TaxInclusiveAmount",),
        "BT-113": (f"{_UBL_TOTAL}/PrepaidAmount",),
        "BT-114": (f"{_UBL_TOTAL}/PayableRoundingAmount",),
        "BT-115": (f"{_UBL_TOTAL}/PayableAmount",),
        **_ubl_party("AccountingSupplierParty/Party", _SELLER),
        **_ubl_party("AccountingCustomerParty/Party", _BUYER),
    },
    groups={
        "BG-1": (Group("Note", {"BT-22": (".",)}),),
        "BG-3": (
            Group("BillingReference/InvoiceDocumentReference", {"BT-25": ("ID",), "BT-26": ("IssueDate",)}),
        ),
        "BG-20": (Group("AllowanceCharge[ChargeIndicator=false]", _allowance(_UBL_ALLOWANCE, 92)),),
        "BG-21": (Group("AllowanceCharge[ChargeIndicator=true]", _allowance(_UBL_ALLOWANCE, 99)),),
        "BG-23": (
            Group(
                "TaxTotal/TaxSubtotal",
                {
                    "BT-116": ("TaxableAmount",),
                    "BT-117": ("TaxAmount",),
                    "BT-118": ("TaxCategory/ID",),
                    "BT-119": ("TaxCategory/Percent",),
                    "BT-120": ("TaxCategory/TaxExemptionReason",),
                    "BT-121": ("TaxCategory/TaxExemptionReasonCode",),
                },
            ),
        ),
        "BG-25": (Group("InvoiceLine", _UBL_LINE), Group("CreditNoteLine", _UBL_LINE)),
    },
)

_AGREEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeAgreement"
_DELIVERY = "SupplyChainTradeTransaction/ApplicableHeaderTradeDelivery"
_SETTLEMENT = "SupplyChainTradeTransaction/ApplicableHeaderTradeSettlement"
_LINE_SETTLEMENT = "SpecifiedLineTradeSettlement"
_CII_TOTAL = f"{_SETTLEMENT}/SpecifiedTradeSettlementHeaderMonetarySummation"

CII = Syntax(
    name="cii",
    roots=("{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice",),
    terms={
        "BT-1": ("ExchangedDocument/ID",),
        "BT-2": ("ExchangedDocument/IssueDateTime/DateTimeString",),
        "BT-3": ("ExchangedDocument/TypeCode",),
        "BT-5": (f"{_SETTLEMENT}/InvoiceCurrencyCode",),
        "BT-6": (f"{_SETTLEMENT}/TaxCurrencyCode",),
        "BT-9": (f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",),
        "BT-10": (f"{_AGREEMENT}/BuyerReference",),
        "BT-11": (f"{_AGREEMENT}/SpecifiedProcuringProject/ID",),
        "BT-12": (f"{_AGREEMENT}/ContractReferencedDocument/IssuerAssignedID",),
        "BT-13": (f"{_AGREEMENT}/BuyerOrderReferencedDocument/IssuerAssignedID",),
        "BT-14": (f"{_AGREEMENT}/SellerOrderReferencedDocument/IssuerAssignedID",),
        "BT-15": (f"{_DELIVERY}/ReceivingAdviceReferencedDocument/IssuerAssignedID",),
        "BT-16": (f"{_DELIVERY}/DespatchAdviceReferencedDocument/IssuerAssignedID",),
        "BT-19": (f"{_SETTLEMENT}/ReceivableSpecifiedTradeAccountingAccount/ID",),
        "BT-20": (f"{_SETTLEMENT}/SpecifiedTradePaymentTerms/Description",),
        "BT-23": ("ExchangedDocumentContext/BusinessProcessSpecifiedDocumentContextParameter/ID",),
        "BT-24": ("ExchangedDocumentContext/GuidelineSpecifiedDocumentContextParameter/ID",),
        "BT-72": (f"{_DELIVERY}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString",),
        "BT-73": (f"{_SETTLEMENT}/BillingSpecifiedPeriod/StartDateTime/DateTimeString",),
        "BT-74": (f"{_SETTLEMENT}/BillingSpecifiedPeriod/EndDateTime/DateTimeString",),
        "BT-81": (f"{_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans/TypeCode",),
        "BT-83": (f"{_SETTLEMENT}/PaymentReference",),
        "BT-84": (
            f"{_SETTLEMENT}/SpecifiedTradeSettlementPaymentMeans/PayeePartyCreditorFinancialAccount/IBANID",
        ),
        "BT-106": (f"{_CII_TOTAL}/LineTotalAmount",),
        "BT-107": (f"{_CII_TOTAL}/AllowanceTotalAmount",),
        "BT-108": (f"{_CII_TOTAL}/ChargeTotalAmount",),
        "BT-109": (f"{_CII_TOTAL}/TaxBasisTotalAmount",),
        "BT-110": (f"{_CII_TOTAL}/TaxTotalAmount",),
        "BT-112": (f"{_CII_TOTAL}/GrandTotalAmount",),
        "BT-113": (f"{_CII_TOTAL}/TotalPrepaidAmount",),
        "BT-114": (f"{_CII_TOTAL}/RoundingAmount",),
        "BT-115": (f"{_CII_TOTAL}/DuePayableAmount",),
        **_cii_party(f"{_AGREEMENT}/SellerTradeParty", _SELLER),
        **_cii_party(f"{_AGREEMENT}/BuyerTradeParty", _BUYER),
    },
    groups={
        "BG-1": (
            Group("ExchangedDocument/IncludedNote", {"BT-22": ("Content",), "BT-21": ("SubjectCode",)}),
        ),
        "BG-3": (
            Group(
                f"{_SETTLEMENT}/InvoiceReferencedDocument",
                {"BT-25": ("IssuerAssignedID",), "BT-26": ("FormattedIssueDateTime/DateTimeString",)},
            ),
        ),
        "BG-20": (
            Group(
                f"{_SETTLEMENT}/SpecifiedTradeAllowanceCharge[ChargeIndicator/Indicator=false]",
                _allowance(_CII_ALLOWANCE, 92),
            ),
        ),
        "BG-21": (
            Group(
                f"{_SETTLEMENT}/SpecifiedTradeAllowanceCharge[ChargeIndicator/Indicator=true]",
                _allowance(_CII_ALLOWANCE, 99),
            ),
        ),
        "BG-23": (
            Group(
                f"{_SETTLEMENT}/ApplicableTradeTax",
                {
                    "BT-116": ("BasisAmount",),
                    "BT-117": ("CalculatedAmount",),
                    "BT-118": ("CategoryCode",),
                    "BT-119": ("RateApplicablePercent",),
                    "BT-120": ("ExemptionReason",),
                    "BT-121": ("ExemptionReasonCode",),
                },
            ),
        ),
        "BG-25": (
            Group(
                "SupplyChainTradeTransaction/IncludedSupplyChainTradeLineItem",
                {
                    "BT-126": ("AssociatedDocumentLineDocument/LineID",),
                    "BT-127": ("AssociatedDocumentLineDocument/IncludedNote/Content",),
                    "BT-129": ("SpecifiedLineTradeDelivery/BilledQuantity",),
                    "BT-130": ("SpecifiedLineTradeDelivery/BilledQuantity/@unitCode",),
                    "BT-131": (
                        f"{_LINE_SETTLEMENT}/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount",
                    ),
                    "BT-146": ("SpecifiedLineTradeAgreement/NetPriceProductTradePrice/ChargeAmount",),
                    "BT-149": ("SpecifiedLineTradeAgreement/NetPriceProductTradePrice/BasisQuantity",),
                    "BT-151": (f"{_LINE_SETTLEMENT}/ApplicableTradeTax/CategoryCode",),
                    "BT-152": (f"{_LINE_SETTLEMENT}/ApplicableTradeTax/RateApplicablePercent",),
                    "BT-153": ("SpecifiedTradeProduct/Name",),
                    "BT-154": ("SpecifiedTradeProduct/Description",),
                    "BT-25": (f"{_LINE_SETTLEMENT}/InvoiceReferencedDocument/IssuerAssignedID",),
                    "BT-26": (
                        f"{_LINE_SETTLEMENT}/InvoiceReferencedDocument/FormattedIssueDateTime/DateTimeString",
                    ),
                },
            ),
        ),
    },
)

SYNTAXES = (UBL, CII)
