"""The demo's invoices go through a ledger of their own, as those of a batch do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

import seqino.batch
from seqino.batch.states import State
from seqino.cli.batch.show import reason_of
from seqino.cli.plan import read_draft
from seqino.cli.result import End

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from seqino.batch import BatchItem
    from seqino.batch.items import Item
    from seqino.cli.plan import Invoice
    from seqino.cli.progress import Tell
    from seqino.cli.result import Result
    from seqino.cli.work import Run
    from seqino.client import SeqinoClient

__all__ = ["submit_through_ledger"]

_ENDS = {State.REJECTED: End.TURNED_AWAY, State.INVALID: End.REFUSED_BEFORE}


async def submit_through_ledger(run: Run, client: SeqinoClient, *, folder: Path, tell: Tell) -> None:
    """Submit all invoices of a run through a new ledger, and note in the run what became of each.

    Args:
        run: The invoices.
        client: Over which calls are made.
        folder: Where the ledger is made.
        tell: Told of progress.
    """
    opening = seqino.batch.Ledger.open(
        folder / "ledger.sqlite", server=client.base_url, sponsor="demo", copies=folder
    )
    async with opening as ledger:
        batch = await ledger.create_run(_source(run), client_id=client.client_id, name="demo")
        try:
            async for progress in batch.submit(client, interval=0.2):
                tell("submitting", progress.total - progress.to_be_sent, progress.total)
        finally:
            # However it ended: what was sent is never shown as unsent.
            async for item in batch.items():
                at = _place(item)
                run.results[at] = _result(run.results[at], item)


def _source(run: Run) -> Iterator[BatchItem]:
    for at, result in enumerate(run.results):
        yield seqino.batch.BatchItem(invoice=_content(result.invoice), key=f"demo/{at}")


def _content(invoice: Invoice) -> Mapping[str, Any] | Path:
    return read_draft(invoice.path.read_bytes()) if invoice.kind == "json" else invoice.path


def _place(item: Item) -> int:
    return int(item.business_key.removeprefix("demo/"))


def _result(begun: Result, item: Item) -> Result:
    end = End.NOT_SUBMITTED
    if item.state.is_taken:
        end = End.SUBMITTED
    elif item.state.is_in_doubt:
        end = End.IN_DOUBT
    return attrs.evolve(
        begun,
        end=_ENDS.get(item.state, end),
        reason=reason_of(item),
        invoice_id=item.invoice_id,
        draft_id=item.draft_id,
        number=item.invoice_number or begun.number,
    )
