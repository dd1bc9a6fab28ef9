"""A port that can be closed for a while and stays ours."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Listener"]


class Listener:
    """Listens on an address.

    Args:
        factory: Makes the protocol of each connection.
    """

    def __init__(self, factory: Callable[[], asyncio.Protocol]) -> None:
        self._factory = factory
        self._servers: list[asyncio.Server] = []
        self._held: list[socket.socket] = []
        self._closings = 0
        self._reopening: set[asyncio.Task[None]] = set()
        self.address: tuple[Any, ...] = ()
        """Host and port, and what else the first address has."""

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: The port is in use, or the address is not this machine's.
        """
        server = await asyncio.get_running_loop().create_server(self._factory, host, port)
        self._servers.append(server)
        self.address = server.sockets[0].getsockname()

    def close(self) -> None:
        """Refuse connections; each time needs an ``open`` of its own."""
        self._closings += 1
        if self._closings > 1:
            return
        places = [(one.family, one.getsockname()) for server in self._servers for one in server.sockets]
        self._close_servers()
        self._held = [_hold(family, address) for family, address in places]

    async def open(self) -> None:
        """Take connections again, once nobody wants them refused."""
        self._closings -= 1
        if not self._closings:
            loop = asyncio.get_running_loop()
            held, self._held = self._held, []
            self._servers = [await loop.create_server(self._factory, sock=one) for one in held]

    def close_for(self, seconds: float) -> None:
        """Refuse connections for a while."""
        self.close()
        task = asyncio.get_running_loop().create_task(self._open_after(seconds))
        self._reopening.add(task)
        task.add_done_callback(self._reopening.discard)

    async def _open_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self.open()

    async def stop(self) -> None:
        """Free the port."""
        for task in self._reopening:
            task.cancel()
        await asyncio.gather(*self._reopening, return_exceptions=True)
        self._close_servers()
        for one in self._held:
            one.close()

    def _close_servers(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()


def _hold(family: int, address: Any) -> socket.socket:
    """Keep a port without listening, so that it refuses and nobody else takes it."""
    held = socket.socket(family)
    if os.name == "posix":  # pragma: no branch - elsewhere the option means that anybody may take the port
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    held.bind(address)
    return held
