"""What a person says of an invoice that is in doubt, where no look could tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import msgspec
from sqlalchemy import update

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.drafted import is_as_named, latest_of_content
from seqino.batch.errors import KeyConflict
from seqino.batch.items import Change, Facts, Item, changed
from seqino.batch.states import ItemEvent, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from seqino.batch.store import Store

__all__ = ["resolve"]

_OPEN = (State.IN_DOUBT, State.PARKED)

_WORDS = {ItemEvent.ABSENT: "a person has made sure that no invoice exists"}


async def resolve(store: Store, item: Item, event: ItemEvent, *, invoice_id: str | None = None) -> Item:
    """Write down what a person says of an invoice in doubt, and return it as it is then.

    Args:
        store: The ledger.
        item: The invoice.
        event: ``ACCEPTED``, with its ``invoice_id``; ``ABSENT``; or ``RESENT``: it is sent again.
        invoice_id: What the platform calls it.

    Raises:
        KeyConflict: It is not in doubt, or the id is another one's.
        LedgerError: The ledger failed.
    """
    # What a process left that is dead by now is in doubt from here on.
    await store.take_over_stale()

    def perform(connection: Connection) -> Item:
        return _resolve(connection, item.id, event, invoice_id)

    return await store.transact(perform)


def _resolve(connection: Connection, item_id: int, event: ItemEvent, invoice_id: str | None) -> Item:
    now = connection.execute(sql.NOW).scalar_one()
    column = schema.item.c
    before = sql.item_of(connection.execute(sql.ITEM.where(column.id == item_id)).one())
    _check_is_open(before, event)
    if invoice_id is not None:
        other = connection.execute(sql.ITEM.where(column.invoice_id == invoice_id)).first()
        if other is not None:
            raise KeyConflict(f"the invoice {invoice_id} is that of {sql.item_of(other).business_key!r}")
    words = _WORDS.get(event)
    reasons = None if words is None else msgspec.json.encode({"message": words}).decode()
    facts = Facts(invoice_id=invoice_id, reasons=reasons)
    change = Change(item=before, event=event, facts=facts, release=True, detail={"by": "a person"})
    after = changed(change, now=now)
    if after.state is State.DRAFTED and not is_as_named(before, _latest(connection, before)):
        # Its draft may hold another content: it is replaced first.
        after = attrs.evolve(after, state=State.CORRECTING)
    sql.write_change(connection, change, after, now=now)
    if after.state.is_to_be_sent and after.chunk_id is not None:
        # Else nobody would look for it there.
        chunk = update(schema.chunk).where(schema.chunk.c.id == after.chunk_id)
        connection.execute(chunk.values(done=False))
    return after


def _latest(connection: Connection, item: Item) -> Sequence[sql.AnyRow]:
    return connection.execute(latest_of_content(item)).all()


def _check_is_open(item: Item, event: ItemEvent) -> None:
    """Refuse what is known already; that an invoice exists may be said of what was said to have none."""
    if item.state in _OPEN:
        return
    if event is ItemEvent.ACCEPTED and (
        item.state is State.ACCEPTED_UNIDENTIFIED or (item.state is State.REJECTED and item.ever_unknown)
    ):
        return
    under_way = ": it is under way" if item.state is State.SENDING else ": only what is in doubt is resolved"
    raise KeyConflict(f"{item.business_key!r} is {item.state}{under_way}")
