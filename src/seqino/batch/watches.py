"""What the ledger remembers of following invoices: which are due, what was seen, when to look next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.dialects import sqlite

from seqino.batch import schema
from seqino.batch import statements as sql
from seqino.batch.items import Change, Item, changed
from seqino.batch.states import ItemEvent, State, next_state
from seqino.batch.unreadable import keep_unreadable
from seqino.models import LifecycleEvent, LifecycleStatusCode
from seqino.statuses import (
    Backoff,
    LocalState,
    LookAt,
    Over,
    UnreadableEvent,
    Until,
    Watch,
    fingerprint,
    in_order,
    next_step,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement, Connection

    from seqino.batch.statements import AnyRow
    from seqino.batch.store import Store

__all__ = ["Goal", "Look", "Noted", "Watches", "is_followed"]

_ENDS = {
    LocalState.SETTLED: ItemEvent.SETTLED,
    LocalState.DEAD: ItemEvent.DEAD,
    LocalState.NOT_DELIVERED: ItemEvent.NOT_DELIVERED,
    LocalState.DUPLICATE: ItemEvent.DUPLICATE,
    LocalState.EXPIRED: ItemEvent.EXPIRED,
}
_REOPENED = (State.NOT_DELIVERED, State.DUPLICATE, State.EXPIRED)
"""Ends that later news may change; they are looked at where a webhook asks for it."""

_DOUBTFUL = (State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED)

_LATE_LOOKS = 3
"""How often what is at such an end is looked at without news: an event may be seen later than its webhook."""


@attrs.frozen(kw_only=True)
class Goal:
    """How far invoices are followed, and how often they are looked at.

    Args:
        until: What they are followed to.
        max_age: For how long at most.
        backoff: How the pauses grow.
    """

    until: Until = Until.END
    max_age: timedelta | None = None
    backoff: Backoff = attrs.field(factory=Backoff)


@attrs.frozen(kw_only=True)
class Look:
    """A look at an invoice.

    Args:
        item: The invoice, as it was when it became due.
        began: When the look began, by the clock of the database.
        events: What it showed; nothing, where it failed.
        unreadable: What it showed that cannot be read.
        requests: How many requests it cost.
        pause: Seconds that the platform wants to be left alone.
    """

    item: Item
    began: float
    events: Sequence[LifecycleEvent] = ()
    unreadable: Sequence[UnreadableEvent] = ()
    requests: int = 1
    pause: float = 0.0


@attrs.frozen
class Noted:
    """What came of a look: the invoice as it is now, and how many events were new."""

    item: Item
    news: int


def is_followed(item: Item) -> bool:
    """Whether news of an invoice could change what it is."""
    return item.invoice_id is not None and (item.state is State.ACCEPTED or item.state in _REOPENED)


class Watches:
    """Reads and writes what is remembered of following; times are by the clock of the database.

    Args:
        store: The ledger.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    # --- Which are due

    async def begin(self, goal: Goal, *, run_id: int | None = None) -> None:
        """Give a first moment to each invoice that was accepted since, or that has further to go now.

        Args:
            goal: What they are followed to.
            run_id: Only those of this run.
        """
        column = schema.item.c
        known = select(schema.watch.c.item_id).where(schema.watch.c.item_id == column.id).exists()
        waits_for_nothing = and_(
            column.state == str(State.ACCEPTED), column.not_before.is_(None), column.invoice_id.is_not(None)
        )
        if goal.until is not Until.END:
            # What is known and waits for nothing has reached its goal; the end lies beyond it.
            waits_for_nothing = and_(waits_for_nothing, ~known)
        waits_for_nothing = and_(waits_for_nothing, *_of_run(run_id))
        first = goal.backoff.first.total_seconds()
        begun = update(schema.item).where(waits_for_nothing).values(not_before=column.updated + first)
        # A write would lock the others out for nothing.
        if await self._store.rows(select(column.id).where(waits_for_nothing).limit(1)):
            await self._store.transact(lambda connection: _execute(connection, begun))

    async def claim(self, count: int, *, by: float, lease: float, run_id: int | None = None) -> list[Item]:
        """Take invoices that are due, so that nobody else looks at them meanwhile.

        Args:
            count: How many at most.
            by: Only what was due at this moment.
            lease: Seconds until they are due again, should nothing come of it.
            run_id: Only those of this run.
        """
        column = schema.item.c
        ids = [row.id for row in await self._store.rows(_due(by, run_id).limit(count))]
        if not ids:
            return []
        mine = (
            update(schema.item)
            .where(column.id.in_(ids), column.not_before <= by)
            .values(not_before=schema.epoch_now() + lease)
            .returning(schema.item)
        )

        def perform(connection: Connection) -> list[Item]:
            return [sql.item_of(row) for row in (connection.execute(mine)).all()]

        return await self._store.transact(perform)

    async def give_back(self, items: Collection[Item], *, pause: float) -> None:
        """Let go of invoices that were claimed and not looked at.

        Args:
            items: The invoices.
            pause: Seconds until they are due again.
        """
        ids = [item.id for item in items]
        later = update(schema.item).where(schema.item.c.id.in_(ids), _IS_FOLLOWED)
        later = later.values(not_before=schema.epoch_now() + pause)
        await self._store.transact(lambda connection: _execute(connection, later))

    async def waiting(self, *, run_id: int | None = None) -> tuple[int, float | None]:
        """Return how many invoices are followed, and in how many seconds the first of them is due.

        Args:
            run_id: Only those of this run.
        """
        query = select(func.count(), func.min(schema.item.c.not_before) - schema.epoch_now())
        followed = query.where(schema.item.c.not_before.is_not(None), _IS_FOLLOWED, *_of_run(run_id))
        count, first = (await self._store.rows(followed))[0]
        return count, None if first is None else max(0.0, first)

    # --- What was seen

    async def note(self, look: Look, goal: Goal) -> Noted:
        """Write what a look showed, what the invoice is now, and when to look next: all of it, or nothing."""

        def perform(connection: Connection) -> Noted:
            now: float = (connection.execute(sql.NOW)).scalar_one()
            item = _fresh(connection, look.item.id)
            odd = keep_unreadable(connection, item, look.unreadable, now=now)
            news = _add_events(connection, item, look.events)
            events = _events_of(connection, item.invoice_id or "")
            watch = (_watch_of(connection, item)).looked(_moment(look.began), news=news + odd > 0)
            _keep(connection, item, watch)
            step = next_step(
                watch,
                events,
                until=goal.until,
                max_age=goal.max_age,
                backoff=goal.backoff,
                spread=_spread(item),
            )
            event = _end_of(item, step)
            if event is None:
                due = _next_look(item, watch, step, goal, earliest=now + look.pause)
                after = attrs.evolve(item, not_before=due, requests=item.requests + look.requests)
                _set_due(connection, after)
                return Noted(after, news)
            last = events[-1] if events else None
            change = Change(
                item=item,
                event=event,
                requests=look.requests,
                detail={} if last is None else {"status": last.status_code, "at": last.timestamp.isoformat()},
            )
            return Noted(_write(connection, change, now=now), news)

        return await self._store.transact(perform)

    async def hint(self, item: Item) -> None:
        """Take into account that a webhook says of an invoice that something happened."""

        def perform(connection: Connection) -> None:
            now: float = (connection.execute(sql.NOW)).scalar_one()
            current = _fresh(connection, item.id)
            due = None
            if is_followed(current):
                watch = (_watch_of(connection, current)).hinted(_moment(now))
                _keep(connection, current, watch)
                due = watch.due(Backoff(), spread=_spread(current)).timestamp()
            elif current.state in _DOUBTFUL:
                due = now
            if due is not None:
                earlier = due if current.not_before is None else min(due, current.not_before)
                _set_due(connection, attrs.evolve(current, not_before=earlier))

        await self._store.transact(perform)

    async def events(self, item: Item) -> list[LifecycleEvent]:
        """Return what is known to have happened to an invoice, in order, each event once."""
        if item.invoice_id is None:
            return []
        return in_order(map(_event, await self._store.rows(_EVENTS.params(invoice_id=item.invoice_id))))


