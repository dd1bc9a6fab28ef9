"""How faults are asked for, and the port that is closed for a while."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino.sandbox import Sandbox
from seqino.sandbox.fault_plays import FAULTS
from seqino.sandbox.faults import summaries
from tests.sandbox.wires import FAULT, until, wire

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_planned_faults_are_played_in_turn_on_their_operation(
    call: Any, sandbox: Sandbox, draft: Callable[..., Any]
) -> None:
    sandbox.faults.plan("status-503-before", operation="POST /drafts", times=2)
    sandbox.faults.plan("status-500-before")
    assert (await call("POST", "/drafts", json=draft())).status == 503
    assert (await call("GET", "/clients")).status == 500
    assert (await call("GET", "/clients")).status == 200
    assert (await call("POST", "/drafts", json=draft())).status == 503
    assert (await call("POST", "/drafts", json=draft())).status == 201


async def test_a_fault_is_planned_for_one_client(call: Any, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status-503", operation="GET /lifecycle-events", client_id="client_abc123")
    sandbox.faults.rate("status-500", 1, client_id="client_abc123")
    path = "/lifecycle-events"
    assert (await call("GET", path)).status == 200
    for status in (503, 500):
        assert (await call("GET", path, headers={"X-PDP-Client-Id": "client_abc123"})).status == status


async def test_faults_can_be_forgotten(call: Any, sandbox: Sandbox) -> None:
    sandbox.faults.plan("status-503-before")
    sandbox.faults.rate("status-500", 1)
    sandbox.faults.clear()
    assert (await call("GET", "/clients")).status == 200


async def test_what_is_drawn_follows_from_the_seed(calling: Callable[[Sandbox], Any]) -> None:
    runs: list[list[int]] = []
    for seed in (1, 1, 2):
        async with Sandbox(seed=seed, faults={"status-503": 0.3}) as sandbox:
            call = calling(sandbox)
            runs.append([(await call("GET", "/clients")).status for _ in range(30)])
            sandbox.reset()
            assert [(await call("GET", "/clients")).status for _ in range(30)] == runs[-1]
    assert runs[0] == runs[1] != runs[2]
    assert {200, 503} == {*runs[0]}


async def test_a_rate_is_replaced_and_taken_back(call: Any, sandbox: Sandbox) -> None:
    sandbox.faults.rate("status-503", 0.5, operation="GET /clients")
    sandbox.faults.rate("status-503", 1, operation="GET /clients")
    assert sandbox.faults.shown()["rates"] == [
        {"fault": "status-503", "operation": "GET /clients", "rate": 1}
    ]
    assert (await call("GET", "/clients")).status == 503
    assert (await call("GET", "/lifecycle-events")).status == 200
    sandbox.faults.rate("status-503", 0, operation="GET /clients")
    assert (await call("GET", "/clients")).status == 200


async def test_connections_are_drawn_too(sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
    sandbox.faults.rate("reset-at-once", 1)
    with pytest.raises(aiohttp.ClientOSError):
        await session.get(f"{sandbox.url}/health")
    sandbox.faults.clear()
    sandbox.faults.rate("close-unread", 1)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await session.post(f"{sandbox.url}/health")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("", "there is no fault ''; there are status-NNN, bad-chunk"),
        ("explode", "there is no fault 'explode'"),
        ("status-200-after", "from 300 to 599"),
        ("status-900-before", "there is no fault"),
        ("reset", "there is no fault"),
        ("close-unread-before", "has no effect that it could come before"),
        ("slow-before", "slow needs the real answer"),
        ("unknown-enum-before", "needs the real answer"),
        ("unknown-enum", "the answer of GET /health holds no enum"),
        ("close-at-once", "before a request is read: plan it with POST /_sandbox/faults"),
        ("reset-unread", "before a request is read"),
        ("refuse", "before a request is read"),
        ("cut-tls-after", "needs TLS"),
        ("slow-handshake", "needs TLS"),
        ("status-503; retry-after", "cannot be given 'retry-after'; it takes retry-after="),
        ("hang-after; seconds=3", "cannot be given 'seconds=3'; it takes nothing"),
        ("slow; seconds=nan", "seconds is a number from 0 to 86400; this is 'nan'"),
        ("slow; seconds=-1", "seconds is a number"),
        ("huge; bytes=1e3", "bytes is a number from 0 to 10000000000"),
        ("huge-header; bytes=100000001", "bytes is a number from 0 to 100000000;"),
        ("drip-head; bytes=1000001", "bytes is a number from 0 to 1000000;"),
        ("drip-body; bytes=1000001", "bytes is a number from 0 to 1000000;"),
        ("html; status=199", "status is a number from 200 to 599"),
        ("status-429; retry-after=date+x", "write date\\+SECONDS"),
        ("status-429; retry-after=date+99999999999999", "write date\\+SECONDS"),
        ("status-429; retry-after=\u20ac", "cannot be written in a header"),
    ],
)
async def test_what_cannot_be_played_is_refused_without_effect(
    call: Any, sandbox: Sandbox, asked: str, message: str
) -> None:
    reply = await call("GET", "/health", headers={FAULT: asked})
    assert reply.status == 400
    assert re.search(message, reply.body["error"])
    assert sandbox.counters.faults == 0


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"times": 0}, "times must be 1 or more"),
        ({"operation": "POST /draft"}, r"no operation 'POST /draft'; near to it are: POST /drafts"),
        ({"operation": "sing"}, r"no operation 'sing'; there are: GET /clients, "),
        ({"name": "unknown-enum", "operation": "GET /health"}, "GET /health holds no enum"),
        ({"name": "close-at-once", "operation": "GET /clients"}, "leave out operation and client_id"),
        ({"name": "close-unread", "client_id": "c"}, "leave out operation and client_id"),
        ({"name": "refuse", "times": 2}, "say for how many seconds"),
    ],
)
def test_what_cannot_happen_is_not_planned(how: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sandbox().faults.plan(how.pop("name", "hang-before"), **how)


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_is_a_part_of_one(rate: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        Sandbox(faults={"hang-before": rate})


def test_a_port_is_not_closed_by_chance() -> None:
    with pytest.raises(ValueError, match="has no rate"):
        Sandbox(faults={"refuse": 0.1})


def test_what_does_not_run_cannot_refuse() -> None:
    with pytest.raises(RuntimeError, match="not running"):
        Sandbox().faults.plan("refuse")


def test_every_fault_is_summed_up_in_a_line() -> None:
    told = summaries()
    assert told.keys() == {*FAULTS, "status-NNN"}
    assert all(len(one.split(".")[0]) > 10 for one in told.values())
    assert told["status-NNN"].endswith(
        "Takes retry-after, retry-after-ms, location. Named with -before or -after."
    )


# The port


async def is_refused(sandbox: Sandbox) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rpartition(":")[2]))
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_a_closed_port_refuses_and_opens_again(call: Any, sandbox: Sandbox) -> None:
    await call("GET", "/clients")
    url = sandbox.url
    async with sandbox.refusing():
        assert sandbox.url == url
        with pytest.raises(aiohttp.ClientConnectorError):
            await call("GET", "/clients")
        async with sandbox.refusing():
            assert await is_refused(sandbox)
        assert await is_refused(sandbox)
    assert (await call("GET", "/clients")).status == 200


async def test_a_port_is_closed_for_a_while_by_plan(call: Any, sandbox: Sandbox) -> None:
    asked = {"fault": "refuse; seconds=0.05"}
    reply = await call("POST", "/_sandbox/faults", json=asked, judged=False)
    assert reply.body == {"planned": asked}
    assert await is_refused(sandbox)
    while await is_refused(sandbox):  # noqa: ASYNC110 - an open port gives no sign
        await asyncio.sleep(0.01)
    assert (await call("GET", "/clients")).status == 200
    assert sandbox.counters.faults_by_name == {"refuse": 1}


async def test_it_stops_while_its_port_is_closed() -> None:
    async with Sandbox() as sandbox:
        sandbox.faults.plan("refuse; seconds=9999")
        port = int(sandbox.url.rpartition(":")[2])
    async with Sandbox(port=port) as sandbox:
        assert not await is_refused(sandbox)


async def test_both_kinds_of_addresses_refuse() -> None:
    sandbox = Sandbox(host="::1")
    try:
        await sandbox.start()
    except OSError:  # pragma: no cover - a machine without IPv6
        pytest.skip("no IPv6 here")
    port = int(sandbox.url.rpartition(":")[2])
    async with sandbox.refusing():
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("::1", port)
    _, writer = await asyncio.open_connection("::1", port)
    writer.close()
    await sandbox.stop()


async def test_a_request_under_way_is_answered_before_its_connection_closes(sandbox: Sandbox) -> None:
    async with wire(sandbox, "slow; seconds=0.05") as (reader, _writer):
        await until(lambda: sandbox.counters.faults)
        async with sandbox.refusing():
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
