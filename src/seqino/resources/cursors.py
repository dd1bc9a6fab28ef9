"""Polling without a gap: what is new in a list of events, and where the next poll goes on. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

import attrs

from seqino._core.wire import JSON
from seqino.errors import InvalidInput
from seqino.models import LifecycleEvent
from seqino.resources.histories import AnyEvent, parted
from seqino.statuses import UnreadableEvent, fingerprint, in_order, without_repetitions

__all__ = ["Polled", "new_events"]

_VERSION = 1


@attrs.frozen(kw_only=True)
class Polled:
    """What a poll brought.

    Args:
        events: What was not there before, in order. Store it before the cursor.
        unreadable: What was not there before either, and cannot be read. Store it with the events.
        cursor: Where the next poll goes on: plain JSON data, to be stored after the events.
    """

    events: Sequence[LifecycleEvent]
    unreadable: Sequence[UnreadableEvent] = ()
    cursor: Mapping[str, JSON]


def new_events(
    cursor: Mapping[str, Any] | None,
    found: Sequence[AnyEvent],
    *,
    scope: Mapping[str, str | None],
    of_one_object: bool,
) -> Polled:
    """Compare a list of events with what was there before.

    Args:
        cursor: Of the poll before; ``None`` for the first one.
        found: The list as it is.
        scope: What the list is of: a cursor of another one is refused.
        of_one_object: Whether they are of one object, of which events that say the same are the same. Else
            they are counted, since two objects may look alike.

    Raises:
        InvalidInput: The cursor is none, or is of another list.
    """
    before = _seen(cursor, scope)
    events, unreadable = parted(found)
    if of_one_object:
        events = without_repetitions(events)
        unreadable = list({one.digest: one for one in unreadable}.values())
    left = Counter(before)

    def is_new(mark: str) -> bool:
        left[mark] -= 1
        return left[mark] < 0

    new = [event for event in in_order(events) if is_new(_mark(event))]
    new_unreadable = [one for one in unreadable if is_new(one.digest)]
    now = Counter([*map(_mark, events), *(one.digest for one in unreadable)])
    # Of one object nothing comes twice, so that what is hidden for a while is not told again.
    seen = {**before, **now} if of_one_object else now
    return Polled(
        events=new,
        unreadable=new_unreadable,
        cursor={"version": _VERSION, "of": dict(scope), "seen": dict(seen)},
    )


def _mark(event: LifecycleEvent) -> str:
    # Comments stay out of the cursor, and it stays small.
    return hashlib.sha256(json.dumps(fingerprint(event)).encode()).hexdigest()[:24]


def _seen(cursor: Mapping[str, Any] | None, scope: Mapping[str, str | None]) -> dict[str, int]:
    if cursor is None:
        return {}
    seen = cursor.get("seen") if isinstance(cast("object", cursor), Mapping) else None
    if not _are_counts(seen) or cursor.get("version") != _VERSION:
        raise InvalidInput("this is no cursor of lifecycle.poll: give None to begin with everything")
    if cursor.get("of") != scope:
        raise InvalidInput(
            f"the cursor is of another list ({cursor.get('of')!r}) than this one ({dict(scope)!r}): poll "
            "each with its own"
        )
    return dict(seen)


def _are_counts(seen: object) -> TypeGuard[Mapping[str, int]]:
    if not isinstance(seen, Mapping):
        return False
    counts = cast("Mapping[object, object]", seen)
    return all(
        isinstance(mark, str) and isinstance(count, int) and not isinstance(count, bool) and count > 0
        for mark, count in counts.items()
    )
