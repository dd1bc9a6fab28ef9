"""Many invoices at a time: runs, the chunks they are worked on in, and how a source gets into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import msgspec
from sqlalchemy import and_, exists, func, insert, or_, select, update
from sqlalchemy.dialects import sqlite

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.errors import RunInUse
from seqino.batch.items import Change, Chunk, Facts, Fence, Item, NewItem, Run
from seqino.batch.names import IN_FILE, path_in, storable
from seqino.batch.owning import give_up
from seqino.batch.states import DUE, ItemEvent, State, next_state

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from sqlalchemy import ColumnElement, Connection

    from seqino.batch.statements import Query
    from seqino.batch.store import Store

__all__ = ["Ingested", "Refused", "Runs"]

_LEASE = 0
"""The chunk of a run that holds no items: who owns it works on the run."""

_STATES = [str(state) for state in sorted(DUE)]


@attrs.frozen(kw_only=True)
class Refused:
    """What a source holds that was not taken, and why; it is never sent."""

    name: str = attrs.field(converter=storable)
    reason: str = attrs.field(converter=storable)


@attrs.frozen(kw_only=True)
class Ingested:
    """What came of a part of a source.

    Args:
        added: How many invoices were taken.
        known: How many had been taken before, when the source was read in part.
        refused: The others.
    """

    added: int = 0
    known: int = 0
    refused: tuple[Refused, ...] = ()


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
            return _ingest(connection, run, items, earlier=earlier, corrects=corrects)

        return await self._store.transact(perform)

    async def refuse(self, run: Run, refused: Sequence[Refused]) -> None:
        """Note what of a source cannot be taken; the same twice is noted once."""
        if refused:
            await self._store.transact(lambda connection: _refuse(connection, run, refused))

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


def _ingest(
    connection: Connection, run: Run, items: Sequence[NewItem], *, earlier: int, corrects: bool
) -> Ingested:
    now = connection.execute(sql.NOW).scalar_one()
    highest = select(func.max(schema.chunk.c.no)).where(schema.chunk.c.run_id == run.id)
    no = connection.execute(highest).scalar_one() + 1
    of_chunk = {"run_id": run.id, "no": no, "epoch": 0, "done": False}
    made = insert(schema.chunk).values(**of_chunk).returning(schema.chunk.c.id)
    fence = Fence(connection.execute(made).scalar_one(), 0)
    contents = [(new.sha256, new.payload) for new in items if new.payload is not None]
    if contents:
        sql.ADD_PAYLOAD.many(connection, contents)
    known, refused, history = 0, list[Refused](), list[tuple[Any, ...]]()
    for new in items:
        values = sql.item_values(new, run_id=run.id, fence=fence, now=now)
        row = None if corrects else sql.ADD_ITEM.one(connection, values)
        if row is not None:
            item = sql.new_item(new, row[0], run_id=run.id, fence=fence, now=now)
            history.append(sql.added_values(item, now=now))
            continue
        found = _known(connection, new)
        if found is not None and _may_be_taken_again(found, new, run=run, corrects=corrects):
            history.append(_take_again(connection, found, new, run=run, fence=fence, now=now))
            continue
        reason = _reason(found, run, new, earlier=earlier, corrects=corrects)
        known += reason is None
        if reason is not None:
            refused.append(Refused(name=_name(new), reason=reason))
    if history:
        sql.ADD_HISTORY.many(connection, history)
    else:
        connection.execute(schema.chunk.delete().where(schema.chunk.c.id == fence.chunk_id))
    _refuse(connection, run, refused)
    return Ingested(added=len(history), known=known, refused=tuple(refused))


def _known(connection: Connection, new: NewItem) -> Item | None:
    """Return what keeps an invoice from being added: what has its key, else its document."""
    column = schema.item.c
    same = column.business_key == new.business_key
    if new.document_ref is not None:
        same = or_(same, column.document_ref == new.document_ref)
    query = sql.ITEM.where(column.client_id == new.client_id, same).order_by(
        (column.business_key == new.business_key).desc()
    )
    row = connection.execute(query).first()
    return None if row is None else sql.item_of(row)


def _may_be_taken_again(item: Item, new: NewItem, *, run: Run, corrects: bool) -> bool:
    """Whether an invoice that is known may be sent with what it is now: no invoice was made of it."""
    if item.business_key != new.business_key or item.run_id == run.id:
        return False
    if item.state is State.INVALID:
        return True
    is_rejected = item.state is State.REJECTED and not item.ever_unknown
    # A correction that cannot be read leaves what was rejected as it is.
    return corrects and is_rejected and item.route is new.route and new.state is State.QUEUED


def _take_again(
    connection: Connection, item: Item, new: NewItem, *, run: Run, fence: Fence, now: float
) -> tuple[Any, ...]:
    """Take what became no invoice into another run; return the line that this adds to the audit trail."""
    after = attrs.evolve(
        item,
        run_id=run.id,
        chunk_id=fence.chunk_id,
        epoch=fence.epoch,
        name=new.name,
        route=new.route,
        payload_ref=new.payload_ref,
        sha256=new.sha256,
        invoice_number=new.invoice_number,
        state=next_state(
            item.state,
            ItemEvent.CORRECTED,
            has_draft=item.draft_id is not None,
            ever_unknown=item.ever_unknown,
        )
        if new.state is State.QUEUED
        else new.state,
        reasons=new.reasons,
        not_before=None,
        updated=now,
    )
    values = attrs.asdict(after, filter=lambda field, _: field.name not in ("id", "created"))
    connection.execute(update(schema.item).where(schema.item.c.id == item.id).values(**values))
    facts = Facts(sha256=new.sha256, payload_ref=new.payload_ref, name=new.name)
    change = Change(item=item, event=ItemEvent.CORRECTED, facts=facts, fence=fence, detail={"run_id": run.id})
    return sql.history_values(change, item, after, now=now)


def _reason(known: Item | None, run: Run, new: NewItem, *, earlier: int, corrects: bool) -> str | None:
    """Say why an invoice whose key, or document, is known is not taken; ``None`` where it was before."""
    if known is None:
        return f"has the key {new.business_key!r}, which this ledger does not know: submit it"
    if corrects and known.run_id != run.id and known.business_key == new.business_key:
        return _why_not_corrected(known, new)
    if known.business_key != new.business_key:
        return f"is the document {new.document_ref!r}, which {_place(known, run)} is too: sent once"
    is_here = known.run_id == run.id
    is_same = known.sha256 == new.sha256
    is_read_again = known.id <= earlier and is_same and not known.payload_ref.startswith(IN_FILE)
    if not is_here or not (_name(known) == _name(new) or is_read_again):
        return f"has the key {known.business_key!r}, which {_place(known, run)} has too: sent once"
    return (
        None if is_same else "was changed since it was read first, and is not sent; what it was may have been"
    )


def _why_not_corrected(known: Item, new: NewItem) -> str:
    if new.state is State.INVALID:
        return str(msgspec.json.decode(new.reasons or "{}").get("message", "cannot be sent"))
    if known.state is not State.REJECTED:
        return f"is {known.state}, not rejected: it is not sent again"
    if known.ever_unknown:
        return "was once in doubt, and is never sent with another content: give it another key"
    return f"was sent as a {known.route}, and is corrected the same way"


def _name(item: Item | NewItem) -> str:
    """Say where in its source an invoice is: two files may have one name."""
    path = path_in(item.payload_ref)
    return item.name or item.business_key if path is None else storable(str(path))


def _place(known: Item, run: Run) -> str:
    """Say where an invoice is that is in the ledger already."""
    name = _name(known)
    if known.run_id is None:
        return f"{name}, submitted outside of any run,"
    return name if known.run_id == run.id else f"{name} of the run {known.run_id}"


def _refuse(connection: Connection, run: Run, refused: Sequence[Refused]) -> None:
    if refused:
        values = [{"run_id": run.id, "name": each.name, "reason": each.reason} for each in refused]
        connection.execute(sqlite.insert(schema.refused).on_conflict_do_nothing(), values)
