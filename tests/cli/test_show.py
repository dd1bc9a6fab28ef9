from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from seqino.cli.plan import Invoice, Refused
from seqino.cli.progress import progress
from seqino.cli.result import End, Result, Tally
from seqino.cli.show import (
    clean,
    console,
    ends_line,
    event_lines,
    events_table,
    label,
    language,
    one_line,
    refused_table,
    result_lines,
    results_table,
)
from seqino.errors import InvalidInput
from seqino.models import LifecycleEvent, LifecycleStatusCode

INVOICE = Invoice(path=Path("in/a[red].xml"), name="a[red].xml", kind="ubl", digest="", number="F-1")
PAID = LifecycleStatusCode("InvoiceLifecycleStatus.COLLECTED")
RESULTS = [
    Result(invoice=INVOICE, end=End.PAID, invoice_id="inv_1", number="F-1", status=PAID),
    Result(invoice=INVOICE, end=End.IN_DOUBT, draft_id="draft_1", reason="Unclear\x1b[31m"),
    Result(invoice=INVOICE, end=End.FAILED),
]
EVENT = LifecycleEvent(
    status_code=PAID,
    timestamp=datetime(2026, 10, 2, 8, tzinfo=UTC),
    emitter="PDPE",
    reason="tout\npayé",
    rejection_reason="X",
)


def rendered(thing: object) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(thing)
    return out.getvalue()


@pytest.mark.parametrize(
    ("option", "environ", "expected"),
    [
        ("fr", {"LANG": "en_US"}, "fr"),
        ("en", {"LANG": "fr_FR"}, "en"),
        (None, {"LANG": "fr_FR.UTF-8"}, "fr"),
        (None, {"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, "en"),
        (None, {"LC_ALL": "", "LC_MESSAGES": "fr_BE", "LANG": "C"}, "fr"),
        (None, {}, "en"),
    ],
)
def test_labels_follow_the_option_then_the_locale(
    option: str | None, environ: dict[str, str], expected: str
) -> None:
    assert language(option, environ) == expected


def test_a_language_without_labels_is_refused() -> None:
    with pytest.raises(InvalidInput, match="fr or en, not de"):
        language("de", {})


def test_a_label_has_its_number_where_there_is_one() -> None:
    assert label(PAID, "fr") == "212 Encaissée"
    assert label(PAID, "en") == "212 Payment received"
    assert label(LifecycleStatusCode("New.THING"), "en") == "New.THING"
    assert label(None, "en") == ""


def test_a_row_says_how_each_invoice_stands() -> None:
    heads, paid, doubt, failed = rendered(results_table(RESULTS, "fr")).splitlines()
    assert heads.split() == ["file", "kind", "number", "invoice", "end", "status"]
    assert paid.split() == ["a[red].xml", "ubl", "F-1", "inv_1", "paid", "212", "Encaissée"]
    assert doubt.split() == ["a[red].xml", "ubl", "draft", "draft_1", "in", "doubt", "Unclear", "[31m"]
    assert failed.split() == ["a[red].xml", "ubl", "failed"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a", "a"), ("a.\n  b\n\nc:\nd", "a. b; c: d"), ("", "")],
)
def test_a_message_of_several_lines_is_put_on_one(text: str, line: str) -> None:
    assert one_line(text) == line


def test_control_characters_reach_no_terminal() -> None:
    assert clean("a\x1b]0;x\x07b\r\n\u202ec") == "a ]0;x b   c"


def test_refused_files_are_shown_with_their_reasons() -> None:
    assert "b.xml" in rendered(refused_table([Refused(name="b.xml", reason="is empty")]))


def test_events_are_shown_with_both_reasons() -> None:
    _, row = rendered(events_table([EVENT], "en")).splitlines()
    assert row.split() == [
        "2026-10-02T08:00:00+00:00",
        "212",
        "Payment",
        "received",
        "PDPE",
        "X:",
        "tout",
        "payé",
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
    }
    assert (doubt["end"], doubt["draft_id"], doubt["label"]) == ("in doubt", "draft_1", None)
    assert refused == {"file": "b.xml", "end": "refused before sending", "reason": "is empty"}


def test_event_lines_for_machines_are_json() -> None:
    (line,) = map(json.loads, event_lines([EVENT], "fr"))
    assert line == {
        "timestamp": "2026-10-02T08:00:00+00:00",
        "status_code": "InvoiceLifecycleStatus.COLLECTED",
        "number": 212,
        "label": "Encaissée",
        "emitter": "PDPE",
        "reason": "tout\npayé",
        "rejection_reason": "X",
        "is_mandatory": False,
    }
    (english,) = map(json.loads, event_lines([EVENT], "en"))
    assert english["label"] == "Payment received"


def test_ends_are_counted_in_words() -> None:
    assert ends_line(Tally.of(RESULTS, refused=2)) == (
        "ends: 1 paid, 1 in doubt, 2 refused before sending, 1 failed"
    )


def test_rows_are_not_broken_where_no_terminal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert console().width == 200
    assert console(stderr=True).width == 200
    monkeypatch.setenv("COLUMNS", "70")
    assert console().width == 70


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
