"""What may still follow an invoice's events, when the portal has to know, and what looks wrong. Pure.

There is no graph of statuses: treatment statuses "can be set independently" (XP Z12-014 Annex A §2.1), so
that an approval may be followed by a refusal. Only the hard rules are here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs

from seqino.statuses.events import (
    StatusEvent,
    in_order,
    instant,
    invoice_number_of,
    is_duplicate_refusal,
    was_not_transmitted,
)
from seqino.statuses.families import Family, Party
from seqino.statuses.meanings import MEANINGS, Meaning, meaning_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "PORTAL_DELAY",
    "StatusWarning",
    "WarningKind",
    "find_warnings",
    "is_without_platform",
    "may_follow",
    "portal_deadline",
]

E = TypeVar("E", bound=StatusEvent)

PORTAL_DELAY = timedelta(hours=24)
"""How long after its own timestamp a status has to reach the portal (DSE v3.1 §3.6.5)."""

_INVOICE = tuple(meaning for meaning in MEANINGS.values() if meaning.family is Family.INVOICE)
_MANDATORY = frozenset(meaning.number for meaning in _INVOICE if meaning.reaches_portal)
_TRANSMITTED = range(200, 204)
_ROUTING_ERROR = 221
_SUSPENDED, _COMPLETED = 208, 209
_BUYER_SIDE = frozenset({Party.BUYER, Party.BUYER_PLATFORM})
_WATCHED = frozenset({210, 212})
"""Mandatory statuses that a user sets; 200 and 213 are the platforms' own."""


def portal_deadline(event: StatusEvent) -> datetime | None:
    """Return until when a status has to reach the public portal.

    Platforms have that duty. A collected payment (212) has to only where VAT is due on payment, which its
    status does not tell, and ``is_mandatory`` of the event does.

    Args:
        event: An event of an invoice; a status without a family is taken for one of an invoice.

    Returns:
        24 hours after the status's own timestamp; ``None`` where it need not, or nobody says that it has to.
    """
    if not _has_to_be_reported(event):
        return None
    try:
        return instant(event.timestamp) + PORTAL_DELAY
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _has_to_be_reported(event: StatusEvent) -> bool:
    # Of an event, the platform says so by is_mandatory; it assumes false, so that false says nothing.
    if getattr(event, "is_mandatory", False) is True:
        return True
    meaning = meaning_of(event.status_code, family=Family.INVOICE)
    return meaning is not None and meaning.reaches_portal and not meaning.only_for_vat_on_payment


def may_follow(history: Iterable[StatusEvent], *, by: Party | None = None) -> tuple[Meaning, ...]:
    """Return the statuses that may still be set of an invoice, and by whom.

    The rules: who sets what is fixed. After a refusal or a rejection (210, 213, but for DOUBLON) no other
    mandatory status may be set (Annex A §2.5); others may. A completion (209) answers a suspension (208).
    Where the buyer has no platform (200 with NON_TRANSMISE), nobody on its side can set anything; the seller
    may still tell that it was paid. Statuses of the transmission come in order (§2.1), but for a routing
    error (221), after which the invoice is transmitted again.

    Args:
        history: All events known of one invoice, in any order.
        by: Only what this party may set.

    Returns:
        The statuses by number, each with ``set_by`` cut down to those who still may. ``needs_reason``,
        ``reasons`` and ``needs_comment`` say what has to come with it. A 212 needs an amount for each VAT
        rate, VAT included (BR-FR-CDV-14, G7.45); cancelled payments are negative ones.
    """
    events = in_order(history)
    seen = [number for event in events if (number := invoice_number_of(event)) is not None]
    excluded: set[int | None] = {*_already_transmitted(seen)}
    if any(number in {210, 213} and not is_duplicate_refusal(event) for number, event in _numbered(events)):
        excluded |= _MANDATORY
    if _SUSPENDED not in seen:
        excluded.add(_COMPLETED)
    absent = _BUYER_SIDE if is_without_platform(events) else frozenset[Party]()
    found: list[Meaning] = []
    for meaning in _INVOICE:
        parties = meaning.set_by - absent
        nobody_can = bool(meaning.set_by) and not parties
        if meaning.number in excluded or nobody_can or (by is not None and by not in parties):
            continue
        found.append(attrs.evolve(meaning, set_by=parties))
    return tuple(found)


def _numbered(events: Sequence[E]) -> Iterator[tuple[int, E]]:
    for event in events:
        number = invoice_number_of(event)
        if number is not None:
            yield number, event


def _already_transmitted(seen: Sequence[int]) -> range:
    """The statuses of the transmission that are behind an invoice."""
    furthest = 199
    for number in seen:
        if number in _TRANSMITTED:
            furthest = max(furthest, number)
        elif number == _ROUTING_ERROR:
            furthest = min(furthest, 200)
    return range(200, furthest + 1)


def is_without_platform(history: Iterable[StatusEvent]) -> bool:
    """Whether the buyer has no platform, as far as the last news of it go.

    Then nobody on its side can answer (200 with NON_TRANSMISE); the seller may still tell that it was paid.

    Args:
        history: All events known of one invoice, in any order.
    """
    without = False
    for event in in_order(history):
        meaning = meaning_of(event.status_code, family=Family.INVOICE)
        if was_not_transmitted(event):
            without = True
        elif meaning is not None and meaning.set_by and meaning.set_by <= _BUYER_SIDE:
            without = False
    return without


