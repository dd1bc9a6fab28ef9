"""``seqino batch recover``: a backup was put in a ledger's place."""

# ruff: noqa: FBT002 - options of a command line are named there

from typing import Annotated

import typer

from seqino.batch.errors import LedgerRestored
from seqino.cli.batch.group import command
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import counts_text, say
from seqino.cli.batch.verdict import exit_code
from seqino.cli.result import ExitCode
from seqino.errors import InvalidInput

__all__ = ["recover"]


@command("recover")
async def recover(
    session: Session,
    yes: Annotated[bool, typer.Option("--yes", help="Also where nothing shows that it is a backup.")] = False,
) -> ExitCode:
    """Doubt all that may have been sent since the backup was made; then it can be used again.

    Nothing may be at work on the ledger meanwhile. "resume" then looks at each draft; what went out as a file
    needs "resolve".
    """
    if not yes:
        await _check_is_behind(session)
    async with session.open(recover=True) as ledger:
        counts = await ledger.counts()
        say(f"{ledger.path}: recovered: {counts_text(counts, 'en')}")
    say(f"now: {session.command('resume')}", stderr=True)
    return exit_code(counts)


async def _check_is_behind(session: Session) -> None:
    try:
        async with session.open() as ledger:
            path = ledger.path
    except LedgerRestored:
        return
    raise InvalidInput(
        f"{path} is as new as it ever was, by what this machine knows, and nothing was changed. If the whole "
        "machine was put back from a backup, add --yes: all that was not sent yet is in doubt then"
    )
