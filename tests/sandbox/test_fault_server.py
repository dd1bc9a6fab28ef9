"""The server of faults, seen from a bare socket: each fault is what its name says."""
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest
import trustme

from seqino.sandbox.fault_plays import FAULTS, Play, fault
from seqino.sandbox.sockets import reset
from tests.fault_server import FaultServer, answer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.exchange import Exchange

REQUEST = b"POST /drafts?x=1 HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
GET = b"GET /drafts/d1 HTTP/1.1\r\nHost: here\r\n\r\n"


@pytest.fixture
async def server() -> AsyncIterator[FaultServer]:
    async with FaultServer() as server:
        yield server


@asynccontextmanager
async def connection(
    server: FaultServer,
) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter], None]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    yield reader, writer
    writer.close()


async def exchange(server: FaultServer, request: bytes = REQUEST) -> bytes:
    """What one request, or none, on a connection of its own brings, to the end of the connection."""
    async with connection(server) as (reader, writer):
        writer.write(request)
        return await reader.read()


async def one_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
    return int(head.split()[1]), await reader.readexactly(length)


# Faults on the wire


@pytest.mark.parametrize(
    ("name", "sends"), [("close-before", 1), ("close-unread", 0), ("close-at-once", 0), ("cut-head", 1)]
)
async def test_a_closed_connection_ends_in_order(server: FaultServer, name: str, sends: int) -> None:
    server.plays(name)
    # What a closed socket still gets, it answers with a reset.
    heard = await exchange(server, b"" if name == "close-at-once" else REQUEST)
    assert heard.startswith(b"HTTP/1.1 201" if name == "cut-head" else b"")
    assert (server.connections, server.sends) == (1, sends)


@pytest.mark.parametrize("name", ["reset-before", "reset-unread", "reset-at-once", "reset-body"])
async def test_a_reset_connection_ends_in_a_reset(server: FaultServer, name: str) -> None:
    server.plays(name)
    with pytest.raises(ConnectionResetError):
        await exchange(server)


async def test_a_hanging_server_says_nothing_and_tells_its_test(server: FaultServer) -> None:
    told = asyncio.Event()
    server.on_hang = told.set
    server.plays("hang-before", "stall-body")
    for beginning in (b"", b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{"):
        told.clear()
        async with connection(server) as (reader, writer):
            writer.write(REQUEST)
            await told.wait()
            assert await reader.readexactly(len(beginning)) == beginning
            assert not reader.at_eof()
            assert server.open == 1
        await until_closed(server)


async def until_closed(server: FaultServer) -> None:
    while server.open:
        server.ended.clear()
        await server.ended.wait()


async def test_bytes_that_drip_come_one_by_one(server: FaultServer) -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    server.pause = pause
    server.plays(answer(200, b"abc", delay=7, drip=0.5, then="close"))
    received = await exchange(server)
    assert received.endswith(b"\r\n\r\nabc")
    assert pauses == [7, *[0.5] * len(received)]


async def test_nothing_drips_for_whom_has_left(server: FaultServer) -> None:
    exchanges: list[Exchange] = []

    async def behave(exchange: Exchange) -> None:
        exchanges.append(exchange)
        await fault("drip-body")(exchange)
        exchange.close()

    async with connection(server) as (reader, writer):

        async def leave(_seconds: float) -> None:
            writer.write_eof()
            await exchanges[0].reader.read()

        server.pause = leave
        server.plays(behave)
        writer.write(REQUEST)
        assert await reader.read() == b"H"


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("cut-body", b"Content-Length: 99\r\n\r\n{}"),
        ("cut-chunk", b"chunked\r\n\r\n5\r\n{}"),
        ("bad-chunk", b"chunked\r\n\r\nzz\r\n{}"),
        ("two-lengths", b"Content-Length: 2\r\nContent-Length: 3\r\n"),
        ("no-http", b"220 mail.example ESMTP\r\n"),
    ],
)
async def test_a_broken_answer_is_broken_as_its_name_says(
    server: FaultServer, name: str, what: bytes
) -> None:
    server.plays(name)
    assert what in await exchange(server)


