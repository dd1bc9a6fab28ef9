"""What is read from the ledger, as plain records."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import func, or_, select

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.drafted import is_as_named, latest_of_content
from seqino.batch.items import STORED
from seqino.batch.sequence import sequence_path
from seqino.batch.states import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence
    from pathlib import Path

    from sqlalchemy import ColumnElement

    from seqino.batch.database import Database
    from seqino.batch.items import Chunk, HistoryEntry, Item
    from seqino.batch.statements import AnyRow, Query

__all__ = ["Reader"]

_PAGE = 500


class Reader:
    """Reads the ledger; each call sees what is committed by then.

    Args:
        database: Where it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it consists of, whether or not they are there."""
        path = self._database.path
        return path, sequence_path(path), *(path.with_name(f"{path.name}{end}") for end in ("-wal", "-shm"))

    async def rows(self, query: Query) -> list[AnyRow]:
        """Return all rows of a query; not for what may be many."""
        return await self._database.read(query)

    async def now(self) -> float:
        """The time, by the clock of the database."""
        return cast("float", (await self.rows(sql.NOW))[0][0])

    async def get(self, item_id: int) -> Item:
        """Return an item."""
        return sql.item_of((await self.rows(sql.ITEM.where(schema.item.c.id == item_id)))[0])

    async def find(self, client_id: str, business_key: str) -> Item | None:
        """Return the item of a key, or ``None``."""
        item = schema.item.c
        return await self._first(
            sql.ITEM.where(item.client_id == client_id, item.business_key == business_key)
        )

    async def find_by_draft(self, draft_id: str) -> Item | None:
        """Return the item of a draft, or ``None``."""
        return await self._first(sql.ITEM.where(schema.item.c.draft_id == draft_id))

    async def find_by_invoice(self, invoice_id: str) -> Item | None:
        """Return the item of an invoice, or ``None``."""
        return await self._first(sql.ITEM.where(schema.item.c.invoice_id == invoice_id))

    async def _first(self, query: Query) -> Item | None:
        rows = await self.rows(query.limit(1))
        return sql.item_of(rows[0]) if rows else None

    async def has_other_route(self, item: Item) -> bool:
        """Whether the client of an item sends by another route too, so that a document could go both ways."""
        other = select(schema.item.c.id).where(
            schema.item.c.client_id == item.client_id, schema.item.c.route != item.route
        )
        return bool(await self.rows(other.limit(1)))

    async def payload(self, sha256: str) -> bytes | None:
        """Return a content that the ledger keeps, or ``None``."""
        query = select(schema.payload.c.content).where(schema.payload.c.sha256 == sha256)
        rows = await self.rows(query)
        return cast("bytes", rows[0][0]) if rows else None

    async def payloads(self, items: Sequence[Item]) -> dict[str, bytes]:
        """Return the contents of some items that the ledger keeps, by their digest."""
        stored = [item.sha256 for item in items if item.payload_ref == STORED]
        if not stored:
            return {}
        column = schema.payload.c
        query = select(column.sha256, column.content).where(column.sha256.in_(stored))
        return {row.sha256: row.content for row in await self.rows(query)}

    async def has_draft_as_named(self, item: Item) -> bool:
        """Whether the draft of an item is known to hold the content that the ledger names."""
        return is_as_named(item, await self.rows(latest_of_content(item)))

    async def chunk(self, chunk_id: int) -> Chunk:
        """Return a chunk."""
        query = select(schema.chunk).where(schema.chunk.c.id == chunk_id)
        return sql.chunk_of((await self.rows(query))[0])

    async def items(
        self,
        *,
        states: Collection[State] | None = None,
        run_id: int | None = None,
        chunk_id: int | None = None,
        due: bool = False,
    ) -> AsyncIterator[Item]:
        """Yield items in the order in which they came, a page at a time.

        Args:
            states: Only those in one of these states.
            run_id: Only those of this run.
            chunk_id: Only those of this chunk.
            due: Only those whose pause is over.
        """
        column = schema.item.c
        query = sql.ITEM
        if states is not None:
            query = query.where(column.state.in_([str(state) for state in states]))
        if run_id is not None:
            query = query.where(column.run_id == run_id)
        if chunk_id is not None:
            query = query.where(column.chunk_id == chunk_id)
        if due:
            query = query.where(or_(column.not_before.is_(None), column.not_before <= schema.epoch_now()))
        async for row in self.pages(query, column.id):
            yield sql.item_of(row)

    async def history(self, item_id: int | None = None) -> AsyncIterator[HistoryEntry]:
        """Yield the audit trail, of one item or of all, in the order in which it was written."""
        column = schema.history.c
        query = select(schema.history)
        if item_id is not None:
            query = query.where(column.item_id == item_id)
        async for row in self.pages(query, column.id):
            yield sql.entry_of(row)

    async def pages(self, query: Query, id_column: ColumnElement[int]) -> AsyncIterator[AnyRow]:
        """Yield the rows of a query in the order of an id, a page at a time: memory stays flat."""
        page = query.order_by(id_column).limit(_PAGE)
        after = 0
        while True:
            rows = await self.rows(page.where(id_column > after))
            for row in rows:
                after = row.id
                yield row
            if len(rows) < _PAGE:
                return

    async def counts(self, run_id: int | None = None) -> dict[State, int]:
        """Count items by state, of one run or of all; states without any are left out."""
        query = select(schema.item.c.state, func.count()).group_by(schema.item.c.state)
        if run_id is not None:
            query = query.where(schema.item.c.run_id == run_id)
        return {State(row[0]): row[1] for row in await self.rows(query)}
