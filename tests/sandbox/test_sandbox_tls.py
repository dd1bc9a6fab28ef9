"""The sandbox over TLS: certificates are the caller's matter, and the handshake can go wrong."""
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import datetime as dt
import socket
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme

from seqino.sandbox import Sandbox
from tests.sandbox.wires import attempt, front_of, no_task_is_left, port_of, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(authority: trustme.CA, name: str = "127.0.0.1", **options: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, **options).configure_cert(context)
    return context


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def secure(authority: trustme.CA) -> AsyncIterator[Sandbox]:
    async with Sandbox(speed=0, ssl_context=serving(authority)) as sandbox:
        yield sandbox


@pytest.fixture
async def session(trust: ssl.SSLContext) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(ssl=trust)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def test_requests_are_answered_over_tls(
    secure: Sandbox, session: aiohttp.ClientSession, draft: Callable[..., Any]
) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    for created in (1, 2):
        assert (await attempt(session, secure, draft()))[0] == 201
        assert secure.counters.drafts_created == created


@pytest.mark.parametrize("how", ["another host", "expired", "untrusted"])
async def test_a_bad_certificate_is_found_out_before_anything_is_sent(
    session: aiohttp.ClientSession, authority: trustme.CA, draft: Callable[..., Any], how: str
) -> None:
    yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    context = {
        "another host": lambda: serving(authority, "pdp.example"),
        "expired": lambda: serving(authority, not_after=yesterday),
        "untrusted": lambda: serving(trustme.CA()),
    }[how]()
    async with Sandbox(ssl_context=context) as sandbox:
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await attempt(session, sandbox, draft())
        assert sandbox.counters.requests == 0
    await no_task_is_left()


@pytest.mark.parametrize(
    ("name", "failure", "created"),
    [
        ("close-at-once", aiohttp.ClientConnectorError, 0),
        ("reset-at-once", aiohttp.ClientConnectorError, 0),
        ("cut-handshake", aiohttp.ClientConnectorError, 0),
        ("close-unread", aiohttp.ServerDisconnectedError, 0),
        ("reset-unread", aiohttp.ClientOSError, 0),
        ("cut-tls-before", aiohttp.ServerDisconnectedError, 0),
        ("cut-tls-after", aiohttp.ServerDisconnectedError, 1),
        ("close-after", aiohttp.ServerDisconnectedError, 1),
        ("reset-after", aiohttp.ClientOSError, 1),
        ("cut-body-after", aiohttp.ClientPayloadError, 1),
        ("slow-handshake; seconds=0.01", None, 1),
        ("stale", None, 1),
        ("drip-body; seconds=0; bytes=5", None, 1),
    ],
)
async def test_a_fault_does_over_tls_what_it_does_without(  # noqa: PLR0917 - three of them are fixtures
    secure: Sandbox,
    session: aiohttp.ClientSession,
    draft: Callable[..., Any],
    name: str,
    failure: type[Exception] | None,
    created: int,
) -> None:
    secure.faults.plan(name)
    if failure is None:
        assert (await attempt(session, secure, draft()))[0] == 201
    else:
        with pytest.raises(failure):
            await attempt(session, secure, draft())
    assert secure.counters.drafts_created == created
    assert secure.counters.faults == 1


async def test_the_control_port_answers_in_plain_http_where_no_handshake_succeeds(
    secure: Sandbox, session: aiohttp.ClientSession
) -> None:
    secure.faults.rate("cut-handshake", 1)
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.get(f"{secure.url}/_sandbox/faults")
    assert secure.control_url.startswith("http://127.0.0.1:")
    async with session.delete(f"{secure.control_url}/_sandbox/faults") as response:
        assert response.status == 200
    async with session.get(f"{secure.url}/health") as response:
        assert response.status == 200


async def test_a_connection_is_cut_without_the_farewell_of_tls(
    secure: Sandbox, trust: ssl.SSLContext
) -> None:
    request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    for name, is_fair in (("close-after", True), ("cut-tls-after", False)):
        secure.faults.plan(name)
        assert await asyncio.to_thread(ends_fairly, port_of(secure), trust, request) == is_fair


def ends_fairly(port: int, trust: ssl.SSLContext, request: bytes) -> bool:
    """Whether the end of a connection is announced; asyncio does not tell."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=120)
    with trust.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as tls:
        tls.sendall(request)
        try:
            return tls.recv(100) == b""
        except ssl.SSLEOFError:
            return False


class Client:
    """A client whose bytes are sent when the test says so."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self.heard, self.said = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = trust.wrap_bio(self.heard, self.said, server_hostname="127.0.0.1")

    async def shake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Shake hands, and keep the last word back."""
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                writer.write(self.said.read())
                self.heard.write(await reader.read(2**16))
            else:
                return


async def test_what_comes_with_the_end_of_the_handshake_is_kept(
    secure: Sandbox, trust: ssl.SSLContext
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(secure))
    client = Client(trust)
    await client.shake(reader, writer)
    client.tls.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    writer.write(client.said.read())
    heard = b""
    while not heard.endswith(b"null"):
        client.heard.write(await reader.read(2**16))
        with suppress(ssl.SSLWantReadError):
            heard += client.tls.read(2**16)
    assert heard.startswith(b"HTTP/1.1 200 OK\r\n")
    writer.close()


async def test_who_leaves_with_the_end_of_the_handshake_is_let_go(
    secure: Sandbox, trust: ssl.SSLContext
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(secure))
    client = Client(trust)
    await client.shake(reader, writer)
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    writer.write(client.said.read())
    await reader.read()
    writer.close()
    await no_task_is_left()


async def test_who_speaks_no_tls_is_dropped(
    secure: Sandbox, session: aiohttp.ClientSession, draft: Any
) -> None:
    for sent in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 999, b""):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(secure))
        writer.write(sent)
        writer.write_eof()
        await reader.read()
        writer.close()
    assert (await attempt(session, secure, draft()))[0] == 201


async def test_handshakes_that_never_come_hold_up_nobody(
    secure: Sandbox, session: aiohttp.ClientSession, draft: Any
) -> None:
    open_ones = [await asyncio.open_connection("127.0.0.1", port_of(secure)) for _ in range(100)]
    for _, writer in open_ones:
        writer.write(b"\x16")
    assert (await attempt(session, secure, draft()))[0] == 201
    for _, writer in open_ones:
        writer.close()


async def test_connections_that_are_accepted_as_it_stops_are_closed(authority: trustme.CA) -> None:
    pairs = [socket.socketpair() for _ in range(2)]
    async with Sandbox(ssl_context=serving(authority)) as sandbox:
        front = front_of(sandbox)
        front.shake(pairs[0][0], 0)
        # The task of the handshake is cancelled before it begins.
        await front.stop()
    front.shake(pairs[1][0], 0)
    for accepted, other_side in pairs:
        other_side.close()
        assert accepted.fileno() == -1


async def test_it_stops_with_handshakes_open(authority: trustme.CA) -> None:
    async with Sandbox(ssl_context=serving(authority)) as sandbox:
        sandbox.faults.plan("slow-handshake; seconds=9999")
        open_ones = [await asyncio.open_connection("127.0.0.1", port_of(sandbox)) for _ in range(3)]
        await until(lambda: sum("_shake" in str(task) for task in asyncio.all_tasks()) == len(open_ones))
    for reader, writer in open_ones:
        assert await reader.read() == b""
        writer.close()
    await no_task_is_left()
