"""The document that an invoice is made of: it goes out once, whichever way and under whichever key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select, update

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.items import Change, Item, NewItem
from seqino.batch.states import ItemEvent

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["known_as", "name_document", "why_not_of"]


def known_as(connection: Connection, new: NewItem) -> Item | None:
    """Return what keeps an invoice from being added: what has its key, else its document."""
    column = schema.item.c
    by_key = sql.ITEM.where(column.client_id == new.client_id, column.business_key == new.business_key)
    row = connection.execute(by_key).one_or_none()
    if row is not None:
        return sql.item_of(row)
    return None if new.document_ref is None else _holder_of(connection, new.client_id, new.document_ref)


def _holder_of(connection: Connection, client_id: str, document_ref: str) -> Item | None:
    """Return the invoice that is made of a document; ``None`` where the ledger knows none."""
    column = schema.item.c
    row = connection.execute(
        sql.ITEM.where(column.client_id == client_id, column.document_ref == document_ref)
    ).one_or_none()
    return None if row is None else sql.item_of(row)


def why_not_of(connection: Connection, item: Item, document_ref: str | None) -> str | None:
    """Say why an invoice cannot be made of a document; ``None`` where it can, or is.

    Args:
        connection: In a transaction.
        item: The invoice, as the ledger knows it.
        document_ref: The document; ``None`` where the caller does not name it.
    """
    if document_ref is None or document_ref == item.document_ref:
        return None
    if item.document_ref is not None:
        return f"{item.business_key!r} is the document {item.document_ref!r}, not {document_ref!r}"
    holder = _holder_of(connection, item.client_id, document_ref)
    if holder is None:
        return None
    return f"the document {document_ref!r} is in the ledger already, under the key {holder.business_key!r}"


def name_document(connection: Connection, item: Item, document_ref: str, *, now: float) -> Item:
    """Note which document an invoice is made of, whoever works on it meanwhile.

    Args:
        connection: In a transaction.
        item: The invoice, of which that was not known; ``why_not_of`` says nothing against it.
        document_ref: The document.
        now: The time, by the clock of the database.
    """
    column = schema.item.c
    connection.execute(update(schema.item).where(column.id == item.id).values(document_ref=document_ref))
    named = sql.item_of(connection.execute(select(schema.item).where(column.id == item.id)).one())
    change = Change(item=named, event=ItemEvent.NAMED, detail={"document_ref": document_ref})
    sql.ADD_HISTORY.many(connection, [sql.history_values(change, named, named, now=now)])
    return attrs.evolve(item, document_ref=document_ref)
