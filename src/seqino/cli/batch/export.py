"""``seqino batch export``: what a ledger knows, for other programs."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from seqino.cli.batch.group import RunNumber, command
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import say
from seqino.cli.result import ExitCode

__all__ = ["Form", "Subject", "export"]


class Form(StrEnum):
    """How lines are written."""

    JSONL = "jsonl"
    CSV = "csv"


class Subject(StrEnum):
    """What is written."""

    MAPPING = "mapping"
    HISTORY = "history"


@command("export")
async def export(
    session: Session,
    out: Annotated[Path, typer.Argument(help="File to write, which is replaced; - for the output.")],
    form: Annotated[Form, typer.Option("--format")] = Form.JSONL,
    what: Annotated[
        Subject,
        typer.Option(
            help="mapping: for each key its draft, invoice, number and state. history: the audit trail."
        ),
    ] = Subject.MAPPING,
    run: RunNumber = None,
) -> ExitCode:
    """Write what became of each invoice, or all that ever happened, line by line."""
    async with session.open() as ledger:
        file = sys.stdout if str(out) == "-" else out
        count = await ledger.export(
            file,
            what="history" if what is Subject.HISTORY else "invoices",
            form="csv" if form is Form.CSV else "jsonl",
            run_id=run,
        )
    say(f"{out}: {count} lines", stderr=True)
    return ExitCode.OK
