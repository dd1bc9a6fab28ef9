"""What the description asks of one field beyond its type: lengths, patterns, ranges and numbers of items."""

from __future__ import annotations

from decimal import Decimal

import attrs

__all__ = ["Constraint"]


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
