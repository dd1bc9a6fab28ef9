"""The control API answers whatever goes wrong: on the API's port as far as can be told, else on its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino.sandbox import Sandbox, SandboxError
from tests.sandbox.wires import port_of, wire

if TYPE_CHECKING:
    from collections.abc import Callable

CLOCK = b"GET /_sandbox/clock HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("kind", ["close-unread", "reset-unread"])
async def test_a_fault_at_the_first_bytes_spares_requests_to_the_control_api(
    sandbox: Sandbox, session: aiohttp.ClientSession, kind: str
) -> None:
    sandbox.faults.rate(kind, 1)
    for method in ("GET", "DELETE", "GET"):
        async with session.request(method, f"{sandbox.url}/_sandbox/faults") as response:
            assert response.status == 200
    sandbox.faults.plan(kind)
    async with session.post(f"{sandbox.url}/_sandbox/clock", json={"advance": 1}) as response:
        assert response.status == 200
    assert sandbox.counters.faults == 0
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await session.post(f"{sandbox.url}/drafts")
    assert sandbox.counters.faults_by_name == {kind: 1}


async def test_a_stale_connection_still_answers_the_control_api(sandbox: Sandbox) -> None:
    async with wire(sandbox, "stale") as (reader, writer):
        await reader.readuntil(b"]")
        writer.write(CLOCK)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        await reader.readuntil(b"}")
        writer.write(b"GET /clients HTTP/1.1\r\n")
        assert await reader.read() == b""


@pytest.mark.parametrize("at", [1, 4, 10, len(b"GET /_sandbox/")])
async def test_what_a_request_is_for_may_come_in_pieces(sandbox: Sandbox, at: int) -> None:
    sandbox.faults.rate("close-unread", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
    for piece in (b"\r\n", CLOCK[:at], CLOCK[at:]):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)  # so that the server may see them one by one
    assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    writer.close()


@pytest.mark.parametrize(
    "begun", [b"GET /_sandb0x", b"GET /_sandbox ", b"BREW\n", b"x" * 20, b"GET  /_sandbox/", b"GET *"]
)
async def test_what_is_not_for_the_control_api_is_struck_as_soon_as_that_is_clear(
    sandbox: Sandbox, begun: bytes
) -> None:
    sandbox.faults.rate("close-unread", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(sandbox))
    writer.write(begun)
    assert await reader.read() == b""
    assert sandbox.counters.faults == 1
    writer.close()


@pytest.mark.parametrize("kind", ["close-at-once", "reset-at-once", "close-unread"])
async def test_the_control_port_answers_whatever_strikes_the_other(
    sandbox: Sandbox, session: aiohttp.ClientSession, kind: str
) -> None:
    sandbox.faults.rate(kind, 1)
    async with session.delete(f"{sandbox.control_url}/_sandbox/faults") as response:
        assert response.status == 200
    async with session.get(f"{sandbox.url}/health") as response:
        assert response.status == 200
    assert sandbox.counters.faults == 0


async def test_the_control_port_answers_while_the_other_refuses(
    sandbox: Sandbox, session: aiohttp.ClientSession
) -> None:
    url = f"{sandbox.control_url}/_sandbox/clock"
    sandbox.faults.plan("refuse; seconds=3600")
    for _ in range(2):  # the second time over the same connection
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{sandbox.url}/health")
        async with session.get(url) as response:
            assert response.status == 200


async def test_the_control_port_answers_nothing_else(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    async with session.post(f"{sandbox.control_url}/drafts", json=draft()) as response:
        assert response.status == 404
        assert "on this port only /_sandbox/ answers" in (await response.json())["error"]
    assert sandbox.counters.requests == 0


async def test_a_control_port_in_use_is_told_and_nothing_stays_open(sandbox: Sandbox) -> None:
    taken = int(sandbox.control_url.rpartition(":")[2])
    other = Sandbox(control_port=taken)
    with pytest.raises(SandboxError, match=f"port {taken} is already in use"):
        await other.start()
    with pytest.raises(RuntimeError, match="not running"):
        _ = other.control_url
    await sandbox.stop()
    async with other:
        assert other.control_url == f"http://127.0.0.1:{taken}"
