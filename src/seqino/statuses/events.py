"""Lifecycle events of one object: in order, without repetitions, and what is new among them. Pure.

Events have no id, and may come late, twice and out of order, from two platforms and the portal. Of one object
they can be told apart by what they say. In the feed of all objects they cannot, since no event names its
object: there, repetitions count.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import MAXYEAR, MINYEAR, UTC
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from seqino.statuses.families import Family
from seqino.statuses.meanings import meaning_of, qualified

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = [
    "DetailedEvent",
    "Fingerprint",
    "StatusEvent",
    "appeared",
    "fingerprint",
    "in_order",
    "instant",
    "invoice_number_of",
    "is_duplicate_refusal",
    "is_of_our_calendar",
    "was_not_transmitted",
    "without_repetitions",
]


class StatusEvent(Protocol):
    """What is read of a lifecycle event."""

    @property
    def status_code(self) -> str:
        """Status, with or without its family."""
        ...

    @property
    def timestamp(self) -> datetime:
        """When the status was set; UTC is assumed where it has no zone."""
        ...

    @property
    def rejection_reason(self) -> str | None:
        """Reason code, such as ``DOUBLON``."""
        ...


class DetailedEvent(StatusEvent, Protocol):
    """What tells one event of an object from another."""

    @property
    def emitter(self) -> str:
        """Who sent it."""
        ...

    @property
    def reason(self) -> str | None:
        """A comment in words."""
        ...


E = TypeVar("E", bound=StatusEvent)
D = TypeVar("D", bound=DetailedEvent)

Fingerprint: TypeAlias = tuple[str, str, str, str, str]
"""Status, moment in UTC, emitter, reason code and comment: plain text, to be stored beside an object."""


def instant(timestamp: datetime) -> datetime:
    """Return a moment with its zone; UTC is assumed where it has none."""
    return timestamp if timestamp.tzinfo is not None else timestamp.replace(tzinfo=UTC)


def is_of_our_calendar(timestamp: datetime) -> bool:
    """Whether a moment can be told in any zone, and reckoned with: it is in the years 2 to 9998.

    In the first year and in the last one it depends on the zone whether there is such a moment at all.
    """
    return MINYEAR < timestamp.year < MAXYEAR


def _in_utc(timestamp: datetime) -> datetime:
    """Return a moment in UTC; as it came, where the calendar ends before that."""
    try:
        return instant(timestamp).astimezone(UTC)
    except OverflowError:
        return instant(timestamp)


def invoice_number_of(event: StatusEvent) -> int | None:
    """Return the number of an invoice's status; ``None`` for other families and unknown ones.

    A status without a family is taken for one of an invoice.
    """
    meaning = meaning_of(event.status_code, family=Family.INVOICE)
    return meaning.number if meaning is not None and meaning.family is Family.INVOICE else None


def has_reason(event: StatusEvent, code: str) -> bool:
    """Whether an event gives a reason; platforms write the code alone or before a text."""
    return re.search(rf"\b{code}\b", event.rejection_reason or "", re.IGNORECASE) is not None


def is_duplicate_refusal(event: StatusEvent) -> bool:
    """Whether an event refuses one more delivery of an invoice that the network already holds.

    A 213 with the reason DOUBLON is about that delivery only: the invoice held before stays valid, whatever
    state it is in (number, seller and year of issue are its identity: DSE v3.1 note 112).
    """
    return invoice_number_of(event) == 213 and has_reason(event, "DOUBLON")  # noqa: PLR2004 - its number is its name


def was_not_transmitted(event: StatusEvent) -> bool:
    """Whether an event says that an invoice was issued, but its buyer has no platform.

    A 200 with the reason NON_TRANSMISE is no failure: the invoice is legally issued.
    """
    return invoice_number_of(event) == 200 and has_reason(event, "NON_TRANSMISE")  # noqa: PLR2004 - its number is its name


def in_order(events: Iterable[E]) -> list[E]:
    """Return the events of one object, all of them, by timestamp and then by number.

    Statuses that are not known come after known ones of the same moment. Nothing is left to the order of
    arrival: equal moments and numbers go by their texts.
    """
    return sorted(events, key=_order)


def _order(event: StatusEvent) -> tuple[datetime, int, str, str]:
    meaning = meaning_of(event.status_code, family=Family.INVOICE)
    number = meaning.number if meaning is not None else None
    return (
        instant(event.timestamp),
        _AFTER_ALL if number is None else number,
        qualified(event.status_code, Family.INVOICE),
        event.rejection_reason or "",
    )


_AFTER_ALL = 1000


def fingerprint(event: DetailedEvent) -> Fingerprint:
    """Return what tells an event of one object from another."""
    return (
        qualified(event.status_code, Family.INVOICE),
        _in_utc(event.timestamp).isoformat(),
        event.emitter,
        event.rejection_reason or "",
        event.reason or "",
    )


def _whole_order(event: DetailedEvent) -> tuple[tuple[datetime, int, str, str], Fingerprint]:
    return _order(event), fingerprint(event)


def without_repetitions(events: Iterable[D]) -> list[D]:
    """Return the events of one object in order, each once.

    Two partial payments (212) of one second that say the same cannot be told apart, since events carry no
    amount.
    """
    found: dict[Fingerprint, D] = {}
    for event in sorted(events, key=_whole_order):
        found.setdefault(fingerprint(event), event)
    return list(found.values())


def appeared(before: Iterable[Fingerprint], after: Iterable[D]) -> list[D]:
    """Return the events that are in a list more often than they were, in order.

    So the feed of all objects is compared: two invoices deposited in one second look the same there. That
    something appeared means no more than that something changed; which object, only its own events tell.

    Args:
        before: Fingerprints of the list as it was.
        after: The list as it is.
    """
    known = Counter(before)
    found: list[D] = []
    for event in sorted(after, key=_whole_order):
        mark = fingerprint(event)
        if known[mark]:
            known[mark] -= 1
        else:
            found.append(event)
    return found
