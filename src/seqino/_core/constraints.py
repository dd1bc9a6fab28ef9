"""What the description asks of one field beyond its type: lengths, patterns, ranges and numbers of items."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs

from seqino._core.typegraph import is_list
from seqino._core.wire import IdentifierKind
from seqino.identifiers import fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from seqino._core.faults import Path

__all__ = ["Constraint", "breaches", "identifies", "misidentified"]

_BOUNDS = (
    "min_length",
    "max_length",
    "pattern",
    "minimum",
    "maximum",
    "exclusive_minimum",
    "exclusive_maximum",
    "min_items",
    "max_items",
)

_RIGHT: dict[tuple[IdentifierKind, bool], set[str]] = {}
"""What was found right, by kind and by whether check digits count; none is longer than an address."""

_MOST_REMEMBERED = 10_000
"""How many of each: a company's customers are the same from month to month."""


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
        by_scheme: The same by the scheme that stands beside it; with any other scheme, or none, it is free.
        scheme: Name in Python of the field where that scheme stands.
        prefix: What such an identifier begins with: a text that begins otherwise is another one, and free.
        check_digits: Whether a wrong check digit of such an identifier is refused.
        terms: Terms of EN 16931 that it stands for, by the member that it is found below; by no name where
            there is one alone.
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
    by_scheme: Mapping[str, IdentifierKind] = attrs.field(factory=dict[str, IdentifierKind])
    scheme: str | None = None
    prefix: str = ""
    check_digits: bool = True
    terms: Mapping[str, str] = attrs.field(factory=dict[str, str])

    @property
    def has_bounds(self) -> bool:
        """Whether it limits anything but which identifier a text is."""
        return any(getattr(self, name) is not None for name in _BOUNDS)

    @property
    def is_identifier(self) -> bool:
        """Whether a text must be an identifier, if only beside some scheme."""
        return self.identifier is not None or bool(self.by_scheme)

    def kind(self, scheme: Any) -> IdentifierKind | None:
        """Tell which kind of identifier a text must be beside a scheme; ``None`` where it is free."""
        return self.identifier or (self.by_scheme.get(scheme) if isinstance(scheme, str) else None)

    def term(self, path: Path) -> str:
        """Return the term of EN 16931 that stands at a place, empty where none is known."""
        while path is not None:
            path, step = path
            if step in self.terms:
                return self.terms[str(step)]
        return self.terms.get("", "")


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
    elif isinstance(value, int | float | Decimal):
        yield from _out_of_range(value, constraint)


def misidentified(constraint: Constraint, value: Any, scheme: Any, path: Path) -> str:
    """Say what is wrong with an identifier, and which term of EN 16931 it is; nothing where it is right.

    Args:
        constraint: The limits of the field.
        value: Plain JSON; what is no text is none of an identifier.
        scheme: What stands beside it as its scheme, if anything.
        path: Where it stands.
    """
    kind = constraint.kind(scheme)
    if kind is None or not isinstance(value, str):
        return ""
    wrong = _wrong(kind, value, constraint)
    term = constraint.term(path) if wrong else ""
    return f"{wrong} ({term})" if term else wrong


def identifies(constraint: Constraint) -> Callable[[str | None, Any], bool]:
    """Give a function that tells of a text and its scheme whether ``misidentified`` finds nothing wrong."""
    known: dict[str | None, tuple[IdentifierKind, set[str]]] = {
        scheme: (kind, _remembered(kind, constraint)) for scheme, kind in constraint.by_scheme.items()
    }
    if constraint.identifier is not None:
        known[None] = (constraint.identifier, _remembered(constraint.identifier, constraint))

    def is_right(value: str | None, scheme: Any) -> bool:
        # Whatever else a scheme is, no list: that could not be looked up.
        found = known.get(scheme if scheme.__class__ is str else None)
        if found is None or value is None or value in found[1]:
            return True
        return not _wrong(found[0], value, constraint)

    return is_right


def _remembered(kind: IdentifierKind, constraint: Constraint) -> set[str]:
    return _RIGHT.setdefault((kind, constraint.check_digits), set())


def _wrong(kind: IdentifierKind, text: str, constraint: Constraint) -> str:
    prefix, right = constraint.prefix, _remembered(kind, constraint)
    if text in right or (prefix and text.lstrip()[: len(prefix)].upper() != prefix):
        return ""
    wrong = fault(kind, text, check_digits=constraint.check_digits)
    if not wrong:
        if len(right) >= _MOST_REMEMBERED:
            right.clear()
        right.add(text)
    return wrong


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
