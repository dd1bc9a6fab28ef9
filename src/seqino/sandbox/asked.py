"""What is asked of the control API, beside the values themselves. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

__all__ = ["number", "only"]


def only(asked: dict[str, Any], *names: str) -> None:
    """Refuse names that the control API does not know.

    Raises:
        ValueError: There is a name beside these.
    """
    unknown = sorted(asked.keys() - set(names))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; known here: {', '.join(names) or 'nothing'}")


def number(asked: dict[str, Any], name: str, default: float | None = None) -> float:
    """Return a value that has to be a number.

    Raises:
        TypeError: It is none.
        ValueError: It is larger than any number here.
    """
    value = asked.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(f"{name} must be a number; this is {value!r:.100}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is too large") from None
