"""aiohttp middlewares of the caller: they see every attempt, and none sends a request twice unseen."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest

from seqino._core.wire import Effect, Operation
from seqino.errors import NotSent, OutcomeUnknown, UnexpectedAnswer

if TYPE_CHECKING:
    from tests.core.conftest import Bench

CREATE: Operation[None] = Operation(
    name="create_thing",
    operation_id="create_thing",
    tag="things",
    method="POST",
    path="/things",
    effect=Effect.CREATE,
    responses={204: None},
)
GET = attrs.evolve(CREATE, name="get_thing", method="GET", effect=Effect.SAFE)
Handler = aiohttp.ClientHandlerType


async def test_a_middleware_sees_every_attempt(bench: Bench) -> None:
    seen: list[tuple[str, str, int]] = []

    async def watch(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        response = await handler(request)
        seen.append((request.method, request.url.path, response.status))
        return response

    bench.server.plays("status-503", "status-502", bench.server.answer(204, b""))
    await bench.engine(middlewares=(watch,)).call(GET)
    assert seen == [("GET", "/things", 503), ("GET", "/things", 502), ("GET", "/things", 204)]


async def test_the_first_middleware_is_the_outermost(bench: Bench) -> None:
    order: list[str] = []

    def named(name: str) -> Any:
        async def middleware(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
            order.append(f"{name} before")
            response = await handler(request)
            order.append(f"{name} after")
            return response

        return middleware

    bench.server.plays(bench.server.answer(204, b""))
    await bench.engine(middlewares=(named("first"), named("second"))).call(CREATE)
    assert order == ["first before", "second before", "second after", "first after"]


async def test_a_middleware_may_add_headers(bench: Bench) -> None:
    async def sign(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        request.headers["X-Signature"] = "s"
        return await handler(request)

    bench.server.plays(bench.server.answer(204, b""))
    await bench.engine(middlewares=(sign,)).call(CREATE)
    assert b"X-Signature: s\r\n" in bench.server.requests[0]


async def repeat(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
    """What examples on the web do: try again."""
    with contextlib.suppress(aiohttp.ClientError):
        response = await handler(request)
        if response.status < 500:
            return response
    return await handler(request)


@pytest.mark.parametrize("fault", ["close-after", "reset-after", "status-503"])
async def test_a_middleware_cannot_send_a_second_time(bench: Bench, fault: str) -> None:
    bench.server.plays(fault)
    with pytest.raises(OutcomeUnknown, match="a middleware tried to send the request") as caught:
        await bench.engine(middlewares=(repeat,)).call(CREATE)
    assert bench.server.sends == 1
    assert caught.value.attempts == 1
    assert [(event.kind, event.fault) for event in bench.events] == [
        ("attempt", "repeated"),
        ("verdict", "repeated"),
    ]


async def test_a_read_that_a_middleware_repeats_fails_too_and_says_why(bench: Bench) -> None:
    bench.server.plays("status-503")
    with pytest.raises(UnexpectedAnswer, match="again, which only the client may") as caught:
        await bench.engine(middlewares=(repeat,)).call(GET)
    assert (bench.server.sends, caught.value.attempts) == (1, 1)


async def test_two_sends_at_the_same_time_are_one(bench: Bench) -> None:
    async def twice(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        results = await asyncio.gather(handler(request), handler(request), return_exceptions=True)
        return next(each for each in results if isinstance(each, aiohttp.ClientResponse))

    bench.server.plays(bench.server.answer(204, b""))
    await bench.engine(middlewares=(twice,)).call(CREATE)
    assert bench.server.sends == 1


async def test_an_answer_that_was_given_up_for_a_second_send_keeps_no_connection(bench: Bench) -> None:
    bench.server.plays(bench.server.answer(503, b"x" * 5_000_000), bench.server.answer(204, b""))
    held: list[aiohttp.ClientResponse] = []

    async def keep(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        held.append(await handler(request))
        return await handler(request) if held[-1].status == 503 else held[-1]

    engine = bench.engine(middlewares=(keep,), max_connections=1)
    with pytest.raises(OutcomeUnknown):
        await engine.call(CREATE)
    assert held[0].connection is None
    await engine.call(CREATE)
    assert (bench.server.sends, bench.server.connections) == (2, 2)


@pytest.mark.parametrize(
    "error", [ValueError("unsigned"), OSError("unsigned"), aiohttp.ClientError("unsigned")]
)
async def test_a_middleware_that_fails_in_a_usual_way_fails_the_attempt(
    bench: Bench, error: Exception
) -> None:
    async def before(_request: aiohttp.ClientRequest, _handler: Handler) -> aiohttp.ClientResponse:
        raise error

    async def after(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        await handler(request)
        raise error

    with pytest.raises(NotSent, match="unsigned"):
        await bench.engine(middlewares=(before,), max_retries=0).call(CREATE)
    bench.server.plays(bench.server.answer(204, b""))
    with pytest.raises(OutcomeUnknown, match="unsigned"):
        await bench.engine(middlewares=(after,)).call(CREATE)


async def test_a_value_error_is_not_tried_again(bench: Bench) -> None:
    async def refuse(_request: aiohttp.ClientRequest, _handler: Handler) -> aiohttp.ClientResponse:
        raise ValueError("unsigned")

    with pytest.raises(NotSent) as caught:
        await bench.engine(middlewares=(refuse,)).call(CREATE)
    assert caught.value.attempts == 1


async def test_any_other_exception_of_a_middleware_passes_through_and_leaves_a_trace(bench: Bench) -> None:
    async def fail(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        await handler(request)
        raise RuntimeError("middleware")

    bench.server.plays(bench.server.answer(204, b""))
    with pytest.raises(RuntimeError, match="middleware") as caught:
        await bench.engine(middlewares=(fail,)).call(CREATE)
    assert vars(caught.value)["seqino_token"] is bench.events[-1].token
    assert bench.events[-1].error == "RuntimeError"


async def test_aiohttps_own_second_send_stays_switched_off(bench: Bench) -> None:
    async def plain(request: aiohttp.ClientRequest, handler: Handler) -> aiohttp.ClientResponse:
        return await handler(request)

    bench.server.plays("close-after", bench.server.answer(204, b""))
    await bench.engine(middlewares=(plain,)).call(GET)
    assert bench.server.sends == 2
    assert [event.attempt for event in bench.told("attempt")] == [1, 2]
