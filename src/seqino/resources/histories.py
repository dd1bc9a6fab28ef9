"""Lists of events as the platform sends them: what can be read of one, and what cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import msgspec

from seqino._core.codec import Codec, DecodeFault
from seqino._core.raw import hearing
from seqino._generated import operations
from seqino._generated.tables import WIRE_NAMES
from seqino.errors import Fault, ResponseDecodeError
from seqino.models import LifecycleEvent, ObjectType
from seqino.statuses import UnreadableEvent, without_repetitions
from seqino.statuses.events import is_of_our_calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seqino._core.wire import Caller
    from seqino.options import CallOptions

__all__ = ["AnyEvent", "History", "events_in", "fetch_events", "parted"]

AnyEvent: TypeAlias = LifecycleEvent | UnreadableEvent

_CODEC = Codec(wire_names=WIRE_NAMES)
_BEYOND = Fault(
    "$.timestamp", "is in the first or the last year of the calendar, and no moment in every zone"
)


class History(list[LifecycleEvent]):
    """What happened to one object, in order, each event once.

    Args:
        events: Its events.
        unreadable: What was sent as an event of it and cannot be read, each once.
    """

    def __init__(
        self, events: Iterable[LifecycleEvent] = (), unreadable: Iterable[UnreadableEvent] = ()
    ) -> None:
        super().__init__(events)
        self.unreadable: Sequence[UnreadableEvent] = tuple(unreadable)

    @classmethod
    def of(cls, found: Iterable[AnyEvent]) -> History:
        """Make it of what was sent of the object, in any order and with repetitions."""
        events, unreadable = parted(found)
        return cls(without_repetitions(events), {one.digest: one for one in unreadable}.values())

    def joined(self, other: History) -> History:
        """Return all that both of them have, of one object."""
        return History.of([*self, *self.unreadable, *other, *other.unreadable])


def parted(found: Iterable[AnyEvent]) -> tuple[list[LifecycleEvent], list[UnreadableEvent]]:
    """Part what can be read from what cannot, each in its order."""
    events: list[LifecycleEvent] = []
    unreadable: list[UnreadableEvent] = []
    for one in found:
        if isinstance(one, UnreadableEvent):
            unreadable.append(one)
        else:
            events.append(one)
    return events, unreadable


async def fetch_events(
    caller: Caller,
    *,
    object_type: ObjectType | str | None,
    object_id: str | None,
    client_id: str | None,
    options: CallOptions | None,
) -> Sequence[AnyEvent]:
    """Ask for events, and return all of them in their places, whether they can be read or not.

    Args:
        caller: Performs the call.
        object_type: As for the operation.
        object_id: As for the operation.
        client_id: As for the operation.
        options: As for the operation.

    Raises:
        ResponseDecodeError: The answer is no list at all.
        CallError: The call failed.
    """
    with hearing() as heard:
        try:
            events = await operations.get_lifecycle_events(
                caller, object_type=object_type, object_id=object_id, client_id=client_id, options=options
            )
        except ResponseDecodeError as error:
            # Of a list in pages the way on stands in the answer too: without it the rest would be lost.
            is_whole = operations.GET_LIFECYCLE_EVENTS.pagination is None
            found = events_in(error.raw) if is_whole else None
            if found is None:
                raise
            return found
    if heard.last is None or all(is_of_our_calendar(event.timestamp) for event in events):
        return events
    return events_in(heard.last[0].body) or events


def events_in(raw: bytes) -> Sequence[AnyEvent] | None:
    """Read the events of an answer one by one.

    Args:
        raw: The answer's body.

    Returns:
        All of them in their places; ``None`` where it is no list.
    """
    try:
        items = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except (msgspec.DecodeError, RecursionError):
        return None
    return [_read(bytes(item)) for item in items]


def _read(raw: bytes) -> AnyEvent:
    try:
        event: LifecycleEvent = _CODEC.decode(raw, LifecycleEvent)
    except DecodeFault as fault:
        return _without_nulls(raw) or UnreadableEvent(raw=raw, faults=fault.faults)
    if not is_of_our_calendar(event.timestamp):
        return UnreadableEvent(raw=raw, faults=(_BEYOND,))
    return event


def _without_nulls(raw: bytes) -> LifecycleEvent | None:
    """Read an event without its members that are null: what is assumed of one that is absent."""
    try:
        members = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        told = {name: value for name, value in members.items() if bytes(value) != b"null"}
        event: LifecycleEvent = _CODEC.decode(msgspec.json.encode(told), LifecycleEvent)
    except (msgspec.DecodeError, UnicodeDecodeError, DecodeFault, RecursionError):
        return None
    return event if is_of_our_calendar(event.timestamp) else None
