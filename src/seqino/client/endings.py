"""How a submission that ended badly is told: a rejection, a doubt with its token, or nothing submitted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.outcome import Outcome
from seqino._generated.operations import CREATE_DRAFT, SUBMIT_INVOICE_FILE, VALIDATE_DRAFT
from seqino.errors import (
    CallError,
    DeadlineExceeded,
    ErrorBody,
    Fault,
    OutcomeUnknown,
    Rejected,
    ResumeToken,
    UnexpectedAnswer,
)
from seqino.models import DraftValidated, InvoiceDraft, InvoiceFileSubmitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seqino.models import ValidationMessage

__all__ = ["Seen", "text"]


def text(value: object) -> str | None:
    """A field as plain text; ``None`` where it is absent, null or empty."""
    return str(value) if isinstance(value, str) and value else None


@attrs.define(kw_only=True)
class Seen:
    """What was seen of a submission, and what can be told of it.

    Args:
        is_file: Whether a file is submitted, and no draft.
        client_id: On whose behalf, if any.
        base_url: The server.
        earlier: The token of the submission that is taken up again, if any.
    """

    is_file: bool
    client_id: str | None
    base_url: str
    earlier: ResumeToken | None = None
    sent_at: list[float] = attrs.field(factory=list[float])
    """When it was sent where an invoice could come of it, in seconds since 1970."""
    left_at: float | None = None
    """When the last request with an unclear end may have left at the latest: after pauses, much later."""
    error: CallError | None = None
    """The last refusal or fault of what could make an invoice, and before that of the draft's creation."""
    answer: DraftValidated | InvoiceFileSubmitted | InvoiceDraft | None = None
    status: str | None = None
    """The platform's own word for the state of the invoice."""
    out_of_time: bool = False
    """Whether the time ended it, or a fault that may pass."""
    may_differ: bool = False
    """Whether the draft may hold another content: only who knows the right one may go on with it."""
    is_replaced: bool = True
    """Whether the draft was given its content, where it may have held another."""
    denied: str | None = None
    """Why looks at the draft would fail for now, if they would."""
    fault: Exception | None = None
    """What kept a look from being made, where that was no call's failure."""

    @property
    def operation(self) -> str:
        """Name of the operation of which an invoice could come."""
        return SUBMIT_INVOICE_FILE.name if self.is_file else VALIDATE_DRAFT.name

    def rejection(self, draft_id: str | None) -> CallError:
        """Return the error for an invoice that the platform refused."""
        error = self.error
        if error is None:
            faults = tuple(_faults(getattr(self.answer, "errors", None)))
            error = Rejected(
                f"{self.operation}: the platform answered, and refused the invoice "
                f"(status {self.status or 'absent'}). No invoice exists: correct it, then submit it again.",
                operation=self.operation,
                attempts=len(self.sent_at),
                outcome=Outcome.REJECTED,
                body=ErrorBody(faults=faults),
            )
        if draft_id is not None:
            error.add_note(f"The draft {draft_id} is left as it was.")
        return error

    def doubt(self, draft_id: str | None) -> CallError:
        """Return the error for an invoice of which nobody can tell."""
        error = self.error
        if self.is_file and error is not None:
            return error
        where, hint = f"the draft {draft_id}", "client.resume(error.token) looks further."
        if self.may_differ:
            hint = "only the ledger goes on with it: client.resume would validate what the draft holds."
        so_far = "nothing that was seen since decides it"
        if draft_id is None:
            where, hint = "the file", "no operation of the API shows it: ask the platform."
        elif not self.is_replaced:
            so_far = "the draft, which may hold another content, could not be replaced and was not validated"
        elif self.denied is not None:
            so_far = "what became of it cannot be looked at, and would not be by looking again"
            hint = f"once this is mended, {hint} {self.denied}"
        details: dict[str, Any] = {}
        if error is not None:
            details = {
                "status": error.status,
                "trace_id": error.trace_id,
                "body": error.body,
                "raw": error.raw,
            }
        doubt = OutcomeUnknown(
            f"An invoice may have been made of {where}: {self._what_happened()}, and {so_far}. Do not submit "
            f"it again before you have found out; {hint}",
            token=self.token(draft_id),
            operation=self.operation,
            attempts=len(self.sent_at),
            outcome=Outcome.UNKNOWN,
            **details,
        )
        doubt.__cause__ = self.fault or error
        return doubt

    def _what_happened(self) -> str:
        error = self.error
        if error is not None and error.status is None:
            return "no complete answer came"
        if error is not None:
            words = None if error.body is None else error.body.message
            return f"the platform answered {error.status}" + (f" ({words})" if words else "")
        if not self.sent_at:
            return "the end of its validation was unclear"
        return f"the platform answered with status {self.status or 'absent'}"

    def token(self, draft_id: str | None) -> ResumeToken:
        """Return what is needed to find out later."""
        earlier = self.earlier
        times = [*([] if earlier is None else [earlier.first_sent_at, earlier.last_sent_at]), *self.sent_at]
        return ResumeToken(
            operation=self.operation,
            client_id=self.client_id,
            parameters={} if draft_id is None else {"draft_id": draft_id},
            base_url=self.base_url,
            attempts=len(self.sent_at) + (0 if earlier is None else earlier.attempts),
            first_sent_at=min(times),
            last_sent_at=max([*times, *([] if self.left_at is None else [self.left_at])]),
        )

    def nothing_submitted(self) -> CallError:
        """Return the error for an invoice of which nothing can have become one."""
        error = self.error
        if error is not None and error.outcome != Outcome.DONE:
            return error
        if error is not None:
            return self._nameless(f"the platform answered {error.status}, but not as described", error)
        if self.out_of_time:
            return DeadlineExceeded(
                f"{CREATE_DRAFT.name}: the time ran out before anything was submitted. {_HARMLESS}",
                operation=CREATE_DRAFT.name,
                outcome=Outcome.NOT_SENT,
            )
        return self._nameless("the platform's answer does not name the draft", None)

    @staticmethod
    def _nameless(why: str, unread: CallError | None) -> CallError:
        """Return the error for a draft that cannot be validated, since nobody knows its id."""
        details: dict[str, Any] = {}
        if unread is not None:
            details = {
                "status": unread.status,
                "trace_id": unread.trace_id,
                "body": ErrorBody(faults=unread.faults),
                "raw": unread.raw,
                "attempts": unread.attempts,
            }
        error = UnexpectedAnswer(
            f"{CREATE_DRAFT.name}: a draft was made whose id is not known ({why}). Nothing was submitted. "
            f"{_HARMLESS}",
            operation=CREATE_DRAFT.name,
            # Of the invoice; the draft's creation is told by the message.
            outcome=Outcome.NOT_SENT,
            **details,
        )
        error.__cause__ = unread
        return error


_HARMLESS = (
    "No invoice can have come of it (a draft may be left, which has no effect): submitting again is harmless."
)


def _faults(errors: Iterable[ValidationMessage] | None) -> Iterator[Fault]:
    for error in errors or ():
        words = [text(error.rule), text(error.message), text(error.suggestion)]
        yield Fault(text(error.path) or "$", ": ".join(filter(None, words)) or "is not valid")
