"""How a failed call is told: from the last attempt to the right error, with what to do next. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import attrs
import msgspec

from seqino._core.faults import MOST_FAULTS
from seqino._core.outcome import Attempt, FaultKind, Outcome
from seqino._core.retry import HARMLESS
from seqino._core.wire import Effect, Operation
from seqino.errors import (
    AuthenticationFailed,
    BadRequest,
    CallError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    ErrorBody,
    Fault,
    InsecureConnection,
    NotFound,
    NotSent,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Rejected,
    ResponseDecodeError,
    ResumeToken,
    ServerError,
    UnexpectedAnswer,
    UnprocessableContent,
)
from seqino.errors.facts import one_line

__all__ = [
    "Ending",
    "crowded_out",
    "details_of",
    "failure",
    "find_trace_id",
    "held_back",
    "is_in_doubt",
    "read_error_body",
    "rejected_by",
    "undecodable",
    "what_happened",
]

_BY_STATUS: Mapping[int, type[Rejected]] = {
    400: BadRequest,
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    422: UnprocessableContent,
    429: RateLimited,
}

_ADVICE: Mapping[type[CallError], str] = {
    BadRequest: "Correct what it names; repeating it as it is will fail again.",
    AuthenticationFailed: "Check the API key (api_key, SEQINO_API_KEY), and that it belongs to this server.",
    PermissionDenied: "Check that the key may do this, and for this client (client_id, mandates).",
    NotFound: "Check the id, the client on whose behalf you call, and the base URL.",
    Conflict: "Read the object's state, then decide.",
    UnprocessableContent: "Correct what is named, then send it again.",
    RateLimited: "Nothing was done: come back later.",
    Rejected: "Nothing was done.",
    ConnectionFailed: "Nothing was sent: check the base URL and the network, then try again.",
    InsecureConnection: "Nothing was sent: check the base URL, its certificate and the proxy.",
    NotSent: "Nothing was sent.",
    DeadlineExceeded: "Repeating is harmless: try again, or give a longer timeout.",
    ServerError: "Repeating is harmless: try again later.",
    UnexpectedAnswer: "Repeating is harmless, but check that the base URL is the platform's.",
    OutcomeUnknown: "It may have been done: find out before you send it again.",
}


@attrs.frozen(kw_only=True)
class Ending:
    """Everything that is known when a call has failed.

    Args:
        operation: What was called.
        attempt: How the last attempt ended.
        attempts: How many were made.
        reason: Why there was no further one, or empty.
        base_url: The server.
        headers: The headers of the last complete answer.
        raw: The body of the last complete answer.
        retry_after: Seconds that the server asked to wait.
        token: How to find out later what became of it.
        may_be_done: Whether an attempt before the last one may have had its effect.
    """

    operation: Operation[Any]
    attempt: Attempt
    attempts: int
    reason: str = ""
    base_url: str
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    raw: bytes = b""
    retry_after: float | None = None
    token: ResumeToken | None = None
    may_be_done: bool = False


def failure(ending: Ending) -> CallError:
    """Return the error that tells how a call failed."""
    kind = _kind(ending.attempt, ending.operation.effect)
    details = details_of(ending)
    if issubclass(kind, Rejected) and ending.attempt.outcome is Outcome.UNKNOWN:
        # A conflict that answers an operation which changes nothing more proves as much as a refusal.
        details["outcome"] = Outcome.REJECTED
    message = _message(ending, kind, trace_id=details["trace_id"])
    if issubclass(kind, OutcomeUnknown):
        return kind(message, token=ending.token, **details)
    return kind(message, **details)


def details_of(ending: Ending) -> dict[str, Any]:
    """Return what every error of a call tells besides its message, by argument."""
    answered = ending.attempt.status is not None
    body = read_error_body(ending.raw) if answered else None
    return {
        "operation": ending.operation.name,
        "attempts": ending.attempts,
        "outcome": ending.attempt.outcome,
        "status": ending.attempt.status,
        "trace_id": find_trace_id(body, ending.headers) if answered else None,
        "body": body,
        "raw": ending.raw,
        "retry_after": ending.retry_after,
    }


def held_back(operation: Operation[Any], told: float) -> RateLimited:
    """Return the error for a call that was not begun: the server's pause outlasts its timeout.

    Args:
        operation: What was to be called.
        told: Seconds that the server still wants to be left alone.
    """
    return RateLimited(
        f"{operation.name}: the server asked this client to wait {told:.1f} s more, longer than the timeout "
        f"allows. {_ADVICE[RateLimited]}",
        operation=operation.name,
        attempts=0,
        outcome=Outcome.NOT_SENT,
        retry_after=told,
    )


def crowded_out(operation: Operation[Any], timeout: float) -> DeadlineExceeded:
    """Return the error for a call that was not begun: the client's own limits left no room for it.

    Args:
        operation: What was to be called.
        timeout: Seconds that the call had.
    """
    return DeadlineExceeded(
        f"{operation.name}: nothing was sent within {timeout:.1f} s, as this client's own limits "
        f"(max_concurrency, requests_per_second) left no room. {_ADVICE[DeadlineExceeded]}",
        operation=operation.name,
        attempts=0,
        outcome=Outcome.NOT_SENT,
    )


def undecodable(ending: Ending, *, faults: Iterable[tuple[str, str]]) -> ResponseDecodeError:
    """Return the error for a complete 2xx whose body is not as described.

    Args:
        ending: What is known of the call.
        faults: What is wrong with the body, with paths.
    """
    operation, status = ending.operation, ending.attempt.status
    return ResponseDecodeError(
        f"{operation.name} was done ({ending.base_url} answered {status}), but the answer is not as "
        "described. Do not repeat it for this reason: the answer's bytes are in raw.",
        operation=operation.name,
        attempts=ending.attempts,
        outcome=Outcome.DONE,
        status=status,
        trace_id=find_trace_id(None, ending.headers),
        raw=ending.raw,
        faults=faults,
    )


def is_in_doubt(attempt: Attempt, effect: Effect) -> bool:
    """Whether something may have been done that a second send would do twice."""
    return attempt.outcome is Outcome.UNKNOWN and effect not in HARMLESS


def _kind(attempt: Attempt, effect: Effect) -> type[CallError]:
    if is_in_doubt(attempt, effect):
        return OutcomeUnknown
    if attempt.fault is FaultKind.TIMED_OUT:
        return DeadlineExceeded
    if attempt.outcome is Outcome.NOT_SENT:
        return _NOT_SENT.get(attempt.fault, ConnectionFailed)
    return _answered(attempt)


_NOT_SENT: Mapping[FaultKind | None, type[NotSent]] = {
    FaultKind.INSECURE: InsecureConnection,
    FaultKind.UNUSABLE: NotSent,
    FaultKind.WITHHELD: NotSent,
}


def rejected_by(status: int | None) -> type[Rejected]:
    """Return the class of the error for a refusal.

    Args:
        status: Its HTTP status; ``None`` for one that a 2xx carried.
    """
    return _BY_STATUS.get(status or 0, Rejected)


def _answered(attempt: Attempt) -> type[CallError]:
    if attempt.status is None:
        return UnexpectedAnswer
    if attempt.status in _BY_STATUS:
        return _BY_STATUS[attempt.status]
    if attempt.outcome is Outcome.REJECTED:
        return Rejected
    return ServerError if attempt.status >= 500 else UnexpectedAnswer  # noqa: PLR2004 - RFC 9110 §15.6


_FAULT_WORDS: Mapping[FaultKind, str] = {
    FaultKind.UNREACHABLE: "no connection to {server}",
    FaultKind.INSECURE: "the connection to {server} was refused as insecure",
    FaultKind.UNUSABLE: "the request to {server} cannot be put on the wire",
    FaultKind.TIMED_OUT: "no complete answer from {server} in time",
    FaultKind.DISCONNECTED: "{server} closed the connection before a complete answer",
    FaultKind.BROKEN_ANSWER: "{server} sent no well-formed answer",
    FaultKind.REPEATED: "a middleware tried to send the request to {server} again, which only the client may",
    FaultKind.TOO_LARGE: "the answer of {server} is larger than the limit",
    FaultKind.WITHHELD: "the request to {server} was held back before its first byte",
    FaultKind.ABANDONED: "the call was abandoned before the answer of {server}",
}


def what_happened(ending: Ending) -> str:
    """Say of which call an error tells, and how its last attempt ended: a sentence."""
    operation, attempt = ending.operation, ending.attempt
    if attempt.fault is not None:
        what = _FAULT_WORDS[attempt.fault].format(server=ending.base_url)
        if attempt.detail:
            what += f" ({attempt.detail})"
    elif attempt.status is not None:
        what = f"{ending.base_url} answered {_status_line(attempt.status)}"
        body = read_error_body(ending.raw)
        if body is not None and body.message:
            what += f": {body.message}"
    else:
        what = "its end was unclear"
    tried = "" if ending.attempts == 1 else f" after {ending.attempts} attempts"
    return f"{operation.name} ({operation.method} {operation.path}){tried}: {what}."


def _message(ending: Ending, kind: type[CallError], *, trace_id: str | None) -> str:
    sentences = [what_happened(ending)]
    if ending.reason:
        sentences.append(f"Not tried again: {ending.reason}.")
    if ending.retry_after is not None:
        sentences.append(f"The server asks to wait {ending.retry_after:g} s.")
    sentences.append(_ADVICE[kind])
    sentences += _doubts(ending)
    if trace_id is not None:
        sentences.append(f"For the platform's support: trace id {trace_id}.")
    return " ".join(sentences)


def _doubts(ending: Ending) -> list[str]:
    """What may have been done without effect, or before the last attempt."""
    effect = ending.operation.effect
    is_unclear = ending.attempt.outcome is Outcome.UNKNOWN
    if effect is Effect.DISPOSABLE and (ending.may_be_done or is_unclear):
        return ["What it makes may have been left behind, and has no effect."]
    if effect is Effect.IDEMPOTENT and ending.may_be_done and not is_unclear:
        return ["An earlier attempt may have been done all the same."]
    if is_in_doubt(ending.attempt, effect) and ending.operation.look_up is not None:
        return ["client.resume(error.token) looks what became of it."]
    return []


def _status_line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


_TRACE_HEADERS = ("X-Trace-Id", "X-Request-Id")


def find_trace_id(body: ErrorBody | None, headers: Mapping[str, str]) -> str | None:
    """What to quote to the platform's support: from the error body, else from a header."""
    if body is not None and body.trace_id:
        return body.trace_id
    return next((text for name in _TRACE_HEADERS if (text := _text_of(headers.get(name)))), None)


