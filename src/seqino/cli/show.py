"""What became of invoices, as tables for people and as JSON lines for machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from seqino.cli.plain import json_line
from seqino.cli.plan import Refused
from seqino.cli.result import End, Result
from seqino.cli.tables import Column, show_table
from seqino.cli.terminal import label
from seqino.cli.tokens import token_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from seqino.cli.result import Tally
    from seqino.cli.terminal import Language

__all__ = ["ends_line", "result_lines", "show_refused", "show_results"]

_STYLES = {
    End.PAID: "green",
    End.SUBMITTED: "green",
    End.OPEN: "cyan",
    End.NOT_DELIVERED: "yellow",
    End.IN_DOUBT: "bold magenta",
}
_BAD = "red"


def show_results(results: Sequence[Result], lang: Language) -> None:
    """Print one row an invoice: file, kind, number, invoice id, end, last status and reason."""
    columns = (
        Column[Result]("file", lambda result: result.invoice.name),
        Column[Result]("kind", lambda result: result.invoice.kind),
        Column[Result]("number", lambda result: result.number),
        Column[Result]("invoice", _identity, is_whole=True),
        Column[Result]("end", lambda result: Text(result.end, style=_STYLES.get(result.end, _BAD))),
        Column[Result](
            "status", lambda result: ": ".join(filter(None, (label(result.status, lang), result.reason)))
        ),
    )
    show_table(columns, results)


def _identity(result: Result) -> str:
    return result.invoice_id or (f"draft {result.draft_id}" if result.draft_id else "")


def show_refused(refused: Sequence[Refused]) -> None:
    """Print one row a file that was not sent."""
    columns = (
        Column[Refused]("refused before sending", lambda file: file.name),
        Column[Refused]("reason", lambda file: file.reason),
    )
    show_table(columns, refused)


def result_lines(results: Iterable[Result], refused: Iterable[Refused], lang: Language) -> Iterable[str]:
    """Yield one JSON object an invoice, and one a file that was not sent."""
    for result in results:
        yield json_line(
            {
                "file": str(result.invoice.path),
                "kind": result.invoice.kind,
                "number": result.number,
                "invoice_id": result.invoice_id,
                "draft_id": result.draft_id,
                "end": result.end,
                "status_code": None if result.status is None else result.status.value,
                "label": label(result.status, lang) or None,
                "reason": result.reason or None,
                "token": None if result.token is None else token_text(result.token),
            }
        )
    for file in refused:
        yield json_line({"file": file.name, "end": End.REFUSED_BEFORE, "reason": file.reason})


def ends_line(tally: Tally) -> str:
    """Count the ends in words: ``ends: 12 paid, 1 refused``."""
    return "ends: " + ", ".join(f"{count} {end}" for end, count in tally.ends.items())
