"""Reports to the tax administration: what no French platform delivers (e-reporting, flow 10)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from seqino.sandbox.clock import stamp
from seqino.sandbox.identifiers import is_siren
from seqino.sandbox.judge import Unprocessable, problem
from seqino.sandbox.operations.base import Answer
from seqino.sandbox.shape import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from seqino.sandbox.description import Description
    from seqino.sandbox.operations.base import Call, InvoiceData, Play
    from seqino.sandbox.world.reports import Reports

__all__ = ["ReportingOperations"]

_B2C = "POST /reporting/b2c-transactions"
_COUNTRY = re.compile("[A-Z]{2}")
"""ISO 3166-1 alpha-2."""
_CURRENCY = re.compile("[A-Z]{3}")
"""ISO 4217."""
_TOLERANCE = Decimal("0.01")
"""By which a total may differ for each amount summed (rule G1.53)."""


class ReportingOperations:
    """What the tag *Reporting* does.

    Args:
        reports: What it acts on.
        data: How invoice data are read and judged.
        description: Which fields of a report are amounts.
    """

    def __init__(self, reports: Reports, data: InvoiceData, description: Description) -> None:
        self._reports = reports
        self._data = data
        self._b2c = shape_of(description, description.operation(_B2C).body_schema)

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "POST /reporting/exempt-invoices": self.submit_exempt_invoice,
            _B2C: self.submit_b2c_transactions,
            "POST /reporting/payments": self.record_payment,
        }

    def submit_exempt_invoice(self, call: Call) -> Answer:
        """Take an invoice to or from a foreign company; one whose sums do not agree is refused with 422."""
        client, body = call.client, call.body
        _refuse(self._exempt_problems(body))
        report = self._reports.take_exempt_invoice(
            client,
            {
                "direction": body["direction"],
                "country_code": body["country_code"],
                "model": self._data.content(body["model"]),
            },
        )
        return Answer(201, {"invoice_id": report.report_id, "status": "submitted"})

    def submit_b2c_transactions(self, call: Call) -> Answer:
        """Take the aggregate of a day's transactions with consumers."""
        client, body = call.client, call.body
        _refuse(_b2c_problems(body))
        day = body.get("transaction_date")
        period = None if day is None else day[:7]
        report = self._reports.take_b2c_transactions(client, {**self._b2c.plain(body), "period": period})
        marks = {"transaction_id": report.report_id, "created_at": stamp(report.created_at)}
        return Answer(201, {**report.content, **marks})

    def record_payment(self, call: Call) -> Answer:
        """Record a payment that was received; a negative amount takes an earlier one back."""
        client, body = call.client, call.body
        _refuse(_party_problems(body))
        day = body["payment_date"]
        report = self._reports.record_payment(
            client,
            {
                "client_siren": body["client_siren"],
                "payment_date": day,
                # In plain notation: the digits that were sent, never an exponent.
                "amount": format(Decimal(body["amount"]), "f"),
                "currency": body.get("currency", "EUR"),
                "invoice_number": body.get("invoice_number"),
                "period": day[:7],
            },
        )
        marks = {"payment_id": report.report_id, "created_at": stamp(report.created_at)}
        return Answer(200, {**report.content, **marks})

    def _exempt_problems(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        country = body["country_code"]
        if not _COUNTRY.fullmatch(country):
            message = f"{country} is no country code: two capital letters (ISO 3166-1)"
            yield problem(["body", "country_code"], message, "string_pattern_mismatch")
        elif country == "FR":
            message = "an invoice between French companies is delivered, not reported: use drafts or files"
            yield problem(["body", "country_code"], message, "value_error")
        for one in self._data.breaches(body["model"]):
            # Buyer and lines are for the invoice to have, which is sent elsewhere; a report is sums.
            if one.rule.startswith("BR-CO-"):
                yield problem(["body", "model", *self._data.places[one.term]], one.message, one.rule)


def _refuse(found: Iterator[dict[str, Any]]) -> None:
    details = list(found)
    if details:
        raise Unprocessable(details)


def _party_problems(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with the SIREN and the currency of a report, where it gives them."""
    siren, currency = body.get("client_siren"), body.get("currency")
    if siren is not None and not is_siren(siren):
        message = f"{siren} is no SIREN: nine digits with a valid check digit"
        yield problem(["body", "client_siren"], message, "value_error")
    if currency is not None and not _CURRENCY.fullmatch(currency):
        message = f"{currency} is no currency code: three capital letters (ISO 4217)"
        yield problem(["body", "currency"], message, "string_pattern_mismatch")


def _b2c_problems(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield from _party_problems(body)
    if (body.get("transaction_count") or 0) < 0:
        message = "Input should be greater than or equal to 0"
        yield problem(["body", "transaction_count"], message, "greater_than_equal")
    for total, part in (("total_amount_without_vat", "taxable_amount"), ("total_vat_amount", "vat_amount")):
        parts = [one.get(part) for one in body.get("vat_breakdown") or ()]
        if body.get(total) is None or not parts or None in parts:
            continue
        summed = sum(map(Decimal, parts), Decimal(0))
        if abs(Decimal(body[total]) - summed) > _TOLERANCE * len(parts):
            message = f"{total} is {body[total]}, but the sum of {part} is {summed}"
            yield problem(["body", total], message, "G1.53")
