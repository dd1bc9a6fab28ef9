from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from seqino.cli.plan import Invoice, Refused
from seqino.cli.progress import progress
from seqino.cli.result import End, Result, Tally
from seqino.cli.show import ends_line, result_lines, show_refused, show_results
from seqino.cli.tokens import token_text
from seqino.errors import ResumeToken
from seqino.models import LifecycleStatusCode

INVOICE = Invoice(path=Path("in/a[red].xml"), name="a[red].xml", kind="ubl", digest="", number="F-1")
PAID = LifecycleStatusCode("InvoiceLifecycleStatus.COLLECTED")
TOKEN = ResumeToken(
    operation="validate_draft", base_url="http://x", attempts=1, first_sent_at=0.0, last_sent_at=0.0
)
RESULTS = [
    Result(invoice=INVOICE, end=End.PAID, invoice_id="inv_1", number="F-1", status=PAID),
    Result(invoice=INVOICE, end=End.IN_DOUBT, draft_id="draft_1", reason="Unclear\x1b[31m", token=TOKEN),
    Result(invoice=INVOICE, end=End.FAILED),
]


def test_a_row_says_how_each_invoice_stands(capsys: pytest.CaptureFixture[str]) -> None:
    show_results(RESULTS, "en")
    heads, paid, doubt, failed = capsys.readouterr().out.splitlines()
    assert heads.split() == ["file", "kind", "number", "invoice", "end", "status"]
    assert paid.split() == ["a[red].xml", "ubl", "F-1", "inv_1", "paid", "212", "Payment", "received"]
    assert doubt.split() == ["a[red].xml", "ubl", "draft", "draft_1", "in", "doubt", "Unclear", "[31m"]
    assert failed.split() == ["a[red].xml", "ubl", "failed"]


def test_in_french_heads_and_ends_are_french(capsys: pytest.CaptureFixture[str]) -> None:
    show_results(RESULTS, "fr")
    heads, paid, doubt, failed = capsys.readouterr().out.splitlines()
    assert heads.split() == ["fichier", "type", "numéro", "facture", "issue", "statut"]
    assert paid.split() == ["a[red].xml", "ubl", "F-1", "inv_1", "encaissée", "212", "Encaissée"]
    assert doubt.split()[:5] == ["a[red].xml", "ubl", "draft", "draft_1", "incertaine"]
    assert failed.split() == ["a[red].xml", "ubl", "échec"]
    show_refused([Refused(name="b.xml", reason="is empty")], "fr")
    assert capsys.readouterr().out.split() == "écartée avant l'envoi motif b.xml is empty".split()  # noqa: SIM905 - one line
    assert ends_line(Tally.of(RESULTS, refused=2), "fr") == (
        "issues : 1 encaissée, 1 incertaine, 2 écartée avant l'envoi, 1 échec"
    )


@pytest.mark.parametrize("end", list(End))
def test_every_end_has_french_words(end: End, capsys: pytest.CaptureFixture[str]) -> None:
    show_results([Result(invoice=INVOICE, end=end)], "fr")
    assert str(end) not in capsys.readouterr().out


def test_refused_files_are_shown_with_their_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    show_refused([Refused(name="b.xml", reason="is empty")], "en")
    assert capsys.readouterr().out.split() == [
        "refused",
        "before",
        "sending",
        "reason",
        "b.xml",
        "is",
        "empty",
    ]


def test_lines_for_machines_are_json() -> None:
    lines = result_lines(RESULTS, [Refused(name="b.xml", reason="is empty")], "fr")
    paid, doubt, _, refused = map(json.loads, lines)
    assert paid == {
        "file": "in/a[red].xml",
        "kind": "ubl",
        "number": "F-1",
        "invoice_id": "inv_1",
        "draft_id": None,
        "end": "paid",
        "status_code": "InvoiceLifecycleStatus.COLLECTED",
        "label": "212 Encaissée",
        "reason": None,
        "token": None,
    }
    assert (doubt["end"], doubt["draft_id"], doubt["label"]) == ("in doubt", "draft_1", None)
    assert (doubt["reason"], doubt["token"]) == ("Unclear\x1b[31m", token_text(TOKEN))
    assert refused == {"file": "b.xml", "end": "refused before sending", "reason": "is empty"}


def test_ends_are_counted_in_words() -> None:
    assert ends_line(Tally.of(RESULTS, refused=2), "en") == (
        "ends: 1 paid, 1 in doubt, 2 refused before sending, 1 failed"
    )


def test_without_a_terminal_progress_is_a_line_now_and_then() -> None:
    out = io.StringIO()
    times = iter([0.0, 1.0, 2.5, 3.0, 3.1])
    with progress(Console(file=out), clock=lambda: next(times)) as tell:
        for done in (1, 2, 3, 4):
            tell("submitting", done, 4)
    assert out.getvalue().splitlines() == ["submitting: 2/4", "submitting: 4/4"]


def test_in_a_terminal_progress_is_a_bar() -> None:
    out = io.StringIO()
    with progress(Console(file=out, force_terminal=True, width=80)) as tell:
        tell("submitting", 1, 2)
        tell("submitting", 2, 2)
        tell("following", 1, 2)
    assert "submitting" in out.getvalue()
    assert "2/2" in out.getvalue()
