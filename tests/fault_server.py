"""A server on raw sockets that plays a script: each request gets the next fault or answer, and is counted.

Unlike a web server it may break every rule of HTTP: close or reset at any byte, stop talking in the middle of
an answer, lie about lengths. What a request was *for* happens, or does not, whatever is answered, so that a
reply that was lost after its effect can be told from one that was lost before::

    async with FaultServer() as server:
        server.plays("close-before", "reset-after", answer(503, Retry_After="3"), "status-201")
        ...
        assert server.effects["POST /drafts"] == 2
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, cast

import attrs

from seqino.sandbox.fault_plays import Play, fault
from tests.exchange import Behaviour, Exchange, Seen

if TYPE_CHECKING:
    from typing import Self

__all__ = ["FaultServer", "answer"]


def answer(
    status: int = 200,
    body: bytes = b"{}",
    *,
    read: Literal["whole", "first"] = "whole",
    effect: bool | None = None,
    delay: float = 0,
    drip: float = 0,
    then: Literal["keep", "close", "reset", "hang"] = "keep",
    **headers: str,
) -> Play:
    """Return a complete answer, on a connection that stays open as a rule.

    Args:
        status: Its status.
        body: Its body.
        read: How much of the request is read before; what answers its first byte has no effect.
        effect: Whether the request has its effect; left out, where the status is below 300.
        delay: Seconds before it.
        drip: Seconds between two of its bytes.
        then: What becomes of the connection.
        headers: Its headers; an underscore stands for a hyphen.
    """
    lines = [f"HTTP/1.1 {status} Some Words", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Play(
        read=read,
        effect=status < 300 if effect is None else effect,
        delay=delay,
        answer="\r\n".join([*lines, "", ""]).encode("latin-1") + body,
        drip=drip,
        then=then,
    )


_UNEXPECTED = answer(599, b"no play is left for this request", then="close")


@attrs.define(eq=False, kw_only=True)
class FaultServer:
    """Plays a script, and counts what reaches it.

    Args:
        pause: Waits for some seconds.
        on_hang: Called when the server stops talking: a test may move its clock then.
        port: Where to listen; 0 for any free port.
    """

    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    on_hang: Callable[[], object] = lambda: None
    port: int = 0
    scheme: str = attrs.field(default="http", init=False)
    connections: int = attrs.field(default=0, init=False)
    """How many were accepted."""
    begun: int = attrs.field(default=0, init=False)
    """How many requests began to arrive."""
    reused: int = attrs.field(default=0, init=False)
    """How many of them over a connection that had brought one before."""
    requests: list[bytes] = attrs.field(factory=list[bytes], init=False)
    """The requests that were read whole, head and body, as they came."""
    seen: list[Seen] = attrs.field(factory=list[Seen], init=False)
    """The same, in short."""
    effects: Counter[str] = attrs.field(factory=Counter[str], init=False)
    """How many requests did what they were for, by route, such as ``POST /drafts``."""
    played: Counter[str] = attrs.field(factory=Counter[str], init=False)
    """How often each fault was played, by name; an answer without one has none."""
    resets: int = attrs.field(default=0, init=False)
    """How many connections the other side reset."""
    unexpected: list[Seen] = attrs.field(factory=list[Seen], init=False)
    """Requests for which the script had nothing left, or a closed port."""
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    """Set once a request was read."""
    ended: asyncio.Event = attrs.field(factory=asyncio.Event, init=False)
    """Set once a connection is over."""
    _scripts: defaultdict[str, deque[Behaviour]] = attrs.field(
        factory=lambda: defaultdict[str, deque[Behaviour]](deque), init=False
    )
    _standing: dict[str, Callable[[], Behaviour]] = attrs.field(
        factory=dict[str, Callable[[], Behaviour]], init=False
    )
    _server: asyncio.Server | None = attrs.field(default=None, init=False)
    _holder: socket.socket | None = attrs.field(default=None, init=False)
    _tasks: set[asyncio.Task[None]] = attrs.field(factory=set["asyncio.Task[None]"], init=False)
    _idle: set[asyncio.StreamWriter] = attrs.field(factory=set[asyncio.StreamWriter], init=False)
    _tls: ssl.SSLContext | None = attrs.field(default=None, init=False)

    @property
    def _has_routes(self) -> bool:
        return any(route for route in (*self._scripts, *self._standing))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def sends(self) -> int:
        """How many requests were read whole."""
        return len(self.requests)

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._tasks)

    @property
    def unplayed(self) -> int:
        """How many entries of the script are left."""
        return sum(len(script) for script in self._scripts.values())

    # --- The script

    def plays(self, *behaviours: Behaviour | str, on: str = "") -> None:
        """Add to the script: behaviours, or faults by name.

        Args:
            behaviours: One for each request that is to come.
            on: Route whose requests get them, such as ``POST /drafts``; any, by default. A route's own come
                first, and cannot be of the kind that leaves requests unread.

        Raises:
            ValueError: There is no such fault, or it cannot be played on a route, or here at all.
        """
        plays = [fault(each) if isinstance(each, str) else each for each in behaviours]
        if on and any(_leaves_unread(play) for play in plays):
            raise ValueError("a request that is not read has no route: leave out on")
        if any(isinstance(play, Play) and (play.tls or play.needs in ("object", "enum")) for play in plays):
            raise ValueError("a TLS handshake, and an answer that is described, only the Sandbox has")
        self._scripts[on].extend(plays)

    def always(self, behaviour: Callable[[], Behaviour], *, on: str = "") -> None:
        """Say what is played where the script has nothing left.

        Args:
            behaviour: Called for each such request.
            on: Route, as for ``plays``.
        """
        self._standing[on] = behaviour

    def note(self, request: bytes, seen: Seen) -> None:
        """Count a request that was read whole."""
        self.requests.append(request)
        self.seen.append(seen)
        self.arrived.set()

    # --- Listening

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self, *, tls: ssl.SSLContext | None = None) -> None:
        """Listen.

        Args:
            tls: Certificate and settings, for a server that speaks TLS.
        """
        # A second socket, which never listens, keeps the port ours while it is closed.
        self._holder = socket.socket()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._holder.bind(("127.0.0.1", self.port))
        self.port = self._holder.getsockname()[1]
        self.scheme, self._tls = ("http" if tls is None else "https"), tls
        await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, ssl=self._tls, reuse_address=True
        )

    async def turn(self) -> None:
        """Open or close the port for the next attempt, as the script says.

        An attempt that is refused shows nothing at the server, so that whoever makes the attempts has to call
        this before each; a script without ``refuse`` needs it never.
        """
        script = self._scripts[""]
        if script and _refuses(script[0]):
            script.popleft()
            self._close_port()
        elif self._server is None:
            await self._listen()

    def _close_port(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def hang_up(self) -> None:
        """Close every connection that has no request under way, as a server does whose patience is over."""
        for writer in self._idle:
            connection: socket.socket = writer.get_extra_info("socket")
            # At this very moment, not in the next round of the loop.
            connection.shutdown(socket.SHUT_RDWR)

    async def stop(self) -> None:
        """Stop listening and end all connections."""
        self._close_port()
        if self._holder is not None:
            self._holder.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- Connections

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._converse(reader, writer)
        except ConnectionResetError:
            self.resets += 1
        except (asyncio.CancelledError, asyncio.IncompleteReadError, BrokenPipeError):
            # Ended by stop(), or by the other side. Python 3.11 would log a cancelled handler as a failure.
            pass
        finally:
            self._tasks.discard(task)
            self._idle.discard(writer)
            self.ended.set()
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[""]
        if script and isinstance(script[0], Play) and script[0].read == "nothing":
            await script.popleft()(Exchange(self, reader, writer))
        is_used = False
        while not writer.is_closing():
            self._idle.add(writer)
            first = await reader.read(1)
            self._idle.discard(writer)
            if not first:
                break
            self.begun += 1
            self.reused += is_used
            is_used = True
            exchange = Exchange(self, reader, writer, first)
            await (await self._choose(exchange))(exchange)

    async def _choose(self, exchange: Exchange) -> Behaviour:
        anyones = self._scripts[""]
        is_refused = bool(anyones) and _refuses(anyones[0])
        if anyones and not is_refused and (not self._has_routes or _leaves_unread(anyones[0])):
            return anyones.popleft()
        seen = await exchange.read()
        for route in () if is_refused else (seen.route, ""):
            if self._scripts[route]:
                return self._scripts[route].popleft()
            if route in self._standing:
                return self._standing[route]()
        self.unexpected.append(seen)
        return _UNEXPECTED


def _refuses(behaviour: Behaviour) -> bool:
    return isinstance(behaviour, Play) and behaviour.strikes == "port"


def _leaves_unread(behaviour: Behaviour) -> bool:
    """Whether a behaviour does without reading the request, and so without knowing its route."""
    return isinstance(behaviour, Play) and behaviour.strikes != "request"
