"""Sends ready requests over some connections, as fast as answers come, with next to no work of its own.

A client library would be most of what is measured; this one splits answers by their length, and that is all.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["fetch", "send", "time_of"]

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class _Connection(asyncio.Protocol):
    """Sends the next request once the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], heard: list[bytes] | None) -> None:
        self._requests = requests
        self._heard = heard
        self._held = b""
        self.failed = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self) -> None:
        """Send the next request, or be done."""
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n") + 4
        if end < 4:  # noqa: PLR2004 - the head is not whole
            return
        length = _LENGTH.search(self._held, 0, end)
        end += int(length[1]) if length is not None else 0
        if len(self._held) >= end:
            self.failed += not self._held.startswith(b"HTTP/1.1 2")
            if self._heard is not None:
                self._heard.append(self._held)
            self._held = b""
            self.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(exc)


async def send(
    port: int, requests: Iterable[bytes], *, width: int, heard: list[bytes] | None = None
) -> float:
    """Send requests and return the seconds that they took; connections are opened before.

    Args:
        port: Where, on this machine.
        requests: Each with its head and body.
        width: How many connections, each with one request under way.
        heard: Gets the answers, head and body.

    Raises:
        RuntimeError: An answer is no success.
    """
    loop = asyncio.get_running_loop()
    shared = iter(requests)
    connections = [
        (await loop.create_connection(lambda: _Connection(shared, heard), "127.0.0.1", port))[1]
        for _ in range(width)
    ]
    start = loop.time()
    for connection in connections:
        connection.begin()
    await asyncio.gather(*(connection.done for connection in connections))
    taken = loop.time() - start
    if failed := sum(connection.failed for connection in connections):
        raise RuntimeError(f"{failed} requests were refused")
    return taken


def fetch(port: int, requests: Iterable[bytes], *, width: int = 1) -> list[bytes]:
    """Send requests and return the answers, head and body."""
    heard: list[bytes] = []
    asyncio.run(send(port, requests, width=width, heard=heard))
    return heard


def time_of(port: int, requests: Iterable[bytes], *, width: int) -> float:
    """Send requests and return the seconds that they took."""
    return asyncio.run(send(port, requests, width=width))
