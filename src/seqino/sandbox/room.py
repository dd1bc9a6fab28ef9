"""Room for large request bodies: so many bytes are held at once, and who comes later waits for a while."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

__all__ = ["SMALL", "NoRoom", "Room"]

SMALL = 256 * 1024
"""Bytes up to which a body is read whatever else is there: no machine has connections enough to mind them."""


class NoRoom(Exception):  # noqa: N818 - an answer, not a fault of the sandbox
    """Others stayed longer than anybody waits."""


class Room:
    """Bytes of large bodies that are held at once.

    Args:
        size: Bytes, as many as the largest body has or more.
        patience: Seconds that somebody waits for others to leave.
    """

    def __init__(self, size: int, patience: float) -> None:
        self._free = size
        self._patience = patience
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    @asynccontextmanager
    async def taken(self, size: int) -> AsyncGenerator[None]:
        """Take as much as a body needs, as long as the context lasts; first come, first served.

        Raises:
            NoRoom: Others stayed longer than anybody waits.
        """
        if size <= SMALL:
            yield
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._take(size)
        except TimeoutError:
            raise NoRoom(f"too many large bodies at once: no room for one of {size} bytes") from None
        try:
            yield
        finally:
            self._free += size
            self._left.set()

    async def _take(self, size: int) -> None:
        async with self._turn:
            while self._free < size:
                self._left.clear()
                await self._left.wait()
            self._free -= size
