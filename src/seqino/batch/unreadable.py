"""Lifecycle events that cannot be read, kept as they came in the history of their invoice, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.items import Change
from seqino.batch.names import storable
from seqino.batch.states import ItemEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from seqino.batch.items import Item
    from seqino.statuses import UnreadableEvent

__all__ = ["keep_unreadable"]


def keep_unreadable(
    connection: Connection, item: Item, events: Sequence[UnreadableEvent], *, now: float
) -> int:
    """Keep what cannot be read of what happened to an invoice; return how much of it is new.

    Args:
        connection: In a transaction.
        item: The invoice; what it is stays as it is.
        events: The events.
        now: The time, by the clock of the database.
    """
    if not events:
        return 0
    column = schema.history.c
    kept = select(column.detail).where(column.item_id == item.id, column.event == str(ItemEvent.UNREADABLE))
    known = {msgspec.json.decode(row.detail)["digest"] for row in connection.execute(kept).all()}
    new = {event.digest: event for event in events if event.digest not in known}
    # The JSON as text: what it holds need not be what a reader of the history could take.
    details = (
        {
            "digest": digest,
            "raw": event.raw.decode(errors="backslashreplace"),
            "problem": storable(event.problem),
        }
        for digest, event in new.items()
    )
    changes = (Change(item=item, event=ItemEvent.UNREADABLE, detail=detail) for detail in details)
    sql.ADD_HISTORY.many(connection, [sql.history_values(change, item, item, now=now) for change in changes])
    return len(new)
