"""When to look at an invoice again, and when to stop: decisions without a clock of their own. Pure.

The feed of events has no "since", and events do not name their object. So following an invoice means one
request each time it is looked at: soon at first, ever more seldom while nothing happens, and at once where a
webhook says that something did.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from seqino.errors import InvalidInput
from seqino.statuses.events import instant, invoice_number_of
from seqino.statuses.local import LocalState, local_state

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seqino.statuses.events import StatusEvent

__all__ = ["Backoff", "GoalName", "LookAt", "Over", "Until", "Watch", "ends", "goal_of", "next_step"]

_MOST_STEPS = 64
"""No pause grows any more after so many: the longest is reached, or the factor is nearly 1."""


@attrs.frozen(kw_only=True)
class Backoff:
    """How the pauses between looks grow.

    Args:
        first: The first pause, and that after each news.
        longest: No pause is longer.
        factor: How many times longer each pause is than the one before, 1 to 10.
        after_hint: Shortest time between two looks that webhooks ask for: they come in bursts.

    Raises:
        InvalidInput: If the values contradict each other.
    """

    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=6)
    factor: float = 2.0
    after_hint: timedelta = timedelta(seconds=5)

    def __attrs_post_init__(self) -> None:
        if not timedelta(0) < self.first <= self.longest:
            raise InvalidInput(
                f"first ({self.first}) must be more than nothing, and no more than longest ({self.longest})"
            )
        if not 1 <= self.factor <= 10:  # noqa: PLR2004 - documented above
            raise InvalidInput(f"factor must be a number from 1 to 10, not {self.factor!r}")
        if self.after_hint < timedelta(0):
            raise InvalidInput(f"after_hint must not be negative: {self.after_hint}")

    def pause(self, quiet: int, *, spread: float = 0.0) -> timedelta:
        """Return the pause before the next look.

        Args:
            quiet: How many looks in a row showed nothing new, 0 or more.
            spread: A number from 0 to 1, chance or a hash of the object's id: it makes the pause up to a
                tenth longer, so that what was sent together is not looked at together for ever.
        """
        seconds = self.first.total_seconds() * self.factor ** min(quiet, _MOST_STEPS) * (1 + spread / 10)
        return timedelta(seconds=min(seconds, self.longest.total_seconds()))

    def looks(self, age: timedelta) -> int:
        """Return how many looks, and so requests, an invoice costs that is followed so long without news.

        Args:
            age: How long it is followed.
        """
        spent, count = timedelta(0), 0
        while count < _MOST_STEPS:
            spent += self.pause(count)
            if spent > age:
                return count
            count += 1
        return count + (age - spent) // self.pause(count)


class Until(StrEnum):
    """What an invoice is followed to."""

    END = "end"
    """Settled, dead or not delivered."""
    APPROVED = "approved"
    """Approved (205), or at an end: for sellers whose VAT is due on debits, and who may never see a 212."""


GoalName: TypeAlias = Literal["end", "approved"]
"""The goals by name (``Until``)."""


def ends(events: Iterable[StatusEvent], *, until: Until | GoalName = Until.END) -> bool:
    """Whether following an invoice ends with these events.

    Args:
        events: All events known of it, in any order.
        until: What it is followed to.

    Raises:
        InvalidInput: ``until`` is none of the goals.
    """
    goal = goal_of(until)
    known = list(events)
    state = local_state(known)
    if state is not None and state.ends_following:
        return True
    approved = any(invoice_number_of(event) == 205 for event in known)  # noqa: PLR2004 - its number is its name
    return goal is Until.APPROVED and approved and state is LocalState.ACCEPTED


def goal_of(until: Until | str) -> Until:
    """Return what an invoice is followed to.

    Raises:
        InvalidInput: ``until`` is none of the goals.
    """
    try:
        return Until(until)
    except ValueError:
        goals = ", ".join(repr(str(goal)) for goal in Until)
        raise InvalidInput(f"until must be one of {goals}, not {until!r}") from None


@attrs.frozen(kw_only=True)
class Watch:
    """What is remembered of following one invoice: plain data, to be stored beside it.

    Args:
        since: When following began.
        looks: How many requests it has cost.
        quiet: How many of the last looks in a row showed nothing new.
        looked_at: When it was looked at last.
        hinted_at: When a webhook last said that something happened.
    """

    since: datetime = attrs.field(converter=instant)
    looks: int = 0
    quiet: int = 0
    looked_at: datetime | None = attrs.field(default=None, converter=attrs.converters.optional(instant))
    hinted_at: datetime | None = attrs.field(default=None, converter=attrs.converters.optional(instant))

    def looked(self, now: datetime, *, news: bool) -> Watch:
        """Return what is remembered after a look.

        Args:
            now: When the look was begun: a webhook that comes while it is under way asks for another.
            news: Whether it showed anything new.
        """
        quiet = 0 if news else self.quiet + 1
        return attrs.evolve(self, looks=self.looks + 1, quiet=quiet, looked_at=now)

    def hinted(self, now: datetime) -> Watch:
        """Return what is remembered after a webhook said that something happened.

        The event itself may be seen a little later: the next pauses are short ones again.
        """
        return attrs.evolve(self, hinted_at=now, quiet=0)

    def due(self, backoff: Backoff, *, spread: float = 0.0) -> datetime:
        """Return when to look next; it may be past.

        Args:
            backoff: How the pauses grow.
            spread: As for ``Backoff.pause``.
        """
        last = self.looked_at or self.since
        due = last + backoff.pause(self.quiet, spread=spread)
        if self.hinted_at is None or (self.looked_at is not None and self.hinted_at < self.looked_at):
            return due
        return min(due, max(self.hinted_at, last + backoff.after_hint) if self.looked_at else self.hinted_at)


@attrs.frozen
class LookAt:
    """Look again."""

    moment: datetime
    """When; it may be past."""


@attrs.frozen
class Over:
    """Look no more."""

    state: LocalState
    """Where the invoice was left: an end, ``ACCEPTED`` where that was the goal, or ``EXPIRED``."""


def next_step(
    watch: Watch,
    events: Iterable[StatusEvent],
    *,
    until: Until | GoalName = Until.END,
    max_age: timedelta | None = None,
    backoff: Backoff | None = None,
    spread: float = 0.0,
) -> LookAt | Over:
    """Decide whether an invoice is looked at again, and when.

    Args:
        watch: What is remembered of following it.
        events: All events known of it, in any order.
        until: What it is followed to.
        max_age: How long it is followed at most; it is looked at once more at that age. ``None`` sets no end.
        backoff: How the pauses grow; from a minute to six hours where it is left out.
        spread: As for ``Backoff.pause``.

    Raises:
        InvalidInput: ``until`` is none of the goals.
    """
    known = list(events)
    state = local_state(known)
    if state is not None and ends(known, until=until):
        return Over(state)
    due = watch.due(backoff or Backoff(), spread=spread)
    if max_age is None:
        return LookAt(due)
    last = watch.since + max_age
    if watch.looked_at is not None and watch.looked_at >= last:
        return Over(LocalState.EXPIRED)
    return LookAt(min(due, last))
