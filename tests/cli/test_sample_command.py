"""``seqino invoices sample``: a file that a newcomer can send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from seqino.cli.result import ExitCode
from seqino.cli.sample import numbered
from seqino.documents import read_document
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.results import Result


def test_a_sample_is_an_invoice_that_can_be_submitted(
    on_platform: Callable[..., Result], seqino_command: Callable[..., Result], tmp_path: Path
) -> None:
    file = tmp_path / "invoice.xml"
    file.write_text(seqino_command("invoices", "sample").stdout, encoding="utf-8")
    number = read_document(file.read_bytes(), name="invoice.xml").number
    assert number is not None
    assert number.startswith("SAMPLE")
    assert on_platform("submit", file).exit_code == ExitCode.OK


def test_samples_made_in_one_second_have_numbers_of_their_own(seqino_command: Callable[..., Result]) -> None:
    made = [seqino_command("invoices", "sample").stdout.encode() for _ in range(3)]
    assert len({read_document(one, name="x").number for one in made}) == len(made)


@pytest.mark.parametrize("number", ["F-1", "A/b+c_9", "9" * 35])
def test_a_sample_has_the_number_that_is_asked_for(
    number: str, seqino_command: Callable[..., Result]
) -> None:
    said = seqino_command("invoices", "sample", "--number", number).stdout
    assert read_document(said.encode(), name="x").number == number
    assert "VDL-26-1188" not in said


@pytest.mark.parametrize("number", ["", "F 1", "F.1", "é", "9" * 36, "<b>", "F-1\n"])
def test_a_number_that_no_invoice_may_have_is_refused(number: str) -> None:
    with pytest.raises(InvalidInput, match="--number must have 1 to 35"):
        numbered(number)


def test_a_wrong_number_is_one_line(seqino_command: Callable[..., Result]) -> None:
    refused = seqino_command("invoices", "sample", "--number", "F 1")
    assert (refused.exit_code, refused.stdout) == (ExitCode.INPUT, "")
    assert refused.stderr.startswith("error: --number")
