"""Every error of the SDK, as one tree.

::

    SeqinoError
    ├── ConfigurationError          nothing can be called this way
    │   ├── MissingExtra            an optional dependency is not installed
    │   ├── ClientClosed            the client was closed
    │   └── WrongEventLoop          the client belongs to another event loop
    ├── InvalidInput                refused before anything was sent (also a ValueError)
    ├── NotReached                  an invoice came to an end, and not to what was waited for
    │   └── WaitTimedOut            it did not come to it in time (also a TimeoutError)
    └── CallError                   one logical call failed; has operation, attempts, outcome, status
        ├── NotSent                 no byte of the request left
        │   ├── ConnectionFailed    the server could not be reached
        │   └── InsecureConnection  its certificate or the proxy was refused
        ├── DeadlineExceeded        the time ran out, and repeating is harmless
        ├── Rejected                a complete answer says that nothing was done
        │   ├── BadRequest          400
        │   ├── AuthenticationFailed 401
        │   ├── PermissionDenied    403
        │   ├── NotFound            404
        │   ├── Conflict            409 where it proves that nothing was done
        │   ├── UnprocessableContent 422
        │   └── RateLimited         429
        ├── ServerError             5xx answering a call that may be repeated
        ├── UnexpectedAnswer        any other status, or a broken answer, to a call that may be repeated
        ├── ResponseDecodeError     done, but the answer cannot be read
        │   └── AnswerLost          done and found, but not what its lost answer alone told
        ├── BrokenPages             the pages of a list lead nowhere, or round in circles
        ├── ReconcileMismatch       something is there under the same key, and it is not what was sent
        ├── DuplicateDetected       what was sent is there more than once
        └── OutcomeUnknown          it may have been done: never repeat blindly

All of them hold plain data only, so that ``pickle``, ``copy`` and ``deepcopy`` keep them whole. None of them
holds a secret.
"""

# ruff: noqa: N818 - the names say what happened; in `except NotFound:` a suffix "Error" would say nothing more.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino.errors.facts import ErrorBody, Fault, PageToken, ResumeToken, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "AnswerLost",
    "AuthenticationFailed",
    "BadRequest",
    "BrokenPages",
    "CallError",
    "ClientClosed",
    "ConfigurationError",
    "Conflict",
    "ConnectionFailed",
    "DeadlineExceeded",
    "DuplicateDetected",
    "ErrorBody",
    "Fault",
    "InsecureConnection",
    "InvalidInput",
    "MissingExtra",
    "NotFound",
    "NotReached",
    "NotSent",
    "OutcomeUnknown",
    "PageToken",
    "PermissionDenied",
    "RateLimited",
    "ReconcileMismatch",
    "Rejected",
    "ResponseDecodeError",
    "ResumeToken",
    "SeqinoError",
    "ServerError",
    "UnexpectedAnswer",
    "UnprocessableContent",
    "WaitTimedOut",
    "WrongEventLoop",
]

_FAULTS_SHOWN = 20


