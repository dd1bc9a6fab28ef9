"""Attempts to deliver an event: when they fail, how often they are made, in which order, how many at once."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from seqino.sandbox.deliveries import Limits
from seqino.sandbox.world import webhooks
from seqino.sandbox.world.webhooks import RETRIES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from seqino.sandbox import Receiver, Sandbox

    Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

NO_ANSWER_NEEDED = Limits(timeout=0.05, patience=0.01)


def told(receiver: Receiver) -> list[str]:
    """The type of each event that arrived, or the last word of its status where there is one."""
    return [
        one.payload["data"].get("status_code", "").rpartition(".")[2] or one.event_type
        for one in receiver.events
    ]


def saying(raw: bytes) -> Handle:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return handle


async def test_a_failure_is_tried_again_with_the_same_id_and_bytes(
    call: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    hook.fail(2, status=503)
    await call.issue()
    await sandbox.deliveries.settled()
    assert told(hook) == []
    (first, second) = sandbox.deliveries.list("pending")
    payload = first.payload
    sandbox.clock.advance(RETRIES[0])
    await sandbox.deliveries.settled()
    assert hook.events[0].body == payload
    assert [one.event_id for one in hook.events] == [first.event_id, second.event_id]
    assert [one.status for one in first.attempts] == [503, 204]
    assert first.attempts[0].error == "answered 503 Service Unavailable"
    assert first.outcome == second.outcome == "delivered"
    assert sandbox.counters.deliveries_attempted == 4
    assert sandbox.counters.deliveries_succeeded == 2


async def test_one_that_fails_does_not_hold_up_the_others(
    call: Any, sandbox: Sandbox, hook: Receiver
) -> None:
    hook.fail(1)
    await call.issue()
    await sandbox.deliveries.settled()
    assert told(hook) == ["DEPOSITED"]
    sandbox.clock.advance(60)
    await sandbox.deliveries.settled()
    assert sorted(told(hook)[:2]) == ["DEPOSITED", "invoice.created"]
    assert told(hook)[2] == "TRANSMITTED_BY_PLATFORM"


async def test_after_the_last_attempt_an_event_is_given_up(
    call: Any, sandbox: Sandbox, receiver: Receiver, register: Any
) -> None:
    await register(call, receiver, events=["invoice.created"])
    receiver.fail(100)
    await call.issue()
    (delivery,) = sandbox.deliveries.list()
    waited: list[float] = []
    for _ in range(len(RETRIES) + 3):
        await sandbox.deliveries.settled()
        if delivery.outcome == "pending":
            waited.append((delivery.due - sandbox.clock.now()).total_seconds())
        sandbox.clock.advance(3600)
    assert waited == list(RETRIES)
    assert delivery.outcome == "given_up"
    assert [one.status for one in delivery.attempts] == [500] * (len(RETRIES) + 1)
    sandbox.deliveries.redeliver(delivery.event_id)
    await sandbox.deliveries.settled()
    assert (delivery.due - sandbox.clock.now()).total_seconds() == RETRIES[0], "counted afresh"


@pytest.mark.parametrize(
    "case",
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", 302, "answered 302"),
        (b"HTTP/1.1 410 \r\nContent-Length: 0\r\n\r\n", 410, "answered 410"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500, "answered 500"),
        (b"", None, "ServerDisconnectedError"),
        (b"garbage\r\n\r\n", None, "Bad status line"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", None, "more than 8190 bytes"),
    ],
)
async def test_whatever_is_not_2xx_is_a_failure(
    call: Any, answering: Any, register: Any, sandbox: Sandbox, case: tuple[bytes, int | None, str]
) -> None:
    raw, status, error = case
    async with answering(saying(raw)) as url:
        await register(call, url, events=["invoice.created"])
        await call.issue()
        await sandbox.deliveries.settled()
        (delivery,) = sandbox.deliveries.list("pending")
        (attempt,) = delivery.attempts
        assert attempt.status == status
        assert error in (attempt.error or "")
        assert attempt.error is not None
        assert len(attempt.error) <= 300


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://127.0.0.1:1/", "http://a..b/"])
async def test_a_receiver_that_is_not_there_is_a_failure(
    call: Any, sandbox: Sandbox, register: Any, url: str
) -> None:
    await register(call, url, events=["invoice.created"])
    await call.issue()
    await sandbox.deliveries.settled()
    (delivery,) = sandbox.deliveries.list("pending")
    assert delivery.attempts[0].status is None
    assert delivery.attempts[0].error


async def test_an_answer_without_end_is_not_read(
    call: Any, answering: Any, sandbox: Sandbox, register: Any
) -> None:
    written = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
        while written < 52_428_800:
            writer.write(b"a" * 65_536)
            written += 65_536
            await writer.drain()

    async with answering(endless) as url:
        await register(call, url, events=["invoice.created"])
        await call.issue()
        await sandbox.deliveries.settled()
        (delivery,) = sandbox.deliveries.list()
        assert delivery.outcome == "delivered", "the status said everything"
    assert written < 52_428_800


async def test_a_receiver_that_hangs_is_left(
    call: Any, answering: Any, sandbox: Sandbox, register: Any
) -> None:
    sandbox.deliveries.limits = NO_ANSWER_NEEDED
    hanging = asyncio.Event()

    async def hang(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await hanging.wait()

    async with answering(hang) as url:
        await register(call, url)
        await call.issue()
        await sandbox.deliveries.settled()
        assert [one.attempts[0].error for one in sandbox.deliveries.list("pending")] == [
            "no answer within 0.05 s"
        ] * 2
        hanging.set()


async def test_a_receiver_that_hangs_holds_up_no_other_sponsor(
    call: Any, answering: Any, sandbox: Sandbox, register: Any, receiver: Receiver
) -> None:
    hanging = asyncio.Event()

    async def hang(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await hanging.wait()

    async with answering(hang) as url:
        await register(call, url)
        await register(call, receiver, key="another-key")
        await call.issue()
        await call.issue(headers={"Authorization": "another-key"})
        assert (await receiver.next(timeout=60)).event_type == "invoice.created"
        await sandbox.stop()
        hanging.set()


# --- Order and number ---


async def test_a_thousand_events_arrive_in_order(sandbox: Sandbox, hook: Receiver) -> None:
    for number in range(1000):
        sandbox.deliveries.send("webhook.test", {"number": number})
    await sandbox.deliveries.settled()
    assert [one.payload["data"]["number"] for one in hook.events] == list(range(1000))


async def test_an_event_waits_for_the_answer_to_the_one_before(
    call: Any, answering: Any, sandbox: Sandbox, register: Any
) -> None:
    sandbox.deliveries.limits = Limits(timeout=60, patience=60)
    begun, ended = 0, 0

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal begun, ended
        assert begun == ended
        begun += 1
        await asyncio.sleep(0.001)
        ended += 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    async with answering(slow) as url:
        await register(call, url)
        for _ in range(20):
            sandbox.deliveries.send("webhook.test", {})
        await sandbox.deliveries.settled()
    assert begun == len(sandbox.deliveries.list("delivered")) == 20


async def test_a_slow_receiver_gets_a_thousand_events_in_order_and_few_at_once(
    call: Any, answering: Any, sandbox: Sandbox, register: Any
) -> None:
    sandbox.deliveries.limits = Limits(patience=0)
    begun: list[int] = []
    under_way = most = 0
    are_many = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        begun.append(json.loads(await reader.readuntil(b"}}"))["data"]["number"])
        under_way += 1
        most = max(most, under_way)
        if most == sandbox.deliveries.limits.at_once:
            are_many.set()
        await are_many.wait()
        await asyncio.sleep(0.003)
        under_way -= 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with answering(slow) as url:
        await register(call, url)
        for number in range(1000):
            sandbox.deliveries.send("webhook.test", {"number": number})
        await sandbox.deliveries.settled()
    assert sorted(begun) == list(range(1000))
    assert most == sandbox.deliveries.limits.at_once == 8
    # Several are under way, so that one may overtake those beside it, and no others.
    assert all(abs(place - number) < sandbox.deliveries.limits.at_once for place, number in enumerate(begun))
    numbers = [json.loads(one.payload)["data"]["number"] for one in sandbox.deliveries.list("delivered")]
    assert numbers == list(range(1000))


async def test_all_sponsors_together_have_a_bound_too(
    call: Any, answering: Any, sandbox: Sandbox, register: Any
) -> None:
    sandbox.deliveries.limits = Limits(patience=0, at_once=8, in_all=3)
    under_way = most = 0

    async def slow(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    async with answering(slow) as url:
        for key in ("a-key", "b-key"):
            await register(call, url, key=key)
        for _ in range(10):
            sandbox.deliveries.send("webhook.test", {})
        await sandbox.deliveries.settled()
    assert len(sandbox.deliveries.list("delivered")) == 20
    assert most <= 3


async def test_what_ended_is_not_kept_for_ever(
    sandbox: Sandbox, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "KEPT", 3)
    hook.fail(1)
    for number in range(6):
        sandbox.deliveries.send("webhook.test", {"number": number})
    await sandbox.deliveries.settled()
    kept = [(one.number, one.outcome) for one in sandbox.deliveries.list()]
    assert kept == [(1, "pending"), (5, "delivered"), (6, "delivered")]
