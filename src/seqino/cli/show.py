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


_ENDS_FR = {
    End.PAID: "encaissée",
    End.REFUSED: "refusée",
    End.REJECTED: "rejetée",
    End.CANCELLED: "annulée",
    End.DUPLICATE: "doublon",
    End.NOT_DELIVERED: "non remise",
    End.OPEN: "en cours",
    End.SUBMITTED: "déposée",
    End.IN_DOUBT: "incertaine",
    End.TURNED_AWAY: "non admise",
    End.REFUSED_BEFORE: "écartée avant l'envoi",
    End.FAILED: "échec",
    End.NOT_SUBMITTED: "non déposée",
}
_HEADS: dict[Language, tuple[str, ...]] = {
    "fr": ("fichier", "type", "numéro", "facture", "issue", "statut"),
    "en": ("file", "kind", "number", "invoice", "end", "status"),
}


def _end(end: End, lang: Language) -> str:
    return _ENDS_FR[end] if lang == "fr" else end


def show_results(results: Sequence[Result], lang: Language) -> None:
    """Print one row an invoice: file, kind, number, invoice id, end, last status and reason."""
    file, kind, number, invoice, end, status = _HEADS[lang]
    columns = (
        Column[Result](file, lambda result: result.invoice.name),
        Column[Result](kind, lambda result: result.invoice.kind),
        Column[Result](number, lambda result: result.number),
        Column[Result](invoice, _identity, is_whole=True),
        Column[Result](end, lambda result: Text(_end(result.end, lang), style=_STYLES.get(result.end, _BAD))),
        Column[Result](
            status, lambda result: ": ".join(filter(None, (label(result.status, lang), result.reason)))
        ),
    )
    show_table(columns, results)


def _identity(result: Result) -> str:
    return result.invoice_id or (f"draft {result.draft_id}" if result.draft_id else "")


def show_refused(refused: Sequence[Refused], lang: Language) -> None:
    """Print one row a file that was not sent."""
    columns = (
        Column[Refused](_end(End.REFUSED_BEFORE, lang), lambda file: file.name),
        Column[Refused]("motif" if lang == "fr" else "reason", lambda file: file.reason),
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


def ends_line(tally: Tally, lang: Language) -> str:
    """Count the ends in words: ``ends: 12 paid, 1 refused``."""
    counts = ", ".join(f"{count} {_end(end, lang)}" for end, count in tally.ends.items())
    return f"issues : {counts}" if lang == "fr" else f"ends: {counts}"
