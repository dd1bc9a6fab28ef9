"""What the platform remembers, as plain records: each has a kind, a key, and knows nothing of the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Protocol

import attrs

from seqino.sandbox.lifecycle import Leg, history, moments

__all__ = ["Account", "Draft", "Invoice", "Record", "Series", "Subject"]


class Record(Protocol):
    """Something that is remembered: its kind and key find it again among what one owner has."""

    kind: ClassVar[str]

    @property
    def key(self) -> str:
        """What tells it from others of its kind and owner."""
        ...


class Subject(Record, Protocol):
    """A record that has a lifecycle: what has happened to it, and when something will."""

    object_type: ClassVar[str]
    """The API's word for its kind, as ``object_type`` of the lifecycle operation."""

    def events(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events seen by ``now``, in the order in which they came."""
        ...

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something new can be seen, soonest first."""
        ...


@attrs.define(eq=False)
class Draft:
    """A draft, and the invoice that it became."""

    kind: ClassVar[str] = "draft"

    draft_id: str
    content: dict[str, Any]
    created_at: datetime
    updated_at: datetime | None = None
    invoice: Invoice | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.draft_id


@attrs.define(eq=False, kw_only=True)
class Invoice:
    """An issued invoice; its history follows from the legs of its course and the moment one looks."""

    kind: ClassVar[str] = "invoice"
    object_type: ClassVar[str] = "invoice"

    invoice_id: str
    number: str
    seller: str
    """What tells its seller from others: a SIREN, as a rule."""
    year: str
    """Year of issue: with seller and number, the key of uniqueness (DSE v3.1, note 112)."""
    buyer: str | None
    """SIREN of its buyer."""
    content: dict[str, Any] | None
    """As the API shows it; ``None`` where the file's data do not fit the API's model."""
    deposited_at: datetime
    scenario: str
    """Name of the course that it takes."""
    course: list[Leg]
    is_duplicate: bool = False
    """Its number was used already: refused with DOUBLON, and no number of its own."""
    fingerprint: str | None = None
    """Digest of the draft that it was made from."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.invoice_id

    def events(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events seen by ``now``, in the order in which they came."""
        return history(self.course, now)

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something new can be seen, soonest first."""
        return moments(self.course, after)

    def status(self, now: datetime) -> str:
        """Return the API's own word for where it is: ``submitted``, ``processed`` or ``rejected``."""
        states = [event["status_code"].partition(".")[2] for event in self.events(now)]
        if "REJECTED" in states:
            return "rejected"
        return "processed" if "MADE_AVAILABLE" in states else "submitted"


@attrs.define(eq=False)
class Account:
    """A client of a sponsor, as the API shows it."""

    kind: ClassVar[str] = "client"

    shown: dict[str, Any]

    @property
    def key(self) -> str:
        """Its id."""
        return str(self.shown["client_id"])


@attrs.define(eq=False)
class Series:
    """The last number given to a seller in a year."""

    kind: ClassVar[str] = "series"

    seller: str
    year: str
    last: int = 0

    @property
    def key(self) -> str:
        """Year and seller."""
        return f"{self.year} {self.seller}"
