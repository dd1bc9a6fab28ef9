"""What the events of an invoice say about its end. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from seqino.cli.result import End
from seqino.statuses import LocalState, StatusMeaning, in_order, is_duplicate_refusal, local_state, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seqino.models import LifecycleEvent

__all__ = ["Standing", "standing"]

_DEAD = {210: End.REFUSED, 213: End.REJECTED, 220: End.CANCELLED}
_ENDS = {LocalState.SETTLED: End.PAID, LocalState.NOT_DELIVERED: End.NOT_DELIVERED}
_ENDING = frozenset({*_DEAD, 212})


@attrs.frozen(kw_only=True)
class Standing:
    """Where the events seen leave an invoice.

    Args:
        end: An end of following, or ``OPEN``.
        status: The status that says so: the one that ended it, else the last one.
        reason: The reason that came with it, or an empty text.
    """

    end: End = End.OPEN
    status: StatusMeaning | None = None
    reason: str = ""


def standing(events: Sequence[LifecycleEvent]) -> Standing:
    """Tell where the events of an invoice leave it; they may come in any order."""
    if not events:
        return Standing()
    ordered = in_order(events)
    state = local_state(ordered)
    if state is LocalState.DUPLICATE:
        return _standing(End.DUPLICATE, next(filter(is_duplicate_refusal, ordered)))
    if state in (LocalState.DEAD, LocalState.SETTLED):
        event = next(event for event in ordered if _ends(event))
        return _standing(_DEAD.get(_number(event), End.PAID), event)
    # A second delivery that was refused says nothing of the invoice that is held.
    own = [event for event in ordered if not is_duplicate_refusal(event)]
    return _standing(End.OPEN if state is None else _ENDS.get(state, End.OPEN), own[-1])


def _number(event: LifecycleEvent) -> int:
    return resolve(event.status_code, "invoice").number or 0


def _ends(event: LifecycleEvent) -> bool:
    return _number(event) in _ENDING and not is_duplicate_refusal(event)


def _standing(end: End, event: LifecycleEvent) -> Standing:
    words = (event.rejection_reason, event.reason)
    return Standing(
        end=end,
        status=resolve(event.status_code, "invoice"),
        reason=": ".join(word for word in words if word),
    )
