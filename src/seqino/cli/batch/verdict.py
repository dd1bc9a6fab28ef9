"""What the shell is told of a ledger, or of a run of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.batch.states import DUE, State
from seqino.cli.result import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ATTENTION", "LEFT", "exit_code", "worst"]

_DOUBTFUL = (State.IN_DOUBT, State.PARKED)
_BAD = (State.REJECTED, State.INVALID, State.DEAD, State.DUPLICATE, State.NOT_DELIVERED)

ATTENTION = frozenset({*_DOUBTFUL, *_BAD, State.ACCEPTED_UNIDENTIFIED})
"""What somebody has to look at."""

LEFT = DUE | {State.SENDING, State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED}
"""What working on a run again may change."""


def exit_code(counts: Mapping[State, int], *, refused: int = 0) -> ExitCode:
    """Return the worst of what happened, doubts first: they are what somebody has to look at.

    Args:
        counts: How many invoices are in which state.
        refused: How many of a source were not taken.
    """
    # What is being sent is perhaps on its way: with that a command has not ended well.
    if any(counts.get(state) for state in (*_DOUBTFUL, State.SENDING)):
        return ExitCode.IN_DOUBT
    return ExitCode.REJECTED if refused or any(counts.get(state) for state in _BAD) else ExitCode.OK


_ORDER = (ExitCode.OK, ExitCode.REJECTED, ExitCode.INPUT, ExitCode.FAILURE, ExitCode.IN_DOUBT)


def worst(codes: Sequence[ExitCode]) -> ExitCode:
    """Return the exit code that tells of the worst."""
    return max(codes, key=_ORDER.index, default=ExitCode.OK)
