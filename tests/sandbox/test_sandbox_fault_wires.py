"""Faults of the running sandbox on a bare socket: connections that go on, end, drip and grow stale."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from itertools import islice
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino.sandbox import Sandbox, frames
from seqino.sandbox.replies import Reply
from seqino.sandbox.sockets import reset
from tests.sandbox.wires import attempt, connections_of, no_task_is_left, settled, until, wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from seqino.sandbox.fault_plays import Frame


async def test_a_faulty_answer_leaves_the_connection_fit_for_the_next(
    sandbox: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    for asked in (
        "status-503",
        "html",
        "slow; seconds=0",
        "huge; bytes=9",
        "early-hints",
        "drip-body; bytes=0; seconds=0",
    ):
        await attempt(session, sandbox, draft(), asked)
    connector: Any = session.connector
    assert sum(map(len, connector._conns.values())) == 1
    assert sandbox.counters.faults == 6


async def test_a_connection_that_the_caller_wants_closed_is_closed(sandbox: Sandbox) -> None:
    async with wire(sandbox, "status-503", more="Connection: close\r\n") as (reader, _writer):
        assert (await reader.read()).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_connection_that_is_closed_in_order_has_been_read_to_the_end(
    sandbox: Sandbox, moment: str
) -> None:
    # Else the system would reset it; a request without a key is refused before its body is read.
    body, key = b" " * 3_000_000, "Authorization: invalid\r\n"
    async with wire(sandbox, f"close-{moment}", body, "POST /drafts", more=key) as (reader, _):
        assert await reader.read() == b""


async def test_an_interim_answer_comes_first(sandbox: Sandbox) -> None:
    async with wire(sandbox, "early-hints") as (reader, _writer):
        assert await reader.readline() == b"HTTP/1.1 103 Early Hints\r\n"
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.readline() == b"HTTP/1.1 200 OK\r\n"


async def test_bytes_that_drip_stop_for_whom_has_left(sandbox: Sandbox) -> None:
    async with wire(sandbox, "drip-body; seconds=0.001; bytes=1000000") as (reader, writer):
        assert await reader.readexactly(1) == b"H"
        reset(writer.transport)
        await settled()


@pytest.mark.parametrize("frame", [frames.padded_head, frames.padded_body, frames.huge, frames.huge_header])
@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_padding_is_made_in_pieces_while_it_is_sent(frame: Frame, size: int) -> None:
    endless = islice(frame(Reply(), 10**15), 1000)  # nobody could hold it
    assert max(map(len, endless)) <= 65_536
    sent = b"".join(frame(Reply(), size))
    assert sent.count(b"x" if b"X: " in sent else b" ", len(Reply().line)) >= size - len(Reply().body)


async def test_an_enormous_answer_ends_with_whom_has_left(sandbox: Sandbox) -> None:
    async with wire(sandbox, "huge; bytes=10000000000") as (reader, writer):
        await reader.readexactly(100_000)
        reset(writer.transport)
        await settled()


async def test_whom_has_left_before_an_answer_is_not_waited_for(sandbox: Sandbox) -> None:
    for number, asked in enumerate(("hang-after", "slow; seconds=9999", "stall-head")):
        async with wire(sandbox, asked):
            await until(lambda: sandbox.counters.faults > number)  # noqa: B023 - it is awaited at once
        await settled()


async def test_a_late_effect_comes_even_when_nobody_waits(
    sandbox: Sandbox, draft: Callable[..., Any]
) -> None:
    body = json.dumps(draft()).encode()
    async with wire(sandbox, "late; seconds=0.05", body, "POST /drafts") as (_, writer):
        await until(lambda: sandbox.counters.requests)
        reset(writer.transport)
        await until(lambda: sandbox.counters.faults)
        assert sandbox.counters.drafts_created == 1


async def test_a_late_effect_does_not_outlive_the_sandbox(draft: Callable[..., Any]) -> None:
    async with Sandbox() as sandbox:
        body = json.dumps(draft()).encode()
        async with wire(sandbox, "late; seconds=9999", body, "POST /drafts") as (reader, _writer):
            await until(lambda: sandbox.counters.requests)
            await sandbox.stop()
            with pytest.raises(ConnectionResetError):
                await reader.read()
    assert sandbox.counters.drafts_created == 0


async def test_a_stale_connection_dies_with_the_next_request(sandbox: Sandbox) -> None:
    async with wire(sandbox, "stale") as (reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split()[0]))
        assert not reader.at_eof()
        writer.write(b"GET /c")
        assert await reader.read() == b""
        assert sandbox.counters.requests == 1


@pytest.mark.parametrize("kind", ["close-unread", "reset-unread"])
async def test_a_fault_at_the_first_byte_reaches_a_connection_that_was_open_before(
    call: Any, sandbox: Sandbox, kind: str
) -> None:
    await call("GET", "/clients")
    sandbox.faults.plan(kind)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await call("POST", "/clients")
    assert sandbox.counters.requests == 1


async def test_a_fault_at_the_first_byte_leaves_a_request_under_way_alone(
    sandbox: Sandbox, draft: Callable[..., Any]
) -> None:
    body = json.dumps(draft()).encode()
    async with wire(sandbox, "slow; seconds=0", b"", "GET /clients") as (reader, writer):
        await reader.readuntil(b"]")
        head = b"POST /drafts HTTP/1.1\r\nHost: x\r\nAuthorization: k\r\nX-PDP-Client-Id: client_abc123\r\n"
        writer.write(head)
        await until(lambda: any(one.is_used for one in connections_of(sandbox)))
        sandbox.faults.plan("reset-unread")
        writer.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")


async def test_it_stops_whatever_is_under_way(draft: Callable[..., Any]) -> None:
    body = json.dumps(draft()).encode()
    async with Sandbox() as sandbox:
        asked = (
            "hang-after",
            "hang-before",
            "drip-body",
            "drip-head",
            "slow; seconds=9999",
            "stall-body",
            "huge",
        )
        async with AsyncExitStack() as stack:
            callers = [
                await stack.enter_async_context(wire(sandbox, one, body, "POST /drafts")) for one in asked
            ]
            await until(lambda: sandbox.counters.faults == len(asked))
            await sandbox.stop()
            for reader, _ in callers:
                with pytest.raises(ConnectionResetError):
                    await reader.read()
    await no_task_is_left()


class Transport:
    aborted = False

    def get_extra_info(self, _name: str) -> None:
        return None

    def abort(self) -> None:
        self.aborted = True


def test_a_connection_that_is_no_socket_is_let_go() -> None:
    transport: Any = Transport()
    reset(transport)
    assert transport.aborted
