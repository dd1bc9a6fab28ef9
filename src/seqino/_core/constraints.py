"""What the description asks of one field beyond its type: lengths, patterns, ranges and numbers of items."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.typegraph import is_list
from seqino._core.wire import IdentifierKind
from seqino.identifiers import fault

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Constraint", "breaches"]


@attrs.frozen(kw_only=True)
class Constraint:
    """The limits that the description sets for one field, checked before anything is sent.

    Limits of text hold for text, limits of size for numbers, limits of items for lists. None means no limit.

    Args:
        min_length: Fewest characters of a text.
        max_length: Most characters of a text.
        pattern: Regular expression that the text must contain a match of, as in JSON Schema.
        minimum: Smallest number allowed.
        maximum: Largest number allowed.
        exclusive_minimum: Number that the value must be above.
        exclusive_maximum: Number that the value must be below.
        min_items: Fewest items of a list.
        max_items: Most items of a list.
        identifier: Kind of identifier that a text must be, in its normal form.
        check_digits: Whether a wrong check digit of such an identifier is refused.
    """

    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None
    exclusive_minimum: int | Decimal | None = None
    exclusive_maximum: int | Decimal | None = None
    min_items: int | None = None
    max_items: int | None = None
    identifier: IdentifierKind | None = None
    check_digits: bool = True


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # JSON Schema means ECMA 262: there $ is the very end, and \d and \w are ASCII.
    ending = pattern.endswith("$") and not pattern.endswith("\\$")
    return re.compile(pattern[:-1] + r"\Z" if ending else pattern, re.ASCII)


def breaches(constraint: Constraint, value: Any) -> Iterator[str]:
    """Say which limits a value breaks; limits of another kind of value do not touch it.

    Args:
        constraint: The limits of the field.
        value: Plain JSON; a decimal number may be text, where the limits are those of a number.
    """
    if is_list(value):
        yield from _out_of_bounds(len(value), constraint.min_items, constraint.max_items, "items")
    elif isinstance(value, str):
        yield from _out_of_bounds(len(value), constraint.min_length, constraint.max_length, "characters")
        if constraint.pattern is not None and not _compiled(constraint.pattern).search(value):
            yield f"does not match the pattern {constraint.pattern}"
        if constraint.identifier is not None:
            wrong = fault(constraint.identifier, value, check_digits=constraint.check_digits)
            if wrong:
                yield wrong
    elif isinstance(value, int | float | Decimal):
        yield from _out_of_range(value, constraint)


def _out_of_bounds(size: int, least: int | None, most: int | None, what: str) -> Iterator[str]:
    if least is not None and size < least:
        yield f"has {size} {what}, and needs at least {least}"
    if most is not None and size > most:
        yield f"has {size} {what}, and at most {most} are allowed"


def _out_of_range(number: Any, limits: Constraint) -> Iterator[str]:
    if limits.minimum is not None and number < limits.minimum:
        yield f"must be {limits.minimum} or more"
    if limits.maximum is not None and number > limits.maximum:
        yield f"must be {limits.maximum} or less"
    if limits.exclusive_minimum is not None and number <= limits.exclusive_minimum:
        yield f"must be more than {limits.exclusive_minimum}"
    if limits.exclusive_maximum is not None and number >= limits.exclusive_maximum:
        yield f"must be less than {limits.exclusive_maximum}"
