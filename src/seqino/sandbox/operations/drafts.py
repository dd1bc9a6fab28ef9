"""Drafts: partial data is taken, a sound draft becomes an invoice once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import msgspec

from seqino.sandbox.clock import stamp
from seqino.sandbox.judge import Refusal, Unprocessable, problem
from seqino.sandbox.operations.base import Answer, buyer_of, seller_of
from seqino.sandbox.world.invoices import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from seqino.sandbox.operations.base import Call, InvoiceData, Play
    from seqino.sandbox.rules import Breach
    from seqino.sandbox.world.invoices import Invoices
    from seqino.sandbox.world.records import Draft, Invoice

__all__ = ["DraftOperations"]

R = TypeVar("R")

_json = msgspec.json.Encoder(order="sorted")
"""Equal drafts are equal bytes."""


class DraftOperations:
    """What the tag *Drafts* does.

    Args:
        invoices: What it acts on.
        data: How invoice data are read and shown.
    """

    def __init__(self, invoices: Invoices, data: InvoiceData) -> None:
        self._invoices = invoices
        self._data = data
        self._judged: WeakKeyDictionary[Draft, tuple[dict[str, Any], list[Breach]]] = WeakKeyDictionary()
        """The content of a draft that was judged, and what it was found to break."""

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {
            "POST /drafts": self.create_draft,
            "POST /drafts/validate-data": self.validate_invoice_data,
            "GET /drafts/{draft_id}": self.get_draft,
            "PUT /drafts/{draft_id}": self.update_draft,
            "DELETE /drafts/{draft_id}": self.delete_draft,
            "POST /drafts/{draft_id}/validate": self.validate_draft,
        }

    def create_draft(self, call: Call) -> Answer:
        """Store a draft; data may be missing, and what would stop its validation is a warning."""
        draft = self._invoices.add_draft(call.client, self._data.content(call.body))
        return Answer(201, {"draft_id": draft.draft_id, **self._marks(call, draft)})

    def validate_invoice_data(self, call: Call) -> Answer:
        """Judge invoice data as validation would, and store nothing."""
        _ = call.client  # an unknown one gets 404, as everywhere
        found = [self._data.message(one) for one in self._data.breaches(call.body["invoice_data"])]
        return Answer(200, {"valid": not found, "errors": found, "warnings": []})

    def get_draft(self, call: Call) -> Answer:
        """Answer a draft with its marks, an issued one too."""
        draft = _find(call)
        marks: dict[str, Any] = {}
        if self._data.show_inferred:
            marks = {"draft_id": draft.draft_id, **self._marks(call, draft)}
        return Answer(200, {**draft.content, **marks})

    def update_draft(self, call: Call) -> Answer:
        """Replace the whole content of a draft."""
        draft, content = _find(call), self._data.content(call.body)
        self._unless_frozen(draft, lambda: self._invoices.replace_draft(call.client, draft, content))
        return Answer(200, {"draft_id": draft.draft_id, **self._marks(call, draft)})

    def delete_draft(self, call: Call) -> Answer:
        """Delete a draft for good."""
        draft = _find(call)
        self._unless_frozen(draft, lambda: self._invoices.delete_draft(call.client, draft))
        return Answer(204)

    def validate_draft(self, call: Call) -> Answer:
        """Issue a draft as an invoice, exactly once; an unsound one is refused with 422 and stays a draft."""
        draft = _find(call)
        if draft.invoice_id is None:
            self._refuse_unsound(draft)
        terms = self._data.terms(draft.content)
        fingerprint = hashlib.blake2b(_json.encode(draft.content), digest_size=16).hexdigest()
        invoice = self._unless_frozen(
            draft,
            lambda: self._invoices.issue_draft(
                call.client, draft, seller=seller_of(terms), buyer=buyer_of(terms), fingerprint=fingerprint
            ),
        )
        marks: dict[str, Any] = {"draft_id": draft.draft_id, **_issued(invoice), "errors": [], "warnings": []}
        return Answer(200, marks if self._data.show_inferred else {})

    def _breaches(self, draft: Draft) -> list[Breach]:
        """Return the rules that a draft breaks; judged once, until it has another content."""
        judged = self._judged.get(draft)
        if judged is None or judged[0] is not draft.content:
            judged = self._judged[draft] = draft.content, self._data.breaches(draft.content)
        return judged[1]

    def _refuse_unsound(self, draft: Draft) -> None:
        places = self._data.places
        found = self._breaches(draft)
        if found:
            raise Unprocessable(
                problem(["draft", *places.get(one.term, ())], one.message, one.rule) for one in found
            )

    def _unless_frozen(self, draft: Draft, act: Callable[[], R]) -> R:
        try:
            return act()
        except Frozen as error:
            hidden = f"draft {draft.draft_id} is frozen and cannot be used"
            raise Refusal(409, str(error) if self._data.show_inferred else hidden) from None

    def _marks(self, call: Call, draft: Draft) -> dict[str, Any]:
        if not self._data.show_inferred:
            return {}
        marks: dict[str, Any] = {
            "status": "draft",
            "created_at": stamp(draft.created_at),
            "updated_at": draft.updated_at and stamp(draft.updated_at),
        }
        if draft.invoice_id is None:
            return {**marks, "warnings": [self._data.message(one) for one in self._breaches(draft)]}
        return {**marks, **_issued(call.client.invoices[draft.invoice_id])}


def _find(call: Call) -> Draft:
    draft_id = call.parameters["draft_id"]
    draft = call.client.drafts.get(draft_id)
    if draft is None:
        raise Refusal(404, f"draft {draft_id} does not exist")
    return draft


def _issued(invoice: Invoice) -> dict[str, Any]:
    """Say what a draft became; it stays *submitted*, whatever the network then does with the invoice."""
    return {"invoice_id": invoice.invoice_id, "invoice_number": invoice.number, "status": "submitted"}
