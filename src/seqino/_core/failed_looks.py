"""What a failed look says: that nothing is shown, that it may pass, or that it would fail again. Pure."""

from __future__ import annotations

import enum

from seqino._core.outcome import Outcome
from seqino.errors import CallError, ConnectionFailed, NotSent, SeqinoError
from seqino.errors.facts import one_line

__all__ = ["FailedLook", "prevented", "read_failed_look"]


class FailedLook(enum.StrEnum):
    """What the failure of a look says."""

    NOT_SHOWN = "not_shown"
    """The answer is complete: nothing is shown under this name."""
    PASSING = "passing"
    """It is no answer, and the next look may bring one."""
    DENIED = "denied"
    """Any look in the time that is left would fail in the same way."""


_NOT_SHOWN = frozenset({404, 410})

_PASSING = frozenset({409, 421, 423, 424})
"""Refusals of a state that may change by itself: a conflict, a lock, a connection to the wrong server."""

_UNAUTHENTICATED = 401


def read_failed_look(error: CallError, *, left: float, key_is_fixed: bool) -> FailedLook:
    """Say what the failure of a look means for further ones.

    Args:
        error: How it failed.
        left: Seconds that are left to look.
        key_is_fixed: Whether each look is made with the same key; one that is fetched may be another by then.
    """
    if error.status in _NOT_SHOWN:
        return FailedLook.NOT_SHOWN
    if error.retry_after is not None and error.retry_after > left:
        return FailedLook.DENIED
    if isinstance(error, NotSent):
        # A certificate that is not trusted, or what cannot be put on the wire: no repetition changes it.
        return FailedLook.PASSING if isinstance(error, ConnectionFailed) else FailedLook.DENIED
    if error.outcome != Outcome.REJECTED or error.status in _PASSING:
        return FailedLook.PASSING
    if error.status == _UNAUTHENTICATED and not key_is_fixed:
        return FailedLook.PASSING
    return FailedLook.DENIED


def prevented(error: Exception) -> str:
    """Say what kept a look from being made: that the client was closed, or that foreign code failed.

    Args:
        error: What came out of the look, other than the failure of a call.
    """
    if isinstance(error, SeqinoError):
        return f"{one_line(str(error)).rstrip('.')}."
    # What others say may hold anything.
    return f"{type(error).__name__} came out of it."
