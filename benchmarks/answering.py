"""A server that answers fixed bytes at once, in a process of its own, so that it is not what is measured.

``python -m benchmarks.answering [SECONDS]`` prints its port and serves until its standard input is closed;
each answer takes so many seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answering", "serve"]

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_ISSUED = b'{"invoice_id":"inv_01J9ZK4R7Q","invoice_number":"F-2026-0001","status":"submitted"}'
_CREATED = (
    b'{"draft_id":"drf_01J9ZK4R7Q","status":"draft","errors":[],"warnings":[],'
    b'"created_at":"2026-03-01T12:00:00+00:00","updated_at":"2026-03-01T12:00:00+00:00"}'
)


def _answer(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (
        status,
        len(body),
    )
    return head + body


_DRAFT_CREATED = _answer(b"201 Created", _CREATED)
_INVOICE_ISSUED = _answer(b"200 OK", _ISSUED)


class Answering(asyncio.Protocol):
    """One connection: a draft is created, whatever it holds, and a validated one is issued.

    Args:
        hear: Given each whole request before it is answered.
        delay: Seconds that an answer takes.
    """

    def __init__(self, hear: Callable[[bytes], object] | None = None, delay: float = 0.0) -> None:
        self._hear = hear
        self._delay = delay
        self._held = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        held = self._held + data if self._held else data
        while (end := held.find(b"\r\n\r\n") + 4) > 3:  # noqa: PLR2004 - found
            length = _LENGTH.search(held, 0, end)
            end += int(length[1]) if length is not None else 0
            if len(held) < end:
                break
            if self._hear is not None:
                self._hear(held[:end])
            if self._transport is not None:
                is_validation = held.find(b"/validate ", 0, held.find(b"\r\n")) > 0
                answer = _INVOICE_ISSUED if is_validation else _DRAFT_CREATED
                if self._delay:
                    asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
                else:
                    self._transport.write(answer)
            held = held[end:]
        self._held = held


async def serve(
    hear: Callable[[bytes], object] | None = None, *, delay: float = 0.0
) -> tuple[asyncio.Server, int]:
    """Start a server on a free port of this machine, and say which.

    Args:
        hear: Given each whole request.
        delay: Seconds that an answer takes.
    """
    server = await asyncio.get_running_loop().create_server(lambda: Answering(hear, delay), "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


async def _main() -> None:
    server, port = await serve(delay=float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
    print(port, flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
