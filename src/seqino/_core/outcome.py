"""What one attempt proves. Pure: statuses and faults in, an outcome out."""

from __future__ import annotations

import enum
import functools

import attrs

__all__ = ["Attempt", "FaultKind", "Outcome", "classify_fault", "classify_status"]


class Outcome(enum.StrEnum):
    """What is known after an attempt; nothing but this and the operation's effect drives what follows."""

    NOT_SENT = "not_sent"
    """No byte of the request left."""
    REJECTED = "rejected"
    """A complete answer says that nothing was done."""
    THROTTLED = "throttled"
    """429: nothing was done, and it may be tried again later."""
    DONE = "done"
    """A complete 2xx; what it means for an invoice is read elsewhere."""
    UNKNOWN = "unknown"
    """Everything else: it may have been done."""


class FaultKind(enum.StrEnum):
    """Why an attempt brought no complete answer, in words that do not depend on the HTTP library."""

    UNREACHABLE = "unreachable"
    """Refused, no such host, no connection in time, cut in the TLS handshake."""
    INSECURE = "insecure"
    """The certificate or the proxy was refused: trying again cannot help."""
    UNUSABLE = "unusable"
    """The request could not be put on the wire as it is: trying again cannot help."""
    TIMED_OUT = "timed_out"
    """The time of the attempt ran out."""
    DISCONNECTED = "disconnected"
    """The connection was closed or reset before a complete answer."""
    BROKEN_ANSWER = "broken_answer"
    """What came back is no HTTP, or ends too early."""
    REPEATED = "repeated"
    """A middleware of the caller tried to send the request a second time within one attempt."""
    TOO_LARGE = "too_large"
    """The answer is larger than the client's limit."""
    WITHHELD = "withheld"
    """Whoever was asked before the first byte held it back."""
    ABANDONED = "abandoned"
    """The caller gave up, or foreign code failed, in the middle of the attempt."""


@attrs.frozen(kw_only=True)
class Attempt:
    """How one attempt ended.

    Args:
        outcome: What it proves.
        status: The HTTP status of a complete answer, or ``None``.
        fault: Why there is no complete answer, or ``None``.
        detail: The fault in the HTTP library's own words.
        transient: Whether trying again could help where nothing was sent.
    """

    outcome: Outcome
    status: int | None = None
    fault: FaultKind | None = None
    detail: str = ""
    transient: bool = True


_NOTHING_DONE = frozenset(
    {400, 401, 402, 403, 404, 405, 406, 410, 411, 412, 413, 414}
    | {415, 416, 417, 421, 422, 423, 424, 426, 428, 431, 451}
)
"""Statuses that mean "nothing was done". Not 408, 409 and 425: they may follow an effect."""

_NEVER_SENT = frozenset({FaultKind.UNREACHABLE, FaultKind.INSECURE, FaultKind.UNUSABLE, FaultKind.WITHHELD})
"""Faults that happen before the first byte of a request."""

_HOPELESS = frozenset({FaultKind.INSECURE, FaultKind.UNUSABLE})


@functools.cache
def classify_status(status: int) -> Attempt:
    """Say what a complete answer proves.

    Args:
        status: Its HTTP status.
    """
    if 200 <= status <= 299:  # noqa: PLR2004 - the 2xx class of RFC 9110 §15.3
        outcome = Outcome.DONE
    elif status == 429:  # noqa: PLR2004 - RFC 6585 §4
        outcome = Outcome.THROTTLED
    elif status in _NOTHING_DONE:
        outcome = Outcome.REJECTED
    else:
        outcome = Outcome.UNKNOWN
    return Attempt(outcome=outcome, status=status)


def classify_fault(kind: FaultKind, *, sent: bool | None, detail: str = "") -> Attempt:
    """Say what an attempt without a complete answer proves.

    Args:
        kind: What went wrong.
        sent: Whether the request began to leave; ``None`` where nobody watched, so that the kind must tell.
        detail: The fault in the HTTP library's own words.
    """
    # The mark outranks the kind: a caller's middleware may have sent, and failed to connect afterwards.
    never_sent = kind in _NEVER_SENT if sent is None else not sent
    return Attempt(
        outcome=Outcome.NOT_SENT if never_sent else Outcome.UNKNOWN,
        fault=kind,
        detail=detail,
        transient=kind not in _HOPELESS,
    )
