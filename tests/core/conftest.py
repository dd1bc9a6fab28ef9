"""A server on raw sockets that does whatever a test tells it, and time that only moves when told."""

from __future__ import annotations

import asyncio
import collections
import heapq
import itertools
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
import pytest

from seqino._core.call import CallEngine
from seqino._core.codec import Codec
from seqino._core.config import Config, Secret
from seqino._core.events import CallEvent
from seqino._core.runtime import Runtime

if TYPE_CHECKING:
    import ssl

    from seqino._core.transport import Middleware, Session

KEY = "canary-key-51c7"

WALL = 1_772_366_400.0
"""2026-03-01 12:00:00 UTC, in seconds since 1970."""


@attrs.define(eq=False)
class Exchange:
    """One request on one connection, as the server sees it."""

    server: FaultServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    begun: bytes = b""

    async def read(self) -> bytes:
        """Read one whole request and count it."""
        head = self.begun + await self.reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n")[1:] if line)
        body = await self.reader.readexactly(int(fields.get("Content-Length", 0)))
        self.server.requests.append(head + body)
        self.server.arrived.set()
        return head + body

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Do nothing more, and let time pass until something gives up."""
        self.server.on_hang()
        await self.reader.read()


Behaviour: TypeAlias = Callable[[Exchange], Awaitable[None]]


@attrs.define(eq=False)
class FaultServer:
    """Each request that begins to arrive gets the next behaviour of the script.

    Args:
        on_hang: Called when a behaviour stops answering.
    """

    on_hang: Callable[[], None] = lambda: None
    requests: list[bytes] = attrs.field(factory=list[bytes])
    connections: int = 0
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set once a request was read."""
    ended: asyncio.Event = attrs.field(factory=asyncio.Event)
    """Set once a connection is over."""
    resets: int = 0
    """How many of them the client reset."""
    port: int = 0
    scheme: str = "http"
    _script: collections.deque[Behaviour] = attrs.field(factory=collections.deque[Behaviour])
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set[asyncio.Task[None]])

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def sends(self) -> int:
        """How many requests were read."""
        return len(self.requests)

    def plays(self, *behaviours: Behaviour | str) -> None:
        """Add to the script: behaviours, or faults by name."""
        self._script.extend(self.fault(each) if isinstance(each, str) else each for each in behaviours)

    @staticmethod
    def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Behaviour:
        """A complete answer on a connection that stays open."""

        async def behave(exchange: Exchange) -> None:
            await exchange.read()
            lines = [f"HTTP/1.1 {status} Some Words", f"Content-Length: {len(body)}"]
            lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
            await exchange.write("\r\n".join([*lines, "", ""]).encode() + body)

        return behave

    @staticmethod
    def raw(data: bytes) -> Behaviour:
        """Any bytes for an answer, then the end of the connection."""

        async def behave(exchange: Exchange) -> None:
            await exchange.read()
            await exchange.write(data)
            exchange.close()

        return behave

    @staticmethod
    def hang(data: bytes = b"") -> Behaviour:
        """The beginning of an answer, and then nothing for ever."""

        async def behave(exchange: Exchange) -> None:
            await exchange.read()
            await exchange.write(data)
            await exchange.hang()

        return behave

    @staticmethod
    def cut(how: Literal["close", "reset"], *, read: bool) -> Behaviour:
        """The end of the connection without an answer."""

        async def behave(exchange: Exchange) -> None:
            if read:
                await exchange.read()
            exchange.close() if how == "close" else exchange.reset()

        return behave

    @classmethod
    def fault(cls, name: str) -> Behaviour:
        """One of the faults that leave a request in doubt, by name."""
        head = b"HTTP/1.1 201 Created\r\n"
        faults: dict[str, Behaviour] = {
            "closed unread": cls.cut("close", read=False),
            "reset unread": cls.cut("reset", read=False),
            "closed": cls.cut("close", read=True),
            "reset": cls.cut("reset", read=True),
            "silent": cls.hang(),
            "dripping head": cls.hang(head + b"Content-Le"),
            "dripping body": cls.hang(head + b"Content-Length: 2\r\n\r\n{"),
            "cut head": cls.raw(head + b"Content-Le"),
            "cut body": cls.raw(head + b"Content-Length: 99\r\n\r\n{}"),
            "cut chunk": cls.raw(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}"),
            "bad chunk": cls.raw(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
            "bad gzip": cls.raw(head + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
            "no http": cls.raw(b"220 mail.example ESMTP\r\n\r\n"),
            "huge header": cls.raw(head + b"X: " + b"x" * 20_000 + b"\r\n\r\n"),
            "two lengths": cls.raw(head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        }
        return faults[name]

    async def start(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.scheme = "http" if tls is None else "https"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            while not writer.is_closing() and (first := await reader.read(1)):
                assert self._script, "a request that no test expected"
                await self._script.popleft()(Exchange(self, reader, writer, first))
        except ConnectionResetError:
            self.resets += 1
        except (asyncio.CancelledError, asyncio.IncompleteReadError, BrokenPipeError):
            pass
        finally:
            self.ended.set()
            writer.close()


@attrs.define(eq=False)
class Time:
    """A clock that stands still until it is moved; timers ring when it passes them."""

    now: float = 5000.0
    sleeps: list[float] = attrs.field(factory=list[float])
    chance: float = 1.0
    """Where in its range a random number falls: 0 lowest, 1 highest."""
    _timers: list[tuple[float, int, Timer]] = attrs.field(factory=list[Any])
    _order: Iterator[int] = attrs.field(factory=itertools.count)

    @property
    def runtime(self) -> Runtime:
        return Runtime(
            monotonic=lambda: self.now,
            wall=lambda: WALL + self.now,
            sleep=self.sleep,
            call_later=self.call_later,
            uniform=lambda low, high: low + (high - low) * self.chance,
        )

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.pass_by(seconds)
        await asyncio.sleep(0)

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(callback)
        heapq.heappush(self._timers, (self.now + delay, next(self._order), timer))
        return timer

    def pass_by(self, seconds: float) -> None:
        until = self.now + seconds
        while self._timers and self._timers[0][0] <= until:
            self.now, _, timer = heapq.heappop(self._timers)
            timer.ring()
        self.now = until

    def pass_to_next_timer(self) -> None:
        while self._timers and self._timers[0][2].is_cancelled:
            heapq.heappop(self._timers)
        if self._timers:
            self.pass_by(self._timers[0][0] - self.now)

    @property
    def armed(self) -> int:
        """How many timers would still ring."""
        return sum(not timer.is_cancelled for _, _, timer in self._timers)


@attrs.define(eq=False)
class Timer:
    _callback: Callable[[], None]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True

    def ring(self) -> None:
        if not self.is_cancelled:
            self.is_cancelled = True
            self._callback()


@attrs.define(eq=False)
class Bench:
    """A server, an engine that calls it, and what can be seen of both."""

    server: FaultServer
    time: Time
    events: list[CallEvent] = attrs.field(factory=list[CallEvent])
    engines: list[CallEngine] = attrs.field(factory=list[CallEngine])

    def engine(
        self,
        *,
        session: Session | None = None,
        middlewares: tuple[Middleware, ...] = (),
        **changes: Any,
    ) -> CallEngine:
        settings: dict[str, Any] = {
            "api_key": Secret(KEY),
            "client_id": "acme",
            "base_url": self.server.url,
            "on_event": self.events.append,
            **changes,
        }
        engine = CallEngine(
            Config(**settings), Codec(), session=session, middlewares=middlewares, runtime=self.time.runtime
        )
        self.engines.append(engine)
        return engine

    def told(self, kind: str) -> list[CallEvent]:
        return [event for event in self.events if event.kind == kind]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def server(time: Time) -> AsyncIterator[FaultServer]:
    server = FaultServer(on_hang=time.pass_to_next_timer)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def bench(server: FaultServer, time: Time) -> AsyncIterator[Bench]:
    bench = Bench(server, time)
    yield bench
    for engine in bench.engines:
        await engine.aclose()
    assert time.armed == 0, "a timer was left behind"


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
