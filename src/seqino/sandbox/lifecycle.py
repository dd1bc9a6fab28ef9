"""The history of an object at a moment: computed from the legs of its course, never stored. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.clock import stamp
from seqino.sandbox.scenarios import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Leg", "event", "history", "moments"]

INVOICE = "InvoiceLifecycleStatus"
"""The family of an invoice's statuses, as it stands on the wire."""

_MANDATORY = frozenset({"DEPOSITED", "REFUSED", "COLLECTED", "REJECTED"})
"""200, 210, 212 and 213 have to reach the public portal within 24 hours (DSE v3.1 §3.6.5)."""


@attrs.frozen
class Leg:
    """A stretch of a course: steps counted from one moment, until something else cut them off."""

    steps: tuple[Step, ...]
    since: datetime
    until: datetime | None = None
    """Steps that would be seen at this moment or later never happen."""

    def seen(self) -> Iterator[tuple[datetime, Step]]:
        """Yield each step with the moment at which it can be seen, in the order of the steps."""
        for step in self.steps:
            moment = self.since + timedelta(
                seconds=step.after if step.seen_after is None else step.seen_after
            )
            if self.until is None or moment < self.until:
                for _ in range(step.times):
                    yield moment, step


def event(step: Step, since: datetime, family: str = INVOICE) -> dict[str, Any]:
    """Build the lifecycle event of one step, as it goes on the wire."""
    return {
        "status_code": f"{family}.{step.status}",
        "timestamp": stamp(since + timedelta(seconds=step.after)),
        "emitter": step.emitter,
        "reason": step.reason,
        "rejection_reason": step.rejection_reason,
        "is_mandatory": family == INVOICE and step.status in _MANDATORY,
    }


def history(course: Iterable[Leg], now: datetime, family: str = INVOICE) -> list[dict[str, Any]]:
    """Return the events that can be seen by ``now``, in the order in which they came."""
    seen = [(moment, step, leg.since) for leg in course for moment, step in leg.seen() if moment <= now]
    seen.sort(key=lambda one: one[0])
    return [event(step, since, family) for _, step, since in seen]


def moments(course: Iterable[Leg], after: datetime) -> list[datetime]:
    """Return the moments later than ``after`` at which something new can be seen, soonest first."""
    return sorted({moment for leg in course for moment, _ in leg.seen() if moment > after})
