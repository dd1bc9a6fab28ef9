"""``seqino usage``: how much a client has used the API, and how much it may."""

from datetime import date
from typing import Annotated

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.tables import Column, show_table
from seqino.cli.terminal import say
from seqino.cli.values import one_of
from seqino.errors import InvalidInput
from seqino.models import EndpointUsage, UsagePeriod

__all__ = ["usage"]

usage = group("usage", "Calls that a client made, and the limits on them.")

_COLUMNS = (
    Column[EndpointUsage]("method", lambda each: each.method),
    Column[EndpointUsage]("endpoint", lambda each: each.endpoint, is_whole=True),
    Column[EndpointUsage]("calls", lambda each: each.call_count),
    Column[EndpointUsage]("succeeded", lambda each: each.success_count),
    Column[EndpointUsage]("failed", lambda each: each.error_count),
    Column[EndpointUsage]("ms", lambda each: each.avg_response_time_ms),
)


_LIMITS = ("rate_limit_per_minute", "rate_limit_per_hour", "rate_limit_per_day", "rate_limit_per_month")


@command(usage, "summary")
async def summary(session: Session) -> None:
    """Show this month and the last."""
    session.out.one((await session.ask(session.client.usage.get_summary())).members)


@command(usage, "metrics")
async def metrics(
    session: Session,
    period: Annotated[
        str | None,
        one_of(UsagePeriod, help="How they are summed."),
    ] = None,
    start: Annotated[str | None, typer.Option(help="First day: 2026-01-01.", show_default=False)] = None,
    end: Annotated[str | None, typer.Option(help="Last day.", show_default=False)] = None,
) -> None:
    """Show figures by endpoint."""
    call = session.client.usage.get_metrics(
        period=None if period is None else UsagePeriod(period),
        start_date=_day(start, "--start"),
        end_date=_day(end, "--end"),
    )
    found = await session.ask(call)
    if session.out.as_json:
        session.out.one(found.members)
        return
    session.out.one({name: value for name, value in found.members.items() if name != "endpoint_usage"})
    say("")
    show_table(_COLUMNS, found.value.endpoint_usage)


@command(usage, "limits")
async def limits(
    session: Session,
    endpoint: Annotated[
        str | None, typer.Option(help="Only for one path of the API.", show_default=False)
    ] = None,
) -> None:
    """Show how many calls are allowed."""
    found = await session.ask(session.client.usage.get_limits(endpoint=endpoint))
    session.out.one(found.members)
    if all(getattr(found.value, name) is None for name in _LIMITS):
        session.out.note(f"no limits are told{'' if endpoint is None else f' for {endpoint}'}")


def _day(text: str | None, where: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{where} must be a day such as 2026-01-31, not {text!r}") from None
