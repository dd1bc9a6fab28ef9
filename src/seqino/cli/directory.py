"""``seqino directory``: where invoices for a company are delivered."""

import contextlib
from typing import Annotated

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.plain import Found
from seqino.cli.result import ExitCode
from seqino.cli.tables import Column
from seqino.errors import NotFound
from seqino.identifiers import FrenchAddress, check_address
from seqino.models import DirectoryEntry
from seqino.resources.directory import address_of, current_line, is_addressable

__all__ = ["directory", "judge"]

directory = group("directory", "Where invoices for a company are delivered.")


_COLUMNS = (
    Column[DirectoryEntry]("address", address_of, is_whole=True),
    Column[DirectoryEntry]("addressable", lambda entry: entry.addressable),
    Column[DirectoryEntry]("name", lambda entry: entry.name),
    Column[DirectoryEntry]("routing code", lambda entry: entry.routing_code_label, is_optional=True),
    Column[DirectoryEntry]("state", lambda entry: entry.administrative_status, is_optional=True),
)


@command(directory, "show")
async def show(
    session: Session, siren: Annotated[str, typer.Argument(help="The company.", show_default=False)]
) -> None:
    """Show the line of a company as a whole."""
    session.out.one((await session.ask(session.client.directory.get(siren))).members)


@command(directory, "lines")
async def lines(
    session: Session, siren: Annotated[str, typer.Argument(help="The company.", show_default=False)]
) -> None:
    """List all lines of a company: itself, its establishments, its services."""
    found = await session.ask_all(session.client.mandates.list_directory_entries(siren))
    session.out.many(found, _COLUMNS, none=f"the directory shows no line of {siren}")


@command(directory, "check")
async def check(
    session: Session,
    address: Annotated[
        str, typer.Argument(help="SIREN, SIREN_SIRET, SIREN_SIRET_CODE or SIREN_SUFFIX.", show_default=False)
    ],
) -> ExitCode:
    """Tell whether invoices can be delivered to this very address; that its company has one proves nothing.

    Exit codes: 0 they can, 3 they cannot, 4 the directory does not say.
    """
    sought = check_address(address, check_digits=session.client.check_digits)
    found = await _find(session, sought)
    reachable, words, code = judge(found)
    if session.out.as_json:
        line = None if found is None else found.members
        session.out.one({"address": sought.value, "reachable": reachable, "line": line})
    else:
        session.out.note(f"{sought.value}: {words}")
    return code


async def _find(session: Session, sought: FrenchAddress) -> Found[DirectoryEntry] | None:
    try:
        found = await session.ask_all(session.client.mandates.list_directory_entries(sought.siren))
    except NotFound:
        found = []
    if sought.value == sought.siren and not any(address_of(line.value) == sought.siren for line in found):
        # A platform may find a company in one way, and not in the other.
        with contextlib.suppress(NotFound):
            found.append(await session.ask(session.client.directory.get(sought.siren)))
    counts = current_line((line.value for line in found), sought.value)
    return next((line for line in found if line.value is counts), None)


def judge(found: Found[DirectoryEntry] | None) -> tuple[bool | None, str, ExitCode]:
    """Tell whether invoices can be delivered to a line: yes, no or unknown; in words; for the shell.

    A line that does not say whether it is addressable is no yes: what was sent there was rejected (REJ_ADR).
    """
    if found is None:
        return False, "not in the directory", ExitCode.REJECTED
    match is_addressable(found.value):
        case True:
            return True, f"reachable ({found.value.name})", ExitCode.OK
        case False:
            return False, "in the directory, but not addressable", ExitCode.REJECTED
        case _:
            return None, "in the directory, which does not say whether it is addressable", ExitCode.IN_DOUBT
