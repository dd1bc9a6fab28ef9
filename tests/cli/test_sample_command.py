"""``seqino invoices sample``: a file that a newcomer can send."""

import pytest
from typer.testing import CliRunner

from seqino.cli.app import app
from seqino.cli.sample import numbered
from seqino.documents import read_invoice_file
from seqino.errors import InvalidInput
