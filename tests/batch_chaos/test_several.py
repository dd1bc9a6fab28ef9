"""Several processes with one ledger, at the same time or one with an old copy of it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from seqino.batch import BatchItem, State
from seqino.batch.states import ItemEvent
from seqino.client import SeqinoClient
from tests.batch_chaos.child import CLIENT, Report, drafts_of, open_ledger
from tests.batch_chaos.stage import stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.batch_chaos.child import Task


async def test_a_second_runner_is_told_that_the_run_is_worked_on(tmp_path: Path) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=4, files=2)
        first = here.start(here.order(freeze_at=1))
        # It is alive, however slow: its process is there, and it was heard of a moment ago.
        await first.stopped()
        second = await here.run(here.order())
        assert second is not None
        assert second.error == "RunInUse"
        assert here.sandbox.counters.invoices_created == 0
        first.signal(signal.SIGCONT)
        report = await first.end()
        assert report is not None
        assert report.error == ""
        told = await here.check()
        assert (told.found, told.in_doubt) == ([], 0)
        assert here.sandbox.counters.invoices_created == 6


async def test_web_workers_that_submit_the_same_keys_at_once_send_each_once_and_are_told_the_same(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=6, files=3)
        keys = (*(f"ERP-{number}" for number in range(6)), *(f"FILE-{number}.xml" for number in range(3)))
        # None knows which of the others is first: each begins elsewhere.
        orders = [here.order(task="service", keys=(*keys[shift:], *keys[:shift])) for shift in (0, 3, 6)]
        reports = await asyncio.gather(*(here.run(order) for order in orders))
        assert all(report is not None and report.told == reports[0].told for report in reports if reports[0])
        told = await here.check()
        assert (told.found, told.in_doubt) == ([], 0)
        counters = here.sandbox.counters
        assert (counters.drafts_created, counters.drafts_validated, counters.files_taken) == (6, 6, 3)


async def test_one_document_sent_as_a_draft_and_as_a_file_by_two_processes_goes_out_once(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=1, files=1)
        orders = [
            here.order(task="service", keys=(key,), document_ref="document-1")
            for key in ("ERP-0", "FILE-0.xml")
        ]
        reports = await asyncio.gather(*(here.run(order) for order in orders))
        ends = [end for report in reports if report is not None for end in report.told.values()]
        assert ends.count("KeyConflict") == 1
        assert here.sandbox.counters.invoices_created == 1
        assert sum(map(len, here.effects().values())) == 1


async def test_one_document_twice_in_a_run_goes_out_once_and_the_other_is_refused_by_name(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=1, files=1)
        ((key, invoice),) = drafts_of(here.source)
        source = [
            BatchItem(invoice=here.source / "FILE-0.xml", document_ref="document-1"),
            BatchItem(invoice=invoice, key=key, document_ref="document-1"),
        ]
        order = here.order()
        async with (
            open_ledger(order) as ledger,
            SeqinoClient("key-1", client_id=CLIENT, base_url=order.url) as client,
        ):
            run = await ledger.create_run(source, client_id=CLIENT)
            assert [refused.name for refused in await run.refused()] == ["item 2"]
            async for _ in run.submit(client, paced=False):
                pass
            assert await run.counts() == {State.ACCEPTED: 1}
        assert list(here.effects()) == ["FILE-0"]


async def test_a_ledger_that_was_put_back_sends_nothing_and_once_recovered_doubts_and_looks(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=9, files=3)
        # The files come first.
        first = here.start(here.order(freeze_at=5))
        await first.stopped()
        backup = tmp_path / "backup.db"
        with closing(sqlite3.connect(here.place)) as source, closing(sqlite3.connect(backup)) as copy:
            source.backup(copy)
        first.signal(signal.SIGCONT)
        assert await first.end() == Report()
        requests, made = here.sandbox.counters.requests, here.effects()
        assert sum(map(len, made.values())) == 12
        here.put_in_place(backup)
        report = await here.run(here.order())
        assert report == Report(error="LedgerRestored")
        assert here.sandbox.counters.requests == requests
        async with here.opened(recover=True) as ledger:
            counts = await ledger.counts()
            assert sum(counts.values()) == 12
            assert set(counts) | {State.ACCEPTED} == {State.IN_DOUBT, State.PARKED, State.ACCEPTED}
        report = await here.run(here.order(patience=60.0))
        # Only looks, by which the drafts that the backup knew are settled; of the others nobody can tell.
        assert report == Report()
        assert here.effects() == made
        told = await here.check()
        assert told.found == []
        async with here.opened() as ledger:
            assert await ledger.counts() == {
                State.ACCEPTED: counts[State.IN_DOUBT] + counts.get(State.ACCEPTED, 0),
                State.PARKED: counts[State.PARKED],
            }


@pytest.mark.parametrize("task", ["run", "service"])
async def test_marks_that_take_longer_than_the_window_send_nothing_until_they_are_faster(
    tmp_path: Path, task: Task
) -> None:
    async with stage(tmp_path) as here:
        here.write(drafts=3, files=2)
        keys = ("ERP-0", "ERP-1", "ERP-2", "FILE-0.xml", "FILE-1.xml")
        slow = here.order(task=task, keys=keys, slow=0.4, slow_times=3)
        report = await here.run(slow)
        assert report is not None
        assert report.error == ""
        told = await here.check()
        assert (told.found, told.in_doubt) == ([], 0)
        assert here.sandbox.counters.invoices_created == 5
        async with here.opened() as ledger:
            events = [entry.event async for entry in ledger.history()]
            items = [item async for item in ledger.store.items()]
        assert events.count(ItemEvent.LATE) >= 3
        # What was held back is no attempt, and no doubt.
        assert {item.attempt for item in items} == {1}
        assert not any(item.ever_unknown for item in items)
