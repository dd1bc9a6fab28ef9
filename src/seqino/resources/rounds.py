"""Looking at many invoices, each when it is due, some at a time."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeAlias

import attrs

from seqino._core.runtime import Runtime
from seqino.errors import AuthenticationFailed, CallError, InsecureConnection
from seqino.resources.histories import History
from seqino.resources.watching import InvoiceChange, Watched, moment

__all__ = ["MOST_LOOKS", "Round"]

MOST_LOOKS = 8
"""So many invoices are looked at at a time: one that hangs keeps no other waiting."""

_Look: TypeAlias = "asyncio.Task[InvoiceChange | None]"


@attrs.define
class Round:
    """Invoices that are watched: those that wait to be due, and those that are looked at.

    Args:
        runtime: Clock and pauses.
        look: Asks for the history of one.
    """

    _runtime: Runtime
    _look: Callable[[str], Awaitable[History]]
    # By moment; of one moment, in the order in which they were put there.
    _waiting: list[tuple[float, int, Watched]] = attrs.field(
        factory=list[tuple[float, int, Watched]], init=False
    )
    _put: int = attrs.field(default=0, init=False)
    _looks: dict[_Look, Watched] = attrs.field(factory=dict[_Look, Watched], init=False)

    async def changes(self, watched: Sequence[Watched]) -> AsyncGenerator[InvoiceChange, None]:
        """Yield what happens to invoices, until all of them are at an end.

        Args:
            watched: The invoices.

        Raises:
            AuthenticationFailed: The key is wrong, for all of them.
            InsecureConnection: No call is possible, for none of them.
        """
        for one in watched:
            self._wait(one)
        try:
            while self._waiting or self._looks:
                self._begin()
                for look in await self._ended():
                    one, change = self._looks.pop(look), look.result()
                    if change is None or not change.is_over:
                        self._wait(one)
                    if change is not None:
                        yield change
        finally:
            for look in self._looks:
                look.cancel()
            await asyncio.gather(*self._looks, return_exceptions=True)

    def _wait(self, one: Watched) -> None:
        self._put += 1
        heapq.heappush(self._waiting, (one.due.timestamp(), self._put, one))

    def _begin(self) -> None:
        """Begin to look at what is due, as far as there is room."""
        while self._waiting and len(self._looks) < MOST_LOOKS and self._left() <= 0:
            _, _, one = heapq.heappop(self._waiting)
            self._looks[asyncio.create_task(self._look_at(one))] = one

    def _left(self) -> float:
        """Seconds until the next one is due."""
        return self._waiting[0][0] - self._runtime.monotonic()

    async def _ended(self) -> Sequence[_Look]:
        """Wait until a look has ended, or another one is due; return the looks that have ended."""
        may_begin = bool(self._waiting) and len(self._looks) < MOST_LOOKS
        if not self._looks:
            await self._runtime.sleep(self._left())
            return ()
        pauses = [asyncio.ensure_future(self._runtime.sleep(self._left()))] if may_begin else []
        try:
            await asyncio.wait([*self._looks, *pauses], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pause in pauses:
                pause.cancel()
        return [look for look in self._looks if look.done()]

    async def _look_at(self, one: Watched) -> InvoiceChange | None:
        began = moment(self._runtime.monotonic())
        try:
            return one.saw(await self._look(one.invoice_id), began=began)
        except (AuthenticationFailed, InsecureConnection):
            raise
        except CallError as error:
            return one.failed(error, began=began)
