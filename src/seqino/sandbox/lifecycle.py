"""The history of an invoice at a moment: computed from its scenario, never stored. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from seqino.sandbox.clock import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from seqino.sandbox.scenarios import Step

__all__ = ["event", "history"]

_FAMILY = "InvoiceLifecycleStatus"

_MANDATORY = frozenset({"DEPOSITED", "REFUSED", "COLLECTED", "REJECTED"})
"""200, 210, 212 and 213 have to reach the public portal within 24 hours (DSE v3.1 §3.6.5)."""


def event(step: Step, deposited_at: datetime) -> dict[str, Any]:
    """Build the lifecycle event of one step, as it goes on the wire."""
    return {
        "status_code": f"{_FAMILY}.{step.status}",
        "timestamp": stamp(deposited_at + timedelta(seconds=step.after)),
        "emitter": step.emitter,
        "reason": step.reason,
        "rejection_reason": step.rejection_reason,
        "is_mandatory": step.status in _MANDATORY,
    }


def history(steps: Iterable[Step], deposited_at: datetime, now: datetime) -> Iterator[dict[str, Any]]:
    """Yield the events that have happened by ``now``, oldest first."""
    for step in steps:
        if deposited_at + timedelta(seconds=step.after) <= now:
            yield event(step, deposited_at)
