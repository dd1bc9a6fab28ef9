"""What records of one course share: events and moments that follow from its legs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from seqino.sandbox.lifecycle import Arrival, Leg, arrivals, moments

if TYPE_CHECKING:
    from seqino.sandbox.scenarios import Step

__all__ = ["Coursed"]


@attrs.define(eq=False, kw_only=True)
class Coursed:
    """A record with a lifecycle; its history follows from the legs of its course and the moment one looks."""

    family: ClassVar[str]
    """The family of its statuses, as it stands on the wire."""

    created_at: datetime
    course: list[Leg]

    def arrivals(self, now: datetime) -> list[Arrival]:
        """Return the events seen by ``now`` with their moments, in the order in which they came."""
        return arrivals(self.course, now, self.family)

    def events(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events seen by ``now``, in the order in which they came."""
        return [one.event for one in self.arrivals(now)]

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something new can be seen, soonest first."""
        return moments(self.course, after)

    def seen(self, now: datetime) -> list[tuple[datetime, Step]]:
        """Return the steps seen by ``now`` with their moments, in the order of the course."""
        return [(moment, step) for leg in self.course for moment, step in leg.seen() if moment <= now]
