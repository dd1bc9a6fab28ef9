"""Histories and waiting, in a client against the sandbox; no pause takes time."""

from __future__ import annotations

import asyncio
import copy
import functools
import math
import pickle
import ssl
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestServer

from seqino.client import SeqinoClient
from seqino.errors import (
    AuthenticationFailed,
    DeadlineExceeded,
    InsecureConnection,
    InvalidInput,
    NotReached,
    PermissionDenied,
    ServerError,
    WaitTimedOut,
)
from seqino.statuses import LocalState
from tests.facade.conftest import DRAFTS, QUICK, Clock, Feed, Stage, event, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from seqino.models import LifecycleEvent


# History


async def test_a_history_has_each_event_once_and_in_order(stage: Stage) -> None:
    invoice_id = await stage.submit()
    stage.sandbox.clock.advance(60)
    history = await stage.client.lifecycle.history(invoice_id)
    assert numbers(history) == [200, 201, 202, 203, 204, 205, 211, 212]


async def test_a_history_takes_repetitions_for_one_and_goes_by_the_moments(feed: Feed) -> None:
    client, shown = feed
    shown += [event("APPROVED", 9), event("DEPOSITED", 1), event("APPROVED", 9)]
    assert numbers(await client.lifecycle.history("inv-1")) == [200, 205]


# Waiting


async def test_waiting_ends_as_soon_as_it_is_true(stage: Stage) -> None:
    invoice_id = await stage.submit()
    history = await stage.client.lifecycle.wait_until(invoice_id, "approved", timeout=100, backoff=QUICK)
    assert numbers(history)[-1] == 205
    assert stage.clock.now < 40
    history = await stage.client.lifecycle.wait_until(invoice_id, timeout=1000, backoff=QUICK)
    assert numbers(history)[-1] == 212


async def test_what_is_true_already_costs_one_request(stage: Stage) -> None:
    invoice_id = await stage.submit()
    stage.sandbox.clock.advance(60)
    before = stage.sandbox.counters.requests
    await stage.client.lifecycle.wait_until(invoice_id, ("settled", "dead"), timeout=100)
    assert stage.sandbox.counters.requests == before + 1
    assert stage.clock.slept == []


def more_than_five(events: Sequence[LifecycleEvent]) -> bool:
    return len(events) > 5


@pytest.mark.parametrize(
    ("scenario", "condition", "last"),
    [
        ("paid", "delivered", 203),
        ("refused", ("settled", "dead"), 210),
        ("not_delivered", ["not delivered", "settled"], 200),
        # As text of a configuration has it.
        ("not_delivered", "not delivered or settled", 200),
        ("not_delivered", "end", 200),
        ("disputed", more_than_five, 207),
    ],
)
async def test_conditions_by_name_and_by_function(
    stage: Stage, scenario: str, condition: Any, last: int
) -> None:
    invoice_id = await stage.submit(scenario)
    history = await stage.client.lifecycle.wait_until(invoice_id, condition, timeout=600, backoff=QUICK)
    assert last in numbers(history)


async def test_a_buyer_that_has_set_a_status_has_the_invoice(feed: Feed) -> None:
    client, shown = feed
    shown += [event("DEPOSITED"), event("ACKNOWLEDGED", 5)]
    assert len(await client.lifecycle.wait_until("inv-1", "delivered", timeout=100)) == 2


async def test_a_wait_that_times_out_tells_what_happened_instead(stage: Stage) -> None:
    invoice_id = await stage.submit("approved")
    with pytest.raises(WaitTimedOut, match=f"{invoice_id} is accepted after 100 s .* 'settled'") as caught:
        await stage.client.lifecycle.wait_until(invoice_id, "settled", timeout=100, backoff=QUICK)
    assert numbers(caught.value.history)[-1] == 205
    # A second is kept for the last look.
    assert stage.clock.now == 99
    assert isinstance(caught.value, TimeoutError)
    for copied in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):  # noqa: S301 - our own
        assert (copied.object_id, copied.history) == (invoice_id, caught.value.history)


