"""A port on which the sandbox answers: how it is opened, and let go in order."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Any

from aiohttp import web

from seqino.sandbox.app import LARGEST_BODY
from seqino.sandbox.connections import Front
from seqino.sandbox.errors import SandboxError
from seqino.sandbox.listening import Listener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from seqino.sandbox.app import Refuse
    from seqino.sandbox.faults import Faults

__all__ = ["Port"]

_PATIENCE = 1
"""Seconds that requests under way get when it stops."""


class Port:
    """A port with its connections.

    Args:
        handle: Answers each request.
        refuse: Writes the answer to what is no HTTP.
        faults: What may happen to a connection before a request is read; nothing by default.
        tls: Certificate and settings, where TLS is spoken.
    """

    def __init__(
        self,
        handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        refuse: Refuse,
        *,
        faults: Faults | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._scheme = "http" if tls is None else "https"
        self._server = web.Server(handle, request_factory=_request)
        self.front = Front(self._server, faults, tls, refuse)
        self.listener = Listener(self.front)

    async def open(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            SandboxError: The port is in use, or the address is not this machine's.
        """
        try:
            await self.listener.start(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise SandboxError(
                    f"port {port} is already in use; choose another, or 0 for a free one"
                ) from error
            raise SandboxError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error

    @property
    def url(self) -> str:
        """Its address, such as ``http://127.0.0.1:8052``."""
        host, port = self.listener.address[:2]
        return f"{self._scheme}://[{host}]:{port}" if ":" in host else f"{self._scheme}://{host}:{port}"

    async def stop(self) -> None:
        """Free the port, answer what is under way, and close every connection."""
        await self.listener.stop()
        # Requests that have arrived get the chance to begin.
        await asyncio.sleep(0)
        await self.front.stop()
        connections = self.front.connections
        self._server.pre_shutdown()
        await self._server.shutdown(_PATIENCE)
        lost = [one.lost for one in connections]
        if lost:
            # Who does not read its answer would keep the connection open.
            await asyncio.wait(lost, timeout=_PATIENCE)
            for one in connections:
                one.abort()
            await asyncio.wait(lost, timeout=_PATIENCE)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=LARGEST_BODY)
