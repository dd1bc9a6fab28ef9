"""``seqino clients``: the companies on whose behalf a sponsor calls."""

# ruff: noqa: FBT002 - options of a command line are named there

from typing import Annotated

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.tables import Column
from seqino.models import Client

__all__ = ["clients"]

clients = group("clients", "Companies on whose behalf you call.")

_COLUMNS = (
    Column[Client]("client", lambda client: client.client_id, is_whole=True),
    Column[Client]("status", lambda client: client.status),
    Column[Client]("reference", lambda client: client.external_ref, is_whole=True),
    Column[Client]("name", lambda client: client.organization_name),
)

ClientArgument = Annotated[str, typer.Argument(help="Id of the client.", show_default=False)]


@command(clients, "list")
async def list_clients(
    session: Session,
    external_ref: Annotated[
        str | None, typer.Option(help="Only the one with your reference.", show_default=False)
    ] = None,
) -> None:
    """List the clients, or find one by your own reference."""
    found = await session.ask_all(session.client.clients.list(external_ref=external_ref))
    session.out.many(found, _COLUMNS, none="no clients")


@command(clients, "get")
async def get(session: Session, client: ClientArgument) -> None:
    """Show one client."""
    session.out.one((await session.ask(session.client.clients.get(client))).members)


@command(clients, "create")
async def create(
    session: Session,
    name: Annotated[str, typer.Option(help="Name of the company or department.", show_default=False)],
    email: Annotated[str, typer.Option(help="Where it is written to.", show_default=False)],
    external_ref: Annotated[str, typer.Option(help="Your own reference of it.", show_default=False)],
) -> None:
    """Create a client, or show the one that is there already under the same reference, exactly so."""
    wanted = {"organization_name": name, "contact_email": email, "external_ref": external_ref}
    session.out.one((await session.ask(session.client.clients.create(wanted))).members)


@command(clients, "delete")
async def delete(session: Session, client: ClientArgument) -> None:
    """Delete a client, which must have no mandate any more."""
    await session.client.clients.delete(client)
    session.out.one({"client_id": client, "deleted": True})


@command(clients, "onboarding")
async def onboarding(
    session: Session,
    client: ClientArgument,
    kyc: Annotated[bool, typer.Option("--kyc", help="Ask the client to identify itself.")] = False,
    signature: Annotated[bool, typer.Option("--signature", help="Ask it to sign its mandate.")] = False,
) -> None:
    """Make a link for a client, under which it identifies itself or signs; a new one replaces the old."""
    wanted = {"include_kyc": kyc, "include_signature": signature}
    call = session.client.clients.generate_onboarding_link(wanted, client_id=client)
    session.out.one((await session.ask(call)).members)


@command(clients, "onboarding-status")
async def onboarding_status(session: Session, client: ClientArgument) -> None:
    """Show how far a client has come with its link."""
    call = session.client.clients.get_onboarding_link_status(client_id=client)
    session.out.one((await session.ask(call)).members)
