"""What a source may hold, and how each invoice of it gets into the ledger, or does not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from seqino._core.wire import File
from seqino.batch import BatchItem, Refused, State
from seqino.batch.items import NewItem
from seqino.batch.sources import entries_under, entry_of, paths_of
from seqino.errors import InvalidInput
from tests.batch.conftest import CLIENT, DRAFT, FILE, INVOICES

PLAIN = json.loads((INVOICES / "13-consulting-draft.json").read_text(encoding="utf-8"))


def under(path: Path, client_id: str | None = CLIENT) -> list[NewItem | Refused]:
    return list(entries_under(path, client_id=client_id))


def taken(path: Path) -> list[NewItem]:
    entries = under(path)
    assert all(isinstance(entry, NewItem) for entry in entries), entries
    return [entry for entry in entries if isinstance(entry, NewItem)]


def reason(path: Path) -> str:
    (entry,) = under(path)
    assert isinstance(entry, Refused)
    return entry.reason


def row(key: Any = "1", **more: Any) -> dict[str, Any]:
    return {"key": key, "invoice": PLAIN, **more}


def test_a_folder_is_searched_whole_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b/2.xml", "b/1.XML", "a.pdf", ".hidden/x.xml", "b/.x.xml", "notes.txt", "c.jsonl"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(FILE.read_bytes() if "xml" in name.lower() else b"")
    (tmp_path / "a.pdf").write_bytes((INVOICES / "24-factur-x.pdf").read_bytes())
    (tmp_path / "c.jsonl").write_text(json.dumps(row()), encoding="utf-8")
    found = taken(tmp_path)
    assert [item.payload_ref.removeprefix("file:") for item in found[:2]] == [
        str(tmp_path / "a.pdf"),
        "stored",
    ]
    assert [item.name for item in found] == ["a.pdf", f"{tmp_path / 'c.jsonl'}:1", "1.XML", "2.xml"]
    assert found[2].business_key == found[3].business_key


def test_ubl_cii_and_pdf_are_known_by_their_content(tmp_path: Path) -> None:
    for number, name in enumerate(
        ("01-it-services-ubl.xml", "08-pharmacy-four-rates-cii.xml", "24-factur-x.pdf")
    ):
        path = tmp_path / f"{number}.bin"
        path.write_bytes((INVOICES / name).read_bytes())
        (item,) = taken(path)
        assert (item.route, item.invoice_number is None) == ("file", False)


def test_a_file_that_is_no_invoice_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(b"<a/>")
    assert reason(path).startswith("is XML, but its root is 'a'")
    assert reason(tmp_path / "gone.xml") == "cannot be read: No such file or directory"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert reason(empty).startswith("is a folder without invoice files (.json ")


def test_rows_stand_in_an_array_alone_or_one_a_line(tmp_path: Path) -> None:
    array, single, lines = tmp_path / "a.json", tmp_path / "s.json", tmp_path / "l.ndjson"
    array.write_text("\ufeff" + json.dumps([row("1"), row("2", client_id="other", document_ref="d")]))
    single.write_text(json.dumps(row("3"), indent=1))
    lines.write_text("\ufeff" + "\n\n".join(json.dumps(row(key)) for key in ("4", "5")))
    first, second = taken(array)
    assert (first.name, first.client_id, first.business_key) == (f"{array}[1]", CLIENT, "1")
    assert (second.client_id, second.document_ref) == ("other", "d")
    assert [(item.name, item.business_key) for item in taken(single)] == [(str(single), "3")]
    assert [(item.name, item.business_key) for item in taken(lines)] == [
        (f"{lines}:1", "4"),
        (f"{lines}:3", "5"),
    ]
    odd = tmp_path / "rows"
    odd.write_text(json.dumps(row("6")))
    assert taken(odd)[0].business_key == "6"


def test_amounts_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    invoice = json.dumps(PLAIN).replace(str(PLAIN["total_amount_with_vat"]), "12345678901234567.89")
    path.write_text(f'{{"key": "1", "invoice": {invoice}}}')
    assert b"12345678901234567.89" in (taken(path)[0].payload or b"")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "is not JSON"),
        ("[1, 2", "is not JSON"),
        ("1", "is JSON, but no row"),
        (json.dumps(PLAIN), "is no row with key and invoice; a draft alone"),
        (json.dumps(row(document="d", date="x")), "has date, document: a row has key, client_id"),
        (json.dumps(row(7)), "is no row: its key is no text"),
        (json.dumps({"key": "1", "invoice": []}), "is no row: its invoice is no object"),
        (json.dumps({"invoice": PLAIN}), "has no key: a draft has no number yet"),
        (json.dumps(row(" ")), "key must"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    assert why in reason(path)


def test_what_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"
    path.write_text("[]")
    monkeypatch.setattr("seqino.batch.sources.MAX_BYTES", 1)
    assert reason(path) == "is larger than 0 MiB: write rows as JSON Lines (.jsonl)"
    monkeypatch.undo()
    real = type(path).read_bytes

    def broken(_: Path) -> bytes:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(type(path), "read_bytes", broken)
    assert reason(path) == "cannot be read: Input/output error"
    monkeypatch.setattr(type(path), "read_bytes", real)
    assert reason(path) == "holds no rows"


def test_nothing_of_a_folder_is_passed_over_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    (folder / "closed").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path, target_is_directory=True)
    (folder / "empty.jsonl").write_text("\n")
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "ok.json").write_text(json.dumps(row()))
    real = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", closed)
    told = {entry.name: entry.reason for entry in under(folder) if isinstance(entry, Refused)}
    assert {Path(name).name: why for name, why in told.items()} == {
        "closed": "cannot be read: Permission denied",
        "link": "is a link to a folder, which is not followed: name the folder itself",
        "empty.jsonl": "holds no rows",
        "deep.json": told[str(folder / "deep.json")],
    }
    assert told[str(folder / "deep.json")].startswith("is not JSON that can be read (")
    assert [entry.business_key for entry in under(folder) if isinstance(entry, NewItem)] == ["1"]


def test_a_name_that_is_none_is_refused(tmp_path: Path) -> None:
    item = entry_of(BatchItem(invoice="nul\0.xml", key="k"), name="item 1", client_id=CLIENT)
    assert isinstance(item, NewItem)
    assert "cannot be read: embedded null byte" in str(item.reasons)
    assert reason(tmp_path / "nul\0.xml") == "cannot be read: embedded null byte"


def test_a_disk_that_fails_within_a_file_of_lines_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(row()))

    def broken(*_: Any, **__: Any) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("seqino.batch.sources._row", broken)
    assert reason(path) == "cannot be read to its end: Input/output error"


def entry(one: Any, client_id: str | None = CLIENT) -> NewItem | Refused:
    return entry_of(one, name="item 7", client_id=client_id)


def test_what_yields_invoices_may_yield_pairs_and_items() -> None:
    draft, whose = (
        entry(("1", DRAFT)),
        entry(BatchItem(invoice=DRAFT, key="1", client_id="o", document_ref="d")),
    )
    assert isinstance(draft, NewItem)
    assert (draft.business_key, draft.name, draft.route) == ("1", "item 7", "draft")
    assert isinstance(whose, NewItem)
    assert (whose.client_id, whose.document_ref) == ("o", "d")
    file = entry(BatchItem(invoice=File(name="f.xml", content=FILE.read_bytes())))
    assert isinstance(file, NewItem)
    assert (file.name, file.payload_ref, file.invoice_number) == ("f.xml", "stored", "ANR-2026-0412")


def test_what_is_no_invoice_stops_no_other() -> None:
    assert entry(7) == Refused(
        name="item 7", reason="is neither a path, nor (key, invoice), nor a BatchItem: int"
    )
    assert entry(("1", DRAFT), None) == Refused(
        name="item 7", reason="does not say on whose behalf it is: give client_id, to it or to the run"
    )
    gone = entry(BatchItem(invoice="/no/such.xml"))
    assert gone == Refused(name="item 7", reason="cannot be read: No such file or directory")


@pytest.mark.parametrize(
    ("invoice", "route", "why"),
    [
        ({"currency_code": "EUR"}, "draft", "issue_date"),
        (b"no", "file", "is neither XML nor PDF"),
        (7, "file", "is neither a draft nor a file: int"),
    ],
)
def test_a_bad_invoice_with_a_key_is_invalid_under_its_key(invoice: Any, route: str, why: str) -> None:
    bad = entry(("1", invoice))
    assert isinstance(bad, NewItem)
    assert (bad.state, bad.business_key, bad.route, bad.payload) == (State.INVALID, "1", route, None)
    assert why in (bad.reasons or "")


def test_paths_are_told_from_other_sources(tmp_path: Path) -> None:
    assert paths_of(str(tmp_path)) == paths_of(tmp_path) == paths_of([tmp_path]) == [tmp_path]
    assert paths_of([("1", DRAFT)]) is paths_of([]) is paths_of(iter([tmp_path])) is None
    with pytest.raises(InvalidInput, match="gone: no such file or folder"):
        paths_of([tmp_path, tmp_path / "gone"])
