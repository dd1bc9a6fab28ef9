"""Credit notes and corrective invoices: which invoice they refer to, and what becomes of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.courses import objections
from seqino.sandbox.lifecycle import Leg, moments
from seqino.sandbox.scenarios import SCENARIOS
from seqino.sandbox.world.records import Invoice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from seqino.sandbox.scenarios import Scenario
    from seqino.sandbox.world import Client

__all__ = ["Correction", "find_correction"]

_CREDIT_NOTE, _CORRECTIVE_INVOICE = "381", "384"
_TAKES = {_CREDIT_NOTE: "approved", _CORRECTIVE_INVOICE: "paid"}
"""Scenario of a correction by its type (BT-3): a credit note is set off, a corrective invoice is paid."""


@attrs.frozen(eq=False)
class Correction:
    """A document that corrects an invoice whose buyer waits for that."""

    original: Invoice
    type_code: str

    @property
    def scenario(self) -> Scenario:
        """What becomes of the correction itself."""
        return SCENARIOS[_TAKES[self.type_code]]

    def arrive(self, correction: Invoice, now: datetime) -> None:
        """Let the original go on after its first correction: what a credit note left is approved and paid.

        One that a corrective invoice replaces gets no status for that: 220 has no published name. The buyer
        first disputes, however early the correction comes.
        """
        original = self.original
        if original.corrected_by is not None:
            return
        original.corrected_by = correction.invoice_id
        if self.type_code == _CREDIT_NOTE:
            since = max([now, *moments(original.course, now)])
            leg = Leg(SCENARIOS[original.scenario].credited, since)
            if not any(objections(original.course, leg)):
                original.course.append(leg)


def find_correction(client: Client, seller: str, content: Mapping[str, Any]) -> Correction | None:
    """Find the invoice that a document corrects, if its buyer is one who waits for that.

    A correction names the invoice by number and date (BT-25 and BT-26; BR-FR-CO-04, BR-FR-CO-05), is of the
    same seller, and is sent for the same client. Without a date the invoice is of the correction's own year,
    or of the year before.
    """
    if content.get("type_code") not in _TAKES:
        return None
    for number, year in _references(content):
        found = client.sponsor.numbers.get((seller, year, number))
        if isinstance(found, Invoice) and found.invoice_id in client.invoices and _waits(found):
            return Correction(found, content["type_code"])
    return None


def _waits(invoice: Invoice) -> bool:
    scenario = SCENARIOS.get(invoice.scenario)
    return scenario is not None and bool(scenario.credited)


def _references(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the number of each invoice referred to with a year in which it may have been issued."""
    own = int(content["issue_date"][:4])
    listed: list[Mapping[str, Any]] = content.get("preceding_invoice_references") or []
    for one in (*listed, {"reference": content.get("preceding_invoice_reference")}):
        number, dated = str(one.get("reference") or "").strip(), one.get("issue_date")
        for year in (dated[:4],) if dated else (str(own), str(own - 1)):
            yield number, year
