"""What else is reported of an invoice under its id: its data, its envelope, its statuses at the portal.

All of it follows from the invoice's own course, so that nothing of it is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from seqino.sandbox.lifecycle import Arrival, arrivals, moments
from seqino.sandbox.lifecycle_rules import FAMILIES
from seqino.sandbox.world.records import Invoice

if TYPE_CHECKING:
    from datetime import datetime

    from seqino.sandbox.world.records import Subject

__all__ = ["Envelope", "Part", "RegulatoryData", "ReportedStatuses", "parts_of"]


@attrs.frozen(eq=False)
class Part:
    """A view of an invoice as another kind of object."""

    kind: ClassVar[str] = "part"
    object_type: ClassVar[str] = ""

    invoice: Invoice

    @property
    def key(self) -> str:
        """The invoice's id."""
        return self.invoice.invoice_id

    def arrivals(self, now: datetime) -> list[Arrival]:
        """Return the events seen by ``now`` with their moments, in the order in which they came."""
        return arrivals(self.invoice.course, now, FAMILIES[self.object_type], self.object_type)

    def events(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events seen by ``now``, in the order in which they came."""
        return [one.event for one in self.arrivals(now)]

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something new can be seen, soonest first."""
        return moments(self.invoice.course, after, self.object_type)


@attrs.frozen(eq=False)
class RegulatoryData(Part):
    """The data that the portal gets of each deposited invoice (flow 1; DSE v3.1 §3.4.4)."""

    object_type: ClassVar[str] = "regulatory_data"


@attrs.frozen(eq=False)
class Envelope(Part):
    """The file that an invoice came in (DSE v3.1 §3.6.9); a draft has none of its own."""

    object_type: ClassVar[str] = "flow"


@attrs.frozen(eq=False)
class ReportedStatuses(Part):
    """Its mandatory statuses as the portal got them (flow 6): it says which it refuses, and no more."""

    object_type: ClassVar[str] = "lifecycle_status"


def parts_of(subject: Subject) -> tuple[Part, ...]:
    """Return all that is reported under an invoice's id; nothing for what is no invoice."""
    if isinstance(subject, Invoice):
        return RegulatoryData(subject), Envelope(subject), ReportedStatuses(subject)
    return ()
