"""The states of an invoice in the ledger, what may happen to it, and what it is then. Pure.

::

    queued ─► drafted ─► sending ─► accepted ─► settled · dead · not delivered · duplicate · expired
       ▲         ▲          ├─ taken, without an id ─► accepted unidentified ─► accepted
       │         │          ├─ refused, never in doubt ─► rejected ─(corrected)─► correcting ─► drafted
       └─────────┴─ nothing of it left
                            └─ nobody can tell ─► in doubt ─► accepted by evidence, else parked

Once an end was unclear (``ever_unknown``), nothing leads back to where an invoice is sent as a matter of
course: only a look that proves its draft unused does, or a person.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from seqino.submission import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DUE", "NO_VERDICT", "RECOVERABLE", "ItemEvent", "State", "conclusion", "next_state"]


class State(StrEnum):
    """How things stand with an invoice."""

    QUEUED = "queued"
    """To be sent; nothing of it exists on the platform."""
    DRAFTED = "drafted"
    """To be sent; its draft exists."""
    SENDING = "sending"
    """Perhaps on its way: this is written before the bytes leave."""
    IN_DOUBT = "in_doubt"
    """Perhaps an invoice exists; its draft will be looked at."""
    PARKED = "parked"
    """Perhaps an invoice exists, and no look can tell: a person, or a webhook, has to."""
    CORRECTING = "correcting"
    """To be sent, once its draft was replaced by what it was corrected to."""
    ACCEPTED_UNIDENTIFIED = "accepted_unidentified"
    """The platform took it, but shows no id."""
    ACCEPTED = "accepted"
    """The platform has it, and named it."""
    REJECTED = "rejected"
    """The platform refused it; no invoice exists."""
    INVALID = "invalid"
    """Never sent: it cannot be read, or is not what it was."""
    SETTLED = "settled"
    """Paid (212)."""
    DEAD = "dead"
    """Refused, rejected or cancelled after it was taken (210, 213, 220)."""
    NOT_DELIVERED = "not_delivered"
    """Issued, but the buyer has no platform or could not be reached (200 with NON_TRANSMISE, 221)."""
    DUPLICATE = "duplicate"
    """Taken, and refused by the network (213 with DOUBLON), which holds the invoice already and keeps its
    state. Where an end of sending it was ever unclear, it is its own first sending that arrived."""
    EXPIRED = "expired"
    """Taken, and not at an end when following it was given up."""

    @property
    def is_in_doubt(self) -> bool:
        """Whether an invoice may exist of which nobody can tell."""
        return self in _DOUBTFUL

    @property
    def is_taken(self) -> bool:
        """Whether the platform took it, whatever became of it since."""
        return self in _TAKEN

    @property
    def is_to_be_sent(self) -> bool:
        """Whether it is sent as soon as somebody does."""
        return self in DUE


DUE = frozenset({State.QUEUED, State.DRAFTED, State.CORRECTING})
"""What is to be sent."""

_DOUBTFUL = frozenset({State.SENDING, State.IN_DOUBT, State.PARKED})
_ENDS = frozenset({State.SETTLED, State.DEAD, State.NOT_DELIVERED, State.DUPLICATE, State.EXPIRED})
_TAKEN = _ENDS | {State.ACCEPTED, State.ACCEPTED_UNIDENTIFIED}


class ItemEvent(StrEnum):
    """What may happen to an invoice in the ledger."""

    ADDED = "added"
    """It was taken into the ledger: the first of its history."""
    ADOPTED = "adopted"
    """A process began to work on it."""
    LEFT = "left"
    """The process stopped working on it."""
    KEPT = "kept"
    """Its draft was created, and nothing more."""
    MARKED = "marked"
    """It is about to be sent."""
    WITHDRAWN = "withdrawn"
    """Nothing of it left, or it was turned away without a verdict on it."""
    LATE = "late"
    """It was held back, since too much time had passed since it was marked."""
    POSTPONED = "postponed"
    """It was not even begun to be sent."""
    LOST = "lost"
    """It was sent, and its end is unclear."""
    TAKEN_OVER = "taken_over"
    """Whoever was sending it seems dead."""
    RECOVERED = "recovered"
    """The ledger is a backup, so that it may have been sent since."""
    REFUSED = "refused"
    """The platform refused it."""
    ACCEPTED = "accepted"
    """An answer, a look or a webhook shows the invoice."""
    UNIDENTIFIED = "unidentified"
    """The platform took it, and showed no id."""
    CONTRADICTED = "contradicted"
    """The platform had said that it took it, and shows a draft still."""
    LOOKED = "looked"
    """A look decided nothing."""
    PARKED = "parked"
    """No look can tell."""
    REOPENED = "reopened"
    """It is looked at again."""
    RESENT = "resent"
    """A person wants it sent again, knowing the risk."""
    ABSENT = "absent"
    """A person says that no invoice exists."""
    CORRECTED = "corrected"
    """It has another content."""
    REPLACED = "replaced"
    """Its draft has the content that the ledger names."""
    NAMED = "named"
    """The document that it is made of became known."""
    SPOILT = "spoilt"
    """Its file was changed, or is gone."""
    UNREADABLE = "unreadable"
    """The platform shows a lifecycle event of it that cannot be read."""
    SETTLED = "settled"
    DEAD = "dead"
    NOT_DELIVERED = "not_delivered"
    DUPLICATE = "duplicate"
    EXPIRED = "expired"

    @property
    def makes_doubt(self) -> bool:
        """Whether an invoice may exist from then on that nothing has shown."""
        return self in _MAKE_DOUBT


_MAKE_DOUBT = frozenset(
    {ItemEvent.LOST, ItemEvent.TAKEN_OVER, ItemEvent.RECOVERED, ItemEvent.CONTRADICTED, ItemEvent.PARKED}
)


class _To(StrEnum):
    """Where an event leads, depending on what is known of the invoice."""

    SAME = "same"
    BACK = "back"
    """To where it is sent from; in doubt, if it ever was."""
    SENDABLE = "sendable"
    """To where it is sent from, in any case."""
    DOUBT = "doubt"
    """In doubt, where a draft can be looked at; else parked."""
    REFUSAL = "refusal"
    """Rejected; in doubt, if it ever was."""
    CORRECTION = "correction"
    """Corrected, if it was never in doubt."""
    SPOILT = "spoilt"
    """Invalid; parked, if it was ever in doubt."""


_Target: TypeAlias = State | _To

_UNSENT = (State.QUEUED, State.DRAFTED, State.CORRECTING)
_OPEN_DOUBTS = (State.IN_DOUBT, State.PARKED)
_FOLLOWED = (State.ACCEPTED, State.NOT_DELIVERED, State.DUPLICATE, State.EXPIRED)


def _from(*states: State, to: _Target) -> dict[State, _Target]:
    return dict.fromkeys(states, to)


_TABLE: Mapping[ItemEvent, Mapping[State, _Target]] = {
    ItemEvent.ADDED: _from(State.QUEUED, State.INVALID, to=_To.SAME),
    ItemEvent.ADOPTED: _from(*State, to=_To.SAME),
    ItemEvent.LEFT: _from(*State, to=_To.SAME),
    ItemEvent.KEPT: _from(State.QUEUED, to=State.DRAFTED),
    ItemEvent.MARKED: _from(State.QUEUED, State.DRAFTED, State.IN_DOUBT, to=State.SENDING),
    ItemEvent.WITHDRAWN: _from(State.SENDING, to=_To.BACK),
    ItemEvent.LATE: _from(State.SENDING, to=_To.BACK),
    ItemEvent.POSTPONED: _from(*_UNSENT, to=_To.SAME),
    # A draft that cannot be replaced any more was perhaps validated, by whomever.
    ItemEvent.LOST: _from(State.SENDING, State.CORRECTING, to=_To.DOUBT),
    ItemEvent.TAKEN_OVER: _from(State.SENDING, to=_To.DOUBT),
    ItemEvent.RECOVERED: {
        **_from(*_UNSENT, State.SENDING, to=_To.DOUBT),
        # What was rejected, or never sent, may have been corrected since; from now on it may not be.
        **_from(*_OPEN_DOUBTS, State.REJECTED, State.INVALID, to=_To.SAME),
    },
    ItemEvent.REFUSED: {**_from(*_UNSENT, State.SENDING, to=_To.REFUSAL), State.IN_DOUBT: _To.SAME},
    ItemEvent.ACCEPTED: _from(*(state for state in State if state not in _ENDS), to=State.ACCEPTED),
    ItemEvent.UNIDENTIFIED: _from(
        *(State.SENDING, *_OPEN_DOUBTS, State.ACCEPTED_UNIDENTIFIED), to=State.ACCEPTED_UNIDENTIFIED
    ),
    ItemEvent.CONTRADICTED: _from(State.ACCEPTED_UNIDENTIFIED, to=_To.DOUBT),
    ItemEvent.LOOKED: _from(State.IN_DOUBT, State.ACCEPTED_UNIDENTIFIED, to=_To.SAME),
    ItemEvent.PARKED: _from(State.IN_DOUBT, State.SENDING, to=State.PARKED),
    ItemEvent.REOPENED: _from(State.PARKED, to=_To.DOUBT),
    ItemEvent.RESENT: _from(*_OPEN_DOUBTS, to=_To.SENDABLE),
    ItemEvent.ABSENT: _from(*_OPEN_DOUBTS, to=State.REJECTED),
    ItemEvent.CORRECTED: _from(State.REJECTED, State.INVALID, to=_To.CORRECTION),
    ItemEvent.REPLACED: {State.CORRECTING: State.DRAFTED, State.IN_DOUBT: _To.SAME},
    ItemEvent.NAMED: _from(*State, to=_To.SAME),
    ItemEvent.SPOILT: _from(State.QUEUED, to=_To.SPOILT),
    ItemEvent.UNREADABLE: _from(*State, to=_To.SAME),
    ItemEvent.SETTLED: _from(*_FOLLOWED, to=State.SETTLED),
    ItemEvent.DEAD: _from(*_FOLLOWED, to=State.DEAD),
    ItemEvent.NOT_DELIVERED: _from(*(State.ACCEPTED, State.DUPLICATE, State.EXPIRED), to=State.NOT_DELIVERED),
    ItemEvent.DUPLICATE: _from(State.ACCEPTED, State.EXPIRED, to=State.DUPLICATE),
    ItemEvent.EXPIRED: _from(State.ACCEPTED, to=State.EXPIRED),
}


RECOVERABLE = frozenset(_TABLE[ItemEvent.RECOVERED])
"""What may have been sent, or sent again, since a backup was made."""


def next_state(state: State, event: ItemEvent, *, has_draft: bool, ever_unknown: bool) -> State:
    """Tell what an invoice is after an event.

    Args:
        state: What it is before.
        event: What happened.
        has_draft: Whether the id of its draft is known.
        ever_unknown: Whether any send of it ever had an unclear end.

    Raises:
        ValueError: The event cannot happen to it.
    """
    target = _TABLE[event].get(state)
    if target is None or (target is _To.CORRECTION and ever_unknown):
        why = " whose end was ever unclear" if ever_unknown else ""
        raise ValueError(f"{event!r} cannot happen to an invoice that is {state!r}{why}")
    if isinstance(target, State):
        return target
    return state if target is _To.SAME else _resolve(target, has_draft=has_draft, ever_unknown=ever_unknown)


def _resolve(target: _To, *, has_draft: bool, ever_unknown: bool) -> State:
    doubt = State.IN_DOUBT if has_draft else State.PARKED
    sendable = State.DRAFTED if has_draft else State.QUEUED
    match target:
        case _To.SENDABLE:
            return sendable
        case _To.BACK:
            return doubt if ever_unknown else sendable
        case _To.REFUSAL:
            return doubt if ever_unknown else State.REJECTED
        case _To.CORRECTION:
            return State.CORRECTING if has_draft else State.QUEUED
        case _To.SPOILT:
            return State.PARKED if ever_unknown else State.INVALID
        case _:
            return doubt


NO_VERDICT = frozenset({401, 402, 403, 405, 421, 426, 431})
"""Refusals that are about the key, the client or the server, and say nothing of the invoice."""

_NOT_FOUND = 404


def conclusion(  # noqa: PLR0911 - a table
    verdict: Verdict,
    *,
    state: State,
    has_draft: bool,
    status: int | None,
    refused: bool,
    out_of_time: bool,
) -> ItemEvent:
    """Tell what happened to an invoice whose submission came to an end.

    Args:
        verdict: How it ended.
        state: What the invoice was last.
        has_draft: Whether its draft was created.
        status: HTTP status of the last refusal or failure, if there was one.
        refused: Whether that was a complete answer which says that nothing was done.
        out_of_time: Whether it ended because the time or the patience did, or since looks would fail for now.
    """
    match verdict:
        case Verdict.ACCEPTED:
            return ItemEvent.ACCEPTED
        case Verdict.ACCEPTED_UNIDENTIFIED:
            return ItemEvent.UNIDENTIFIED
        case Verdict.REJECTED:
            says_nothing = status in NO_VERDICT or (status == _NOT_FOUND and not has_draft)
            return ItemEvent.WITHDRAWN if says_nothing else ItemEvent.REFUSED
        case Verdict.IN_DOUBT:
            return _doubt(state, out_of_time=out_of_time)
        case _ if state is State.SENDING:
            return ItemEvent.WITHDRAWN
        case _ if refused and not has_draft and status != _NOT_FOUND and status not in NO_VERDICT:
            return ItemEvent.REFUSED
        case _:
            return ItemEvent.KEPT if has_draft and state is State.QUEUED else ItemEvent.POSTPONED


def _doubt(state: State, *, out_of_time: bool) -> ItemEvent:
    if state is State.ACCEPTED_UNIDENTIFIED:
        return ItemEvent.CONTRADICTED
    if out_of_time:
        return ItemEvent.LOST if state is State.SENDING else ItemEvent.LOOKED
    # All was looked at that could be, and nothing came of it.
    return ItemEvent.PARKED
