"""``seqino mandates``: the right to act for one directory entry of a client."""

import asyncio
import math
import time
from collections.abc import Awaitable, Mapping
from typing import Annotated, Any

import typer

from seqino.cli.command import Session, command, group
from seqino.cli.common import complain
from seqino.cli.plain import found_in_list
from seqino.cli.reading import read_moment, read_object_file, read_span
from seqino.cli.result import ExitCode
from seqino.cli.tables import Column
from seqino.cli.terminal import say
from seqino.cli.values import one_of
from seqino.cli.watching import Look, watch
from seqino.errors import InvalidInput
from seqino.models import Mandate, MandateStatus
from seqino.resources.directory import address_of
from seqino.resources.mandates import OVER, PACE, ending_by

__all__ = ["mandates"]

mandates = group("mandates", "Mandates of a client, each for one entry of the directory.")

_COLUMNS = (
    Column[Mandate]("mandate", lambda mandate: mandate.id, is_whole=True),
    Column[Mandate]("status", lambda mandate: mandate.status),
    Column[Mandate]("address", lambda mandate: address_of(mandate.directory_entry), is_whole=True),
    Column[Mandate]("until", lambda mandate: mandate.end_date),
    Column[Mandate]("why", lambda mandate: mandate.error_cause, is_optional=True),
)

MandateArgument = Annotated[str, typer.Argument(help="Id of the mandate.", show_default=False)]


@command(mandates, "list")
async def list_mandates(
    session: Session,
    status: Annotated[
        str | None,
        one_of(MandateStatus, help="Only those in one state."),
    ] = None,
) -> None:
    """List the mandates of a client."""
    found = await session.ask_all(
        session.client.mandates.list(status=None if status is None else MandateStatus(status))
    )
    session.out.many(found, _COLUMNS, none="no mandates")


@command(mandates, "expiring")
async def expiring(
    session: Session,
    within: Annotated[str, typer.Option(help="How soon: 30d, 12h, 2w.")] = "30d",
) -> None:
    """List the active mandates that end soon, the first one first."""
    span = read_span(within, where="--within")
    found = await session.ask_all(session.client.mandates.list(status=MandateStatus.ACTIVE))
    whole = {id(mandate.value): mandate for mandate in found}
    soon = [
        whole[id(mandate)]
        for mandate in ending_by((mandate.value for mandate in found), session.now() + span)
    ]
    session.out.many(soon, _COLUMNS, none=f"no active mandate ends within {within}")


@command(mandates, "get")
async def get(session: Session, mandate: MandateArgument) -> None:
    """Show one mandate."""
    session.out.one((await session.ask(session.client.mandates.get(mandate))).members)


