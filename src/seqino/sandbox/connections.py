"""What happens to a connection before a request is read: at accept, in the handshake, at the first byte."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from seqino.sandbox.sockets import reset

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from seqino.sandbox.fault_plays import Play
    from seqino.sandbox.faults import Faults

__all__ = ["CONTROL", "Connection", "Front"]

CONTROL = "/_sandbox/"
"""Where the paths of the control API begin, which is to answer whatever goes wrong on purpose."""

_LONGEST_METHOD = 20
"""Bytes; what has no space by then is no HTTP."""

_CONTROL = CONTROL.encode()

_LINGERING = 2
"""Seconds in which a caller who was refused early may send the rest of its body, or end TLS in order."""


class Front:
    """Makes the protocol of each connection that is accepted.

    Args:
        server: aiohttp's server, which gets the connection.
        faults: What may happen to it before; nothing where ``None``.
        tls: Certificate and settings, where TLS is spoken.
        refuse: Writes the answer to what is no HTTP.
    """

    def __init__(
        self,
        server: web.Server,
        faults: Faults | None,
        tls: ssl.SSLContext | None,
        refuse: Callable[[int, str], web.Response],
    ) -> None:
        self._faults = faults
        self.refuse = refuse
        self._server = server
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self.is_over = False
        """Whether nobody is served any more: connections may still come when the port was closed."""
        self._silent: set[socket.socket] = set()
        """Connections of which no handshake has begun."""

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of the next connection."""
        play = self.take("connection")
        if play is not None and not play.tls:
            return _Ended(play)
        if self._tls is None:
            return self.connection()
        if play is not None and play.read == "first":
            return _Cut(play)
        return _Handshake(self, 0 if play is None else play.delay)

    def take(self, strikes: Literal["connection", "first byte"]) -> Play | None:
        """Take and count the fault that is next to happen to a connection, or its next request."""
        play = None if self._faults is None else self._faults.take(strikes)
        if play is not None and self._faults is not None:
            self._faults.count(play)
        return play

    def connection(self) -> Connection:
        """Return the protocol that speaks HTTP."""
        return Connection(self, self._server, self._loop)

    def shake(self, accepted: socket.socket, delay: float) -> None:
        """Speak TLS on a connection, after some seconds.

        Args:
            accepted: The connection, which is this one's to close from now on.
            delay: How long nothing is read of it, in seconds.
        """
        if self.is_over:
            accepted.close()
            return
        self._silent.add(accepted)
        task = self._loop.create_task(self._shake(accepted, delay))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _shake(self, accepted: socket.socket, delay: float) -> None:
        await asyncio.sleep(delay)
        self._silent.discard(accepted)
        # An OSError says that the other side has left, does not trust us, or does not speak TLS.
        with contextlib.suppress(OSError):
            await self._loop.connect_accepted_socket(
                self.connection, accepted, ssl=self._tls, ssl_shutdown_timeout=_LINGERING
            )

    @property
    def connections(self) -> list[Connection]:
        """The connections that are open."""
        return [one for one in self._server.connections if isinstance(one, Connection)]

    def leave(self) -> None:
        """Close every connection, those with a request under way once it is answered."""
        for one in self.connections:
            one.leave()

    async def stop(self) -> None:
        """Serve no connection that is still to come, and give up the handshakes under way."""
        self.is_over = True
        for task in self._handshakes:
            task.cancel()
        await asyncio.gather(*self._handshakes, return_exceptions=True)
        # Not by the tasks: one that is cancelled before it began never gets to it.
        for accepted in self._silent:
            accepted.close()
        self._silent.clear()


class Connection(web.RequestHandler):
    """aiohttp's protocol, which can be ended at a request's first bytes and tells when it is over."""

    __slots__ = ("_begun", "_front", "is_stale", "is_used", "lost", "wire")

    def __init__(self, front: Front, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # so it is switched off
            lingering_time=_LINGERING,
        )
        self._front = front
        self._begun = b""
        """What has come of a request, as long as it may be one to the control API or not."""
        self.is_stale = False
        """Whether the next request's first bytes end it."""
        self.is_used = False
        """Whether a request is under way."""
        self.lost: asyncio.Future[None] = loop.create_future()
        """Done once the connection is over."""

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self.wire: asyncio.Transport = transport
        super().connection_made(transport)
        if self._front.is_over:
            self.force_close()

    def data_received(self, data: bytes) -> None:
        """Take bytes; a planned fault takes the first of a request, unless it is to the control API."""
        if data and not self.is_used:
            data, self._begun = self._begun + data, b""
            is_control = _is_control(data)
            if is_control is None:
                self._begun = data
                return
            self.is_used = True
            if not is_control and self._ends():
                return
        super().data_received(data)

    def _ends(self) -> bool:
        """End it, if that is what happens to it now."""
        play = self._front.take("first byte")
        if play is not None:
            _end(self.wire, play)
        elif self.is_stale:
            self.force_close()
        else:
            return False
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        """Take notice that it is over."""
        self.lost.set_result(None)
        super().connection_lost(exc)

    def leave(self) -> None:
        """Close it: now, or once the request under way is answered."""
        if self.is_used:
            self.close()
        else:
            self.force_close()

    def abort(self) -> None:
        """End it, whatever is still to be sent."""
        self.wire.abort()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP as the platform would; it is the caller's fault, and none to be logged."""
        if status >= 500 or request.writer.output_size:  # noqa: PLR2004 - from here on it is ours
            return super().handle_error(request, status, exc, message)
        response = self._front.refuse(status, (message or "this is no HTTP").strip())
        response.force_close()
        return response

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Log what went wrong here; that a caller's body breaks off or cannot be unpacked is none of it."""
        if not isinstance(options.get("exc_info"), web.RequestPayloadError | ConnectionError):
            super().log_exception(*args, **options)


class _Ended(asyncio.Protocol):
    """A connection that is over as soon as it is accepted."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def connection_made(self, transport: Any) -> None:
        _end(transport, self._play)


class _Cut(asyncio.Protocol):
    """A connection that ends with the first bytes of its handshake."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - that some came is enough
        _end(self._transport, self._play)


class _Handshake(asyncio.Protocol):
    """A connection that does not speak TLS yet."""

    def __init__(self, front: Front, delay: float) -> None:
        self._front = front
        self._delay = delay

    def connection_made(self, transport: Any) -> None:
        # TLS has to see every byte, so the connection is begun again, before any was read. A pause would not
        # do: uvloop reads all the same once this returns.
        one = transport.get_extra_info("socket")
        self._front.shake(socket.fromfd(one.fileno(), one.family, one.type), self._delay)
        transport.abort()


def _is_control(begun: bytes) -> bool | None:
    """Tell whether a request is to the control API by how it begins; ``None`` as long as that is open."""
    method, space, target = begun.lstrip(b"\r\n").partition(b" ")
    if not space:
        return None if len(method) < _LONGEST_METHOD and b"\n" not in method else False
    return target.startswith(_CONTROL) or (None if _CONTROL.startswith(target) else False)


def _end(transport: asyncio.Transport, play: Play) -> None:
    if play.then == "reset":
        reset(transport)
    else:
        transport.close()