async def test_an_end_that_rules_it_out_ends_the_wait(stage: Stage) -> None:
    invoice_id = await stage.submit("refused")
    with pytest.raises(NotReached, match="is dead: 'settled' cannot follow that") as caught:
        await stage.client.lifecycle.wait_until(invoice_id, "settled", timeout=1e6, backoff=QUICK)
    assert numbers(caught.value.history)[-1] == 210
    assert stage.clock.now < 60
    # What a function waits for, nobody else can judge.
    with pytest.raises(WaitTimedOut, match="what was asked for"):
        await stage.client.lifecycle.wait_until(invoice_id, lambda _: False, timeout=1)


async def test_a_delivery_that_is_refused_as_a_duplicate_ends_waiting_and_watching(stage: Stage) -> None:
    file = (DRAFTS / "01-it-services-ubl.xml").read_bytes()
    held, refused = [(await stage.client.submit_file(file, name="a.xml")).invoice_id or "" for _ in range(2)]
    history = await stage.client.lifecycle.wait_until(refused, "end", timeout=600, backoff=QUICK)
    assert numbers(history) == [200, 201, 213]
    assert await stage.client.lifecycle.wait_until(refused, "duplicate", timeout=100) == history
    with pytest.raises(NotReached, match="is duplicate: 'delivered or dead' cannot follow that"):
        await stage.client.lifecycle.wait_until(refused, ("delivered", "dead"), timeout=100)
    ends = {
        change.invoice_id: change.state
        async for change in stage.client.lifecycle.watch(held, refused, backoff=QUICK)
        if change.is_over
    }
    assert ends == {held: LocalState.SETTLED, refused: LocalState.DUPLICATE}


@pytest.mark.parametrize("condition", ["delivered", "approved", ("delivered", "approved")])
async def test_a_buyer_without_a_platform_never_answers(stage: Stage, condition: Any) -> None:
    invoice_id = await stage.submit("not_delivered")
    with pytest.raises(NotReached, match=r"is not_delivered: '.*' cannot follow that") as caught:
        await stage.client.lifecycle.wait_until(invoice_id, condition, timeout=math.inf, backoff=QUICK)
    assert not isinstance(caught.value, WaitTimedOut)
    assert stage.clock.slept == []


@pytest.mark.parametrize("condition", ["settled", ("approved", "settled")])
async def test_a_buyer_without_a_platform_may_pay(stage: Stage, condition: Any) -> None:
    invoice_id = await stage.submit("not_delivered_then_paid")
    history = await stage.client.lifecycle.wait_until(invoice_id, condition, timeout=600, backoff=QUICK)
    assert numbers(history) == [200, 212]


async def test_an_invoice_that_is_not_there_yet_is_waited_for(feed: Feed) -> None:
    client, shown = feed
    shown += [404, 404, event("COLLECTED")]
    assert numbers(await client.lifecycle.wait_until("inv-1", "settled", timeout=1e4)) == [212]
    shown[:] = [404]
    with pytest.raises(WaitTimedOut, match="inv-1 is without any event"):
        await client.lifecycle.wait_until("inv-1", timeout=1)


async def test_pauses_grow_until_there_is_news(feed: Feed, clock: Clock) -> None:
    client, shown = feed
    with pytest.raises(WaitTimedOut):
        await client.lifecycle.wait_until("inv-1", timeout=30, backoff=QUICK)
    assert clock.slept == [3, 6, 12, 8]
    shown += [404, 404, event("DEPOSITED")]
    clock.slept.clear()
    with pytest.raises(WaitTimedOut):
        await client.lifecycle.wait_until("inv-1", timeout=20, backoff=QUICK)
    assert clock.slept == [3, 6, 3, 6, 1]


async def test_trouble_that_passes_is_waited_over_and_told_at_the_end(feed: Feed, clock: Clock) -> None:
    client, shown = feed
    shown += [*[503] * 4, event("COLLECTED")]
    assert numbers(await client.lifecycle.wait_until("inv-1", timeout=1e4)) == [212]
    shown[:] = [503] * 99
    with pytest.raises(WaitTimedOut) as caught:
        await client.lifecycle.wait_until("inv-1", timeout=clock.now + 1)
    assert isinstance(caught.value.__cause__, ServerError)


