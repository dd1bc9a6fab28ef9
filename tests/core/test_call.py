"""What may follow a failed attempt, counted at a server on raw sockets."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import pickle
import traceback
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import attrs
import pytest

from seqino import errors
from seqino._core.config import Secret
from seqino._core.retry import RetryBudget
from seqino._core.wire import UNSET, Body, Effect, Operation, Parameter
from seqino.errors import (
    CallError,
    ConfigurationError,
    Conflict,
    ConnectionFailed,
    DeadlineExceeded,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ResponseDecodeError,
    ServerError,
    UnexpectedAnswer,
    UnprocessableContent,
)
from seqino.options import CallOptions
from seqino.sandbox.fault_plays import Play

if TYPE_CHECKING:
    from tests.core.conftest import Bench, FaultServer, Time

SCOPE = Parameter(name="client_id", wire="X-PDP-Client-Id", location="header", required=True, scope=True)


@attrs.define(kw_only=True)
class Thing:
    name: str
    size: int = 0


READ: Operation[Thing] = Operation(
    name="get_thing",
    operation_id="get_thing",
    tag="things",
    method="GET",
    path="/things/{thing_id}",
    effect=Effect.SAFE,
    parameters=(SCOPE, Parameter(name="thing_id", wire="thing_id", location="path", required=True)),
    responses={200: Thing},
)
CHECK: Operation[Thing] = attrs.evolve(
    READ,
    name="check_thing",
    method="POST",
    path="/things/check",
    parameters=(SCOPE,),
    body=Body(kind="json", type=Thing),
)
REPLACE = attrs.evolve(CHECK, name="replace_thing", method="PUT", effect=Effect.IDEMPOTENT)
DELETE: Operation[None] = attrs.evolve(
    cast("Operation[None]", READ),
    name="delete_thing",
    method="DELETE",
    effect=Effect.IDEMPOTENT,
    responses={204: None},
)
CREATE = attrs.evolve(
    CHECK, name="create_thing", path="/things", effect=Effect.CREATE, responses={201: Thing}
)
COMMIT = attrs.evolve(READ, name="commit_thing", method="POST", effect=Effect.ONCE)

ONCE_ONLY = [attrs.evolve(CREATE, effect=effect) for effect in (Effect.ONCE, Effect.READABLE, Effect.CREATE)]
DRAFT = attrs.evolve(CREATE, name="draft_thing", effect=Effect.DISPOSABLE)
REPEATED = [READ, CHECK, REPLACE, DELETE, DRAFT]

THING = b'{"name": "a", "size": 1}'

IN_DOUBT = [
    "close-unread",
    "reset-unread",
    "close-before",
    "reset-before",
    "hang-before",
    "stall-head",
    "stall-body",
    "cut-head",
    "cut-body",
    "cut-chunk",
    "bad-chunk",
    "bad-gzip",
    "no-http",
    "huge-header",
    "two-lengths",
]


def given(operation: Operation[Any]) -> dict[str, Any]:
    """Arguments that fit an operation."""
    arguments: dict[str, Any] = {}
    if "{thing_id}" in operation.path:
        arguments["parameters"] = {"thing_id": "t1"}
    if operation.body is not None:
        arguments["body"] = Thing(name="a")
    return arguments


def good(server: FaultServer, operation: Operation[Any]) -> Any:
    return (
        server.answer(204, b"")
        if operation is DELETE
        else server.answer(next(iter(operation.responses)), THING)
    )


# Sent once


@pytest.mark.parametrize("operation", ONCE_ONLY, ids=lambda operation: operation.effect)
@pytest.mark.parametrize("fault", IN_DOUBT)
async def test_a_lost_reply_never_sends_a_creation_twice(
    bench: Bench, operation: Operation[Any], fault: str
) -> None:
    bench.server.plays(fault)
    with pytest.raises(OutcomeUnknown) as info:
        await bench.engine().call(operation, **given(operation))
    assert bench.server.connections == 1
    assert bench.server.sends == (0 if "unread" in fault else 1)
    error = info.value
    assert (error.operation, error.attempts, error.outcome, error.status) == (
        "create_thing",
        1,
        "unknown",
        None,
    )
    assert error.token is not None
    assert (error.token.operation, error.token.client_id, error.token.attempts) == ("create_thing", "acme", 1)
    assert error.token.base_url == bench.server.url
    assert [event.kind for event in bench.events] == ["attempt", "verdict"]
    assert bench.events[-1].token == error.token


@pytest.mark.parametrize("operation", ONCE_ONLY, ids=lambda operation: operation.effect)
@pytest.mark.parametrize("status", [302, 307, 408, 409, 425, 500, 502, 503, 504, 599])
async def test_an_unclear_status_leaves_a_creation_in_doubt(
    bench: Bench, operation: Operation[Any], status: int
) -> None:
    bench.server.plays(
        bench.server.answer(status, b'{"error": "why", "code": 1, "trace_id": "t"}', Location="/x")
    )
    with pytest.raises(OutcomeUnknown, match="may have been done: find out before you send it again") as info:
        await bench.engine().call(operation, **given(operation))
    assert bench.server.sends == 1
    assert (info.value.status, info.value.trace_id) == (status, "t")
    assert "why" in str(info.value)


@pytest.mark.parametrize("operation", [*ONCE_ONLY, COMMIT], ids=lambda operation: operation.effect)
async def test_a_refusal_of_a_creation_is_no_doubt(bench: Bench, operation: Operation[Any]) -> None:
    bench.server.plays(
        bench.server.answer(422, b'{"detail": [{"loc": ["body", "name"], "msg": "too short"}]}')
    )
    with pytest.raises(UnprocessableContent) as info:
        await bench.engine().call(operation, **given(operation))
    assert bench.server.sends == 1
    assert info.value.outcome == "rejected"
    assert info.value.faults == (("$.name", "too short"),)


@pytest.mark.parametrize("operation", [*ONCE_ONLY, COMMIT], ids=lambda operation: operation.effect)
async def test_what_could_not_be_sent_is_no_doubt(
    bench: Bench, operation: Operation[Any], unused_port: int
) -> None:
    engine = bench.engine(base_url=f"http://127.0.0.1:{unused_port}")
    with pytest.raises(ConnectionFailed, match=r"no connection to .* Nothing was sent") as info:
        await engine.call(operation, **given(operation))
    assert (info.value.outcome, info.value.attempts) == ("not_sent", 4)
    assert bench.time.sleeps == [1, 2, 4]


@pytest.mark.parametrize("operation", [*ONCE_ONLY, COMMIT], ids=lambda operation: operation.effect)
async def test_a_creation_is_tried_again_where_nothing_was_done(
    bench: Bench, operation: Operation[Any]
) -> None:
    refused = [True, True]

    async def unreachable(request: Any, handler: Any) -> Any:
        if refused and refused.pop():
            raise aiohttp.ConnectionTimeoutError
        return await handler(request)

    bench.server.plays(bench.server.answer(429, Retry_After="3"), good(bench.server, operation))
    await bench.engine(middlewares=(unreachable,)).call(operation, **given(operation))
    assert [event.outcome for event in bench.told("attempt")] == ["not_sent", "not_sent", "throttled", "done"]
    assert bench.server.requests[0] == bench.server.requests[1]
    assert bench.server.sends == 2


@pytest.mark.parametrize("operation", ONCE_ONLY, ids=lambda operation: operation.effect)
async def test_a_creation_in_doubt_after_a_retry_is_not_sent_again(
    bench: Bench, operation: Operation[Any]
) -> None:
    bench.server.plays(bench.server.answer(429), "close-after")
    with pytest.raises(OutcomeUnknown) as info:
        await bench.engine().call(operation, **given(operation))
    assert (info.value.attempts, bench.server.sends) == (2, 2)


async def test_a_draft_sent_twice_may_leave_one_behind_and_says_so(bench: Bench) -> None:
    bench.server.plays(bench.server.answer(429), "close-after", good(bench.server, DRAFT))
    await bench.engine().call(DRAFT, body=Thing(name="a"))
    assert [(event.kind, event.leftover) for event in bench.events if event.kind != "delay"] == [
        ("attempt", False),
        ("attempt", True),
        ("attempt", True),
        ("verdict", True),
    ]


async def test_a_draft_that_is_lost_for_good_is_no_doubt_but_may_be_left_behind(bench: Bench) -> None:
    bench.server.plays(*["close-after"] * 4)
    with pytest.raises(UnexpectedAnswer, match="may have been left behind, and has no effect") as info:
        await bench.engine().call(DRAFT, body=Thing(name="a"))
    assert (info.value.outcome, info.value.attempts, bench.events[-1].token) == ("unknown", 4, None)


async def test_a_creation_leaves_nothing_without_effect(bench: Bench) -> None:
    bench.server.plays("close-after")
    with pytest.raises(OutcomeUnknown):
        await bench.engine().call(CREATE, body=Thing(name="a"))
    assert not any(event.leftover for event in bench.events)


async def test_a_throttled_creation_ends_with_what_the_server_asks(bench: Bench) -> None:
    bench.server.plays(*[bench.server.answer(429, Retry_After="3")] * 4)
    with pytest.raises(RateLimited) as info:
        await bench.engine().call(CREATE, body=Thing(name="a"))
    assert (info.value.retry_after, info.value.outcome, bench.server.sends) == (3.0, "throttled", 4)


async def test_the_last_attempt_may_take_all_the_time_that_is_left(bench: Bench, time: Time) -> None:
    bench.server.plays("hang-before")
    began = time.now
    with pytest.raises(OutcomeUnknown, match=r"no complete answer from .* in time"):
        await bench.engine(timeout=60.0).call(CREATE, body=Thing(name="a"))
    assert time.now - began == 60


# Sent again


@pytest.mark.parametrize("operation", REPEATED, ids=lambda operation: operation.name)
@pytest.mark.parametrize("fault", IN_DOUBT)
async def test_what_is_harmless_is_sent_again(bench: Bench, operation: Operation[Any], fault: str) -> None:
    bench.server.plays(fault, fault, good(bench.server, operation))
    result = await bench.engine().call(operation, **given(operation))
    assert result == (None if operation is DELETE else Thing(name="a", size=1))
    assert bench.server.connections == 3
    assert bench.time.sleeps == [1, 2]
    assert [event.kind for event in bench.events] == ["attempt", "delay"] * 2 + ["attempt", "verdict"]


@pytest.mark.parametrize("operation", REPEATED, ids=lambda operation: operation.name)
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504, 429])
async def test_a_status_that_may_pass_is_waited_out(
    bench: Bench, operation: Operation[Any], status: int
) -> None:
    bench.server.plays(bench.server.answer(status), good(bench.server, operation))
    await bench.engine().call(operation, **given(operation))
    assert bench.server.sends == 2
    assert bench.server.requests[0] == bench.server.requests[1]


@pytest.mark.parametrize("fault", ["close-unread", "close-before", "reset-before", "cut-body", "no-http"])
async def test_aiohttp_sends_nothing_a_second_time_by_itself(bench: Bench, fault: str) -> None:
    bench.server.plays(bench.server.answer(200, THING), fault)
    engine = bench.engine(max_retries=0)
    await engine.call(READ, parameters={"thing_id": "t1"})
    with pytest.raises(UnexpectedAnswer):
        await engine.call(READ, parameters={"thing_id": "t1"})
    # The second request went over the first's connection, which is where aiohttp would repeat it.
    assert bench.server.connections == 1


async def test_retries_end_with_the_error_of_the_last_attempt(bench: Bench) -> None:
    bench.server.plays(*[bench.server.answer(503, b"<html>busy</html>")] * 4)
    with pytest.raises(ServerError, match=r"after 4 attempts: .* answered 503 Service Unavailable") as info:
        await bench.engine().call(READ, parameters={"thing_id": "t1"})
    assert (info.value.attempts, info.value.raw, info.value.body) == (4, b"<html>busy</html>", None)
    assert bench.time.sleeps == [1, 2, 4]


async def test_an_unreachable_server_is_tried_again_and_then_named(bench: Bench, unused_port: int) -> None:
    engine = bench.engine(base_url=f"http://127.0.0.1:{unused_port}")
    with pytest.raises(ConnectionFailed, match=f"get_thing .* after 4 attempts: .*:{unused_port}"):
        await engine.call(READ, parameters={"thing_id": "t1"})


@pytest.mark.parametrize("operation", REPEATED, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, UnexpectedAnswer),
        (307, UnexpectedAnswer),
        (409, Conflict),
        (425, UnexpectedAnswer),
        (501, ServerError),
    ],
)
async def test_a_status_that_would_come_again_raises_its_own_error(
    bench: Bench, operation: Operation[Any], status: int, kind: type[CallError]
) -> None:
    bench.server.plays(bench.server.answer(status, Location="/elsewhere"))
    with pytest.raises(kind) as info:
        await bench.engine().call(operation, **given(operation))
    assert (info.value.status, bench.server.sends) == (status, 1)
    assert info.value.outcome == ("rejected" if issubclass(kind, Rejected) else "unknown")


async def test_absence_answering_a_repeated_deletion_is_success(bench: Bench) -> None:
    bench.server.plays("close-before", bench.server.answer(404))
    await bench.engine().call(DELETE, parameters={"thing_id": "t1"})
    assert bench.events[-1].kind == "verdict"
    assert bench.events[-1].error is None


async def test_absence_answering_a_first_deletion_is_absence(bench: Bench) -> None:
    bench.server.plays(bench.server.answer(404), bench.server.answer(429), bench.server.answer(404))
    engine = bench.engine()
    for _ in range(2):
        # A throttled attempt did nothing: the 404 after it is none of our doing either.
        with pytest.raises(NotFound):
            await engine.call(DELETE, parameters={"thing_id": "t1"})


async def test_absence_is_no_answer_to_a_deletion_that_returns_something(bench: Bench) -> None:
    bench.server.plays("close-before", bench.server.answer(404))
    with pytest.raises(NotFound):
        await bench.engine().call(attrs.evolve(DELETE, responses={200: Thing}), parameters={"thing_id": "t1"})


# Time


async def test_attempts_that_hang_are_cut_so_that_the_call_keeps_its_timeout(
    bench: Bench, time: Time
) -> None:
    bench.server.plays("hang-before", "hang-before", "hang-before")
    began = time.now
    with pytest.raises(
        DeadlineExceeded, match=r"after 3 attempts: no complete answer .* longer timeout"
    ) as info:
        await bench.engine().call(READ, parameters={"thing_id": "t1"})
    assert time.now - began == 60
    assert info.value.outcome == "unknown"
    assert time.sleeps == [1, 2]


async def test_a_retry_that_would_come_too_late_is_not_made(bench: Bench, time: Time) -> None:
    bench.server.plays(bench.server.answer(503))
    with pytest.raises(ServerError, match=r"1.2 s left of the timeout are too short"):
        await bench.engine().call(READ, parameters={"thing_id": "t1"}, options=CallOptions(timeout=1.2))
    assert bench.server.sends == 1
    assert time.sleeps == []


async def test_an_endless_call_sets_no_timer(bench: Bench, time: Time) -> None:
    bench.server.on_hang = lambda: None
    bench.server.plays("hang-before")
    task = asyncio.create_task(
        bench.engine(timeout=float("inf"), max_retries=0).call(CREATE, body=Thing(name="a"))
    )
    await bench.server.arrived.wait()
    assert time.armed == 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_before_anything_was_sent_is_harmless(bench: Bench, time: Time) -> None:
    async def slow_key() -> str:
        time.pass_by(60)
        await asyncio.sleep(3600)
        raise AssertionError

    with pytest.raises(DeadlineExceeded, match="Repeating is harmless") as info:
        await bench.engine(api_key=slow_key).call(CREATE, body=Thing(name="a"))
    assert (info.value.outcome, bench.server.sends) == ("not_sent", 0)


async def test_waiting_for_a_connection_is_not_sending(bench: Bench) -> None:
    bench.server.plays("hang-before")
    bench.server.on_hang = lambda: None
    engine = bench.engine(max_connections=1)
    holding = asyncio.create_task(engine.call(CREATE, body=Thing(name="a")))
    await bench.server.arrived.wait()
    waiting = asyncio.create_task(engine.with_options(timeout=5).call(CREATE, body=Thing(name="b")))
    await asyncio.sleep(0)
    bench.time.pass_by(5)
    with pytest.raises(DeadlineExceeded) as info:
        await waiting
    assert info.value.outcome == "not_sent"
    bench.time.pass_by(55)
    with pytest.raises(OutcomeUnknown):
        await holding


# Pauses that the server asks for


async def test_no_pause_is_shorter_than_the_server_asked(bench: Bench, time: Time) -> None:
    bench.server.plays(bench.server.answer(503, Retry_After="7"), bench.server.answer(200, THING))
    await bench.engine().call(READ, parameters={"thing_id": "t1"})
    assert time.sleeps == [pytest.approx(7.7)]


async def test_a_long_pause_is_told_at_once(bench: Bench, time: Time) -> None:
    bench.server.plays(bench.server.answer(429, Retry_After="61"))
    with pytest.raises(RateLimited, match="The server asks to wait 61 s") as info:
        await bench.engine().call(READ, parameters={"thing_id": "t1"})
    assert (info.value.retry_after, time.sleeps) == (61.0, [])


async def test_a_pause_told_to_one_call_holds_for_all_copies_of_the_client(bench: Bench, time: Time) -> None:
    engine = bench.engine()
    bench.server.plays(bench.server.answer(429, Retry_After="10"), bench.server.answer(200, THING))
    with pytest.raises(RateLimited):
        await engine.with_options(max_retries=0).call(READ, parameters={"thing_id": "t1"})
    await engine.scoped("other").call(READ, parameters={"thing_id": "t1"})
    assert time.sleeps == [11]


async def test_a_call_that_the_pause_outlasts_is_not_sent(bench: Bench) -> None:
    engine = bench.engine(max_retries=0)
    bench.server.plays(bench.server.answer(429, Retry_After="10"))
    with pytest.raises(RateLimited):
        await engine.call(CREATE, body=Thing(name="a"))
    with pytest.raises(RateLimited, match=r"10.0 s more, longer than the timeout allows") as info:
        await engine.call(CREATE, body=Thing(name="a"), options=CallOptions(timeout=5))
    assert (info.value.attempts, info.value.outcome, info.value.retry_after) == (0, "not_sent", 10.0)
    assert bench.server.sends == 1


async def test_a_pause_that_begins_during_a_call_ends_it_with_its_own_error(bench: Bench, time: Time) -> None:
    engine = bench.engine()
    bench.server.plays(bench.server.answer(503))

    async def throttled_meanwhile(seconds: float) -> None:
        time.now += seconds
        engine._shared.pace.hold(60, now=time.now)

    engine._shared.runtime = attrs.evolve(engine._shared.runtime, sleep=throttled_meanwhile)
    with pytest.raises(ServerError, match=r"asked this client to wait 60.0 s more") as info:
        await engine.call(READ, parameters={"thing_id": "t1"})
    assert info.value.attempts == 1


async def test_a_body_too_large_for_the_server_holds_back_no_other_call(bench: Bench, time: Time) -> None:
    engine = bench.engine()
    bench.server.plays(bench.server.answer(413, Retry_After="10"), bench.server.answer(200, THING))
    with pytest.raises(Rejected) as info:
        await engine.call(CHECK, body=Thing(name="a"))
    assert info.value.retry_after == 10.0
    await engine.call(READ, parameters={"thing_id": "t1"})
    assert time.sleeps == []


# The budget


async def test_a_dead_platform_is_not_buried_under_retries(bench: Bench) -> None:
    engine = bench.engine()
    bench.server.plays(*[bench.server.answer(503)] * 60)
    for _ in range(19):
        with pytest.raises(ServerError):
            await engine.call(READ, parameters={"thing_id": "t1"})
    with pytest.raises(ServerError, match="too many calls of this client failed lately"):
        await engine.call(READ, parameters={"thing_id": "t1"})
    # 100 tokens at 10 for each retry after a 5xx.
    assert bench.server.sends == 20 + 10


async def test_a_success_gives_back_what_its_retries_took(bench: Bench) -> None:
    engine = bench.engine()
    budget = engine._shared.budget
    bench.server.plays("close-before", bench.server.answer(503), bench.server.answer(200, THING))
    await engine.call(READ, parameters={"thing_id": "t1"})
    assert budget.tokens == RetryBudget.CAPACITY
    budget.tokens = 50
    bench.server.plays(bench.server.answer(200, THING))
    await engine.call(READ, parameters={"thing_id": "t1"})
    assert budget.tokens == 51


async def test_a_cancelled_pause_gives_its_tokens_back(bench: Bench) -> None:
    engine = bench.engine()
    bench.server.plays(bench.server.answer(503))

    async def cancelled(_seconds: float) -> None:
        raise asyncio.CancelledError

    engine._shared.runtime = attrs.evolve(engine._shared.runtime, sleep=cancelled)
    with pytest.raises(asyncio.CancelledError):
        await engine.call(READ, parameters={"thing_id": "t1"})
    assert engine._shared.budget.tokens == RetryBudget.CAPACITY


async def test_a_retry_held_back_after_its_pause_gives_its_tokens_back(bench: Bench) -> None:
    engine = bench.engine()
    bench.server.plays(bench.server.answer(503))

    async def another_call_is_told_to_wait(seconds: float) -> None:
        await bench.time.sleep(seconds)
        engine._shared.pace.hold(60, now=bench.time.now)

    engine._shared.runtime = attrs.evolve(engine._shared.runtime, sleep=another_call_is_told_to_wait)
    with pytest.raises(ServerError, match=r"wait 60\.0 s more"):
        await engine.call(READ, parameters={"thing_id": "t1"})
    assert bench.server.sends == 1
    assert engine._shared.budget.tokens == RetryBudget.CAPACITY


# Cancellation


async def cancel_when_sent(bench: Bench, task: asyncio.Task[Any]) -> asyncio.CancelledError:
    await bench.server.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as info:
        await task
    return info.value


async def test_a_cancelled_creation_leaves_a_token(bench: Bench) -> None:
    bench.server.on_hang = lambda: None
    bench.server.plays("hang-before", bench.server.answer(201, THING))
    engine = bench.engine()
    error = await cancel_when_sent(bench, asyncio.create_task(engine.call(CREATE, body=Thing(name="a"))))
    assert error.__notes__ == ["create_thing may have been done: see its attribute seqino_token"]
    token = vars(error)["seqino_token"]
    assert (token.operation, token.client_id, token.attempts) == ("create_thing", "acme", 1)
    assert [(event.kind, event.outcome, event.fault) for event in bench.events] == [
        ("verdict", "unknown", "abandoned")
    ]
    assert bench.events[0].token == token
    # The abandoned connection is reset, and the client goes on.
    await bench.server.ended.wait()
    assert bench.server.resets == 1
    await engine.call(CREATE, body=Thing(name="b"))


async def test_a_cancelled_read_leaves_nothing(bench: Bench) -> None:
    bench.server.on_hang = lambda: None
    bench.server.plays("hang-before")
    task = asyncio.create_task(bench.engine().call(READ, parameters={"thing_id": "t1"}))
    error = await cancel_when_sent(bench, task)
    assert not hasattr(error, "seqino_token")
    assert not hasattr(error, "__notes__")


async def test_a_cancellation_before_the_first_byte_is_no_doubt(bench: Bench) -> None:
    async def cancelled_key() -> str:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError) as info:
        await bench.engine(api_key=cancelled_key).call(CREATE, body=Thing(name="a"))
    assert not hasattr(info.value, "seqino_token")
    assert bench.events[-1].outcome == "not_sent"


async def test_a_cancellation_at_the_moment_of_a_timeout_is_a_cancellation(bench: Bench, time: Time) -> None:
    bench.server.on_hang = lambda: None
    bench.server.plays("hang-before")
    task = asyncio.create_task(bench.engine(timeout=5.0).call(CREATE, body=Thing(name="a")))
    await bench.server.arrived.wait()
    time.pass_by(5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as info:
        await task
    assert hasattr(info.value, "seqino_token")


async def test_a_timeout_leaves_no_cancellation_behind(bench: Bench) -> None:
    bench.server.plays("hang-before")
    task = asyncio.current_task()
    assert task is not None
    with pytest.raises(OutcomeUnknown):
        await bench.engine().call(CREATE, body=Thing(name="a"))
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_a_fault_of_foreign_code_after_sending_leaves_a_token(bench: Bench) -> None:
    async def faulty(request: Any, handler: Any) -> Any:
        await handler(request)
        raise KeyError("from a middleware")

    bench.server.plays(bench.server.answer(201, THING))
    with pytest.raises(KeyError) as info:
        await bench.engine(middlewares=(faulty,)).call(CREATE, body=Thing(name="a"))
    assert vars(info.value)["seqino_token"].operation == "create_thing"


async def test_a_call_that_nobody_listens_to_is_made_all_the_same(bench: Bench) -> None:
    bench.server.plays("close-before", bench.server.answer(200, THING))
    await bench.engine(on_event=None).call(READ, parameters={"thing_id": "t1"})
    assert bench.server.sends == 2


# What comes back


async def test_an_answer_becomes_the_documented_type(bench: Bench) -> None:
    bench.server.plays(
        bench.server.answer(200, THING), bench.server.answer(202, THING), bench.server.answer(204, b"")
    )
    engine = bench.engine()
    for expected in (Thing(name="a", size=1), Thing(name="a", size=1), None):
        assert await engine.call(READ, parameters={"thing_id": "t1"}) == expected


async def test_an_answer_without_a_documented_body_is_none(bench: Bench) -> None:
    bench.server.plays(
        bench.server.answer(204, b""), bench.server.answer(200, b"ok"), bench.server.answer(200, b"ok")
    )
    engine = bench.engine()
    assert await engine.call(DELETE, parameters={"thing_id": "t1"}) is None  # type: ignore[func-returns-value]
    assert await engine.call(DELETE, parameters={"thing_id": "t1"}) is None  # type: ignore[func-returns-value]
    assert await engine.call(attrs.evolve(READ, responses={}), parameters={"thing_id": "t1"}) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"size": 1}', b'{"name": 7}', b"[" * 5000, b"\xff"])
async def test_a_creation_whose_answer_cannot_be_read_was_done(bench: Bench, body: bytes) -> None:
    bench.server.plays(bench.server.answer(201, body, X_Request_Id="r-1"))
    with pytest.raises(ResponseDecodeError, match="create_thing was done") as info:
        await bench.engine().call(CREATE, body=Thing(name="a"))
    error = info.value
    assert (error.outcome, error.status, error.raw, error.trace_id) == ("done", 201, body, "r-1")
    assert error.faults
    assert bench.server.sends == 1
    assert [(event.kind, event.outcome, event.error) for event in bench.events] == [
        ("attempt", "done", None),
        ("verdict", "done", "ResponseDecodeError"),
    ]


@pytest.mark.parametrize("operation", [READ, CREATE], ids=lambda operation: operation.name)
async def test_an_answer_beyond_the_limit_is_not_swallowed(bench: Bench, operation: Operation[Any]) -> None:
    chunked = b"HTTP/1.1 201 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n" + b" " * 64 + b"\r\n"
    engine = bench.engine(max_answer_bytes=32)
    bench.server.on_hang = lambda: None
    kind = UnexpectedAnswer if operation is READ else OutcomeUnknown
    for behaviour in (bench.server.answer(201, b" " * 33), Play(answer=chunked, then="hang")):
        bench.server.plays(behaviour)
        with pytest.raises(kind, match=r"larger than the limit \(more than 32 bytes\)"):
            await engine.call(operation, **given(operation))
    assert bench.server.sends == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.AuthenticationFailed),
        (402, errors.Rejected),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (422, errors.UnprocessableContent),
        (451, errors.Rejected),
    ],
)
async def test_each_refusal_has_its_own_error(bench: Bench, status: int, kind: type[CallError]) -> None:
    bench.server.plays(
        bench.server.answer(
            status, b'{"error": "because", "code": 12, "trace_id": "t-9"}', X_Trace_Id="other"
        )
    )
    with pytest.raises(CallError, match=r"because.*trace id t-9") as info:
        await bench.engine().call(READ, parameters={"thing_id": "t1"})
    error = info.value
    assert type(error) is kind
    assert error.body == errors.ErrorBody(message="because", code=12, trace_id="t-9")
    assert (error.trace_id, error.status) == ("t-9", status)
    assert [event.trace_id for event in bench.events] == ["other", "t-9"]


# What is refused before anything is sent


async def test_a_call_without_a_key_is_not_sent(bench: Bench) -> None:
    with pytest.raises(
        ConfigurationError, match=r"get_thing needs an API key: give api_key .* SEQINO_API_KEY"
    ):
        await bench.engine(api_key=None).call(READ, parameters={"thing_id": "t1"})
    assert bench.server.connections == 0


async def test_a_call_without_a_client_is_not_sent(bench: Bench) -> None:
    with pytest.raises(InvalidInput, match=r"give client_id .* SEQINO_CLIENT_ID"):
        await bench.engine(client_id=None).call(READ, parameters={"thing_id": "t1"})
    assert bench.server.connections == 0


async def test_a_body_that_cannot_be_encoded_is_not_sent(bench: Bench) -> None:
    with pytest.raises(InvalidInput):
        await bench.engine().call(CREATE, body={"size": "x"})
    with pytest.raises(InvalidInput, match="create_thing needs a body"):
        await bench.engine().call(CREATE, body=UNSET)
    assert bench.server.connections == 0


# Copies


async def test_copies_differ_in_their_options_and_share_the_connection(bench: Bench) -> None:
    engine = bench.engine(extra_headers={"X-A": "1"})
    bench.server.plays(*[bench.server.answer(200, THING)] * 4)
    await engine.call(READ, parameters={"thing_id": "t1"})
    await engine.scoped("other").call(READ, parameters={"thing_id": "t1"})
    other = engine.with_options(extra_headers={"X-B": "2"}, timeout=3, max_retries=1)
    await other.call(READ, parameters={"thing_id": "t1"})
    await other.call(READ, parameters={"thing_id": "t1", "client_id": "third"})
    first, second, third, fourth = (request.decode() for request in bench.server.requests)
    assert "X-PDP-Client-Id: acme\r\n" in first
    assert "X-B" not in first
    assert "X-PDP-Client-Id: other\r\n" in second
    assert "X-A: 1\r\n" in third
    assert "X-B: 2\r\n" in third
    assert "X-PDP-Client-Id: third\r\n" in fourth
    assert (other.config.timeout, other.config.max_retries, engine.config.max_retries) == (3, 1, 3)
    assert bench.server.connections == 1


async def test_closing_a_copy_leaves_the_client_open(bench: Bench) -> None:
    engine = bench.engine()
    bench.server.plays(bench.server.answer(200, THING))
    await engine.scoped("other").aclose()
    await engine.call(READ, parameters={"thing_id": "t1"})


# Keys


@pytest.mark.parametrize("operation", [READ, CREATE], ids=lambda operation: operation.name)
@pytest.mark.parametrize("fault", [*IN_DOUBT, "refused"])
async def test_the_key_shows_in_no_error_event_or_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, operation: Operation[Any], fault: str
) -> None:
    caplog.set_level("DEBUG")
    bench.server.plays(bench.server.answer(400) if fault == "refused" else fault)
    engine = bench.engine(max_retries=0)
    with pytest.raises(CallError) as info:
        await engine.call(operation, **given(operation))
    shown = [caplog.text, repr(bench.events), repr(engine.config), repr(vars(engine))]
    chain: BaseException | None = info.value
    while chain is not None:
        shown += [repr(chain), repr(vars(chain)), "".join(traceback.format_exception(chain))]
        chain = chain.__cause__ or chain.__context__
    shown.append(pickle.dumps(info.value).decode("latin-1"))
    assert "unread" in fault or b"canary-key" in bench.server.requests[0]
    assert not [text for text in shown if "canary-key" in text]


async def test_the_key_is_fetched_for_every_attempt(bench: Bench) -> None:
    keys = iter(["first", "second"])

    async def rotating() -> str:
        return next(keys)

    bench.server.plays(bench.server.answer(503), bench.server.answer(200, THING))
    await bench.engine(api_key=rotating).call(READ, parameters={"thing_id": "t1"})
    assert b"Authorization: first\r\n" in bench.server.requests[0]
    assert b"Authorization: second\r\n" in bench.server.requests[1]


async def test_a_fetched_key_that_cannot_be_sent_is_refused(bench: Bench) -> None:
    async def broken() -> str:
        return "canary\r\nX: y"

    with pytest.raises(ConfigurationError, match=r"what api_key\(\) returned holds a line break") as info:
        await bench.engine(api_key=broken).call(CREATE, body=Thing(name="a"))
    assert "canary" not in str(info.value)
    assert bench.server.connections == 0


async def test_an_open_operation_beside_the_api_gets_no_key(bench: Bench) -> None:
    health: Operation[Any] = Operation(
        name="health_check",
        operation_id="health",
        tag="health",
        method="GET",
        path="/health",
        effect=Effect.SAFE,
        responses={200: Any},
        outside_api=True,
    )
    bench.server.plays(*[bench.server.answer(200, b"null")] * 2)
    for key in (Secret("k"), None):
        engine = bench.engine(base_url=f"{bench.server.url}/api", api_key=key)
        assert await engine.call(health) is None
    for request in bench.server.requests:
        assert request.startswith(b"GET /health HTTP/1.1\r\n")
        assert b"Authorization" not in request
        assert b"X-PDP-Client-Id" not in request
