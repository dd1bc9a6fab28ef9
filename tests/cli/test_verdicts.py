from __future__ import annotations

import pytest

from seqino import errors
from seqino.cli.result import ExitCode
from seqino.cli.verdicts import exit_code_of


@pytest.mark.parametrize(
    ("error", "code", "code_of_a_send"),
    [
        (errors.InvalidInput("a"), ExitCode.INPUT, ExitCode.INPUT),
        (errors.ConfigurationError("a"), ExitCode.INPUT, ExitCode.INPUT),
        (errors.OutcomeUnknown("a", operation="x"), ExitCode.IN_DOUBT, ExitCode.IN_DOUBT),
        (errors.ResponseDecodeError("a", operation="x"), ExitCode.FAILURE, ExitCode.IN_DOUBT),
        (RecursionError(), ExitCode.FAILURE, ExitCode.IN_DOUBT),
        (errors.BadRequest("a", operation="x", status=400), ExitCode.FAILURE, ExitCode.REJECTED),
        (errors.NotFound("a", operation="x", status=404), ExitCode.FAILURE, ExitCode.FAILURE),
        (errors.AuthenticationFailed("a", operation="x", status=401), ExitCode.FAILURE, ExitCode.FAILURE),
        (errors.RateLimited("a", operation="x", status=429), ExitCode.FAILURE, ExitCode.FAILURE),
        (errors.ConnectionFailed("a", operation="x"), ExitCode.FAILURE, ExitCode.FAILURE),
        (OSError(), ExitCode.FAILURE, ExitCode.FAILURE),
    ],
)
def test_a_script_can_tell_what_happened(
    error: BaseException, code: ExitCode, code_of_a_send: ExitCode
) -> None:
    assert exit_code_of(error) is code
    assert exit_code_of(error, sends=True) is code_of_a_send
