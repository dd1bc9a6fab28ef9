"""What one attempt says of itself, against what really reached the wire."""
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import socket
import ssl
import warnings
from typing import TYPE_CHECKING, Any

import aiohttp
import attrs
import pytest
import trustme
from aiohttp.abc import AbstractResolver, AbstractStreamWriter

from seqino._core.config import Config, Secret
from seqino._core.outcome import FaultKind
from seqino._core.request import Request
from seqino._core.transport import (
    KEEP_ALIVE,
    Answer,
    Broken,
    SendMark,
    Transport,
    _broken,
    _detail,
    _MarkedPayload,
)
from seqino._core.wire import Effect, Operation
from seqino.errors import ClientClosed, ConfigurationError, WrongEventLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.core.conftest import FaultServer
    from tests.exchange import Exchange

CREATE: Operation[None] = Operation(
    name="create_thing",
    operation_id="create_thing",
    tag="things",
    method="POST",
    path="/things",
    effect=Effect.CREATE,
    responses={204: None},
)
KEY = Secret("k")

GET = attrs.evolve(CREATE, name="get_thing", method="GET", effect=Effect.SAFE)


def request(url: str, *, operation: Operation[Any] = CREATE, body: bytes | None = b'{"a": 1}') -> Request:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    return Request(
        operation=operation, url=f"{url}/things", headers=headers, body=body, client_id=None, parameters={}
    )


@attrs.define(eq=False)
class Wire:
    """A transport, and the oracle of whether it sent: aiohttp's own trace of the request's head."""

    transport: Transport
    heads: list[str]

    async def send(self, url: str, *, operation: Operation[Any] = CREATE, body: bytes | None = b"{}") -> Any:
        mark = SendMark()
        result = await self.transport.send(request(url, operation=operation, body=body), key=KEY, mark=mark)
        assert mark.sent == (len(self.heads) > 0), "the mark disagrees with the trace"
        assert len(self.heads) <= 1, "aiohttp sent twice"
        return result


Opener = "Callable[..., Awaitable[Wire]]"


@pytest.fixture
async def wired() -> AsyncIterator[Any]:
    opened: list[aiohttp.ClientSession] = []

    def open_wire(*, middlewares: Any = (), connect_timeout: float = 5.0, **settings: Any) -> Wire:
        heads: list[str] = []
        trace = aiohttp.TraceConfig()

        async def note(
            _session: object, _context: object, params: aiohttp.TraceRequestHeadersSentParams
        ) -> None:
            heads.append(params.method)

        trace.on_request_headers_sent.append(note)
        session = aiohttp.ClientSession(trace_configs=[trace], **settings)
        opened.append(session)
        config = Config(base_url="http://unused", connect_timeout=connect_timeout)
        return Wire(Transport(config, session=session, middlewares=middlewares), heads)

    yield open_wire
    for session in opened:
        await session.close()


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport(Config(base_url="http://unused"))
    yield transport
    await transport.aclose()


# Each row of faults, with the mark against the trace


@pytest.mark.parametrize(
    "operation", [CREATE, attrs.evolve(CREATE, method="PUT"), attrs.evolve(CREATE, method="DELETE")]
)
@pytest.mark.parametrize("body", [b"{}", None], ids=["body", "empty"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("close-unread", FaultKind.DISCONNECTED),
        ("reset-unread", FaultKind.DISCONNECTED),
        ("close-before", FaultKind.DISCONNECTED),
        ("reset-before", FaultKind.DISCONNECTED),
        ("cut-head", FaultKind.DISCONNECTED),
        ("cut-body", FaultKind.BROKEN_ANSWER),
        ("cut-chunk", FaultKind.BROKEN_ANSWER),
        ("bad-chunk", FaultKind.BROKEN_ANSWER),
        ("bad-gzip", FaultKind.BROKEN_ANSWER),
        ("no-http", FaultKind.BROKEN_ANSWER),
        ("huge-header", FaultKind.BROKEN_ANSWER),
        ("two-lengths", FaultKind.BROKEN_ANSWER),
    ],
)
async def test_a_fault_after_sending_is_marked_as_sent(  # noqa: PLR0917
    server: FaultServer,
    wired: Any,
    operation: Operation[Any],
    body: bytes | None,
    fault: str,
    kind: FaultKind,
) -> None:
    server.plays(fault)
    wire = wired()
    result = await wire.send(server.url, operation=operation, body=body)
    assert isinstance(result, Broken)
    assert result.kind is kind
    assert wire.heads == [operation.method]
    assert server.connections == 1


