"""What is asked of the control API, value by value, each refused in words where it is none. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

__all__ = ["flag", "number", "only", "text", "whole"]

_LONGEST = 100
"""Characters of a value that a refusal repeats."""


def only(asked: dict[str, Any], *names: str) -> None:
    """Refuse names that the control API does not know.

    Raises:
        ValueError: There is a name beside these.
    """
    unknown = sorted(asked.keys() - set(names))
    if unknown:
        raise ValueError(
            f"unknown: {', '.join(unknown)[:_LONGEST]}; known here: {', '.join(names) or 'nothing'}"
        )


def text(asked: dict[str, Any], name: str) -> str | None:
    """Return a text; ``None`` where it is left out.

    Raises:
        TypeError: It is something else.
    """
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} must be text; this is {_shown(value)}")
    return value


def flag(asked: dict[str, Any], name: str) -> bool:
    """Return true or false; false where it is left out.

    Raises:
        TypeError: It is something else.
    """
    value = asked.get(name, False)
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be true or false; this is {_shown(value)}")
    return value


def number(asked: dict[str, Any], name: str) -> float | None:
    """Return a number; ``None`` where it is left out.

    Raises:
        TypeError: It is something else, null too.
        ValueError: It is larger than a number of the machine.
    """
    if name not in asked:
        return None
    value = asked[name]
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TypeError(f"{name} must be a number; this is {_shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is out of range: it has {len(str(value))} digits") from None


def whole(asked: dict[str, Any], name: str) -> int | None:
    """Return a whole number; ``None`` where it is left out.

    Raises:
        TypeError: It is something else, null too.
    """
    value = asked.get(name)
    if name in asked and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError(f"{name} must be a whole number; this is {_shown(value)}")
    return value


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
