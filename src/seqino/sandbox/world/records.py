"""What the platform remembers, as plain records: each has a kind, a key, and knows nothing of the others."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Protocol

import attrs

from seqino.sandbox.courses import said
from seqino.sandbox.lifecycle import Arrival, Leg, arrivals, moments
from seqino.sandbox.lifecycle_rules import MISROUTED

__all__ = [
    "Account",
    "Draft",
    "Happening",
    "Invoice",
    "Notifying",
    "Record",
    "Registration",
    "RetiredNumber",
    "Series",
    "Subject",
]


@attrs.frozen
class Happening:
    """Something that sponsors can be told of: when, the API's word for it, and what it says."""

    at: datetime
    event_type: str
    data: dict[str, Any]


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

    def arrivals(self, now: datetime) -> list[Arrival]:
        """Return the events seen by ``now`` with their moments, in the order in which they came."""
        ...

    def events(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events seen by ``now``, in the order in which they came."""
        ...

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something new can be seen, soonest first."""
        ...


class Notifying(Record, Protocol):
    """A record of which sponsors are told when something happens to it."""

    def happenings(self, after: datetime, until: datetime) -> list[Happening]:
        """Return what happens later than ``after`` and not later than ``until``, in that order."""
        ...

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something happens, soonest first."""
        ...


@attrs.define(eq=False)
class Draft:
    """A draft, and which invoice it became."""

    kind: ClassVar[str] = "draft"

    draft_id: str
    content: dict[str, Any]
    created_at: datetime
    updated_at: datetime | None = None
    invoice_id: str | None = None
    """Id of the invoice that it became."""

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
    draft_id: str | None = None
    """The draft that it was made from; ``None`` where it came as a file."""
    is_duplicate: bool = False
    """Its number was used already: refused with DOUBLON, and no number of its own."""
    corrected_by: str | None = None
    """Id of the first credit note or corrective invoice that refers to it while its buyer waits for one."""
    fingerprint: str | None = None
    """Digest of the draft that it was made from."""
    unshown_type: str | None = None
    """Its type (BT-3) where the API cannot show its data."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.invoice_id

    @property
    def type_code(self) -> str | None:
        """Its type (BT-3)."""
        return self.unshown_type if self.content is None else self.content.get("type_code")

    def arrivals(self, now: datetime) -> list[Arrival]:
        """Return the events seen by ``now`` with their moments, in the order in which they came."""
        return arrivals(self.course, now)

    def events(self, now: datetime) -> list[dict[str, Any]]:
        """Return the events seen by ``now``, in the order in which they came."""
        return [one.event for one in self.arrivals(now)]

    def moments(self, after: datetime) -> list[datetime]:
        """Return the moments later than ``after`` at which something new can be seen, soonest first."""
        created = [self.deposited_at] if self.deposited_at > after else []
        return sorted({*created, *moments(self.course, after)})

    def happenings(self, after: datetime, until: datetime) -> list[Happening]:
        """Return what happened later than ``after`` and by ``until``: its creation, then its events."""
        told = [
            Happening(
                one.at,
                "invoice.status_updated",
                {"invoice_id": self.invoice_id, "object_type": self.object_type, **one.event},
            )
            for one in self.arrivals(until)
            if one.at > after
        ]
        if not after < self.deposited_at <= until:
            return told
        data = {"invoice_id": self.invoice_id, "invoice_number": self.number}
        if self.draft_id is not None:
            data["draft_id"] = self.draft_id
        return [Happening(self.deposited_at, "invoice.created", data), *told]

    def status(self, now: datetime) -> str:
        """Return the API's own word for where it is: ``submitted``, ``processed`` or ``rejected``."""
        states = {event["status_code"].partition(".")[2] for event in self.events(now)}
        if "REJECTED" in states or self.is_inadmissible(now):
            return "rejected"
        return "processed" if "MADE_AVAILABLE" in states else "submitted"

    def frees_number(self, now: datetime) -> bool:
        """Whether its number may be used again, for another delivery of the same invoice.

        That is so where it never reached anybody: its envelope was inadmissible, or it was rejected for its
        address. After any other rejection the seller corrects what was wrong and gives a new number.
        """
        return self.is_inadmissible(now) or any(
            step.about is None and step.status == "REJECTED" and step.rejection_reason in MISROUTED
            for step in said(self.course, now)
        )

    def is_inadmissible(self, now: datetime) -> bool:
        """Whether its envelope was refused in place of its deposit, so that its number is free again."""
        steps = said(self.course, now)
        refused = any(step.about == "flow" and step.status == "UNACCEPTABLE" for step in steps)
        return refused and all(step.about is not None for step in steps)


@attrs.define(eq=False)
class Registration:
    """A sponsor: its id, and by what its API key is known again."""

    kind: ClassVar[str] = "sponsor"

    sponsor_id: str
    key_digest: str
    """Digest of its API key: whoever reads it cannot use it."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.sponsor_id


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


@attrs.define(eq=False)
class RetiredNumber:
    """The number of an invoice whose client was deleted: it stays used."""

    kind: ClassVar[str] = "retired_number"

    seller: str
    year: str
    number: str

    @property
    def key(self) -> str:
        """Year, seller and number."""
        return f"{self.year} {self.seller} {self.number}"
