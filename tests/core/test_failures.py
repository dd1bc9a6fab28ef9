"""How failures and events are told, and the small parts that a call is timed with."""

from __future__ import annotations

import json
import logging
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqino._core.events import CallEvent, Emitter
from seqino._core.failures import Ending, failure, find_trace_id, held_back, read_error_body
from seqino._core.outcome import FaultKind, Outcome, classify_fault, classify_status
from seqino._core.wire import Effect, LookUp, Operation
from seqino.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    ErrorBody,
    Fault,
    InsecureConnection,
    NotSent,
    OutcomeUnknown,
    ResumeToken,
    ServerError,
    UnexpectedAnswer,
)

CREATE: Operation[None] = Operation(
    name="create_thing", operation_id="c", tag="t", method="POST", path="/things", responses={}
)
READ: Operation[None] = Operation(
    name="get_thing",
    operation_id="g",
    tag="t",
    method="GET",
    path="/things",
    effect=Effect.SAFE,
    responses={},
)
TOKEN = ResumeToken(
    operation="create_thing", base_url="https://pdp.example", attempts=1, first_sent_at=0.0, last_sent_at=0.0
)


def ended(operation: Operation[Any], **changes: Any) -> Any:
    details: dict[str, Any] = {"attempts": 1, "base_url": "https://pdp.example", **changes}
    return failure(Ending(operation=operation, **details))


# Error bodies


def test_the_platforms_error_is_read() -> None:
    assert read_error_body(b'{"error": "No such draft", "code": 404, "trace_id": "t-1"}') == ErrorBody(
        message="No such draft", code=404, trace_id="t-1"
    )


def test_each_fault_of_a_422_is_read_with_its_path() -> None:
    raw = json.dumps(
        {
            "detail": [
                {"loc": ["body", "lines", 0, "quantity"], "msg": "Field required", "type": "missing"},
                {"loc": ["query", "object_type"], "msg": "Input should be 'invoice'", "type": "enum"},
                {"loc": ["header", "x-pdp-client-id"], "msg": ""},
                {"loc": "nowhere"},
                {"loc": ["body"], "msg": "is no object"},
                "not an entry",
            ]
        }
    ).encode()
    body = read_error_body(raw)
    assert body is not None
    assert body.faults == (
        Fault("$.lines[0].quantity", "Field required"),
        Fault("query.object_type", "Input should be 'invoice'"),
        Fault("header.x-pdp-client-id", "is not valid"),
        Fault("$", "is not valid"),
        Fault("$", "is no object"),
    )


def test_other_shapes_of_errors_give_what_they_have() -> None:
    assert read_error_body(b'{"detail": "Not Found"}') == ErrorBody(message="Not Found")
    assert read_error_body(b'{"message": "Forbidden", "code": true}') == ErrorBody(message="Forbidden")
    assert read_error_body(b'{"error": {"x": 1}, "code": "7", "trace_id": 9, "detail": {}}') == ErrorBody()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<html>",
        b"[1]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"a": \xff}',
        b"[" * 100_000,
        b'{"error": "x"',
    ],
)
def test_what_is_no_json_object_is_no_error_body(raw: bytes) -> None:
    assert read_error_body(raw) is None


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["error", "code", "trace_id", "detail", "loc", "msg"]), inner)
        ),
    ).map(lambda data: json.dumps(data).encode())
)
def test_no_error_body_breaks_the_reading(raw: bytes) -> None:
    read_error_body(raw)
    ended(READ, attempt=classify_status(400), raw=raw)


def test_the_trace_id_is_in_the_body_or_in_a_header() -> None:
    assert find_trace_id(ErrorBody(trace_id="b"), {"X-Request-Id": "h"}) == "b"
    assert find_trace_id(ErrorBody(), {"X-Request-Id": "h"}) == "h"
    assert find_trace_id(None, {"X-Trace-Id": "t", "X-Request-Id": "h"}) == "t"
    assert find_trace_id(None, {"X-Trace-Id": ""}) is None


# Which error


@pytest.mark.parametrize("operation", [CREATE, READ])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (FaultKind.UNREACHABLE, ConnectionFailed),
        (FaultKind.INSECURE, InsecureConnection),
        (FaultKind.UNUSABLE, NotSent),
        (FaultKind.TIMED_OUT, DeadlineExceeded),
        (FaultKind.DISCONNECTED, ConnectionFailed),
    ],
)
def test_what_was_not_sent_is_told_as_that(
    operation: Operation[Any], fault: FaultKind, kind: type[NotSent | DeadlineExceeded]
) -> None:
    error = ended(operation, attempt=classify_fault(fault, sent=False))
    assert type(error) is kind
    assert error.outcome == "not_sent"


@pytest.mark.parametrize("fault", list(FaultKind))
def test_what_may_have_been_done_is_told_as_that(fault: FaultKind) -> None:
    error = ended(CREATE, attempt=classify_fault(fault, sent=True), token=TOKEN)
    assert type(error) is OutcomeUnknown
    assert error.token == TOKEN


