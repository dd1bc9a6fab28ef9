"""What is waited for of an invoice: by name, or by a function of its events. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, TypeAlias, TypeGuard, cast

import attrs

from seqino.errors import InvalidInput
from seqino.models import LifecycleEvent
from seqino.statuses import LocalState, Party, is_without_platform, local_state
from seqino.statuses.events import invoice_number_of

__all__ = ["Condition", "ConditionName", "Wanted"]

ConditionName: TypeAlias = Literal[
    "delivered", "approved", "settled", "dead", "not delivered", "duplicate", "end"
]
"""What can be waited for by name; ``Lifecycle.wait_until`` says when each is true."""

Test: TypeAlias = Callable[[Sequence[LifecycleEvent]], bool]

Condition: TypeAlias = ConditionName | Sequence[ConditionName] | Test
"""What is waited for: a name, some of which one is enough, or a function of all events known, in order."""

_APPROVED, _PAYMENT_TRANSMITTED, _CANCELLED = 205, 211, 220
_OF_THE_BUYER = frozenset({203, 204, 205, 206, 207, 208, 209, 210})
"""Made available to the buyer; set by it alone; or (209) the answer to that (XP Z12-014 Annex A §2.1)."""

_FINAL = (LocalState.SETTLED, LocalState.DEAD, LocalState.DUPLICATE)
"""What no other state follows."""


def _shows_the_buyer(event: LifecycleEvent) -> bool:
    number = invoice_number_of(event)
    if number == _PAYMENT_TRANSMITTED:
        # The seller's where it refunds.
        return Party.of(event.emitter) is not Party.SELLER_PLATFORM
    if number == _CANCELLED:
        # By either of the two.
        return Party.of(event.emitter) is Party.BUYER_PLATFORM
    return number in _OF_THE_BUYER


def _is_delivered(events: Sequence[LifecycleEvent]) -> bool:
    # Transmission statuses come late, or never: who answers or pays has the invoice.
    is_paid = local_state(events) is LocalState.SETTLED and not is_without_platform(events)
    return is_paid or any(map(_shows_the_buyer, events))


def _is_approved(events: Sequence[LifecycleEvent]) -> bool:
    approved = any(invoice_number_of(event) == _APPROVED for event in events)
    return approved and local_state(events) in (LocalState.ACCEPTED, LocalState.SETTLED)


def _is(*states: LocalState) -> Test:
    return lambda events: local_state(events) in states


def _never(_: Sequence[LifecycleEvent]) -> bool:
    return False


@attrs.frozen
class _Named:
    """A condition with a name.

    Args:
        holds: Whether it is true.
        is_ruled_out: Whether it cannot come true any more, beyond that an invoice is at its end.
    """

    holds: Test
    is_ruled_out: Test = _never


_NAMED: Mapping[str, _Named] = {
    # Where the buyer has no platform, nothing reaches it, and nobody can answer for it (Annex A §2.1).
    "delivered": _Named(_is_delivered, is_without_platform),
    "approved": _Named(_is_approved, is_without_platform),
    "settled": _Named(_is(LocalState.SETTLED)),
    "dead": _Named(_is(LocalState.DEAD)),
    "not delivered": _Named(_is(LocalState.NOT_DELIVERED)),
    "duplicate": _Named(_is(LocalState.DUPLICATE)),
    "end": _Named(_is(*_FINAL, LocalState.NOT_DELIVERED)),
}


@attrs.frozen
class Wanted:
    """What is waited for.

    Args:
        text: It in words.
        names: Its names; none where it is a function.
        test: The function, where it is one.
    """

    text: str
    names: tuple[str, ...] = ()
    test: Test | None = None

    @classmethod
    def of(cls, condition: Condition) -> Wanted:
        """Read a condition.

        Args:
            condition: As ``Condition`` says. Text of a configuration may join names by ``" or "``.

        Raises:
            InvalidInput: It is no function, and none of the names; or a function that has to be awaited.
        """
        if callable(condition):
            if inspect.iscoroutinefunction(condition) or inspect.iscoroutinefunction(
                type(condition).__call__
            ):
                raise _to_be_awaited()
            return cls("what was asked for", test=condition)
        names = condition.split(" or ") if isinstance(condition, str) else condition
        if not _are_names(names):
            known = ", ".join(repr(name) for name in _NAMED)
            raise InvalidInput(
                f"condition must be a function of events, or one or some of the names {known}, not "
                f"{condition!r}"
            )
        return cls(" or ".join(names), tuple(names))

    def holds(self, events: Sequence[LifecycleEvent]) -> bool:
        """Whether it holds with these events, all known of the invoice and in order.

        Raises:
            InvalidInput: A function was given that has to be awaited.
        """
        if self.test is None:
            return any(_NAMED[name].holds(events) for name in self.names)
        # Whatever the types say: a coroutine, which is true, would end each wait at once.
        said: object = self.test(events)
        if inspect.isawaitable(said):
            if inspect.iscoroutine(said):
                said.close()
            raise _to_be_awaited()
        return bool(said)

    def is_ruled_out(self, events: Sequence[LifecycleEvent]) -> bool:
        """Whether what does not hold by now never will; of a function nobody knows."""
        if self.test is not None:
            return False
        return local_state(events) in _FINAL or all(_NAMED[name].is_ruled_out(events) for name in self.names)


def _are_names(names: object) -> TypeGuard[Sequence[str]]:
    if not isinstance(names, Sequence) or not names:
        return False
    return all(isinstance(name, str) and name in _NAMED for name in cast("Sequence[object]", names))


def _to_be_awaited() -> InvalidInput:
    return InvalidInput(
        "condition must be a plain function: what it returns is not awaited. Look at what it needs before or "
        "after waiting, or watch the invoice"
    )