_IS_FOLLOWED = and_(
    schema.item.c.state.in_([str(state) for state in (State.ACCEPTED, *_REOPENED)]),
    schema.item.c.invoice_id.is_not(None),
)

_EVENTS = select(schema.status_event).where(schema.status_event.c.invoice_id == bindparam("invoice_id"))

_ADD_EVENTS = sqlite.insert(schema.status_event).on_conflict_do_nothing()


def _of_run(run_id: int | None) -> list[ColumnElement[bool]]:
    return [] if run_id is None else [schema.item.c.run_id == run_id]


def _due(by: float, run_id: int | None) -> sql.Query:
    column = schema.item.c
    is_due = and_(_IS_FOLLOWED, column.not_before <= by, *_of_run(run_id))
    return select(column.id).where(is_due).order_by(column.not_before)


def _execute(connection: Connection, statement: Any) -> None:
    connection.execute(statement)


def _fresh(connection: Connection, item_id: int) -> Item:
    return sql.item_of((connection.execute(sql.ITEM.where(schema.item.c.id == item_id))).one())


def _set_due(connection: Connection, item: Item) -> None:
    # No event of its history: a look that showed nothing new would fill it.
    values = {"not_before": item.not_before, "requests": item.requests}
    connection.execute(update(schema.item).where(schema.item.c.id == item.id).values(values))


