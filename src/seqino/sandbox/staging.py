"""A request to the sandbox as the stage of a fault: what is written goes past aiohttp, to the wire."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

from seqino.sandbox.connections import Connection
from seqino.sandbox.sockets import reset

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from seqino.sandbox.fault_plays import Play
    from seqino.sandbox.faults import Faults
    from seqino.sandbox.replies import Reply

__all__ = ["Staged"]


_Perform: TypeAlias = "Callable[[bool, Callable[[], Awaitable[None]] | None], Awaitable[Reply]]"


class _Over(Exception):  # noqa: N818 - no failure: there is nobody left to play for
    """The caller has left, or the sandbox stops."""


class _Sent(web.StreamResponse):
    """Stands for an answer that is on the wire already, so that aiohttp writes none."""

    def __init__(self, *, keeps: bool) -> None:
        super().__init__()
        self._keeps = keeps

    @property
    def keep_alive(self) -> bool:
        return self._keeps

    async def prepare(self, request: web.BaseRequest) -> None:  # noqa: ARG002 - aiohttp's own signature
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


class Staged:
    """One request, played with a fault.

    Args:
        request: The request, of which the head is read.
        perform: Reads the rest, waits before the effect, has it or not, and returns the answer.
        error: Makes the answer with a status.
        faults: Where what is played is counted.
        stopping: Done once the sandbox stops.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        *,
        perform: _Perform,
        error: Callable[[int], Reply],
        faults: Faults,
        stopping: asyncio.Future[None],
    ) -> None:
        connection = request.protocol
        assert isinstance(connection, Connection)  # noqa: S101 - the sandbox hands out no other
        self._connection = connection
        self._wire = connection.wire
        self._request = request
        self._perform = perform
        self._make_error = error
        self._faults = faults
        self._stopping = stopping
        self._keeps = request.keep_alive

    async def play(self, play: Play) -> web.StreamResponse:
        """Play a fault; what is returned tells aiohttp whether the connection goes on."""
        self._stopping.add_done_callback(self._drop)
        try:
            await play(self)
        except (_Over, ConnectionError):
            self.reset()
        finally:
            self._stopping.remove_done_callback(self._drop)
        return _Sent(keeps=self._keeps)

    def _drop(self, _stopping: asyncio.Future[None]) -> None:
        self.reset()

    async def perform(self, *, effect: bool, hold: float) -> Reply:
        """Read the request, and have its effect or not."""

        async def held() -> None:
            # A caller who has left changes nothing.
            await asyncio.wait((self._stopping,), timeout=hold)
            if self._stopping.done():
                raise _Over

        reply = _dated(await self._perform(effect, held if hold else None))
        # A connection that is closed with something unread is reset by the system.
        await self._request.release()
        return reply

    def error(self, status: int) -> Reply:
        """Return the platform's own error."""
        return _dated(self._make_error(status))

    def note(self, play: Play) -> None:
        """Count what is played."""
        self._faults.count(play)

    async def pause(self, seconds: float) -> None:
        """Wait, unless the caller leaves."""
        await self._wait(seconds)

    async def write(self, data: bytes, *, drip: float = 0) -> None:
        """Send bytes as fast as they are read, or one by one."""
        size = 1 if drip else max(1, len(data))
        for at in range(0, len(data), size):
            if self._wire.is_closing():
                raise _Over
            self._wire.write(data[at : at + size])
            await self._request.writer.drain()
            if drip:
                await self._wait(drip)
            else:
                await asyncio.sleep(0)  # others get their turn, however fast this one reads

    def close(self) -> None:
        """End the connection in order."""
        self._keeps = False
        self._wire.close()

    def reset(self) -> None:
        """End the connection with a reset."""
        self._keeps = False
        if not self._wire.is_closing():
            reset(self._wire)

    def cut(self) -> None:
        """End the connection without the farewell of TLS."""
        self._keeps = False
        self._wire.abort()

    async def leave_stale(self) -> None:
        """Let the next request's first byte end the connection."""
        self._connection.is_stale = True

    async def hang(self) -> None:
        """Wait until the caller leaves."""
        await self._wait(None)

    async def _wait(self, seconds: float | None) -> None:
        """Wait, unless nobody waits for the answer any more."""
        await asyncio.wait((self._connection.lost,), timeout=seconds)
        if self._connection.lost.done():
            raise _Over


def _dated(reply: Reply) -> Reply:
    return reply.having(("Date", formatdate(reply.date, usegmt=True)))
