"""A process that works with a ledger and may be killed, frozen or slow: what ``Stage.start`` starts."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from seqino.batch import Ledger, driving, ingesting, runner
from seqino.batch.items import Change
from seqino.batch.owners import Timing
from seqino.batch.states import ItemEvent
from seqino.client import SeqinoClient
from seqino.errors import SeqinoError
from seqino.options import CallOptions
from tests.batch.places import ledger_url

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection

    from seqino.batch.ledger import Opening

__all__ = ["CLIENT", "QUICK", "TIMING", "Order", "Report", "drafts_of", "follow", "open_ledger", "work"]

CLIENT = "sandbox-client-seqino"

TIMING = Timing(beat=0.1, stale=60.0, window=0.3, call=0.05, settle=0.4, poll=0.02)
"""Short, and as real as the long ones; who seems dead is dead only where its process is gone."""

Task: TypeAlias = Literal["run", "service"]
Moment: TypeAlias = Literal["before", "after"]


@attrs.frozen(kw_only=True)
class Order:
    """What a process is to do.

    Args:
        task: ``run`` goes on with the latest run, or makes it; ``service`` submits each draft by itself.
        place: The ledger's file.
        url: The platform.
        source: Folder with the invoices of the run, or of the service: ``rows.jsonl`` and files.
        keys: What the service submits: keys of drafts, and names of files.
        document_ref: The document that each of these is.
        patience: Seconds to find out what became of doubts.
        timeout: Seconds for one invoice.
        concurrency: Requests at a time.
        timing: Of the ledger.
        die_at: At which commit it kills itself; never where it is 0.
        die: Before or after that commit is durable.
        freeze_at: After which mark that an invoice is about to be sent it stops until it is told to go on.
        slow: Seconds that the first such marks take longer to be durable.
        slow_times: How many of them.
    """

    task: Task = "run"
    place: Path
    url: str
    source: Path
    keys: tuple[str, ...] = ()
    document_ref: str | None = None
    patience: float = 0.0
    timeout: float = 120.0
    concurrency: int = 4
    timing: Timing = TIMING
    die_at: int = 0
    die: Moment = "before"
    freeze_at: int = 0
    slow: float = 0.0
    slow_times: int = 0


@attrs.frozen(kw_only=True)
class Report:
    """What a process says of itself at its end.

    Args:
        error: The class of what stopped it; empty where nothing did.
        told: What it was told of each key.
    """

    error: str = ""
    told: dict[str, str] = attrs.field(factory=dict[str, str])


def _soon(*_: object) -> float:
    return 0.03


QUICK: tuple[tuple[Any, str, Any], ...] = (
    (runner, "_REST", 0.01),
    (driving, "pause_before_next", _soon),
    (ingesting, "_GROUP", 6),
)
"""What no argument shortens: pauses between passes and looks, and the size of a chunk."""


def open_ledger(order: Order, *, recover: bool = False) -> Opening:
    """Open the ledger of an order."""
    return Ledger.open(
        ledger_url(order.place),
        server=order.url,
        sponsor="acme",
        copies=order.place.parent / "copies",
        timing=order.timing,
        recover=recover,
    )


def work(order: Order, report: Connection) -> None:
    """Do what is ordered, and report it."""
    logging.disable(logging.CRITICAL)
    for module, name, value in QUICK:
        setattr(module, name, value)
    report.send(asyncio.run(_work(order)))


async def _work(order: Order) -> Report:
    try:
        async with (
            open_ledger(order) as ledger,
            SeqinoClient("key-1", client_id=CLIENT, base_url=order.url) as client,
        ):
            _watch(ledger, order)
            if order.task == "service":
                return Report(told=await _serve(ledger, client, order))
            await follow(ledger, client, order)
    except SeqinoError as error:
        return Report(error=type(error).__name__)
    return Report()


async def follow(ledger: Ledger, client: SeqinoClient, order: Order) -> None:
    """Go on with the run, or make it."""
    has_run = bool(await ledger.list_runs())
    run = await (
        ledger.resume_run() if has_run else ledger.create_run(order.source, client_id=client.client_id)
    )
    options = CallOptions(timeout=order.timeout)
    async for _ in run.submit(
        client,
        concurrency=order.concurrency,
        patience=order.patience,
        interval=0.05,
        paced=False,
        options=options,
    ):
        pass


async def _serve(ledger: Ledger, client: SeqinoClient, order: Order) -> dict[str, str]:
    drafts = dict(drafts_of(order.source))
    options = CallOptions(timeout=order.timeout)

    async def submit(key: str) -> str:
        try:
            if key in drafts:
                done = await ledger.submit(
                    client, drafts[key], key=key, document_ref=order.document_ref, options=options
                )
            else:
                done = await ledger.submit_file(
                    client, order.source / key, document_ref=order.document_ref, options=options
                )
        except SeqinoError as error:
            return type(error).__name__
        return done.invoice_id or "unidentified"

    return dict(zip(order.keys, await asyncio.gather(*map(submit, order.keys)), strict=True))


def drafts_of(source: Path) -> list[tuple[str, Any]]:
    """Read the keys and the drafts of a source."""
    text = (source / "rows.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
    return [(row["key"], row["invoice"]) for row in rows]


def _watch(ledger: Ledger, order: Order) -> None:
    """Let the process die, or stop, at one of its writes."""
    writer = ledger.store._writer
    commit = writer._commit
    commits = marks = 0

    async def watched(writes: Sequence[Any]) -> Any:
        nonlocal commits, marks
        commits += 1
        if commits == order.die_at and order.die == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        results = await commit(writes)
        if commits == order.die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        before = marks
        marks += sum(isinstance(write, Change) and write.event is ItemEvent.MARKED for write in writes)
        if before < order.freeze_at <= marks:
            # The mark is durable; nobody has been told so yet.
            os.kill(os.getpid(), signal.SIGSTOP)
        if before < order.slow_times and marks > before:
            await asyncio.sleep(order.slow)
        return results

    writer._commit = watched
