"""One request on one connection of the server of faults."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias

import attrs

from seqino.sandbox.replies import REDIRECTS, Reply
from seqino.sandbox.sockets import reset

if TYPE_CHECKING:
    import asyncio

    from seqino.sandbox.fault_plays import Play
    from tests.fault_server import FaultServer

__all__ = ["Behaviour", "Exchange", "Seen"]


@attrs.frozen
class Seen:
    """A request that was read whole.

    Args:
        method: Its method.
        path: Its target, with the query.
        digest: SHA-256 of its body, in hexadecimal.
    """

    method: str
    path: str
    digest: str

    @property
    def route(self) -> str:
        """Method and path without the query, such as ``POST /drafts``."""
        return f"{self.method} {self.path.partition('?')[0]}"


class Exchange:
    """One request on one connection, as the server sees it: a stage for plays.

    Args:
        server: The server.
        reader: The connection, to be read.
        writer: The connection, to be written.
        begun: What was read of the request before a behaviour was chosen.
    """

    def __init__(
        self,
        server: FaultServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        begun: bytes = b"",
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self._begun = begun
        self._seen: Seen | None = None

    async def read(self) -> Seen:
        """Read the request to its end and count it; a second time tells what was read."""
        if self._seen is None:
            head = self._begun + await self.reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await self.reader.readexactly(int(fields.get("content-length", 0)))
            method, path, _ = first.split(" ", 2)
            self._seen = Seen(method, path, hashlib.sha256(body).hexdigest())
            self.server.note(head + body, self._seen)
        return self._seen

    async def perform(self, *, effect: bool, hold: float) -> Reply:
        """Read the request, and count its effect; the answer is an empty object."""
        seen = await self.read()
        if hold:
            await self.server.pause(hold)
        self.server.effects[seen.route] += effect
        return Reply()

    def error(self, status: int) -> Reply:
        """Return an empty object with a status."""
        target = self._seen.path if self._seen else "/"
        headers = (("Location", target),) if status in REDIRECTS else ()
        return Reply(status=status, headers=headers)

    def note(self, play: Play) -> None:
        """Count a play by its name."""
        self.server.played[play.name] += 1

    async def pause(self, seconds: float) -> None:
        """Wait as the server does."""
        await self.server.pause(seconds)

    async def write(self, data: bytes, *, drip: float = 0) -> None:
        """Send bytes: at once, or one by one with a pause of ``drip`` seconds after each."""
        size = 1 if drip else max(1, len(data))
        for at in range(0, len(data), size):
            self.writer.write(data[at : at + size])
            await self.writer.drain()
            if drip:
                await self.server.pause(drip)
                if self.reader.at_eof():
                    raise BrokenPipeError("nobody reads the answer any more")

    def close(self) -> None:
        """End the connection in an orderly way (FIN)."""
        self.writer.close()

    def reset(self) -> None:
        """End the connection with a reset (RST)."""
        reset(self.writer.transport)

    def cut(self) -> None:
        """End the connection without the farewell of TLS."""
        self.writer.transport.abort()

    async def leave_stale(self) -> None:
        """Close the connection at the next request's first byte."""
        await self.reader.read(1)
        self.close()

    async def hang(self) -> None:
        """Say nothing more until the other side gives up."""
        self.server.on_hang()
        await self.reader.read()


Behaviour: TypeAlias = Callable[[Exchange], Awaitable[None]]
"""What the server does with one request."""
