"""The history of an object at a moment: computed from the legs of its course, never stored. Pure.

Events are answered in the order in which they arrived, which need not be that of their own times. What was
seen stays as it was: whatever is added to a course is seen after it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

from seqino.sandbox.clock import stamp
from seqino.sandbox.lifecycle_rules import INVOICE, MANDATORY
from seqino.sandbox.scenarios import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["INVOICE", "Arrival", "Leg", "arrivals", "event", "history", "moments", "own_moment"]


@attrs.frozen
class Leg:
    """A stretch of a course: steps counted from one moment, until something else cut them off."""

    steps: tuple[Step, ...]
    since: datetime
    until: datetime | None = None
    """Steps that would be seen at this moment or later never happen."""

    def seen(self) -> Iterator[tuple[datetime, Step]]:
        """Yield each step with the moment at which it can be seen, in the order of the steps."""
        since, until = self.since, self.until
        for step in self.steps:
            moment = since + timedelta(seconds=step.seen)
            if until is None or moment < until:
                for _ in range(step.times):
                    yield moment, step


class Arrival(NamedTuple):
    """An event, and when it could first be seen."""

    at: datetime
    event: dict[str, Any]


def event(step: Step, since: datetime, family: str = INVOICE) -> dict[str, Any]:
    """Build the lifecycle event of one step, as it goes on the wire."""
    return {
        "status_code": f"{family}.{step.status}",
        "timestamp": stamp(own_moment(step, since)),
        "emitter": step.emitter,
        "reason": step.reason,
        "rejection_reason": step.rejection_reason,
        "is_mandatory": family == INVOICE and step.status in MANDATORY,
    }


def arrivals(
    course: Iterable[Leg], now: datetime, family: str = INVOICE, about: str | None = None
) -> list[Arrival]:
    """Return the events that can be seen by ``now``, each with its moment, in the order in which they came.

    Args:
        course: What happens.
        now: The moment one looks.
        family: Family of the statuses, as on the wire.
        about: Object type of the events; ``None`` for the object whose course it is.
    """
    seen = [
        (moment, step, leg.since)
        for leg in course
        for moment, step in leg.seen()
        if moment <= now and step.about == about
    ]
    seen.sort(key=lambda one: one[0])
    return [Arrival(moment, event(step, since, family)) for moment, step, since in seen]


def history(
    course: Iterable[Leg], now: datetime, family: str = INVOICE, about: str | None = None
) -> list[dict[str, Any]]:
    """Return the events that can be seen by ``now``, in the order in which they came."""
    return [one.event for one in arrivals(course, now, family, about)]


def moments(course: Iterable[Leg], after: datetime, about: str | None = None) -> list[datetime]:
    """Return the moments later than ``after`` at which something new can be seen, soonest first."""
    return sorted(
        {moment for leg in course for moment, step in leg.seen() if moment > after and step.about == about}
    )


def own_moment(step: Step, since: datetime) -> datetime:
    """Return the moment that a step bears as its own, for a course that began at ``since``."""
    moment = since + timedelta(seconds=step.after)
    return moment.replace(microsecond=0) if step.to_the_second else moment