async def test_a_late_effect_comes_after_a_pause(server: FaultServer) -> None:
    effects: list[int] = []

    async def pause(seconds: float) -> None:
        effects.append(server.effects["POST /drafts"])
        assert seconds == 9

    server.pause = pause
    server.plays("late; seconds=9")
    async with connection(server) as (reader, writer):
        writer.write(REQUEST)
        assert await one_answer(reader) == (201, b"{}")
    assert (effects, server.effects["POST /drafts"]) == ([0], 1)
    assert server.played == {"late-after": 1}


async def test_a_stale_connection_ends_at_the_next_request(server: FaultServer) -> None:
    server.plays("stale")
    async with connection(server) as (reader, writer):
        writer.write(REQUEST)
        await one_answer(reader)
        assert not reader.at_eof()
        writer.write(b"G")
        assert await reader.read() == b""
    assert server.sends == 1


async def test_a_connection_can_be_cut(server: FaultServer) -> None:
    server.plays("cut-tls-after")
    assert await exchange(server) == b""
    assert server.effects["POST /drafts"] == 1


async def test_a_redirect_leads_to_the_same_place(server: FaultServer) -> None:
    server.plays("status-307", "status-307; location=/elsewhere", "status-499")
    async with connection(server) as (reader, writer):
        for said in (
            b"307 Temporary Redirect\r\nLocation: /drafts?x=1\r\n",
            b"Location: /elsewhere\r\n",
            b" 499 ",
        ):
            writer.write(REQUEST)
            assert said in await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)


@pytest.mark.parametrize("name", ["slow-handshake", "cut-handshake", "unknown-enum", "unknown-field"])
def test_what_needs_a_handshake_or_a_description_is_refused(server: FaultServer, name: str) -> None:
    with pytest.raises(ValueError, match="only the Sandbox has"):
        server.plays(name)


async def test_a_huge_header_is_larger_than_clients_read(server: FaultServer) -> None:
    server.plays("huge-header")
    assert len(await exchange(server)) > 20_000


async def test_bad_gzip_is_no_gzip(server: FaultServer) -> None:
    server.plays("bad-gzip")
    body = (await exchange(server)).partition(b"\r\n\r\n")[2]
    with pytest.raises(gzip.BadGzipFile):
        gzip.decompress(body)


async def test_a_refusing_port_is_closed_for_one_turn(server: FaultServer) -> None:
    server.plays("refuse", "refuse", answer(then="close"))
    for _ in range(2):
        await server.turn()
        with pytest.raises(ConnectionRefusedError):
            await exchange(server)
    await server.turn()
    await server.turn()
    assert await exchange(server)
    assert (server.connections, server.unplayed) == (1, 0)


async def test_a_request_in_the_place_of_a_refusal_is_told(server: FaultServer) -> None:
    server.plays("refuse")
    assert (await exchange(server)).startswith(b"HTTP/1.1 599 ")
    assert (len(server.unexpected), server.unplayed) == (1, 1)


async def test_tls_is_spoken_where_it_is_wanted() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority = trustme.CA()
    authority.issue_cert("localhost").configure_cert(context)
    server = FaultServer()
    await server.start(tls=context)
    server.plays(answer(then="close"))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", server.port, ssl=trust, server_hostname="localhost"
    )
    writer.write(REQUEST)
    assert await one_answer(reader) == (200, b"{}")
    writer.close()
    await server.stop()
    assert server.url == f"https://127.0.0.1:{server.port}"


# Counting


async def test_requests_are_counted_with_what_they_held(server: FaultServer) -> None:
    server.plays("status-201", "status-200")
    async with connection(server) as (reader, writer):
        for request in (REQUEST, GET):
            writer.write(request)
            await one_answer(reader)
    first, second = server.seen
    assert (first.method, first.path, first.route) == ("POST", "/drafts?x=1", "POST /drafts")
    assert first.digest == hashlib.sha256(b"body").hexdigest()
    assert (second.method, second.path) == ("GET", "/drafts/d1")
    assert server.requests == [REQUEST, GET]
    assert (server.connections, server.begun, server.reused, server.sends) == (1, 2, 1, 2)


