"""Watching what happens to invoices: what is known of each, and what is new. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import attrs

from seqino.errors import CallError
from seqino.models import LifecycleEvent
from seqino.resources.histories import History
from seqino.statuses import (
    Backoff,
    LocalState,
    LookAt,
    Over,
    UnreadableEvent,
    Until,
    Watch,
    fingerprint,
    local_state,
    next_step,
)

__all__ = ["InvoiceChange", "Watched", "moment"]


def moment(monotonic: float) -> datetime:
    """Return a moment of a clock that never goes back, to reckon with; it is no date."""
    return datetime.fromtimestamp(0, UTC) + timedelta(seconds=monotonic)


@attrs.frozen(kw_only=True)
class InvoiceChange:
    """Something new of an invoice that is watched.

    Args:
        invoice_id: The invoice.
        events: What happened since it was looked at last, in order.
        unreadable: What came since then as an event of it, and cannot be read.
        history: All that is known to have happened to it, in order.
        state: Where that leaves it; ``None`` where no event tells. ``EXPIRED`` where watching was given up.
        is_over: Whether it is not watched any more.
        error: Why it could not be looked at; it is looked at again later. ``None`` where it could.
    """

    invoice_id: str
    events: Sequence[LifecycleEvent] = ()
    unreadable: Sequence[UnreadableEvent] = ()
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
    history: History = attrs.field(factory=History, init=False)
    due: datetime = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.due = self.watch.since

    def saw(self, shown: History, *, began: datetime) -> InvoiceChange | None:
        """Take a look into account; return what is new, ``None`` where nothing is."""
        known = set(map(fingerprint, self.history))
        told = len(self.history.unreadable)
        self.history = self.history.joined(shown)
        news = [event for event in self.history if fingerprint(event) not in known]
        unreadable = self.history.unreadable[told:]
        step = self._step(began, news=bool(news or unreadable))
        if not news and not unreadable and isinstance(step, LookAt):
            return None
        return InvoiceChange(
            invoice_id=self.invoice_id,
            events=news,
            unreadable=unreadable,
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
