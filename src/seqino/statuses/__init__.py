"""Statuses as code: what each means, where events leave an invoice, what may follow, when to look. Pure.

``LifecycleStatusCode``, whose values are generated from the API description, has all of it as properties::

    event.status_code.label_fr, event.status_code.needs_reason, event.status_code.reasons

The rest are functions of events: no input or output, no clock, no randomness.
"""

from __future__ import annotations

from seqino.statuses.events import (
    DetailedEvent,
    Fingerprint,
    StatusEvent,
    appeared,
    fingerprint,
    in_order,
    is_duplicate_refusal,
    was_not_transmitted,
    without_repetitions,
)
from seqino.statuses.families import Family, Party, Phase
from seqino.statuses.following import Backoff, GoalName, LookAt, Over, Until, Watch, ends, goal_of, next_step
from seqino.statuses.local import LocalState, local_state
from seqino.statuses.meanings import Meaning, StatusMeaning, meaning_of, resolve
from seqino.statuses.reasons import REASONS, Reason, find_reason
from seqino.statuses.rules import (
    PORTAL_DELAY,
    StatusWarning,
    WarningKind,
    find_warnings,
    is_without_platform,
    may_follow,
    portal_deadline,
)
from seqino.statuses.unreadable import UnreadableEvent

__all__ = [
    "PORTAL_DELAY",
    "REASONS",
    "Backoff",
    "DetailedEvent",
    "Family",
    "Fingerprint",
    "GoalName",
    "LocalState",
    "LookAt",
    "Meaning",
    "Over",
    "Party",
    "Phase",
    "Reason",
    "StatusEvent",
    "StatusMeaning",
    "StatusWarning",
    "UnreadableEvent",
    "Until",
    "WarningKind",
    "Watch",
    "appeared",
    "ends",
    "find_reason",
    "find_warnings",
    "fingerprint",
    "goal_of",
    "in_order",
    "is_duplicate_refusal",
    "is_without_platform",
    "local_state",
    "may_follow",
    "meaning_of",
    "next_step",
    "portal_deadline",
    "resolve",
    "was_not_transmitted",
    "without_repetitions",
]
