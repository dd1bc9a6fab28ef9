"""``seqino batch check``: what the platform would say of invoices, before anything is sent."""

# ruff: noqa: FBT002 - options of a command line are named there

from typing import Annotated

import typer

from seqino.cli.batch.checking import check_all
from seqino.cli.batch.group import AsJson, Paths, command
from seqino.cli.batch.session import Session
from seqino.cli.result import ExitCode

__all__ = ["check"]


@command("check", calls=True)
async def check(
    session: Session,
    paths: Paths,
    concurrency: Annotated[
        int, typer.Option(min=1, max=100, help="Requests under way at the same time.")
    ] = 8,
    as_json: AsJson = False,
) -> ExitCode:
    """Have the platform judge each draft; nothing is sent, and no ledger is needed.

    The platform judges no files beforehand: of those is checked that they can be read, and have a key.
    """
    whose = session.whose()
    async with session.client() as client:
        return await check_all(client, paths, client_id=whose, workers=concurrency, as_json=as_json)
