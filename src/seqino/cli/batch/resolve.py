"""``seqino batch resolve``: a person settles what no look can."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from seqino.batch.items import Item
from seqino.cli.batch.group import command
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import Language, language, say, state_words
from seqino.cli.common import Lang
from seqino.cli.confirm import confirm
from seqino.cli.result import ExitCode
from seqino.cli.running import perform
from seqino.errors import InvalidInput

if TYPE_CHECKING:
    # Needs the extra, without which every other command is to run.
    from seqino.batch import Ledger

__all__ = ["resolve"]

_RISKS = {
    "found": "From now on it counts as taken by the platform, as the invoice {found}.",
    "absent": "From now on it counts as rejected. If an invoice exists after all, it is overlooked, and "
    "whoever bills it again bills twice.",
    "resend": "It is sent again. If the platform took it the first time, the buyer gets it twice: as a file, "
    "the network rejects the second one (213 DOUBLON); as a draft, it gets another number.",
}


@command("resolve")
def resolve(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    key: Annotated[str, typer.Argument(help='Its key, as "report" shows it.')],
    found: Annotated[
        str | None,
        typer.Option("--found", metavar="INVOICE_ID", help="The platform has it.", show_default=False),
    ] = None,
    absent: Annotated[
        bool, typer.Option("--absent", help="The platform has confirmed that it has no such invoice.")
    ] = False,
    resend: Annotated[bool, typer.Option("--resend", help="Send it again, at your own risk.")] = False,
    client_id: Annotated[
        str | None, typer.Option(help="On whose behalf it was sent. Else SEQINO_CLIENT_ID.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    lang: Lang = None,
) -> Awaitable[ExitCode]:
    """Say what became of an invoice in doubt; kept in its history.

    Ask the platform first: by its draft, its number, or its seller.
    """
    chosen = {"found": found is not None, "absent": absent, "resend": resend}
    if sum(chosen.values()) != 1:
        raise InvalidInput("say one of --found INVOICE_ID, --absent and --resend")
    labels = language(lang, os.environ)
    whose = session.whose(client_id)
    how = next(name for name, is_chosen in chosen.items() if is_chosen)
    # Outside of any loop is asked: waiting for a person, it could not be interrupted.
    perform(_check_is_known(session, key, whose))
    say(f"{key}: {_RISKS[how].format(found=found)}", stderr=True)
    confirm("Do it?", yes=yes)
    return _resolve(attrs.evolve(session, client_id=whose), key, how=how, invoice_id=found or "", lang=labels)


async def _check_is_known(session: Session, key: str, client_id: str) -> None:
    async with session.open() as ledger:
        await _find(ledger, key, client_id)


async def _find(ledger: "Ledger", key: str, client_id: str) -> Item:
    item = await ledger.find(key, client_id=client_id)
    if item is None:
        raise InvalidInput(f"this ledger knows no {key!r} of {client_id}")
    return item


async def _resolve(session: Session, key: str, *, how: str, invoice_id: str, lang: Language) -> ExitCode:
    async with session.open() as ledger:
        item = await _find(ledger, key, session.whose())
        if how == "found":
            item = await ledger.resolve_found(item, invoice_id)
        elif how == "absent":
            item = await ledger.resolve_absent(item)
        else:
            item = await ledger.resend(item)
    say(f"{key}: {state_words(item.state, lang)}")
    if how == "resend":
        again = "the next submission with this key"
        say(f"it is sent by: {again if item.run_id is None else session.command('resume')}", stderr=True)
    return ExitCode.OK
