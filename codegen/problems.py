"""What can be wrong with a description: an error with its place, and notes that stop nothing."""

from __future__ import annotations

import attrs


class CodegenError(Exception):
    """Generating cannot go on; the message is for the person who ran the command.

    Args:
        message: What is wrong and, where it helps, what to do next.
        place: Where it is wrong: a file, or a JSON pointer into the description.
    """

    def __init__(self, message: str, *, place: str = "") -> None:
        super().__init__(message, place)
        self.message = message
        self.place = place

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.message}" if self.place else self.message)


def printable(text: str) -> str:
    """Return text on one line without what a terminal would act upon; descriptions are not to be trusted."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


@attrs.define
class Notes:
    """What a run wants to say without stopping."""

    warnings: list[str] = attrs.field(factory=list[str])
    """Additions that the overlay does not know, and what had to be loosened."""
    unmatched: list[str] = attrs.field(factory=list[str])
    """Overlay actions that matched nothing: warnings of ``generate``, failures of ``check``."""

    def warn(self, message: str, *, place: str) -> None:
        """Add a warning about a place, once."""
        text = printable(f"{place}: {message}")
        if text not in self.warnings:
            self.warnings.append(text)
