"""How a fault in a document is told: its place, what was expected there and what was found. Pure."""

from __future__ import annotations

import datetime as dt
import enum
import typing
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from seqino._core.decimals import Unreadable
from seqino._core.typegraph import alternatives, is_model
from seqino.errors import Fault

__all__ = ["MOST_FAULTS", "Notes", "Path", "expected", "found", "shown"]

MOST_FAULTS = 100
"""How many faults of one document are listed: more help nobody, and a million fill the memory."""

Path: TypeAlias = "tuple[Path, str | int] | None"
"""A place: that of the object or list around it, and the member's name or the item's index; None is the root.

Linked, so that a walk through a document pays nothing for the places where nothing is wrong.
"""

_EXPECTED: Mapping[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Decimal: "a decimal number",
    dt.date: "a date such as 2026-01-31",
    dt.datetime: "a date and time such as 2026-01-31T08:30:00+01:00",
    dt.time: "a time such as 08:30:00",
    uuid.UUID: "a UUID",
    type(None): "null",
}

_FOUND: tuple[tuple[Any, str], ...] = (
    (Unreadable, "a number out of range"),
    (enum.Enum, "a constant"),
    (str, "text"),
    (bool, "true or false"),
    (int, "a whole number"),
    ((float, Decimal), "a number"),
    (dt.datetime, "a date and time"),
    (dt.date, "a date"),
    ((list, tuple), "a list"),
    (Mapping, "an object"),
    (type(None), "null"),
)


def shown(path: Path) -> str:
    """Write a place the way JSONPath does (RFC 9535), such as ``$.lines[0].quantity``."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        if isinstance(step, int):
            steps.append(f"[{step}]")
        elif step.isidentifier():
            steps.append(f".{step}")
        else:
            steps.append(f"[{step!r}]")
    return "$" + "".join(reversed(steps))


def expected(form: Any) -> str:
    """Say in words what a type form holds."""
    words: list[str] = []
    for part in alternatives(form):
        if is_model(part) or typing.get_origin(part) is dict:
            word = "an object"
        elif typing.get_origin(part) is list:
            word = "a list"
        elif isinstance(part, type) and issubclass(part, enum.Enum):
            word = f"one of {part.__name__}"
        elif typing.get_origin(part) is typing.Literal:
            word = " or ".join(repr(value) for value in typing.get_args(part))
        else:
            word = _EXPECTED.get(part, f"{part!s}")
        if word not in words:
            words.append(word)
    return " or ".join(words)


def found(value: Any) -> str:
    """Say in words what a value is."""
    for kind, word in _FOUND:
        if isinstance(value, kind):
            return word
    return type(value).__name__


class Notes:
    """The faults found so far; those beyond 100 are only counted."""

    __slots__ = ("_noted", "count")

    def __init__(self) -> None:
        self._noted: list[tuple[Path, str]] = []
        self.count = 0

    def add(self, path: Path, message: str) -> Any:
        """Note a fault; what it gives stands for the value, and is never sent."""
        self.count += 1
        if self.count <= MOST_FAULTS:
            self._noted.append((path, message))

    def listed(self) -> tuple[Fault, ...]:
        """Give the faults with their places written out."""
        faults = [Fault(shown(path), message) for path, message in self._noted]
        if self.count > MOST_FAULTS:
            faults.append(Fault("$", f"and {self.count - MOST_FAULTS} more"))
        return tuple(faults)
