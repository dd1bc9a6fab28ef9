"""Who owns what of the ledger: chunks are taken, kept, and given back, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import insert, select, update

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.errors import Fenced
from seqino.batch.items import Change, Chunk, Fence, changed
from seqino.batch.owners import Owner, is_stale
from seqino.batch.reading import Reader
from seqino.batch.states import ItemEvent, State

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from seqino.batch.database import Database
    from seqino.batch.owners import Timing

__all__ = ["Owning", "give_up"]

T = TypeVar("T")
F = TypeVar("F", bound="Fence | None")


class Owning(Reader, ABC):
    """What this process, and others, own of the ledger.

    Args:
        database: Where it is.
        owner: The running process.
        timing: How long things take.
    """

    def __init__(self, database: Database, *, owner: Owner, timing: Timing) -> None:
        super().__init__(database)
        self._owner = owner
        self._timing = timing
        self._mine: set[int] = set()
        self._given_up: set[Fence] = set()

    @abstractmethod
    def write_alone(self, perform: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Write something in one transaction of its own, in turn, whether or not anybody waits for it."""

    @abstractmethod
    async def transact(self, perform: Callable[[Connection], T]) -> T:
        """Write something in one transaction of its own, in turn with everything else that is written."""

    async def register(self) -> Fence:
        """Give this process a chunk of its own, for what it sends outside of any run."""

        def perform(connection: Connection) -> Fence:
            values: dict[str, Any] = {"no": 0, "epoch": 1, "owner": str(self._owner), "done": False}
            added = (
                insert(schema.chunk).values(**values, seen=schema.epoch_now()).returning(schema.chunk.c.id)
            )
            return Fence(connection.execute(added).scalar_one(), 1)

        return await self.own(perform)

    async def beat(self, fence: Fence) -> None:
        """Say that the owner of a chunk is alive.

        Raises:
            Fenced: It was taken for dead.
        """

        def perform(connection: Connection) -> bool:
            mine = update(schema.chunk).where(
                schema.chunk.c.id == fence.chunk_id, schema.chunk.c.epoch == fence.epoch
            )
            return connection.execute(mine.values(seen=schema.epoch_now())).rowcount == 1

        if not await self.transact(perform):
            raise Fenced("another process took over what this one was doing, since it seemed dead")

    async def take(self, chunk: Chunk) -> Fence | None:
        """Take a chunk that nobody owns; ``None`` where somebody does by now.

        What was being sent of it is in doubt from now on.
        """

        def perform(connection: Connection) -> Fence | None:
            return give_up(connection, chunk.fence, owner=str(self._owner))

        return None if chunk.owner is not None else await self.own(perform)

    async def own(self, perform: Callable[[Connection], F]) -> F:
        """Write that a chunk is this process's, which does not take it from itself.

        Whoever is cancelled meanwhile does not own it: it is given back.

        Args:
            perform: Writes it, in a transaction of its own; returns the proof, or ``None``.
        """
        writing = self.write_alone(perform)
        try:
            fence = await asyncio.shield(writing)
        except asyncio.CancelledError:
            writing.add_done_callback(self._give_back_unused)
            raise
        if fence is not None:
            self._mine.add(fence.chunk_id)
        return fence

    def _give_back_unused(self, writing: asyncio.Future[F]) -> None:
        fence = None if writing.cancelled() or writing.exception() is not None else writing.result()
        if fence is not None:
            self._given_up.add(fence)
            _ = self.write_alone(partial(give_up, fence=fence, owner=None))

    async def release(self, fence: Fence) -> None:
        """Give up a chunk in good order: nothing of it is under way any more."""
        await self.give_back(fence, partial(give_up, fence=fence, owner=None))

    async def give_back(self, fence: Fence, perform: Callable[[Connection], T]) -> T:
        """Write that a chunk is nobody's. Where that fails, this process takes it for that of a dead one.

        Args:
            fence: The chunk, of which nothing is under way any more.
            perform: Writes it, in a transaction of its own.
        """
        self._mine.discard(fence.chunk_id)
        self._given_up.add(fence)
        result = await self.transact(perform)
        self._given_up.discard(fence)
        return result

    def let_go(self, client_id: str, business_key: str, *, fence: Fence) -> asyncio.Future[None]:
        """Write that nobody of this process works on an invoice any more; nobody has to wait for it.

        Args:
            client_id: On whose behalf it is sent.
            business_key: Its key.
            fence: Of this process. What another one works on, or nobody, stays as it is.
        """
        column = schema.item.c

        def perform(connection: Connection) -> None:
            by_key = sql.ITEM.where(column.client_id == client_id, column.business_key == business_key)
            mine = by_key.where(column.run_id.is_(None), column.chunk_id == fence.chunk_id)
            row = connection.execute(mine).one_or_none()
            if row is not None:
                item = sql.item_of(row)
                event = ItemEvent.LOST if item.state is State.SENDING else ItemEvent.LEFT
                now = connection.execute(sql.NOW).scalar_one()
                change = Change(item=item, event=event, release=True)
                sql.write_change(connection, change, changed(change, now=now), now=now)

        return self.write_alone(perform)

    async def take_over_stale(self) -> list[int]:
        """Take what the dead own from them: what they were sending is in doubt from now on.

        Returns:
            The chunks that nobody owns any more.
        """

        def perform(connection: Connection) -> list[int]:
            owned = select(schema.chunk, schema.epoch_now().label("now")).where(
                schema.chunk.c.owner.is_not(None)
            )
            taken: list[int] = []
            for row in connection.execute(owned).all():
                *columns, now = row
                chunk = Chunk(**dict(zip(schema.chunk.c.keys(), columns, strict=True)))
                if self.is_dead(chunk, now=now):
                    give_up(connection, chunk.fence, owner=None)
                    taken.append(chunk.id)
            return taken

        return await self.transact(perform)

    def is_dead(self, chunk: Chunk, *, now: float) -> bool:
        """Whether the owner of a chunk is to be taken for dead.

        Args:
            chunk: The chunk, owned by somebody.
            now: The time, by the clock of the database.
        """
        if chunk.fence in self._given_up:
            return True
        if chunk.id in self._mine and chunk.owner == str(self._owner):
            return False
        owner = Owner.parse(chunk.owner or "")
        silent = now - (chunk.seen or 0.0)
        return is_stale(owner, silent=silent, stale=self._timing.stale, me=self._owner)

    @property
    def owner(self) -> Owner:
        """The running process."""
        return self._owner


