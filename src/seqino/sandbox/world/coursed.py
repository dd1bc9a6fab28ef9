"""What records of one course share: events and moments that follow from its legs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from seqino.sandbox.lifecycle import Leg, history, moments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seqino.sandbox.scenarios import Step

__all__ = ["Coursed", "stopped"]

_INSTANT = timedelta(microseconds=1)
"""The finest difference between two moments."""


@attrs.define(eq=False, kw_only=True)
class Coursed:
    """A record with a lifecycle; its history follows from the legs of its course and the moment one looks."""

    family: ClassVar[str]
    """The family of its statuses, as it stands on the wire."""

    created_at: datetime
    course: list[Leg]

    def events(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events seen by ``now``, in the order in which they came."""
        return history(self.course, now, self.family)

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something new can be seen, soonest first."""
        return moments(self.course, after)

    def seen(self, now: datetime) -> list[tuple[datetime, Step]]:
        """Return the steps seen by ``now`` with their moments, in the order of the course."""
        return [(moment, step) for leg in self.course for moment, step in leg.seen() if moment <= now]


def stopped(course: Iterable[Leg], now: datetime) -> list[Leg]:
    """Return a course on which nothing more happens; what was seen by ``now`` stays."""
    end = now + _INSTANT
    return [leg if leg.until and leg.until < end else attrs.evolve(leg, until=end) for leg in course]
