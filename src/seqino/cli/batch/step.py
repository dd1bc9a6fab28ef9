"""How far following is, in words and for machines. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from seqino.batch.states import State
from seqino.cli.batch.show import Language, counts_text, time_text

if TYPE_CHECKING:
    from seqino.batch import Followed

__all__ = ["Step"]


@attrs.frozen(kw_only=True)
class Step:
    """How far following is; what it came to is that of all steps together.

    Args:
        run_id: The run; ``None`` for all of the ledger.
        counts: How many invoices are in which state.
        ends: How many came to each end.
        looked: Invoices that were looked at.
        news: Events that were not known before.
        requests: Requests that it cost.
        failed: Looks of the last step that failed.
        waiting: Invoices that are followed further.
        next_in: Seconds until the first of them is due; ``None`` where none is.
        is_over: Whether this is the last one.
    """

    run_id: int | None
    counts: Mapping[State, int] = attrs.field(factory=dict[State, int])
    ends: Mapping[State, int] = attrs.field(factory=dict[State, int])
    looked: int = 0
    news: int = 0
    requests: int = 0
    failed: int = 0
    waiting: int = 0
    next_in: float | None = None
    is_over: bool = False

    def after(self, followed: Followed, counts: Mapping[State, int]) -> Step:
        """Return the next step.

        Args:
            followed: What came since this one.
            counts: How many invoices are in which state now.
        """
        states = {*self.ends, *followed.ends}
        return attrs.evolve(
            self,
            counts=counts,
            ends={state: self.ends.get(state, 0) + followed.ends.get(state, 0) for state in states},
            looked=self.looked + followed.looked,
            news=self.news + followed.news,
            requests=self.requests + followed.requests,
            failed=followed.failed,
            waiting=followed.waiting,
            next_in=followed.next_in,
        )

    @property
    def cost(self) -> str:
        """How many requests it was."""
        return f"{self.requests} request{'' if self.requests == 1 else 's'}"

    def text(self, lang: Language) -> str:
        """Write it for people."""
        run = "" if self.run_id is None else f"run {self.run_id}: "
        parts = [f"{run}{counts_text(self.counts, lang)}", f"{self.news} new events for {self.cost}"]
        if self.failed:
            parts.append(f"{self.failed} could not be looked at, and are tried again")
        if self.next_in is not None:
            parts.append(f"{self.waiting} followed, next look in {time_text(self.next_in)}")
        return " · ".join(parts)

    @property
    def members(self) -> dict[str, Any]:
        """Write it for machines."""
        return {
            "following": self.run_id,
            "is_over": self.is_over,
            "counts": dict(self.counts),
            "ends": dict(self.ends),
            "looked": self.looked,
            "news": self.news,
            "requests": self.requests,
            "failed": self.failed,
            "waiting": self.waiting,
            "next_in": None if self.next_in is None else round(self.next_in, 1),
        }
