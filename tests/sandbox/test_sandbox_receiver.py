from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import aiohttp
import pytest

from seqino.sandbox import Receiver
from seqino.sandbox.description import SHIPPED
from seqino.sandbox.signing import Scheme

if TYPE_CHECKING:
    from seqino.sandbox import Sandbox

SECRET = "5e" * 32
SCHEME = Scheme.read(json.loads(SHIPPED.read_bytes()))
EVENT = {"event_id": "evt_1", "event_type": "webhook.test", "sponsor_id": "s"}
NOW = 1_788_249_600.0


async def post(receiver: Receiver, body: bytes, *, secret: str = SECRET, method: str = "POST") -> int:
    headers = SCHEME.sign(secret, body, at=NOW)
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, receiver.url, data=body, headers=headers) as response,
    ):
        return response.status


def receiving(secret: str | None = SECRET) -> Receiver:
    return Receiver(secret=secret, unix_time=lambda: NOW)


async def test_what_is_signed_is_taken() -> None:
    async with receiving() as receiver:
        assert await post(receiver, json.dumps(EVENT).encode()) == 204
        one = await receiver.next(timeout=60)
        assert (one.event_id, one.event_type, one.payload, one.is_repeated) == (
            "evt_1",
            "webhook.test",
            EVENT,
            False,
        )
        await post(receiver, one.body)
        assert (await receiver.next(timeout=60)).is_repeated
        assert "2 events, 0 refused" in repr(receiver)
        assert SECRET not in repr(receiver)


@pytest.mark.parametrize("secret", [None, "another"])
async def test_what_is_signed_with_another_secret_is_refused(secret: str | None) -> None:
    async with receiving(secret) as receiver:
        assert await post(receiver, json.dumps(EVENT).encode()) == 401
        assert receiver.events == []
        assert "another secret" in receiver.refused[0]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b"7", b"\xff"])
async def test_what_is_signed_and_no_event_is_refused(body: bytes) -> None:
    async with receiving() as receiver:
        assert await post(receiver, body) == 400
        assert "signed, and no event" in receiver.refused[0]


async def test_another_method_is_refused() -> None:
    async with receiving() as receiver:
        assert await post(receiver, b"", method="PUT") == 405


async def test_it_fails_as_often_as_it_is_told() -> None:
    body = json.dumps(EVENT).encode()
    async with receiving() as receiver:
        receiver.fail(2, status=503)
        assert [await post(receiver, body) for _ in range(3)] == [503, 503, 204]
        receiver.fail(1)
        receiver.clear()
        assert await post(receiver, body) == 204
        assert not receiver.events[0].is_repeated


async def test_the_next_of_a_type_leaves_the_others(sandbox: Sandbox, hook: Receiver) -> None:
    waiting = asyncio.create_task(hook.next(event_type="invoice.created", timeout=60))
    sandbox.deliveries.send("webhook.test", {"number": 1})
    sandbox.deliveries.send("invoice.created", {})
    sandbox.deliveries.send("webhook.test", {"number": 2})
    assert (await waiting).event_type == "invoice.created"
    await sandbox.deliveries.settled()
    assert [(await hook.next(timeout=60)).payload["data"]["number"] for _ in range(2)] == [1, 2]


async def test_waiting_in_vain_says_what_came_instead(sandbox: Sandbox, hook: Receiver) -> None:
    sandbox.deliveries.send("webhook.test", {})
    await sandbox.deliveries.settled()
    hook.refused.append("too old")
    with pytest.raises(TimeoutError) as caught:
        await hook.next(event_type="invoice.created", timeout=0.001)
    assert str(caught.value) == (
        "no invoice.created within 0.001 s; not read yet: webhook.test; refused: too old"
    )
    with pytest.raises(TimeoutError, match=r"no event within 0 s; not read yet: nothing; refused: nothing"):
        await receiving().next(timeout=0)


async def test_it_starts_once_and_stops_twice() -> None:
    receiver = receiving()
    with pytest.raises(RuntimeError, match="not running"):
        _ = receiver.url
    assert repr(receiver) == "Receiver(stopped, 0 events, 0 refused)"
    await receiver.start()
    with pytest.raises(RuntimeError, match="running already"):
        await receiver.start()
    port = int(receiver.url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="in use"):
        await Receiver(port=port).start()
    await receiver.stop()
    await receiver.stop()


async def test_an_event_is_shown_without_its_headers_and_bytes(sandbox: Sandbox, hook: Receiver) -> None:
    sandbox.deliveries.send("webhook.test", {})
    await sandbox.deliveries.settled()
    assert SCHEME.header not in repr(hook.events[0])