async def test_nothing_leaves_where_nobody_listens(wired: Any, unused_port: int) -> None:
    wire = wired()
    result = await wire.send(f"http://127.0.0.1:{unused_port}")
    assert result.kind is FaultKind.UNREACHABLE
    assert result.detail.startswith("ClientConnectorError: Connect call failed")
    assert wire.heads == []


class NoSuchHost(AbstractResolver):
    async def resolve(self, *_args: Any, **_named: Any) -> list[Any]:
        raise OSError(None, "no such host")

    async def close(self) -> None:
        pass


async def test_nothing_leaves_where_the_name_is_unknown(wired: Any) -> None:
    wire = wired(connector=aiohttp.TCPConnector(resolver=NoSuchHost()))
    result = await wire.send("http://pdp.invalid")
    assert (result.kind, wire.heads) == (FaultKind.UNREACHABLE, [])
    assert "no such host" in result.detail


async def test_nothing_leaves_where_no_connection_comes_in_time(server: FaultServer, wired: Any) -> None:
    async def mute(exchange: Exchange) -> None:
        await exchange.reader.read()

    server.plays(mute)
    # TLS towards a server that never answers the handshake.
    wire = wired(connect_timeout=0.05)
    result = await wire.send(server.url.replace("http:", "https:"))
    assert (result.kind, wire.heads) == (FaultKind.UNREACHABLE, [])
    assert result.detail.startswith("ConnectionTimeoutError")


async def test_nothing_leaves_while_waiting_for_the_pool(server: FaultServer, wired: Any) -> None:
    server.on_hang = lambda: None
    server.plays("hang-before")
    wire = wired(connector=aiohttp.TCPConnector(limit=1))
    mark = SendMark()
    holding = asyncio.create_task(wire.send(server.url))
    await server.arrived.wait()
    waiting = asyncio.create_task(wire.transport.send(request(server.url), key=KEY, mark=mark))
    await asyncio.sleep(0.01)
    for task in (waiting, holding):
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not mark.sent
    with pytest.raises(asyncio.CancelledError):
        await holding


async def test_a_time_limit_of_the_session_is_not_heeded(server: FaultServer, wired: Any) -> None:
    wire = wired(timeout=aiohttp.ClientTimeout(total=0.000001))
    server.plays(server.answer(201))
    assert (await wire.send(server.url)).status == 201


