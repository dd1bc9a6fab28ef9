"""Answers that no server should send: nothing but our own errors escapes, and nothing is left behind."""

from __future__ import annotations

import contextlib
import copy
import decimal
import gc
import itertools
import pickle
import re
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from seqino import models
from seqino._core.codec import DecodeFault
from seqino._core.wire import OpenEnum
from seqino.errors import CallError, OutcomeUnknown, RateLimited, ResponseDecodeError, SeqinoError
from tests.hostile.bodies import Body, bodies
from tests.hostile.fakes import CODEC, OPERATIONS, FakeTransport, arguments, engine, shared_of
from tests.hostile.samples import Document, document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from seqino._core.call import CallEngine
    from seqino._core.wire import Operation

NUMBER = 2000
"""How many bodies each operation gets as a success, at least."""

STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufeff\ud800-\udfff]")
"""What has no place in a message."""

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=lambda each: each.name)


def form_of(operation: Operation[Any]) -> Any:
    return next((form for form in operation.responses.values() if form is not None), None)


def success_of(operation: Operation[Any]) -> Document:
    form = form_of(operation)
    return document(models.ErrorResponse if form is None else form)


def patient(made: CallEngine) -> CallEngine:
    """The engine, without the pause that an earlier answer asked for."""
    shared_of(made).pace.not_before = 0.0
    return made


def check_message(error: SeqinoError) -> None:
    text = str(error)
    assert len(text) < 15_000
    assert STEERING.search(text) is None, text
    assert repr(error)


@each_operation
def test_the_sample_that_all_is_made_of_can_be_read(operation: Operation[Any]) -> None:
    form = form_of(operation)
    if form is not None:
        assert CODEC.decode(success_of(operation).text, form)


@each_operation
async def test_a_success_that_cannot_be_read_is_told_as_done(operation: Operation[Any]) -> None:
    transport = FakeTransport()
    caller, given = engine(transport), arguments(operation)
    statuses = itertools.cycle([*operation.responses, 200, 202, 299])
    refused = count = 0
    for body in bodies(success_of(operation), seed=1, number=NUMBER):
        transport.status, transport.body = next(statuses), body.text
        count += 1
        try:
            value = await caller.call(operation, **given)
        except ResponseDecodeError as error:
            refused += 1
            check_decode_error(error, transport, body)
        else:
            assert form_of(operation) is None or not body.is_wrong or transport.status == 204, body
            assert len(repr(value)) > 0
    assert count >= NUMBER
    assert transport.sends == count, "a success was sent again"
    assert (refused > NUMBER / 2) is (form_of(operation) is not None)


def check_decode_error(error: ResponseDecodeError, transport: FakeTransport, body: Body) -> None:
    assert error.outcome == "done", body
    assert error.status == transport.status
    assert error.raw is body.text
    assert error.faults
    assert len(error.faults) <= 101
    check_message(error)


ERRORS = tuple(
    body
    for form in (models.ErrorResponse, models.HTTPValidationError)
    for body in bodies(document(form), seed=2, number=NUMBER // 2)
)

PARTS = 4

HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Retry-After": "NaN"},
    {"Retry-After": "1e999", "retry-after-ms": "-1"},
    {"Retry-After": "9" * 400},
    {"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359", "Date": "Mon, 01 Jan 0001 00:00:00 +2359"},
    {"Retry-After": "\xb2", "Date": "yesterday"},
    {"retry-after-ms": "0x10", "X-Trace-Id": ""},
    {"X-Trace-Id": "t" * 8000},
    {"X-Trace-Id": " \t", "X-Request-Id": "\x7f\x1b[2J\x85"},
    {"X-Request-Id": "\udcff\udcfe", "Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": "text/html", "Content-Length": "-5", "Content-Encoding": "zstd"},
    {"Content-Type": ";;;", "Transfer-Encoding": "gzip, chunked", "Set-Cookie": "a" * 5000},
)


@each_operation
async def test_any_other_answer_is_told_as_a_failure(operation: Operation[Any]) -> None:
    transport = FakeTransport()
    caller, given = engine(transport), arguments(operation)
    statuses, headers = itertools.cycle((*range(300, 600), 600, 999)), itertools.cycle(HEADERS)
    # How they are read depends on the operation's effect at most: each gets a part of them.
    part = ERRORS[list(OPERATIONS).index(operation.name) % PARTS :: PARTS]
    for number, body in enumerate(part):
        transport.status, transport.body, transport.headers = next(statuses), body.text, next(headers)
        with pytest.raises(CallError) as caught:
            await patient(caller).call(operation, **given)
        error = caught.value
        check_failure(error, transport, body)
        if number % 50 == 0:
            check_copies(error)


def check_failure(error: CallError, transport: FakeTransport, body: Body) -> None:
    assert not isinstance(error, ResponseDecodeError)
    assert (error.status, error.raw) == (transport.status, body.text)
    assert error.outcome in {"rejected", "throttled", "unknown"}
    assert isinstance(error, RateLimited) == (error.outcome == "throttled") == (error.status == 429)
    assert isinstance(error, OutcomeUnknown) <= (error.outcome == "unknown")
    assert len(error.faults) <= 100
    assert error.retry_after is None or 0 <= error.retry_after < 1e21
    check_message(error)


def check_copies(error: CallError) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


async def test_hostile_failures_are_repeated_as_often_as_any_other() -> None:
    transport = FakeTransport(status=503)
    caller = engine(transport, max_retries=2)
    for body, headers in zip(ERRORS, itertools.cycle(HEADERS[:2])):
        transport.body, transport.headers, transport.sends = body.text, headers, 0
        shared_of(caller).budget.give_back(100)
        with pytest.raises(CallError):
            await patient(caller).call(OPERATIONS["get_draft"], parameters={"draft_id": "d"})
        assert transport.sends == 3


def test_answers_change_nothing_in_the_process() -> None:
    before = list(process())
    read_everything()
    assert list(process()) == before
    assert nest(500) == 500


def process() -> Iterator[Any]:
    """What a library has to leave alone."""
    yield sys.getrecursionlimit()
    yield sys.get_int_max_str_digits()
    yield repr(decimal.getcontext())
    yield gc.isenabled()
    for name, member in sorted(vars(models).items()):
        if isinstance(member, type) and issubclass(member, OpenEnum):
            yield name, len(member._value2member_map_), len(member.__members__)


def nest(depth: int) -> int:
    return 0 if depth == 0 else 1 + nest(depth - 1)


def read_everything() -> None:
    for form, text in SMALL:
        with contextlib.suppress(DecodeFault):
            CODEC.decode(text, form)


SMALL = tuple(
    (form_of(operation), body.text)
    for operation in OPERATIONS.values()
    for body in bodies(success_of(operation), seed=3, number=300)
    if len(body.text) < 3000
)


def test_answers_that_cannot_be_read_leave_nothing_in_memory() -> None:
    def used() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    read_everything()
    tracemalloc.start()
    try:
        read_everything()
        before = used()
        read_everything()
        after = used()
    finally:
        tracemalloc.stop()
    assert after - before < 50_000
