"""``seqino reporting``: what is declared to the tax administration. A second send declares it twice."""

# ruff: noqa: FBT002 - options of a command line are named there

from collections.abc import Awaitable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.confirm import confirm
from seqino.cli.reading import read_object_file
from seqino.cli.tables import words
from seqino.errors import InvalidInput

__all__ = ["reporting"]

T = TypeVar("T")

reporting = group("reporting", "Declarations to the tax administration; each is sent once.")

FileArgument = Annotated[str, typer.Argument(help="JSON file, or - for the input.", show_default=False)]
Yes = Annotated[bool, typer.Option("--yes", help="Send without asking.")]


@command(reporting, "payment", sends=True)
def payment(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    siren: Annotated[str | None, typer.Option(help="Company that was paid.", show_default=False)] = None,
    date: Annotated[
        str | None, typer.Option(help="Day of the payment: 2026-01-31.", show_default=False)
    ] = None,
    amount: Annotated[
        str | None, typer.Option(help="Amount received; negative for one taken back.", show_default=False)
    ] = None,
    currency: Annotated[str | None, typer.Option(help="Its currency.", show_default=False)] = None,
    invoice_number: Annotated[
        str | None, typer.Option(help="Number of the invoice that was paid.", show_default=False)
    ] = None,
    file: Annotated[
        str | None, typer.Option(help="JSON file with all of it, or - for the input.", show_default=False)
    ] = None,
    yes: Yes = False,
) -> Awaitable[None]:
    """Declare a payment that was received.

    Exit codes: 0 declared, 3 refused, 4 it may have been declared: never repeat it before the platform was
    asked.
    """
    given = {
        "client_siren": session.identifier("siren", siren, where="--siren"),
        "payment_date": date,
        "amount": amount,
        "currency": currency,
        "invoice_number": invoice_number,
    }
    chosen: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if file is not None:
        if chosen:
            raise InvalidInput("--file says all of it: give no other option of the payment beside it")
        chosen = read_object_file(file, what="a payment")
    elif None in (siren, date, amount):
        raise InvalidInput("a payment needs --siren, --date and --amount, or --file")
    _confirm(session, "Declare the payment", chosen, yes=yes)
    return _send(session, session.client.reporting.record_payment(chosen))


@command(reporting, "b2c", sends=True)
def b2c(session: Session, file: FileArgument, yes: Yes = False) -> Awaitable[None]:
    """Declare the sales of a day to consumers: one currency and one category.

    Exit codes: 0 declared, 3 refused, 4 it may have been declared: never repeat it before the platform was
    asked.
    """
    report = read_object_file(file, what="a report of sales to consumers")
    _confirm(session, "Declare the sales", report, yes=yes)
    return _send(session, session.client.reporting.submit_b2c_transactions(report))


@command(reporting, "exempt", sends=True)
def exempt(session: Session, file: FileArgument, yes: Yes = False) -> Awaitable[None]:
    """Declare an invoice to or from a foreign company: direction, country_code and model (the invoice).

    Exit codes: 0 declared, 3 refused, 4 it may have been declared: never repeat it before the platform was
    asked.
    """
    report = read_object_file(file, what="an exempt invoice")
    _confirm(session, "Declare the invoice", report, yes=yes)
    return _send(session, session.client.reporting.submit_exempt_invoice(report))


def _confirm(session: Session, what: str, members: Mapping[str, Any], *, yes: bool) -> None:
    client = session.client
    shown = ", ".join(f"{name} {text}" for name, value in members.items() if (text := words(value)))
    question = f"{what} for {client.client_id} at {client.base_url}: {shown}."
    confirm(f"{question} A second declaration would count twice. Send it?", yes=yes, sends=True)


async def _send(session: Session, call: Awaitable[T]) -> None:
    session.out.one((await session.ask(call)).members)
