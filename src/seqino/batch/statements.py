"""The statements of the ledger, made once, and what their rows become."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from sqlalchemy import Boolean, bindparam, case, insert, literal_column, select, update
from sqlalchemy.dialects import sqlite

from seqino.batch import schema
from seqino.batch.items import Change, Chunk, HistoryEntry, Item, NewItem, Run
from seqino.batch.prepared import Prepared
from seqino.batch.states import ItemEvent

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row, Select, Table

    from seqino.batch.items import Fence

__all__ = [
    "ADD_HISTORY",
    "ADD_ITEM",
    "ADD_PAYLOAD",
    "CHANGE_ITEM",
    "COUNT_GROUP",
    "FENCE",
    "ITEM",
    "NOW",
    "TAKE_TIME",
    "AnyRow",
    "Query",
    "added_values",
    "change_values",
    "chunk_of",
    "entry_of",
    "history_values",
    "item_of",
    "item_values",
    "new_item",
    "run_of",
    "write_change",
]

Query: TypeAlias = "Select[*tuple[Any, ...]]"
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

ITEM = select(schema.item)

NOW = select(schema.epoch_now())

TAKE_TIME = Prepared(NOW)

FENCE = Prepared(
    # The first statement of a group, and a write: of two processes that read first, both would pass.
    update(schema.chunk)
    .where(schema.chunk.c.id == bindparam("chunk_id"), schema.chunk.c.epoch == bindparam("at_epoch"))
    .values(epoch=schema.chunk.c.epoch)
    .returning(schema.epoch_now()),
    ("chunk_id", "at_epoch"),
)
"""Returns the time, where whoever writes still may."""

COUNT_GROUP = Prepared(
    update(schema.ledger)
    .values(sequence=schema.ledger.c.sequence + literal_column("1"))
    .where(schema.ledger.c.id == literal_column("1"))
    .returning(schema.ledger.c.sequence)
)

ADD_PAYLOAD = Prepared(sqlite.insert(schema.payload).on_conflict_do_nothing(), ("sha256", "content"))

_TAKEN = (
    "client_id",
    "business_key",
    "document_ref",
    "route",
    "name",
    "payload_ref",
    "sha256",
    "invoice_number",
    "state",
    "reasons",
)
"""Columns of an item that are known before it is in the ledger."""

_BEGUN = ("run_id", "chunk_id", "epoch", "attempt", "ever_unknown", "looks", "requests", "created", "updated")
"""Columns of an item that begin with it."""

ADD_ITEM = Prepared(
    sqlite.insert(schema.item).on_conflict_do_nothing().returning(schema.item.c.id), (*_TAKEN, *_BEGUN)
)
"""Returns the number of the item, where nothing has its key or its document."""

_HISTORY = tuple(name for name in schema.history.columns.keys() if name != "id")  # noqa: SIM118 - no dictionary

ADD_HISTORY = Prepared(insert(schema.history), _HISTORY)

_WRITTEN = (
    "chunk_id",
    "name",
    "payload_ref",
    "sha256",
    "state",
    "epoch",
    "attempt",
    "ever_unknown",
    "not_before",
    "looks",
    "requests",
    "draft_id",
    "invoice_id",
    "invoice_number",
    "platform_status",
    "http_status",
    "reasons",
    "updated",
)
"""Columns of an item that an event may change."""

_COMPARED = ("id", "state", "attempt", "epoch", "chunk_id", "draft_id")
"""Columns by which it is known that nobody else has changed it."""

CHANGE_ITEM = Prepared(
    update(schema.item)
    .where(
        schema.item.c.id == bindparam("was_id"),
        schema.item.c.state == bindparam("was_state"),
        schema.item.c.attempt == bindparam("was_attempt"),
        schema.item.c.epoch == bindparam("was_epoch"),
        schema.item.c.chunk_id.is_not_distinct_from(bindparam("was_chunk_id")),
        schema.item.c.draft_id.is_not_distinct_from(bindparam("was_draft_id")),
    )
    .values({name: bindparam(f"to_{name}") for name in _WRITTEN})
    .values(
        # Of an item that was not read since its doubt was written, this process does not know the moment.
        doubt_since=case(
            (bindparam("makes_doubt", type_=Boolean()), schema.epoch_now()),
            else_=schema.item.c.doubt_since,
        )
    ),
    (
        *(f"was_{name}" for name in _COMPARED),
        "makes_doubt",
        *(f"to_{name}" for name in _WRITTEN),
    ),
)
"""Changes no row, where somebody else has changed the item."""

_encoded = msgspec.json.Encoder().encode
_taken, _compared, _written = attrgetter(*_TAKEN), attrgetter(*_COMPARED), attrgetter(*_WRITTEN)


def change_values(before: Item, after: Item, event: ItemEvent) -> tuple[Any, ...]:
    """Values of ``CHANGE_ITEM``: what the item has to be, and what it becomes by an event."""
    return (*_compared(before), event.makes_doubt, *_written(after))


def item_values(new: NewItem, *, run_id: int | None, fence: Fence, now: float) -> tuple[Any, ...]:
    """Values of ``ADD_ITEM``."""
    return (*_taken(new), run_id, fence.chunk_id, fence.epoch, 0, False, 0, 0, now, now)


def new_item(new: NewItem, item_id: int, *, run_id: int | None, fence: Fence, now: float) -> Item:
    """Return an item that was added just now."""
    values = item_values(new, run_id=run_id, fence=fence, now=now)
    return Item(id=item_id, **dict(zip((*_TAKEN, *_BEGUN), values, strict=True)))


def added_values(new: NewItem, item_id: int, *, fence: Fence, now: float) -> tuple[Any, ...]:
    """Values of ``ADD_HISTORY`` that make the first line of an item."""
    detail = _encoded({"sha256": new.sha256}).decode()
    return (item_id, now, ItemEvent.ADDED, None, new.state, fence.epoch, 0, None, None, detail)


def history_values(change: Change, before: Item, after: Item, *, now: float) -> tuple[Any, ...]:
    """Values of ``ADD_HISTORY`` that tell of an event."""
    return (
        after.id,
        now,
        change.event,
        before.state,
        after.state,
        after.epoch if change.fence is None else change.fence.epoch,
        after.attempt,
        change.sent,
        change.received,
        _encoded({**change.facts.told, **change.detail}).decode(),
    )


def write_change(connection: Connection, change: Change, after: Item, *, now: float) -> None:
    """Write an event of an item that nobody else can have changed, in a transaction of its own.

    Args:
        connection: In a transaction.
        change: The event.
        after: The item after it.
        now: The time, by the clock of the database.
    """
    CHANGE_ITEM.many(connection, [change_values(change.item, after, change.event)])
    ADD_HISTORY.many(connection, [history_values(change, change.item, after, now=now)])


def item_of(row: AnyRow) -> Item:
    """Return an item as it was read."""
    return Item(**_named(row, schema.item))


def entry_of(row: AnyRow) -> HistoryEntry:
    """Return a line of the audit trail as it was read."""
    values = _named(row, schema.history)
    return HistoryEntry(**{**values, "detail": msgspec.json.decode(values["detail"])})


def run_of(row: AnyRow) -> Run:
    """Return a run as it was read."""
    values = _named(row, schema.run)
    return Run(**{**values, "params": msgspec.json.decode(values["params"])})


def chunk_of(row: AnyRow) -> Chunk:
    """Return a chunk as it was read."""
    return Chunk(**_named(row, schema.chunk))


def _named(row: AnyRow, table: Table) -> dict[str, Any]:
    return dict(zip(table.columns.keys(), row, strict=True))
