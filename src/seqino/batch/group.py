"""One group of writes, committed together: fenced, compared and set, with its history, and numbered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import attrs
from sqlalchemy import Connection

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.document_refs import known_as
from seqino.batch.errors import Fenced, ItemChanged, KeyConflict, KeyUnknown, LedgerRestored
from seqino.batch.gap import Gap, read_gap
from seqino.batch.items import Change, Fence, Item, NewItem, changed
from seqino.batch.states import ItemEvent

__all__ = ["Add", "Added", "Group", "Piece", "Result", "Write"]


@attrs.frozen
class Add:
    """A new invoice, and who works on it."""

    new: NewItem
    fence: Fence


@attrs.frozen
class Piece:
    """Something that is written in a transaction of its own; what it returns is the result."""

    perform: Callable[[Connection], Any]


@attrs.frozen
class Added:
    """The invoice of a key, and whether it is new."""

    item: Item
    is_new: bool


Write: TypeAlias = Add | Change | Piece
Result: TypeAlias = Any


class Crossed(Exception):  # noqa: N818 - says what happened
    """Somebody else has changed one of the items meanwhile; which one is found one by one."""


@attrs.define(kw_only=True)
class Group:
    """What one transaction writes: new items and changes of items.

    Args:
        writes: What to write, in the order in which it was asked for.
        last: The number of the last group that this process has seen.
        singly: Whether to write one by one, as something was in the way of all together.
    """

    writes: Sequence[Add | Change]
    last: int
    singly: bool = False
    number: int | None = None
    """The group's own number, where something may leave after it."""
    _now: float = 0.0
    _results: list[Result] = attrs.field(factory=list[Any], init=False)
    _history: list[tuple[Any, ...]] = attrs.field(factory=list[tuple[Any, ...]], init=False)

    def write(self, connection: Connection) -> list[Result]:
        """Write all of it; return for each what came of it, or its error.

        Raises:
            Crossed: Together they could not be written.
            LedgerRestored: The ledger is older than it was.
        """
        fenced = self._check_fences(connection)
        self._results = [
            Fenced("another process took over what this one was doing, since it seemed dead")
            if write.fence in fenced
            else None
            for write in self.writes
        ]
        self._add(connection)
        self._change(connection)
        if self._history:
            sql.ADD_HISTORY.many(connection, self._history)
        if any(isinstance(result, Item) and _is_intent(write) for write, result in self._with_results()):
            self._count(connection)
        return self._results

    def _with_results(self) -> list[tuple[Add | Change, Result]]:
        return list(zip(self.writes, self._results, strict=True))

    def _check_fences(self, connection: Connection) -> set[Fence]:
        """Make sure that whoever writes still may, and take the time."""
        fenced: set[Fence] = set()
        times: list[float] = []
        for fence in dict.fromkeys(write.fence for write in self.writes):
            if fence is None:
                continue
            row = sql.FENCE.one(connection, (fence.chunk_id, fence.epoch))
            if row is None:
                fenced.add(fence)
            else:
                times.append(row[0])
        self._now = times[-1] if times else sql.TAKE_TIME.one(connection)[0]
        return fenced

    # New items

    def _add(self, connection: Connection) -> None:
        places = [
            at
            for at, (write, result) in enumerate(self._with_results())
            if isinstance(write, Add) and result is None
        ]
        adds = [write for at in places if isinstance(write := self.writes[at], Add)]
        contents = [(add.new.sha256, add.new.payload) for add in adds if add.new.payload is not None]
        if contents:
            sql.ADD_PAYLOAD.many(connection, contents)
        # Read here, and not before: another process may have found meanwhile that the ledger is a backup.
        gap = read_gap(connection) if adds else None
        for at, add in zip(places, adds, strict=True):
            values = sql.item_values(add.new, run_id=None, fence=add.fence, now=self._now)
            row = sql.ADD_ITEM.one(connection, values) if gap is None else None
            self._results[at] = self._known(connection, add, gap) if row is None else self._new(add, row[0])

    def _new(self, add: Add, item_id: int) -> Added:
        self._history.append(sql.added_values(add.new, item_id, fence=add.fence, now=self._now))
        item = sql.new_item(add.new, item_id, run_id=None, fence=add.fence, now=self._now)
        return Added(item, is_new=True)

    @staticmethod
    def _known(connection: Connection, add: Add, gap: Gap | None) -> Result:
        new = add.new
        found = known_as(connection, new)
        if found is None:
            return KeyUnknown(gap.why_refused(new.business_key)) if gap else None  # else it was added
        if found.business_key == new.business_key:
            return Added(found, is_new=False)
        return KeyConflict(
            f"the document {new.document_ref!r} is in the ledger already, under the key "
            f"{found.business_key!r}: it is sent once"
        )

    # Changes

    def _change(self, connection: Connection) -> None:
        places = [
            at
            for at, (write, result) in enumerate(self._with_results())
            if isinstance(write, Change) and result is None
        ]
        changes = [write for at in places if isinstance(write := self.writes[at], Change)]
        if self.singly or len(changes) == 1:
            for at, change in zip(places, changes, strict=True):
                self._results[at] = self._change_one(connection, change)
            return
        if not changes:
            return
        afters = [changed(change, now=self._now) for change in changes]
        pairs = list(zip(changes, afters, strict=True))
        values = [sql.change_values(change.item, after, change.event) for change, after in pairs]
        if sql.CHANGE_ITEM.many(connection, values) != len(values):
            raise Crossed
        for at, (change, after) in zip(places, pairs, strict=True):
            self._results[at] = after
            self._history.append(sql.history_values(change, change.item, after, now=self._now))

    def _change_one(self, connection: Connection, change: Change) -> Result:
        after = changed(change, now=self._now)
        before = change.item
        if not _set(connection, change, before, after):
            if change.fence is not None:
                return ItemChanged(f"somebody else has changed the invoice {before.business_key!r} meanwhile")
            before, after = self._late_evidence(connection, change)
        self._history.append(sql.history_values(change, before, after, now=self._now))
        return after

    def _late_evidence(self, connection: Connection, change: Change) -> tuple[Item, Item]:
        """Keep what is known of an item that somebody else has changed: an invoice that exists, exists."""
        row = connection.execute(sql.ITEM.where(schema.item.c.id == change.item.id)).one()
        before = after = sql.item_of(row)
        if change.event is ItemEvent.ACCEPTED:
            try:
                release = change.release and before.chunk_id == change.item.chunk_id
                after = changed(attrs.evolve(change, item=before, release=release), now=self._now)
            except ValueError:
                # At an end already, or made of another draft: then its history alone tells.
                return before, before
            _set(connection, change, before, after)
        return before, after

    def _count(self, connection: Connection) -> None:
        number: int = sql.COUNT_GROUP.one(connection)[0]
        if number <= self.last:
            raise LedgerRestored(
                "the ledger is older than it was a moment ago: a backup was put in its place while it was "
                "used. Stop, and run 'seqino batch recover'"
            )
        self.number = number


def _is_intent(write: Add | Change) -> bool:
    return isinstance(write, Change) and write.event is ItemEvent.MARKED


def _set(connection: Connection, change: Change, before: Item, after: Item) -> bool:
    return sql.CHANGE_ITEM.many(connection, [sql.change_values(before, after, change.event)]) == 1
