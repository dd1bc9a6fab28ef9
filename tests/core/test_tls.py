"""TLS with real sockets and real certificates: nothing is sent to a server that cannot prove who it is."""
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import socket
import ssl
import warnings
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import trustme

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, Secret
from seqino._core.network import Network
from seqino._core.sending import SendMark
from seqino._core.wire import Effect, Operation
from seqino.errors import ConnectionFailed, InsecureConnection, OutcomeUnknown
from seqino.sandbox.fault_plays import Play
from tests.core.conftest import FaultServer, Time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CREATE: Operation[None] = Operation(
    name="create_thing",
    operation_id="create_thing",
    tag="things",
    method="POST",
    path="/things",
    effect=Effect.CREATE,
    responses={204: None},
)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="A company's own authority")


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
async def serve() -> AsyncIterator[Any]:
    servers: list[FaultServer] = []

    async def start(context: ssl.SSLContext | None) -> FaultServer:
        server = FaultServer()
        await server.start(tls=context)
        server.scheme = "https"
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


async def call(server: FaultServer | Refusing, tls: ssl.SSLContext | None, *, max_retries: int = 3) -> None:
    config = Config(api_key=Secret("key"), base_url=server.url, max_retries=max_retries)
    engine = CallEngine(config, Codec(), network=Network(tls=tls), runtime=Time().runtime)
    try:
        await engine.call(CREATE)
    finally:
        await engine.aclose()


async def refused(server: FaultServer | Refusing, tls: ssl.SSLContext | None, word: str) -> None:
    """A call that is refused before anything was sent, and not tried again."""
    with pytest.raises(InsecureConnection, match=word) as caught:
        await call(server, tls)
    error = caught.value
    assert (error.outcome, error.attempts, error.status) == ("not_sent", 1, None)
    assert server.sends == 0


async def test_an_authority_that_nobody_trusts(serve: Any, authority: trustme.CA) -> None:
    server = await serve(serving(authority.issue_cert("127.0.0.1")))
    await refused(server, None, "ClientConnectorCertificateError.*unable to get local issuer certificate")


async def test_a_certificate_of_another_host(serve: Any, authority: trustme.CA) -> None:
    server = await serve(serving(authority.issue_cert("pdp.example")))
    await refused(server, trusting(authority), "IP address mismatch")


async def test_an_expired_certificate(serve: Any, authority: trustme.CA) -> None:
    past = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    expired = authority.issue_cert("127.0.0.1", not_before=past, not_after=past + dt.timedelta(days=1))
    await refused(await serve(serving(expired)), trusting(authority), "certificate has expired")


async def test_a_self_signed_certificate(serve: Any, tmp_path: Path) -> None:
    itself = trustme.CA()
    file = tmp_path / "self-signed.pem"
    file.write_bytes(itself.private_key_pem.bytes() + itself.cert_pem.bytes())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    await refused(await serve(context), None, "self-signed certificate")


@attrs.define
class Refusing:
    """A server whose handshakes fail; other than asyncio's, it tells the client why."""

    context: ssl.SSLContext
    sends: int = 0
    _listener: socket.socket = attrs.field(factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection.dup() as rest:
            with (
                pytest.raises(ssl.SSLError),
                self.context.wrap_socket(connection, server_side=True) as secure,
            ):
                self.sends += len(secure.recv(1))
            # What is closed with bytes unread is reset, and the client may never see why.
            with contextlib.suppress(OSError):
                rest.shutdown(socket.SHUT_WR)
                while rest.recv(65_536):
                    pass
        self._listener.close()


@pytest.mark.skipif(not ssl.HAS_TLSv1, reason="this OpenSSL cannot speak TLS 1.0 any more")
async def test_a_server_that_speaks_tls_1_0_only(authority: trustme.CA) -> None:
    context = serving(authority.issue_cert("127.0.0.1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    # OpenSSL 3 allows the digests of TLS 1.0 at this level only.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    server = Refusing(context)
    serving_it = asyncio.create_task(asyncio.to_thread(server.serve))
    await refused(server, trusting(authority), "alert protocol version")
    await serving_it


@pytest.mark.parametrize("fault", ["close-at-once", "reset-at-once", "close-unread", "reset-unread"])
async def test_a_handshake_that_is_cut_is_tried_again(serve: Any, fault: str) -> None:
    server = await serve(None)
    server.plays(*[fault] * 3)
    with pytest.raises(ConnectionFailed, match=r"ClientConnector(SSL)?Error: \w") as caught:
        await call(server, None, max_retries=2)
    assert (caught.value.outcome, caught.value.attempts) == ("not_sent", 3)
    assert (server.connections, server.sends) == (3, 0)


async def test_a_server_that_speaks_no_tls(serve: Any) -> None:
    server = await serve(None)
    server.plays(Play(read="first", answer=b"HTTP/1.1 400 Bad Request\r\n\r\n", then="close"))
    await refused(server, None, "ClientConnectorSSLError")


async def test_an_authority_of_ones_own_works(serve: Any, authority: trustme.CA) -> None:
    server = await serve(serving(authority.issue_cert("127.0.0.1")))
    server.plays(server.answer(204, b""))
    await call(server, trusting(authority))
    assert server.sends == 1


def asking_for_certificates(authority: trustme.CA) -> ssl.SSLContext:
    context = serving(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    return context


async def test_a_client_certificate_is_shown(serve: Any, authority: trustme.CA) -> None:
    server = await serve(asking_for_certificates(authority))
    server.plays(server.answer(204, b""))
    tls = trusting(authority)
    authority.issue_cert("client@company.example").configure_cert(tls)
    await call(server, tls)
    assert server.sends == 1


async def test_a_client_certificate_that_is_missing(authority: trustme.CA) -> None:
    tls = trusting(authority)
    tls.maximum_version = ssl.TLSVersion.TLSv1_2
    server = Refusing(asking_for_certificates(authority))
    serving_it = asyncio.create_task(asyncio.to_thread(server.serve))
    await refused(server, tls, "alert handshake failure")
    await serving_it


async def test_with_tls_1_3_a_client_certificate_is_missed_after_the_request_left(
    authority: trustme.CA,
) -> None:
    """There a client may send before the server looks at its certificate: the mark outranks the alert."""
    server = Refusing(asking_for_certificates(authority))
    serving_it = asyncio.create_task(asyncio.to_thread(server.serve))
    with pytest.raises(OutcomeUnknown, match="alert certificate required"):
        await call(server, trusting(authority))
    await serving_it


async def test_a_connection_cut_after_the_request_leaves_a_doubt(serve: Any, authority: trustme.CA) -> None:
    server = await serve(serving(authority.issue_cert("127.0.0.1")))
    server.plays("close-after")
    with pytest.raises(OutcomeUnknown):
        await call(server, trusting(authority))
    assert server.sends == 1


async def test_a_tls_connection_closed_twice_lets_nothing_more_leave(authority: trustme.CA) -> None:
    server_side, client_side = serving(authority.issue_cert("127.0.0.1")), trusting(authority)
    may_read, arrived = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await may_read.wait()
        count = 0
        with contextlib.suppress(OSError):
            while part := await reader.read(1_000_000):
                count += len(part)
        arrived.set_result(count)
        writer.close()

    body = bytes(50_000_000)
    async with await asyncio.start_server(receive, "127.0.0.1", 0, ssl=server_side) as server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side)
        mark = SendMark()
        mark.begin(writer.transport)
        writer.write(body)
        # As when an answer cannot be read while its request is being written, and the request is let go.
        writer.transport.close()
        writer.transport.close()
        mark.abandon()
        may_read.set()
        assert await arrived < len(body)
