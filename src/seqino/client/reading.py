"""What came of a call, as an event of the submission that made it; what was seen is noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from seqino._core.failed_looks import FailedLook, prevented, read_failed_look
from seqino._core.outcome import Outcome
from seqino.client.endings import Seen, text
from seqino.errors import CallError, OutcomeUnknown
from seqino.submission import (
    Answered,
    Created,
    Event,
    Evidence,
    Looked,
    Lost,
    NotDone,
    Refused,
    read_answer,
    read_draft,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino.models import (
        DraftCreated,
        DraftValidated,
        InvoiceDraft,
        InvoiceFileSubmitted,
        ValidationMessage,
    )

__all__ = ["Reader"]

_OF_THE_CALLER = frozenset({401, 402, 403})
"""Refusals of the key, or of the client."""


@attrs.frozen(kw_only=True)
class Reader:
    """Reads the ends of the calls of one submission. An answer may have no body, and then there is no model.

    Args:
        seen: Where what was seen is noted.
        now: The monotonic clock.
        key_is_fixed: Whether each call is made with the same key.
    """

    seen: Seen
    now: Callable[[], float]
    key_is_fixed: bool

    def created(self, answer: DraftCreated | None) -> Event:
        """A draft was created."""
        return Created(None if answer is None else text(answer.draft_id))

    def not_created(self, error: CallError) -> Event:
        """The creation of a draft failed."""
        self.seen.error = error
        # Done, but unreadable: a draft whose id is not known is of no use, and does no harm.
        return Created(None) if error.outcome == Outcome.DONE else self.failed(error)

    def validated(self, answer: DraftValidated | None) -> Event:
        """A validation was answered with a success."""
        if answer is None:
            return self._answered(None)
        return self._answered(
            answer,
            invoice_id=text(answer.invoice_id),
            invoice_number=text(answer.invoice_number),
            status=text(answer.status),
            errors=answer.errors,
        )

    def taken(self, answer: InvoiceFileSubmitted | None, *, number: str | None) -> Event:
        """An upload was answered with a success.

        Args:
            answer: The answer.
            number: Number of the invoice, as the file tells it.
        """
        if answer is None:
            return self._answered(None)
        return self._answered(
            answer,
            invoice_id=text(answer.invoice_id),
            invoice_number=number,
            status=text(answer.status),
        )

    def _answered(
        self,
        answer: DraftValidated | InvoiceFileSubmitted | None,
        *,
        invoice_id: str | None = None,
        invoice_number: str | None = None,
        status: str | None = None,
        errors: Sequence[ValidationMessage] | None = None,
    ) -> Answered:
        self.seen.error, self.seen.answer, self.seen.status = None, answer, status
        return Answered(
            now=self.now(),
            reading=read_answer(invoice_id=invoice_id, status=status, errors=errors),
            invoice_id=invoice_id,
            invoice_number=invoice_number,
        )

    def failed(self, error: CallError) -> Event:
        """A call of which an invoice could come failed."""
        self.seen.error = error
        if isinstance(error, OutcomeUnknown) and error.token is not None:
            self.seen.left_at = error.token.last_sent_at
        now = self.now()
        match error.outcome:
            case Outcome.REJECTED:
                return Refused(now)
            case Outcome.NOT_SENT | Outcome.THROTTLED:
                return NotDone(now)
            case _:
                return Lost(now)

    def not_replaced(self, error: CallError) -> Event:
        """A draft that may hold another content could not be replaced."""
        event = self.failed(error)
        self.seen.is_replaced = False
        # What is wrong with the call may be mended; what is wrong with the content, or the draft, is not.
        if not isinstance(event, Refused) or error.status in _OF_THE_CALLER:
            self.seen.out_of_time = True
        return event

    def looked(self, draft: InvoiceDraft | None, *, begun: float) -> Looked:
        """A look was answered.

        Args:
            draft: What it shows.
            begun: When it was begun, on the monotonic clock.
        """
        invoice_id = None if draft is None else text(draft.invoice_id)
        status = None if draft is None else text(draft.status)
        evidence = read_draft(invoice_id=invoice_id, status=status)
        if evidence is Evidence.CONSUMED:
            self.seen.answer, self.seen.status = draft, status
        return Looked(
            begun=begun,
            now=self.now(),
            evidence=evidence,
            invoice_id=invoice_id,
            invoice_number=None if draft is None else text(draft.invoice_number),
        )

    def not_looked(self, error: CallError, *, begun: float, left: float) -> Looked:
        """A look failed.

        Args:
            error: How it failed.
            begun: When it was begun, on the monotonic clock.
            left: Seconds that are left to look.
        """
        match read_failed_look(error, left=left, key_is_fixed=self.key_is_fixed):
            case FailedLook.NOT_SHOWN:
                # No proof of absence; any other failure is no answer at all.
                evidence = Evidence.CANNOT_TELL
            case FailedLook.DENIED:
                self.seen.denied, evidence = str(error.args[0]), Evidence.DENIED
            case _:
                evidence = Evidence.FAILED
        return Looked(begun=begun, now=self.now(), evidence=evidence)

    def prevented(self, error: Exception, *, begun: float) -> Looked:
        """A look could not be made, for another reason than that a call failed.

        Args:
            error: What came out of it.
            begun: When it was begun, on the monotonic clock.
        """
        self.seen.denied, self.seen.fault = prevented(error), error
        return Looked(begun=begun, now=self.now(), evidence=Evidence.DENIED)