def give_up(connection: Connection, fence: Fence, *, owner: str | None) -> Fence | None:
    """Take a chunk from its owner: what was being sent is in doubt from now on.

    Args:
        connection: In a transaction.
        fence: The chunk, and the epoch that it is known to have.
        owner: Who owns it then; ``None`` for nobody.

    Returns:
        The proof of owning it; ``None`` where its epoch is another.
    """
    column = schema.chunk.c
    taken = (
        update(schema.chunk)
        .where(column.id == fence.chunk_id, column.epoch == fence.epoch)
        .values(epoch=column.epoch + 1, owner=owner, seen=schema.epoch_now())
        .returning(column.epoch, schema.epoch_now())
    )
    row = connection.execute(taken).one_or_none()
    if row is None:
        return None
    epoch, now = row
    of_chunk = schema.item.c.chunk_id == fence.chunk_id
    sending = sql.ITEM.where(of_chunk, schema.item.c.state == str(State.SENDING))
    for item_row in connection.execute(sending).all():
        change = Change(item=sql.item_of(item_row), event=ItemEvent.TAKEN_OVER, release=True)
        after = changed(change, now=now)
        sql.write_change(connection, change, after, now=now)
    # What a web service was about to send is free for whoever asks for it next.
    in_service = schema.item.c.run_id.is_(None)
    connection.execute(update(schema.item).where(of_chunk, in_service).values(chunk_id=None))
    return Fence(fence.chunk_id, epoch)