_LARGEST_ERROR = 1_000_000
"""Bytes of an error answer that are read: one that is longer is none of the platform's."""


def read_error_body(raw: bytes) -> ErrorBody | None:
    """Read what can be read of an error answer; ``None`` where it is no JSON object.

    Args:
        raw: The body as it was received: the platform's ErrorResponse, the details of a 422, or else.
    """
    if len(raw) > _LARGEST_ERROR:
        return None
    try:
        data: Any = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    body = _object(data)
    if body is None:
        return None
    detail = body.get("detail")
    code = body.get("code")
    return ErrorBody(
        message=_text_of(body.get("error")) or _text_of(detail) or _text_of(body.get("message")),
        code=code if isinstance(code, int) and not isinstance(code, bool) else None,
        trace_id=_text_of(body.get("trace_id")),
        faults=tuple(_faults(detail)),
    )


def _object(value: Any) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _list(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list) else ()


def _text_of(value: Any) -> str | None:
    return one_line(value) or None if isinstance(value, str) else None


def _faults(detail: Any) -> list[Fault]:
    """The entries of FastAPI's 422 body that can be read."""
    entries = [entry for each in _list(detail)[:MOST_FAULTS] if (entry := _object(each)) is not None]
    return [Fault(_path(entry.get("loc")), _text_of(entry.get("msg")) or "is not valid") for entry in entries]


def _path(loc: Any) -> str:
    """``["body", "lines", 0, "quantity"]`` as ``$.lines[0].quantity``; other places keep their name."""
    path = ""
    for position, step in enumerate(_list(loc)):
        if position == 0 and step == "body":
            path = "$"
        elif isinstance(step, int):
            path += f"[{step}]"
        else:
            path += f".{step}" if path else str(step)
    return one_line(path) or "$"