def _write(connection: Connection, change: Change, *, now: float) -> Item:
    after = changed(change, now=now)
    sql.write_change(connection, change, after, now=now)
    return after


# Events


def _add_events(connection: Connection, item: Item, events: Sequence[LifecycleEvent]) -> int:
    """Keep events that were not seen before; return how many they are."""
    added = 0
    for event in events:
        code, at, emitter, rejection_reason, reason = fingerprint(event)
        values = {
            "invoice_id": item.invoice_id,
            "code": code,
            "at": datetime.fromisoformat(at).timestamp(),
            "emitter": emitter,
            "rejection_reason": rejection_reason,
            "reason": reason,
            "is_mandatory": event.is_mandatory,
            "seen": schema.epoch_now(),
        }
        added += (connection.execute(_ADD_EVENTS.values(values))).rowcount
    return added


def _events_of(connection: Connection, invoice_id: str) -> list[LifecycleEvent]:
    rows = (connection.execute(_EVENTS.params(invoice_id=invoice_id))).all()
    return in_order(map(_event, rows))


def _event(row: AnyRow) -> LifecycleEvent:
    return LifecycleEvent(
        status_code=LifecycleStatusCode(row.code),
        timestamp=_moment(row.at),
        emitter=row.emitter,
        reason=row.reason or None,
        rejection_reason=row.rejection_reason or None,
        is_mandatory=row.is_mandatory,
    )


# Watches


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _spread(item: Item) -> float:
    # Multiples of the golden ratio lie far from each other, however many they are.
    return item.id * 0.6180339887 % 1


def _watch_of(connection: Connection, item: Item) -> Watch:
    """Return what is remembered of an invoice; else it is followed since it last changed."""
    query = select(schema.watch).where(schema.watch.c.item_id == item.id)
    row = (connection.execute(query)).one_or_none()
    if row is None:
        return Watch(since=_moment(item.updated))
    return Watch(
        since=_moment(row.since),
        looks=row.looks,
        quiet=row.quiet,
        looked_at=None if row.looked_at is None else _moment(row.looked_at),
        hinted_at=None if row.hinted_at is None else _moment(row.hinted_at),
    )


def _keep(connection: Connection, item: Item, watch: Watch) -> None:
    values: dict[str, Any] = {
        name: value.timestamp() if isinstance(value, datetime) else value
        for name, value in attrs.asdict(watch).items()
    }
    insert = sqlite.insert(schema.watch).values(item_id=item.id, **values)
    connection.execute(insert.on_conflict_do_update(index_elements=["item_id"], set_=values))


def _end_of(item: Item, step: LookAt | Over) -> ItemEvent | None:
    """Return how following an invoice ends; ``None`` where it goes on, or is at that end already."""
    event = _ENDS.get(step.state) if isinstance(step, Over) else None
    if event is None:
        return None
    try:
        next_state(item.state, event, has_draft=True, ever_unknown=item.ever_unknown)
    except ValueError:
        return None
    return event


def _next_look(item: Item, watch: Watch, step: LookAt | Over, goal: Goal, *, earliest: float) -> float | None:
    """Return when an invoice is looked at next; ``None`` for not before something is heard of it."""
    if not is_followed(item):
        # Somebody else has come to its end meanwhile.
        return None
    if item.state in _REOPENED:
        was_hinted = watch.hinted_at is not None and (
            watch.looked_at is None or watch.hinted_at >= watch.looked_at or 0 < watch.quiet <= _LATE_LOOKS
        )
        due = watch.due(goal.backoff, spread=_spread(item)) if was_hinted else None
    else:
        due = step.moment if isinstance(step, LookAt) else None
    return None if due is None else max(due.timestamp(), earliest)
