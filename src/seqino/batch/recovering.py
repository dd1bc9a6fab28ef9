"""What is done with a ledger that is a backup, all in one transaction: killed before its end, nothing was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.errors import LedgerInUse
from seqino.batch.gap import open_gap
from seqino.batch.items import Change, changed
from seqino.batch.owning import give_up
from seqino.batch.states import RECOVERABLE, ItemEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from seqino.batch.items import Chunk

__all__ = ["recover"]

_PAGE = 500


def recover(connection: Connection, *, sequence: int, is_dead: Callable[[Chunk, float], bool]) -> int:
    """Doubt all that may have been sent since a backup was made; return how many invoices that are.

    Args:
        connection: In a transaction.
        sequence: The number that the next group of writes comes after.
        is_dead: Whether the owner of a chunk is, at a time by the clock of the database.

    Raises:
        LedgerInUse: Another process is at work on the ledger.
    """
    now: float = connection.execute(sql.NOW).scalar_one()
    owned = select(schema.chunk).where(schema.chunk.c.owner.is_not(None))
    for chunk in map(sql.chunk_of, connection.execute(owned).all()):
        if not is_dead(chunk, now):
            raise LedgerInUse(
                f"a process is at work on the ledger ({chunk.owner}): what it sends meanwhile would not be "
                "doubted. End it, then recover; one that was killed is taken for dead after a while"
            )
        # Whoever seemed dead, and is not, sends nothing from now on.
        give_up(connection, chunk.fence, owner=None)
    column = schema.item.c
    page = sql.ITEM.where(column.state.in_([str(state) for state in RECOVERABLE]))
    page = page.order_by(column.id).limit(_PAGE)
    count = after = 0
    while rows := connection.execute(page.where(column.id > after)).all():
        # Without a fence: nobody is at work, and nothing is sent.
        changes = [Change(item=sql.item_of(row), event=ItemEvent.RECOVERED, release=True) for row in rows]
        pairs = [(change, changed(change, now=now)) for change in changes]
        sql.CHANGE_ITEM.many(
            connection, [sql.change_values(change.item, then, change.event) for change, then in pairs]
        )
        sql.ADD_HISTORY.many(
            connection, [sql.history_values(change, change.item, then, now=now) for change, then in pairs]
        )
        count, after = count + len(rows), rows[-1].id
    open_gap(connection, sequence=sequence)
    return count
