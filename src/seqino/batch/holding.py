"""What this process works on outside of any run: an invoice by one at a time, let go of however that ends.

The ledger says which process works on an invoice; as long as that lives, no other does. So whoever ends with
one must let go of it there, whether it came to an end, failed, or was cancelled at whatever moment.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import attrs

from seqino.batch.driving import Drive
from seqino.batch.errors import closed
from seqino.batch.items import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from seqino.batch.items import Fence
    from seqino.batch.store import Store

__all__ = ["Hold", "Holds", "Key"]

Key: TypeAlias = tuple[str, str]
"""On whose behalf an invoice is sent, and its business key."""


@attrs.define(kw_only=True)
class Hold:
    """Being the one who works on an invoice.

    Args:
        drive: How far it went, for all who wait for it; ``None`` where they have to go on themselves.
        item: The invoice as it was left; ``None`` where nobody knows.
    """

    drive: Drive | None = None
    item: Item | None = None


class Holds:
    """What this process works on outside of any run.

    Args:
        store: The ledger.
        fence: Returns the proof that this process is alive; ``None`` where it owns nothing.
    """

    def __init__(self, store: Store, *, fence: Callable[[], Fence | None]) -> None:
        self._store = store
        self._fence = fence
        self._held: dict[Key, asyncio.Future[Drive | None]] = {}
        self._to_let_go: set[Key] = set()
        self._is_closed = False

    def whose(self, key: Key) -> asyncio.Future[Drive | None] | None:
        """Return what tells how far an invoice went that is being worked on; ``None`` where it is not."""
        return self._held.get(key)

    @contextmanager
    def hold(self, key: Key) -> Generator[Hold]:
        """Work on an invoice that nobody of this process works on; it is let go of at the end.

        Args:
            key: The invoice.

        Raises:
            LedgerUnusable: The ledger is being closed.
        """
        if self._is_closed:
            raise closed()
        hold = Hold()
        future: asyncio.Future[Drive | None] = asyncio.get_running_loop().create_future()
        self._held[key] = future
        try:
            yield hold
        finally:
            del self._held[key]
            future.set_result(hold.drive)
            if hold.item is None or (hold.item.run_id is None and hold.item.chunk_id is not None):
                self._let_go(key)

    async def close(self, *, grace: float) -> None:
        """Let nothing more begin, and wait until what is worked on was ended with.

        Args:
            grace: Seconds to wait at the most.
        """
        self._is_closed = True
        if self._held:
            await asyncio.wait(self._held.values(), timeout=grace)

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is begun."""
        return self._is_closed

    def let_go_again(self) -> None:
        """Let go of what could not be before, as the ledger could not be written."""
        for key in self._to_let_go - self._held.keys():
            self._let_go(key)

    def _let_go(self, key: Key) -> None:
        # Nothing is awaited: who is cancelled leaves at once. It is written after what was asked for before.
        fence = self._fence()
        if fence is not None:
            self._to_let_go.add(key)
            self._store.let_go(*key, fence=fence).add_done_callback(partial(self._was_let_go, key))

    def _was_let_go(self, key: Key, writing: asyncio.Future[None]) -> None:
        if not writing.cancelled() and writing.exception() is None:
            self._to_let_go.discard(key)
