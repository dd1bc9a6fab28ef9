"""What a caller is told of an item, from the ledger alone: what was returned or raised at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from seqino._core.failures import rejected_by
from seqino._core.outcome import Outcome
from seqino._generated.operations import SUBMIT_INVOICE_FILE, VALIDATE_DRAFT
from seqino.batch.states import State
from seqino.errors import ErrorBody, Fault, InvalidInput, OutcomeUnknown, Rejected, SeqinoError
from seqino.submission import Route, Submission, Verdict

if TYPE_CHECKING:
    from seqino.batch.items import Item

__all__ = ["ending_of"]


def ending_of(item: Item, *, server: str) -> Submission | SeqinoError:
    """Return what is told of an item.

    Args:
        item: The item, at an end or in doubt.
        server: The server.
    """
    if item.state.is_taken:
        return _submission(item)
    if item.state is State.REJECTED:
        return _rejection(item)
    if item.state is State.INVALID:
        return InvalidInput(f"{item.business_key}: {_told(item).get('message', 'it cannot be sent')}")
    return _doubt(item, server=server)


def _operation(item: Item) -> str:
    return VALIDATE_DRAFT.name if item.route is Route.DRAFT else SUBMIT_INVOICE_FILE.name


def _submission(item: Item) -> Submission:
    is_named = item.state is not State.ACCEPTED_UNIDENTIFIED
    return Submission(
        verdict=Verdict.ACCEPTED if is_named else Verdict.ACCEPTED_UNIDENTIFIED,
        invoice_id=item.invoice_id,
        invoice_number=item.invoice_number,
        draft_id=item.draft_id,
        status=item.platform_status,
    )


def _told(item: Item) -> dict[str, Any]:
    """Return the reasons as they were kept."""
    told: dict[str, Any] = msgspec.json.decode(item.reasons) if item.reasons else {}
    return told


def _rejection(item: Item) -> Rejected:
    told = _told(item)
    return rejected_by(item.http_status)(
        told.get("message")
        or f"{item.business_key}: the platform refused the invoice, and no invoice exists",
        operation=_operation(item),
        attempts=item.attempt,
        outcome=Outcome.REJECTED,
        status=item.http_status,
        trace_id=told.get("trace_id"),
        body=ErrorBody(
            message=told.get("words"),
            trace_id=told.get("trace_id"),
            faults=tuple(Fault(*fault) for fault in told.get("faults", ())),
        ),
    )


def _doubt(item: Item, *, server: str) -> OutcomeUnknown:
    where = "the file" if item.draft_id is None else f"the draft {item.draft_id}"
    if item.state is State.PARKED:
        what_next = "no look can tell: ask the platform, then settle it with 'seqino batch resolve'"
    else:
        what_next = "ledger.reconcile(client), or the same call again, looks further"
    return OutcomeUnknown(
        f"{item.business_key}: an invoice may have been made of {where}, and nothing that was seen since "
        f"decides it. Do not submit it under another key; {what_next}.",
        token=item.token(operation=_operation(item), base_url=server),
        operation=_operation(item),
        attempts=item.attempt,
        outcome=Outcome.UNKNOWN,
        status=item.http_status,
        trace_id=_told(item).get("trace_id"),
    )
