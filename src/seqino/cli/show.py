"""Tables for people, JSON lines for machines."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Literal, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seqino.cli.result import End
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seqino._core.wire import JSON
    from seqino.cli.plan import Refused
    from seqino.cli.result import Result, Tally
    from seqino.models import LifecycleEvent
    from seqino.statuses import StatusMeaning

__all__ = [
    "Language",
    "clean",
    "console",
    "ends_line",
    "event_lines",
    "events_table",
    "language",
    "one_line",
    "refused_table",
    "result_lines",
    "results_table",
]

Language: TypeAlias = Literal["fr", "en"]

_WIDE = 200
"""Columns where nobody looks through a terminal: rows are not broken in a file or a pipe."""

_STYLES = {
    End.PAID: "green",
    End.SUBMITTED: "green",
    End.OPEN: "cyan",
    End.NOT_DELIVERED: "yellow",
    End.IN_DOUBT: "bold magenta",
}
_BAD = "red"


def language(option: str | None, environ: Mapping[str, str]) -> Language:
    """Choose the language of labels: the option, else the locale of the environment, else English.

    Args:
        option: ``"fr"``, ``"en"`` or ``None``.
        environ: The environment, of which ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` are read in this order.

    Raises:
        InvalidInput: The option is neither.
    """
    if option not in (None, "fr", "en"):
        raise InvalidInput(f"--lang is fr or en, not {option}")
    name = option or next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "fr" if name.lower().startswith("fr") else "en"


def clean(text: str) -> str:
    """Make a text safe for a terminal: what others wrote may hold control characters."""
    return "".join(char if char.isprintable() else " " for char in text)


def one_line(text: str) -> str:
    """Put the lines of a message on one."""
    line = ""
    for part in filter(None, map(str.strip, text.splitlines())):
        line += part if not line else f" {part}" if line.endswith((".", ":")) else f"; {part}"
    return line


def console(*, stderr: bool = False) -> Console:
    """Return a console that breaks no row where no terminal is."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _WIDE
    return Console(file=stream, width=width, highlight=False)


def label(status: StatusMeaning | None, lang: Language) -> str:
    """Write a status as number and label: ``212 Encaissée``."""
    if status is None:
        return ""
    words = status.label_fr if lang == "fr" else status.label_en
    return words if status.number is None else f"{status.number} {words}"


def results_table(results: Iterable[Result], lang: Language) -> Table:
    """Return one row an invoice: file, kind, number, invoice id, end, last status and reason."""
    table = _table("file", "kind", "number", "invoice", "end", "status")
    for result in results:
        status = label(result.status, lang)
        identity = result.invoice_id or (f"draft {result.draft_id}" if result.draft_id else "")
        _row(
            table,
            result.invoice.name,
            result.invoice.kind,
            result.number or "",
            identity,
            Text(result.end, style=_STYLES.get(result.end, _BAD)),
            ": ".join(filter(None, (status, result.reason))),
        )
    return table


def refused_table(refused: Sequence[Refused]) -> Table:
    """Return one row a file that was not sent."""
    table = _table("refused before sending", "reason")
    for file in refused:
        _row(table, file.name, file.reason)
    return table


def events_table(events: Iterable[LifecycleEvent], lang: Language) -> Table:
    """Return one row a lifecycle event."""
    table = _table("time", "status", "emitter", "reason")
    for event in events:
        reason = ": ".join(filter(None, (event.rejection_reason, event.reason)))
        _row(table, event.timestamp.isoformat(), label(event.status_code, lang), event.emitter, reason)
    return table


def result_lines(results: Iterable[Result], refused: Iterable[Refused], lang: Language) -> Iterable[str]:
    """Yield one JSON object an invoice, and one a file that was not sent."""
    for result in results:
        yield _line(
            file=str(result.invoice.path),
            kind=result.invoice.kind,
            number=result.number,
            invoice_id=result.invoice_id,
            draft_id=result.draft_id,
            end=result.end,
            status_code=None if result.status is None else result.status.value,
            label=label(result.status, lang) or None,
            reason=result.reason or None,
        )
    for file in refused:
        yield _line(file=file.name, end=End.REFUSED_BEFORE, reason=file.reason)


def event_lines(events: Iterable[LifecycleEvent], lang: Language) -> Iterable[str]:
    """Yield one JSON object an event."""
    for event in events:
        code = event.status_code
        yield _line(
            timestamp=event.timestamp.isoformat(),
            status_code=code.value,
            number=code.number,
            label=code.label_fr if lang == "fr" else code.label_en,
            emitter=event.emitter,
            reason=event.reason,
            rejection_reason=event.rejection_reason,
            is_mandatory=event.is_mandatory,
        )


def ends_line(tally: Tally) -> str:
    """Count the ends in words: ``ends: 12 paid, 1 refused``."""
    return "ends: " + ", ".join(f"{count} {end}" for end, count in tally.ends.items())


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _row(table: Table, *cells: str | Text) -> None:
    # As Text, so that brackets in what others wrote are no markup.
    table.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in cells))


def _line(**members: JSON) -> str:
    return json.dumps(members, ensure_ascii=False)
