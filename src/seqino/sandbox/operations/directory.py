"""The national directory: whether invoices for a company can be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqino.sandbox.judge import Refusal
from seqino.sandbox.operations.base import Answer, refuse_no_siren

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino.sandbox.operations.base import Call, Play
    from seqino.sandbox.world import World

__all__ = ["DirectoryOperations"]


class DirectoryOperations:
    """What the tag *Directory* does.

    Args:
        world: What it reads.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def table(self) -> Mapping[str, Play]:
        """Its operations, by method and path template."""
        return {"GET /directory/{siren}": self.get_directory_entry}

    def get_directory_entry(self, call: Call) -> Answer:
        """Answer the line of a company as a whole, which one with lines for its parts alone does not have."""
        _ = call.client  # an unknown one gets 404, as everywhere
        siren, now = call.parameters["siren"], self._world.clock.now()
        refuse_no_siren(siren)
        for line in self._world.directory.lines(siren, now):
            if line.mesh == (siren, None, None, None):
                return Answer(200, line.shown(now))
        raise Refusal(404, f"the directory has no line for {siren} as a whole")
