"""What became of each invoice, and what all of them make together. Pure."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import attrs

from seqino.cli.plan import Invoice
from seqino.errors import ResumeToken
from seqino.statuses import StatusMeaning

if TYPE_CHECKING:
    from collections.abc import Iterable


__all__ = ["End", "ExitCode", "Result", "Tally"]


class ExitCode(IntEnum):
    """What a command tells the shell."""

    OK = 0
    FAILURE = 1
    INPUT = 2
    """Wrong usage, or input that cannot be used."""
    REJECTED = 3
    """Some invoices were refused, by the platform or by their buyer."""
    IN_DOUBT = 4
    """Of some invoices nobody can tell yet whether they were submitted."""
    INTERRUPTED = 130
    """Following was stopped by Ctrl-C, as shells tell it (128 + SIGINT); nothing is lost by that."""


class End(StrEnum):
    """How things stand with an invoice."""

    PAID = "paid"
    REFUSED = "refused"
    """By the buyer (210)."""
    REJECTED = "rejected"
    """By a platform, on issue or on receipt (213)."""
    CANCELLED = "cancelled"
    """Replaced by a corrective invoice (220)."""
    DUPLICATE = "duplicate"
    """This delivery was rejected (213 DOUBLON); the invoice that the network holds keeps its state."""
    NOT_DELIVERED = "not delivered"
    """Issued, but the buyer has no platform or could not be reached (200 NON_TRANSMISE, 221)."""
    OPEN = "open"
    """Submitted, and not at an end when following stopped."""
    SUBMITTED = "submitted"
    """Submitted, and not followed."""
    IN_DOUBT = "in doubt"
    """Perhaps submitted: it must not be sent again before somebody can tell."""
    TURNED_AWAY = "turned away"
    """The platform refused the data; no invoice exists."""
    REFUSED_BEFORE = "refused before sending"
    FAILED = "failed"
    """The call failed, and nothing was submitted."""
    NOT_SUBMITTED = "not submitted"
    """Its turn never came, or nothing of it left."""

    @property
    def is_rejection(self) -> bool:
        """Whether a platform or the buyer refused it."""
        return self in _REJECTED


_SETTLED = frozenset({End.PAID, End.REFUSED, End.REJECTED, End.CANCELLED, End.DUPLICATE, End.NOT_DELIVERED})
_SUBMITTED = _SETTLED | {End.OPEN, End.SUBMITTED}
_REJECTED = frozenset({End.REFUSED, End.REJECTED, End.DUPLICATE, End.TURNED_AWAY})
_FAILED = frozenset({End.FAILED, End.NOT_SUBMITTED})


@attrs.frozen(kw_only=True)
class Result:
    """What became of one invoice.

    Args:
        invoice: What was to be submitted.
        end: How things stand.
        reason: Why, in a sentence or with the platform's own words; empty where there is nothing to say.
        invoice_id: What the platform calls it, or ``None``.
        draft_id: The draft it was made of, or ``None``; the thing to look at where it is in doubt.
        number: Its number (BT-1), of the file or given by the platform.
        status: Its last status, or ``None``.
        token: How to find out later, where it is in doubt and was not lost altogether; else ``None``.
    """

    invoice: Invoice
    end: End = End.NOT_SUBMITTED
    reason: str = ""
    invoice_id: str | None = None
    draft_id: str | None = None
    number: str | None = None
    status: StatusMeaning | None = None
    token: ResumeToken | None = None


@attrs.frozen(kw_only=True)
class Tally:
    """All results counted.

    Args:
        ends: How many invoices stand at each end, refused files included; without ends that nobody reached.
    """

    ends: dict[End, int]

    @classmethod
    def of(cls, results: Iterable[Result], *, refused: int) -> Tally:
        """Count results, and the files that were refused before anything was sent."""
        counts = dict.fromkeys(End, 0)
        for result in results:
            counts[result.end] += 1
        counts[End.REFUSED_BEFORE] += refused
        return cls(ends={end: count for end, count in counts.items() if count})

    def count(self, *ends: End) -> int:
        """How many stand at one of some ends."""
        return sum(self.ends.get(end, 0) for end in ends)

    @property
    def submitted(self) -> int:
        """Invoices that the platform took; those in doubt are counted apart."""
        return self.count(*_SUBMITTED)

    @property
    def settled(self) -> int:
        """Invoices that reached an end of following, good or bad."""
        return self.count(*_SETTLED)

    @property
    def in_doubt(self) -> int:
        """Invoices of which nobody can tell yet."""
        return self.count(End.IN_DOUBT)

    @property
    def failed(self) -> int:
        """Invoices that should have been submitted and were not."""
        return self.count(*_FAILED)

    @property
    def exit_code(self) -> ExitCode:
        """The worst of what happened, doubts first: they are what somebody has to look at."""
        if self.in_doubt:
            return ExitCode.IN_DOUBT
        if self.count(*_REJECTED):
            return ExitCode.REJECTED
        if self.failed:
            return ExitCode.FAILURE
        return ExitCode.INPUT if self.count(End.REFUSED_BEFORE) else ExitCode.OK