async def test_a_time_limit_within_the_answer_is_a_timeout(server: FaultServer, wired: Any) -> None:
    async def impatient(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> Any:
        await handler(request)
        raise TimeoutError

    server.plays(server.answer(201))
    wire = wired(middlewares=(impatient,))
    result = await wire.send(server.url)
    assert (result.kind, result.detail, wire.heads) == (FaultKind.TIMED_OUT, "TimeoutError", ["POST"])


async def test_what_cannot_be_put_on_the_wire_is_told(server: FaultServer, wired: Any) -> None:
    for url in ("ftp://127.0.0.1", "http://"):
        wire = wired()
        result = await wire.send(url)
        assert (result.kind, wire.heads) == (FaultKind.UNUSABLE, [])
        assert "word" not in result.detail
    assert server.connections == 0


# TLS and proxies


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def tls_server(server: FaultServer, authority: trustme.CA) -> AsyncIterator[FaultServer]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    secure = type(server)()
    await secure.start(tls=context)
    yield secure
    await secure.stop()


def trusting(authority: trustme.CA) -> aiohttp.TCPConnector:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return aiohttp.TCPConnector(ssl=context)


async def test_an_untrusted_certificate_is_refused_before_anything_is_sent(
    tls_server: FaultServer, wired: Any
) -> None:
    wire = wired()
    result = await wire.send(tls_server.url)
    assert (result.kind, wire.heads, tls_server.sends) == (FaultKind.INSECURE, [], 0)
    assert result.detail.startswith("ClientConnectorCertificateError")


async def test_a_tls_connection_cut_after_the_request_was_sent(
    tls_server: FaultServer, authority: trustme.CA, wired: Any
) -> None:
    tls_server.plays("close-before")
    wire = wired(connector=trusting(authority))
    result = await wire.send(tls_server.url)
    assert (result.kind, wire.heads, tls_server.sends) == (FaultKind.DISCONNECTED, ["POST"], 1)


async def test_a_handshake_that_is_cut_may_succeed_next_time(server: FaultServer, wired: Any) -> None:
    for fault in ("close-unread", "reset-unread"):
        server.plays(fault)
        wire = wired()
        result = await wire.send(server.url.replace("http:", "https:"))
        assert (result.kind, wire.heads) == (FaultKind.UNREACHABLE, [])


async def test_a_server_that_speaks_no_tls_never_will(server: FaultServer, wired: Any) -> None:
    async def plain(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        exchange.close()

    server.plays(plain)
    wire = wired()
    result = await wire.send(server.url.replace("http:", "https:"))
    assert (result.kind, wire.heads) == (FaultKind.INSECURE, [])


@pytest.mark.parametrize(
    ("status", "kind"), [(407, FaultKind.INSECURE), (403, FaultKind.INSECURE), (502, FaultKind.UNREACHABLE)]
)
async def test_a_proxys_refusal_is_not_the_platforms_answer(
    server: FaultServer, wired: Any, status: int, kind: FaultKind
) -> None:
    server.plays(server.answer(status))
    wire = wired(proxy=f"http://user:pass-word@127.0.0.1:{server.port}")
    result = await wire.send("https://pdp.invalid")
    assert (result.kind, wire.heads) == (kind, [])
    assert "pass-word" not in repr(result)


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (ssl.SSLEOFError(8, "EOF"), FaultKind.UNREACHABLE),
        (ssl.SSLZeroReturnError(6, "closed"), FaultKind.UNREACHABLE),
        (ssl.SSLError(1, "no"), FaultKind.INSECURE),
    ],
)
def test_a_handshake_that_was_cut_is_told_from_one_that_was_refused(
    cause: ssl.SSLError, kind: FaultKind
) -> None:
    """Which of these errors a cut becomes depends on the event loop."""
    key: Any = None
    error = aiohttp.ClientConnectorSSLError(key, cause)
    error.__cause__ = cause
    assert _broken(error).kind is kind


def test_a_password_in_aiohttps_own_words_is_left_out() -> None:
    error = aiohttp.ClientConnectionError("no TLS through http://user:pass@word@proxy.example:1 [because]")
    assert _detail(error) == "ClientConnectionError: no TLS through http://proxy.example:1 [because]"


# Redirects, sessions, middlewares


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(
    server: FaultServer, wired: Any, status: int
) -> None:
    server.plays(server.answer(status, Location="/elsewhere"))
    result = await wired().send(server.url)
    assert (result.status, server.sends) == (status, 1)


async def test_nothing_is_guessed_of_an_empty_body(
    server: FaultServer, transport: Transport, wired: Any
) -> None:
    server.plays(server.answer(204, b""), server.answer(204, b""))
    await wired().send(server.url, body=None)
    await transport.send(request(server.url, body=None), key=KEY, mark=SendMark())
    for seen in server.requests:
        assert b"Content-Length: 0\r\n" in seen
        assert b"Content-Type" not in seen


async def test_a_read_sends_no_body_at_all(server: FaultServer, transport: Transport) -> None:
    server.plays(server.answer(200))
    result = await transport.send(request(server.url, operation=GET, body=None), key=None, mark=None)
    assert isinstance(result, Answer)
    assert b"Content-Length" not in server.requests[0]
    assert b"Authorization" not in server.requests[0]


