"""Tables for people: as wide as the terminal, and wider only where an id would be broken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Generic, TypeVar

import attrs
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from seqino.cli.terminal import clean, console

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Column", "moment", "show_table", "words"]

T = TypeVar("T")

_LEAST = 12
"""Terminal columns that a cell which may be folded has at least."""

_GAP = 2
"""Terminal columns between two columns of a table."""


@attrs.frozen
class Column(Generic[T]):
    """A column of a table.

    Args:
        head: Its name.
        read: Gives the cell of a row: text, styled text, or any value that ``words`` writes.
        is_whole: Whether its cells are never folded, so that they can be copied: ids and addresses.
        is_optional: Whether it is left out where none of its cells says anything.
    """

    head: str
    read: Callable[[T], object]
    is_whole: bool = False
    is_optional: bool = False


def moment(value: datetime) -> str:
    """Write a moment to the second, as ISO 8601 has it: ``2026-01-31T08:00:00Z``."""
    return value.isoformat(timespec="seconds").replace("+00:00", "Z")


def words(value: object) -> str:
    """Write a value for people: nothing for what is absent, and no exponent in an amount."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case str() | int() | float():
            return str(value)
        case _:
            # None, or absent.
            return ""


def show_table(columns: Sequence[Column[T]], items: Sequence[T], *, none: str = "") -> None:
    """Print a table on the output, a row for each item.

    Args:
        columns: Its columns.
        items: What the rows are read from.
        none: What is printed where there are no items; a table without rows where it is empty.
    """
    if none and not items:
        console().print(Text(none), soft_wrap=True)
        return
    read = [[_cell(column.read(item)) for item in items] for column in columns]
    shown = [(column, cells) for column, cells in zip(columns, read, strict=True) if _is_shown(column, cells)]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    least = 0
    for column, cells in shown:
        table.add_column(column.head, no_wrap=column.is_whole, overflow="fold")
        widest = max(map(cell_len, (column.head, *(cell.plain for cell in cells))))
        least += _GAP + (widest if column.is_whole else min(widest, _LEAST))
    for row in zip(*(cells for _, cells in shown), strict=True):
        table.add_row(*row)
    out = console()
    out.width = max(out.width, least)
    out.print(table)


def _is_shown(column: Column[T], cells: Iterable[Text]) -> bool:
    return not column.is_optional or any(cell.plain for cell in cells)


def _cell(value: object) -> Text:
    # As Text, so that brackets in what others wrote are no markup.
    return value if isinstance(value, Text) else Text(clean(words(value)))
