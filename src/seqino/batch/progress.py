"""How far a run is: counts, rate, and the time that is left. Pure: the clock is passed in."""

from __future__ import annotations

import collections
from collections.abc import Mapping

import attrs

from seqino.batch.allowance import Allowance
from seqino.batch.states import State
from seqino.errors import SeqinoError

__all__ = ["Meter", "Progress"]

_WINDOW = 30.0
"""Seconds over which the rate is taken: it is to follow what changes, and not to jump."""


@attrs.frozen(kw_only=True)
class Progress:
    """How far a run is.

    Args:
        run_id: The run.
        counts: How many of its invoices are in which state; states without any are left out.
        refused: How many of its source were not taken: unreadable without a key, or sent already.
        is_over: Whether this is the last one: nothing more is done until the run is submitted again.
        elapsed: Seconds since it began.
        rate: Invoices a second that got to an end of being sent, of late.
        seconds_left: How long the rest takes at this rate; ``None`` where that is unknown.
        concurrency: How many requests may be under way at present.
        under_way: How many are.
        held_for: Seconds until requests go on, as the platform told to wait; 0 where it did not.
        allowance: What the platform tells of its limits; without any rate where it tells nothing.
        paused: Clients whose invoices wait, and why: the platform refuses to act on their behalf.
        given_up: How many the platform failed on so often that they wait until the run is submitted again.
        unread: Why files cannot be read for now, one for each; they are tried again, a few times, and then
            wait until the run is submitted again.
        stopped: What stopped the run before its end; it is raised after this.
    """

    run_id: int
    counts: Mapping[State, int]
    refused: int = 0
    is_over: bool = False
    elapsed: float = 0.0
    rate: float = 0.0
    seconds_left: float | None = None
    concurrency: int = 0
    under_way: int = 0
    held_for: float = 0.0
    allowance: Allowance = attrs.field(factory=Allowance)
    paused: Mapping[str, str] = attrs.field(factory=dict[str, str])
    given_up: int = 0
    unread: tuple[str, ...] = ()
    stopped: SeqinoError | None = None

    @property
    def total(self) -> int:
        """How many invoices the run has."""
        return sum(self.counts.values())

    @property
    def to_be_sent(self) -> int:
        """How many are still to be sent."""
        return sum(count for state, count in self.counts.items() if state.is_to_be_sent)

    @property
    def taken(self) -> int:
        """How many the platform took."""
        return sum(count for state, count in self.counts.items() if state.is_taken)

    @property
    def rejected(self) -> int:
        """How many the platform refused."""
        return self.counts.get(State.REJECTED, 0)

    @property
    def invalid(self) -> int:
        """How many were never sent: they cannot be read, or changed."""
        return self.counts.get(State.INVALID, 0)

    @property
    def in_doubt(self) -> int:
        """How many of which nobody can tell yet whether an invoice exists."""
        return sum(count for state, count in self.counts.items() if state.is_in_doubt)


class Meter:
    """Counts what becomes of the invoices of a run.

    Args:
        counts: How many were in which state at the beginning.
        now: The time, in seconds of a clock that never goes back.
    """

    def __init__(self, counts: Mapping[State, int], *, now: float) -> None:
        self._counts = collections.Counter(counts)
        self._began = now
        self.ended = 0
        """How many got to an end of being sent."""
        self._samples = collections.deque([(now, 0)])

    def moved(self, before: State, after: State) -> None:
        """Note that an invoice is in another state.

        Args:
            before: What it was.
            after: What it is.
        """
        if before is after:
            return
        self._counts[before] -= 1
        self._counts[after] += 1
        self.ended += before.is_to_be_sent and not after.is_to_be_sent

    def correct(self, counts: Mapping[State, int]) -> None:
        """Take over what was counted in the ledger: others may have changed something."""
        self._counts = collections.Counter(counts)

    @property
    def counts(self) -> dict[State, int]:
        """How many are in which state."""
        return {state: count for state, count in self._counts.items() if count}

    def read(self, *, now: float) -> tuple[float, float, float | None]:
        """Return seconds since the beginning, invoices a second, and seconds left.

        Args:
            now: The time.
        """
        self._samples.append((now, self.ended))
        # One sample before the window stays: the rate is taken from there.
        while len(self._samples) > 2 and self._samples[1][0] <= now - _WINDOW:  # noqa: PLR2004 - two make a rate
            self._samples.popleft()
        since, ended = self._samples[0]
        rate = (self.ended - ended) / (now - since) if now > since else 0.0
        left = sum(count for state, count in self._counts.items() if state.is_to_be_sent)
        return now - self._began, rate, left / rate if rate else None
