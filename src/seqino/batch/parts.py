"""Parts of runs that several tasks work on at a time: taken by the first, given back by the last."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from seqino._core.events import log
from seqino.batch.errors import LedgerError
from seqino.batch.items import Fence

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from seqino.batch.store import Store

__all__ = ["Parts"]


@attrs.define
class _Part:
    fence: Fence
    users: int = 0


class Parts:
    """Parts of runs that this process has taken.

    Args:
        store: The ledger.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._taken: dict[int, _Part] = {}
        self._taking = asyncio.Lock()

    @asynccontextmanager
    async def part(self, chunk_id: int) -> AsyncGenerator[Fence | None]:
        """Own a chunk together with other tasks; ``None`` where another process, or a run, owns it.

        Args:
            chunk_id: The chunk.
        """
        part = await self._take(chunk_id)
        if part is None:
            yield None
            return
        try:
            yield part.fence
        finally:
            part.users -= 1
            if not part.users:
                del self._taken[chunk_id]
                await self._store.release(part.fence)

    async def _take(self, chunk_id: int) -> _Part | None:
        async with self._taking:
            part = self._taken.get(chunk_id)
            if part is None:
                fence = await self._store.take(await self._store.chunk(chunk_id))
                if fence is None:
                    return None
                part = self._taken[chunk_id] = _Part(fence)
            part.users += 1
            return part

    async def beat(self, *, every: float) -> None:
        """Let others know again and again that what was taken is worked on.

        Args:
            every: Seconds.
        """
        while True:
            await asyncio.sleep(every)
            for part in list(self._taken.values()):
                try:
                    await self._store.beat(part.fence)
                except LedgerError as error:
                    # Whoever works on it learns it too, and sends nothing.
                    log(logging.WARNING, "ledger: %s", error)
