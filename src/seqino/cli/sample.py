"""``seqino invoices sample``: an invoice file to try things with."""

import re
import sys
from datetime import UTC, datetime
from importlib.resources import files
from typing import Annotated

import typer

from seqino.cli.common import one_line_errors
from seqino.errors import InvalidInput

__all__ = ["numbered", "sample"]

_NUMBER = "VDL-26-1188"
"""The number of the file that is kept; where it stands, the invoice or its payment is meant."""

_NUMBERS = re.compile(r"[A-Za-z0-9+\-_/]{1,35}", re.ASCII)
"""What an invoice number may be (BR-FR-01, BR-FR-02)."""


def numbered(number: str) -> bytes:
    """Return the sample, a UBL invoice, under a number.

    Args:
        number: Its number (BT-1): 1 to 35 letters, digits and ``+ - _ /`` (BR-FR-01, BR-FR-02).

    Raises:
        InvalidInput: The number is none.
    """
    if _NUMBERS.fullmatch(number) is None:
        raise InvalidInput(f"--number must have 1 to 35 letters, digits or + - _ /, not {number!r}")
    # The sandbox is an extra of its own; the file is there without it.
    kept = files("seqino").joinpath("sandbox", "invoices", "02-food-two-rates-ubl.xml")
    return kept.read_text(encoding="utf-8").replace(_NUMBER, number).encode()


def sample(
    number: Annotated[
        str | None,
        typer.Option(help="Its number. Else one of the present microsecond.", show_default=False),
    ] = None,
) -> None:
    """Write a sample invoice (UBL) to the output: seqino invoices sample > invoice.xml.

    Each has a number of its own, since a platform refuses a number that it has seen as a duplicate.
    """
    with one_line_errors():
        given = f"SAMPLE{datetime.now(UTC):%y%m%d%H%M%S%f}" if number is None else number
        sys.stdout.buffer.write(numbered(given))
        sys.stdout.flush()
