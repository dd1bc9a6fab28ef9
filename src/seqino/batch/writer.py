"""Group commit: what is asked for while one group is being written is the next group.

There is no timer: a lone write is done at once, and a hundred at a time share one durable commit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from seqino.batch.errors import LedgerError, WriteFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["Writer"]

W = TypeVar("W")
R = TypeVar("R")


class Writer(Generic[W, R]):
    """Writes what it is given, in the order in which it came, whether or not anybody waits for it.

    Args:
        commit: Writes a group durably, and returns for each of its members what came of it, or the error that
            concerns it alone. What it raises concerns the whole group: nothing of it was written.
        most: How many make a group at most.
    """

    def __init__(
        self, commit: Callable[[Sequence[W]], Awaitable[Sequence[R | LedgerError]]], *, most: int = 500
    ) -> None:
        self._commit = commit
        self._most = most
        self._waiting: list[tuple[W, asyncio.Future[R]]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def is_writing(self) -> bool:
        """Whether something is being written, or about to be."""
        # A loop whose tasks begin at once may be done with one before it is returned.
        return self._task is not None and not self._task.done()

    def put(self, write: W) -> asyncio.Future[R]:
        """Ask for something to be written, and return its result, to be awaited.

        Whoever stops waiting for it does not stop it.
        """
        result: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, result))
        if not self.is_writing:
            self._task = asyncio.create_task(self._work())
        return result

    async def write(self, write: W) -> R:
        """Write something durably.

        Raises:
            LedgerError: It was not written.
        """
        return await self.put(write)

    async def flush(self) -> None:
        """Wait until all that was asked for is written."""
        while self._task is not None and self.is_writing:
            await asyncio.shield(self._task)

    async def _work(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            await self._write(group)

    async def _write(self, group: list[tuple[W, asyncio.Future[R]]]) -> None:
        try:
            results = await self._commit([write for write, _ in group])
            for (_, future), result in zip(group, results, strict=True):
                _settle(future, result)
        except LedgerError as error:
            for _, future in group:
                _settle(future, error)
        finally:
            # A fault of ours, or the end of the loop: nobody is left waiting.
            for _, future in group:
                if not future.done():
                    _fail(future, WriteFailed("the ledger stopped writing"))


def _settle(future: asyncio.Future[R], result: R | LedgerError) -> None:
    # One that nobody waits for any more was cancelled with whoever did.
    if future.done():
        return
    if isinstance(result, LedgerError):
        _fail(future, result)
    else:
        future.set_result(result)


def _fail(future: asyncio.Future[R], error: LedgerError) -> None:
    future.set_exception(error)
    # Not everybody comes back for it; an error is no less known to whoever looks at the ledger.
    future.exception()
