"""The ledger's benchmark runs; what it finds is for people to read, never asserted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import ledger

if TYPE_CHECKING:
    import pytest


def test_every_figure_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger.main(["--tiny"]) == 0
    printed = capsys.readouterr().out
    assert "submissions/s with the ledger" in printed
    assert "peak memory, 20 invoices over 10" in printed