async def test_a_large_body_is_sent_whole_and_without_a_warning(
    server: FaultServer, transport: Transport
) -> None:
    body = bytes(range(256)) * 8_192 + b"end"
    server.plays(server.answer(204, b""))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = await transport.send(request(server.url, body=body), key=KEY, mark=SendMark())
    assert isinstance(result, Answer)
    assert server.requests[0].endswith(b"\r\n\r\n" + body)


async def test_an_answer_before_the_body_was_sent_is_an_answer(
    server: FaultServer, transport: Transport
) -> None:
    async def refuse(exchange: Exchange) -> None:
        await exchange.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}")
        await exchange.server.arrived.wait()

    server.plays(refuse)
    result = await transport.send(request(server.url, body=b"x" * 50_000_000), key=KEY, mark=SendMark())
    assert isinstance(result, Answer)
    assert (result.status, result.body) == (413, b"{}")
    server.arrived.set()


async def test_a_connection_is_used_again(server: FaultServer, transport: Transport) -> None:
    server.plays(*[server.answer(204, b"")] * 3)
    for _ in range(3):
        await transport.send(request(server.url), key=KEY, mark=SendMark())
    assert server.connections == 1


async def test_our_own_session_is_set_for_many_safe_calls(server: FaultServer, transport: Transport) -> None:
    server.plays(server.answer(204, b"", Set_Cookie="a=b"), server.answer(204, b""))
    for _ in range(2):
        await transport.send(request(server.url), key=KEY, mark=SendMark())
    assert b"Cookie" not in server.requests[1]
    session = transport._session
    assert session is not None
    connector = session.connector
    assert isinstance(connector, aiohttp.TCPConnector)
    assert (connector.limit, connector._keepalive_timeout) == (100, KEEP_ALIVE)
    assert session.timeout == aiohttp.ClientTimeout(total=None, sock_connect=5.0)


