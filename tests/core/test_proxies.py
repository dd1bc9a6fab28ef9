"""Calls through a proxy with real sockets: what it refuses, loses and learns."""
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import pickle
import ssl
import traceback
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trustme

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, Secret
from seqino._core.network import Network
from seqino._core.wire import Effect, Operation
from seqino.errors import CallError, ConnectionFailed, InsecureConnection, OutcomeUnknown, UnexpectedAnswer
from tests.core.conftest import FaultServer, Time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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
KEY = "canary-key-51c7"
PASSWORD = "canary-word-9d2f"


@attrs.define(eq=False)
class Proxy:
    """Opens tunnels to one server, whatever host it is asked for, unless told to do something else."""

    target: int
    answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    then_cut: bool = False
    heads: list[bytes] = attrs.field(factory=list[bytes])
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set["asyncio.Task[None]"])

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError, ConnectionError, asyncio.IncompleteReadError):
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(self.answer)
            await writer.drain()
            if b" 200 " in self.answer and not self.then_cut:
                await self._tunnel(reader, writer)
        writer.close()

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()
            sink.close()

        try:
            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        finally:
            far_writer.close()


@attrs.define(eq=False)
class Site:
    """A server with TLS, a proxy before it, and engines that know only the proxy's way."""

    server: FaultServer
    proxy: Proxy
    authority: trustme.CA
    events: list[Any] = attrs.field(factory=list[Any])
    engines: list[CallEngine] = attrs.field(factory=list[CallEngine])

    def engine(self, *, scheme: str = "http", port: int | None = None, max_retries: int = 2) -> CallEngine:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        url = f"{scheme}://user:{PASSWORD}@127.0.0.1:{port or self.proxy.port}"
        config = Config(
            api_key=Secret(KEY),
            # No such host: whoever gets through went through the proxy.
            base_url="https://pdp.invalid/api",
            max_retries=max_retries,
            on_event=self.events.append,
        )
        network = Network(proxy=Secret(url), tls=context)
        engine = CallEngine(config, Codec(), network=network, runtime=Time().runtime)
        self.engines.append(engine)
        return engine


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
async def site(authority: trustme.CA) -> AsyncIterator[Site]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("pdp.invalid").configure_cert(context)
    server = FaultServer()
    await server.start(tls=context)
    proxy = Proxy(server.port)
    await proxy.start()
    site = Site(server, proxy, authority)
    yield site
    for engine in site.engines:
        await engine.aclose()
    await proxy.stop()
    await server.stop()


async def test_a_call_goes_through_the_proxy_and_its_key_only_through_the_tunnel(site: Site) -> None:
    site.server.plays(*[site.server.answer(204, b"")] * 2)
    engine = site.engine()
    await engine.call(CREATE)
    await engine.call(CREATE)
    (head,) = site.proxy.heads
    assert head.startswith(b"CONNECT pdp.invalid:443 HTTP/1.1\r\n")
    login = base64.b64encode(f"user:{PASSWORD}".encode())
    assert b"Proxy-Authorization: Basic " + login in head
    assert KEY.encode() not in head
    for request in site.server.requests:
        assert f"Authorization: {KEY}\r\n".encode() in request
        assert b"Proxy-Authorization" not in request
    assert (site.server.sends, site.server.connections) == (2, 1)


async def test_a_proxy_that_speaks_tls_itself(site: Site) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    site.authority.issue_cert("127.0.0.1").configure_cert(context)
    secure = Proxy(site.server.port)
    await secure.start(context)
    site.server.plays(site.server.answer(204, b""))
    await site.engine(scheme="https", port=secure.port).call(CREATE)
    assert (len(secure.heads), site.server.sends) == (1, 1)
    await secure.stop()


