"""Where a submission is written down while it is under way, by whoever needs to know of it afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import attrs

from seqino._core.call import CallEngine
from seqino._core.sending import SendGuard
from seqino._core.wire import UNSET

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqino._core.wire import Operation
    from seqino.errors import CallError
    from seqino.options import CallOptions
    from seqino.submission import Done, Event, Submission

__all__ = ["GuardedCaller", "Journal"]

T = TypeVar("T")


class Journal(Protocol):
    """Told of each step of one submission; what it raises ends the submission there."""

    @property
    def guard(self) -> SendGuard:
        """Asked before each request may leave of which an invoice could come."""
        ...

    async def keep(self, draft_id: str) -> None:
        """Keep the id of the draft that was created."""
        ...

    async def happened(self, event: Event) -> None:
        """Note what came of an action, before the next one is begun."""
        ...

    async def concluded(self, done: Done, ending: Submission | CallError, *, out_of_time: bool) -> None:
        """Note how it ended.

        Args:
            done: The end, as the machine tells it.
            ending: What the caller is told.
            out_of_time: Whether it ended because the time did, or since looks would fail for now.
        """
        ...

    def interrupted(self, error: BaseException | None) -> None:
        """Note that an exception is passing through, as a rule a cancellation; nothing may be awaited."""
        ...


@attrs.frozen
class GuardedCaller:
    """Performs calls whose requests a guard is asked about."""

    engine: CallEngine
    guard: SendGuard

    async def call(
        self,
        operation: Operation[T],
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Any = UNSET,
        options: CallOptions | None = None,
    ) -> T:
        """Perform one logical call."""
        return await self.engine.call(
            operation, parameters=parameters, body=body, options=options, guard=self.guard
        )
