"""``seqino submit``: invoice files and drafts to a platform, each once."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from seqino.cli.common import Json, Lang, Target, complain, leave, one_line_errors, with_target
from seqino.cli.progress import progress
from seqino.cli.result import ExitCode, Tally
from seqino.cli.running import carry_out
from seqino.cli.sending import Following, deliver, exit_code, plan_of, report
from seqino.cli.terminal import console, language
from seqino.cli.work import Run
from seqino.errors import ConfigurationError
from seqino.statuses import Backoff

__all__ = ["submit"]

PACE = Backoff(first=timedelta(seconds=0.5), longest=timedelta(minutes=1), factor=1.6)
"""How often each invoice is asked for."""


@with_target
def submit(  # noqa: PLR0917 - each is an option of the command
    target: Target,
    paths: Annotated[
        list[Path], typer.Argument(help="Files, and folders that are searched for .xml .pdf .json.")
    ],
    concurrency: Annotated[
        int, typer.Option(min=1, max=100, help="Invoices under way at the same time.")
    ] = 16,
    follow: Annotated[bool, typer.Option(help="Ask for events until each invoice is at an end.")] = True,
    follow_timeout: Annotated[float, typer.Option(min=0, help="Seconds to follow at most.")] = 120.0,
    as_json: Json = False,
    lang: Lang = None,
) -> None:
    """Submit invoices: UBL, CII and Factur-X files as they are, JSON files as drafts that are then validated.

    All files are read first; what is no invoice, or a copy of another one, is not sent. Exit codes: 0 done,
    1 failed, 2 wrong usage or unusable files, 3 some were refused or rejected, 4 some are in doubt.
    """
    with one_line_errors():
        labels = language(lang, os.environ)
        client = target.client()
        plan = plan_of(paths)
        with progress(console(stderr=True)) as tell:
            run = Run(plan.invoices, workers=concurrency, tell=tell)
            following = Following(pace=PACE, limit=follow_timeout) if follow else None
            try:
                interrupted = carry_out(deliver(run, client, following=following))
            except BaseException:
                # A bug; but what was sent is said all the same.
                report(run, plan, command="submit", lang=labels, as_json=as_json)
                raise
        tally = Tally.of(run.results, refused=0)
        if run.stopped is not None and not tally.submitted + tally.in_doubt:
            complain(f"{run.stopped}\nnothing was submitted")
            leave(ExitCode.INPUT if isinstance(run.stopped, ConfigurationError) else ExitCode.FAILURE)
        tally = report(run, plan, command="submit", lang=labels, as_json=as_json)
        leave(exit_code(tally, interrupted=interrupted))