@pytest.mark.parametrize("operation", [CREATE, GET], ids=["create", "read"])
@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_proxy_that_cannot_reach_the_server_now_is_asked_again(
    site: Site, operation: Operation[Any], status: int
) -> None:
    site.proxy.answer = f"HTTP/1.1 {status} Not now\r\nContent-Length: 0\r\n\r\n".encode()
    with pytest.raises(ConnectionFailed, match="ClientHttpProxyError: Not now") as caught:
        await site.engine().call(operation)
    # The status is the proxy's, and not the platform's.
    assert (caught.value.status, caught.value.outcome, caught.value.attempts) == (None, "not_sent", 3)
    assert (len(site.proxy.heads), site.server.sends) == (3, 0)


@pytest.mark.parametrize("status", [400, 403, 404, 407, 500])
async def test_a_proxy_that_refuses_is_not_asked_again(site: Site, status: int) -> None:
    site.proxy.answer = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    with pytest.raises(InsecureConnection, match="ClientHttpProxyError: No") as caught:
        await site.engine().call(CREATE)
    assert (caught.value.status, caught.value.outcome, caught.value.attempts) == (None, "not_sent", 1)
    assert site.server.sends == 0


async def test_a_proxy_that_is_not_there(site: Site, unused_port: int) -> None:
    with pytest.raises(ConnectionFailed, match="ClientProxyConnectionError") as caught:
        await site.engine(port=unused_port).call(CREATE)
    assert (caught.value.outcome, caught.value.attempts) == ("not_sent", 3)


@pytest.mark.parametrize("operation", [CREATE, GET], ids=["create", "read"])
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"SSH-2.0-x\r\n\r\n"], ids=["closed", "cut", "ssh"])
async def test_a_proxy_that_breaks_off_sent_nothing(
    site: Site, operation: Operation[Any], answer: bytes
) -> None:
    site.proxy.answer = answer
    # A plain read is not watched, as whether it was sent changes nothing.
    with pytest.raises(ConnectionFailed if operation is CREATE else UnexpectedAnswer) as caught:
        await site.engine().call(operation)
    assert caught.value.outcome == ("not_sent" if operation is CREATE else "unknown")
    assert (caught.value.attempts, site.server.sends) == (3, 0)


async def test_a_tunnel_that_is_cut_in_the_handshake_is_tried_again(site: Site) -> None:
    site.proxy.then_cut = True
    with pytest.raises(ConnectionFailed) as caught:
        await site.engine().call(CREATE)
    assert (caught.value.outcome, caught.value.attempts) == ("not_sent", 3)


async def test_a_server_behind_the_proxy_that_cannot_prove_who_it_is(site: Site) -> None:
    site.authority = trustme.CA()
    with pytest.raises(InsecureConnection, match="ClientConnectorCertificateError") as caught:
        await site.engine().call(CREATE)
    assert (caught.value.attempts, site.server.sends) == (1, 0)


async def test_a_tunnel_that_is_cut_after_the_request_leaves_a_doubt(site: Site) -> None:
    site.server.plays("close-after")
    with pytest.raises(OutcomeUnknown):
        await site.engine().call(CREATE)
    assert site.server.sends == 1


@pytest.mark.parametrize("case", ["refused", "407", "502", "closed", "lost", "tls"])
async def test_the_proxys_password_shows_nowhere(
    site: Site, unused_port: int, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    caplog.set_level(logging.DEBUG)
    asyncio.get_running_loop().set_debug(True)
    if case == "tls":
        site.authority = trustme.CA()
    elif case == "lost":
        site.server.plays("close-after")
    elif case != "refused":
        site.proxy.answer = b"" if case == "closed" else f"HTTP/1.1 {case} No\r\n\r\n".encode()
    engine = site.engine(port=unused_port if case == "refused" else None)
    with pytest.raises(CallError) as caught:
        await engine.call(CREATE)
    error = caught.value
    login = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
    shown = [
        repr(error),
        str(vars(error)),
        "".join(traceback.format_exception(error)),
        pickle.dumps(error).decode("latin-1"),
        caplog.text,
        repr([vars(record) for record in caplog.records]),
        repr(site.events),
        repr(engine),
        repr(vars(engine)),
    ]
    for text in shown:
        assert PASSWORD not in text
        assert login not in text
        assert KEY not in text
