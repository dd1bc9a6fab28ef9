"""``seqino settings``: the VAT regime of a client, and how often it reports."""

from typing import Annotated

import attrs

from seqino.cli.command import Session, command, group
from seqino.cli.values import one_of
from seqino.errors import InvalidInput
from seqino.models import PaymentPeriodicity, TransactionPeriodicity, VATRegime

__all__ = ["settings"]

settings = group("settings", "VAT regime of a client, and how often it reports.")


@command(settings, "get")
async def get(session: Session) -> None:
    """Show the VAT regime and the reporting frequencies."""
    session.out.one((await session.ask(session.client.settings.get_periodicity())).members)


@command(settings, "set")
async def set_(
    session: Session,
    vat_regime: Annotated[
        str | None,
        one_of(VATRegime, help="How VAT is declared."),
    ] = None,
    transaction_periodicity: Annotated[
        str | None,
        one_of(TransactionPeriodicity, help="How often sales are reported."),
    ] = None,
    payment_periodicity: Annotated[
        str | None,
        one_of(PaymentPeriodicity, help="How often payments are reported."),
    ] = None,
) -> None:
    """Set the VAT regime and the reporting frequencies; what is left out is read first, and stays."""
    given = {
        "vat_regime": vat_regime,
        "transaction_periodicity": transaction_periodicity,
        "payment_periodicity": payment_periodicity,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    if not chosen:
        raise InvalidInput("nothing is to be set: give one option at least")
    if len(chosen) < len(given):
        chosen = {**attrs.asdict(await session.client.settings.get_periodicity()), **chosen}
    await session.client.settings.set_periodicity(chosen)
    session.out.one(chosen)
