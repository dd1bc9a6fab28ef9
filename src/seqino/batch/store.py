"""What is written to the ledger and read from it, as typed operations."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, TypeVar, cast

import attrs
from sqlalchemy import select, update
from sqlalchemy.dialects import sqlite

from seqino._core.events import log
from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.document_refs import name_document, why_not_of
from seqino.batch.errors import (
    ItemChanged,
    KeyConflict,
    LedgerBusy,
    LedgerError,
    LedgerUnusable,
    Unwritable,
    WriteFailed,
)
from seqino.batch.gap import Gap, close_gap, read_gap
from seqino.batch.group import Add, Added, Crossed, Group, Piece
from seqino.batch.items import Change, Fence, Item, NewItem, changed
from seqino.batch.owning import Owning
from seqino.batch.recovering import recover
from seqino.batch.states import ItemEvent
from seqino.batch.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from seqino.batch.database import Database
    from seqino.batch.group import Result, Write
    from seqino.batch.owners import Owner, Timing
    from seqino.batch.sequence import HighWater

__all__ = ["Store"]

T = TypeVar("T")
_OF_ALL = (LedgerUnusable, LedgerBusy, WriteFailed)
"""Errors that are about the ledger, whatever is written to it, and may pass."""

_IN_VAIN = (LedgerUnusable, LedgerBusy)
"""Errors that anything else would meet too."""


class Store(Owning):
    """The ledger's contents. What a method has written is durable when it returns.

    Args:
        database: Where it is.
        high_water: How far it has come, kept outside of it too.
        owner: The running process.
        timing: How long things take.
        sequence: The number of the last group of writes.
    """

    def __init__(
        self,
        database: Database,
        *,
        high_water: HighWater,
        owner: Owner,
        timing: Timing,
        sequence: int,
    ) -> None:
        super().__init__(database, owner=owner, timing=timing)
        self._high_water = high_water
        self._sequence = sequence
        self._unwritten: list[Change] = []
        self._writer: Writer[Write, Result] = Writer(self._commit)

    # --- Writing

    async def _commit(self, writes: Sequence[Write]) -> list[Result | LedgerError]:
        try:
            try:
                await self._commit_unwritten()
            except LedgerError as error:
                # What is no event of an invoice overtakes none; it may be less, or make room.
                if isinstance(error, _IN_VAIN) or not all(isinstance(write, Piece) for write in writes):
                    raise
            # In a thread, all at once: there is nothing to wait for between the statements of a group.
            results = await self._database.in_thread(lambda: self._commit_all(writes))
        except LedgerError as error:
            self._unwritten += _evidence(writes, [error] * len(writes))
            raise
        self._unwritten += _evidence(writes, results)
        return results

    async def _commit_unwritten(self) -> None:
        """Write what is known of invoices and could not be written, before anything else.

        What is newer waits behind it: the end of an earlier mark would take back a later one, whose invoice
        is out by then.

        Raises:
            LedgerError: It still cannot be written.
        """
        unwritten = self._unwritten
        if not unwritten:
            return
        results: list[Result | LedgerError]
        try:
            results = await self._database.in_thread(lambda: self._commit_all(unwritten))
        except Unwritable as error:
            results = [error] * len(unwritten)
        self._unwritten = _evidence(unwritten, results)
        for result in results:
            if isinstance(result, Unwritable):
                # Its invoice stays in doubt.
                log(logging.ERROR, "ledger: what became of an invoice cannot be written: %s", result)
        for result in results:
            if isinstance(result, LedgerError) and not isinstance(result, Unwritable):
                raise result

    def _commit_all(self, writes: Sequence[Write]) -> list[Result | LedgerError]:
        grouped = [(at, write) for at, write in enumerate(writes) if not isinstance(write, Piece)]
        results: list[Result] = [None] * len(writes)
        if grouped:
            written = self._commit_group([write for _, write in grouped])
            for (at, _), result in zip(grouped, written, strict=True):
                results[at] = result
        for at, write in enumerate(writes):
            if isinstance(write, Piece):
                results[at] = self._commit_piece(write)
        return results

    def _commit_group(self, writes: Sequence[Add | Change]) -> list[Result]:
        try:
            return self._commit_together(writes)
        except LedgerError as error:
            if isinstance(error, _OF_ALL) or len(writes) == 1:
                raise
        # It is about one of them: each alone, in a transaction and under its fence, so that it fails alone.
        results: list[Result] = []
        of_all: LedgerError | None = None
        for write in writes:
            try:
                results += [of_all] if of_all is not None else self._commit_together([write])
            except LedgerError as error:
                results.append(error)
                # The rest would meet it too, perhaps each after a long wait; or it would overtake this.
                of_all = error if isinstance(error, _OF_ALL) or _evidence([write], [error]) else None
        return results

    def _commit_together(self, writes: Sequence[Add | Change]) -> list[Result]:
        group = Group(writes=writes, last=self._sequence)
        try:
            results = self._database.transact(group.write)
        except Crossed:
            group = Group(writes=writes, last=self._sequence, singly=True)
            results = self._database.transact(group.write)
        if group.number is not None:
            self._sequence = group.number
            # Before anything leaves: whoever waits for this group is told afterwards.
            self._high_water.advance(group.number)
        return results

    def _commit_piece(self, piece: Piece) -> Result | LedgerError:
        try:
            return self._database.transact(piece.perform)
        except LedgerError as error:
            # It concerns this one alone; what was written before it stays written.
            return error

    async def transact(self, perform: Callable[[Connection], T]) -> T:
        """Write something in one transaction of its own, in turn with everything else that is written.

        Raises:
            LedgerError: It could not be written; nothing of it was.
        """
        return cast("T", await self._writer.write(Piece(perform)))

    def write_alone(self, perform: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Write something in one transaction of its own, in turn, whether or not anybody waits for it."""
        return cast("asyncio.Future[T]", self._writer.put(Piece(perform)))

    async def add(self, new: NewItem, fence: Fence) -> Added:
        """Take an invoice into the ledger, unless its key is there.

        Args:
            new: The invoice.
            fence: Of the process that is going to send it.

        Raises:
            KeyConflict: Its document is there under another key.
            KeyUnknown: It may have been sent at a time of which the ledger knows nothing.
            Fenced: This process was taken for dead.
        """
        return cast("Added", await self._writer.write(Add(new, fence)))

    async def change(self, change: Change) -> Item:
        """Write an event of an item.

        Returns:
            The item as it is now. Where somebody else has changed it, evidence is kept in its history, and an
            invoice that exists makes it accepted.

        Raises:
            ValueError: The event cannot happen to it.
            Fenced: This process was taken for dead; nothing was written.
            ItemChanged: Somebody else has changed it, and this is no evidence; nothing was written.
        """
        changed(change, now=0.0)
        return await self.put(change)

    def put(self, change: Change) -> asyncio.Future[Item]:
        """Write an event that can happen to an item, whether or not anybody waits for it."""
        return self._writer.put(change)

    async def adopt(self, item: Item, fence: Fence) -> Item | None:
        """Begin to work on a web service's item that nobody works on; ``None`` where another was first."""
        try:
            return await self.change(Change(item=item, event=ItemEvent.ADOPTED, fence=fence))
        except ItemChanged:
            return None

    async def add_event(self, event_id: str, body: str, *, item_id: int | None) -> bool:
        """Keep a webhook's event; return whether it is new.

        Args:
            event_id: Its own id.
            body: It, as JSON.
            item_id: The item that it is about, if that is known.
        """

        def perform(connection: Connection) -> bool:
            values = {"event_id": event_id, "body": body, "item_id": item_id, "seen": schema.epoch_now()}
            added = sqlite.insert(schema.webhook_inbox).values(values).on_conflict_do_nothing()
            return connection.execute(added).rowcount == 1

        return await self.transact(perform)

    async def recover(self) -> int:
        """Doubt all that may have been sent since a backup was made; return how many that were.

        Until it is done, the ledger is one that was put back, and is refused as such.

        Raises:
            LedgerInUse: Another process is at work on it; nothing was changed.
        """
        reached = self._sequence + 1

        def perform(connection: Connection) -> int:
            return recover(
                connection, sequence=reached, is_dead=lambda chunk, now: self.is_dead(chunk, now=now)
            )

        count = await self.transact(perform)
        self._sequence = reached
        await asyncio.to_thread(self._high_water.advance, reached)
        return count

    async def name_document(self, item: Item, new: NewItem) -> Item:
        """Note which document an invoice is made of, of which that was not known.

        Raises:
            KeyConflict: It is made of another one, or another invoice is made of this one.
        """

        def perform(connection: Connection) -> Item | str:
            ref = new.document_ref or ""
            # Read anew: another process may have named it meanwhile.
            known = sql.item_of(connection.execute(sql.ITEM.where(schema.item.c.id == item.id)).one())
            why_not = why_not_of(connection, known, ref)
            if why_not is None and known.document_ref is None:
                name_document(connection, known, ref, now=connection.execute(sql.NOW).scalar_one())
            return attrs.evolve(item, document_ref=ref) if why_not is None else why_not

        named = await self.transact(perform)
        if isinstance(named, str):
            raise KeyConflict(f"{named}: it is sent once")
        return named

    async def gap(self) -> Gap | None:
        """Return the time of which the ledger knows nothing; ``None`` where there is none."""
        return await self.transact(read_gap)

    async def admit_new_keys(self) -> Gap | None:
        """Take keys that the ledger does not know again; return the gap that there was."""
        return await self.transact(close_gap)

    async def note_probe(self) -> None:
        """Note that the server was seen to refuse a second validation."""

        def perform(connection: Connection) -> None:
            connection.execute(update(schema.ledger).values(probed=schema.epoch_now()))

        await self.transact(perform)

    async def keep_payload(self, sha256: str, content: bytes) -> None:
        """Keep a content."""

        def perform(connection: Connection) -> None:
            sql.ADD_PAYLOAD.many(connection, [(sha256, content)])

        await self.transact(perform)

    async def has_event(self, event_id: str) -> bool:
        """Whether a webhook's event was kept before."""
        seen = select(schema.webhook_inbox.c.event_id).where(schema.webhook_inbox.c.event_id == event_id)
        return bool(await self.rows(seen))

    async def flush(self) -> None:
        """Wait until all that was asked for is written, or cannot be."""
        await self._writer.flush()
        if self._unwritten:
            with contextlib.suppress(LedgerError):
                await self.transact(_nothing)


def _evidence(writes: Sequence[Write], results: Sequence[Result | LedgerError]) -> list[Change]:
    """Return what could not be written for now although it happened; what was only intended did not."""
    ends = zip(writes, results, strict=True)
    return [
        write
        for write, result in ends
        if isinstance(result, LedgerError)
        and not isinstance(result, Unwritable)
        and isinstance(write, Change)
        and write.fence is None
    ]


def _nothing(_: Connection) -> None:
    """Write nothing; what could not be written before goes with it."""