def test_a_harmless_call_ends_with_what_happened() -> None:
    assert type(ended(READ, attempt=classify_fault(FaultKind.TIMED_OUT, sent=True))) is DeadlineExceeded
    assert type(ended(READ, attempt=classify_fault(FaultKind.BROKEN_ANSWER, sent=True))) is UnexpectedAnswer
    assert type(ended(READ, attempt=classify_status(302))) is UnexpectedAnswer
    assert type(ended(READ, attempt=classify_status(500))) is ServerError
    assert type(ended(READ, attempt=classify_status(599))) is ServerError


def test_a_message_says_what_happened_where_and_what_to_do() -> None:
    error = ended(
        READ,
        attempt=classify_status(503),
        attempts=4,
        reason="the server asked to wait 70 s",
        retry_after=70.0,
        headers={"X-Request-Id": "r-1"},
        raw=b'{"detail": "maintenance"}',
    )
    assert str(error) == (
        "get_thing (GET /things) after 4 attempts: https://pdp.example answered 503 Service Unavailable: "
        "maintenance. Not tried again: the server asked to wait 70 s. The server asks to wait 70 s. "
        "Repeating is harmless: try again later. For the platform's support: trace id r-1."
    )


def test_a_message_of_a_fault_has_its_detail() -> None:
    error = ended(CREATE, attempt=classify_fault(FaultKind.UNREACHABLE, sent=False, detail="refused"))
    assert str(error) == (
        "create_thing (POST /things): no connection to https://pdp.example (refused). "
        "Nothing was sent: check the base URL and the network, then try again."
    )


REPLACE = attrs.evolve(READ, name="replace_thing", method="PUT", effect=Effect.IDEMPOTENT)
DRAFT = attrs.evolve(CREATE, name="draft_thing", effect=Effect.DISPOSABLE)
COMMIT = attrs.evolve(
    CREATE,
    name="commit_thing",
    effect=Effect.ONCE,
    look_up=LookUp(operation="get_thing", arguments={}),
)
LEFT = "What it makes may have been left behind, and has no effect."
DONE_BEFORE = "An earlier attempt may have been done all the same."
LOOKS = "client.resume(error.token) looks what became of it."


@pytest.mark.parametrize("may_be_done", [False, True])
@pytest.mark.parametrize(
    ("operation", "status", "always", "after_a_doubt"),
    [
        (READ, 400, "", ""),
        (READ, 503, "", ""),
        (REPLACE, 400, "", DONE_BEFORE),
        (REPLACE, 503, "", ""),
        (DRAFT, 400, "", LEFT),
        (DRAFT, 503, LEFT, LEFT),
        (COMMIT, 400, "", ""),
        (COMMIT, 503, LOOKS, LOOKS),
        (CREATE, 503, "", ""),
    ],
)
def test_a_message_says_what_may_have_been_done_besides(
    operation: Operation[Any], status: int, always: str, after_a_doubt: str, *, may_be_done: bool
) -> None:
    said = str(ended(operation, attempt=classify_status(status), may_be_done=may_be_done))
    expected = after_a_doubt if may_be_done else always
    assert [text for text in (LEFT, DONE_BEFORE, LOOKS) if text in said] == ([expected] if expected else [])


def test_a_status_without_a_name_is_told_by_its_number() -> None:
    assert "answered 599. " in str(ended(READ, attempt=classify_status(599)))


def test_a_call_held_back_says_for_how_long() -> None:
    error = held_back(CREATE, 12.34)
    assert (error.attempts, error.retry_after, error.outcome) == (0, 12.34, "not_sent")
    assert "12.3 s more" in str(error)


# Events


def event(**changes: Any) -> CallEvent:
    details: dict[str, Any] = {"kind": "attempt", "outcome": Outcome.DONE, **changes}
    return CallEvent(operation="get_thing", attempt=1, elapsed=0.5, **details)


def test_events_reach_the_hook_and_the_log(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[CallEvent] = []
    emitter = Emitter(heard.append)
    assert emitter.hears_everything
    caplog.set_level(logging.DEBUG, "seqino")
    for each in (
        event(status=200, trace_id="t"),
        event(kind="delay", outcome=None, delay=1.5),
        event(kind="look", outcome=None, finding="consumed", draft_id="d-1", invoice_id="inv-1"),
        event(kind="verdict", outcome=Outcome.UNKNOWN, error="OutcomeUnknown", token=TOKEN, client_id="acme"),
    ):
        emitter.emit(each)
    assert [each.kind for each in heard] == ["attempt", "delay", "look", "verdict"]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "get_thing attempt 1: attempt done status=200 trace_id=t"),
        ("INFO", "get_thing attempt 1: next in 1.50 s"),
        ("DEBUG", "get_thing look 1: finding=consumed draft_id=d-1 invoice_id=inv-1"),
        ("WARNING", "get_thing attempt 1: verdict unknown error=OutcomeUnknown client_id=acme"),
    ]
    assert vars(caplog.records[0])["seqino"]["status"] == 200


def test_nobody_listening_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "seqino")
    emitter = Emitter()
    assert not emitter.hears_everything
    emitter.emit(event())
    assert caplog.records == []
    caplog.set_level(logging.DEBUG, "seqino")
    assert emitter.hears_everything


def test_a_hook_that_fails_changes_nothing_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_event: CallEvent) -> None:
        raise RuntimeError("hook")

    Emitter(broken).emit(event())
    assert "on_event failed for attempt of get_thing" in caplog.text
    assert "RuntimeError: hook" in caplog.text
