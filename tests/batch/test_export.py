"""What a ledger tells other programs."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from seqino.batch.export import HISTORY, INVOICES, harmless
from seqino.batch.taking import Refused
from seqino.client import SeqinoClient
from seqino.errors import InvalidInput, Rejected
from tests.batch.conftest import CLIENT, DRAFT

if TYPE_CHECKING:
    from pathlib import Path

    from seqino.batch import Ledger
    from tests.batch.platform import Platform


@pytest.fixture
async def filled(ledger: Ledger, platform: Platform) -> Ledger:
    """A run of one invoice that waits and one line that was refused; one invoice taken, and one rejected."""
    async with SeqinoClient("canary-key-77", client_id=CLIENT, base_url=platform.url) as client:
        await ledger.submit(client, DRAFT, key="=web")
        platform.faults["validate"] = ["refuse"]
        with pytest.raises(Rejected):
            await ledger.submit(client, DRAFT, key="bad")
    run = await ledger.create_run([("1", DRAFT)], client_id=CLIENT)
    await ledger.runs.refuse((await ledger.runs.all())[0], [Refused(name="x.xml", reason="-1 is empty")])
    assert run.id == 1
    return ledger


async def lines(ledger: Ledger, **how: Any) -> list[dict[str, Any]]:
    out = io.StringIO()
    count = await ledger.export(out, **how)
    found = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(found) == count
    return found


async def test_each_key_is_told_with_its_draft_and_invoice(filled: Ledger) -> None:
    found = await lines(filled)
    assert all(tuple(line) == INVOICES for line in found)
    shown = [(line["key"], line["state"], line["draft_id"], line["invoice_id"]) for line in found]
    assert shown == [
        ("=web", "accepted", "draft-1", "inv-1"),
        ("bad", "rejected", "draft-2", None),
        ("1", "queued", None, None),
        (None, "refused", None, None),
    ]
    assert found[0]["invoice_number"] == "F-1"
    assert found[0]["reason"] is None
    assert found[1]["reason"].endswith("lines: no")
    assert [line["state"] for line in await lines(filled, run_id=1)] == ["queued", "refused"]


@pytest.mark.parametrize("what", ["invoices", "history"])
async def test_a_run_that_is_not_there_is_refused_and_nothing_is_written(filled: Ledger, what: Any) -> None:
    out = io.StringIO()
    with pytest.raises(InvalidInput, match="there is no run 9 in this ledger"):
        await filled.export(out, what=what, form="csv", run_id=9)
    assert out.getvalue() == ""


async def test_the_audit_trail_is_told_with_keys(filled: Ledger) -> None:
    found = await lines(filled, what="history")
    assert all(tuple(line) == HISTORY for line in found)
    assert [line["event"] for line in found if line["key"] == "=web"] == ["added", "marked", "accepted"]
    assert [line["key"] for line in await lines(filled, what="history", run_id=1)] == ["1"]


@pytest.mark.parametrize("what", ["invoices", "history"])
async def test_no_cell_is_a_formula_and_no_secret_is_told(filled: Ledger, tmp_path: Path, what: Any) -> None:
    path = tmp_path / "out.csv"
    count = await filled.export(path, what=what, form="csv")
    text = path.read_text(encoding="utf-8")
    with path.open(newline="", encoding="utf-8") as file:
        heading, *rows = csv.reader(file)
    assert tuple(heading) == (INVOICES if what == "invoices" else HISTORY)
    assert len(rows) == count
    assert {"'=web"} <= {row[heading.index("key")] for row in rows}
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    assert "canary-key-77" not in text


def test_what_a_spreadsheet_would_take_for_a_formula_is_a_text() -> None:
    assert [harmless(cell) for cell in ("=1", "+1", "-1", "@x", "\tx", "\rx", "a=1", "", None, -1)] == [
        *("'=1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "a=1", ""),
        *(None, -1),
    ]


async def test_many_lines_come_in_pages(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqino.batch.reading._PAGE", 2)
    await ledger.create_run([(str(number), DRAFT) for number in range(5)], client_id=CLIENT)
    assert [line["key"] for line in await lines(ledger, what="history")] == list("01234")


async def test_what_cannot_be_exported_is_refused(ledger: Ledger) -> None:
    wrong: Any = "xml"
    with pytest.raises(InvalidInput, match="as jsonl or csv: not 'invoices' as 'xml'"):
        await ledger.export(io.StringIO(), form=wrong)
    with pytest.raises(InvalidInput):
        await ledger.export(io.StringIO(), what=wrong)
