"""What a command of a group says: cards and tables for people, JSON lines for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

import attrs

from seqino.cli.common import complain
from seqino.cli.plain import json_line
from seqino.cli.tables import show_table, words
from seqino.cli.terminal import say
from seqino.cli.tokens import can_be_settled, token_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from seqino._core.wire import JSON
    from seqino.cli.plain import Found
    from seqino.cli.tables import Column
    from seqino.errors import ResumeToken

__all__ = ["Output"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Output:
    """Where a command says what it found.

    Args:
        as_json: Whether a machine reads it.
    """

    as_json: bool

    def one(self, members: Mapping[str, JSON]) -> None:
        """Say one thing: as a JSON line, or as a card with a line for each member that says something."""
        if self.as_json:
            say(json_line(members))
            return
        lines = list(_lines(members))
        width = max((len(name) for name, _ in lines), default=0)
        for name, value in lines:
            say(f"{name:<{width}}  {value}")

    def many(self, found: Sequence[Found[T]], columns: Sequence[Column[T]], *, none: str) -> None:
        """Say a list: as JSON lines, or as a table.

        Args:
            found: The items.
            columns: How people see them.
            none: What people are told of an empty list.
        """
        if self.as_json:
            self.lines(item.members for item in found)
        elif found:
            show_table(columns, [item.value for item in found])
        else:
            say(none)

    def lines(self, items: Iterable[Mapping[str, JSON]]) -> None:
        """Say some things as JSON lines."""
        for members in items:
            say(json_line(members))

    def note(self, text: str) -> None:
        """Say something to people; where a machine reads the output, on the error stream."""
        say(text, stderr=self.as_json)

    def doubt(self, message: str, token: ResumeToken) -> None:
        """Say that something may have been done, and what to do next.

        Args:
            message: What happened.
            token: How to find out later.
        """
        if self.as_json:
            say(json_line({"outcome": "in_doubt", "error": message, "token": token_text(token)}))
        complain(message)
        if can_be_settled(token):
            say(f"settle it, now or later: seqino invoices resume {token_text(token)}", stderr=True)
        else:
            say("never repeat it blindly: ask the platform what became of it first", stderr=True)


def _lines(members: Mapping[str, JSON], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        match value:
            case Mapping():
                yield from _lines(value, f"{before}{name}.")
            case [*items] if any(isinstance(item, Mapping) for item in items):
                for at, item in enumerate(items):
                    yield from _lines({f"{name}[{at}]": item}, before)
            case [*items]:
                yield f"{before}{name}", ", ".join(map(words, items))
            case None:
                pass
            case _:
                yield f"{before}{name}", words(value)
