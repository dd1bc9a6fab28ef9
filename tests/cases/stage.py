"""The two sides of a case: a server that fails as told, an engine that calls it, and one clock for both."""
# pyright: reportPrivateUsage=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import functools
import math
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
import trustme
from aiohttp.abc import AbstractResolver

from seqino.options import CallOptions
from tests.cases.table import arguments, operation, success

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from seqino._core.call import CallEngine
    from tests.core.conftest import Bench, FaultServer

__all__ = ["Stage", "connected", "pool"]

WARM_UP = operation("safe GET")


class Stage:
    """A server, an engine that calls it, and the one clock of both."""

    def __init__(self, bench: Bench, server: FaultServer) -> None:
        self.bench = bench
        self.server = server
        self._moving: set[asyncio.Task[None]] = set()
        bench.time.after_sleep = server.turn
        server.pause = self.wait
        server.on_hang = self.hang

    async def wait(self, seconds: float) -> None:
        """Let time pass at the server, but not beyond the moment at which the client gives up."""
        await some_rounds()
        time = self.bench.time
        due = min(seconds, time.until_next_timer)
        if due == math.inf:
            # Nobody would ever give up: an end that no case expects is better than none.
            await self.server.stop()
        else:
            time.pass_by(due)
            await some_rounds()

    def hang(self) -> None:
        """Let time pass to the moment at which the client gives up."""
        task = asyncio.ensure_future(self.wait(math.inf))
        self._moving.add(task)
        task.add_done_callback(self._moving.discard)

    def begin(self) -> None:
        """Forget how the connection came to be."""
        server = self.server
        server.connections = server.begun = server.reused = 0
        server.requests.clear()
        server.seen.clear()
        server.effects.clear()
        self.bench.events.clear()


async def some_rounds() -> None:
    """Let the loop carry over what is under way between the two sides."""
    for _ in range(20):
        await asyncio.sleep(0)


class NoSuchHost(AbstractResolver):
    async def resolve(self, *_args: Any, **_named: Any) -> list[Any]:
        raise OSError(None, "no such host")

    async def close(self) -> None:
        pass


@asynccontextmanager
async def connected(on: str, stage: Stage, client: Mapping[str, Any]) -> AsyncGenerator[CallEngine]:
    """An engine and its way to the server, as ``on`` says."""
    bench, server = stage.bench, stage.server
    async with AsyncExitStack() as stack:
        settings: dict[str, Any] = dict(client)
        if on == "full":
            settings["max_connections"] = 1
        if on in {"tls", "distrusted"}:
            await server.stop()
            await server.start(tls=_contexts()[0])
        if on == "no-tls":
            settings["base_url"] = server.url.replace("http:", "https:")
        if on in {"no-host", "proxy"}:
            settings["base_url"] = "https://pdp.invalid"
        if (way := _way(on, server)) is not None:
            session = aiohttp.ClientSession(**way)
            settings["session"] = await stack.enter_async_context(session)
        engine = bench.engine(**settings)
        if on in {"reused", "stale", "parted"}:
            server.plays(success(WARM_UP))
            await engine.call(WARM_UP, **arguments(WARM_UP))
        if on == "parted":
            server.hang_up()
            await _noticed(engine)
        if on == "full":
            await stack.enter_async_context(_occupied(stage, engine))
        stage.begin()
        yield engine


@functools.cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context, and that of a client which trusts it."""
    authority = trustme.CA()
    serving, trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert("127.0.0.1").configure_cert(serving)
    authority.configure_trust(trusting)
    return serving, trusting


def _way(on: str, server: FaultServer) -> dict[str, Any] | None:
    """How the session differs from the client's own."""
    match on:
        case "tls":
            return {"connector": aiohttp.TCPConnector(ssl=_contexts()[1])}
        case "no-host":
            return {"connector": aiohttp.TCPConnector(resolver=NoSuchHost())}
        case "proxy":
            return {"proxy": server.url}
        case _:
            return None


def _connector(engine: CallEngine) -> aiohttp.BaseConnector:
    session = engine._shared.transport._session
    assert session is not None
    connector = session.connector
    assert connector is not None
    return connector


async def _noticed(engine: CallEngine) -> None:
    """Wait until the client knows that no connection of its pool is open any more."""
    idle = [protocol for kept in _connector(engine)._conns.values() for protocol, _ in kept]
    while any(protocol.is_connected() for protocol in idle):  # noqa: ASYNC110 - no event tells it
        await asyncio.sleep(0)


def pool(engine: CallEngine) -> tuple[int, int]:
    """How many connections are in use, and how many calls wait for one."""
    connector = _connector(engine)
    return len(connector._acquired), sum(len(waiters) for waiters in connector._waiters.values())


@asynccontextmanager
async def _occupied(stage: Stage, engine: CallEngine) -> AsyncGenerator[None]:
    """The pool's only connection is in use, and whoever waits for it waits until its time is over."""
    server, holder = stage.server, operation("create POST")
    server.on_hang = lambda: None
    server.plays("hang-before")
    for_ever = CallOptions(timeout=math.inf)
    task = asyncio.create_task(engine.call(holder, **arguments(holder), options=for_ever))
    await server.arrived.wait()

    async def give_up_later() -> None:
        stage.hang()

    stage.bench.time.after_sleep = give_up_later
    stage.hang()
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
