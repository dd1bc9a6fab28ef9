"""The ``seqino`` command, put together."""

# ruff: noqa: FBT002 - options of a command line are named there

import logging
from importlib.metadata import version
from typing import Annotated

import typer

from seqino.cli.batch import batch
from seqino.cli.clients import clients
from seqino.cli.common import leave
from seqino.cli.demo import demo
from seqino.cli.directory import directory
from seqino.cli.doctor import doctor
from seqino.cli.drafts import drafts
from seqino.cli.events import events
from seqino.cli.health import health
from seqino.cli.invoices import invoices
from seqino.cli.mandates import mandates
from seqino.cli.reporting import reporting
from seqino.cli.result import ExitCode
from seqino.cli.sandbox import sandbox
from seqino.cli.settings import settings
from seqino.cli.submit import submit
from seqino.cli.terminal import say
from seqino.cli.usage import usage
from seqino.cli.webhooks import webhooks

__all__ = ["app"]

app = typer.Typer(
    name="seqino",
    no_args_is_help=True,
    # Plain text: an error is one line, and a bug keeps its ordinary traceback.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - an option
    if wanted:
        say(f"seqino {version('seqino')}")
        leave(ExitCode.OK)


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """French electronic invoices, each sent once. Unofficial; not made or endorsed by Seqino.

    Exit codes: 0 done; 1 failed; 2 wrong usage or input, and nothing was sent; 3 something was refused or
    rejected; 4 something is in doubt, and must not be repeated before it is settled.
    """
    # It tells of each flaw of a PDF where nothing else listens; a command says by itself what it cannot read.
    logging.getLogger("pypdf").addHandler(logging.NullHandler())


for one in (demo, submit, events, health, doctor, sandbox):
    app.command()(one)
for room in (invoices, drafts, clients, mandates, directory, reporting, settings, usage, webhooks, batch):
    app.add_typer(room)
