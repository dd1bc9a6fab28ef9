"""Whose session a client uses, in which loop, and through what."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gc
import ssl
import threading
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from seqino.client import SeqinoClient
from seqino.errors import ClientClosed, ConfigurationError, ConnectionFailed, NotFound, WrongEventLoop
from tests.fault_server import FaultServer, answer

if TYPE_CHECKING:
    from pathlib import Path

# Loops


def served(*works: Any) -> None:
    """Run each work in a loop of its own, with a server that answers in all of them."""
    ready, done = threading.Event(), threading.Event()
    port: list[int] = []

    async def serve() -> None:
        async with FaultServer() as server:
            server.always(lambda: answer(200, b'"up"'))
            port.append(server.port)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        client = SeqinoClient("key", base_url=f"http://127.0.0.1:{port[0]}/api", max_retries=0)
        for work in works:
            asyncio.run(work(client))
    finally:
        done.set()
        thread.join()


def test_one_client_in_two_loops_one_after_the_other() -> None:
    told: list[str] = []

    async def first(client: SeqinoClient) -> None:
        assert await client.health() == "up"
        # The loop ends with the session open: what is forbidden, and told by aiohttp.

    async def second(client: SeqinoClient) -> None:
        with pytest.raises(WrongEventLoop, match=r"one for each asyncio\.run") as caught:
            await client.health()
        told.append(str(caught.value))
        with pytest.raises(WrongEventLoop):
            await client.aclose()

    with pytest.warns(ResourceWarning):  # noqa: PT031 - the warning comes when the garbage is collected
        served(first, second)
        gc.collect()
    assert "async with SeqinoClient" in told[0]


def test_one_client_in_a_loop_inside_of_another() -> None:
    async def outer(client: SeqinoClient) -> None:
        assert await client.health() == "up"
        with pytest.raises(WrongEventLoop):
            await asyncio.to_thread(asyncio.run, client.health())
        with pytest.raises(WrongEventLoop):
            await asyncio.to_thread(asyncio.run, client.for_client("acme").health())
        # The first loop's client is unharmed.
        assert await client.health() == "up"
        await client.aclose()

    served(outer)


def test_a_client_that_was_closed_says_so_in_any_loop() -> None:
    async def first(client: SeqinoClient) -> None:
        async with client:
            assert await client.health() == "up"

    async def second(client: SeqinoClient) -> None:
        with pytest.raises(ClientClosed, match="was closed: make a new one"):
            await client.health()
        await client.aclose()

    served(first, second)


def test_a_client_made_outside_of_any_loop_belongs_to_the_first_that_uses_it() -> None:
    async def never_used(client: SeqinoClient) -> None:
        assert client.base_url.startswith("http://127.0.0.1")

    async def used(client: SeqinoClient) -> None:
        async with client:
            assert await client.health() == "up"

    served(never_used, used)


def test_a_session_of_the_caller_belongs_to_its_loop() -> None:
    async def first(client: SeqinoClient) -> None:
        async with aiohttp.ClientSession() as session:
            twin = SeqinoClient("key", base_url=client.base_url, session=session)
            assert await twin.health() == "up"
            with pytest.raises(WrongEventLoop):
                await asyncio.to_thread(asyncio.run, twin.health())
            await twin.aclose()
            assert not session.closed
            with pytest.raises(ClientClosed):
                await twin.health()

    served(first)


async def test_an_exception_in_the_body_closes_the_session_too() -> None:
    async with FaultServer() as server:
        server.always(lambda: answer(200, b'"up"'))
        client = SeqinoClient("key", base_url=server.url)

        async def fail() -> None:
            async with client:
                await client.health()
                raise RuntimeError("body")

        with pytest.raises(RuntimeError, match="body"):
            await fail()
        with pytest.raises(ClientClosed):
            await client.health()


# Proxies and certificates


async def test_the_proxy_argument_is_used() -> None:
    async with FaultServer() as proxy:
        proxy.plays(answer(502))
        url = "https://pdp.invalid/api"
        async with SeqinoClient("key", base_url=url, max_retries=0, proxy=proxy.url) as client:
            with pytest.raises(ConnectionFailed):
                await client.health()
    assert proxy.requests[0].startswith(b"CONNECT pdp.invalid:443 ")


async def test_the_environments_proxy_is_used_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with FaultServer() as proxy:
        proxy.plays(answer(502))
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        for trust_env, seen in ((False, 0), (True, 1)):
            url = "https://pdp.invalid/api"
            async with SeqinoClient("key", base_url=url, max_retries=0, trust_env=trust_env) as client:
                with pytest.raises(ConnectionFailed):
                    await client.health()
            assert proxy.sends == seen


async def test_a_login_in_netrc_is_never_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """aiohttp's own trust_env would take it, and show it to the server in calls without a key."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password hunter2\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with FaultServer() as server:
        server.plays(answer(200, b'"up"'), answer(404))
        async with SeqinoClient("key", base_url=server.url, client_id="c", trust_env=True) as client:
            await client.health()
            with pytest.raises(NotFound):
                await client.drafts.get("d-1")
    assert b"Authorization" not in server.requests[0]
    assert b"Authorization: key\r\n" in server.requests[1]


async def test_the_key_takes_the_place_of_a_login_of_the_callers_session(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password word\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    async with FaultServer() as server, aiohttp.ClientSession(trust_env=True) as session:
        server.plays(answer(200, b'"up"'), answer(404))
        client = SeqinoClient("key", base_url=server.url, client_id="c", session=session)
        await client.health()
        with pytest.raises(NotFound):
            await client.drafts.get("d-1")
    assert b"Authorization: Basic " in server.requests[0]
    assert b"Authorization: key\r\n" in server.requests[1]


async def test_the_certificates_argument_is_used() -> None:
    context = ssl.create_default_context()
    client = SeqinoClient("key", ssl=context)
    assert client._engine._shared.transport._network.tls is context


def test_a_proxy_shows_in_no_repr() -> None:
    client = SeqinoClient("key", proxy="http://user:hunter2@proxy.example:3128")
    assert "hunter2" not in repr(client)
    assert "hunter2" not in repr(vars(client._engine))


async def test_a_session_and_its_connections_are_not_both_given() -> None:
    async with aiohttp.ClientSession() as session:
        for setting in ({"proxy": "http://a:1"}, {"trust_env": True}, {"ssl": ssl.create_default_context()}):
            given: Any = setting
            with pytest.raises(ConfigurationError, match="a session brings its own connections"):
                SeqinoClient("key", session=session, **given)


def test_what_cannot_be_used_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError, match="SOCKS"):
        SeqinoClient("key", proxy="socks5://a:1")
    with pytest.raises(ConfigurationError, match="SSLContext"):
        SeqinoClient("key", ssl=False)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigurationError, match="would travel to the proxy unencrypted"):
        SeqinoClient("key", base_url="http://localhost", proxy="http://a:1")
    SeqinoClient("key", base_url="http://localhost", proxy="http://a:1", allow_insecure_http=True)
