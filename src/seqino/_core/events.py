"""What happens in a call, told to the caller's hook and to the logger; never a body, never a secret."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import attrs

from seqino._core.outcome import Outcome
from seqino.errors import ResumeToken
from seqino.errors.facts import one_line

__all__ = ["CallEvent", "Emitter", "EventHook", "EventKind", "log"]

EventKind: TypeAlias = Literal["attempt", "delay", "look", "verdict"]

logger = logging.getLogger("seqino")
# A library is silent where the application sets up no logging.
logger.addHandler(logging.NullHandler())


def log(level: int, message: str, *details: object, **options: Any) -> None:
    """Log something that happens in a call.

    Filters and handlers are foreign code: a fault of theirs must not hide what became of an invoice. It is
    shown on the standard error, where logging shows the faults that handlers report.

    Args:
        level: How grave it is.
        message: What it is, with the places of its details.
        details: What is put there.
        options: As for ``Logger.log``.
    """
    try:
        logger.log(level, message, *details, stacklevel=2, **options)
    except Exception:  # noqa: BLE001 - foreign code
        with contextlib.suppress(OSError, ValueError):
            traceback.print_exc()


@attrs.frozen(kw_only=True)
class CallEvent:
    """One thing that happened in a call, or in a submission, which consists of calls.

    Args:
        kind: ``attempt`` ended; ``delay`` before the next attempt; ``look`` at what became of something in
            doubt ended; ``verdict`` on the whole.
        operation: Name of the operation, such as ``"create_draft"``; of a submission ``"submit"``,
            ``"submit_file"`` or ``"resume"``.
        attempt: Number of the attempt, from 1; 0 before the first. Of a look its own number; in a
            submission's verdict, how often it was sent where an invoice could come of it.
        outcome: What the attempt or the whole proves; ``None`` for a delay and a look.
        status: The HTTP status of a complete answer.
        fault: Why there is no complete answer, in one word.
        error: Name of the error's class that the call raises, or ``None``.
        delay: Seconds until the next attempt.
        elapsed: Seconds since the call, or the submission, began.
        trace_id: What to quote to the platform's support.
        client_id: The client on whose behalf the call is made.
        token: How to find out later what became of it, where that is open.
        finding: What a look showed, or what a submission came to, in one word.
        leftover: Whether something without effect may have been left behind, by this attempt or one before.
        draft_id: The draft that a submission is about.
        invoice_id: What the platform calls the invoice that was found or made.
    """

    kind: EventKind
    operation: str
    attempt: int
    outcome: Outcome | None = None
    status: int | None = None
    fault: str | None = None
    error: str | None = None
    delay: float | None = None
    elapsed: float
    trace_id: str | None = None
    client_id: str | None = None
    token: ResumeToken | None = None
    finding: str | None = None
    leftover: bool = False
    draft_id: str | None = None
    invoice_id: str | None = None


EventHook: TypeAlias = Callable[[CallEvent], object]


class Emitter:
    """Passes events to the hook and the logger.

    Args:
        hook: Called with each event at the moment it happens; it must be quick and must not block.
    """

    __slots__ = ("_hook",)

    def __init__(self, hook: EventHook | None = None) -> None:
        self._hook = hook

    @property
    def hears_everything(self) -> bool:
        """Whether anybody listens to ordinary events too; one that nobody hears need not be made."""
        return self._hook is not None or logger.isEnabledFor(logging.DEBUG)

    def emit(self, event: CallEvent) -> None:
        """Pass one event on."""
        level = _level(event)
        if logger.isEnabledFor(level):
            log(level, "%s", _sentence(event), extra={"seqino": attrs.asdict(event, recurse=False)})
        if self._hook is not None:
            try:
                self._hook(event)
            except Exception:  # noqa: BLE001 - told by the log
                # Foreign code, outside of the exchange: its fault must not hide what became of an invoice.
                log(logging.ERROR, "on_event failed for %s of %s", event.kind, event.operation, exc_info=True)


def _level(event: CallEvent) -> int:
    if event.kind == "delay":
        return logging.INFO
    if event.token is not None:
        # Something may have been done that nobody knows of: a person has to see it.
        return logging.WARNING
    return logging.DEBUG


def _sentence(event: CallEvent) -> str:
    told = {
        "status": event.status,
        "fault": event.fault,
        "error": event.error,
        "trace_id": event.trace_id,
        "client_id": event.client_id,
        "finding": event.finding,
        "leftover": event.leftover or None,
        "draft_id": event.draft_id,
        "invoice_id": event.invoice_id,
    }
    # The platform's words among them must not pass for lines of the log.
    details = "".join(f" {name}={one_line(str(value))}" for name, value in told.items() if value is not None)
    if event.kind == "look":
        return f"{event.operation} look {event.attempt}:{details}"
    where = f"{event.operation} attempt {event.attempt}"
    if event.kind == "delay":
        return f"{where}: next in {event.delay:.2f} s{details}"
    return f"{where}: {event.kind} {event.outcome}{details}"
