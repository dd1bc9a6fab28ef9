"""What has happened to objects, as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from seqino.sandbox.judge import Unprocessable, problem
from seqino.sandbox.operations.base import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world import World

__all__ = ["LifecycleOperations"]


class LifecycleOperations:
    """What the tag *Lifecycle* does.

    Args:
        world: What it reads.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {"GET /lifecycle-events": self.get_lifecycle_events}

    def get_lifecycle_events(self, call: Call) -> Answer:
        """Answer the events of one object, of all of a kind, or of the client, as they arrived."""
        kind, wanted = call.parameters.get("object_type"), call.parameters.get("object_id")
        if kind is None and wanted is not None:
            loc = ("query", "object_type")
            raise Unprocessable(
                [problem(loc, "object_id says which object only with object_type", "missing")]
            )
        now = self._world.clock.now()
        chosen = (one for one in call.client.subjects(wanted) if kind in (None, one.object_type))
        events: list[dict[str, Any]] = []
        moments: list[datetime] = []
        for subject in chosen:
            for moment, event in subject.arrivals(now):
                events.append(event)
                moments.append(moment)
        order = sorted(range(len(events)), key=moments.__getitem__)
        return Answer(200, [events[place] for place in order])