@pytest.mark.parametrize(("status", "kind"), [(401, AuthenticationFailed), (403, PermissionDenied)])
async def test_trouble_that_does_not_pass_ends_the_wait(
    feed: Feed, status: int, kind: type[Exception]
) -> None:
    client, shown = feed
    shown.append(status)
    with pytest.raises(kind):
        await client.lifecycle.wait_until("inv-1", timeout=1e4)


async def test_a_server_that_is_not_trusted_ends_waiting_and_watching(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqino.client.Runtime", clock.runtime)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)  # pyright: ignore[reportUnknownMemberType] # PyOpenSSL's
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=context)
    try:
        async with SeqinoClient("key-1", client_id="c", base_url=str(server.make_url(""))) as client:
            with pytest.raises(InsecureConnection):
                await client.lifecycle.wait_until("inv-1", timeout=1e4)
            with pytest.raises(InsecureConnection):
                _ = [change async for change in client.lifecycle.watch("inv-1")]
    finally:
        await server.close()
    assert clock.slept == []


@pytest.mark.parametrize("condition", ["paid", "settled or", "", 5, None, (), ("settled", "paid"), {"dead"}])
async def test_a_condition_that_is_none_is_refused(stage: Stage, condition: Any) -> None:
    with pytest.raises(InvalidInput, match="condition must be a function of events, or one or"):
        await stage.client.lifecycle.wait_until("inv-1", condition, timeout=1)
    with pytest.raises(InvalidInput, match="timeout must be a number of seconds above 0"):
        await stage.client.lifecycle.wait_until("inv-1", timeout=0)
    backoff: Any = timedelta(seconds=5)
    with pytest.raises(InvalidInput, match=r"backoff must be a statuses\.Backoff, such as"):
        await stage.client.lifecycle.wait_until("inv-1", timeout=1, backoff=backoff)
    assert stage.sandbox.counters.requests == 0


async def awaited(_: Sequence[LifecycleEvent]) -> bool:
    raise AssertionError("it is not even begun")


class Awaited:
    async def __call__(self, _: Sequence[LifecycleEvent]) -> bool:
        raise AssertionError("it is not even begun")


@pytest.mark.parametrize("condition", [awaited, Awaited(), functools.partial(awaited)])
async def test_a_condition_that_has_to_be_awaited_is_refused_before_anything_is_sent(
    stage: Stage, condition: Any
) -> None:
    with pytest.raises(InvalidInput, match="condition must be a plain function"):
        await stage.client.lifecycle.wait_until("inv-1", condition, timeout=100)
    assert stage.sandbox.counters.requests == 0


def coroutine(events: Sequence[LifecycleEvent]) -> Any:
    return awaited(events)


def task(_: Sequence[LifecycleEvent]) -> Any:
    return asyncio.ensure_future(never())


@pytest.mark.parametrize("condition", [coroutine, task])
async def test_a_condition_that_returns_what_has_to_be_awaited_is_never_taken_for_true(
    stage: Stage, condition: Any
) -> None:
    with pytest.raises(InvalidInput, match="condition must be a plain function"):
        await stage.client.lifecycle.wait_until("inv-1", condition, timeout=100)


async def never() -> None:
    """What is begun, and of no use."""


async def test_a_look_that_hangs_ends_with_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    over, clock = asyncio.Event(), Clock()
    timers: list[Callable[[], None]] = []

    def call_later(_seconds: float, ring: Callable[[], None]) -> asyncio.TimerHandle:
        timers.append(ring)
        return asyncio.get_running_loop().call_later(3600, ring)

    async def hang(_: web.Request) -> web.Response:
        clock.now += 30
        timers.pop()()
        await over.wait()
        return web.json_response([])

    app = web.Application()
    app.router.add_get("/lifecycle-events", hang)
    monkeypatch.setattr("seqino.client.Runtime", lambda: attrs.evolve(clock.runtime(), call_later=call_later))
    async with (
        TestServer(app) as server,
        SeqinoClient("key-1", client_id="c", base_url=str(server.make_url("")), timeout=math.inf) as client,
    ):
        with pytest.raises(WaitTimedOut) as caught:
            await client.lifecycle.wait_until("inv-1", timeout=30)
        over.set()
    assert isinstance(caught.value.__cause__, DeadlineExceeded)
