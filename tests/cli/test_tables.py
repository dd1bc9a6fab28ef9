from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from rich.text import Text

from seqino._core.wire import UNSET
from seqino.cli.tables import Column, moment, show_table, words

ID = "0d7c2a54-5d0b-4e39-9d26-3c3c2f7a9f11"
Row = tuple[str, str]
COLUMNS = (
    Column[Row]("what", lambda row: row[0]),
    Column[Row]("id", lambda row: row[1], is_whole=True),
    Column[Row]("note", lambda _: None, is_optional=True),
)


def test_what_may_be_folded_is_folded_and_an_id_never(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    show_table(COLUMNS, [("word " * 30, ID), ("w" * 50, ID)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if ID in line] == [[*["word"] * 4, ID], ["w" * 22, ID]]
    assert max(map(len, lines)) <= 60


def test_a_table_is_wider_than_the_terminal_rather_than_to_break_an_id(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    show_table(COLUMNS, [("word " * 30, ID)])
    assert ID in capsys.readouterr().out


def test_brackets_and_colons_of_others_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(COLUMNS, [("[red]a[/red] :warning:", "[bold]")])
    heads, row = capsys.readouterr().out.splitlines()
    assert heads.split() == ["what", "id"]
    assert row.split() == ["[red]a[/red]", ":warning:", "[bold]"]


def test_a_table_without_rows_is_its_heads(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(COLUMNS, [])
    assert capsys.readouterr().out.split() == ["what", "id"]


def test_styled_text_is_taken_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_table([Column[str]("a", lambda text: Text(text, style="red"))], ["paid"])
    assert capsys.readouterr().out.split() == ["a", "paid"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (UNSET, ""),
        (True, "yes"),
        (False, "no"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.10"), "0.10"),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (dt.datetime(2026, 1, 31, 8, tzinfo=dt.UTC), "2026-01-31T08:00:00Z"),
        (3, "3"),
        (1.5, "1.5"),
        ({"a": 1}, ""),
    ],
)
def test_values_are_written_for_people(value: object, text: str) -> None:
    assert words(value) == text


def test_a_moment_keeps_its_zone_or_has_none() -> None:
    paris = dt.timezone(dt.timedelta(hours=1))
    assert moment(dt.datetime(2026, 1, 31, 8, tzinfo=paris)) == "2026-01-31T08:00:00+01:00"
    assert moment(dt.datetime(2026, 1, 31, 8)) == "2026-01-31T08:00:00"  # noqa: DTZ001 - as some platforms write
