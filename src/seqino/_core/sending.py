"""The moment at which a request begins to leave: who is asked before it, and what is remembered of it."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["SendGuard", "SendMark", "Unsent"]

_NO_LINGERING = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class Unsent(Exception):  # noqa: N818 - says what happened
    """The request was held back before its first byte."""


class SendGuard(Protocol):
    """Asked before a request may leave."""

    async def prepare(self) -> None:
        """Do what has to be done before the first byte; whatever this raises holds the request back.

        ``Unsent`` makes it an attempt of which nothing was sent; anything else comes out of the call.

        All turns are taken by then, and a connection is held. Nothing is awaited between the end of this and
        the first byte.
        """
        ...


class SendMark:
    """Remembers that a request began to leave, and can cut its connection.

    Args:
        guard: Asked before it may leave; ``None`` where nobody needs to be.
    """

    __slots__ = ("_given_up", "_guard", "_socket", "_transport", "refusal", "sent")

    def __init__(self, guard: SendGuard | None = None) -> None:
        self.sent = False
        self.refusal: Exception | None = None
        """What the guard raised."""
        self._guard = guard
        self._given_up = False
        self._transport: asyncio.WriteTransport | None = None
        self._socket: socket.socket | None = None

    @property
    def is_guarded(self) -> bool:
        """Whether somebody is asked, so that time passes between the connection's turn and the first byte."""
        return self._guard is not None

    async def prepare(self, transport: asyncio.WriteTransport | None) -> None:
        """Ask the guard.

        Args:
            transport: The connection that is held.

        Raises:
            Unsent: The connection closed meanwhile, or nobody waits for the request any more.
            Exception: What the guard raised; it is kept as ``refusal``.
        """
        if self._guard is None:
            return
        may_leave = False
        try:
            await self._guard.prepare()
            may_leave = True
        finally:
            error = sys.exception()
            if not may_leave and isinstance(error, Exception):
                self.refusal = error
        if self._given_up or transport is None or transport.is_closing():
            raise Unsent

    def begin(self, transport: asyncio.WriteTransport | None) -> None:
        """Note that the first byte is about to be written."""
        self.sent = True
        self._transport = transport
        # Taken while the connection is open: one that was closed may not tell its socket any more.
        self._socket = None if transport is None else transport.get_extra_info("socket")

    def give_up(self) -> None:
        """Let a request leave no more that has not left yet: whoever made it was told how it ended."""
        self._given_up = True

    def abandon(self) -> None:
        """Make the connection's closing a reset, so that nothing buffered arrives once the caller was told.

        A connection that aiohttp did not give up is left alone: it may serve another call by now.
        """
        if self._transport is None or not self._transport.is_closing():
            return
        if self._socket is not None:
            # Lingering 0 s makes the closing a reset. A socket that is closed already cannot be set: asyncio
            # says so with an OSError, uvloop with a ValueError.
            with contextlib.suppress(OSError, ValueError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        # asyncio refuses where its loop was closed while the call was under way.
        with contextlib.suppress(RuntimeError):
            self._transport.abort()
        if self._socket is not None and _cannot_abort(self._transport):
            # What waits in it could still leave. Any other is reset, which this would keep from happening.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _cannot_abort(transport: asyncio.WriteTransport) -> bool:
    """Whether this is a TLS connection of asyncio that was closed twice, and has forgotten its protocol."""
    try:
        transport.get_extra_info("socket")
    except AttributeError:
        return True
    return False
