"""What an error means for the shell: which exit code, and whether the platform gave a verdict. Pure."""

from __future__ import annotations

from seqino.cli.result import ExitCode
from seqino.errors import (
    ConfigurationError,
    InvalidInput,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ResponseDecodeError,
)

__all__ = ["exit_code_of", "is_no_verdict"]

_NO_VERDICT = frozenset({401, 402, 403, 404, 405, 421, 426, 431})
"""Refusals that are about the key, the client or the server, and say nothing of what was sent."""


def is_no_verdict(error: Rejected) -> bool:
    """Whether a refusal says nothing of what was sent: the next one would meet the same."""
    return error.status in _NO_VERDICT


def exit_code_of(error: BaseException, *, sends: bool = False) -> ExitCode:
    """Return what the shell is told of an error.

    Args:
        error: What ended the command.
        sends: Whether the command sends what must not be sent twice. Then a refusal of it is told apart from
            a failure, and so is an answer that cannot be read: a script that repeats failures must not repeat
            those.
    """
    match error:
        case InvalidInput() | ConfigurationError():
            return ExitCode.INPUT
        case OutcomeUnknown():
            return ExitCode.IN_DOUBT
        case ResponseDecodeError() | RecursionError() if sends:
            return ExitCode.IN_DOUBT
        case Rejected() if sends and not is_no_verdict(error) and not isinstance(error, RateLimited):
            return ExitCode.REJECTED
        case _:
            return ExitCode.FAILURE
