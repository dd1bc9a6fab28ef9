"""Ways in which deliveries go wrong on request, so that a receiver can be tested against each. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import attrs

from seqino.sandbox.asked import only

__all__ = ["Behaviour"]

_LONGEST_DELAY = 31_536_000
"""A year: what is due has to stay within the calendar."""


def _switch(_: Any, field: attrs.Attribute[bool], value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{field.name} must be true or false; this is {value!r}")


def _seconds(_: Any, field: attrs.Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{field.name} must be a number of seconds; this is {value!r}")
    if not 0 <= value <= _LONGEST_DELAY:
        raise ValueError(f"{field.name} must be 0 to {_LONGEST_DELAY} seconds; this is {value!r}")


@attrs.frozen(kw_only=True)
class Behaviour:
    """How deliveries misbehave until they are told otherwise; by default they do not.

    Raises:
        TypeError: A value is of another type.
        ValueError: ``delay`` is negative, or longer than a year.
    """

    duplicate: bool = attrs.field(default=False, validator=_switch)
    """What was taken is sent once more, with the same event id."""
    out_of_order: bool = attrs.field(default=False, validator=_switch)
    """Of what is due, the last goes first."""
    delay: float = attrs.field(default=0.0, validator=_seconds)
    """Seconds on the sandbox's clock between an event and its first attempt."""
    wrong_signature: bool = attrs.field(default=False, validator=_switch)
    """Signed with another secret."""
    old_timestamp: bool = attrs.field(default=False, validator=_switch)
    """Signed rightly, with a timestamp older than a receiver may accept."""
    drop: bool = attrs.field(default=False, validator=_switch)
    """Given up without an attempt."""

    @classmethod
    def read(cls, asked: dict[str, Any]) -> Behaviour:
        """Read a behaviour by the names of its fields; what is not named is as it should be.

        Raises:
            TypeError: A value is of another type.
            ValueError: A name is unknown, or a value out of its range.
        """
        only(asked, *(field.name for field in attrs.fields(cls)))
        return cls(**{name: _plain(value) for name, value in asked.items()})

    def as_dict(self) -> dict[str, Any]:
        """Return it by the names of its fields."""
        return attrs.asdict(self)


def _plain(value: Any) -> Any:
    """Return a fraction, which a JSON body gives as ``Decimal``, as what seconds are counted in."""
    return float(value) if isinstance(value, Decimal) else value
