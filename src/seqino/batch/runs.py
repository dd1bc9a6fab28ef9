"""Many invoices at a time: runs, and the chunks they are worked on in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from sqlalchemy import and_, exists, func, insert, or_, select, update

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.errors import RunInUse
from seqino.batch.names import storable
from seqino.batch.owning import give_up
from seqino.batch.states import DUE, State
from seqino.batch.taking import Ingested, Refused, note_refused, take_in
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from seqino.batch.items import Chunk, Fence, Item, NewItem, Run
    from seqino.batch.statements import Query
    from seqino.batch.store import Store

__all__ = ["Runs"]

_LEASE = 0
"""The chunk of a run that holds no items: who owns it works on the run."""

_STATES = [str(state) for state in sorted(DUE)]


class Runs:
    """The runs of a ledger. What a method has written is durable when it returns.

    Args:
        store: The ledger.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def create(self, name: str, *, params: Mapping[str, Any]) -> Run:
        """Make a run; until it is ``ready``, nothing of it is sent.

        Args:
            name: What the caller calls it.
            params: What it is made with, as plain data without secrets.
        """

        def perform(connection: Connection) -> Run:
            told = msgspec.json.encode(params).decode()
            values = {"name": storable(name), "params": told, "ready": False}
            made = insert(schema.run).values(**values, created=schema.epoch_now()).returning(schema.run)
            run = sql.run_of(connection.execute(made).one())
            lease = {"run_id": run.id, "no": _LEASE, "epoch": 0, "done": True}
            connection.execute(insert(schema.chunk).values(**lease))
            return run

        return await self._store.transact(perform)

    async def ingest(
        self, run: Run, items: Sequence[NewItem], *, earlier: int = 0, corrects: bool = False
    ) -> Ingested:
        """Take a part of a source into a run; those that are new make one chunk.

        The same part may be given again, after a crash for instance: an invoice is known again by its key,
        its place and its content. What was never sent, since it could not be, is taken again from any run.

        Args:
            run: A run that is not ready.
            items: Some hundreds of invoices, with a ``name`` each that tells where in the source it is.
            earlier: The last item that was there before the source was read again: one up to it is known by
                key and content alone, as a source need not come in the same order twice.
            corrects: Whether only what was rejected, or never sent, is taken again; nothing is new then.
        """

        def perform(connection: Connection) -> Ingested:
            return take_in(connection, run, items, earlier=earlier, corrects=corrects)

        return await self._store.transact(perform)

    async def refuse(self, run: Run, refused: Sequence[Refused]) -> None:
        """Note what of a source cannot be taken; the same twice is noted once."""
        if refused:
            await self._store.transact(lambda connection: note_refused(connection, run, refused))

    async def last_item(self) -> int:
        """Return the number of the item that came last; 0 where there is none."""
        last: int | None = (await self._store.rows(select(func.max(schema.item.c.id))))[0][0]
        return last or 0

    async def make_ready(self, run: Run) -> Run:
        """Note that the source was read to its end."""

        def perform(connection: Connection) -> None:
            connection.execute(update(schema.run).where(schema.run.c.id == run.id).values(ready=True))

        await self._store.transact(perform)
        return attrs.evolve(run, ready=True)

    # --- Working on one

    async def take(self, run: Run) -> Fence:
        """Begin to work on a run, as the only one; ``Store.beat`` keeps it, ``Store.release`` ends it.

        Raises:
            RunInUse: Another process does.
        """
        lease = await self._take_next(_of_run(run.id).where(schema.chunk.c.no == _LEASE))
        if lease is None:
            raise RunInUse(
                f"another process is working on the run {run.id} ({run.name}): wait for it, or stop it"
            )
        return lease.fence

    async def take_chunk(self, run: Run, *, after: int = 0, states: Collection[State] = DUE) -> Chunk | None:
        """Take the first chunk of a run of which something is left to be done; ``None`` where there is none.

        What was being sent of it is in doubt from now on.

        Args:
            run: The run.
            after: Place in the run after which the chunk is to be.
            states: What is left to be done: what is in one of these states.
        """
        column = schema.chunk.c
        of_chunk = schema.item.c.chunk_id == column.id
        is_left = column.done.is_(False) if states == DUE else exists().where(of_chunk, _is_left(states))
        # A chunk whose owner died may hold nothing but what was being sent, also where all was sent before.
        is_open = or_(is_left, exists().where(of_chunk, schema.item.c.state == str(State.SENDING)))
        return await self._take_next(_of_run(run.id).where(column.no > max(after, _LEASE), is_open))

    async def _take_next(self, query: Query) -> Chunk | None:
        """Take the first chunk that nobody owns who is alive."""
        taken: list[Chunk] = []

        def perform(connection: Connection) -> Fence | None:
            now = connection.execute(sql.NOW).scalar_one()
            for row in connection.execute(query).all():
                chunk = sql.chunk_of(row)
                if chunk.owner is None or self._store.is_dead(chunk, now=now):
                    owner = str(self._store.owner)
                    fence = give_up(connection, chunk.fence, owner=owner)
                    if fence is not None:  # pragma: no branch - read in the same transaction
                        taken.append(attrs.evolve(chunk, epoch=fence.epoch, owner=owner, seen=now))
                        return fence
            return None

        fence = await self._store.own(perform)
        return None if fence is None else taken[0]

    async def todo(self, chunk: Chunk, *, states: Collection[State] = DUE) -> AsyncIterator[Item]:
        """Yield what of a chunk is in one of some states, and due."""
        async for item in self._store.items(states=states, chunk_id=chunk.id, due=True):
            yield item

    async def blocks(
        self, chunk: Chunk, *, states: Collection[State], size: int
    ) -> AsyncIterator[list[Item]]:
        """Yield what ``todo`` does, so many at a time at the most."""
        block: list[Item] = []
        async for item in self.todo(chunk, states=states):
            block.append(item)
            if len(block) == size:
                yield block
                block = []
        yield block

    async def next_due(
        self,
        run: Run,
        *,
        states: Collection[State] = DUE,
        without: Collection[str] = (),
        but: Collection[int] = (),
    ) -> float | None:
        """Seconds until something of a run is due again; ``None`` where nothing is left to be done.

        Args:
            run: The run.
            states: What is left to be done: what is in one of these states.
            without: Clients that are left out.
            but: Items that are left out.
        """
        column = schema.item.c
        soonest = func.min(func.coalesce(column.not_before, 0.0)) - schema.epoch_now()
        query = select(soonest).where(
            column.run_id == run.id,
            _is_left(states),
            column.client_id.not_in(list(without)),
            column.id.not_in(list(but)),
        )
        seconds: float | None = (await self._store.rows(query))[0][0]
        return None if seconds is None else max(0.0, seconds)

    async def finish_chunk(self, chunk: Chunk) -> bool:
        """Give up a chunk in good order; tell whether nothing of it is left to be sent."""

        def perform(connection: Connection) -> bool:
            column = schema.item.c
            left = select(column.id).where(column.chunk_id == chunk.id, column.state.in_(_STATES)).limit(1)
            done = connection.execute(left).first() is None
            mine = update(schema.chunk).where(
                schema.chunk.c.id == chunk.id, schema.chunk.c.epoch == chunk.epoch
            )
            connection.execute(mine.values(done=done))
            give_up(connection, chunk.fence, owner=None)
            return done

        return await self._store.give_back(chunk.fence, perform)

    # --- Reading

    async def get(self, run_id: int | None = None) -> Run | None:
        """Return a run, the latest one where no number is given; ``None`` where there is none."""
        query = select(schema.run).order_by(schema.run.c.id.desc()).limit(1)
        if run_id is not None:
            query = query.where(schema.run.c.id == run_id)
        rows = await self._store.rows(query)
        return sql.run_of(rows[0]) if rows else None

    async def check(self, run_id: int | None) -> None:
        """Refuse a number that is no run's: nothing would be told of it, as of a run in which all is well.

        Args:
            run_id: The number, if one was given.

        Raises:
            InvalidInput: There is no such run.
        """
        if run_id is not None and await self.get(run_id) is None:
            raise InvalidInput(f"there is no run {run_id} in this ledger")

    async def all(self) -> list[Run]:
        """Return all runs, the first one first."""
        return [
            sql.run_of(row) for row in await self._store.rows(select(schema.run).order_by(schema.run.c.id))
        ]

    async def refused(self, run: Run) -> list[Refused]:
        """Return what of the source of a run was not taken."""
        column = schema.refused.c
        query = select(column.name, column.reason).where(column.run_id == run.id).order_by(column.id)
        return [Refused(name=row.name, reason=row.reason) for row in await self._store.rows(query)]


def _of_run(run_id: int) -> Query:
    return select(schema.chunk).where(schema.chunk.c.run_id == run_id).order_by(schema.chunk.c.no)


def _is_left(states: Collection[State]) -> ColumnElement[bool]:
    """Whether an item is to be sent, or can be looked at, and is in one of some states."""
    column = schema.item.c
    can_be_looked_at = or_(column.state.in_(_STATES), column.draft_id.is_not(None))
    return and_(column.state.in_([str(state) for state in states]), can_be_looked_at)
