"""What became of an invoice that was submitted, as a card or a JSON line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.submission import Verdict

if TYPE_CHECKING:
    from seqino.cli.command import Session
    from seqino.submission import Submission

__all__ = ["say_submission"]


def say_submission(session: Session, submission: Submission) -> None:
    """Say what became of it; without an id it is taken, and cannot be followed."""
    session.out.one(
        {
            "verdict": submission.verdict,
            "invoice_id": submission.invoice_id,
            "invoice_number": submission.invoice_number,
            "draft_id": submission.draft_id,
            "status": submission.status,
        }
    )
    if submission.verdict is Verdict.ACCEPTED_UNIDENTIFIED:
        session.out.note(
            "it was taken, and its id was not shown: look for it on the platform, never send it again"
        )
