"""How a call in doubt is told whose object was looked for, and not found as it was sent. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.failures import details_of, what_happened
from seqino._core.outcome import Outcome
from seqino._core.reconcile import SETTLE, Finding
from seqino.errors import (
    AnswerLost,
    CallError,
    DuplicateDetected,
    ErrorBody,
    Fault,
    OutcomeUnknown,
    ReconcileMismatch,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seqino._core.failures import Ending
    from seqino._core.reconcile import LookedUp
    from seqino._core.wire import LookUp, Operation
    from seqino.errors import ResumeToken

__all__ = ["answer_lost", "not_to_be_looked_up", "unsettled"]


def unsettled(ending: Ending, result: LookedUp, *, look_up: LookUp) -> CallError:
    """Return the error for a call whose object was looked for.

    Args:
        ending: What is known of the call.
        result: How the search ended, other than with what was sent.
        look_up: How it was looked for.
    """
    details = details_of(ending)
    finding = result.judgement.finding
    if result.decided and finding in (Finding.TWICE, Finding.DIFFERENT):
        details["raw"] = b"[" + b",".join(result.judgement.found) + b"]"
    if result.decided and finding is Finding.TWICE:
        return DuplicateDetected(
            f"{what_happened(ending)} {look_up.operation} shows it {len(result.judgement.found)} times. Do "
            "not send it again; decide which one is to stay (error.raw has them), and remove the others.",
            **details,
        )
    if result.decided and finding is Finding.DIFFERENT:
        faults = tuple(
            Fault(f"${_dotted(each)}", "is not what was sent") for each in result.judgement.differences
        )
        details["body"] = attrs.evolve(details["body"] or ErrorBody(), faults=faults)
        return ReconcileMismatch(
            f"{what_happened(ending)} {look_up.operation} shows something under the same key that is not "
            "what was sent. Compare it (error.raw) with what you want: use it as it is, change it, or choose "
            "another key.",
            **details,
        )
    return OutcomeUnknown(f"{what_happened(ending)} {_open(result, look_up)}", token=ending.token, **details)


def _dotted(pointer: str) -> str:
    return pointer.replace("/", ".")


def _open(result: LookedUp, look_up: LookUp) -> str:
    """What is to be said where nothing decides."""
    if result.judgement.finding is Finding.DENIED:
        return (
            "It may have been done: do not send it again. What became of it cannot be looked at, and would "
            f"not be by looking again: {result.judgement.why} Once that is mended, "
            "client.resume(error.token) looks further."
        )
    if not result.decided:
        return (
            "It may have been done, and the time ran out before that could be settled: do not send it again; "
            "client.resume(error.token) looks further."
        )
    part = "only a part of it" if result.judgement.finding is Finding.PARTLY else "nothing of it"
    return (
        f"{look_up.operation} shows {part}, {SETTLE:g} s after it was sent last. That makes it unlikely that "
        "it was done, and is no proof: look again later (client.resume(error.token)), or ask the platform, "
        "before you send it again."
    )


def answer_lost(
    ending: Ending, *, faults: Iterable[tuple[str, str]], look_up: LookUp, was_refused: bool
) -> AnswerLost:
    """Return the error for what is there as it was sent, and whose answer cannot be had again.

    Args:
        ending: What is known of the call; ``raw`` is what was found.
        faults: What is missing of the answer, with paths.
        look_up: How it was found.
        was_refused: Whether the only send was refused with 409, so that an earlier call made it.
    """
    operation = ending.operation
    if was_refused:
        told = (
            f"{operation.name} was refused (409), and changed nothing: {look_up.operation} shows that there "
            "is one already, just as it was sent. What only the answer to its creation tells is not shown "
            "again; error.raw is what was found."
        )
    else:
        told = (
            f"{operation.name} was done: {look_up.operation} shows what it made. Do not send it again. The "
            "answer itself was lost, and with it what nothing else tells; error.raw is what was found."
        )
    return AnswerLost(
        f"{told} {look_up.advice}".rstrip(),
        operation=operation.name,
        attempts=ending.attempts,
        outcome=Outcome.DONE,
        status=ending.attempt.status,
        raw=ending.raw,
        faults=faults,
    )


def not_to_be_looked_up(operation: Operation[Any], token: ResumeToken) -> OutcomeUnknown:
    """Return the error for a call in doubt of which no operation shows what became of it.

    Args:
        operation: What was called.
        token: Of that call.
    """
    return OutcomeUnknown(
        f"{operation.name} may have been done, and no operation of the API shows whether. Do not send it "
        "again: ask the platform what became of it.",
        token=token,
        operation=operation.name,
        attempts=token.attempts,
        outcome=Outcome.UNKNOWN,
    )
