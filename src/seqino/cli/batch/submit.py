"""``seqino batch submit``, ``resume`` and ``retry``: runs are taken into the ledger, and worked on."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
from collections.abc import Awaitable
from typing import Annotated

import typer

from seqino.cli.batch.group import AsJson, Paths, RunNumber, command
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import language
from seqino.cli.batch.working import Worker
from seqino.cli.common import Lang
from seqino.cli.result import ExitCode
from seqino.errors import InvalidInput

__all__ = ["resume", "retry", "submit"]

Concurrency = Annotated[int, typer.Option(min=1, max=1000, help="Requests under way at the same time.")]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds to find out what became of invoices in doubt, in the end.")
]
Follow = Annotated[
    bool, typer.Option("--follow", help='Then follow what was taken to its end, as "follow" does.')
]


@command("submit", calls=True)
def submit(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    paths: Paths,
    name: Annotated[str, typer.Option(help="What to call the run, such as 2026-09.")] = "",
    concurrency: Concurrency = 64,
    patience: Patience = 120.0,
    follow: Follow = False,
    another_ledger: Annotated[
        bool,
        typer.Option(
            "--another-ledger",
            help="Make a second ledger for this server and sponsor, which does not know what the first sent.",
        ),
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Awaitable[ExitCode]:
    """Take invoices into the ledger, all of them first, then send each once.

    Stop with Ctrl-C at any moment; "seqino batch resume" goes on. What was sent before, by whichever run, is
    refused by its key.
    """
    worker = _worker(session, concurrency, patience, lang, follow=follow, as_json=as_json)
    return worker.submit(paths, name=name, another=another_ledger)


@command("resume", calls=True)
def resume(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    run: RunNumber = None,
    concurrency: Concurrency = 64,
    patience: Patience = 120.0,
    follow: Follow = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Awaitable[ExitCode]:
    """Go on with all runs of which something is left; look at what is in doubt."""
    return _worker(session, concurrency, patience, lang, follow=follow, as_json=as_json).resume(run)


@command("retry", calls=True)
def retry(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    paths: Paths,
    rejected: Annotated[bool, typer.Option("--rejected", help="What the platform refused.")] = False,
    concurrency: Concurrency = 64,
    patience: Patience = 120.0,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Awaitable[ExitCode]:
    """Send rejected invoices again, as they were corrected; found by their keys, and nothing else is sent.

    What was ever in doubt is never sent with another content.
    """
    if not rejected:
        raise InvalidInput("say what is to be sent again: --rejected")
    return _worker(session, concurrency, patience, lang, as_json=as_json).submit(paths, corrects=True)


def _worker(
    session: Session,
    concurrency: int,
    patience: float,
    lang: str | None,
    *,
    follow: bool = False,
    as_json: bool,
) -> Worker:
    return Worker(
        session=session,
        concurrency=concurrency,
        patience=patience,
        follow=follow,
        as_json=as_json,
        lang=language(lang, os.environ),
    )