class WarningKind(StrEnum):
    """What looks wrong with an event."""

    NOT_CONFIRMED = "not_confirmed"
    """It has to reach the portal, is old, and nothing says that it did. That proves nothing: no status says
    that the portal took one, and silence is its consent (DSE v3.1 §3.6.9)."""
    REFUSED_BY_PORTAL = "refused_by_portal"
    """The portal rejected it (601)."""
    AFTER_THE_END = "after_the_end"
    """A mandatory status after a refusal or a rejection; the portal rejects it."""
    WITHOUT_REASON = "without_reason"
    """It needs a reason and has none."""


@attrs.frozen(kw_only=True)
class StatusWarning(Generic[E]):
    """What looks wrong with an event.

    Args:
        kind: What it is.
        event: The event.
        message: The same in words, with what to do.
        message_fr: The same in French.
    """

    kind: WarningKind
    event: E
    message: str
    message_fr: str


def find_warnings(
    events: Iterable[E],
    *,
    now: datetime,
    reports: Iterable[StatusEvent] = (),
    patience: timedelta | None = None,
) -> tuple[StatusWarning[E], ...]:
    """Look for what is wrong with the events of one invoice.

    Args:
        events: All events known of it, in any order.
        now: The present moment, with its zone.
        reports: What is known of their reporting: events of the object type ``lifecycle_status``. Each is
            taken to be about the last mandatory status before it.
        patience: Ask also for what has to reach the portal and is older than that, without a report of it: a
            refusal (210), and a payment (212) whose ``is_mandatory`` says that it has to. ``None`` takes
            silence for the consent that it is (DSE v3.1 §3.6.9), and does not ask.

    Returns:
        The warnings, in the order of the events.
    """
    ordered = in_order(events)
    mandatory = [event for number, event in _numbered(ordered) if number in _MANDATORY]
    answers = _answers(mandatory, [*filter(_is_report, ordered), *reports])
    found: list[StatusWarning[E]] = []
    dead: int | None = None
    oldest = None if patience is None else instant(now) - patience
    for number, event in _numbered(ordered):
        # The same once more is a repetition, and breaks no rule.
        if dead not in (None, number) and number in _MANDATORY:
            found.append(_warning(WarningKind.AFTER_THE_END, event, number, dead))
        if _needs_reason(number) and not event.rejection_reason:
            found.append(_warning(WarningKind.WITHOUT_REASON, event, number))
        answer = answers.get(id(event))
        if answer is not None and _is_refusal(answer):
            why = answer.rejection_reason or None
            found.append(_warning(WarningKind.REFUSED_BY_PORTAL, event, number, why))
        elif oldest is not None and answer is None and _is_overdue(event, number, oldest):
            hours = (instant(now) - instant(event.timestamp)) // timedelta(hours=1)
            found.append(_warning(WarningKind.NOT_CONFIRMED, event, number, hours))
        if number in {210, 213} and not is_duplicate_refusal(event):
            dead = number
    return tuple(found)


_MESSAGES = {
    WarningKind.NOT_CONFIRMED: (
        (
            "{number} is {what} h old, unconfirmed: it is due at the public portal within 24 h, whose "
            "silence means that it was taken: ask the platform"
        ),
        (
            "{number} date de {what} h, sans confirmation : le portail public doit l'avoir sous 24 h, et son "
            "silence vaut acceptation ; demandez à la plateforme"
        ),
    ),
    WarningKind.REFUSED_BY_PORTAL: (
        "{number} was rejected: {what}: correct it with the platform, and have it reported again",
        "{number} a été rejeté : {what} ; corrigez-le avec la plateforme et faites-le transmettre à nouveau",
    ),
    WarningKind.AFTER_THE_END: (
        "{number} follows a {what}: no mandatory status may follow a refusal or a rejection",
        "{number} suit un {what} : aucun statut obligatoire ne peut suivre un refus ou un rejet",
    ),
    WarningKind.WITHOUT_REASON: (
        "{number} gives no reason: ask who set it, as nobody can act on it",
        "{number} ne donne pas de motif : demandez-le à son émetteur, car personne ne peut y donner suite",
    ),
}
"""In English and in French."""


def _is_overdue(event: StatusEvent, number: int, oldest: datetime) -> bool:
    return number in _WATCHED and _has_to_be_reported(event) and instant(event.timestamp) < oldest


def _warning(kind: WarningKind, event: E, number: int, what: int | str | None = None) -> StatusWarning[E]:
    english, french = _MESSAGES[kind]
    return StatusWarning(
        kind=kind,
        event=event,
        message=english.format(number=number, what="without a reason" if what is None else what),
        message_fr=french.format(number=number, what="sans motif" if what is None else what),
    )


def _needs_reason(number: int) -> bool:
    return any(meaning.number == number and meaning.needs_reason for meaning in _INVOICE)


def _is_report(event: StatusEvent) -> bool:
    return str(event.status_code).startswith(f"{Family.LIFECYCLE_STATUS.value}.")


def _is_refusal(report: StatusEvent) -> bool:
    meaning = meaning_of(report.status_code, family=Family.LIFECYCLE_STATUS)
    return meaning is not None and meaning.number == 601  # noqa: PLR2004 - its number is its name


def _answers(mandatory: Sequence[StatusEvent], reports: Sequence[StatusEvent]) -> dict[int, StatusEvent]:
    """Find the last report about each mandatory status: each is about the last status before it."""
    found: dict[int, StatusEvent] = {}
    for report in in_order(reports):
        before = [event for event in mandatory if instant(event.timestamp) <= instant(report.timestamp)]
        if before:
            found[id(before[-1])] = report
    return found
