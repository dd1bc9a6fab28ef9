"""``seqino batch follow``: what becomes of submitted invoices, until each is at an end."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
from collections.abc import Awaitable
from typing import Annotated

import typer

from seqino.cli.batch.following import FIRST, Following
from seqino.cli.batch.group import AsJson, RunNumber, command
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import language
from seqino.cli.common import Lang
from seqino.cli.result import ExitCode
from seqino.errors import InvalidInput
from seqino.statuses import Until

__all__ = ["follow"]


@command("follow", calls=True)
def follow(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    run: RunNumber = None,
    until: Annotated[
        Until,
        typer.Option(help="Follow to the end (paid, dead, not delivered), or to the buyer's approval."),
    ] = Until.END,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds after which no further round is begun.", show_default=False),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Look only at what is due now, as from a timer.")
    ] = False,
    first: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="Seconds until an invoice is looked at first; while nothing happens, each pause is twice as "
            "long, up to six hours.",
        ),
    ] = FIRST,
    as_json: AsJson = False,
    lang: Lang = None,
) -> Awaitable[ExitCode]:
    """Look at submitted invoices from time to time, until each is paid, dead, not delivered, or expired.

    It costs a request a look; how many is shown. Stop with Ctrl-C at any moment, and start it again: what was
    seen, and when to look next, is in the ledger. Exit code 1 where the time is over before all are at an
    end.
    """
    if once and timeout is not None:
        raise InvalidInput("--once looks once, so that --timeout says nothing: give one of them")
    following = Following(
        session=session,
        run_id=run,
        until=until,
        first=first,
        limit=timeout,
        once=once,
        as_json=as_json,
        lang=language(lang, os.environ),
    )
    return _follow(following)


async def _follow(following: Following) -> ExitCode:
    async with following.session.client() as client, following.session.open() as ledger:
        return await following.follow(ledger, client)
