from __future__ import annotations

import pytest

from seqino._core.failed_looks import FailedLook, read_failed_look
from seqino._core.outcome import Outcome
from seqino.errors import (
    AuthenticationFailed,
    CallError,
    ConnectionFailed,
    DeadlineExceeded,
    InsecureConnection,
    NotFound,
    NotSent,
    RateLimited,
    Rejected,
    ResponseDecodeError,
    ServerError,
    UnexpectedAnswer,
)


def failed(
    kind: type[CallError], outcome: Outcome, status: int | None = None, *, told: float | None = None
) -> CallError:
    return kind("it failed", operation="get_draft", outcome=outcome, status=status, retry_after=told)


def read(error: CallError, *, left: float = 30.0, key_is_fixed: bool = True) -> FailedLook:
    return read_failed_look(error, left=left, key_is_fixed=key_is_fixed)


@pytest.mark.parametrize(("kind", "status"), [(NotFound, 404), (Rejected, 410)])
def test_a_complete_answer_may_show_nothing(kind: type[CallError], status: int) -> None:
    assert read(failed(kind, Outcome.REJECTED, status)) is FailedLook.NOT_SHOWN


@pytest.mark.parametrize("status", [400, 401, 402, 403, 405, 406, 413, 422, 426, 431, 451])
def test_what_was_refused_would_be_refused_again(status: int) -> None:
    assert read(failed(Rejected, Outcome.REJECTED, status)) is FailedLook.DENIED


@pytest.mark.parametrize("status", [409, 421, 423, 424])
def test_a_refusal_of_a_passing_state_may_pass(status: int) -> None:
    assert read(failed(Rejected, Outcome.REJECTED, status)) is FailedLook.PASSING


def test_a_key_that_is_fetched_may_be_another_one_at_the_next_look() -> None:
    error = failed(AuthenticationFailed, Outcome.REJECTED, 401)
    assert read(error, key_is_fixed=False) is FailedLook.PASSING
    assert read(failed(Rejected, Outcome.REJECTED, 403), key_is_fixed=False) is FailedLook.DENIED


@pytest.mark.parametrize(
    "error",
    [
        failed(ConnectionFailed, Outcome.NOT_SENT),
        failed(DeadlineExceeded, Outcome.UNKNOWN),
        failed(DeadlineExceeded, Outcome.NOT_SENT),
        failed(ServerError, Outcome.UNKNOWN, 503),
        failed(UnexpectedAnswer, Outcome.UNKNOWN, 302),
        failed(ResponseDecodeError, Outcome.DONE, 200),
        failed(RateLimited, Outcome.THROTTLED, 429),
        failed(RateLimited, Outcome.THROTTLED, 429, told=30.0),
    ],
)
def test_what_is_no_answer_may_be_followed_by_one(error: CallError) -> None:
    assert read(error) is FailedLook.PASSING


@pytest.mark.parametrize("kind", [InsecureConnection, NotSent])
def test_what_cannot_be_sent_cannot_be_sent_again(kind: type[CallError]) -> None:
    assert read(failed(kind, Outcome.NOT_SENT)) is FailedLook.DENIED


@pytest.mark.parametrize(("kind", "status"), [(RateLimited, 429), (ServerError, 503)])
def test_a_pause_that_outlasts_the_time_leaves_none_for_looks(kind: type[CallError], status: int) -> None:
    error = failed(kind, Outcome.THROTTLED, status, told=30.5)
    assert read(error, left=30.0) is FailedLook.DENIED
    assert read(error, left=31.0) is FailedLook.PASSING
