"""What a scenario is made of: steps on the sandbox's clock, and the stretches that most courses share."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from seqino.sandbox.lifecycle_rules import BUYER_SIDE, PORTAL, SELLER_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AVAILABLE",
    "DATA_TAKEN",
    "IN_HAND",
    "RECEIVABLE",
    "RECEIVED",
    "SENT",
    "Scenario",
    "Step",
    "buyer",
    "portal",
    "scenario",
    "seller",
    "settled",
]


@attrs.frozen(kw_only=True)
class Step:
    """One status that an object gets, so many seconds after its course began."""

    after: float
    status: str
    """Name without its family, such as ``DEPOSITED``."""
    emitter: str
    rejection_reason: str | None = None
    reason: str | None = None
    seen_after: float | None = None
    """Seconds after the beginning at which it can be seen; with its own moment, where ``None``."""
    times: int = 1
    """How often it comes at that moment: networks repeat themselves."""
    about: str | None = None
    """Object type that it is about; ``None`` for the object whose course it is."""
    to_the_second: bool = False
    """Whether its emitter writes times without a fraction of a second."""

    @property
    def seen(self) -> float:
        """Seconds after the beginning at which it can be seen."""
        return self.after if self.seen_after is None else self.seen_after


@attrs.frozen(kw_only=True)
class Scenario:
    """A whole course of an invoice, from its deposit on, and of what belongs to it."""

    name: str
    summary: str
    steps: tuple[Step, ...]
    """In the order of their own moments."""
    credit_note: tuple[Step, ...] | None = None
    """What a credit note (381) gets instead, where that is something else."""
    credited: tuple[Step, ...] = ()
    """What the invoice gets once a credit note (381) refers to it; a buyer who waits for no correction gives
    nothing."""

    @cached_property
    def filed(self) -> tuple[Step, ...]:
        """The steps of an invoice that came as a file."""
        return _filed(self.steps)

    @cached_property
    def filed_credit_note(self) -> tuple[Step, ...]:
        """The steps of a credit note that came as a file."""
        return _filed(self.credit_note or self.steps)

    def steps_of(self, type_code: str | None, *, is_file: bool) -> tuple[Step, ...]:
        """Return the steps of a document of a type (BT-3); all that are alike share one tuple."""
        if type_code == "381" and self.credit_note:
            return self.filed_credit_note if is_file else self.credit_note
        return self.filed if is_file else self.steps

    def because(self, reason: str) -> Scenario:
        """Return the same course with a reason in words for its last status."""
        return attrs.evolve(self, steps=(*self.steps[:-1], attrs.evolve(self.steps[-1], reason=reason)))


def _filed(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Let the file be receivable, unless the scenario says otherwise."""
    return steps if any(step.about == "flow" for step in steps) else (RECEIVABLE, *steps)


def seller(after: float, status: str, code: str | None = None, reason: str | None = None) -> Step:
    """Make a step of the seller or of its platform."""
    return Step(after=after, status=status, emitter=SELLER_SIDE, rejection_reason=code, reason=reason)


def buyer(after: float, status: str, code: str | None = None, reason: str | None = None) -> Step:
    """Make a step of the buyer or of its platform."""
    return Step(after=after, status=status, emitter=BUYER_SIDE, rejection_reason=code, reason=reason)


def portal(after: float, about: str, status: str, code: str | None = None, reason: str | None = None) -> Step:
    """Make a step of the public portal, which speaks of data and statuses, never of the invoice itself."""
    return Step(after=after, status=status, emitter=PORTAL, rejection_reason=code, reason=reason, about=about)


SENT = (seller(0, "DEPOSITED"), seller(2, "TRANSMITTED_BY_PLATFORM"))
RECEIVED = (*SENT, buyer(4, "RECEIVED_BY_PLATFORM"))
AVAILABLE = (*RECEIVED, buyer(6, "MADE_AVAILABLE"))
IN_HAND = (*AVAILABLE, buyer(10, "ACKNOWLEDGED"))

RECEIVABLE = attrs.evolve(seller(0, "RECEIVABLE"), about="flow")
"""500: the file that an invoice came in can be read."""

DATA_TAKEN = portal(5, "regulatory_data", "DEPOSITED")
"""250: the portal has the data that its platform extracted from a deposited invoice (flow 1)."""


def settled(at: float) -> tuple[Step, ...]:
    """Approve, pay and collect, ten seconds each."""
    return (
        buyer(at, "APPROVED"),
        buyer(at + 10, "PAYMENT_TRANSMITTED"),
        seller(at + 20, "COLLECTED"),
    )


def scenario(
    name: str,
    summary: str,
    *steps: Step,
    data: Step = DATA_TAKEN,
    credit_note: tuple[Step, ...] | None = None,
    credited: tuple[Step, ...] = (),
) -> Scenario:
    """Make a scenario; the portal gets the data of each invoice that is deposited.

    Args:
        name: Its name.
        summary: What happens, in a line.
        steps: Steps in the order of their own moments.
        data: What the portal says of the invoice's data.
        credit_note: What a credit note gets instead.
        credited: What the invoice gets once a credit note refers to it.
    """
    return Scenario(
        name=name,
        summary=summary,
        steps=_with_data(steps, data),
        credit_note=credit_note and _with_data(credit_note, data),
        credited=credited,
    )


def _with_data(steps: Iterable[Step], data: Step) -> tuple[Step, ...]:
    steps = tuple(steps)
    if not any(step.about is None and step.status == "DEPOSITED" for step in steps):
        return steps
    return tuple(sorted((*steps, data), key=lambda step: step.after))