async def test_middlewares_of_the_caller_see_aiohttps_own_errors(server: FaultServer, wired: Any) -> None:
    seen: list[Exception] = []

    async def watch(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> Any:
        request.headers["X-Watched"] = "yes"
        try:
            return await handler(request)
        except aiohttp.ClientError as error:
            seen.append(error)
            raise

    server.plays("close-before")
    result = await wired(middlewares=(watch,)).send(server.url)
    assert result.kind is FaultKind.DISCONNECTED
    assert isinstance(seen[0], aiohttp.ServerDisconnectedError)
    assert b"X-Watched: yes" in server.requests[0]


async def test_an_injected_session_that_raises_for_statuses_does_not(server: FaultServer, wired: Any) -> None:
    server.plays(server.answer(503))
    assert (await wired(raise_for_status=True).send(server.url)).status == 503


async def test_a_session_that_hides_when_a_request_is_sent_is_refused(wired: Any) -> None:
    with pytest.raises(ConfigurationError, match="Expect"):
        wired(headers={"Expect": "100-continue"})


# Whose session, which loop


async def test_an_injected_session_stays_open(server: FaultServer) -> None:
    async with aiohttp.ClientSession() as session:
        transport = Transport(Config(base_url="http://unused"), session=session)
        server.plays(server.answer(204, b""))
        await transport.send(request(server.url), key=KEY, mark=SendMark())
        await transport.aclose()
        assert not session.closed
        with pytest.raises(ClientClosed, match="this client was closed"):
            await transport.send(request(server.url), key=KEY, mark=SendMark())


async def test_a_closed_session_of_the_caller_is_told() -> None:
    session = aiohttp.ClientSession()
    transport = Transport(Config(base_url="http://unused"), session=session)
    await session.close()
    with pytest.raises(ClientClosed, match="the session given to this client was closed"):
        await transport.send(request("http://unused"), key=KEY, mark=SendMark())


async def test_our_own_session_is_closed_once_and_for_all(server: FaultServer) -> None:
    transport = Transport(Config(base_url="http://unused"))
    server.plays(server.answer(204, b""))
    await transport.send(request(server.url), key=KEY, mark=SendMark())
    session = transport._session
    await transport.aclose()
    await transport.aclose()
    assert session is not None
    assert session.closed
    with pytest.raises(ClientClosed):
        await transport.send(request(server.url), key=KEY, mark=SendMark())


async def test_a_client_that_was_never_used_closes_too() -> None:
    await Transport(Config(base_url="http://unused")).aclose()


def test_a_client_is_bound_to_the_loop_of_its_first_call(unused_port: int) -> None:
    transport = Transport(Config(base_url="http://unused"))
    url = f"http://127.0.0.1:{unused_port}"

    async def send() -> object:
        return await transport.send(request(url), key=KEY, mark=SendMark())

    with asyncio.Runner() as first:
        first.run(send())
        with asyncio.Runner() as second:
            for forbidden in (send, transport.aclose):
                with pytest.raises(WrongEventLoop, match="async with SeqinoClient"):
                    second.run(forbidden())
        first.run(transport.aclose())


def test_an_injected_session_binds_the_client_to_its_loop() -> None:
    async def make() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    with asyncio.Runner() as first:
        session = first.run(make())
        transport = Transport(Config(base_url="http://unused"), session=session)
        with asyncio.Runner() as second, pytest.raises(WrongEventLoop):
            second.run(transport.send(request("http://unused"), key=KEY, mark=SendMark()))
        first.run(session.close())


# The mark


async def test_a_connection_that_serves_others_by_now_is_not_reset(
    server: FaultServer, transport: Transport
) -> None:
    server.plays(*[server.answer(204, b"")] * 2)
    mark = SendMark()
    await transport.send(request(server.url), key=KEY, mark=mark)
    mark.abandon()
    await transport.send(request(server.url), key=KEY, mark=SendMark())
    assert server.connections == 1


async def test_an_abandoned_connection_is_reset_and_nothing_tells_of_an_orderly_end_before() -> None:
    await is_reset_when_abandoned()


def test_an_abandoned_connection_is_reset_on_the_other_event_loop_too() -> None:
    uvloop = pytest.importorskip("uvloop", reason="there is no uvloop on this system")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(is_reset_when_abandoned())


async def is_reset_when_abandoned() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        _, writer = await asyncio.open_connection(*listener.getsockname())
        with listener.accept()[0] as other_side:
            mark = SendMark()
            mark.begin(writer.transport)
            writer.write(b"POST ")
            writer.transport.close()
            mark.abandon()
            assert other_side.recv(100) == b"POST "
            # The reset comes with the next turn of the loop: an end that was told now would overtake it.
            with pytest.raises(BlockingIOError):
                other_side.recv(1, socket.MSG_DONTWAIT)
            other_side.settimeout(60)
            with pytest.raises(ConnectionResetError):
                await asyncio.to_thread(other_side.recv, 1)


async def test_abandoning_twice_or_before_sending_does_nothing(
    server: FaultServer, transport: Transport
) -> None:
    SendMark().abandon()
    server.plays("close-before")
    mark = SendMark()
    await transport.send(request(server.url), key=KEY, mark=mark)
    mark.abandon()
    await asyncio.sleep(0)
    mark.abandon()


async def test_the_mark_is_set_whichever_way_a_body_is_written() -> None:
    class Writer(AbstractStreamWriter):
        written = b""

        @property
        def transport(self) -> None:
            return None

        async def write(self, chunk: Any, **_named: Any) -> None:
            self.written += chunk

        async def write_eof(self, chunk: bytes = b"") -> None: ...
        async def drain(self) -> None: ...
        async def write_headers(self, status_line: str, headers: Any) -> None: ...
        def enable_compression(self, *_args: Any, **_named: Any) -> None: ...
        def enable_chunking(self) -> None: ...

    mark, writer = SendMark(), Writer()
    await _MarkedPayload(b"{}", mark).write(writer)
    assert mark.sent
    assert writer.written == b"{}"


class NoSocket(asyncio.Transport):
    aborted = False

    def is_closing(self) -> bool:
        return True

    def abort(self) -> None:
        self.aborted = True


async def test_a_connection_without_a_socket_is_aborted_all_the_same() -> None:
    mark, connection = SendMark(), NoSocket()
    mark.begin(connection)
    mark.abandon()
    assert connection.aborted