class SeqinoError(Exception):
    """Base of all errors of the SDK."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls the class with self.args, which loses keyword-only arguments.
        return _restore, (type(self), self.args, self.__dict__.copy())


def _restore(cls: type[SeqinoError], args: tuple[Any, ...], state: dict[str, Any]) -> SeqinoError:
    error = cls.__new__(cls, *args)
    # An OSError takes them later, in an __init__ that is not called here.
    error.args = args
    error.__dict__.update(state)
    return error


class ConfigurationError(SeqinoError):
    """Nothing can be called this way: an argument, a variable of the environment or the set-up is wrong."""


class MissingExtra(ConfigurationError):
    """An optional dependency is not installed.

    Args:
        extra: Name of the extra that brings it, such as ``"cli"``.
        purpose: What it is needed for, such as ``"The seqino command"``.
    """

    extra: str

    def __init__(self, extra: str, *, purpose: str) -> None:
        super().__init__(f"{purpose} needs the extra {extra!r}: pip install 'seqino[{extra}]'")
        self.extra = extra


class ClientClosed(ConfigurationError):
    """The client was closed."""


class WrongEventLoop(ConfigurationError):
    """The client belongs to another event loop."""


class InvalidInput(SeqinoError, ValueError):
    """Refused before anything was sent.

    Args:
        message: What was refused and what to do.
        faults: Each thing that is wrong, as ``(path, message)``.
    """

    faults: tuple[Fault, ...]

    def __init__(self, message: str, *, faults: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(Fault(*fault) for fault in faults)

    def __str__(self) -> str:
        return "\n".join([self.args[0], *_fault_lines(self.faults)])


def _fault_lines(faults: tuple[Fault, ...]) -> list[str]:
    lines = [f"  {one_line(path)}: {one_line(message)}" for path, message in faults[:_FAULTS_SHOWN]]
    if len(faults) > _FAULTS_SHOWN:
        lines.append(f"  … and {len(faults) - _FAULTS_SHOWN} more")
    return lines


class NotReached(SeqinoError):
    """An invoice, or a mandate, came to an end, and not to what was waited for.

    Args:
        message: What was waited for, and what there was instead.
        object_id: The invoice, or the mandate.
        history: An invoice's lifecycle events, as ``lifecycle.history`` returns them; a mandate as it was
            seen in each of its states, the last of them last.
        unreadable: What came as an event of the invoice, and cannot be read (``UnreadableEvent``).
    """

    object_id: str
    history: Sequence[Any]
    unreadable: Sequence[Any]

    def __init__(
        self,
        message: str,
        *,
        object_id: str = "",
        history: Sequence[Any] = (),
        unreadable: Sequence[Any] = (),
    ) -> None:
        super().__init__(message)
        self.object_id = object_id
        self.history = list(history)
        self.unreadable = list(unreadable)


class WaitTimedOut(NotReached, TimeoutError):
    """It did not come to what was waited for in time; waiting again goes on from there."""


class CallError(SeqinoError):
    """One logical call failed.

    Args:
        message: What happened, where, and what to do next.
        operation: Name of the operation, such as ``"create_draft"``.
        attempts: How many times it was tried.
        outcome: What the last attempt proves: ``not_sent``, ``rejected``, ``throttled``, ``done`` or
            ``unknown``.
        status: The HTTP status of the last complete answer, or ``None``.
        trace_id: What to quote to the platform's support, or ``None``.
        body: The error answer, as far as it could be read.
        raw: The answer's body as it was received.
        retry_after: Seconds that the server asked to wait, or ``None``.

    Where it ended the reading of a list, ``continuation`` is the token of the page that it did not get;
    ``None`` for the first page.
    """

    continuation: PageToken | None = None
    operation: str
    attempts: int
    outcome: str
    status: int | None
    trace_id: str | None
    body: ErrorBody | None
    raw: bytes
    retry_after: float | None

    def __init__(
        self,
        message: str,
        *,
        operation: str,
        attempts: int = 1,
        outcome: str = "unknown",
        status: int | None = None,
        trace_id: str | None = None,
        body: ErrorBody | None = None,
        raw: bytes = b"",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.attempts = attempts
        self.outcome = str(outcome)
        self.status = status
        self.trace_id = trace_id
        self.body = body
        self.raw = raw
        self.retry_after = retry_after

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The single faults that the platform named, with their paths; empty where it named none."""
        return self.body.faults if self.body is not None else ()

    def __str__(self) -> str:
        return "\n".join([self.args[0], *_fault_lines(self.faults)])


class NotSent(CallError):
    """No byte of the request left; the platform knows nothing of it."""


class ConnectionFailed(NotSent):
    """The server could not be reached: refused, no such host, or no connection in time."""


class InsecureConnection(NotSent):
    """The server's certificate or the proxy was refused; trying again cannot help."""


class DeadlineExceeded(CallError):
    """The time ran out, and repeating is harmless."""


class Rejected(CallError):
    """A complete answer says that nothing was done."""


class BadRequest(Rejected):
    """400: the platform could not accept the request."""


class AuthenticationFailed(Rejected):
    """401: the API key is missing, wrong or expired."""


class PermissionDenied(Rejected):
    """403: the key may not do this, or not for this client."""


class NotFound(Rejected):
    """404: there is no such object for this client."""


class Conflict(Rejected):
    """409 where it proves that nothing was done."""


class UnprocessableContent(Rejected):
    """422: the content breaks a rule; ``faults`` names each with its path."""


class RateLimited(Rejected):
    """429: too many requests; ``retry_after`` tells the seconds to wait, where the server told them."""


class ServerError(CallError):
    """5xx answering a call that may be repeated."""


class UnexpectedAnswer(CallError):
    """Any other status, or a broken answer, to a call that may be repeated."""


class ResponseDecodeError(CallError):
    """It was done, but the answer cannot be read; ``raw`` keeps it. Never repeat it for this reason.

    ``faults`` names what in the answer is not as described, with paths.
    """

    def __init__(self, message: str, *, faults: Iterable[tuple[str, str]] = (), **details: Any) -> None:
        super().__init__(message, **details)
        self._faults = tuple(Fault(*fault) for fault in faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What in the answer is not as described, with paths."""
        return self._faults


class AnswerLost(ResponseDecodeError):
    """It was done, as a look shows; what its lost answer alone told cannot be had again.

    ``raw`` is what was found; ``faults`` names what is missing of the answer.
    """


class BrokenPages(CallError):
    """The pages of a list repeat themselves, stay empty without end, or lead to another server.

    The page that says so was not handed out: once the platform is mended, ``continuation`` begins with it.
    """


class ReconcileMismatch(CallError):
    """Something is there under the same key, and it is not what was sent.

    ``raw`` is what was found; ``faults`` names where it differs.
    """


class DuplicateDetected(CallError):
    """What was sent is there more than once; ``raw`` is a list of what was found."""


class OutcomeUnknown(CallError):
    """It may have been done: never repeat blindly.

    ``token`` is plain data to find out later what became of it.
    """

    token: ResumeToken | None

    def __init__(self, message: str, *, token: ResumeToken | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.token = token