@command(mandates, "create")
def create(  # noqa: PLR0917 - each is an option of the command
    session: Session,
    file: Annotated[
        str | None,
        typer.Option(
            help="JSON file with all of it, or - for the input; else the options.", show_default=False
        ),
    ] = None,
    siren: Annotated[str | None, typer.Option(help="The company.", show_default=False)] = None,
    siret: Annotated[str | None, typer.Option(help="Its establishment.", show_default=False)] = None,
    suffix: Annotated[
        str | None, typer.Option(help="Instead: a suffix to its SIREN.", show_default=False)
    ] = None,
    routing_code: Annotated[
        str | None, typer.Option(help="A service of the establishment.", show_default=False)
    ] = None,
    routing_code_type: Annotated[str, typer.Option(help="Scheme of the routing code.")] = "0224",
    name: Annotated[str | None, typer.Option(help="Name of the company.", show_default=False)] = None,
    start: Annotated[
        str | None, typer.Option(help="First day, or a moment. Else today.", show_default=False)
    ] = None,
    end: Annotated[
        str | None, typer.Option(help="Last day, or a moment. Else without end.", show_default=False)
    ] = None,
) -> Awaitable[None]:
    """Create a mandate and its directory entry; what is there already, exactly so, is shown.

    Days are those of UTC: a mandate begins with the first second of its first day, and ends with the last
    second of its last.
    """
    given = {
        "siren": session.identifier("siren", siren, where="--siren"),
        "name": name,
        "siret": session.identifier("siret", siret, where="--siret"),
        "suffix": session.identifier("suffix", suffix, where="--suffix"),
        "routing_identifier": session.identifier("routing_code", routing_code, where="--routing-code"),
        "routing_identifier_type": None if routing_code is None else routing_code_type,
    }
    entry = {field: value for field, value in given.items() if value is not None}
    if file is not None:
        if entry or start or end:
            raise InvalidInput("--file says all of it: give no other option of the mandate beside it")
        return _create(session, read_object_file(file, what="a mandate"))
    if siren is None or name is None:
        raise InvalidInput("a mandate needs --siren and --name, or --file")
    wanted: dict[str, Any] = {
        "directory_entry": entry,
        "start_date": read_moment(f"{session.now():%Y-%m-%d}", where="today"),
    }
    if start is not None:
        wanted["start_date"] = read_moment(start, where="--start")
    if end is not None:
        wanted["end_date"] = read_moment(end, where="--end", at_end=True)
    return _create(session, wanted)


@command(mandates, "create-batch")
def create_batch(
    session: Session,
    file: Annotated[
        str,
        typer.Argument(
            help='JSON file with {"mandates": […]}, or - for the input; each as for "create --file".',
            show_default=False,
        ),
    ],
) -> Awaitable[None]:
    """Create several mandates, all of them or none; those that are there already, exactly so, are shown."""
    return _create_batch(session, read_object_file(file, what="a batch of mandates"))


async def _create_batch(session: Session, wanted: Mapping[str, Any]) -> None:
    found = await session.ask(session.client.mandates.create_batch(wanted))
    session.out.many(found_in_list(found.value, found.raw), _COLUMNS, none="no mandates")


async def _create(session: Session, wanted: Mapping[str, Any]) -> None:
    session.out.one((await session.ask(session.client.mandates.create(wanted))).members)


@command(mandates, "revoke")
async def revoke(session: Session, mandate: MandateArgument) -> None:
    """Revoke a mandate."""
    await session.client.mandates.revoke(mandate)
    session.out.one({"id": mandate, "revoked": True})


@command(mandates, "wait")
async def wait(
    session: Session,
    mandate: MandateArgument,
    wait_timeout: Annotated[
        float | None, typer.Option(min=0, help="Seconds to wait at most.", show_default=False)
    ] = None,
) -> ExitCode:
    """Wait until a mandate is active.

    Exit codes: 0 it is active, 1 the time ran out before, 3 it is in error or expired. Ctrl-C ends with 130.
    """
    waiting = _Waiting(session, mandate)
    try:
        watched = await watch(
            waiting.look,
            backoff=PACE,
            limit=math.inf if wait_timeout is None else wait_timeout,
            tell=complain,
            clock=time.monotonic,
            sleep=asyncio.sleep,
        )
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED
    session.out.one(waiting.members)
    if not watched.is_over:
        return ExitCode.FAILURE
    return ExitCode.OK if waiting.status == MandateStatus.ACTIVE else ExitCode.REJECTED


class _Waiting:
    """A mandate that is awaited, as it was seen last."""

    def __init__(self, session: Session, mandate: str) -> None:
        self._session = session
        self._mandate = mandate
        self.status: str | None = None
        self.members: Mapping[str, Any] = {}

    async def look(self) -> Look:
        found = await self._session.ask(self._session.client.mandates.get(self._mandate))
        is_news = found.value.status != self.status
        self.status, self.members = found.value.status, found.members
        if is_news:
            say(f"{self._mandate}: {self.status}", stderr=True)
        return Look(is_news=is_news, is_over=self.status in OVER)
