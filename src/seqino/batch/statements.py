"""The statements of the ledger, made once, and what their rows become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
import msgspec
from sqlalchemy import Boolean, bindparam, case, insert, select, update
from sqlalchemy.dialects import sqlite

from seqino.batch import schema
from seqino.batch.items import Change, Chunk, HistoryEntry, Item, NewItem, Run
from seqino.batch.states import ItemEvent

if TYPE_CHECKING:
    from sqlalchemy import Row, Select, Table

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
    "AnyRow",
    "Query",
    "added_values",
    "chunk_of",
    "entry_of",
    "history_values",
    "item_of",
    "item_values",
    "new_item",
    "run_of",
    "where_values",
    "written_values",
]

Query: TypeAlias = "Select[*tuple[Any, ...]]"
AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

ITEM = select(schema.item)

NOW = select(schema.epoch_now())

FENCE = (
    # The first statement of a group, and a write: of two processes that read first, both would pass.
    update(schema.chunk)
    .where(schema.chunk.c.id == bindparam("fenced"), schema.chunk.c.epoch == bindparam("at_epoch"))
    .values(epoch=schema.chunk.c.epoch)
    .returning(schema.epoch_now())
)

COUNT_GROUP = (
    update(schema.ledger)
    .values(sequence=schema.ledger.c.sequence + 1)
    .where(schema.ledger.c.id == 1)
    .returning(schema.ledger.c.sequence)
)

ADD_PAYLOAD = sqlite.insert(schema.payload).on_conflict_do_nothing()

ADD_ITEM = (
    sqlite.insert(schema.item)
    .on_conflict_do_nothing()
    .returning(schema.item.c.id, schema.item.c.client_id, schema.item.c.business_key)
)

ADD_HISTORY = insert(schema.history)

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

CHANGE_ITEM = (
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
    )
)


def where_values(item: Item) -> dict[str, Any]:
    """Values of ``CHANGE_ITEM`` that say what the item has to be."""
    return {f"was_{name}": getattr(item, name) for name in _COMPARED}


def written_values(item: Item, event: ItemEvent) -> dict[str, Any]:
    """Values of ``CHANGE_ITEM`` that say what it becomes by an event."""
    return {"makes_doubt": event.makes_doubt, **{f"to_{name}": getattr(item, name) for name in _WRITTEN}}


def item_values(new: NewItem, *, run_id: int | None, fence: Fence, now: float) -> dict[str, Any]:
    """Values of a new item."""
    values = attrs.asdict(new, filter=lambda field, _: field.name != "payload")
    return {
        **values,
        "run_id": run_id,
        "chunk_id": fence.chunk_id,
        "epoch": fence.epoch,
        "attempt": 0,
        "ever_unknown": False,
        "looks": 0,
        "requests": 0,
        "created": now,
        "updated": now,
    }


def new_item(new: NewItem, item_id: int, *, run_id: int | None, fence: Fence, now: float) -> Item:
    """Return an item that was added just now."""
    return Item(id=item_id, **item_values(new, run_id=run_id, fence=fence, now=now))


def added_values(item: Item, *, now: float) -> dict[str, Any]:
    """Values of the first line of an item in the audit trail."""
    told = history_values(Change(item=item, event=ItemEvent.ADDED), item, item, now=now)
    return {**told, "from_state": None, "detail": msgspec.json.encode({"sha256": item.sha256}).decode()}


def history_values(change: Change, before: Item, after: Item, *, now: float) -> dict[str, Any]:
    """Values of the line that an event adds to the audit trail."""
    told = {name: value for name, value in attrs.asdict(change.facts).items() if value is not None}
    return {
        "item_id": after.id,
        "at": now,
        "event": change.event,
        "from_state": before.state,
        "to_state": after.state,
        "epoch": after.epoch if change.fence is None else change.fence.epoch,
        "attempt": after.attempt,
        "sent": change.sent,
        "received": change.received,
        "detail": msgspec.json.encode({**told, **change.detail}).decode(),
    }


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
