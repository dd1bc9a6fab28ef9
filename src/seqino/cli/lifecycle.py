"""Lifecycle events for people and machines: number, label, emitter, reason; where they leave an invoice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino.cli.plain import Found
from seqino.cli.tables import Column, moment, show_table
from seqino.cli.terminal import label, one_line, say
from seqino.models import LifecycleEvent
from seqino.statuses import LocalState, UnreadableEvent, find_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino.cli.terminal import Language

__all__ = [
    "event_line",
    "event_members",
    "parted",
    "reason_text",
    "say_unreadable",
    "show_events",
    "state_label",
    "unreadable_line",
    "unreadable_members",
    "warning_line",
]

_STATES: dict[LocalState | None, tuple[str, str]] = {
    None: ("aucun événement", "no events"),
    LocalState.IN_TRANSIT: ("en acheminement", "in transit"),
    LocalState.AWAITING_BUYER: ("en attente de l'acheteur", "awaiting the buyer"),
    LocalState.ACCEPTED: ("acceptée", "accepted"),
    LocalState.SETTLED: ("encaissée", "paid"),
    LocalState.DEAD: ("refusée, rejetée ou annulée", "refused, rejected or cancelled"),
    LocalState.NOT_DELIVERED: (
        "émise, non remise : en remettre une copie autrement",
        "issued, not delivered: hand over a copy by other means",
    ),
    LocalState.DUPLICATE: (
        "envoi refusé : la facture est déjà déposée",
        "delivery refused: the invoice is there already",
    ),
    LocalState.EXPIRED: ("suivi arrêté", "no longer followed"),
}


_HEADS: dict[Language, tuple[str, str, str, str]] = {
    "fr": ("date", "statut", "émetteur", "motif"),
    "en": ("time", "status", "emitter", "reason"),
}
_NONE: dict[Language, str] = {
    "fr": "aucun événement ; un identifiant inconnu de ce client n'en a pas non plus",
    "en": "no events; an id that this client does not know has none either",
}


def state_label(state: LocalState | None, lang: Language) -> str:
    """Say where an invoice is."""
    french, english = _STATES[state]
    return french if lang == "fr" else english


def reason_text(event: LifecycleEvent, lang: Language) -> str:
    """Say why a status was set: code, what it means, and the comment that came with it."""
    code, found = event.rejection_reason, find_reason(event.rejection_reason)
    if found is not None and code == found.code:
        code = f"{code} ({found.label_fr if lang == 'fr' else found.label_en})"
    return ": ".join(filter(None, (code, event.reason)))


def show_events(events: Sequence[LifecycleEvent], lang: Language) -> None:
    """Print one row a lifecycle event."""
    time, status, emitter, reason = _HEADS[lang]
    columns = (
        Column[LifecycleEvent](time, lambda event: event.timestamp, is_whole=True),
        Column[LifecycleEvent](status, lambda event: label(event.status_code, lang)),
        Column[LifecycleEvent](emitter, lambda event: event.emitter),
        Column[LifecycleEvent](reason, lambda event: reason_text(event, lang)),
    )
    show_table(columns, events, none=_NONE[lang])


def event_line(event: LifecycleEvent, lang: Language) -> str:
    """Write an event on one line, for lists that grow."""
    status = label(event.status_code, lang)
    words = f"{moment(event.timestamp)}  {status:<28}  {event.emitter:<5}  {reason_text(event, lang)}"
    return words.rstrip()


def event_members(found: Found[LifecycleEvent], lang: Language) -> dict[str, Any]:
    """Return what a machine reads of an event: all that came, and what its status means."""
    event = found.value
    code = event.status_code
    ours = {
        "timestamp": event.timestamp.isoformat(),
        "status_code": code.value,
        "number": code.number,
        "label": code.label_fr if lang == "fr" else code.label_en,
        "emitter": event.emitter,
        "reason": event.reason,
        "rejection_reason": event.rejection_reason,
        "is_mandatory": event.is_mandatory,
    }
    return {**ours, **{name: member for name, member in found.members.items() if name not in ours}}


def parted(
    found: Sequence[Found[LifecycleEvent | UnreadableEvent]],
) -> tuple[list[Found[LifecycleEvent]], list[UnreadableEvent]]:
    """Part the events that can be read from what came as one and cannot."""
    events: list[Found[LifecycleEvent]] = []
    unreadable: list[UnreadableEvent] = []
    for one in found:
        if isinstance(one.value, UnreadableEvent):
            unreadable.append(one.value)
        else:
            events.append(Found(one.value, one.raw))
    return events, unreadable


def unreadable_line(event: UnreadableEvent, lang: Language = "en") -> str:
    """Write what came as an event and cannot be read on one line: what is wrong, and what came."""
    problem, came = one_line(event.problem), one_line(_text(event))
    if lang == "fr":
        return f"un événement illisible ({problem}) : {came}"
    return f"an event that cannot be read ({problem}): {came}"


def warning_line(text: str, lang: Language) -> str:
    """Write a warning, whose words are in that language."""
    return f"avertissement : {text}" if lang == "fr" else f"warning: {text}"


def unreadable_members(event: UnreadableEvent) -> dict[str, Any]:
    """Return what a machine reads of what came as an event and cannot be read."""
    return {"unreadable": event.problem, "raw": _text(event)}


def say_unreadable(events: Sequence[UnreadableEvent], lang: Language) -> None:
    """Say what came as an event and cannot be read, beside the output."""
    for event in events:
        say(warning_line(unreadable_line(event, lang), lang), stderr=True)


def _text(event: UnreadableEvent) -> str:
    return event.raw.decode(errors="backslashreplace")
