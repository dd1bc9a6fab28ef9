"""``seqino batch status`` and ``report``: what a ledger holds, from any other process too."""

# ruff: noqa: FBT002 - options of a command line are named there

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from seqino._core.wire import JSON
from seqino.batch.items import Item
from seqino.batch.states import State
from seqino.cli.batch.attention import tell_what_next, why
from seqino.cli.batch.group import AsJson, RunNumber, command
from seqino.cli.batch.session import Session
from seqino.cli.batch.show import (
    counts_text,
    json_line,
    language,
    say,
    say_refused,
    state_words,
    table,
)
from seqino.cli.batch.verdict import ATTENTION, exit_code
from seqino.cli.common import Lang
from seqino.cli.result import ExitCode

__all__ = ["report", "status"]


@command("status")
async def status(session: Session, as_json: AsJson = False, lang: Lang = None) -> ExitCode:
    """Count the invoices of each run by state."""
    labels = language(lang, os.environ)
    async with session.open() as ledger:
        counts = await ledger.counts()
        rows: list[tuple[str, ...]] = []
        for run in await ledger.list_runs():
            of_run, refused = await run.counts(), len(await run.refused())
            created = datetime.fromtimestamp(run.created, UTC).isoformat(timespec="seconds")
            if as_json:
                members: dict[str, JSON] = {"run": run.id, "name": run.name, "created": created}
                members |= {"is_ready": run.is_ready, "counts": _named(of_run), "refused": refused}
                say(json_line(members))
            else:
                is_read = "" if run.is_ready else "not read to its end; "
                told = f"{is_read}{counts_text(of_run, labels)}" + (f", {refused} refused" if refused else "")
                rows.append((str(run.id), run.name, created, told))
        whole = {"ledger": str(ledger.path), "server": ledger.server, "sponsor": ledger.sponsor}
    if as_json:
        say(json_line({**whole, "counts": _named(counts)}))
    else:
        if rows:
            table(("run", "name", "created", "invoices"), rows)
        say(f"{whole['ledger']}: {counts_text(counts, labels)}")
    return exit_code(counts)


@command("report")
async def report(
    session: Session,
    run: RunNumber = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All invoices, not only what somebody has to look at.")
    ] = False,
    as_json: AsJson = False,
    lang: Lang = None,
) -> ExitCode:
    """List what was rejected, cannot be sent, or is in doubt, and why; then count all."""
    labels = language(lang, os.environ)
    async with session.open() as ledger:
        await ledger.runs.check(run)
        counts = await ledger.store.counts(run)
        states = None if everything else ATTENTION
        rows: list[tuple[str, ...]] = []
        async for item in ledger.store.items(run_id=run, states=states):
            reason = await why(ledger, item, labels)
            if as_json:
                say(json_line(_members(item, reason)))
            else:
                identity = item.invoice_id or (f"draft {item.draft_id}" if item.draft_id else "")
                state = state_words(item.state, labels)
                number = item.invoice_number or ""
                rows.append((item.business_key, item.client_id, state, identity, number, reason))
        refused = [
            one for each in await ledger.list_runs() if run in (None, each.id) for one in await each.refused()
        ]
    if rows:
        table(("key", "client", "state", "invoice", "number", "reason"), rows)
    say_refused(refused, as_json=as_json)
    if as_json:
        say(json_line({"counts": _named(counts), "refused": len(refused)}))
    else:
        say(counts_text(counts, labels) + (f", {len(refused)} refused before sending" if refused else ""))
        tell_what_next(counts, session)
    return exit_code(counts, refused=len(refused))


def _members(item: Item, reason: str) -> dict[str, Any]:
    return {
        "key": item.business_key,
        "client_id": item.client_id,
        "run": item.run_id,
        "state": item.state,
        "draft_id": item.draft_id,
        "invoice_id": item.invoice_id,
        "number": item.invoice_number,
        "name": item.name or None,
        "http_status": item.http_status,
        "reason": reason or None,
    }


def _named(counts: Mapping[State, int]) -> dict[str, JSON]:
    return {str(state): count for state, count in counts.items()}
