"""What happens in a submission beyond its calls, as events: each look, and the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino._core.events import CallEvent, Emitter, EventKind
from seqino._core.outcome import Outcome
from seqino.errors import CallError, ResumeToken

if TYPE_CHECKING:
    from seqino._core.config import Config
    from seqino._core.runtime import Runtime
    from seqino.submission import Looked, Submission, Verdict

__all__ = ["SubmissionEvents"]


class SubmissionEvents:
    """Tells of one submission.

    Args:
        operation: What the caller asked for: ``"submit"``, ``"submit_file"`` or ``"resume"``.
        config: The client's configuration.
        runtime: Clock.
        client_id: On whose behalf, if any.
    """

    def __init__(self, operation: str, *, config: Config, runtime: Runtime, client_id: str | None) -> None:
        self._operation = operation
        self._emitter = Emitter(config.on_event)
        self._monotonic = runtime.monotonic
        self._began = runtime.monotonic()
        self._client_id = client_id
        self._looks = 0

    def looked(self, look: Looked, *, draft_id: str) -> None:
        """A look at the draft ended."""
        self._looks += 1
        self._tell(
            "look", attempt=self._looks, finding=look.evidence, draft_id=draft_id, invoice_id=look.invoice_id
        )

    def concluded(self, submission: Submission, *, sends: int) -> None:
        """The platform took the invoice.

        Args:
            submission: What became of it.
            sends: How often it was sent where an invoice could come of it.
        """
        self._tell(
            "verdict",
            attempt=sends,
            outcome=Outcome.DONE,
            finding=submission.verdict,
            draft_id=submission.draft_id,
            invoice_id=submission.invoice_id,
        )

    def failed(
        self,
        error: BaseException | None,
        *,
        sends: int,
        draft_id: str | None,
        verdict: Verdict | None,
        token: ResumeToken | None,
    ) -> None:
        """It ended with an error, which the caller gets to see.

        Args:
            error: That error; while it passes through, what ``sys.exception()`` shows.
            sends: How often it was sent where an invoice could come of it.
            draft_id: The draft, if there is one.
            verdict: What is known, or ``None`` where it was interrupted before anything was.
            token: How to find out later, where it is in doubt.
        """
        outcome = Outcome(error.outcome) if isinstance(error, CallError) else None
        self._tell(
            "verdict",
            attempt=sends,
            outcome=Outcome.UNKNOWN if token is not None else outcome,
            finding=verdict,
            error=None if error is None else type(error).__name__,
            draft_id=draft_id,
            token=token,
            trace_id=error.trace_id if isinstance(error, CallError) else None,
        )

    def _tell(self, kind: EventKind, *, token: ResumeToken | None = None, **details: Any) -> None:
        if token is None and not self._emitter.hears_everything:
            return
        self._emitter.emit(
            CallEvent(
                kind=kind,
                operation=self._operation,
                elapsed=self._monotonic() - self._began,
                client_id=self._client_id,
                token=token,
                **details,
            )
        )
