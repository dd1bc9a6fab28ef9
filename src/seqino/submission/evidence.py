"""What happens in a submission: its events, what answers and drafts prove, and how it ends. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "Answered",
    "Committed",
    "Created",
    "Event",
    "Evidence",
    "Looked",
    "Lost",
    "NotDone",
    "Reading",
    "Refused",
    "Replaced",
    "Submission",
    "TimeUp",
    "Verdict",
    "read_answer",
    "read_draft",
]


class Verdict(StrEnum):
    """How a submission ended."""

    ACCEPTED = "accepted"
    """The platform has the invoice, and named it."""
    ACCEPTED_UNIDENTIFIED = "accepted_unidentified"
    """The platform took it, but shows no id; never to be counted as settled."""
    REJECTED = "rejected"
    """The platform refused it; no invoice exists."""
    IN_DOUBT = "in_doubt"
    """Nobody can tell yet. It must not be submitted again before somebody can."""
    NOT_SUBMITTED = "not_submitted"
    """It never reached the point at which an invoice could come of it; submitting again is harmless."""


@attrs.frozen(kw_only=True)
class Submission:
    """What became of an invoice that the platform took.

    Args:
        verdict: ``ACCEPTED``, or ``ACCEPTED_UNIDENTIFIED`` where the platform showed no id.
        invoice_id: What the platform calls the invoice, or ``None``. Lifecycle events are found by it.
        invoice_number: Number of the invoice (BT-1), where the platform told it.
        draft_id: The draft it was made of; ``None`` for a file.
        status: The platform's own word for the state of the invoice, or ``None``.
        answer: The answer that said so, as it was decoded.
    """

    verdict: Verdict
    invoice_id: str | None = None
    invoice_number: str | None = None
    draft_id: str | None = None
    status: str | None = None
    answer: object = attrs.field(default=None, repr=False)


class Reading(StrEnum):
    """What a 2xx says: that it came is not yet acceptance."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNCLEAR = "unclear"
    """A status that is not one of success, such as ``draft``, or one that nobody described."""
    UNIDENTIFIED = "unidentified"
    """Neither an id nor a refusal."""


class Evidence(StrEnum):
    """What a look at a draft shows."""

    CONSUMED = "consumed"
    """It became an invoice, whose id is known."""
    STILL_DRAFT = "still_draft"
    CANNOT_TELL = "cannot_tell"
    """Not found, or the fields that would tell are not shown: neither a yes nor a no."""
    CONTRARY = "contrary"
    """It shows an invoice in words that are not known: that proves none, and no refusal stands beside it."""
    FAILED = "failed"
    """The look itself failed, which is no answer."""
    DENIED = "denied"
    """The look failed, as any other would that is made now."""


_SUCCESS = frozenset({"submitted", "validated", "processed"})
_DRAFT = "draft"
_REJECTED = "rejected"


def read_answer(
    *, invoice_id: str | None, status: str | None, errors: Sequence[object] | None = None
) -> Reading:
    """Read a 2xx of a validation or an upload.

    Args:
        invoice_id: The id in the answer, if any.
        status: The status in the answer, as it came; ``None`` where it has none.
        errors: What the answer complains of.
    """
    if status == _REJECTED or errors:
        return Reading.REJECTED
    if not invoice_id and (status is None or status in _SUCCESS):
        return Reading.UNIDENTIFIED
    return Reading.ACCEPTED if status is None or status in _SUCCESS else Reading.UNCLEAR


def read_draft(*, invoice_id: str | None, status: str | None) -> Evidence:
    """Read what a draft shows of itself; fields that are not shown prove nothing."""
    if invoice_id and (status is None or status in _SUCCESS):
        return Evidence.CONSUMED
    if status == _DRAFT and not invoice_id:
        return Evidence.STILL_DRAFT
    shows_one = bool(invoice_id) or status in _SUCCESS
    return Evidence.CONTRARY if shows_one and status != _REJECTED else Evidence.CANNOT_TELL


@attrs.frozen
class Created:
    """The draft was created; ``None`` where the answer does not name it."""

    draft_id: str | None


@attrs.frozen
class Committed:
    """The id is kept."""


@attrs.frozen
class Replaced:
    """The draft holds the content that is to become the invoice."""


@attrs.frozen(kw_only=True)
class Answered:
    """A readable 2xx came at ``now``."""

    now: float
    reading: Reading
    invoice_id: str | None = None
    invoice_number: str | None = None


@attrs.frozen
class Refused:
    """A complete answer came at ``now`` and says that nothing was done."""

    now: float


@attrs.frozen
class NotDone:
    """Nothing left, or it was turned away unread (429): no verdict on the invoice."""

    now: float


@attrs.frozen
class Lost:
    """It may have been done: the end is unclear, or the answer cannot be read."""

    now: float


@attrs.frozen(kw_only=True)
class Looked:
    """A look that was begun at ``begun`` ended at ``now``."""

    begun: float
    now: float
    evidence: Evidence
    invoice_id: str | None = None
    invoice_number: str | None = None


@attrs.frozen
class TimeUp:
    """The time ran out before the last action could be begun."""


Event: TypeAlias = Created | Committed | Replaced | Answered | Refused | NotDone | Lost | Looked | TimeUp