@pytest.mark.parametrize(
    ("name", "effects"),
    [
        ("close-before", 0),
        ("close-after", 1),
        ("reset-after", 1),
        ("close-unread", 0),
        ("cut-body", 1),
        ("cut-body-before", 0),
        ("status-201", 1),
        ("status-201-before", 0),
        ("status-503", 0),
        ("status-503-after", 1),
    ],
)
async def test_an_effect_does_not_depend_on_the_answer(server: FaultServer, name: str, effects: int) -> None:
    server.plays(name)
    async with connection(server) as (_, writer):
        writer.write(REQUEST)
        await server.ended.wait() if "status" not in name else await server.arrived.wait()
    assert server.effects["POST /drafts"] == effects


async def test_who_resets_a_connection_is_counted(server: FaultServer) -> None:
    server.plays("hang-before")
    async with connection(server) as (_, writer):
        writer.write(REQUEST)
        await server.arrived.wait()
        reset(writer.transport)
    await server.ended.wait()
    assert server.resets == 1


async def test_a_request_that_is_cut_short_is_begun_and_not_read(server: FaultServer) -> None:
    server.plays("status-200")
    async with connection(server) as (_, writer):
        writer.write(REQUEST[:-1])
        writer.write_eof()
        await server.ended.wait()
    assert (server.begun, server.sends) == (1, 0)


# The script


async def test_a_request_for_which_nothing_is_left_is_told(server: FaultServer) -> None:
    assert (await exchange(server)).startswith(b"HTTP/1.1 599 ")
    assert [seen.route for seen in server.unexpected] == ["POST /drafts"]


async def test_each_route_has_a_script_of_its_own(server: FaultServer) -> None:
    server.plays(answer(200, b"look"), on="GET /drafts/d1")
    server.plays("close-unread", answer(200, b"any"))
    server.always(lambda: answer(200, b"made"), on="POST /drafts")
    server.always(lambda: answer(404, b"none"))
    assert await exchange(server) == b""
    async with connection(server) as (reader, writer):
        heard: list[bytes] = []
        for request in (GET, REQUEST, GET, GET):
            writer.write(request)
            heard.append((await one_answer(reader))[1])
    assert heard == [b"look", b"made", b"any", b"none"]


async def test_a_route_cannot_be_left_unread(server: FaultServer) -> None:
    for name in ("close-unread", "reset-at-once", "refuse"):
        with pytest.raises(ValueError, match="leave out on"):
            server.plays(name, on="POST /drafts")


async def test_idle_connections_are_closed_on_demand(server: FaultServer) -> None:
    server.plays("status-200")
    async with connection(server) as (reader, writer):
        writer.write(REQUEST)
        await one_answer(reader)
        server.hang_up()
        assert await reader.read() == b""
    await until_closed(server)


async def test_a_server_that_never_started_stops_too() -> None:
    await FaultServer().stop()


@pytest.mark.parametrize(
    "name",
    ["", "close", "reset", "hang", "status-99", "status-600", "nap", "Close-before", "close-before-after"],
)
def test_a_fault_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"there is no fault .*; there are status-NNN, bad-chunk, "):
        fault(name)


@pytest.mark.parametrize("name", ["refuse-before", "close-unread-after", "reset-at-once-before"])
def test_what_is_not_read_has_no_effect(name: str) -> None:
    with pytest.raises(ValueError, match="has no effect"):
        fault(name)


def test_every_fault_has_a_name_that_is_understood() -> None:
    for name, play in FAULTS.items():
        known = fault(f"{name}-before" if name in {"close", "reset", "hang", "cut-tls"} else name)
        assert known == play


def test_a_header_may_have_any_name() -> None:
    assert b"\r\nRetry-After: 3\r\n" in cast("bytes", answer(429, Retry_After="3").answer)
    assert answer(204, b"").effect
    assert not answer(302).effect
    assert Play().read == "whole"
