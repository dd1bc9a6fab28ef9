"""What the package shows, and what it says where its extra is missing; its tables on both databases."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from sqlalchemy import make_url
from sqlalchemy.schema import CreateIndex, CreateTable

from seqino import batch
from seqino.batch import schema, statements
from seqino.errors import MissingExtra


def test_every_public_name_is_there_and_sorted() -> None:
    assert sorted(batch.__all__) == batch.__all__ == dir(batch)
    for name in batch.__all__:
        assert getattr(batch, name).__name__ == name


def test_a_name_that_is_not_there_is_missed() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Leger'"):
        batch.Leger  # type: ignore[attr-defined]  # noqa: B018 - asking is the test


@pytest.mark.parametrize(
    ("missing", "error", "words"),
    [
        ("sqlalchemy.ext", MissingExtra, r"pip install 'seqino\[batch\]'"),
        ("platformdirs", MissingExtra, "The ledger needs the extra 'batch'"),
        ("elsewhere", ModuleNotFoundError, "not there"),
    ],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, missing: str, error: type[Exception], words: str
) -> None:
    def fail(_: str) -> Any:
        raise ModuleNotFoundError("not there", name=missing)

    monkeypatch.delitem(vars(batch), "Ledger", raising=False)
    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(error, match=words):
        _ = batch.Ledger


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_tables_and_statements_are_for_both_databases(name: str) -> None:
    dialect = make_url(f"{name}://").get_dialect()()
    for table in schema.METADATA.sorted_tables:
        assert str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert str(CreateIndex(index).compile(dialect=dialect))
    for statement in (statements.ITEM, statements.NOW):
        assert str(statement.compile(dialect=dialect))
    for prepared in (
        statements.CHANGE_ITEM,
        statements.COUNT_GROUP,
        statements.FENCE,
        statements.ADD_HISTORY,
    ):
        assert str(prepared.statement.compile(dialect=dialect))
