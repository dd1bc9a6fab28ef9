"""Watching what happens to invoices: changes and cursors as data. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import attrs

from seqino._core.wire import JSON
from seqino.errors import CallError, InvalidInput
from seqino.models import LifecycleEvent
from seqino.statuses import (
    Backoff,
    LocalState,
    LookAt,
    Over,
    Until,
    Watch,
    fingerprint,
    in_order,
    local_state,
    next_step,
    without_repetitions,
)

__all__ = ["InvoiceChange", "Polled", "Watched", "moment", "new_events"]


def moment(monotonic: float) -> datetime:
    """Return a moment of a clock that never goes back, to reckon with; it is no date."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=monotonic)


# --- Changes


@attrs.frozen(kw_only=True)
class InvoiceChange:
    """Something new of an invoice that is watched.

    Args:
        invoice_id: The invoice.
        events: What happened since it was looked at last, in order.
        history: All that is known to have happened to it, in order.
        state: Where that leaves it; ``None`` where no event tells. ``EXPIRED`` where watching was given up.
        is_over: Whether it is not watched any more.
        error: Why it could not be looked at; it is looked at again later. ``None`` where it could.
    """

    invoice_id: str
    events: Sequence[LifecycleEvent] = ()
    history: Sequence[LifecycleEvent] = ()
    state: LocalState | None = None
    is_over: bool = False
    error: CallError | None = None


@attrs.define(kw_only=True)
class Watched:
    """An invoice that is watched, and what is known of it.

    Args:
        invoice_id: The invoice.
        watch: What is remembered of watching it.
        until: What it is followed to.
        max_age: How long at most.
        backoff: How the pauses grow.
        spread: As for ``Backoff.pause``.
    """

    invoice_id: str
    watch: Watch
    until: Until
    max_age: timedelta | None
    backoff: Backoff
    spread: float
    history: list[LifecycleEvent] = attrs.field(factory=list[LifecycleEvent], init=False)
    due: datetime = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.due = self.watch.since

    def saw(self, events: Sequence[LifecycleEvent], *, began: datetime) -> InvoiceChange | None:
        """Take a look into account; return what is new, ``None`` where nothing is."""
        known = set(map(fingerprint, self.history))
        self.history = without_repetitions([*self.history, *events])
        news = [event for event in self.history if fingerprint(event) not in known]
        step = self._step(began, news=bool(news))
        if not news and isinstance(step, LookAt):
            return None
        return InvoiceChange(
            invoice_id=self.invoice_id,
            events=news,
            history=list(self.history),
            state=step.state if isinstance(step, Over) else local_state(self.history),
            is_over=isinstance(step, Over),
        )

    def failed(self, error: CallError, *, began: datetime) -> InvoiceChange:
        """Take a look that failed into account."""
        step = self._step(began, news=False)
        self.due = max(self.due, began + timedelta(seconds=error.retry_after or 0.0))
        return InvoiceChange(
            invoice_id=self.invoice_id,
            history=list(self.history),
            state=step.state if isinstance(step, Over) else local_state(self.history),
            is_over=isinstance(step, Over),
            error=error,
        )

    def _step(self, began: datetime, *, news: bool) -> LookAt | Over:
        self.watch = self.watch.looked(began, news=news)
        step = next_step(
            self.watch,
            self.history,
            until=self.until,
            max_age=self.max_age,
            backoff=self.backoff,
            spread=self.spread,
        )
        if isinstance(step, LookAt):
            self.due = step.moment
        return step


# --- Cursors

_VERSION = 1


@attrs.frozen(kw_only=True)
class Polled:
    """What a poll brought.

    Args:
        events: What was not there before, in order. Store it before the cursor.
        cursor: Where the next poll goes on: plain JSON data, to be stored after the events.
    """

    events: Sequence[LifecycleEvent]
    cursor: Mapping[str, JSON]


def new_events(
    cursor: Mapping[str, Any] | None,
    events: Sequence[LifecycleEvent],
    *,
    scope: Mapping[str, str | None],
    of_one_object: bool,
) -> Polled:
    """Compare a list of events with what was there before.

    Args:
        cursor: Of the poll before; ``None`` for the first one.
        events: The list as it is.
        scope: What the list is of: a cursor of another one is refused.
        of_one_object: Whether they are of one object, of which events that say the same are the same. Else
            they are counted, since two objects may look alike.

    Raises:
        InvalidInput: The cursor is none, or is of another list.
    """
    before = _seen(cursor, scope)
    if of_one_object:
        events = without_repetitions(events)
    left, found = Counter(before), list[LifecycleEvent]()
    for event in in_order(events):
        mark = _mark(event)
        if left[mark] > 0:
            left[mark] -= 1
        else:
            found.append(event)
    now = Counter(map(_mark, events))
    # Of one object nothing comes twice, so that what is hidden for a while is not told again.
    seen = {**before, **now} if of_one_object else now
    return Polled(events=found, cursor={"version": _VERSION, "of": dict(scope), "seen": dict(seen)})


def _mark(event: LifecycleEvent) -> str:
    # Comments stay out of the cursor, and it stays small.
    return hashlib.sha256(json.dumps(fingerprint(event)).encode()).hexdigest()[:24]


def _seen(cursor: Mapping[str, Any] | None, scope: Mapping[str, str | None]) -> dict[str, int]:
    if cursor is None:
        return {}
    seen = cursor.get("seen") if isinstance(cast("object", cursor), Mapping) else None
    if not isinstance(seen, Mapping) or cursor.get("version") != _VERSION:
        raise InvalidInput("this is no cursor of lifecycle.poll: give None to begin with everything")
    if cursor.get("of") != scope:
        raise InvalidInput(
            f"the cursor is of another list ({cursor.get('of')!r}) than this one ({dict(scope)!r}): poll "
            "each with its own"
        )
    return dict(cast("Mapping[str, int]", seen))
