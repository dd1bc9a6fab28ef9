"""``seqino doctor``: what is wrong with configuration, connection, clock, key or client."""

# ruff: noqa: FBT002 - options of a command line are named there

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from seqino.cli.common import Json, Target, complain, leave, one_line_errors, with_target
from seqino.cli.diagnosis import Finding, Level, configuration, examine
from seqino.cli.probe import probe, read_draft
from seqino.cli.result import ExitCode
from seqino.cli.terminal import clean, console, one_line
from seqino.client import SeqinoClient
from seqino.errors import ConfigurationError, InvalidInput

if TYPE_CHECKING:
    from seqino._core.wire import JSON
    from seqino.batch import Ledger

__all__ = ["doctor"]


@attrs.frozen(kw_only=True)
class _Probing:
    """How a second validation is to be tried."""

    draft: Path | None
    ledger: Path | None
    sponsor: str | None


@with_target
def doctor(  # noqa: PLR0917 - each is an option of the command
    target: Target,
    probe_once: Annotated[
        bool,
        typer.Option(
            "--probe-once",
            help="Also try whether a second validation of a draft is refused. This ISSUES A REAL INVOICE on "
            "the account of the key; needs --yes.",
        ),
    ] = False,
    draft: Annotated[
        Path | None,
        typer.Option(
            help="The invoice that --probe-once issues, as JSON; a sample on this machine's own sandbox.",
            show_default=False,
        ),
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(help="Note there that --probe-once saw a refusal; needs --sponsor.", show_default=False),
    ] = None,
    sponsor: Annotated[
        str | None, typer.Option(help="Name of the ledger's sponsor.", show_default=False)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Issue that invoice.")] = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong: configuration, connection, key, client, clock. Changes nothing by itself.

    Ends with 0 where nothing is, 1 where something is, 2 where the configuration cannot be used.
    """
    with one_line_errors():
        probing = _Probing(draft=draft, ledger=ledger, sponsor=sponsor) if probe_once else None
        if probing is None and (draft, ledger, sponsor) != (None, None, None):
            raise InvalidInput("--draft, --ledger and --sponsor belong to --probe-once")
        if not asyncio.run(_run(target, probing, confirmed=yes, as_json=as_json)):
            leave(ExitCode.FAILURE)


async def _run(target: Target, probing: _Probing | None, *, confirmed: bool, as_json: bool) -> bool:
    """Show all findings; return whether nothing failed."""
    async with target.client() as client, AsyncExitStack() as stack:
        # Before anything is issued: what cannot be used would be noticed too late.
        attempt = None if probing is None else await _prepare(probing, client, stack, confirmed=confirmed)
        show = _Printer(as_json=as_json)
        for finding in configuration(target, os.environ, base_url=client.base_url):
            show(finding)
        async for finding in examine(client, has_key=not show.has_failed, wall=time.time):
            show(finding)
        if attempt is not None and show.has_failed:
            show(Finding(Level.SKIPPED, "second validation", "not tried, since something else is wrong"))
        elif attempt is not None:
            async for finding in attempt:
                show(finding)
        return not show.has_failed


async def _prepare(
    probing: _Probing, client: SeqinoClient, stack: AsyncExitStack, *, confirmed: bool
) -> AsyncIterator[Finding]:
    """Make sure that a probe is wanted and possible; return what carries it out."""
    _check_confirmed(client.base_url, confirmed=confirmed)
    invoice = read_draft(probing.draft, base_url=client.base_url)
    ledger = await _ledger(probing, base_url=client.base_url, stack=stack)
    return _probe(client, invoice, ledger)


async def _probe(
    client: SeqinoClient, invoice: "dict[str, JSON]", ledger: "Ledger | None"
) -> AsyncIterator[Finding]:
    probed = await probe(client, invoice)
    yield probed.finding
    if probed.is_refused and ledger is not None:
        await ledger.note_probe()
        yield Finding(Level.OK, "ledger", f"{ledger.path} knows of it from now on")


def _check_confirmed(base_url: str, *, confirmed: bool) -> None:
    warning = (
        f"--probe-once issues a real invoice at {base_url}, which stays: its buyer receives it, and only a "
        "credit note undoes it"
    )
    if not confirmed:
        raise InvalidInput(f"{warning}. Add --yes if that is what you want")
    complain(warning, kind="warning")


async def _ledger(probing: _Probing, *, base_url: str, stack: AsyncExitStack) -> "Ledger | None":
    """Open the ledger that is named, if one is."""
    if probing.ledger is None:
        return None
    if probing.sponsor is None:
        raise InvalidInput("--ledger needs --sponsor beside it")
    from seqino.batch import Ledger, LedgerUnusable  # noqa: PLC0415 - an extra of its own

    try:
        opened = Ledger.open(probing.ledger, server=base_url, sponsor=probing.sponsor, create=False)
        return await stack.enter_async_context(opened)
    except LedgerUnusable as error:
        raise ConfigurationError(str(error)) from error


class _Printer:
    """Shows findings, and knows whether one of them is a failure.

    Args:
        as_json: Whether to show them as lines for machines.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.has_failed = False

    def __call__(self, finding: Finding) -> None:
        """Show a finding."""
        self.has_failed |= finding.level is Level.FAILURE
        if self._as_json:
            line = json.dumps(attrs.asdict(finding), ensure_ascii=False)
        else:
            line = clean(f"{finding.level:<5} {finding.check}: {one_line(finding.text)}")
        console().print(line, markup=False, soft_wrap=True)
