"""``seqino demo``: a realistic set of invoices, sent to a sandbox and followed to their ends."""

import os
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from seqino.cli.announce import CLIENT_ID
from seqino.cli.common import Lang, leave, one_line_errors
from seqino.cli.demo_ledger import submit_through_ledger
from seqino.cli.progress import progress
from seqino.cli.result import End, ExitCode, Tally
from seqino.cli.running import carry_out
from seqino.cli.sending import Following, exit_code, plan_of, report
from seqino.cli.terminal import console, language, say
from seqino.cli.work import Run
from seqino.client import SeqinoClient
from seqino.errors import ConfigurationError
from seqino.statuses import Backoff

if TYPE_CHECKING:
    from types import ModuleType

    from seqino.cli.progress import Tell

__all__ = ["demo"]

SPEED = 40.0
"""The longest course takes a minute of the sandbox's time, and so under two seconds."""

FOLLOWING = Following(
    pace=Backoff(first=timedelta(seconds=0.4), longest=timedelta(seconds=2), factor=1.6),
    limit=60.0,
)


def demo(
    invoices: Annotated[
        Path | None,
        typer.Option(help="Folder whose invoice files are sent as well.", show_default=False),
    ] = None,
    lang: Lang = None,
) -> None:
    """Start a sandbox, send it the sample invoices through the SDK, and follow each to its end.

    Nothing leaves this machine. Some samples end otherwise than paid: their buyers refuse, dispute, or have
    no platform.
    """
    with one_line_errors():
        labels = language(lang, os.environ)
        room = _sandbox_room()
        samples = Path(str(room.__file__)).with_name("invoices")
        plan = plan_of([samples] if invoices is None else [samples, invoices])
        counted = _Counted()
        with TemporaryDirectory(prefix="seqino-demo-") as folder:
            with progress(console(stderr=True)) as tell:
                run = Run(plan.invoices, workers=16, tell=tell)
                interrupted = carry_out(_send(room, run, counted, folder=Path(folder), tell=tell))
            say(f"the ledger was {Path(folder, 'ledger.sqlite')}; it is gone now, a batch keeps its own")
        tally = report(run, plan, command="demo", lang=labels, duplicates=counted.duplicates)
        leave(_exit_code(tally, counted.duplicates, interrupted=interrupted))


@attrs.define
class _Counted:
    """What the sandbox counted, which outlives it."""

    duplicates: int = 0


def _sandbox_room() -> "ModuleType":
    try:
        import seqino.sandbox  # noqa: PLC0415 - an extra of its own, and slow to load
    except ImportError as error:
        raise ConfigurationError(str(error)) from error
    return seqino.sandbox


async def _send(room: "ModuleType", run: Run, counted: _Counted, *, folder: Path, tell: "Tell") -> None:
    async with room.Sandbox(speed=SPEED) as sandbox:
        client = SeqinoClient(api_key="demo-key", client_id=CLIENT_ID, base_url=sandbox.url)
        try:
            async with client:
                await submit_through_ledger(run, client, folder=folder, tell=tell)
                await run.follow(client, pace=FOLLOWING.pace, limit=FOLLOWING.limit)
        finally:
            # A draft issued twice has two numbers, so that its content tells.
            counted.duplicates = sandbox.counters.duplicates + sandbox.counters.same_content


def _exit_code(tally: Tally, duplicates: int, *, interrupted: bool) -> ExitCode:
    """The samples are there to be refused as well: what counts is that each came to an end, once."""
    if tally.in_doubt or interrupted:
        return exit_code(tally, interrupted=interrupted)
    return (
        ExitCode.FAILURE
        if duplicates or tally.failed or tally.count(End.OPEN, End.SUBMITTED)
        else ExitCode.OK
    )
