"""``seqino batch recover``: a backup was put in a ledger's place."""

# ruff: noqa: FBT002 - options of a command line are named there

from collections.abc import Awaitable
from typing import Annotated

import typer

from seqino.batch.errors import LedgerRestored
from seqino.cli.batch.group import command
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import counts_text, say
from seqino.cli.batch.verdict import exit_code
from seqino.cli.confirm import confirm
from seqino.cli.result import ExitCode
from seqino.errors import InvalidInput

__all__ = ["recover"]


_RISK = (
    "From now on a key that the ledger does not know is sent. If it was sent in the time of which the ledger "
    'knows nothing ("recover" told it), the buyer gets it twice.'
)


@command("recover")
def recover(
    session: Session,
    admit_new: Annotated[
        bool,
        typer.Option(
            "--admit-new", help="Afterwards: take keys again that the ledger does not know, as you made sure."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask; also where nothing shows that it is a backup.")
    ] = False,
) -> Awaitable[ExitCode]:
    """Doubt all that may have been sent since the backup was made; then it can be used again.

    Nothing may be at work on the ledger meanwhile. "resume" then looks at each draft; what went out as a file
    needs "resolve". Keys that the ledger does not know are refused, until --admit-new is given.
    """
    if admit_new:
        say(_RISK, stderr=True)
        confirm("Do it?", yes=yes)
        return _admit_new(session)
    return _recover(session, yes=yes)


async def _recover(session: Session, *, yes: bool) -> ExitCode:
    if not yes:
        await _check_is_behind(session)
    async with session.open(recover=True) as ledger:
        counts, gap = await ledger.counts(), await ledger.gap()
        say(f"{ledger.path}: recovered: {counts_text(counts, 'en')}")
    say(f"it does not know what was sent from {gap}: keys that are not in it are refused", stderr=True)
    say(f"now: {session.command('resume')}", stderr=True)
    say(
        "then compare your records of that time with the platform's, and once none that was sent is handed "
        f"in again: {session.command('recover --admit-new')}",
        stderr=True,
    )
    return exit_code(counts)


async def _admit_new(session: Session) -> ExitCode:
    async with session.open() as ledger:
        if await ledger.admit_new_keys() is None:
            raise InvalidInput(f"{ledger.path} takes new keys, and nothing was changed")
        say(f"{ledger.path}: takes new keys again")
    return ExitCode.OK


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
