from __future__ import annotations

import io
import re
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from seqino.cli.reading import read_file, read_moment, read_object, read_object_file, read_span
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_or_the_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    assert read_file(str(tmp_path / "a.json")) == b"{}"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[]")))
    assert read_file("-") == b"[]"


@pytest.mark.parametrize("name", ["nowhere.json", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be read: "):
        read_file(name)


def test_numbers_keep_their_digits() -> None:
    assert read_object(b'{"a": 0.10, "b": 1e400, "c": 3}', what="x") == {
        "a": Decimal("0.10"),
        "b": Decimal("1e400"),
        "c": 3,
    }


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"{", "is not JSON"),
        (b"[]", "not an invoice"),
        (b'{"a": NaN}', "NaN is no number there"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff", "is not JSON"),
    ],
)
def test_what_is_no_object_is_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        read_object(data, what="an invoice")


@pytest.mark.parametrize(
    ("text", "at_end", "moment"),
    [
        ("2026-01-31", False, datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31", True, datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)),
        ("2026-01-31T08:00:00Z", True, datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T08:00+01:00", False, datetime(2026, 1, 31, 8, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_days_and_moments_are_read(text: str, moment: datetime, *, at_end: bool) -> None:
    assert read_moment(text, where="--end", at_end=at_end) == moment


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("tomorrow", "--end must be a day"), ("2026-02-30", "--end must be"), ("2026-01-31T08:00", "its zone")],
)
def test_what_is_no_moment_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        read_moment(text, where="--end")


@pytest.mark.parametrize(("text", "hours"), [("30d", 720), ("12h", 12), ("90 m", 1.5), ("2w", 336)])
def test_spans_are_read(text: str, hours: float) -> None:
    assert read_span(text, where="--within") == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1y", "999999999d"])
def test_what_is_no_span_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="--within must be"):
        read_span(text, where="--within")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('{"a":', "is not JSON"),
        ("[1]", "is JSON, but not an invoice draft"),
        (" \n", "is empty, and not an invoice draft"),
        ('{"a": NaN}', "is not JSON"),
    ],
)
def test_what_is_wrong_with_a_file_names_the_file(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(content)
    with pytest.raises(InvalidInput, match=re.escape(f"{file} {why}")):
        read_object_file(str(file), what="an invoice draft")


def test_a_good_file_is_read_and_the_input_has_a_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "good.json"
    file.write_text('{"a": 0.10}')
    assert read_object_file(str(file), what="x") == {"a": Decimal("0.10")}
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InvalidInput, match="the input is empty"):
        read_object_file("-", what="x")
