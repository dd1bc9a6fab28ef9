"""Whether the draft of an invoice is known to hold the content that the ledger names. Its history tells.

Where replacing it failed, it may hold what was rejected. Where the ledger was put back from a backup, it may
hold what the invoice was corrected to since. Neither is validated before it was replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from seqino.batch import schema
from seqino.batch.states import ItemEvent, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino.batch.items import Item
    from seqino.batch.statements import AnyRow, Query

__all__ = ["is_as_named", "latest_of_content"]

_CHANGES = (ItemEvent.CORRECTED, ItemEvent.RECOVERED, ItemEvent.REPLACED)
"""After these, what the draft holds is another question than before."""


def latest_of_content(item: Item) -> Query:
    """Return what reads the latest line of an invoice's history that tells what its draft holds."""
    column = schema.history.c
    # What was still to be sent without a draft got one of its content.
    tells = or_(column.event.in_([str(event) for event in _CHANGES]), column.from_state == str(State.QUEUED))
    query = select(column.event, column.sent).where(column.item_id == item.id, tells)
    return query.order_by(column.id.desc()).limit(1)


def is_as_named(item: Item, latest: Sequence[AnyRow]) -> bool:
    """Whether a draft holds what the ledger names.

    Args:
        item: Its invoice.
        latest: The row of ``latest_of_content``, if there is one.
    """
    if not latest or latest[0].event not in _CHANGES:
        return True
    # An answer that came late may be about an earlier content.
    return bool(latest[0].event == ItemEvent.REPLACED and latest[0].sent == item.sha256)
