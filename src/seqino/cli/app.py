"""The ``seqino`` command, put together."""

from __future__ import annotations

import typer

from seqino.cli.batch import batch
from seqino.cli.demo import demo
from seqino.cli.events import events
from seqino.cli.health import health
from seqino.cli.sandbox import sandbox
from seqino.cli.submit import submit

__all__ = ["app"]

app = typer.Typer(
    name="seqino",
    help="French electronic invoices, each sent once. Unofficial; not made or endorsed by Seqino.",
    no_args_is_help=True,
    # Plain text: an error is one line, and a bug keeps its ordinary traceback.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for command in (demo, submit, events, health, sandbox):
    app.command()(command)
app.add_typer(batch)
