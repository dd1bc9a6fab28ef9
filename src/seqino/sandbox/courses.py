"""Courses under way: cut off, gone on with, and judged by the rules before anything is added. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs

from seqino.sandbox.lifecycle import Leg, own_moment
from seqino.sandbox.lifecycle_rules import ENDS, breaches, progress
from seqino.sandbox.scenarios import Step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

__all__ = ["gone_on", "objections", "remaining", "said", "set_by", "stopped", "underway"]

_INSTANT = timedelta(microseconds=1)
"""The finest difference between two moments."""


def said(course: Iterable[Leg], by: datetime) -> list[Step]:
    """Return the steps seen by a moment, each once, in the order of their own times."""
    return [one.step for one in _in_time(course) if one.seen <= by]


def set_by(course: Iterable[Leg], moment: datetime) -> list[Step]:
    """Return the steps set by a moment, seen or not, each once, in the order of their own times."""
    return [one.step for one in _in_time(course) if one.at <= moment]


def stopped(course: Iterable[Leg], now: datetime) -> list[Leg]:
    """Return a course on which nothing more happens; what was seen by ``now`` stays."""
    end = now + _INSTANT
    return [leg if leg.until and leg.until < end else attrs.evolve(leg, until=end) for leg in course]


def underway(course: Sequence[Leg], now: datetime) -> list[Leg]:
    """Return what of the transmission is on its way still, since something that was set after it was seen."""
    placed = _in_time(course)
    seen = [one.at for one in placed if one.seen <= now and one.step.about is None]
    return [
        Leg((one.step,), course[one.leg].since)
        for one in placed
        if progress([one.step]) and one.seen > now and any(one.at <= other for other in seen)
    ]


def remaining(steps: Iterable[Step], seen: Sequence[Step]) -> tuple[Step, ...]:
    """Return what is left of a scenario for an invoice that is under way, counted from now.

    Statuses that it has are left out: those of transmission wherever they stand, others at the beginning, as
    often as it has them. What is left comes in the scenario's own pace.

    Args:
        steps: The scenario's steps.
        seen: What the invoice, and what belongs to it, has got.
    """
    stage = progress(seen)
    has = Counter(one.status for one in seen if one.about is None)
    told = {one.about for one in seen}
    begun, gone = False, 0.0
    left: list[Step] = []
    for step in steps:
        if step.about is not None:
            if step.about not in told:
                left.append(step)
        elif 0 < progress([step]) <= stage:
            gone = step.after
        elif has[step.status] and not begun:
            has[step.status] -= 1
            gone = step.after
        else:
            begun = True
            left.append(step)
    return tuple(
        attrs.evolve(step, after=max(0.0, step.after - gone), seen_after=max(0.0, step.seen - gone))
        for step in left
    )


def objections(course: Sequence[Leg], leg: Leg) -> Iterator[str]:
    """Yield the rules that the steps of a new leg would break, each judged after what is set before it."""
    for one, before in _judged([*course, leg]):
        if one.leg == len(course):
            yield from breaches(before, one.step)


def gone_on(course: Sequence[Leg], leg: Leg, now: datetime) -> list[Leg]:
    """Return a course with a leg added, and without the steps to come that the leg leaves no room for.

    Those are the ones that it makes unlawful; and, where it refuses or rejects the invoice, all statuses of
    the invoice that would be set after that.
    """
    ends = any(step.about is None and step.status in ENDS for step in leg.steps)
    sound = {one.key for one, before in _judged(course) if not any(breaches(before, one.step))}
    whole = [*course, leg]
    overtaken: set[Any] = set()
    before: list[Step] = []
    for one in _in_time(whole):
        is_to_come = one.seen > now and one.leg < len(course)
        is_late = ends and one.step.about is None and one.at > leg.since
        if is_to_come and (is_late or (one.key in sound and any(breaches(before, one.step)))):
            overtaken.add(one.key)
        else:
            before.append(one.step)
    return [_without(overtaken, number, one) for number, one in enumerate(whole)]


def _without(keys: Collection[Any], number: int, leg: Leg) -> Leg:
    steps = tuple(step for step in leg.steps if _key(number, leg, step) not in keys)
    return leg if len(steps) == len(leg.steps) else attrs.evolve(leg, steps=steps)


@attrs.frozen
class _Set:
    """A step in its place in time."""

    at: datetime
    seen: datetime
    leg: int
    key: Any
    step: Step


def _in_time(course: Iterable[Leg]) -> list[_Set]:
    """Return the steps that happen, each once however often it comes, in the order of their own times."""
    found: dict[Any, _Set] = {}
    for number, leg in enumerate(course):
        for seen, step in leg.seen():
            key = _key(number, leg, step)
            found.setdefault(key, _Set(own_moment(step, leg.since), seen, number, key, step))
    return sorted(found.values(), key=lambda one: one.at)


def _key(number: int, leg: Leg, step: Step) -> Any:
    """Return what a repeated step shares with its repetitions: the leg and all that its event says."""
    what = (step.about, step.status, step.emitter, step.rejection_reason, step.reason)
    return number, own_moment(step, leg.since), *what


def _judged(course: Iterable[Leg]) -> Iterator[tuple[_Set, list[Step]]]:
    """Yield each step with those before it."""
    before: list[Step] = []
    for one in _in_time(course):
        yield one, list(before)
        before.append(one.step)
