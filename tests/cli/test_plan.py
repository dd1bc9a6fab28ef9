from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from seqino.cli.files import find
from seqino.cli.plan import Plan, make_plan, read_draft
from seqino.errors import InvalidInput

DRAFT = {
    "issue_date": "2026-10-26",
    "type_code": "380",
    "currency_code": "EUR",
    "seller": {"name": "Atelier", "postal_address": {"city_name": "Lyon"}},
    "lines": [{"invoiced_quantity": 2, "item_net_price": 10.5}],
}


def planned(*paths: Path) -> Plan:
    return make_plan(find(paths), read=Path.read_bytes)


def names(plan: Plan) -> list[str]:
    return [Path(invoice.name).name for invoice in plan.invoices]


def only_reason(plan: Plan) -> str:
    (refused,) = plan.refused
    return refused.reason


def test_all_samples_are_sent(samples: Path) -> None:
    plan = planned(samples)
    assert plan.refused == ()
    assert len(plan.invoices) == len([path for path in samples.iterdir() if path.suffix != ".md"])
    assert {invoice.kind for invoice in plan.invoices} == {"ubl", "cii", "factur-x", "json"}
    assert all((invoice.number is None) == (invoice.kind == "json") for invoice in plan.invoices)


def test_the_same_content_is_sent_once(samples: Path, tmp_path: Path) -> None:
    original = samples / "01-it-services-ubl.xml"
    copy = tmp_path / "copy.xml"
    copy.write_bytes(original.read_bytes())
    plan = planned(original, copy)
    assert names(plan) == [original.name]
    assert only_reason(plan) == f"is the same invoice as {original}: sent once"


def test_a_second_file_with_the_number_of_another_is_not_sent(samples: Path, tmp_path: Path) -> None:
    original = samples / "05-books-and-press-ubl.xml"
    other = tmp_path / "other.xml"
    other.write_bytes(original.read_bytes().replace(b"Affiches A2", b"Affiches A3"))
    plan = planned(original, other)
    assert names(plan) == [original.name]
    assert only_reason(plan).startswith("is number IMB/2026/30551 of seller 090346032 in 2026, which ")


def test_the_same_number_in_another_year_is_another_invoice(samples: Path, tmp_path: Path) -> None:
    original = samples / "01-it-services-ubl.xml"
    later = tmp_path / "later.xml"
    later.write_bytes(original.read_bytes().replace(b"IssueDate>2026", b"IssueDate>2027"))
    assert planned(original, later).refused == ()


def test_a_file_without_a_number_is_known_by_its_content_alone(samples: Path, tmp_path: Path) -> None:
    data = (samples / "01-it-services-ubl.xml").read_bytes().replace(b"<cbc:ID>ANR-2026-0412</cbc:ID>", b"")
    for name, comment in (("a.xml", b""), ("b.xml", b"<!-- b -->"), ("c.xml", b"")):
        (tmp_path / name).write_bytes(data + comment)
    plan = planned(tmp_path)
    assert names(plan) == ["a.xml", "b.xml"]


def test_a_draft_written_otherwise_is_the_same_draft(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(DRAFT))
    (tmp_path / "b.json").write_text(json.dumps(DRAFT, indent=4, sort_keys=True).replace("10.5", "10.50"))
    (tmp_path / "c.json").write_text(json.dumps(DRAFT).replace("10.5", "10.51"))
    (tmp_path / "d.json").write_text(json.dumps(DRAFT).replace("10.5", '"10.5"'))
    plan = planned(tmp_path)
    assert names(plan) == ["a.json", "c.json", "d.json"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.xml", b"", "is empty"),
        ("empty.json", b" \n", "is empty"),
        ("text.pdf", b"Dear Sir or Madam", "is neither XML nor PDF"),
        ("page.xml", b"<html/>", "is XML, but its root is 'html'"),
        ("cut.json", b'{"issue_date": ', "is not JSON"),
        ("list.json", b"[1]", "not one invoice draft"),
        ("settings.json", b'{"a": 1}', "it has no issue_date, type_code, currency_code, seller"),
        ("nan.json", b'{"issue_date": NaN}', "NaN is no number there"),
        ("deep.json", b"[" * 100_000, "is not JSON"),
        ("bytes.json", b'{"a": "\xff"}', "is not JSON"),
        ("broken.pdf", b"%PDF-1.7\nnothing", "is a PDF that cannot be read"),
    ],
)
def test_what_is_no_invoice_is_refused_with_its_reason(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    plan = planned(tmp_path / name)
    assert plan.invoices == ()
    assert reason in only_reason(plan)
    assert name not in only_reason(plan)


def test_a_file_that_cannot_be_read_stops_no_other(samples: Path) -> None:
    def read(path: Path) -> bytes:
        if path.name.startswith("01"):
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    plan = make_plan(find([samples]), read=read)
    assert only_reason(plan) == "cannot be read: Permission denied"
    assert len(plan.invoices) > 20


def test_amounts_of_a_draft_keep_their_digits() -> None:
    draft = read_draft(json.dumps(DRAFT).replace("10.5", "10.50").encode())
    assert draft["lines"] == [{"invoiced_quantity": 2, "item_net_price": Decimal("10.50")}]
    assert str(draft["lines"][0]["item_net_price"]) == "10.50"  # type: ignore[index]


def test_folders_are_searched_whole_and_in_order(tmp_path: Path) -> None:
    for name in ("b/2.xml", "b/1.PDF", "a/x.json", "a/notes.txt", ".git/config.json", "b/.hidden.xml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    found = find([tmp_path])
    assert [Path(file.name).relative_to(tmp_path.name).as_posix() for file in found] == [
        "a/x.json",
        "b/1.PDF",
        "b/2.xml",
    ]
    assert [file.path for file in found] == [
        tmp_path / "a/x.json",
        tmp_path / "b/1.PDF",
        tmp_path / "b/2.xml",
    ]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("x")
    (tmp_path / "link.xml").symlink_to(path)
    assert [file.name for file in find([path, tmp_path, path])] == [str(path)]


def test_a_file_that_is_named_may_end_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "invoice.txt"
    path.write_text("x")
    assert [file.name for file in find([path])] == [str(path)]


@pytest.mark.parametrize("missing", ["nowhere", "nowhere.xml"])
def test_a_missing_path_is_named(tmp_path: Path, missing: str) -> None:
    with pytest.raises(InvalidInput, match=f"{missing}: no such file or folder"):
        find([tmp_path / missing])


def test_a_folder_without_invoices_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(InvalidInput, match=r"a folder without invoice files \(\.json \.pdf \.xml\)"):
        find([tmp_path])
